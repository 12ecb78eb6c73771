#include <utility>

#include "sql/parser/token_cursor.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

/// How tightly an expression binds; an operand that binds less gets parentheses.
enum Level : int {
  kAny = 0,
  kOrLevel,
  kAndLevel,
  kNotLevel,
  kPredicate,
  kComparison,
  kBitOrLevel,
  kBitXorLevel,
  kBitAndLevel,
  kShift,
  kSum,
  kProduct,
  kSign,
  kPrimary,
};

int LevelOf(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr: return kOrLevel;
    case BinaryOp::kAnd: return kAndLevel;
    case BinaryOp::kDistinctFrom: return kPredicate;
    case BinaryOp::kBitOr: return kBitOrLevel;
    case BinaryOp::kBitXor: return kBitXorLevel;
    case BinaryOp::kBitAnd: return kBitAndLevel;
    case BinaryOp::kShiftLeft:
    case BinaryOp::kShiftRight:
    case BinaryOp::kShiftRightUnsigned: return kShift;
    case BinaryOp::kAdd:
    case BinaryOp::kSubtract:
    case BinaryOp::kConcat: return kSum;
    case BinaryOp::kMultiply:
    case BinaryOp::kDivide:
    case BinaryOp::kModulo:
    case BinaryOp::kIntegerDivide: return kProduct;
    default: return kComparison;
  }
}

struct LevelVisitor {
  int operator()(const Binary& binary) const { return LevelOf(binary.op); }
  int operator()(const Unary& unary) const { return unary.op == UnaryOp::kNot ? kNotLevel : kSign; }
  int operator()(const Between&) const { return kPredicate; }
  int operator()(const InList&) const { return kPredicate; }
  int operator()(const InSubquery&) const { return kPredicate; }
  int operator()(const Like&) const { return kPredicate; }
  int operator()(const Is&) const { return kPredicate; }
  int operator()(const Lambda&) const { return kAny; }
  template <typename T>
  int operator()(const T&) const {
    return kPrimary;
  }
};

std::string Print(const Box<Expr>& box, int lowest);

std::string Print(const Expr& expr, int lowest) {
  std::string text = ToSql(expr);
  return std::visit(LevelVisitor{}, expr.node) < lowest ? "(" + text + ")" : text;
}

std::string Print(const Box<Expr>& box, int lowest) { return box ? Print(*box, lowest) : ""; }

bool IsNumber(const Box<Expr>& box) {
  const auto* literal = box ? box->As<Literal>() : nullptr;
  return literal != nullptr &&
         (literal->kind == LiteralKind::kInteger || literal->kind == LiteralKind::kDecimal ||
          literal->kind == LiteralKind::kFloating);
}

const char* Not(bool negated) { return negated ? " NOT" : ""; }

std::string PrintBound(const FrameBound& bound) {
  switch (bound.kind) {
    case FrameBound::Kind::kUnboundedPreceding: return "UNBOUNDED PRECEDING";
    case FrameBound::Kind::kPreceding: return Print(bound.offset, kAny) + " PRECEDING";
    case FrameBound::Kind::kCurrentRow: return "CURRENT ROW";
    case FrameBound::Kind::kFollowing: return Print(bound.offset, kAny) + " FOLLOWING";
    case FrameBound::Kind::kUnboundedFollowing: return "UNBOUNDED FOLLOWING";
  }
  return "";
}

/// The first argument as a bare word, as timestampadd(MONTH, ..) and extract(YEAR FROM ..) want it.
std::string BareUnit(const FunctionCall& call) {
  const auto* literal = call.arguments.empty() || !call.arguments[0].value
                            ? nullptr
                            : call.arguments[0].value->As<Literal>();
  const bool word = literal != nullptr && literal->kind == LiteralKind::kString &&
                    !literal->text.empty() && QuoteIdentifier(literal->text) == literal->text;
  return word ? literal->text : "";
}

