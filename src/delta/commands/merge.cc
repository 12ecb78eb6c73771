#include "delta/commands/merge.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <numeric>

#include "batch/select_rows.h"
#include "delta/columns/assignment.h"
#include "delta/commands/file_rewriter.h"
#include "delta/commands/key_index.h"
#include "delta/commands/schema_evolution.h"
#include "delta/files/parquet_reader.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using FilePtr = std::shared_ptr<const AddFile>;
using Kind = MergeClause::Kind;

constexpr size_t kPairsAtOnce = 65536;
constexpr int64_t kKeysTried = 4096;
constexpr int64_t kMostListedKeys = 256;  // more distinct keys prune by their range
constexpr int64_t kRowsAhead = 16;
constexpr int32_t kNoClause = -1;

Result<BatchPtr> TakeSource(const BatchPtr& rows, const std::vector<int64_t>& indices) {
  std::vector<uint32_t> narrow(indices.begin(), indices.end());
  SLUICE_ASSIGN_OR_RETURN(const auto array, MakeIndices(narrow));
  return TakeRows(rows, array);
}

Result<BatchPtr> TakeTarget(const BatchPtr& rows, const std::vector<uint32_t>& indices) {
  SLUICE_ASSIGN_OR_RETURN(const auto array, MakeIndices(indices));
  return TakeRows(rows, array);
}

/// The columns of `left`, then those of `right`.
BatchPtr Joined(const BatchPtr& left, const BatchPtr& right) {
  arrow::FieldVector fields = left->schema()->fields();
  arrow::ArrayVector columns = left->columns();
  for (const auto& field : right->schema()->fields()) fields.push_back(field);
  for (const auto& column : right->columns()) columns.push_back(column);
  return arrow::RecordBatch::Make(arrow::schema(std::move(fields)), left->num_rows(),
                                  std::move(columns));
}

bool Holds(const std::shared_ptr<arrow::BooleanArray>& array, int64_t row) {
  return array == nullptr || (array->IsValid(row) && array->Value(row));
}

/// Which clause decides on each row of `rows`; conditions are evaluated on rows only that no
/// earlier clause took.
Result<std::vector<int32_t>> Decide(const std::vector<MergeClause>& clauses, const BatchPtr& rows) {
  std::vector<int32_t> decided(static_cast<size_t>(rows->num_rows()), kNoClause);
  std::vector<uint32_t> open(decided.size());
  std::iota(open.begin(), open.end(), 0U);
  for (size_t clause = 0; clause < clauses.size() && !open.empty(); ++clause) {
    BatchPtr seen = rows;
    if (open.size() < decided.size()) {
      SLUICE_ASSIGN_OR_RETURN(seen, TakeTarget(rows, open));
    }
    SLUICE_ASSIGN_OR_RETURN(const auto holds, Evaluate(clauses[clause].condition, seen));
    std::vector<uint32_t> rest;
    for (size_t i = 0; i < open.size(); ++i) {
      if (Holds(holds, static_cast<int64_t>(i))) {
        decided[open[i]] = static_cast<int32_t>(clause);
      } else {
        rest.push_back(open[i]);
      }
    }
    open = std::move(rest);
  }
  return decided;
}

std::string ClausesJson(const std::vector<MergeClause>& clauses) {
  static constexpr const char* kNames[] = {"update", "delete", "insert"};
  std::string json = "[";
  for (const MergeClause& clause : clauses) {
    json += json.size() > 1 ? ",{" : "{";
    if (!clause.text.empty()) {
      json += "\"predicate\":";
      AppendJsonString(clause.text, &json);
      json += ',';
    }
    json += "\"actionType\":\"";
    json += kNames[static_cast<size_t>(clause.kind)];
    json += "\"}";
  }
  return json + "]";
}

