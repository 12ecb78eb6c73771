#include "delta/commands/write_rows.h"

#include <arrow/api.h>

#include <algorithm>
#include <set>

#include "delta/columns/adapt_columns.h"
#include "delta/columns/assignment.h"
#include "delta/columns/column_mapping.h"
#include "delta/commands/file_rewriter.h"
#include "delta/commands/row_search.h"
#include "delta/commands/schema_evolution.h"
#include "delta/log/row_ids.h"
#include "delta/log/table_metadata.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/upkeep/clustering.h"

namespace sluice::delta {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

/// One write from its first look at the table to its commit.
class Write {
 public:
  Write(Table& table, std::shared_ptr<const Snapshot> snapshot, const WriteRequest& request,
        const WriteOptions& options)
      : table_(table),
        read_(std::move(snapshot)),
        request_(request),
        options_(options),
        mode_(request.mode == WriteMode::kDynamicPartitions && read_->partition_columns().empty()
                  ? WriteMode::kOverwrite
                  : request.mode),
        transaction_(table.NewTransaction(read_)) {}

  Result<WriteReport> Run() {
    SLUICE_ASSIGN_OR_RETURN(const bool needed, BeginWrite(options_, &transaction_));
    report_.skipped = !needed;
    if (!needed) return report_;
    if (mode_ != WriteMode::kAppend) SLUICE_RETURN_NOT_OK(CheckMayRemoveRows(*read_));
    if (request_.reads_table) transaction_.ReadWholeTable();
    SLUICE_RETURN_NOT_OK(ChooseSchema());
    SLUICE_ASSIGN_OR_RETURN(rules_, RowRules::Make(*written_, options_.expressions));
    // Whole files that come and go are their own change feed.
    const bool by_row = mode_ == WriteMode::kReplaceWhere && !WholeFiles();
    SLUICE_ASSIGN_OR_RETURN(
        rewriter_, FileRewriter::Make(table_, written_, rules_.get(), options_, by_row, nullptr));
    SLUICE_RETURN_NOT_OK(WriteNew());
    SLUICE_RETURN_NOT_OK(RemoveOld());
    return Commit();
  }

 private:
  bool WholeFiles() const {
    return AreAll(request_.replace_where.columns, read_->partition_columns());
  }

  Status ChooseSchema() {
    const auto& rows = *request_.rows->schema();
    if (request_.overwrite_schema) return ReplaceSchema(rows);
    std::shared_ptr<arrow::Schema> evolved;
    if (request_.merge_schema) {
      SLUICE_ASSIGN_OR_RETURN(evolved,
                              MergeSchemas(*read_->schema(), rows, WidensTypes(read_->metadata())));
    }
    SLUICE_ASSIGN_OR_RETURN(written_, EvolveTable(table_, read_, evolved, &metadata_));
    return Status::OK();
  }

  Status ReplaceSchema(const arrow::Schema& rows) {
    if (mode_ != WriteMode::kOverwrite) {
      return MakeError("DELTA_SCHEMA_MISMATCH",
                       "only an overwrite of the whole table can replace its schema");
    }
    metadata_ = read_->metadata();
    SLUICE_ASSIGN_OR_RETURN(const auto schema, TableSchemaOf(rows));
    SLUICE_RETURN_NOT_OK(CheckPartitioning(*schema, request_.partition_columns));
    SLUICE_RETURN_NOT_OK(SetSchema(schema, &metadata_));
    metadata_.partition_columns = request_.partition_columns;
    if (request_.description.has_value())
      metadata_.description = request_.description->empty() ? std::nullopt : request_.description;
    if (request_.properties.has_value()) {
      metadata_.id = table_.NewUuid();  // another table in its place
      metadata_.created_time_ms = table_.clock().NowMicros() / 1000;
      SLUICE_RETURN_NOT_OK(ParseTableProperties(*request_.properties).status());
      const auto max_id = metadata_.configuration.find(kMaxColumnId);
      StringMap properties = *request_.properties;
      if (max_id != metadata_.configuration.end()) properties.insert(*max_id);
      metadata_.configuration = std::move(properties);
    }
    SLUICE_RETURN_NOT_OK(CompleteMetadata(
        &read_->metadata(), [this] { return table_.NewUuid(); }, &metadata_));
    SLUICE_ASSIGN_OR_RETURN(written_, read_->Apply({metadata_}));
    return Status::OK();
  }