bool TakesUnit(const FunctionCall& call) {
  if (call.name.parts.size() != 1 || call.arguments.size() != 3) {
    return false;
  }
  for (const std::string_view name : {"TIMESTAMPADD", "TIMESTAMPDIFF", "DATEADD", "DATE_ADD",
                                      "DATEDIFF", "DATE_DIFF", "TIMEDIFF"}) {
    if (EqualsIgnoreCase(call.name.last(), name)) {
      return true;
    }
  }
  return false;
}

std::string CallArguments(const FunctionCall& call) {
  const std::string unit = BareUnit(call);
  if (!unit.empty() && call.arguments.size() == 2 && call.name.parts.size() == 1 &&
      EqualsIgnoreCase(call.name.last(), "EXTRACT")) {
    return unit + " FROM " + Print(call.arguments[1].value, kAny);
  }
  if (!unit.empty() && TakesUnit(call)) {
    return unit + ", " + Print(call.arguments[1].value, kAny) + ", " +
           Print(call.arguments[2].value, kAny);
  }
  return (call.distinct ? "DISTINCT " : "") + PrintArguments(call.arguments);
}

struct Printer {
  std::string operator()(const Literal& literal) const { return PrintLiteral(literal); }

  std::string operator()(const ColumnRef& column) const {
    return Joined(column.parts, ".", PrintName);
  }

  std::string operator()(const Star& star) const {
    std::string text;
    for (const Name& part : star.qualifier) {
      text += PrintName(part) + ".";
    }
    text += "*";
    if (!star.except.empty()) {
      text += " EXCEPT (" +
              Joined(star.except, ", ", [](const QualifiedName& n) { return n.ToString(); }) + ")";
    }
    return text;
  }

  std::string operator()(const Parameter& parameter) const {
    return parameter.name.empty() ? "?" : ":" + parameter.name;
  }

  std::string operator()(const FunctionCall& call) const {
    std::string text = call.name.ToString() + "(" + CallArguments(call);
    if (!call.order_by.empty()) {
      text += " ORDER BY " + PrintOrderItems(call.order_by);
    }
    text += ")";
    if (!call.within_group.empty()) {
      text += " WITHIN GROUP (ORDER BY " + PrintOrderItems(call.within_group) + ")";
    }
    if (call.filter) {
      text += " FILTER (WHERE " + Print(call.filter, kAny) + ")";
    }
    if (call.ignore_nulls || call.respect_nulls) {
      text += call.ignore_nulls ? " IGNORE NULLS" : " RESPECT NULLS";
    }
    if (call.over) {
      text += " OVER " + PrintWindow(*call.over);
    }
    return text;
  }

  std::string operator()(const Trim& trim) const {
    const char* side = trim.side == Trim::Side::kBoth      ? "BOTH "
                       : trim.side == Trim::Side::kLeading ? "LEADING "
                                                           : "TRAILING ";
    const std::string characters = trim.characters ? Print(trim.characters, kAny) + " " : "";
    return "TRIM(" + (side + characters) + "FROM " + Print(trim.source, kAny) + ")";
  }

  std::string operator()(const Cast& cast) const {
    if (cast.form == Cast::Form::kDoubleColon) {
      return Print(cast.operand, kPrimary) + "::" + cast.type.sql;
    }
    return (cast.form == Cast::Form::kCast ? "CAST(" : "TRY_CAST(") + Print(cast.operand, kAny) +
           " AS " + cast.type.sql + ")";
  }

  std::string operator()(const Case& c) const {
    std::string text = "CASE";
    if (c.operand) {
      text += " " + Print(c.operand, kAny);
    }
    for (const WhenClause& when : c.whens) {
      text += " WHEN " + Print(when.condition, kAny) + " THEN " + Print(when.result, kAny);
    }
    if (c.otherwise) {
      text += " ELSE " + Print(c.otherwise, kAny);
    }
    return text + " END";
  }

