// MERGE INTO.
#include "delta/commands/merge.h"

#include <arrow/api.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "delta/commands/schema_evolution.h"
#include "plan/table_scan.h"
#include "plan/variant_columns.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"
#include "statements/row_query.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

using When = sql::MergeClause::When;
using Action = sql::MergeClause::Action;

class MergePlan {
 public:
  MergePlan(Job& job, const sql::MergeInto& merge) : job_(job), merge_(merge) {}

  Result<RowReader> Run() {
    SLUICE_ASSIGN_OR_RETURN(table_, OpenTable(job_.context, job_.file, merge_.target));
    SLUICE_RETURN_NOT_OK(PlanSource());
    SLUICE_RETURN_NOT_OK(PlanTarget());
    SLUICE_RETURN_NOT_OK(PlanCondition());
    for (const sql::MergeClause& clause : merge_.clauses) SLUICE_RETURN_NOT_OK(PlanClause(clause));
    request_.columns.emplace(columns_.begin(), columns_.end());
    SLUICE_RETURN_NOT_OK(ReadSource());
    SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                            delta::MergeRows(*table_, request_, job_.WriteOptions()));
    const int64_t updated = Metric(report, "numTargetRowsUpdated");
    const int64_t deleted = Metric(report, "numTargetRowsDeleted");
    const int64_t inserted = Metric(report, "numTargetRowsInserted");
    return Counts({{"num_affected_rows", updated + deleted + inserted},
                   {"num_updated_rows", updated},
                   {"num_deleted_rows", deleted},
                   {"num_inserted_rows", inserted}});
  }

 private:
  Status PlanSource() {
    SLUICE_ASSIGN_OR_RETURN(source_plan_, AnalyzeAdHoc(job_.context, job_.file, SourceQuery()));
    source_.schema = source_plan_->schema;
    const auto* named = merge_.source->As<sql::TableRef>();
    if (merge_.source->alias.has_value()) {
      source_.qualifier = merge_.source->alias->name.text;
    } else if (named != nullptr) {
      source_.qualifier = QualifierOf(named->name, std::nullopt);
    }
    request_.source_schema = source_.schema;
    return Status::OK();
  }

  /// SELECT * FROM the source, with the tables of WITH.
  sql::Query SourceQuery() const {
    sql::Expr all;
    all.node = sql::Star();
    all.span = merge_.source->span;
    sql::SelectItem item;
    item.expr = std::move(all);
    sql::Select select;
    select.items.push_back(std::move(item));
    select.from = *merge_.source;
    sql::Query query;
    query.recursive = merge_.with.recursive;
    query.with = merge_.with.tables;
    query.body = std::move(select);
    query.span = merge_.source->span;
    return query;
  }

  Status PlanTarget() {
    const auto schema = table_->Current()->schema();
    target_.schema = plan::SqlSchema(schema);
    target_.qualifier = QualifierOf(merge_.target, merge_.alias);
    const bool takes_all = std::any_of(
        merge_.clauses.begin(), merge_.clauses.end(), [](const sql::MergeClause& clause) {
          return clause.action == Action::kUpdateAll || clause.action == Action::kInsertAll;
        });
    if (!merge_.schema_evolution || !takes_all) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(auto evolved,
                            delta::MergeSchemas(*schema, *plan::TableSchema(source_.schema),
                                                delta::WidensTypes(table_->Current()->metadata())));
    if (evolved->Equals(*schema)) return Status::OK();
    target_.schema = plan::SqlSchema(evolved);
    request_.new_schema = evolved;
    return Status::OK();
  }

  int width() const { return target_.schema->num_fields(); }

  /// Columns of the target that `bound` (over the target's, then maybe the source's) reads.
  void NoteColumns(const sql::BoundExpression& bound) {
    for (const int index : sql::ReferencedColumns(bound)) {
      if (index < width()) columns_.insert(target_.schema->field(index)->name());
    }
  }

  static bool Within(const sql::BoundExpression& bound, int from, int to) {
    const std::vector<int> columns = sql::ReferencedColumns(bound);
    return !columns.empty() && columns.front() >= from && columns.back() < to;
  }

  /// A conjunct that makes a key: both sides are of one input each.
  Result<bool> TakeKey(const sql::BoundPtr& conjunct) {
    const bool null_safe = conjunct->IsCall("<=>");
    if (!null_safe && !conjunct->IsCall("=")) return false;
    const int both = width() + source_.schema->num_fields();
    sql::BoundPtr target = conjunct->args[0];
    sql::BoundPtr source = conjunct->args[1];
    if (!Within(*target, 0, width())) std::swap(target, source);
    if (!Within(*target, 0, width()) || !Within(*source, width(), both)) return false;
    std::vector<int> positions(static_cast<size_t>(both), -1);
    for (int i = width(); i < both; ++i) positions[static_cast<size_t>(i)] = i - width();
    delta::JoinKey key;
    key.null_safe = null_safe;
    SLUICE_ASSIGN_OR_RETURN(key.target, FunctionOver(job_, target, {target_}));
    SLUICE_ASSIGN_OR_RETURN(key.source,
                            FunctionOver(job_, sql::RemapColumns(source, positions), {source_}));
    if (target->IsColumn()) key.target_column = target_.schema->field(target->index)->name();
    request_.keys.push_back(std::move(key));
    return true;
  }

  Status PlanCondition() {
    SLUICE_ASSIGN_OR_RETURN(const sql::BoundPtr on, Condition(*merge_.on, {target_, source_}));
    request_.text = sql::ToSql(*merge_.on);
    NoteColumns(*on);
    std::vector<sql::BoundPtr> rest;
    std::vector<sql::BoundPtr> of_target;
    for (const sql::BoundPtr& conjunct : sql::SplitConjuncts(on)) {
      SLUICE_ASSIGN_OR_RETURN(const bool taken, TakeKey(conjunct));
      if (!taken) rest.push_back(conjunct);
      if (Within(*conjunct, 0, width())) of_target.push_back(conjunct);
    }
    if (!of_target.empty()) {
      request_.prunes = plan::PruningPredicate(sql::SimplePredicates(sql::JoinConjuncts(of_target)),
                                               *target_.schema);
    }
    if (rest.empty()) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(request_.condition,
                            FunctionOver(job_, sql::JoinConjuncts(rest), {target_, source_}));
    return Status::OK();
  }

  Result<sql::BoundPtr> Condition(const sql::Expr& expression, const Inputs& inputs) {
    plan::NoRelations none;
    return sql::Analyzer(none, *job_.file.source).AnalyzeCondition(expression, inputs);
  }

  Inputs InputsOf(When when) const {
    if (when == When::kMatched) return {target_, source_};
    return {when == When::kNotMatched ? source_ : target_};
  }

  Status PlanClause(const sql::MergeClause& clause) {
    const Inputs inputs = InputsOf(clause.when);
    delta::MergeClause made;
    made.kind = clause.action == Action::kDelete ? delta::MergeClause::Kind::kDelete
                : clause.action == Action::kInsert || clause.action == Action::kInsertAll
                    ? delta::MergeClause::Kind::kInsert
                    : delta::MergeClause::Kind::kUpdate;
    if (clause.condition) {
      SLUICE_ASSIGN_OR_RETURN(const sql::BoundPtr bound, Condition(*clause.condition, inputs));
      made.text = sql::ToSql(*clause.condition);
      if (clause.when != When::kNotMatched) NoteColumns(*bound);
      SLUICE_ASSIGN_OR_RETURN(made.condition, FunctionOver(job_, bound, inputs));
    }
    switch (clause.action) {
      case Action::kDelete: break;
      case Action::kUpdate: {
        SLUICE_ASSIGN_OR_RETURN(made.assignments,
                                BindAssignments(job_, clause.assignments, *target_.schema,
                                                target_.qualifier, inputs, merge_.with));
        break;
      }
      case Action::kInsert: SLUICE_RETURN_NOT_OK(PlanInsert(clause, inputs, &made)); break;
      case Action::kUpdateAll:
      case Action::kInsertAll: SLUICE_RETURN_NOT_OK(TakeAll(clause, inputs, &made)); break;
    }
    auto& clauses = clause.when == When::kMatched      ? request_.matched
                    : clause.when == When::kNotMatched ? request_.not_matched
                                                       : request_.not_matched_by_source;
    clauses.push_back(std::move(made));
    return Status::OK();
  }

  Status PlanInsert(const sql::MergeClause& clause, const Inputs& inputs,
                    delta::MergeClause* made) {
    if (clause.columns.size() != clause.values.size()) {
      return sql::AnalysisError(*job_.file.source, clause.span, "MERGE_INSERT_VALUE_COUNT_MISMATCH",
                                "INSERT names " + std::to_string(clause.columns.size()) +
                                    " columns and has " + std::to_string(clause.values.size()) +
                                    " values");
    }
    std::vector<sql::Assignment> assignments;
    for (size_t i = 0; i < clause.columns.size(); ++i) {
      sql::Assignment assignment;
      assignment.column.parts = {clause.columns[i]};
      assignment.column.span = clause.columns[i].span;
      assignment.value = clause.values[i];
      assignments.push_back(std::move(assignment));
    }
    SLUICE_ASSIGN_OR_RETURN(made->assignments,
                            BindAssignments(job_, assignments, *target_.schema, target_.qualifier,
                                            inputs, merge_.with));
    return Status::OK();
  }

  /// UPDATE SET * and INSERT *: every column of the table from the source's of that name.
  Status TakeAll(const sql::MergeClause& clause, const Inputs& inputs, delta::MergeClause* made) {
    const int base = clause.when == When::kMatched ? width() : 0;
    for (const auto& field : target_.schema->fields()) {
      int found = -1;
      for (int i = 0; i < source_.schema->num_fields(); ++i) {
        if (EqualsIgnoreCase(source_.schema->field(i)->name(), field->name())) found = i;
      }
      if (found < 0 && merge_.schema_evolution) continue;  // stays; of new rows: default or null
      if (found < 0) {
        return sql::AnalysisError(
            *job_.file.source, clause.span, "DELTA_MERGE_UNRESOLVED_EXPRESSION",
            "the source has no column `" + field->name() + "`, which the table has",
            "name the columns, or merge WITH SCHEMA EVOLUTION");
      }
      sql::BoundPtr value = sql::MakeColumn(base + found, *source_.schema->field(found));
      SLUICE_ASSIGN_OR_RETURN(value, sql::StoreAssignment(value, field->type(), field->name()));
      delta::Assignment assignment;
      assignment.path = {field->name()};
      SLUICE_ASSIGN_OR_RETURN(assignment.value, FunctionOver(job_, value, inputs));
      made->assignments.push_back(std::move(assignment));
    }
    return Status::OK();
  }

  Status ReadSource() {
    SLUICE_ASSIGN_OR_RETURN(const RowReader rows,
                            RunPlan(job_.context, source_plan_, job_.clock.NowMicros()));
    SLUICE_ASSIGN_OR_RETURN(request_.source, rows->ToRecordBatches());
    return Status::OK();
  }

  Job& job_;
  const sql::MergeInto& merge_;
  std::shared_ptr<delta::Table> table_;
  sql::PlanPtr source_plan_;
  sql::NamedInput target_;
  sql::NamedInput source_;
  std::set<std::string> columns_;
  delta::MergeRequest request_;
};

}  // namespace

namespace {

/// Delta evaluates subqueries in the values of MERGE, not in its conditions.
Status CheckNoSubquery(Job& job, const sql::Expr& condition) {
  if (!HoldsSubquery(condition)) return Status::OK();
  return sql::AnalysisError(*job.file.source, condition.span, "DELTA_UNSUPPORTED_SUBQUERY",
                            "subqueries are not supported in conditions of MERGE",
                            "compute what it needs in the source of the MERGE");
}

}  // namespace

Result<RowReader> RunMerge(Job& job, const sql::MergeInto& merge) {
  SLUICE_RETURN_NOT_OK(CheckNoSubquery(job, *merge.on));
  for (const sql::MergeClause& clause : merge.clauses) {
    if (clause.condition) SLUICE_RETURN_NOT_OK(CheckNoSubquery(job, *clause.condition));
  }
  return MergePlan(job, merge).Run();
}

}  // namespace sluice::statements
