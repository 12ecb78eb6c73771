#include "statements/row_query.h"

#include <arrow/api.h>
#include <arrow/compute/api.h>

#include "plan/pipeline_analysis.h"
#include "plan/variant_columns.h"
#include "sql/analysis/ast_walk.h"
#include "sql/print/print.h"

namespace sluice::statements {
namespace {

// No name that a statement can spell without backquotes.
constexpr char kRows[] = "rows of the statement";
constexpr char kRowNumber[] = "number of the row";
constexpr int kRowsId = 1 << 20;  // of the TableNode that stands for the rows

using TablePtr = std::shared_ptr<arrow::Table>;

sql::PlanPtr TableOf(const std::shared_ptr<arrow::Schema>& schema, TablePtr rows, int id) {
  auto node = std::make_shared<sql::TableNode>();
  node->schema = schema;
  node->table = std::move(rows);
  node->recursion = id;
  return node;
}

std::string RowsName(size_t input) { return kRows + std::to_string(input); }
std::string NumberName(size_t input) { return kRowNumber + std::to_string(input); }

/// The columns of an input, behind them the row's number.
Result<std::shared_ptr<arrow::Schema>> NumberedSchema(const sql::NamedInput& input, size_t index) {
  const auto number = arrow::field(NumberName(index), arrow::int64(), false);
  return plan::SqlSchema(input.schema)->AddField(input.schema->num_fields(), number);
}

bool ReadsRows(const sql::LogicalPlan& plan) {
  return sql::AnyNode(plan, [](const sql::LogicalPlan& node) {
    return node.kind == sql::PlanKind::kTable && sql::As<sql::TableNode>(node).recursion >= kRowsId;
  });
}

/// A query over rows that are given batch by batch, as one relation for each input. Its first
/// column is the row's number.
class RowQuery {
 public:
  static Result<std::shared_ptr<RowQuery>> Make(Job& job, const sql::Query& query,
                                                const Inputs& inputs,
                                                const std::vector<NamedRows>& relations) {
    auto made = std::shared_ptr<RowQuery>(new RowQuery(job));
    AdHocOptions options;
    for (size_t i = 0; i < inputs.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto schema, NumberedSchema(inputs[i], i));
      options.relations[RowsName(i)] = TableOf(schema, nullptr, kRowsId + static_cast<int>(i));
      made->schemas_.push_back(std::move(schema));
    }
    for (const NamedRows& relation : relations)
      options.relations[relation.name] = TableOf(relation.rows->schema(), relation.rows, -1);
    SLUICE_ASSIGN_OR_RETURN(made->plan_, AnalyzeAdHoc(job.context, job.file, query, options));
    return made;
  }

  const sql::PlanPtr& plan() const { return plan_; }
  /// Before the first batch: the value becomes `expressions` over the plan's columns.
  void Project(std::vector<sql::BoundPtr> expressions, const std::shared_ptr<arrow::Schema>& to) {
    auto project = std::make_shared<sql::ProjectNode>();
    project->expressions = std::move(expressions);
    project->schema = to;
    project->inputs = {plan_};
    plan_ = std::move(project);
  }

  /// The query's answer over `rows`, which have the columns of all inputs.
  Result<std::shared_ptr<arrow::RecordBatch>> Run(const arrow::RecordBatch& rows) {
    if (!computed_) {
      SLUICE_ASSIGN_OR_RETURN(plan_, ComputeOnce(plan_));
      computed_ = true;
    }
    SLUICE_ASSIGN_OR_RETURN(const auto tables, Numbered(rows));
    SLUICE_ASSIGN_OR_RETURN(const RowReader answer,
                            RunPlan(job_.context, Over(plan_, tables), job_.clock.NowMicros()));
    SLUICE_ASSIGN_OR_RETURN(const auto all, answer->ToTable());
    return all->CombineChunksToBatch();
  }

 private:
  explicit RowQuery(Job& job) : job_(job) {}

