#include "sql/analysis/expression_binder_internal.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/aggregate_names.h"
#include "sql/analysis/ast_walk.h"
#include "sql/analysis/query_binder.h"
#include "sql/analysis/subquery_binder_internal.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

std::string JoinNames(const std::vector<Name>& parts) {
  std::string text;
  for (const Name& part : parts) text += (text.empty() ? "`" : ".`") + part.text + "`";
  return text;
}

// $['a'][0] for v:a[0].
std::string VariantPathText(const VariantPath& path) {
  std::string text = "$";
  for (const PathStep& step : path.steps) {
    text += step.index.has_value() ? fmt::format("[{}]", *step.index)
                                   : fmt::format("['{}']", step.field.text);
  }
  return text;
}

// True when the parts before the column's name name (the end of) its qualifier.
bool QualifierMatches(const std::vector<std::string>& qualifier, const std::vector<Name>& parts,
                      size_t count) {
  if (count > qualifier.size()) return false;
  for (size_t i = 0; i < count; ++i) {
    if (LowerAscii(parts[i].text) != qualifier[qualifier.size() - count + i]) return false;
  }
  return true;
}

}  // namespace

Scope Scope::Of(const arrow::Schema& schema, const std::vector<std::string>& qualifier) {
  Scope scope;
  for (int i = 0; i < schema.num_fields(); ++i) {
    scope.columns.push_back(
        {qualifier, LowerAscii(schema.field(i)->name()), schema.field(i), i, true});
  }
  return scope;
}

bool ExpressionBinder::HasAggregate(const BoundExpression& expression) {
  return Any(expression, [](const BoundExpression& node) {
    return node.IsColumn() && node.index >= kAggregateBase && node.index < kWindowBase;
  });
}

bool ExpressionBinder::HasWindow(const BoundExpression& expression) {
  return Any(expression, [](const BoundExpression& node) {
    return node.IsColumn() && node.index >= kWindowBase && node.index < kSubqueryBase;
  });
}

Status ExpressionBinder::UnresolvedColumn(const std::vector<Name>& parts, Span span) const {
  std::vector<std::string> known;
  for (const ScopeColumn& column : scope_.columns) {
    known.push_back((column.qualifier.empty() ? "" : column.qualifier.back() + ".") +
                    column.field->name());
  }
  const std::string name = JoinNames(parts);
  if (known.empty()) {
    return AnalysisError(
        source_, span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
        fmt::format("a column, variable, or function parameter with name {} cannot be resolved",
                    name));
  }
  std::string suggestions;
  for (const std::string& suggestion : Suggestions(parts.back().text, known)) {
    const size_t dot = suggestion.find('.');
    suggestions += suggestions.empty() ? "" : ", ";
    suggestions += dot == std::string::npos
                       ? "`" + suggestion + "`"
                       : "`" + suggestion.substr(0, dot) + "`.`" + suggestion.substr(dot + 1) + "`";
  }
  return AnalysisError(
      source_, span, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
      fmt::format("a column, variable, or function parameter with name {} cannot be resolved. "
                  "Did you mean one of the following? [{}]",
                  name, suggestions));
}

Result<BoundPtr> ExpressionBinder::BindFieldOf(BoundPtr value, const Name& name, Span span) {
  if (value->type->id() == arrow::Type::STRUCT) {
    int found = -1;
    for (int i = 0; i < value->type->num_fields(); ++i) {
      if (LowerAscii(value->type->field(i)->name()) != LowerAscii(name.text)) continue;
      if (found >= 0) {
        return AnalysisError(source_, span, "AMBIGUOUS_REFERENCE_TO_FIELDS",
                             fmt::format("ambiguous reference to the field `{}`", name.text));
      }
      found = i;
    }
    if (found >= 0) return MakeField(std::move(value), found, span);
    std::string fields;
    for (const auto& field : value->type->fields())
      fields += (fields.empty() ? "`" : ", `") + field->name() + "`";
    return AnalysisError(source_, span, "FIELD_NOT_FOUND",
                         fmt::format("no such struct field `{}` in {}", name.text, fields));
  }
  if (value->type->id() == arrow::Type::MAP) {
    return functions_.BindSubscript(std::move(value),
                                    MakeLiteral(arrow::MakeScalar(name.text), name.span), span);
  }
  if (value->type->id() == arrow::Type::LIST &&
      value->type->field(0)->type()->id() == arrow::Type::STRUCT) {
    return NotSupportedYet(source_, span, "a field of an array of structs");
  }
  return AnalysisError(source_, span, "INVALID_EXTRACT_BASE_FIELD_TYPE",
                       fmt::format("cannot extract a value from \"{}\": need a complex type "
                                   "[STRUCT, ARRAY, MAP] but got \"{}\"",
                                   ToString(*value), SparkTypeSql(*value->type)));
}

