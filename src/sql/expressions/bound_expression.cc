#include "sql/expressions/bound_expression.h"

#include <arrow/array/util.h>

#include <algorithm>
#include <set>

#include "base/status.h"
#include "sql/expressions/cast.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

BoundPtr MakeLiteral(std::shared_ptr<arrow::Scalar> value, Span span) {
  auto made = std::make_shared<BoundExpression>();
  made->kind = BoundKind::kLiteral;
  made->type = value->type;
  made->nullable = !value->is_valid;
  made->literal = std::move(value);
  made->span = span;
  return made;
}

BoundPtr MakeColumn(int index, const arrow::Field& field, Span span) {
  auto made = std::make_shared<BoundExpression>();
  made->kind = BoundKind::kColumn;
  made->type = field.type();
  made->nullable = field.nullable();
  made->name = field.name();
  made->index = index;
  made->span = span;
  return made;
}

BoundPtr MakeField(BoundPtr of, int index, Span span) {
  auto made = std::make_shared<BoundExpression>();
  made->kind = BoundKind::kField;
  const auto& field = of->type->field(index);
  made->type = field->type();
  made->nullable = of->nullable || field->nullable();
  made->name = field->name();
  made->index = index;
  made->args.push_back(std::move(of));
  made->span = span;
  return made;
}

BoundPtr MakeCall(std::string function, std::vector<BoundPtr> args,
                  std::shared_ptr<arrow::DataType> type, bool nullable, Span span) {
  auto made = std::make_shared<BoundExpression>();
  made->kind = BoundKind::kCall;
  made->type = std::move(type);
  made->nullable = nullable;
  made->name = std::move(function);
  made->args = std::move(args);
  made->span = span;
  return made;
}

BoundPtr MakeCast(BoundPtr of, std::shared_ptr<arrow::DataType> type, bool try_mode, Span span) {
  if (of->type->Equals(*type)) return of;
  if (of->IsNullLiteral()) return MakeLiteral(arrow::MakeNullScalar(type), of->span);
  if (of->IsLiteral() && CheckCastSupported(*of->type, *type).ok()) {
    // A constant is converted now; one that does not convert raises its error when (and if) it is
    // evaluated.
    const auto one = arrow::MakeArrayFromScalar(*of->literal, 1);
    const auto converted = one.ok() ? CastArray(*one, type, try_mode) : one.status();
    if (converted.ok())
      return MakeLiteral((*converted)->GetScalar(0).ValueOrDie(),
                         span.length > 0 ? span : of->span);
  }
  auto made = std::make_shared<BoundExpression>();
  made->kind = BoundKind::kCast;
  made->type = std::move(type);
  made->nullable = of->nullable || try_mode;
  made->try_mode = try_mode;
  made->span = span.length > 0 ? span : of->span;
  made->args.push_back(std::move(of));
  return made;
}

BoundPtr WithArgs(const BoundExpression& expression, std::vector<BoundPtr> args) {
  auto made = std::make_shared<BoundExpression>(expression);
  made->args = std::move(args);
  return made;
}

bool Equals(const BoundExpression& left, const BoundExpression& right) {
  if (&left == &right) return true;
  if (left.kind != right.kind || left.index != right.index || left.try_mode != right.try_mode ||
      left.args.size() != right.args.size() || !left.type->Equals(*right.type)) {
    return false;
  }
  const bool named = left.kind == BoundKind::kCall || left.kind == BoundKind::kCast;
  if (named && left.name != right.name) return false;
  if (left.kind == BoundKind::kLiteral) {
    return left.literal->Equals(
        *right.literal, arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false));
  }
  for (size_t i = 0; i < left.args.size(); ++i) {
    if (!Equals(*left.args[i], *right.args[i])) return false;
  }
  if (left.lambdas.size() != right.lambdas.size()) return false;
  for (size_t i = 0; i < left.lambdas.size(); ++i) {
    if (!Equals(*left.lambdas[i].body, *right.lambdas[i].body)) return false;
  }
  return true;
}

size_t Hash(const BoundExpression& expression) {
  size_t hash = static_cast<size_t>(expression.kind) * 0x9E3779B97F4A7C15ULL +
                static_cast<size_t>(expression.index + 1);
  auto mix = [&hash](size_t value) {
    hash ^= value + 0x9E3779B97F4A7C15ULL + (hash << 6) + (hash >> 2);
  };
  if (expression.kind == BoundKind::kCall) mix(std::hash<std::string>()(expression.name));
  mix(static_cast<size_t>(expression.type->id()));
  if (expression.IsLiteral())
    mix(expression.literal->is_valid ? std::hash<std::string>()(expression.literal->ToString())
                                     : 7);
  for (const BoundPtr& arg : expression.args) mix(Hash(*arg));
  for (const BoundLambda& lambda : expression.lambdas) mix(Hash(*lambda.body));
  return hash;
}

namespace {
void Collect(const BoundExpression& expression, std::set<int>* columns) {
  if (expression.IsColumn()) columns->insert(expression.index);
  for (const BoundPtr& arg : expression.args) Collect(*arg, columns);
}
}  // namespace

