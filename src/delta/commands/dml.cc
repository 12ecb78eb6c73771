#include "delta/commands/dml.h"

#include <arrow/api.h>

#include "delta/columns/assignment.h"
#include "delta/commands/file_rewriter.h"
#include "delta/commands/row_search.h"
#include "delta/files/row_rules.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

using FilePtr = std::shared_ptr<const AddFile>;

/// One DELETE or UPDATE from its first look at the table to its commit.
class Statement {
 public:
  Statement(Table& table, std::shared_ptr<const Snapshot> snapshot, const WriteOptions& options)
      : table_(table),
        snapshot_(std::move(snapshot)),
        options_(options),
        transaction_(table.NewTransaction(snapshot_)),
        begin_micros_(table.clock().SteadyMicros()) {}

  Result<WriteReport> Delete(const RowCondition& where) {
    SLUICE_ASSIGN_OR_RETURN(const bool needed, Begin(where));
    if (!needed) return report_;
    // The rules concern rows that are written; what stays has met them.
    const bool whole_files = AreAll(where.columns, snapshot_->partition_columns());
    SLUICE_ASSIGN_OR_RETURN(
        rewriter_, FileRewriter::Make(table_, snapshot_, nullptr, options_, !whole_files, nullptr));
    for (const FilePtr& file : CandidateFiles(*snapshot_, where.prunes)) {
      if (whole_files) {
        SLUICE_ASSIGN_OR_RETURN(const bool holds, HoldsForFile(*snapshot_, *file, where));
        if (holds) SLUICE_RETURN_NOT_OK(DeleteFile(*file));
        continue;
      }
      SLUICE_RETURN_NOT_OK(ChangeFile(*file, where, RowAction::kDelete));
    }
    SLUICE_RETURN_NOT_OK(Commit("DELETE", where));
    if (rows_known_) SetMetric("numDeletedRows", rows_);
    return Finish();
  }

  Result<WriteReport> Update(const RowCondition& where,
                             const std::vector<Assignment>& assignments) {
    SLUICE_ASSIGN_OR_RETURN(const bool needed, Begin(where));
    if (!needed) return report_;
    SLUICE_RETURN_NOT_OK(CheckAssignments(assignments, *snapshot_->schema()));
    SLUICE_ASSIGN_OR_RETURN(const auto rules, RowRules::Make(*snapshot_, options_.expressions));
    const auto assigned = AssignedColumns(assignments);
    for (const std::string& column : assigned) SLUICE_RETURN_NOT_OK(rules->CheckAssignable(column));
    const auto update =
        [&](int32_t, const std::shared_ptr<arrow::RecordBatch>& rows,
            const std::vector<int64_t>&) -> Result<std::shared_ptr<arrow::RecordBatch>> {
      SLUICE_ASSIGN_OR_RETURN(const auto changed, Assign(rows, assignments, rows));
      return rules->WithoutGenerated(changed, assigned);
    };
    SLUICE_ASSIGN_OR_RETURN(
        rewriter_, FileRewriter::Make(table_, snapshot_, rules.get(), options_, true, update));
    for (const FilePtr& file : CandidateFiles(*snapshot_, where.prunes))
      SLUICE_RETURN_NOT_OK(ChangeFile(*file, where, 0));
    SLUICE_RETURN_NOT_OK(Commit("UPDATE", where));
    SetMetric("numUpdatedRows", rows_);
    return Finish();
  }

 private:
  Result<bool> Begin(const RowCondition& where) {
    SLUICE_ASSIGN_OR_RETURN(const bool needed, BeginWrite(options_, &transaction_));
    report_.skipped = !needed;
    if (!needed) return false;
    SLUICE_RETURN_NOT_OK(CheckMayRemoveRows(*snapshot_));
    transaction_.ReadWhere(where.prunes);
    return true;
  }

  Status DeleteFile(const AddFile& file) {
    const int64_t records = LiveRecordsOf(file);
    rows_known_ = rows_known_ && records >= 0;
    rows_ += records;
    return rewriter_->RemoveFile(file);
  }

  Status ChangeFile(const AddFile& file, const RowCondition& where, int32_t update) {
    const int64_t begin = table_.clock().SteadyMicros();
    SLUICE_ASSIGN_OR_RETURN(const auto actions,
                            FindRows(table_.storage(), snapshot_, file, where, update));
    scan_micros_ += table_.clock().SteadyMicros() - begin;
    rows_ += static_cast<int64_t>(actions.size());
    return rewriter_->Apply(file, actions);
  }

  Status Commit(const char* operation, const RowCondition& where) {
    SLUICE_RETURN_NOT_OK(rewriter_->Finish(&transaction_));
    std::string predicate = "[";
    if (!where.text.empty()) AppendJsonString(where.text, &predicate);
    transaction_.SetOperation(operation, {{"predicate", predicate + "]"}});
    const RewriteCounts& counts = rewriter_->counts();
    SetMetric("numRemovedFiles", counts.files_removed);
    SetMetric("numRemovedBytes", counts.bytes_removed);
    SetMetric("numAddedFiles", counts.files_added);
    SetMetric("numAddedBytes", counts.bytes_added);
    SetMetric("numCopiedRows", counts.rows_copied);
    SetMetric("numDeletionVectorsAdded", counts.vectors_added);
    SetMetric("numDeletionVectorsRemoved", counts.vectors_removed);
    SetMetric("numDeletionVectorsUpdated", counts.vectors_updated);
    SetMetric("numAddedChangeFiles", counts.change_files);
    const int64_t micros = table_.clock().SteadyMicros() - begin_micros_;
    SetMetric("executionTimeMs", micros / 1000);
    SetMetric("scanTimeMs", scan_micros_ / 1000);
    SetMetric("rewriteTimeMs", (micros - scan_micros_) / 1000);
    return Status::OK();
  }

  void SetMetric(const char* name, int64_t value) {
    report_.metrics[name] = value;
    transaction_.SetMetric(name, value);
  }

  Result<WriteReport> Finish() {
    if (!rewriter_->changed() && !options_.txn.has_value()) return report_;
    SLUICE_RETURN_NOT_OK(rewriter_->Commit(&transaction_, options_, &report_));
    return report_;
  }

  Table& table_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const WriteOptions& options_;
  Transaction transaction_;
  std::unique_ptr<FileRewriter> rewriter_;
  WriteReport report_;
  int64_t rows_ = 0;
  bool rows_known_ = true;
  const int64_t begin_micros_;
  int64_t scan_micros_ = 0;
};

}  // namespace

Result<WriteReport> DeleteRows(Table& table, const RowCondition& where,
                               const WriteOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
  return Statement(table, std::move(snapshot), options).Delete(where);
}

Result<WriteReport> UpdateRows(Table& table, const RowCondition& where,
                               const std::vector<Assignment>& assignments,
                               const WriteOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
  return Statement(table, std::move(snapshot), options).Update(where, assignments);
}

}  // namespace sluice::delta
