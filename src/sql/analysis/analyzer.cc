#include "sql/analysis/analyzer.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/pipe_rewrite.h"
#include "sql/analysis/query_binder.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

/// "S.t" -> {"s", "t"}; "" -> {}.
std::vector<std::string> QualifierParts(const std::string& qualifier) {
  std::vector<std::string> parts;
  for (size_t from = 0; from < qualifier.size();) {
    const size_t dot = std::min(qualifier.find('.', from), qualifier.size());
    parts.push_back(LowerAscii(qualifier.substr(from, dot - from)));
    from = dot + 1;
  }
  return parts;
}

}  // namespace

Analyzer::Analyzer(RelationResolver& resolver, const SourceText& source, AnalyzerOptions options)
    : resolver_(resolver), source_(source), options_(std::move(options)) {}

Result<PlanPtr> Analyzer::AnalyzeQuery(const Query& query) {
  Query plain = query;
  SLUICE_RETURN_NOT_OK(RewritePipes(&plain));
  return QueryBinder(resolver_, source_, options_).BindQuery(plain);
}

Result<PlanPtr> Analyzer::AnalyzeRelation(const Relation& relation) {
  SLUICE_ASSIGN_OR_RETURN(auto bound,
                          QueryBinder(resolver_, source_, options_).BindRelation(relation));
  return bound.plan;
}

Result<BoundPtr> Analyzer::AnalyzeExpression(const Expr& expression, const arrow::Schema& input,
                                             const std::string& qualifier) {
  const Scope scope = Scope::Of(input, QualifierParts(qualifier));
  return ExpressionBinder(source_, options_, scope, nullptr).Bind(expression);
}

Result<BoundPtr> Analyzer::AnalyzeExpression(const Expr& expression,
                                             const std::vector<NamedInput>& inputs) {
  Scope scope;
  int base = 0;
  for (const NamedInput& input : inputs) {
    for (ScopeColumn& column : Scope::Of(*input.schema, QualifierParts(input.qualifier)).columns) {
      column.index += base;
      scope.columns.push_back(std::move(column));
    }
    base += input.schema->num_fields();
  }
  return ExpressionBinder(source_, options_, scope, nullptr).Bind(expression);
}

Result<BoundPtr> Analyzer::AnalyzeCondition(const Expr& expression, const arrow::Schema& input,
                                            const std::string& qualifier) {
  SLUICE_ASSIGN_OR_RETURN(const auto bound, AnalyzeExpression(expression, input, qualifier));
  return AsCondition(expression, bound);
}

Result<BoundPtr> Analyzer::AnalyzeCondition(const Expr& expression,
                                            const std::vector<NamedInput>& inputs) {
  SLUICE_ASSIGN_OR_RETURN(const auto bound, AnalyzeExpression(expression, inputs));
  return AsCondition(expression, bound);
}

Result<BoundPtr> Analyzer::AsCondition(const Expr& expression, const BoundPtr& bound) {
  if (bound->type->id() == arrow::Type::NA) return MakeCast(bound, arrow::boolean());
  if (bound->type->id() == arrow::Type::BOOL) return bound;
  return AnalysisError(source_, expression.span, "DATATYPE_MISMATCH.FILTER_NOT_BOOLEAN",
                       fmt::format("the condition \"{}\" has the type \"{}\", expected \"BOOLEAN\"",
                                   ToString(*bound), SparkTypeSql(*bound->type)));
}

Result<BoundPtr> StoreAssignment(const BoundPtr& value,
                                 const std::shared_ptr<arrow::DataType>& type,
                                 const std::string& column) {
  if (value->type->Equals(*type)) return value;
  if (!CanCast(*value->type, *type)) {
    return MakeError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
                     fmt::format("cannot store \"{}\" in the column `{}` of the type \"{}\"",
                                 SparkTypeSql(*value->type), column, SparkTypeSql(*type)));
  }
  const BoundPtr cast = MakeCast(value, type);
  if (cast->kind != BoundKind::kCast) return cast;
  auto stored = std::make_shared<BoundExpression>(*cast);
  stored->name = column;  // of an overflow
  return BoundPtr(std::move(stored));
}

}  // namespace sluice::sql