  std::string operator()(const Between& between) const {
    return Print(between.operand, kBitOrLevel) + Not(between.negated) + " BETWEEN " +
           Print(between.low, kBitOrLevel) + " AND " + Print(between.high, kBitOrLevel);
  }

  std::string operator()(const InList& in) const {
    return Print(in.operand, kBitOrLevel) + Not(in.negated) + " IN (" + PrintExprs(in.values) + ")";
  }

  std::string operator()(const InSubquery& in) const {
    return Print(in.operand, kBitOrLevel) + Not(in.negated) + " IN (" + ToSql(*in.query) + ")";
  }

  std::string operator()(const Like& like) const {
    const char* word = like.kind == LikeKind::kLike    ? " LIKE "
                       : like.kind == LikeKind::kILike ? " ILIKE "
                                                       : " RLIKE ";
    std::string text = Print(like.operand, kBitOrLevel) + Not(like.negated) + word;
    if (like.quantifier != Quantifier::kNone) {
      return text + (like.quantifier == Quantifier::kAny ? "ANY (" : "ALL (") +
             PrintExprs(like.patterns) + ")";
    }
    if (!like.patterns.empty()) {
      text += Print(like.patterns[0], kBitOrLevel);
    }
    return like.escape ? text + " ESCAPE " + QuoteString(*like.escape) : text;
  }

  std::string operator()(const Is& is) const {
    const char* test = is.test == IsTest::kNull    ? " NULL"
                       : is.test == IsTest::kTrue  ? " TRUE"
                       : is.test == IsTest::kFalse ? " FALSE"
                                                   : " UNKNOWN";
    return Print(is.operand, kBitOrLevel) + " IS" + Not(is.negated) + test;
  }

  std::string operator()(const Unary& unary) const {
    if (unary.op == UnaryOp::kNot) {
      return "NOT " + Print(unary.operand, kNotLevel);
    }
    const char* sign = unary.op == UnaryOp::kMinus ? "-" : unary.op == UnaryOp::kPlus ? "+" : "~";
    // -5 would be a literal and --5 a comment.
    const std::string operand = IsNumber(unary.operand) ? "(" + Print(unary.operand, kAny) + ")"
                                                        : Print(unary.operand, kSign);
    return sign + (operand.starts_with(sign) ? " " + operand : operand);
  }

  std::string operator()(const Binary& binary) const {
    const int level = LevelOf(binary.op);
    if (binary.op == BinaryOp::kDistinctFrom) {
      return Print(binary.left, kBitOrLevel) + " IS DISTINCT FROM " +
             Print(binary.right, kBitOrLevel);
    }
    const bool logical = binary.op == BinaryOp::kAnd || binary.op == BinaryOp::kOr;
    return Print(binary.left, level) + " " + OperatorText(binary.op) + " " +
           Print(binary.right, logical ? level : level + 1);
  }

  std::string operator()(const Subscript& subscript) const {
    return Print(subscript.operand, kPrimary) + "[" + Print(subscript.index, kAny) + "]";
  }

  std::string operator()(const FieldAccess& access) const {
    return Print(access.operand, kPrimary) + "." + PrintName(access.field);
  }

  std::string operator()(const VariantPath& path) const {
    std::string text = Print(path.operand, kPrimary) + ":";
    for (size_t i = 0; i < path.steps.size(); ++i) {
      const PathStep& step = path.steps[i];
      text += step.index ? "[" + std::to_string(*step.index) + "]"
                         : (i == 0 ? "" : ".") + PrintName(step.field);
    }
    return text;
  }

  std::string operator()(const Lambda& lambda) const {
    const std::string parameters = PrintNames(lambda.parameters);
    return (lambda.parameters.size() == 1 ? parameters : "(" + parameters + ")") + " -> " +
           Print(lambda.body, kAny);
  }