Result<BoundPtr> ExpressionBinder::BindFields(BoundPtr value, const std::vector<Name>& parts,
                                              size_t from, Span span) {
  for (size_t i = from; i < parts.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(value, BindFieldOf(std::move(value), parts[i], span));
  }
  return value;
}

Result<BoundPtr> ExpressionBinder::BindColumn(const ColumnRef& column, const Expr& expr) {
  const auto& parts = column.parts;
  if (BoundPtr parameter = FindParameter(parts[0], expr.span))
    return BindFields(std::move(parameter), parts, 1, expr.span);
  auto from_alias = [&]() -> BoundPtr {
    if (aliases_ == nullptr) return nullptr;
    auto found = aliases_->find(LowerAscii(parts[0].text));
    return found == aliases_->end() ? nullptr : found->second;
  };
  if (aliases_first_) {
    if (BoundPtr alias = from_alias()) return BindFields(alias, parts, 1, expr.span);
  }
  SLUICE_ASSIGN_OR_RETURN(BoundPtr found, FindColumn(scope_, 0, parts, expr.span));
  if (found == nullptr) {
    if (BoundPtr alias = from_alias()) return BindFields(alias, parts, 1, expr.span);
  }
  if (found == nullptr && outer_ != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(found, FindColumn(*outer_, kOuterBase, parts, expr.span));
  }
  if (found != nullptr) return found;
  return UnresolvedColumn(parts, expr.span);
}

/// Null when the scope has no such name.
Result<BoundPtr> ExpressionBinder::FindColumn(const Scope& scope, int base,
                                              const std::vector<Name>& parts, Span span) {
  // The longest qualifier wins: t.c before the field c of a column t.
  for (size_t qualifiers = parts.size() - 1; qualifiers + 1 > 0; --qualifiers) {
    const std::string name = LowerAscii(parts[qualifiers].text);
    const ScopeColumn* match = nullptr;
    for (const ScopeColumn& candidate : scope.columns) {
      if (candidate.name != name || !QualifierMatches(candidate.qualifier, parts, qualifiers))
        continue;
      if (qualifiers == 0 && !candidate.in_star) continue;
      if (match != nullptr && match->index != candidate.index) {
        return AnalysisError(
            source_, span, "AMBIGUOUS_REFERENCE",
            fmt::format(
                "reference {} is ambiguous, could be: [{}]", JoinNames(parts),
                fmt::format("`{}`.`{}`, `{}`.`{}`", fmt::join(match->qualifier, "`.`"), match->name,
                            fmt::join(candidate.qualifier, "`.`"), candidate.name)));
      }
      match = &candidate;
    }
    if (match != nullptr)
      return BindFields(MakeColumn(base + match->index, *match->field, span), parts, qualifiers + 1,
                        span);
  }
  return BoundPtr();
}

namespace {

// A literal of fewer fields than the type has is marked with the name of its first field.
BoundPtr IntervalLiteral(const IntervalValue& interval, Span span) {
  BoundPtr made =
      interval.is_year_month()
          ? MakeLiteral(
                std::make_shared<arrow::MonthIntervalScalar>(static_cast<int32_t>(interval.months)),
                span)
          : MakeLiteral(std::make_shared<arrow::DurationScalar>(interval.microseconds,
                                                                arrow::TimeUnit::MICRO),
                        span);
  const bool whole =
      interval.is_year_month()
          ? interval.from == IntervalField::kYear && interval.to == IntervalField::kMonth
          : interval.from == IntervalField::kDay && interval.to == IntervalField::kSecond;
  if (whole) return made;
  auto marked = std::make_shared<BoundExpression>(*made);
  const bool days = interval.from == IntervalField::kDay && interval.to == IntervalField::kDay;
  marked->name = days ? "DAY" : "FEWER FIELDS";
  return marked;
}

}  // namespace