  Status WriteNew() {
    while (true) {
      BatchPtr rows;
      SLUICE_RETURN_NOT_OK(request_.rows->ReadNext(&rows));
      if (rows == nullptr) return Status::OK();
      SLUICE_ASSIGN_OR_RETURN(const auto spelled, SpelledAs(*written_->schema(), rows));
      rows_ += rows->num_rows();
      SLUICE_ASSIGN_OR_RETURN(const auto complete, rewriter_->Insert(spelled));
      if (mode_ == WriteMode::kReplaceWhere && !request_.rows_anywhere && complete->num_rows() > 0)
        SLUICE_RETURN_NOT_OK(CheckReplaced(complete));
    }
  }

  Status CheckReplaced(const BatchPtr& rows) const {
    SLUICE_ASSIGN_OR_RETURN(const auto holds, Evaluate(request_.replace_where.holds, rows));
    if (holds == nullptr || holds->true_count() == rows->num_rows()) return Status::OK();
    return MakeError(
        "DELTA_REPLACE_WHERE_MISMATCH",
        "rows to be written are not among those that are replaced: " + request_.replace_where.text,
        "filter the rows by the condition, or write them by another statement");
  }

  Status RemoveOld() {
    switch (mode_) {
      case WriteMode::kAppend: return Status::OK();
      case WriteMode::kOverwrite:
        transaction_.ReadWholeTable();
        for (const auto& file : read_->Files()) SLUICE_RETURN_NOT_OK(rewriter_->RemoveFile(*file));
        return Status::OK();
      case WriteMode::kReplaceWhere: return RemoveWhere();
      case WriteMode::kDynamicPartitions: return RemovePartitions();
    }
    return Status::OK();
  }

  Status RemoveWhere() {
    const RowCondition& where = request_.replace_where;
    transaction_.ReadWhere(where.prunes);
    for (const auto& file : CandidateFiles(*read_, where.prunes)) {
      if (WholeFiles()) {
        SLUICE_ASSIGN_OR_RETURN(const bool holds, HoldsForFile(*read_, *file, where));
        if (!holds) continue;
        deleted_ += std::max<int64_t>(LiveRecordsOf(*file), 0);
        SLUICE_RETURN_NOT_OK(rewriter_->RemoveFile(*file));
      } else {
        SLUICE_ASSIGN_OR_RETURN(const auto actions, FindRows(table_.storage(), written_, *file,
                                                             where, RowAction::kDelete));
        deleted_ += static_cast<int64_t>(actions.size());
        SLUICE_RETURN_NOT_OK(rewriter_->Apply(*file, actions));
      }
    }
    return Status::OK();
  }

  Status RemovePartitions() {
    std::set<PartitionValues> written;
    SLUICE_ASSIGN_OR_RETURN(const auto* files, rewriter_->FinishRows());
    for (const AddFile& file : *files) written.insert(file.partition_values);
    for (const PartitionValues& values : written) {
      SLUICE_ASSIGN_OR_RETURN(auto predicate, PartitionPredicate(values));
      transaction_.ReadWhere(std::move(predicate));
    }
    const auto replaced = read_->FilesWhere(
        [&](const AddFile& file) { return written.contains(file.partition_values); });
    for (const auto& file : replaced) SLUICE_RETURN_NOT_OK(rewriter_->RemoveFile(*file));
    return Status::OK();
  }

  Result<Predicate> PartitionPredicate(const PartitionValues& values) const {
    Predicate predicate;
    for (const std::string& column : read_->partition_columns()) {
      const auto field = read_->schema()->GetFieldByName(column);
      const auto it = values.find(PhysicalName(*field));
      const auto text = it == values.end() ? std::nullopt : it->second;
      SLUICE_ASSIGN_OR_RETURN(auto value, PartitionValueFromString(text, field->type()));
      const CompareOp op = value->is_valid ? CompareOp::kEqual : CompareOp::kIsNull;
      predicate.push_back({column, op, std::move(value), {}});
    }
    return predicate;
  }