  std::string operator()(const Row& row) const { return "(" + PrintExprs(row.elements) + ")"; }
  std::string operator()(const Exists& e) const { return "EXISTS (" + ToSql(*e.query) + ")"; }
  std::string operator()(const ScalarSubquery& s) const { return "(" + ToSql(*s.query) + ")"; }

  std::string operator()(const Collate& collate) const {
    return Print(collate.operand, kPrimary) + " COLLATE " + collate.collation.ToString();
  }

  std::string operator()(const TableArgument& table) const {
    const auto* name = table.query->As<TableQuery>();
    return "TABLE(" + (name != nullptr ? name->name.ToString() : ToSql(*table.query)) + ")";
  }
};

}  // namespace

const char* OperatorText(BinaryOp op) {
  switch (op) {
    case BinaryOp::kOr: return "OR";
    case BinaryOp::kAnd: return "AND";
    case BinaryOp::kEq: return "=";
    case BinaryOp::kNotEq: return "<>";
    case BinaryOp::kLess: return "<";
    case BinaryOp::kLessEq: return "<=";
    case BinaryOp::kGreater: return ">";
    case BinaryOp::kGreaterEq: return ">=";
    case BinaryOp::kNullSafeEq: return "<=>";
    case BinaryOp::kDistinctFrom: return "IS DISTINCT FROM";
    case BinaryOp::kAdd: return "+";
    case BinaryOp::kSubtract: return "-";
    case BinaryOp::kMultiply: return "*";
    case BinaryOp::kDivide: return "/";
    case BinaryOp::kModulo: return "%";
    case BinaryOp::kIntegerDivide: return "DIV";
    case BinaryOp::kConcat: return "||";
    case BinaryOp::kBitAnd: return "&";
    case BinaryOp::kBitOr: return "|";
    case BinaryOp::kBitXor: return "^";
    case BinaryOp::kShiftLeft: return "<<";
    case BinaryOp::kShiftRight: return ">>";
    case BinaryOp::kShiftRightUnsigned: return ">>>";
  }
  return "";
}

std::string ToSql(const Expr& expr) { return std::visit(Printer{}, expr.node); }

std::string PrintExprs(const std::vector<Expr>& exprs) {
  return Joined(exprs, ", ", [](const Expr& expr) { return ToSql(expr); });
}

std::string PrintArguments(const std::vector<Argument>& arguments) {
  return Joined(arguments, ", ", [](const Argument& argument) {
    return (argument.name ? PrintName(*argument.name) + " => " : "") + Print(argument.value, kAny) +
           (argument.alias ? " AS " + PrintName(*argument.alias) : "");
  });
}

std::string PrintOrderItems(const std::vector<OrderItem>& items) {
  return Joined(items, ", ", [](const OrderItem& item) {
    const char* nulls = item.nulls == OrderItem::Nulls::kFirst  ? " NULLS FIRST"
                        : item.nulls == OrderItem::Nulls::kLast ? " NULLS LAST"
                                                                : "";
    return Print(item.expr, kAny) + (item.descending ? " DESC" : "") + nulls;
  });
}

std::string PrintWindow(const WindowSpec& spec) {
  std::vector<std::string> parts;
  if (spec.base) {
    parts.push_back(PrintName(*spec.base));
  }
  if (!spec.partition_by.empty()) {
    parts.push_back("PARTITION BY " + PrintExprs(spec.partition_by));
  }
  if (!spec.order_by.empty()) {
    parts.push_back("ORDER BY " + PrintOrderItems(spec.order_by));
  }
  if (spec.frame) {
    parts.push_back(std::string(spec.frame->rows ? "ROWS" : "RANGE") + " BETWEEN " +
                    PrintBound(spec.frame->start) + " AND " + PrintBound(spec.frame->end));
  }
  if (spec.base && parts.size() == 1) {
    return parts[0];
  }
  return "(" + Joined(parts, " ", [](const std::string& part) { return part; }) + ")";
}

}  // namespace sluice::sql
