#include "plan/table_expressions.h"

#include "plan/table_scan.h"
#include "plan/variant_columns.h"
#include "sql/analysis/analyzer.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/parser.h"

namespace sluice::plan {
Result<delta::RowFunction> RowFunctionOf(const sql::BoundPtr& bound,
                                         const std::shared_ptr<arrow::Schema>& columns,
                                         Clock& clock) {
  const auto schema = SqlSchema(columns);
  SLUICE_ASSIGN_OR_RETURN(auto made, sql::Evaluator::Make(schema, {bound}));
  const std::shared_ptr<sql::Evaluator> evaluator = std::move(made);
  return delta::RowFunction([evaluator, schema, read = sql::ReferencedColumns(*bound),
                             &clock](const std::shared_ptr<arrow::RecordBatch>& rows)
                                -> Result<std::shared_ptr<arrow::Array>> {
    arrow::ArrayVector seen = rows->columns();
    for (const int column : read) {
      auto& array = seen[static_cast<size_t>(column)];
      SLUICE_ASSIGN_OR_RETURN(array, SqlArray(array));
    }
    const auto batch = arrow::RecordBatch::Make(schema, rows->num_rows(), std::move(seen));
    SLUICE_ASSIGN_OR_RETURN(auto arrays, evaluator->Evaluate(*batch, clock.NowMicros()));
    return TableArray(arrays[0]);
  });
}

Result<delta::RowCondition> RowConditionOf(const sql::BoundPtr& bound,
                                           const std::shared_ptr<arrow::Schema>& columns,
                                           Clock& clock) {
  delta::RowCondition condition;
  condition.prunes = PruningPredicate(sql::SimplePredicates(bound), *columns);
  condition.columns.emplace();
  for (const int index : sql::ReferencedColumns(*bound))
    condition.columns->push_back(columns->field(index)->name());
  SLUICE_ASSIGN_OR_RETURN(condition.holds, RowFunctionOf(bound, columns, clock));
  return condition;
}

Result<delta::RowFunction> TableExpressions::Compile(const std::string& text,
                                                     const std::shared_ptr<arrow::Schema>& columns,
                                                     const std::shared_ptr<arrow::DataType>& type) {
  const sql::SourceText source("expression", text);
  SLUICE_ASSIGN_OR_RETURN(const sql::Expr parsed, sql::ParseExpression(source));
  NoRelations none;
  sql::Analyzer analyzer(none, source);
  SLUICE_ASSIGN_OR_RETURN(sql::BoundPtr bound,
                          analyzer.AnalyzeExpression(parsed, *SqlSchema(columns)));
  if (type != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(bound, sql::StoreAssignment(bound, SqlType(type), text));
  }
  return RowFunctionOf(bound, columns, clock_);
}

Result<delta::RowCondition> TableExpressions::CompileCondition(
    const std::string& text, const std::shared_ptr<arrow::Schema>& columns) {
  const sql::SourceText source("condition", text);
  SLUICE_ASSIGN_OR_RETURN(const sql::Expr parsed, sql::ParseExpression(source));
  NoRelations none;
  sql::Analyzer analyzer(none, source);
  SLUICE_ASSIGN_OR_RETURN(const sql::BoundPtr bound,
                          analyzer.AnalyzeCondition(parsed, *SqlSchema(columns)));
  SLUICE_ASSIGN_OR_RETURN(delta::RowCondition condition, RowConditionOf(bound, columns, clock_));
  condition.text = text;
  return condition;
}

}  // namespace sluice::plan
