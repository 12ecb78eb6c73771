#include "plan/table_scan.h"

#include <arrow/api.h>
#include <arrow/util/iterator.h>

#include "delta/files/change_feed.h"
#include "delta/files/scan.h"
#include "plan/pipeline_analysis.h"
#include "plan/variant_columns.h"

namespace sluice::plan {
namespace {

/// `columns` with the types of `schema`: variants as the query has them.
Result<arrow::ArrayVector> AsQueried(arrow::ArrayVector columns, const arrow::Schema& schema) {
  for (int i = 0; i < schema.num_fields(); ++i) {
    auto& column = columns[static_cast<size_t>(i)];
    if (column->type()->Equals(*schema.field(i)->type())) continue;
    SLUICE_ASSIGN_OR_RETURN(column, SqlArray(column));
  }
  return columns;
}

/// A Delta scan as a reader. Zero columns asked for: one is read, so that batches know their number
/// of rows.
class ScanReader : public arrow::RecordBatchReader {
 public:
  ScanReader(std::unique_ptr<delta::Scan> scan, std::shared_ptr<arrow::Schema> schema)
      : scan_(std::move(scan)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  arrow::Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    SLUICE_ASSIGN_OR_RETURN(*batch, scan_->Next());
    if (*batch == nullptr) return Status::OK();
    if (schema_->num_fields() == 0) {
      *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), arrow::ArrayVector{});
    } else {
      SLUICE_ASSIGN_OR_RETURN(auto columns, AsQueried((*batch)->columns(), *schema_));
      *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), std::move(columns));
    }
    return Status::OK();
  }

 private:
  const std::unique_ptr<delta::Scan> scan_;
  const std::shared_ptr<arrow::Schema> schema_;
};

std::optional<delta::CompareOp> ToCompareOp(const std::string& op) {
  if (op == "=") return delta::CompareOp::kEqual;
  if (op == "<") return delta::CompareOp::kLess;
  if (op == "<=") return delta::CompareOp::kLessEqual;
  if (op == ">") return delta::CompareOp::kGreater;
  if (op == ">=") return delta::CompareOp::kGreaterEqual;
  if (op == "isnull") return delta::CompareOp::kIsNull;
  if (op == "isnotnull") return delta::CompareOp::kIsNotNull;
  return std::nullopt;
}

}  // namespace

delta::Predicate PruningPredicate(const std::vector<sql::SimplePredicate>& predicates,
                                  const arrow::Schema& schema) {
  delta::Predicate out;
  for (const sql::SimplePredicate& predicate : predicates) {
    const auto op = ToCompareOp(predicate.op);
    if (op.has_value())
      out.push_back({schema.field(predicate.column)->name(), *op, predicate.value, {}});
  }
  return out;
}

namespace {

/// The version that a scan reads: its own, else the pinned one, else the newest.
Result<std::shared_ptr<const delta::Snapshot>> SnapshotOf(delta::Table& table,
                                                          const sql::ScanNode& scan,
                                                          const PinnedVersions& versions) {
  const auto pinned = versions.find(scan.dataset);
  if (scan.version.has_value()) return table.SnapshotAt(TableVersion(*scan.version));
  if (pinned != versions.end()) return table.SnapshotAt(TableVersion(pinned->second));
  return table.Update();
}

/// The change feed as a reader of `columns`.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadChanges(
    const std::shared_ptr<delta::Table>& table, const sql::ScanNode& scan,
    const std::vector<int>& columns, const PinnedVersions& versions) {
  std::optional<TableVersion> last;
  if (scan.changes->to.has_value()) last = TableVersion(*scan.changes->to);
  const auto pinned = versions.find(scan.dataset);
  if (!last.has_value() && pinned != versions.end()) last = TableVersion(pinned->second);
  SLUICE_RETURN_NOT_OK(table->Update().status());
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<delta::ChangeFeed> feed,
                          delta::ChangeFeed::Make(*table, TableVersion(scan.changes->from), last));
  if (!feed->schema()->Equals(*scan.schema) && !SqlSchema(feed->schema())->Equals(*scan.schema))
    return MakeError("DELTA_SOURCE_SCHEMA_CHANGED",
                     "the columns of " + scan.dataset + " changed since the query was analyzed",
                     "run it again");
  arrow::FieldVector fields;
  for (const int column : columns) fields.push_back(scan.schema->field(column));
  const auto schema = arrow::schema(std::move(fields));
  auto next = [table, feed, columns,
               schema]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    SLUICE_ASSIGN_OR_RETURN(const auto batch, feed->Next());
    if (batch == nullptr) return batch;
    arrow::ArrayVector arrays;
    for (const int column : columns) arrays.push_back(batch->column(column));
    SLUICE_ASSIGN_OR_RETURN(arrays, AsQueried(std::move(arrays), *schema));
    return arrow::RecordBatch::Make(schema, batch->num_rows(), std::move(arrays));
  };
  return arrow::RecordBatchReader::MakeFromIterator(arrow::MakeFunctionIterator(std::move(next)),
                                                    schema);
}

}  // namespace

sql::ScanOpener MakeScanOpener(const ProjectSpec& spec, delta::TableRegistry& tables,
                               PinnedVersions versions) {
  return [&tables, spec, versions = std::move(versions)](
             const sql::LogicalPlan& plan, const std::vector<int>& columns,
             const std::vector<sql::SimplePredicate>& predicates)
             -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    const auto& scan = sql::As<sql::ScanNode>(plan);
    SLUICE_ASSIGN_OR_RETURN(auto table, tables.Open(ScanPath(spec, scan.dataset)));
    if (scan.changes.has_value()) return ReadChanges(table, scan, columns, versions);
    arrow::FieldVector fields;
    delta::ScanOptions options;
    options.columns.emplace();
    for (const int column : columns) {
      fields.push_back(scan.schema->field(column));
      options.columns->push_back(scan.schema->field(column)->name());
    }
    if (columns.empty() && scan.schema->num_fields() > 0)
      options.columns->push_back(scan.schema->field(0)->name());
    options.predicate = PruningPredicate(predicates, *scan.schema);
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot, SnapshotOf(*table, scan, versions));
    SLUICE_ASSIGN_OR_RETURN(auto reader, delta::Scan::Make(table->storage(), snapshot, options));
    return std::static_pointer_cast<arrow::RecordBatchReader>(
        std::make_shared<ScanReader>(std::move(reader), arrow::schema(fields)));
  };
}

}  // namespace sluice::plan