Result<BoundPtr> ExpressionBinder::BindNode(const Literal& literal, const Expr& expr) {
  std::shared_ptr<arrow::Scalar> value;
  switch (literal.kind) {
    case LiteralKind::kNull: value = arrow::MakeNullScalar(arrow::null()); break;
    case LiteralKind::kBoolean: value = arrow::MakeScalar(literal.boolean); break;
    case LiteralKind::kInteger: {
      SLUICE_ASSIGN_OR_RETURN(value, arrow::MakeScalar(literal.integer)->CastTo(literal.type));
      break;
    }
    case LiteralKind::kDecimal: {
      SLUICE_ASSIGN_OR_RETURN(auto decimal, arrow::Decimal128::FromString(literal.text));
      value = std::make_shared<arrow::Decimal128Scalar>(decimal, literal.type);
      break;
    }
    case LiteralKind::kFloating:
      value = literal.type->id() == arrow::Type::FLOAT
                  ? arrow::MakeScalar(static_cast<float>(literal.real))
                  : arrow::MakeScalar(literal.real);
      break;
    case LiteralKind::kString: value = std::make_shared<arrow::StringScalar>(literal.text); break;
    case LiteralKind::kBinary: value = std::make_shared<arrow::BinaryScalar>(literal.text); break;
    case LiteralKind::kDate:
      value = std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(literal.integer));
      break;
    case LiteralKind::kTimestamp:
      value = std::make_shared<arrow::TimestampScalar>(literal.integer, SparkTimestamp());
      break;
    case LiteralKind::kTimestampNtz:
      value = std::make_shared<arrow::TimestampScalar>(literal.integer, SparkTimestampNtz());
      break;
    case LiteralKind::kTime:
      value = std::make_shared<arrow::Time64Scalar>(literal.integer,
                                                    arrow::time64(arrow::TimeUnit::MICRO));
      break;
    case LiteralKind::kInterval: return IntervalLiteral(literal.interval, expr.span);
  }
  return MakeLiteral(std::move(value), expr.span);
}

Result<BoundPtr> ExpressionBinder::Negated(Result<BoundPtr> bound, bool negated, Span span) {
  if (!bound.ok() || !negated) return bound;
  return functions_.BindNot(std::move(bound).ValueUnsafe(), span);
}

Result<BoundPtr> ExpressionBinder::BindLike(const Like& like, const Expr& expr) {
  SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*like.operand));
  BoundPtr all;
  for (const Expr& pattern : like.patterns) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(pattern));
    const std::string name = like.kind == LikeKind::kRLike   ? "rlike"
                             : like.kind == LikeKind::kILike ? "ilike"
                                                             : "like";
    std::vector<BoundPtr> args = {operand, bound};
    if (like.escape.has_value()) args.push_back(MakeLiteral(arrow::MakeScalar(*like.escape)));
    SLUICE_ASSIGN_OR_RETURN(auto one, functions_.Bind(name, std::move(args), expr.span));
    if (like.quantifier != Quantifier::kNone) {
      SLUICE_ASSIGN_OR_RETURN(one, Negated(one, like.negated, expr.span));
    }
    if (all == nullptr) {
      all = one;
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(
        all, functions_.BindLogical(like.quantifier == Quantifier::kAny ? "or" : "and", all, one,
                                    expr.span));
  }
  return Negated(all, like.negated && like.quantifier == Quantifier::kNone, expr.span);
}

Result<BoundPtr> ExpressionBinder::BindCase(const Case& node, const Expr& expr) {
  std::vector<BoundPtr> args;
  BoundPtr operand;
  if (node.operand) {
    SLUICE_ASSIGN_OR_RETURN(operand, Bind(*node.operand));
  }
  for (const WhenClause& when : node.whens) {
    SLUICE_ASSIGN_OR_RETURN(auto condition, Bind(*when.condition));
    if (operand != nullptr) {
      SLUICE_ASSIGN_OR_RETURN(condition,
                              functions_.BindComparison("=", operand, condition, expr.span));
    }
    SLUICE_ASSIGN_OR_RETURN(auto result, Bind(*when.result));
    args.push_back(std::move(condition));
    args.push_back(std::move(result));
  }
  if (node.otherwise) {
    SLUICE_ASSIGN_OR_RETURN(auto otherwise, Bind(*node.otherwise));
    args.push_back(std::move(otherwise));
  }
  return functions_.BindCase(std::move(args), expr.span);
}