/// What the keys of the source say of the target's column: its values are among them.
Result<Predicate> KeyPredicate(const std::string& column,
                               const std::shared_ptr<arrow::Array>& keys) {
  if (keys->type_id() == arrow::Type::NA || arrow::is_floating(keys->type_id())) return Predicate();
  // Whether there are few is told by the first ones mostly.
  SLUICE_ASSIGN_OR_RETURN(auto distinct, arrow::compute::Unique(keys->Slice(0, kKeysTried)));
  if (distinct->length() <= kMostListedKeys && keys->length() > kKeysTried) {
    SLUICE_ASSIGN_OR_RETURN(distinct, arrow::compute::Unique(keys));
  }
  ColumnPredicate in{column, CompareOp::kIn, nullptr, {}};
  if (distinct->length() <= kMostListedKeys) {
    for (int64_t i = 0; i < distinct->length(); ++i) {
      if (distinct->IsNull(i)) continue;
      SLUICE_ASSIGN_OR_RETURN(auto value, distinct->GetScalar(i));
      in.in_list.push_back(std::move(value));
    }
    return Predicate{std::move(in)};
  }
  const auto range = arrow::compute::MinMax(arrow::Datum(keys));
  if (!range.ok()) return Predicate();
  const auto& bounds = static_cast<const arrow::StructScalar&>(*range->scalar());
  return Predicate{{column, CompareOp::kGreaterEqual, bounds.value[0], {}},
                   {column, CompareOp::kLessEqual, bounds.value[1], {}}};
}

/// One MERGE from its first look at the table to its commit.
class Merge {
 public:
  Merge(Table& table, std::shared_ptr<const Snapshot> snapshot, const MergeRequest& request,
        const WriteOptions& options)
      : table_(table),
        read_(std::move(snapshot)),
        request_(request),
        options_(options),
        transaction_(table.NewTransaction(read_)),
        begin_micros_(table.clock().SteadyMicros()) {}

  Result<WriteReport> Run() {
    SLUICE_ASSIGN_OR_RETURN(const bool needed, BeginWrite(options_, &transaction_));
    report_.skipped = !needed;
    if (!needed) return report_;
    SLUICE_RETURN_NOT_OK(Prepare());
    SLUICE_RETURN_NOT_OK(IndexSource());
    for (const FilePtr& file : CandidateFiles()) SLUICE_RETURN_NOT_OK(MergeFile(*file));
    SLUICE_RETURN_NOT_OK(InsertUnmatched());
    return Commit();
  }

 private:
  Status Prepare() {
    if (!request_.matched.empty() || !request_.not_matched_by_source.empty())
      SLUICE_RETURN_NOT_OK(CheckMayRemoveRows(*read_));
    SLUICE_ASSIGN_OR_RETURN(written_, EvolveTable(table_, read_, request_.new_schema, &metadata_));
    SLUICE_ASSIGN_OR_RETURN(rules_, RowRules::Make(*written_, options_.expressions));
    for (const auto* clauses : {&request_.matched, &request_.not_matched_by_source}) {
      for (const MergeClause& clause : *clauses) {
        SLUICE_RETURN_NOT_OK(CheckAssignments(clause.assignments, *written_->schema()));
        for (const std::string& column : AssignedColumns(clause.assignments))
          SLUICE_RETURN_NOT_OK(rules_->CheckAssignable(column));
      }
    }
    for (const MergeClause& clause : request_.not_matched)
      SLUICE_RETURN_NOT_OK(CheckAssignments(clause.assignments, *written_->schema()));
    // A commit that only adds rows is its own change feed.
    const bool inserts_only = request_.matched.empty() && request_.not_matched_by_source.empty();
    const auto update = [this](int32_t number, const BatchPtr& rows,
                               const std::vector<int64_t>& source_rows) {
      return Updated(number, rows, source_rows);
    };
    SLUICE_ASSIGN_OR_RETURN(rewriter_, FileRewriter::Make(table_, written_, rules_.get(), options_,
                                                          !inserts_only, update));
    return Status::OK();
  }

  Status IndexSource() {
    if (request_.source.empty()) {
      SLUICE_ASSIGN_OR_RETURN(source_, arrow::RecordBatch::MakeEmpty(request_.source_schema));
    } else {
      SLUICE_ASSIGN_OR_RETURN(source_, arrow::ConcatenateRecordBatches(request_.source));
    }
    source_matched_.assign(static_cast<size_t>(source_->num_rows()), false);
    predicate_ = request_.prunes;
    arrow::ArrayVector keys;
    for (const JoinKey& key : request_.keys) {
      SLUICE_ASSIGN_OR_RETURN(auto values, key.source(source_));
      null_safe_.push_back(key.null_safe);
      if (key.target_column.has_value() && !key.null_safe) {
        SLUICE_ASSIGN_OR_RETURN(const auto more, KeyPredicate(*key.target_column, values));
        predicate_.insert(predicate_.end(), more.begin(), more.end());
      }
      keys.push_back(std::move(values));
    }
    key_types_.clear();
    for (const auto& key : keys) key_types_.push_back(key->type());
    SLUICE_ASSIGN_OR_RETURN(auto encoded, EncodedKeys::Make(keys, null_safe_, source_->num_rows()));
    index_.emplace(std::move(encoded));
    return Status::OK();
  }

