#include "plan/table_scan.h"

#include <arrow/api.h>

#include "delta/scan.h"
#include "plan/pipeline_analysis.h"

namespace sluice::plan {
namespace {

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
      *batch = arrow::RecordBatch::Make(schema_, (*batch)->num_rows(), (*batch)->columns());
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

sql::ScanOpener MakeScanOpener(const ProjectSpec& spec, delta::TableRegistry& tables,
                               PinnedVersions versions) {
  return [&tables, spec, versions = std::move(versions)](
             const sql::LogicalPlan& plan, const std::vector<int>& columns,
             const std::vector<sql::SimplePredicate>& predicates)
             -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    const auto& scan = sql::As<sql::ScanNode>(plan);
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
    SLUICE_ASSIGN_OR_RETURN(auto table, tables.Open(ScanPath(spec, scan.dataset)));
    const auto pinned = versions.find(scan.dataset);
    std::shared_ptr<const delta::Snapshot> snapshot;
    if (pinned != versions.end() && table->Current()->version().value() != pinned->second) {
      SLUICE_ASSIGN_OR_RETURN(snapshot, table->SnapshotAt(TableVersion(pinned->second)));
    } else if (pinned != versions.end()) {
      snapshot = table->Current();
    } else {
      SLUICE_ASSIGN_OR_RETURN(snapshot, table->Update());
    }
    SLUICE_ASSIGN_OR_RETURN(auto reader, delta::Scan::Make(table->storage(), snapshot, options));
    return std::static_pointer_cast<arrow::RecordBatchReader>(
        std::make_shared<ScanReader>(std::move(reader), arrow::schema(fields)));
  };
}

}  // namespace sluice::plan