Result<BoundPtr> ExpressionBinder::BindIs(const Is& node, const Expr& expr) {
  SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node.operand));
  if (node.test == IsTest::kNull) {
    return functions_.Bind(node.negated ? "isnotnull" : "isnull", {operand}, expr.span);
  }
  SLUICE_ASSIGN_OR_RETURN(operand, functions_.Coerce(operand, arrow::boolean(), "IS", 1));
  if (node.test == IsTest::kUnknown) {
    return functions_.Bind(node.negated ? "isnotnull" : "isnull", {operand}, expr.span);
  }
  const auto wanted = MakeLiteral(arrow::MakeScalar(node.test == IsTest::kTrue), expr.span);
  return Negated(functions_.BindComparison("<=>", operand, wanted, expr.span), node.negated,
                 expr.span);
}

// NOT moves down to IN (SELECT ..): NOT IN is not the opposite of IN where one of them is unknown.
Result<BoundPtr> ExpressionBinder::BindNotOf(const Expr& operand, Span span) {
  bool has_in = false;
  VisitTree(operand, [&](const Expr& node) {
    has_in |= node.As<InSubquery>() != nullptr;
    return !has_in;
  });
  if (has_in) {
    if (const auto* in = operand.As<InSubquery>()) {
      Expr negated = operand;
      negated.As<InSubquery>()->negated = !in->negated;
      return Bind(negated);
    }
    const auto* inner = operand.As<Unary>();
    if (inner != nullptr && inner->op == UnaryOp::kNot) return Bind(*inner->operand);
    const auto* binary = operand.As<Binary>();
    if (binary != nullptr && (binary->op == BinaryOp::kAnd || binary->op == BinaryOp::kOr)) {
      SLUICE_ASSIGN_OR_RETURN(auto left, BindNotOf(*binary->left, span));
      SLUICE_ASSIGN_OR_RETURN(auto right, BindNotOf(*binary->right, span));
      return functions_.BindLogical(binary->op == BinaryOp::kAnd ? "or" : "and", left, right, span);
    }
  }
  SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(operand));
  return functions_.BindNot(bound, span);
}

Result<BoundPtr> ExpressionBinder::BindUnary(const Unary& node, const Expr& expr) {
  if (node.op == UnaryOp::kNot) return BindNotOf(*node.operand, expr.span);
  SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node.operand));
  switch (node.op) {
    case UnaryOp::kNot: break;
    case UnaryOp::kPlus: return functions_.Bind("positive", {operand}, expr.span);
    case UnaryOp::kBitNot: return functions_.Bind("~", {operand}, expr.span);
    case UnaryOp::kMinus: break;
  }
  return functions_.Bind("negative", {operand}, expr.span);
}

Result<BoundPtr> ExpressionBinder::BindBinary(const Binary& node, const Expr& expr) {
  SLUICE_ASSIGN_OR_RETURN(auto left, Bind(*node.left));
  SLUICE_ASSIGN_OR_RETURN(auto right, Bind(*node.right));
  switch (node.op) {
    case BinaryOp::kOr: return functions_.BindLogical("or", left, right, expr.span);
    case BinaryOp::kAnd: return functions_.BindLogical("and", left, right, expr.span);
    case BinaryOp::kEq: return functions_.BindComparison("=", left, right, expr.span);
    case BinaryOp::kNotEq: return functions_.BindComparison("<>", left, right, expr.span);
    case BinaryOp::kLess: return functions_.BindComparison("<", left, right, expr.span);
    case BinaryOp::kLessEq: return functions_.BindComparison("<=", left, right, expr.span);
    case BinaryOp::kGreater: return functions_.BindComparison(">", left, right, expr.span);
    case BinaryOp::kGreaterEq: return functions_.BindComparison(">=", left, right, expr.span);
    case BinaryOp::kNullSafeEq: return functions_.BindComparison("<=>", left, right, expr.span);
    case BinaryOp::kDistinctFrom:
      return Negated(functions_.BindComparison("<=>", left, right, expr.span), true, expr.span);
    case BinaryOp::kAdd: return functions_.BindArithmetic("+", left, right, expr.span);
    case BinaryOp::kSubtract: return functions_.BindArithmetic("-", left, right, expr.span);
    case BinaryOp::kMultiply: return functions_.BindArithmetic("*", left, right, expr.span);
    case BinaryOp::kDivide: return functions_.BindArithmetic("/", left, right, expr.span);
    case BinaryOp::kModulo: return functions_.BindArithmetic("%", left, right, expr.span);
    case BinaryOp::kIntegerDivide: return functions_.BindArithmetic("div", left, right, expr.span);
    case BinaryOp::kConcat: return functions_.Bind("concat", {left, right}, expr.span);
    case BinaryOp::kBitAnd: return functions_.Bind("&", {left, right}, expr.span);
    case BinaryOp::kBitOr: return functions_.Bind("|", {left, right}, expr.span);
    case BinaryOp::kBitXor: return functions_.Bind("^", {left, right}, expr.span);
    case BinaryOp::kShiftLeft: return functions_.Bind("shiftleft", {left, right}, expr.span);
    case BinaryOp::kShiftRight: return functions_.Bind("shiftright", {left, right}, expr.span);
    case BinaryOp::kShiftRightUnsigned:
      return functions_.Bind("shiftrightunsigned", {left, right}, expr.span);
  }
  return NotSupportedYet(source_, expr.span, "this operator");
}

