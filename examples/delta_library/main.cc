// The Delta library without Sluice around it: makes a table, appends, changes and deletes rows,
// lays the files out, reads the newest version and an old one.
//
//   delta_library /tmp/prices
#include <arrow/api.h>

#include <cstdio>

#include "base/clock.h"
#include "delta/commands/dml.h"
#include "delta/commands/write_rows.h"
#include "delta/files/scan.h"
#include "delta/log/table.h"
#include "delta/upkeep/compaction.h"
#include "storage/local_storage.h"

using sluice::Result;
using sluice::Status;
namespace delta = sluice::delta;

namespace {

std::shared_ptr<arrow::Schema> PriceSchema() {
  return arrow::schema({arrow::field("item", arrow::utf8()), arrow::field("cents", arrow::int64()),
                        arrow::field("day", arrow::utf8())});
}

Status AppendDay(delta::Table& table, const std::string& day, int64_t first_cents) {
  arrow::StringBuilder item;
  arrow::Int64Builder cents;
  arrow::StringBuilder days;
  for (const char* name : {"apple", "bread", "cheese"}) {
    SLUICE_RETURN_NOT_OK(item.Append(name));
    SLUICE_RETURN_NOT_OK(cents.Append(first_cents++));
    SLUICE_RETURN_NOT_OK(days.Append(day));
  }
  const int64_t count = item.length();
  const auto rows = arrow::RecordBatch::Make(PriceSchema(), count,
                                             {*item.Finish(), *cents.Finish(), *days.Finish()});
  SLUICE_ASSIGN_OR_RETURN(const auto reader, arrow::RecordBatchReader::Make({rows}));
  delta::WriteRequest request;
  request.rows = reader.get();
  delta::WriteOptions options;
  options.txn = delta::AppTxn{"loader", std::stoll(day)};  // the same day is loaded once
  return delta::WriteRows(table, request, options).status();
}

/// Rows whose item is `name`; by statistics, files without it are not even opened.
delta::RowCondition ItemIs(const std::string& name) {
  delta::RowCondition where;
  where.text = "item = '" + name + "'";
  where.columns = {"item"};
  where.prunes = {{"item", delta::CompareOp::kEqual, arrow::MakeScalar(name), {}}};
  where.holds = [name](const std::shared_ptr<arrow::RecordBatch>& rows)
      -> Result<std::shared_ptr<arrow::Array>> {
    const auto& items = static_cast<const arrow::StringArray&>(*rows->GetColumnByName("item"));
    arrow::BooleanBuilder holds;
    for (int64_t i = 0; i < items.length(); ++i)
      SLUICE_RETURN_NOT_OK(holds.Append(items.GetView(i) == name));
    return holds.Finish();
  };
  return where;
}

Status Print(delta::Table& table, const std::shared_ptr<const delta::Snapshot>& snapshot) {
  std::printf("version %s, %lld files\n", snapshot->version().ToString().c_str(),
              static_cast<long long>(snapshot->num_files()));
  SLUICE_ASSIGN_OR_RETURN(const auto scan, delta::Scan::Make(table.storage(), snapshot));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, scan->Next());
    if (rows == nullptr) return Status::OK();
    std::printf("%s", rows->ToString().c_str());
  }
}

Status Run(const std::string& path) {
  sluice::Clock& clock = sluice::SystemClock();
  sluice::storage::LocalStorage storage;
  delta::CreateOptions create;
  create.schema = PriceSchema();
  create.partition_columns = {"day"};
  create.properties = {{"delta.enableDeletionVectors", "true"}};
  SLUICE_ASSIGN_OR_RETURN(const auto table,
                          delta::Table::Create({storage, clock}, path, create, /*seed=*/1));
  SLUICE_RETURN_NOT_OK(AppendDay(*table, "20240101", 100));
  SLUICE_RETURN_NOT_OK(AppendDay(*table, "20240102", 200));
  SLUICE_RETURN_NOT_OK(AppendDay(*table, "20240102", 200));  // skipped: it is there
  SLUICE_ASSIGN_OR_RETURN(const auto report, delta::DeleteRows(*table, ItemIs("bread")));
  std::printf("deleted %lld rows\n", static_cast<long long>(report.metrics.at("numDeletedRows")));
  delta::CompactionOptions optimize;
  optimize.kind = delta::CompactionKind::kOptimize;
  optimize.z_order_by = {{"item"}, {"cents"}};
  SLUICE_RETURN_NOT_OK(delta::Compact(*table, optimize).status());
  SLUICE_RETURN_NOT_OK(Print(*table, table->Current()));
  SLUICE_ASSIGN_OR_RETURN(const auto first, table->SnapshotAt(sluice::TableVersion(1)));
  return Print(*table, first);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::fprintf(stderr, "usage: delta_library PATH\n");
    return 2;
  }
  const Status status = Run(argv[1]);
  if (status.ok()) return 0;
  std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return 1;
}