  Result<WriteReport> Commit() {
    SLUICE_RETURN_NOT_OK(rewriter_->Finish(&transaction_));
    StringMap parameters = request_.operation_parameters;
    parameters["mode"] = mode_ == WriteMode::kAppend ? "Append" : "Overwrite";
    parameters["partitionBy"] = NamesJson(request_.partition_columns);
    if (mode_ == WriteMode::kReplaceWhere) parameters["predicate"] = request_.replace_where.text;
    if (mode_ == WriteMode::kDynamicPartitions) parameters["isDynamicPartitionOverwrite"] = "true";
    if (request_.merge_schema) parameters["canMergeSchema"] = "true";
    if (request_.overwrite_schema) parameters["canOverwriteSchema"] = "true";
    SLUICE_RETURN_NOT_OK(SetClusteringColumns(&parameters));
    transaction_.SetOperation(request_.operation, std::move(parameters));
    SetMetrics();
    const bool numbered = rules_->SchemaAfter() != nullptr;
    if (numbered) SLUICE_RETURN_NOT_OK(SetSchema(rules_->SchemaAfter(), &metadata_));
    const bool metadata = numbered || written_ != read_;
    if (metadata) transaction_.SetMetadata(metadata_);
    if (rewriter_->changed() || metadata || options_.txn.has_value())
      SLUICE_RETURN_NOT_OK(rewriter_->Commit(&transaction_, options_, &report_));
    return report_;
  }

  Status SetClusteringColumns(StringMap* parameters) {
    if (!request_.overwrite_schema || !request_.cluster_by.has_value()) return Status::OK();
    const auto& columns = *request_.cluster_by;
    (*parameters)["clusterBy"] = ColumnsJson(columns);
    const bool was_clustered = IsClustered(*read_);
    if (columns.empty() && !was_clustered) return Status::OK();
    if (!request_.partition_columns.empty()) {
      return columns.empty()
                 ? MakeError("DELTA_CLUSTERING_REPLACE_TABLE_WITH_PARTITIONED_TABLE",
                             "a clustered table cannot be replaced by a partitioned one: " +
                                 table_.path(),
                             "drop the table first")
                 : MakeError("DELTA_CLUSTER_BY_WITH_PARTITIONED_BY",
                             "a table is clustered or partitioned, not both",
                             "leave CLUSTER BY or PARTITIONED BY out");
    }
    const auto schema = written_->schema();
    SLUICE_RETURN_NOT_OK(CheckClusteringColumns(*schema, metadata_.configuration, columns));
    transaction_.SetDomainMetadata(ClusteringDomain(*schema, columns));
    metadata_.configuration["delta.feature.clustering"] = "supported";
    return Status::OK();
  }

  void SetMetrics() {
    const RewriteCounts& counts = rewriter_->counts();
    report_.metrics = {{"numFiles", counts.files_added},
                       {"numOutputRows", rows_ + counts.rows_copied},
                       {"numOutputBytes", counts.bytes_added}};
    if (mode_ != WriteMode::kAppend) {
      report_.metrics["numRemovedFiles"] = counts.files_removed;
      report_.metrics["numRemovedBytes"] = counts.bytes_removed;
    }
    if (mode_ == WriteMode::kReplaceWhere) {
      report_.metrics["numDeletedRows"] = deleted_;
      report_.metrics["numCopiedRows"] = counts.rows_copied;
      report_.metrics["numAddedChangeFiles"] = counts.change_files;
    }
    for (const auto& [name, value] : report_.metrics) transaction_.SetMetric(name, value);
  }

  Table& table_;
  const std::shared_ptr<const Snapshot> read_;
  const WriteRequest& request_;
  const WriteOptions& options_;
  const WriteMode mode_;
  Transaction transaction_;
  Metadata metadata_;
  std::shared_ptr<const Snapshot> written_;  // `read_` with the new schema
  std::unique_ptr<RowRules> rules_;
  std::unique_ptr<FileRewriter> rewriter_;
  WriteReport report_;
  int64_t rows_ = 0;
  int64_t deleted_ = 0;
};

}  // namespace