  bool ReadsAll() const { return !request_.not_matched_by_source.empty(); }

  std::vector<FilePtr> CandidateFiles() {
    if (ReadsAll()) {
      transaction_.ReadWholeTable();
      return read_->Files();
    }
    transaction_.ReadWhere(predicate_);
    if (source_->num_rows() == 0 || (!request_.keys.empty() && index_->num_keys() == 0)) return {};
    const FilePruner pruner(predicate_, *read_->schema(), read_->partition_columns());
    return read_->FilesWhere(
        [&](const AddFile& file) { return !NoKeyCanMatch(file) && pruner.MayMatch(file); });
  }

  /// An IN over no value at all prunes everything; FilePruner would take it for unknown.
  bool NoKeyCanMatch(const AddFile&) const {
    return std::any_of(predicate_.begin(), predicate_.end(), [](const ColumnPredicate& term) {
      return term.op == CompareOp::kIn && term.in_list.empty();
    });
  }

  // ---- One file ----

  /// What is known of the rows of one batch of the target.
  struct Matches {
    BatchPtr rows;                    // padded to the table's columns
    std::vector<int32_t> clause;      // of MATCHED, by row
    std::vector<int64_t> source_row;  // that goes with it
    std::vector<bool> matched;        // by any source row
    std::vector<uint32_t> counted;    // pairs that count as several matches
    std::vector<uint32_t> targets;    // pairs that wait to be looked at
    std::vector<int64_t> sources;
  };

