// AST -> typed plan: resolves names (without case), binds functions, applies Spark's ANSI type
// coercion. Errors carry Spark's class as code and its SQLSTATE, the place (file:line:column), a
// caret line and suggestions; what the engine cannot do is NOT_SUPPORTED_YET with its name. One
// query at a time per instance.
#pragma once

#include <map>
#include <memory>
#include <string>

#include "base/status.h"
#include "sql/analysis/logical_plan.h"
#include "sql/analysis/relation_resolver.h"
#include "sql/ast/ast.h"
#include "sql/ast/source_text.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

struct AnalyzerOptions {
  /// Values of `:name` parameters by name, and of functions of the session by `name()`: literals.
  std::map<std::string, BoundPtr> parameters;
};

/// Columns that an expression may name, and what they may be qualified with ("" = nothing).
struct NamedInput {
  std::shared_ptr<arrow::Schema> schema;
  std::string qualifier;  // "t", "s.t"
};

class Analyzer {
 public:
  /// `resolver` and `source` (what the spans of the AST refer to) outlive this.
  Analyzer(RelationResolver& resolver, const SourceText& source, AnalyzerOptions options = {});

  Result<PlanPtr> AnalyzeQuery(const Query& query);

  /// STREAM t WATERMARK ..., a table, a subquery: the FROM of AUTO CDC.
  Result<PlanPtr> AnalyzeRelation(const Relation& relation);

  /// An expression over the columns of `input`: the condition of an expectation, a key of AUTO CDC.
  /// Columns may be qualified with `qualifier` (the table's name). No aggregates, no subqueries.
  Result<BoundPtr> AnalyzeExpression(const Expr& expression, const arrow::Schema& input,
                                     const std::string& qualifier = "");
  /// Over the columns of the inputs, one input behind the other: the two sides of a MERGE.
  Result<BoundPtr> AnalyzeExpression(const Expr& expression, const std::vector<NamedInput>& inputs);
  /// The same, converted to BOOLEAN or refused with DATATYPE_MISMATCH.
  Result<BoundPtr> AnalyzeCondition(const Expr& expression, const arrow::Schema& input,
                                    const std::string& qualifier = "");
  Result<BoundPtr> AnalyzeCondition(const Expr& expression, const std::vector<NamedInput>& inputs);

 private:
  Result<BoundPtr> AsCondition(const Expr& expression, const BoundPtr& bound);

  RelationResolver& resolver_;
  const SourceText& source_;
  AnalyzerOptions options_;
};

/// `value` converted as an INSERT into a Delta table does: by CAST in ANSI mode. What CAST does not
/// convert is DATATYPE_MISMATCH; a value that does not fit, when it is evaluated,
/// CAST_OVERFLOW_IN_TABLE_INSERT, which names `column`.
Result<BoundPtr> StoreAssignment(const BoundPtr& value,
                                 const std::shared_ptr<arrow::DataType>& type,
                                 const std::string& column);

}  // namespace sluice::sql