Result<BoundPtr> ExpressionBinder::BindTrim(const Trim& node, const Expr& expr) {
  SLUICE_ASSIGN_OR_RETURN(auto source, Bind(*node.source));
  std::vector<BoundPtr> args = {source};
  if (node.characters) {
    SLUICE_ASSIGN_OR_RETURN(auto characters, Bind(*node.characters));
    args.push_back(characters);
  }
  const char* name = node.side == Trim::Side::kBoth      ? "btrim"
                     : node.side == Trim::Side::kLeading ? "ltrim"
                                                         : "rtrim";
  return functions_.Bind(name, std::move(args), expr.span);
}

Result<BoundPtr> ExpressionBinder::BindStructCall(const FunctionCall& call, const Expr& expr) {
  std::vector<BoundPtr> values;
  arrow::FieldVector fields;
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    const Argument& argument = call.arguments[i];
    SLUICE_ASSIGN_OR_RETURN(auto value, Bind(*argument.value));
    std::string name = fmt::format("col{}", i + 1);
    if (argument.alias.has_value()) {
      name = argument.alias->text;
    } else if (argument.value->As<ColumnRef>() != nullptr ||
               argument.value->As<FieldAccess>() != nullptr) {
      name = ColumnName(*argument.value);
    }
    fields.push_back(arrow::field(name, value->type, value->nullable));
    values.push_back(std::move(value));
  }
  return MakeCall("struct", std::move(values), arrow::struct_(fields), false, expr.span);
}

// Stands for itself until the aggregate is known.
Result<BoundPtr> ExpressionBinder::BindGrouping(const std::string& name, const FunctionCall& call,
                                                const Expr& expr) {
  std::vector<BoundPtr> args;
  for (const Argument& argument : call.arguments) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(*argument.value));
    args.push_back(std::move(bound));
  }
  const bool one = name == "grouping";
  if (one) SLUICE_RETURN_NOT_OK(functions_.CheckCount(name, args.size(), 1, 1, expr.span));
  return MakeCall(name, std::move(args), one ? arrow::int8() : arrow::int64(), false, expr.span);
}

Result<BoundPtr> ExpressionBinder::BindCall(const FunctionCall& call, const Expr& expr) {
  if (call.name.parts.size() > 1)
    return NotSupportedYet(source_, expr.span, "function " + call.name.ToString());
  const std::string name = LowerAscii(call.name.last());
  // The select list and LATERAL VIEW take theirs before.
  if (IsGenerator(name))
    return AnalysisError(source_, expr.span, "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS",
                         "the generator " + name +
                             " is nested in an expression, or outside of the "
                             "select list",
                         "put it into a column of a subquery or into LATERAL VIEW");
  if (call.over) return BindWindow(name, call, expr);
  if (!CanonicalAggregate(name).empty()) return BindAggregate(name, call, expr);
  if (call.distinct || call.filter || !call.within_group.empty() || !call.order_by.empty()) {
    return NotSupportedYet(source_, expr.span, "DISTINCT, FILTER or ORDER BY in function " + name);
  }
  if (name == "struct") return BindStructCall(call, expr);
  if (name == "grouping" || name == "grouping_id") return BindGrouping(name, call, expr);
  for (const Argument& argument : call.arguments) {
    if (argument.value->As<Lambda>() != nullptr) return BindLambdaCall(name, call, expr);
  }
  std::vector<BoundPtr> args;
  for (const Argument& argument : call.arguments) {
    if (argument.name.has_value())
      return NotSupportedYet(source_, expr.span, "named arguments of function " + name);
    if (argument.value->As<Star>() != nullptr)
      return NotSupportedYet(source_, expr.span, "* in function " + name);
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(*argument.value));
    args.push_back(std::move(bound));
  }
  if (args.empty()) {
    const auto of_session = options_.parameters.find(name + "()");
    if (of_session != options_.parameters.end()) return of_session->second;
  }
  return functions_.Bind(name, std::move(args), expr.span);
}