  Result<std::vector<TablePtr>> Numbered(const arrow::RecordBatch& rows) const {
    arrow::Int64Builder numbers;
    SLUICE_RETURN_NOT_OK(numbers.Reserve(rows.num_rows()));
    for (int64_t i = 0; i < rows.num_rows(); ++i) numbers.UnsafeAppend(i);
    SLUICE_ASSIGN_OR_RETURN(const auto number, numbers.Finish());
    std::vector<TablePtr> tables;
    int from = 0;
    for (const auto& schema : schemas_) {
      arrow::ArrayVector columns;
      for (int i = 0; i + 1 < schema->num_fields(); ++i) {
        SLUICE_ASSIGN_OR_RETURN(auto column, plan::SqlArray(rows.column(from++)));
        columns.push_back(std::move(column));
      }
      columns.push_back(number);
      const auto batch = arrow::RecordBatch::Make(schema, rows.num_rows(), std::move(columns));
      SLUICE_ASSIGN_OR_RETURN(auto table, arrow::Table::FromRecordBatches(schema, {batch}));
      tables.push_back(std::move(table));
    }
    return tables;
  }

  Result<sql::PlanPtr> ComputeOnce(const sql::PlanPtr& plan) const {
    if (plan->kind == sql::PlanKind::kTable) return plan;
    if (!ReadsRows(*plan)) {
      SLUICE_ASSIGN_OR_RETURN(const RowReader rows,
                              RunPlan(job_.context, plan, job_.clock.NowMicros()));
      SLUICE_ASSIGN_OR_RETURN(auto table, rows->ToTable());
      return TableOf(plan->schema, std::move(table), -1);
    }
    std::vector<sql::PlanPtr> inputs;
    for (const sql::PlanPtr& input : plan->inputs) {
      SLUICE_ASSIGN_OR_RETURN(auto computed, ComputeOnce(input));
      inputs.push_back(std::move(computed));
    }
    return sql::WithInputs(*plan, std::move(inputs));
  }

  static sql::PlanPtr Over(const sql::PlanPtr& plan, const std::vector<TablePtr>& rows) {
    if (!ReadsRows(*plan)) return plan;
    if (plan->kind == sql::PlanKind::kTable) {
      const int input = sql::As<sql::TableNode>(*plan).recursion - kRowsId;
      return TableOf(plan->schema, rows[static_cast<size_t>(input)], -1);
    }
    std::vector<sql::PlanPtr> inputs;
    for (const sql::PlanPtr& input : plan->inputs) inputs.push_back(Over(input, rows));
    return sql::WithInputs(*plan, std::move(inputs));
  }

  Job& job_;
  std::vector<std::shared_ptr<arrow::Schema>> schemas_;  // of the inputs, with the row's number
  sql::PlanPtr plan_;
  bool computed_ = false;
};

sql::SelectItem Item(sql::Expr expression) {
  sql::SelectItem item;
  item.span = expression.span;
  item.expr = std::move(expression);
  return item;
}

sql::Expr NumberOf(size_t input, sql::Span span) {
  sql::Expr number;
  number.node = sql::ColumnRef{{sql::Name{NumberName(input), span, true}}};
  number.span = span;
  return number;
}

sql::Relation RowsOf(size_t input, const std::string& qualifier, sql::Span span) {
  sql::TableRef table;
  table.name = {{sql::Name{RowsName(input), span, true}}, span};
  sql::Relation rows;
  rows.node = std::move(table);
  if (!qualifier.empty()) rows.alias = sql::TableAlias{sql::Name{qualifier, span, true}, {}};
  rows.span = span;
  return rows;
}

/// SELECT number of the row FROM rows AS qualifier [JOIN rows AS qualifier ON equal numbers]
sql::Query QueryOver(const sql::WithClause& with, const Inputs& inputs, sql::Span span) {
  sql::Select select;
  select.items.push_back(Item(NumberOf(0, span)));
  sql::Relation from = RowsOf(0, inputs[0].qualifier, span);
  for (size_t i = 1; i < inputs.size(); ++i) {
    sql::Join join;
    join.left = std::move(from);
    join.right = RowsOf(i, inputs[i].qualifier, span);
    sql::Expr on;
    on.node = sql::Binary{sql::BinaryOp::kEq, NumberOf(0, span), NumberOf(i, span)};
    on.span = span;
    join.on = std::move(on);
    from = sql::Relation();
    from.node = std::move(join);
    from.span = span;
  }
  select.from = std::move(from);
  sql::Query query;
  query.recursive = with.recursive;
  query.with = with.tables;
  query.body = std::move(select);
  query.span = span;
  return query;
}

/// What of `where` prunes: its conjuncts without subqueries.
void SplitPlain(const sql::Expr& where, std::vector<const sql::Expr*>* plain) {
  const auto* both = where.As<sql::Binary>();
  if (both != nullptr && both->op == sql::BinaryOp::kAnd) {
    SplitPlain(*both->left, plain);
    SplitPlain(*both->right, plain);
  } else if (!HoldsSubquery(where)) {
    plain->push_back(&where);
  }
}

}  // namespace

