// Functions that take lambdas, of ExpressionBinder: parameters get their types from the other
// arguments, bodies are bound and closed.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/expression_binder_internal.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"

namespace sluice::sql {
namespace {

using Types = std::vector<TypePtr>;

TypePtr ElementType(const BoundPtr& array) { return array->type->field(0)->type(); }
TypePtr KeyType(const BoundPtr& map) {
  return static_cast<const arrow::MapType&>(*map->type).key_type();
}
TypePtr ItemType(const BoundPtr& map) {
  return static_cast<const arrow::MapType&>(*map->type).item_type();
}

// What a function takes before its lambdas, and how many lambdas.
struct Shape {
  size_t values;
  size_t least_lambdas;
  size_t most_lambdas;
  bool of_maps;
};

const std::map<std::string, Shape>& Shapes() {
  static const std::map<std::string, Shape> shapes = {
      {"transform", {1, 1, 1, false}},     {"filter", {1, 1, 1, false}},
      {"exists", {1, 1, 1, false}},        {"forall", {1, 1, 1, false}},
      {"aggregate", {2, 1, 2, false}},     {"zip_with", {2, 1, 1, false}},
      {"array_sort", {1, 1, 1, false}},    {"map_filter", {1, 1, 1, true}},
      {"transform_keys", {1, 1, 1, true}}, {"transform_values", {1, 1, 1, true}},
      {"map_zip_with", {2, 1, 1, true}},
  };
  return shapes;
}

// The parameters' types of lambda `index`, and how many of them it must name.
Types ParameterTypes(const std::string& name, const std::vector<BoundPtr>& args, size_t index,
                     size_t* required) {
  Types types;
  if (name == "aggregate") {
    types = {args[1]->type};
    if (index == 0) types.push_back(ElementType(args[0]));
  } else if (name == "zip_with") {
    types = {ElementType(args[0]), ElementType(args[1])};
  } else if (name == "array_sort") {
    types = {ElementType(args[0]), ElementType(args[0])};
  } else if (name == "map_zip_with") {
    types = {KeyType(args[0]), ItemType(args[0]), ItemType(args[1])};
  } else if (args[0]->type->id() == arrow::Type::MAP) {
    types = {KeyType(args[0]), ItemType(args[0])};
  } else {
    types = {ElementType(args[0])};
  }
  *required = types.size();
  if (name == "transform" || name == "filter") types.push_back(arrow::int32());  // the index
  return types;
}

TypePtr ResultType(const std::string& name, const std::vector<BoundPtr>& args,
                   const std::vector<BoundLambda>& lambdas) {
  const TypePtr& body = lambdas.back().body->type;
  if (name == "transform" || name == "zip_with") return SparkArray(body);
  if (name == "exists" || name == "forall") return arrow::boolean();
  if (name == "aggregate") return body;
  if (name == "transform_keys") return SparkMap(body, ItemType(args[0]));
  if (name == "transform_values" || name == "map_zip_with") return SparkMap(KeyType(args[0]), body);
  return args[0]->type;
}

}  // namespace

BoundPtr ExpressionBinder::FindParameter(const Name& name, Span span) const {
  const std::string wanted = LowerAscii(name.text);
  for (size_t i = lambda_parameters_.size(); i-- > 0;) {
    if (lambda_parameters_[i].first != wanted) continue;
    return MakeColumn(kLambdaBase + static_cast<int>(i),
                      arrow::Field(name.text, lambda_parameters_[i].second), span);
  }
  return nullptr;
}

Result<BoundLambda> ExpressionBinder::BindLambda(const Expr& expr, const std::string& function,
                                                 const std::vector<TypePtr>& parameters,
                                                 size_t required, std::vector<BoundPtr>* captured) {
  const auto* lambda = expr.As<Lambda>();
  if (lambda == nullptr) {
    return AnalysisError(source_, expr.span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                         fmt::format("the function `{}` takes a lambda function here", function));
  }
  const size_t count = lambda->parameters.size();
  if (count < required || count > parameters.size()) {
    return AnalysisError(
        source_, expr.span, "INVALID_LAMBDA_FUNCTION_CALL.NUM_ARGS_MISMATCH",
        fmt::format("a higher order function expects {} arguments, but got {}", required, count));
  }
  const size_t outer = lambda_parameters_.size();
  for (size_t i = 0; i < count; ++i) {
    const std::string name = LowerAscii(lambda->parameters[i].text);
    for (size_t k = outer; k < lambda_parameters_.size(); ++k) {
      if (lambda_parameters_[k].first == name)
        return AnalysisError(source_, expr.span, "INVALID_LAMBDA_FUNCTION_CALL.DUPLICATE_ARG_NAMES",
                             "the lambda function has duplicate arguments `" + name + "`");
    }
    lambda_parameters_.emplace_back(name, parameters[i]);
  }
  auto body = Bind(*lambda->body);
  lambda_parameters_.resize(outer);
  SLUICE_RETURN_NOT_OK(body.status());
  BoundLambda made;
  made.parameters.assign(parameters.begin(),
                         parameters.begin() + static_cast<std::ptrdiff_t>(count));
  const int first = kLambdaBase + static_cast<int>(outer);
  made.body = Transform(*body, [&](const BoundPtr& node) -> BoundPtr {
    if (!node->IsColumn()) return nullptr;
    auto moved = std::make_shared<BoundExpression>(*node);
    if (node->index >= first) {
      moved->index = node->index - first;
      return moved;
    }
    size_t at = 0;
    while (at < captured->size() && (*captured)[at]->index != node->index) ++at;
    if (at == captured->size()) captured->push_back(node);
    moved->index = static_cast<int>(count + at);
    return moved;
  });
  return made;
}

Result<BoundPtr> ExpressionBinder::BindLambdaCall(const std::string& written,
                                                  const FunctionCall& call, const Expr& expr) {
  const std::string name = written == "reduce" ? "aggregate" : written;
  const auto found = Shapes().find(name);
  if (found == Shapes().end()) {
    return IsSparkFunction(name) ? NotSupportedYet(source_, expr.span, "a lambda in " + name)
                                 : functions_.Bind(name, {}, expr.span).status();
  }
  const Shape& shape = found->second;
  SLUICE_RETURN_NOT_OK(functions_.CheckCount(written, call.arguments.size(),
                                             shape.values + shape.least_lambdas,
                                             shape.values + shape.most_lambdas, expr.span));
  std::vector<BoundPtr> args;
  for (size_t i = 0; i < shape.values; ++i) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(*call.arguments[i].value));
    const bool is_zero = name == "aggregate" && i == 1;
    const auto wanted = shape.of_maps ? arrow::Type::MAP : arrow::Type::LIST;
    if (!is_zero && bound->type->id() != wanted) {
      return functions_.WrongType(written, static_cast<int>(i) + 1, shape.of_maps ? "MAP" : "ARRAY",
                                  bound);
    }
    args.push_back(std::move(bound));
  }
  if (name == "map_zip_with") {
    TypePtr key = CommonType(KeyType(args[0]), KeyType(args[1]));
    if (key == nullptr)
      return AnalysisError(source_, expr.span, "DATATYPE_MISMATCH.MAP_ZIP_WITH_DIFF_TYPES",
                           "the maps of map_zip_with must have keys of the same type");
    for (BoundPtr& arg : args) arg = MakeCast(arg, SparkMap(key, ItemType(arg)));
  }
  std::vector<BoundLambda> lambdas;
  std::vector<BoundPtr> captured;
  for (size_t i = shape.values; i < call.arguments.size(); ++i) {
    size_t required = 0;
    const Types types = ParameterTypes(name, args, i - shape.values, &required);
    SLUICE_ASSIGN_OR_RETURN(auto lambda,
                            BindLambda(*call.arguments[i].value, name, types, required, &captured));
    TypePtr wanted;
    if (name == "filter" || name == "exists" || name == "forall" || name == "map_filter")
      wanted = arrow::boolean();
    if (name == "array_sort") wanted = arrow::int32();
    if (name == "aggregate" && i == shape.values) wanted = args[1]->type;
    if (wanted != nullptr && !lambda.body->type->Equals(*wanted)) {
      const bool is_null = lambda.body->IsNullLiteral() && name != "array_sort";
      if (!is_null && !(name == "aggregate" && wanted->num_fields() > 0 &&
                        CommonType(lambda.body->type, wanted) != nullptr)) {
        return functions_.WrongType(written, static_cast<int>(i) + 1, SparkTypeSql(*wanted),
                                    lambda.body);
      }
      lambda.body = MakeCast(lambda.body, wanted);
    }
    lambdas.push_back(std::move(lambda));
  }
  for (BoundLambda& lambda : lambdas) lambda.captured = static_cast<int>(captured.size());
  TypePtr type = ResultType(name, args, lambdas);
  bool nullable = name == "aggregate" || name == "exists" || name == "forall";
  nullable |= AnyNullable(args);
  for (BoundPtr& one : captured) args.push_back(std::move(one));
  auto made = std::make_shared<BoundExpression>(
      *MakeCall(name, std::move(args), std::move(type), nullable, expr.span));
  made->lambdas = std::move(lambdas);
  return BoundPtr(std::move(made));
}

}  // namespace sluice::sql