Result<BoundPtr> ExpressionBinder::Bind(const Expr& expr) {
  if (auto* node = expr.As<Literal>()) return BindNode(*node, expr);
  if (auto* node = expr.As<ColumnRef>()) return BindColumn(*node, expr);
  if (auto* node = expr.As<FunctionCall>()) return BindCall(*node, expr);
  if (auto* node = expr.As<Binary>()) return BindBinary(*node, expr);
  if (auto* node = expr.As<Unary>()) return BindUnary(*node, expr);
  if (auto* node = expr.As<Case>()) return BindCase(*node, expr);
  if (auto* node = expr.As<Is>()) return BindIs(*node, expr);
  if (auto* node = expr.As<Like>()) return BindLike(*node, expr);
  if (auto* node = expr.As<Trim>()) return BindTrim(*node, expr);
  if (auto* node = expr.As<Cast>()) {
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    return functions_.BindCast(operand, node->type.type, node->form == Cast::Form::kTryCast,
                               expr.span);
  }
  if (auto* node = expr.As<Between>()) {
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    SLUICE_ASSIGN_OR_RETURN(auto low, Bind(*node->low));
    SLUICE_ASSIGN_OR_RETURN(auto high, Bind(*node->high));
    SLUICE_ASSIGN_OR_RETURN(auto above, functions_.BindComparison(">=", operand, low, expr.span));
    SLUICE_ASSIGN_OR_RETURN(auto below, functions_.BindComparison("<=", operand, high, expr.span));
    return Negated(functions_.BindLogical("and", above, below, expr.span), node->negated,
                   expr.span);
  }
  if (auto* node = expr.As<InList>()) {
    std::vector<BoundPtr> args;
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    args.push_back(std::move(operand));
    for (const Expr& value : node->values) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(value));
      args.push_back(std::move(bound));
    }
    return Negated(functions_.BindIn(std::move(args), expr.span), node->negated, expr.span);
  }
  if (auto* node = expr.As<Subscript>()) {
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    SLUICE_ASSIGN_OR_RETURN(auto index, Bind(*node->index));
    return functions_.BindSubscript(operand, index, expr.span);
  }
  if (auto* node = expr.As<FieldAccess>()) {
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    return BindFieldOf(operand, node->field, expr.span);
  }
  if (auto* node = expr.As<Row>()) {
    std::vector<BoundPtr> values;
    for (const Expr& element : node->elements) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(element));
      values.push_back(std::move(bound));
    }
    return functions_.Bind("struct", std::move(values), expr.span);
  }
  if (auto* node = expr.As<Parameter>()) {
    auto found = options_.parameters.find(node->name);
    if (found != options_.parameters.end()) return found->second;
    return AnalysisError(source_, expr.span, "UNBOUND_SQL_PARAMETER",
                         fmt::format("found the unbound parameter: {}", node->name));
  }
  if (expr.As<Star>() != nullptr) return NotSupportedYet(source_, expr.span, "* here");
  if (expr.As<Lambda>() != nullptr) return NotSupportedYet(source_, expr.span, "lambda functions");
  if (auto* node = expr.As<VariantPath>()) {
    SLUICE_ASSIGN_OR_RETURN(auto operand, Bind(*node->operand));
    return functions_.BindVariantPath(std::move(operand), VariantPathText(*node), expr.span);
  }
  if (expr.As<Collate>() != nullptr) return NotSupportedYet(source_, expr.span, "COLLATE");
  return BindSubquery(expr);
}

Result<BoundPtr> ExpressionBinder::BindSubquery(const Expr& expr) {
  if (subqueries_ == nullptr) return NotSupportedYet(source_, expr.span, "a subquery here");
  if (!lambda_parameters_.empty())
    return AnalysisError(source_, expr.span,
                         "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY.HIGHER_ORDER_FUNCTION",
                         "subquery expressions are not supported within higher-order functions");
  if (auto* exists = expr.As<Exists>()) return subqueries_->BindExists(*exists->query, expr.span);
  if (auto* in = expr.As<InSubquery>()) return subqueries_->BindIn(*in, this, expr.span);
  if (auto* scalar = expr.As<ScalarSubquery>())
    return subqueries_->BindScalar(*scalar->query, expr.span);
  return NotSupportedYet(source_, expr.span, "a subquery here");
}

}  // namespace sluice::sql