bool Reads(const sql::LogicalPlan& plan, const delta::Table& table, const plan::ProjectSpec& spec) {
  return sql::AnyNode(plan, [&](const sql::LogicalPlan& node) {
    return node.kind == sql::PlanKind::kScan &&
           plan::ScanPath(spec, sql::As<sql::ScanNode>(node).dataset) == table.path();
  });
}

bool HoldsSubquery(const sql::Expr& expression) {
  bool found = false;
  sql::VisitTree(expression, [&](const sql::Expr& node) {
    found = found || sql::SubqueryOf(node) != nullptr;
    return !found;
  });
  return found;
}

Result<delta::RowCondition> SubqueryCondition(Job& job, const sql::WithClause& with,
                                              const sql::Expr& where, const delta::Table& table,
                                              const std::string& qualifier,
                                              const std::vector<NamedRows>& relations) {
  const auto schema = table.Current()->schema();
  const Inputs inputs = {{schema, qualifier}};
  sql::Query query = QueryOver(with, inputs, where.span);
  std::get<sql::Select>(query.body).where = where;
  SLUICE_ASSIGN_OR_RETURN(const auto rows, RowQuery::Make(job, query, inputs, relations));
  delta::RowCondition condition;
  condition.text = sql::ToSql(where);
  condition.holds = [rows](const std::shared_ptr<arrow::RecordBatch>& batch)
      -> Result<std::shared_ptr<arrow::Array>> {
    SLUICE_ASSIGN_OR_RETURN(const auto found, rows->Run(*batch));
    std::vector<bool> holds(static_cast<size_t>(batch->num_rows()), false);
    const auto& numbers = static_cast<const arrow::Int64Array&>(*found->column(0));
    for (int64_t i = 0; i < numbers.length(); ++i)
      holds[static_cast<size_t>(numbers.Value(i))] = true;
    arrow::BooleanBuilder builder;
    SLUICE_RETURN_NOT_OK(builder.AppendValues(holds));
    return builder.Finish();
  };
  // What is pruned is not read: by others' commits to it the subquery would not be told.
  if (Reads(*rows->plan(), table, job.context.spec)) return condition;
  std::vector<const sql::Expr*> plain;
  SplitPlain(where, &plain);
  for (const sql::Expr* conjunct : plain) {
    SLUICE_ASSIGN_OR_RETURN(const auto bound, ConditionOver(job, conjunct, schema, qualifier));
    condition.prunes.insert(condition.prunes.end(), bound.prunes.begin(), bound.prunes.end());
  }
  return condition;
}

Result<delta::RowFunction> SubqueryValue(Job& job, const sql::WithClause& with,
                                         const sql::Expr& value, const Inputs& inputs,
                                         const std::shared_ptr<arrow::DataType>& type,
                                         const std::string& column) {
  sql::Query query = QueryOver(with, inputs, value.span);
  std::get<sql::Select>(query.body).items.push_back(Item(value));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, RowQuery::Make(job, query, inputs, {}));
  const auto& answer = *rows->plan()->schema;
  SLUICE_ASSIGN_OR_RETURN(auto stored,
                          sql::StoreAssignment(sql::MakeColumn(1, *answer.field(1)), type, column));
  rows->Project({sql::MakeColumn(0, *answer.field(0)), std::move(stored)},
                arrow::schema({answer.field(0), arrow::field(column, type)}));
  return delta::RowFunction([rows](const std::shared_ptr<arrow::RecordBatch>& batch)
                                -> Result<std::shared_ptr<arrow::Array>> {
    SLUICE_ASSIGN_OR_RETURN(const auto found, rows->Run(*batch));
    const auto& numbers = static_cast<const arrow::Int64Array&>(*found->column(0));
    std::vector<int64_t> places(static_cast<size_t>(batch->num_rows()), 0);
    for (int64_t i = 0; i < numbers.length(); ++i)
      places[static_cast<size_t>(numbers.Value(i))] = i;
    arrow::Int64Builder builder;
    SLUICE_RETURN_NOT_OK(builder.AppendValues(places));
    SLUICE_ASSIGN_OR_RETURN(const auto indices, builder.Finish());
    SLUICE_ASSIGN_OR_RETURN(const auto taken, arrow::compute::Take(found->column(1), indices));
    return plan::TableArray(taken.make_array());
  });
}

}  // namespace sluice::statements