  Status MergeFile(const AddFile& file) {
    const int64_t begin = table_.clock().SteadyMicros();
    DataFileReadOptions read;
    read.columns = request_.columns;
    read.with_row_index = true;
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            DataFileReader::Open(table_.storage(), written_, file, read));
    std::vector<RowAction> actions;
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
      if (rows == nullptr) break;
      SLUICE_RETURN_NOT_OK(MatchBatch(rows, &actions));
    }
    scan_micros_ += table_.clock().SteadyMicros() - begin;
    return rewriter_->Apply(file, actions);
  }

  Status MatchBatch(const BatchPtr& rows, std::vector<RowAction>* actions) {
    const auto count = static_cast<size_t>(rows->num_rows());
    Matches matches;
    SLUICE_ASSIGN_OR_RETURN(matches.rows, PaddedTo(written_->schema(), rows));
    matches.clause.assign(count, kNoClause);
    matches.source_row.assign(count, -1);
    matches.matched.assign(count, false);
    matches.counted.assign(count, 0);
    SLUICE_RETURN_NOT_OK(FindPairs(&matches));
    SLUICE_ASSIGN_OR_RETURN(const auto unmatched, DecideUnmatched(matches));
    const auto& positions =
        static_cast<const arrow::Int64Array&>(*rows->column(rows->num_columns() - 1));
    for (size_t i = 0; i < count; ++i) {
      const auto position = static_cast<uint64_t>(positions.Value(static_cast<int64_t>(i)));
      if (matches.clause[i] != kNoClause) {
        AddAction(position, matches.clause[i], 0, request_.matched, matches.source_row[i], actions);
      } else if (!unmatched.empty() && unmatched[i] != kNoClause) {
        AddAction(position, unmatched[i], static_cast<int32_t>(request_.matched.size()),
                  request_.not_matched_by_source, -1, actions);
      }
    }
    return Status::OK();
  }

  void AddAction(uint64_t position, int32_t clause, int32_t offset,
                 const std::vector<MergeClause>& clauses, int64_t source_row,
                 std::vector<RowAction>* actions) {
    const bool removes = clauses[static_cast<size_t>(clause)].kind == Kind::kDelete;
    const bool by_source = source_row < 0;
    ++(removes ? (by_source ? deleted_unmatched_ : deleted_)
               : (by_source ? updated_unmatched_ : updated_));
    actions->push_back({position, removes ? RowAction::kDelete : clause + offset, source_row});
  }

  Status FindPairs(Matches* matches) {
    const int64_t count = matches->rows->num_rows();
    std::optional<EncodedKeys> keys;
    if (!request_.keys.empty()) {
      arrow::ArrayVector columns;
      for (size_t i = 0; i < request_.keys.size(); ++i) {
        SLUICE_ASSIGN_OR_RETURN(auto values, request_.keys[i].target(matches->rows));
        if (!values->type()->Equals(*key_types_[i])) {
          return MakeError("DELTA_SCHEMA_MISMATCH",
                           "join key has two types: " + values->type()->ToString() + " and " +
                               key_types_[i]->ToString());
        }
        columns.push_back(std::move(values));
      }
      SLUICE_ASSIGN_OR_RETURN(keys, EncodedKeys::Make(columns, null_safe_, count));
    }
    for (int64_t row = 0; row < count; ++row) {
      const size_t before = matches->sources.size();
      if (keys.has_value()) {
        index_->Prefetch(*keys, row + kRowsAhead);
        if (keys->Matches(row)) index_->Find(*keys, row, &matches->sources);
      } else {
        matches->sources.resize(before + source_matched_.size());
        std::iota(matches->sources.begin() + static_cast<std::ptrdiff_t>(before),
                  matches->sources.end(), 0);
      }
      matches->targets.resize(matches->sources.size(), static_cast<uint32_t>(row));
      if (matches->sources.size() >= kPairsAtOnce) SLUICE_RETURN_NOT_OK(SettlePairs(matches));
    }
    return SettlePairs(matches);
  }

  /// Looks at the pairs that wait: drops those for which ON does not hold, decides on the others.
  Status SettlePairs(Matches* matches) {
    std::vector<uint32_t> targets = std::exchange(matches->targets, {});
    std::vector<int64_t> sources = std::exchange(matches->sources, {});
    if (targets.empty()) return Status::OK();
    const bool looks = request_.condition != nullptr || !request_.matched.empty();
    BatchPtr pairs;
    if (looks) {
      SLUICE_ASSIGN_OR_RETURN(pairs, PairsOf(matches->rows, targets, sources));
    }
    if (request_.condition != nullptr) {
      SLUICE_ASSIGN_OR_RETURN(const auto holds, Evaluate(request_.condition, pairs));
      std::vector<uint32_t> kept;
      for (size_t i = 0; i < targets.size(); ++i) {
        if (!Holds(holds, static_cast<int64_t>(i))) continue;
        targets[kept.size()] = targets[i];
        sources[kept.size()] = sources[i];
        kept.push_back(static_cast<uint32_t>(i));
      }
      if (kept.size() < targets.size()) {
        targets.resize(kept.size());
        sources.resize(kept.size());
        SLUICE_ASSIGN_OR_RETURN(pairs, TakeTarget(pairs, kept));
      }
    }
    for (size_t i = 0; i < targets.size(); ++i) {
      matches->matched[targets[i]] = true;
      source_matched_[static_cast<size_t>(sources[i])] = true;
    }
    if (request_.matched.empty() && !ReadsAll()) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(const auto clauses, Decide(request_.matched, pairs));
    return CountMatches(targets, sources, clauses, matches);
  }

  Result<BatchPtr> PairsOf(const BatchPtr& rows, const std::vector<uint32_t>& targets,
                           const std::vector<int64_t>& sources) const {
    SLUICE_ASSIGN_OR_RETURN(const auto left, TakeTarget(rows, targets));
    SLUICE_ASSIGN_OR_RETURN(const auto right, TakeSource(source_, sources));
    return Joined(left, right);
  }

  Status CountMatches(const std::vector<uint32_t>& targets, const std::vector<int64_t>& sources,
                      const std::vector<int32_t>& clauses, Matches* matches) const {
    // One unconditional DELETE deletes a row whatever the number of its matches.
    const bool may_repeat = request_.matched.size() == 1 &&
                            request_.matched[0].kind == Kind::kDelete &&
                            request_.matched[0].condition == nullptr;
    const bool only_matched =
        request_.not_matched.empty() && request_.not_matched_by_source.empty();
    for (size_t i = 0; i < targets.size(); ++i) {
      const uint32_t row = targets[i];
      if ((clauses[i] != kNoClause || !only_matched) && ++matches->counted[row] > 1 && !may_repeat)
        return SeveralMatches(*matches->rows, row);
      if (clauses[i] == kNoClause) continue;
      matches->clause[row] = clauses[i];
      matches->source_row[row] = sources[i];
    }
    return Status::OK();
  }

  static Status SeveralMatches(const arrow::RecordBatch& rows, int64_t row) {
    std::string text;
    for (int i = 0; i < std::min(rows.num_columns(), 3); ++i) {
      const auto value = rows.column(i)->GetScalar(row);
      text += (i == 0 ? "" : ", ") + rows.schema()->field(i)->name() + " = " +
              (value.ok() ? (*value)->ToString() : std::string("?"));
    }
    return MakeError("DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE",
                     "several rows of the source match one row of the table: " + text,
                     "make the source unique by the columns of ON, such as by its newest row");
  }

  /// Clause of NOT MATCHED BY SOURCE by row; empty when there is none.
  Result<std::vector<int32_t>> DecideUnmatched(const Matches& matches) const {
    std::vector<int32_t> decided;
    if (!ReadsAll()) return decided;
    std::vector<uint32_t> open;
    for (size_t i = 0; i < matches.matched.size(); ++i) {
      if (!matches.matched[i]) open.push_back(static_cast<uint32_t>(i));
    }
    decided.assign(matches.matched.size(), kNoClause);
    if (open.empty()) return decided;
    SLUICE_ASSIGN_OR_RETURN(const auto rows, TakeTarget(matches.rows, open));
    SLUICE_ASSIGN_OR_RETURN(const auto clauses, Decide(request_.not_matched_by_source, rows));
    for (size_t i = 0; i < open.size(); ++i) decided[open[i]] = clauses[i];
    return decided;
  }

  Result<BatchPtr> Updated(int32_t number, const BatchPtr& rows,
                           const std::vector<int64_t>& source_rows) const {
    const auto index = static_cast<size_t>(number);
    const bool by_source = index >= request_.matched.size();
    const MergeClause& clause =
        by_source ? request_.not_matched_by_source[index - request_.matched.size()]
                  : request_.matched[index];
    BatchPtr seen = rows;
    if (!by_source) {
      SLUICE_ASSIGN_OR_RETURN(const auto source, TakeSource(source_, source_rows));
      seen = Joined(rows, source);
    }
    SLUICE_ASSIGN_OR_RETURN(const auto changed, Assign(rows, clause.assignments, seen));
    return rules_->WithoutGenerated(changed, AssignedColumns(clause.assignments));
  }

  // ---- New rows ----

  Status InsertUnmatched() {
    if (request_.not_matched.empty()) return Status::OK();
    std::vector<int64_t> open;
    for (size_t row = 0; row < source_matched_.size(); ++row) {
      if (!source_matched_[row]) open.push_back(static_cast<int64_t>(row));
      const bool last = row + 1 == source_matched_.size();
      if (!open.empty() && (last || open.size() == kPairsAtOnce)) {
        SLUICE_ASSIGN_OR_RETURN(const auto rows, TakeSource(source_, open));
        SLUICE_RETURN_NOT_OK(InsertRows(rows));
        open.clear();
      }
    }
    return Status::OK();
  }

  Status InsertRows(const BatchPtr& rows) {
    SLUICE_ASSIGN_OR_RETURN(const auto clauses, Decide(request_.not_matched, rows));
    for (size_t clause = 0; clause < request_.not_matched.size(); ++clause) {
      std::vector<uint32_t> chosen;
      for (size_t i = 0; i < clauses.size(); ++i) {
        if (clauses[i] == static_cast<int32_t>(clause)) chosen.push_back(static_cast<uint32_t>(i));
      }
      if (chosen.empty()) continue;
      SLUICE_ASSIGN_OR_RETURN(const auto seen, TakeTarget(rows, chosen));
      arrow::FieldVector fields;
      arrow::ArrayVector columns;
      for (const Assignment& assignment : request_.not_matched[clause].assignments) {
        SLUICE_ASSIGN_OR_RETURN(auto value, assignment.value(seen));
        fields.push_back(arrow::field(assignment.path[0], value->type()));
        columns.push_back(std::move(value));
      }
      inserted_ += seen->num_rows();
      SLUICE_RETURN_NOT_OK(
          rewriter_
              ->Insert(arrow::RecordBatch::Make(arrow::schema(std::move(fields)), seen->num_rows(),
                                                std::move(columns)))
              .status());
    }
    return Status::OK();
  }

  // ---- The commit ----

  Result<WriteReport> Commit() {
    SLUICE_RETURN_NOT_OK(rewriter_->Finish(&transaction_));
    std::string predicate = "[";
    if (!request_.text.empty()) AppendJsonString(request_.text, &predicate);
    transaction_.SetOperation(
        "MERGE", {{"predicate", predicate + "]"},
                  {"matchedPredicates", ClausesJson(request_.matched)},
                  {"notMatchedPredicates", ClausesJson(request_.not_matched)},
                  {"notMatchedBySourcePredicates", ClausesJson(request_.not_matched_by_source)}});
    SetMetrics();
    const bool numbered = rules_->SchemaAfter() != nullptr;
    if (numbered) {
      SLUICE_RETURN_NOT_OK(SetSchema(rules_->SchemaAfter(), &metadata_));
    }
    if (numbered || written_ != read_) transaction_.SetMetadata(metadata_);
    if (!rewriter_->changed() && written_ == read_ && !options_.txn.has_value()) return report_;
    SLUICE_RETURN_NOT_OK(rewriter_->Commit(&transaction_, options_, &report_));
    return report_;
  }

  void SetMetrics() {
    const RewriteCounts& counts = rewriter_->counts();
    const int64_t updated = updated_ + updated_unmatched_;
    const int64_t deleted = deleted_ + deleted_unmatched_;
    const int64_t micros = table_.clock().SteadyMicros() - begin_micros_;
    report_.metrics = {{"numSourceRows", source_->num_rows()},
                       {"numTargetRowsInserted", inserted_},
                       {"numTargetRowsUpdated", updated},
                       {"numTargetRowsMatchedUpdated", updated_},
                       {"numTargetRowsNotMatchedBySourceUpdated", updated_unmatched_},
                       {"numTargetRowsDeleted", deleted},
                       {"numTargetRowsMatchedDeleted", deleted_},
                       {"numTargetRowsNotMatchedBySourceDeleted", deleted_unmatched_},
                       {"numTargetRowsCopied", counts.rows_copied},
                       {"numOutputRows", inserted_ + updated + counts.rows_copied},
                       {"numTargetFilesAdded", counts.files_added},
                       {"numTargetFilesRemoved", counts.files_removed},
                       {"numTargetBytesAdded", counts.bytes_added},
                       {"numTargetBytesRemoved", counts.bytes_removed},
                       {"numTargetChangeFilesAdded", counts.change_files},
                       {"numTargetDeletionVectorsAdded", counts.vectors_added},
                       {"numTargetDeletionVectorsRemoved", counts.vectors_removed},
                       {"numTargetDeletionVectorsUpdated", counts.vectors_updated},
                       {"executionTimeMs", micros / 1000},
                       {"scanTimeMs", scan_micros_ / 1000},
                       {"rewriteTimeMs", (micros - scan_micros_) / 1000}};
    for (const auto& [name, value] : report_.metrics) transaction_.SetMetric(name, value);
  }

  Table& table_;
  const std::shared_ptr<const Snapshot> read_;
  const MergeRequest& request_;
  const WriteOptions& options_;
  Transaction transaction_;
  Metadata metadata_;
  std::shared_ptr<const Snapshot> written_;  // `read_` with the new schema
  std::unique_ptr<RowRules> rules_;
  std::unique_ptr<FileRewriter> rewriter_;

  BatchPtr source_;
  std::vector<bool> source_matched_;
  std::vector<bool> null_safe_;
  arrow::DataTypeVector key_types_;
  std::optional<KeyIndex> index_;
  Predicate predicate_;  // holds for every row of the table that may match

  WriteReport report_;
  int64_t inserted_ = 0;
  int64_t updated_ = 0;
  int64_t updated_unmatched_ = 0;
  int64_t deleted_ = 0;
  int64_t deleted_unmatched_ = 0;
  const int64_t begin_micros_;
  int64_t scan_micros_ = 0;
};

}  // namespace

Result<WriteReport> MergeRows(Table& table, const MergeRequest& request,
                              const WriteOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
  return Merge(table, std::move(snapshot), request, options).Run();
}

}  // namespace sluice::delta