std::vector<int> ReferencedColumns(const BoundExpression& expression) {
  std::set<int> columns;
  Collect(expression, &columns);
  return {columns.begin(), columns.end()};
}

std::vector<int> ReferencedColumns(const std::vector<BoundPtr>& expressions) {
  std::set<int> columns;
  for (const BoundPtr& expression : expressions) Collect(*expression, &columns);
  return {columns.begin(), columns.end()};
}

BoundPtr Transform(const BoundPtr& expression,
                   const std::function<BoundPtr(const BoundPtr&)>& replace) {
  BoundPtr current = expression;
  std::vector<BoundPtr> args;
  bool changed = false;
  args.reserve(expression->args.size());
  for (const BoundPtr& arg : expression->args) {
    args.push_back(Transform(arg, replace));
    changed |= args.back() != arg;
  }
  if (changed) current = WithArgs(*expression, std::move(args));
  BoundPtr replaced = replace(current);
  return replaced == nullptr ? current : replaced;
}

BoundPtr SubstituteColumns(const BoundPtr& expression, const std::vector<BoundPtr>& replacements) {
  return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
    return node->IsColumn() ? replacements[static_cast<size_t>(node->index)] : nullptr;
  });
}

BoundPtr RemapColumns(const BoundPtr& expression, const std::vector<int>& positions) {
  return Transform(expression, [&](const BoundPtr& node) -> BoundPtr {
    if (!node->IsColumn()) return nullptr;
    auto moved = std::make_shared<BoundExpression>(*node);
    moved->index = positions[static_cast<size_t>(node->index)];
    SLUICE_CHECK(moved->index >= 0, "a column in use has no position");
    return moved;
  });
}

bool Any(const BoundExpression& expression,
         const std::function<bool(const BoundExpression&)>& test) {
  if (test(expression)) return true;
  return std::any_of(expression.args.begin(), expression.args.end(),
                     [&](const BoundPtr& arg) { return Any(*arg, test); });
}

std::vector<BoundPtr> SplitConjuncts(const BoundPtr& condition) {
  if (condition == nullptr) return {};
  if (!condition->IsCall("and")) return {condition};
  std::vector<BoundPtr> conjuncts;
  for (const BoundPtr& arg : condition->args) {
    for (BoundPtr& part : SplitConjuncts(arg)) conjuncts.push_back(std::move(part));
  }
  return conjuncts;
}

BoundPtr JoinConjuncts(const std::vector<BoundPtr>& conjuncts) {
  BoundPtr all;
  for (const BoundPtr& conjunct : conjuncts) {
    all = all == nullptr ? conjunct
                         : MakeCall("and", {all, conjunct}, arrow::boolean(),
                                    all->nullable || conjunct->nullable);
  }
  return all;
}

std::vector<SimplePredicate> SimplePredicates(const BoundPtr& condition) {
  static const std::map<std::string, std::string> mirrored = {
      {"=", "="}, {"<=>", "<=>"}, {"<", ">"}, {"<=", ">="}, {">", "<"}, {">=", "<="}};
  std::vector<SimplePredicate> predicates;
  for (const BoundPtr& conjunct : SplitConjuncts(condition)) {
    if (conjunct->kind != BoundKind::kCall) continue;
    const auto& args = conjunct->args;
    if ((conjunct->name == "isnull" || conjunct->name == "isnotnull") && args[0]->IsColumn()) {
      predicates.push_back({args[0]->index, conjunct->name, nullptr});
      continue;
    }
    auto mirror = mirrored.find(conjunct->name);
    if (mirror == mirrored.end() || args.size() != 2) continue;
    if (args[0]->IsColumn() && args[1]->IsLiteral()) {
      predicates.push_back({args[0]->index, conjunct->name, args[1]->literal});
    } else if (args[1]->IsColumn() && args[0]->IsLiteral()) {
      predicates.push_back({args[1]->index, mirror->second, args[0]->literal});
    }
  }
  return predicates;
}

std::string ToString(const BoundExpression& expression) {
  switch (expression.kind) {
    case BoundKind::kLiteral:
      return expression.literal->is_valid ? expression.literal->ToString() : "NULL";
    case BoundKind::kColumn: return expression.name;
    case BoundKind::kField: return ToString(*expression.args[0]) + "." + expression.name;
    case BoundKind::kCast:
      return std::string(expression.try_mode ? "TRY_CAST(" : "CAST(") +
             ToString(*expression.args[0]) + " AS " + SparkTypeSql(*expression.type) + ")";
    case BoundKind::kCall: break;
  }
  const bool is_operator =
      !expression.name.empty() && !std::isalpha(static_cast<unsigned char>(expression.name[0]));
  const bool is_infix = is_operator || expression.name == "and" || expression.name == "or" ||
                        expression.name == "like" || expression.name == "rlike";
  std::string text = is_infix && expression.args.size() == 2 ? "(" : expression.name + "(";
  for (size_t i = 0; i < expression.args.size(); ++i) {
    if (i > 0) text += is_infix ? " " + expression.name + " " : ", ";
    text += ToString(*expression.args[i]);
  }
  for (const BoundLambda& lambda : expression.lambdas) text += ", -> " + ToString(*lambda.body);
  return text + ")";
}

}  // namespace sluice::sql