Result<WriteReport> WriteRows(Table& table, const WriteRequest& request,
                              const WriteOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
  return Write(table, std::move(snapshot), request, options).Run();
}

namespace {

/// The rows of a table that does not exist yet.
class FirstRows {
 public:
  FirstRows(arrow::RecordBatchReader* rows, const WriteOptions& options)
      : rows_(rows), options_(options) {}

  Status Fill(Table& table, const std::shared_ptr<const Snapshot>& empty, CommitInfo* info,
              std::vector<Action>* actions) {
    SLUICE_ASSIGN_OR_RETURN(rules_, RowRules::Make(*empty, options_.expressions));
    SLUICE_ASSIGN_OR_RETURN(
        rewriter_, FileRewriter::Make(table, empty, rules_.get(), options_, false, nullptr));
    int64_t written = 0;
    while (true) {
      BatchPtr rows;
      SLUICE_RETURN_NOT_OK(rows_->ReadNext(&rows));
      if (rows == nullptr) break;
      SLUICE_ASSIGN_OR_RETURN(const auto spelled, SpelledAs(*empty->schema(), rows));
      SLUICE_RETURN_NOT_OK(rewriter_->Insert(spelled).status());
      written += rows->num_rows();
    }
    SLUICE_ASSIGN_OR_RETURN(const auto* files, rewriter_->FinishRows());
    metrics_ = {{"numFiles", static_cast<int64_t>(files->size())},
                {"numOutputRows", written},
                {"numOutputBytes", rewriter_->counts().bytes_added}};
    SLUICE_RETURN_NOT_OK(NumberIdentities(actions));
    actions->insert(actions->end(), files->begin(), files->end());
    if (options_.txn.has_value())
      actions->emplace_back(Txn{options_.txn->app_id, options_.txn->version, std::nullopt});
    if (empty->protocol().HasWriterFeature("rowTracking"))
      SLUICE_RETURN_NOT_OK(AssignRowIds(*empty, actions));
    Describe(info);
    filled_ = true;
    return Status::OK();
  }

  /// `created` = how the commit ended.
  void Settle(const Status& created) {
    if (filled_ && !HasCode(created, "DELTA_TABLE_EXISTS")) rewriter_->Keep();
  }
  const std::map<std::string, int64_t>& metrics() const { return metrics_; }

 private:
  Status NumberIdentities(std::vector<Action>* actions) const {
    const auto schema = rules_->SchemaAfter();
    if (schema == nullptr) return Status::OK();
    for (Action& action : *actions) {
      if (auto* metadata = std::get_if<Metadata>(&action))
        SLUICE_RETURN_NOT_OK(SetSchema(schema, metadata));
    }
    return Status::OK();
  }

  void Describe(CommitInfo* info) const {
    info->operation = "CREATE TABLE AS SELECT";
    for (const auto& [name, value] : metrics_)
      info->operation_metrics[name] = std::to_string(value);
    if (options_.user_metadata.has_value()) info->user_metadata = options_.user_metadata;
  }

  arrow::RecordBatchReader* const rows_;
  const WriteOptions& options_;
  std::unique_ptr<RowRules> rules_;
  std::unique_ptr<FileRewriter> rewriter_;
  std::map<std::string, int64_t> metrics_;
  bool filled_ = false;
};

}  // namespace

Result<WriteReport> CreateTableAs(TableRegistry& tables, const std::string& path,
                                  CreateOptions create, arrow::RecordBatchReader* rows,
                                  const WriteOptions& options) {
  if (create.schema == nullptr) create.schema = rows->schema();
  FirstRows first(rows, options);
  create.fill = [&first, given = std::move(create.fill)](
                    Table& table, const std::shared_ptr<const Snapshot>& empty, CommitInfo* info,
                    std::vector<Action>* actions) {
    if (given) SLUICE_RETURN_NOT_OK(given(table, empty, info, actions));
    return first.Fill(table, empty, info, actions);
  };
  const auto created = tables.Create(path, create);
  first.Settle(created.status());
  SLUICE_RETURN_NOT_OK(created.status());
  return WriteReport{TableVersion(0), false, first.metrics()};
}

}  // namespace sluice::delta
