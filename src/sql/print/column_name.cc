#include "sql/print/column_name.h"

#include <arrow/type.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <utility>

#include "sql/parser/token_cursor.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) {
    c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  }
  return text;
}

/// Functions that Spark shows in capitals.
constexpr std::array<std::string_view, 30> kCapitals{
    "acos",  "acosh", "asin",   "asinh", "atan",    "atan2", "atanh",   "cbrt",
    "cos",   "cosh",  "cot",    "csc",   "degrees", "exp",   "expm1",   "hypot",
    "log",   "log10", "log1p",  "log2",  "pi",      "power", "radians", "regexp_like",
    "rlike", "sec",   "signum", "sinh",  "sqrt",    "tanh"};

/// Arguments that Spark adds when they are left out, or leaves out of the name.
struct Shape {
  std::string_view function;
  size_t written;          // number of arguments written
  size_t shown;            // how many of them are shown
  std::string_view added;  // what is shown after them
};
constexpr std::array<Shape, 40> kShapes{{
    {"substr", 2, 2, "2147483647"},
    {"substring", 2, 2, "2147483647"},
    {"mid", 2, 2, "2147483647"},
    {"position", 2, 2, "1"},
    {"locate", 2, 2, "1"},
    {"from_unixtime", 1, 1, "yyyy-MM-dd HH:mm:ss"},
    {"from_json", 2, 1, ""},
    {"from_json", 3, 1, ""},
    {"from_csv", 2, 1, ""},
    {"from_csv", 3, 1, ""},
    {"variant_get", 3, 2, ""},
    {"try_variant_get", 3, 2, ""},
    {"first", 2, 1, ""},
    {"last", 2, 1, ""},
    {"split", 2, 2, "-1"},
    {"regexp_replace", 3, 3, "1"},
    {"lead", 1, 1, "1, NULL"},
    {"lag", 1, 1, "1, NULL"},
    {"percentile_approx", 2, 2, "10000"},
    {"approx_percentile", 2, 2, "10000"},
    {"unix_timestamp", 1, 1, "yyyy-MM-dd HH:mm:ss"},
    {"listagg", 1, 1, "NULL"},
    {"string_agg", 1, 1, "NULL"},
    {"lpad", 2, 2, " "},
    {"rpad", 2, 2, " "},
    {"first_value", 2, 1, ""},
    {"last_value", 2, 1, ""},
    {"any_value", 2, 1, ""},
    {"to_json", 2, 1, ""},
    {"to_csv", 2, 1, ""},
    {"schema_of_json", 2, 1, ""},
    {"schema_of_csv", 2, 1, ""},
    {"hll_sketch_agg", 1, 1, "12"},
    {"theta_sketch_agg", 1, 1, "12"},
    {"make_ym_interval", 1, 1, "0"},
    {"mask", 1, 1, "X, x, n, NULL"},
    {"mask", 2, 2, "x, n, NULL"},
    {"mask", 3, 3, "n, NULL"},
    {"mask", 4, 4, "NULL"},
    {"sentences", 1, 1, ", "},
}};

/// Functions whose rows are columns of their own: their column has a fixed name.
std::string GeneratorColumn(const std::string& function) {
  if (function == "explode" || function == "explode_outer") {
    return "col";
  }
  return function == "window" || function == "session_window" ? function : "";
}

/// As java.lang.Double.toString: 1.0, 1.0E10, 1.0E-5.
std::string JavaDouble(double value) {
  const double magnitude = std::abs(value);
  const bool plain = magnitude == 0 || (magnitude >= 1e-3 && magnitude < 1e7);
  std::array<char, 400> buffer{};
  const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value,
                                 plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(buffer.data(), end.ptr);
  if (plain) {
    return text.find('.') == std::string::npos ? text + ".0" : text;
  }
  const size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  mantissa += mantissa.find('.') == std::string::npos ? ".0" : "";
  std::string exponent = text.substr(e + 1);
  const bool minus = exponent[0] == '-';
  exponent.erase(0, std::min(exponent.find_first_of("123456789"), exponent.size() - 1));
  return mantissa + "E" + (minus ? "-" : "") + exponent;
}

std::string PrettyLiteral(const Literal& literal) {
  switch (literal.kind) {
    case LiteralKind::kBoolean: return literal.boolean ? "true" : "false";
    case LiteralKind::kInteger: return std::to_string(literal.integer);
    case LiteralKind::kDecimal:
    case LiteralKind::kString: return literal.text;
    case LiteralKind::kFloating: return JavaDouble(literal.real);
    default: return PrintLiteral(literal);
  }
}

class Namer {
 public:
  explicit Namer(const ColumnDisplay& display) : display_(display) {}

  std::string Name(const Expr& expr) { return std::visit(*this, expr.node); }
  std::string Name(const Box<Expr>& box) { return box ? Name(*box) : ""; }

  std::string operator()(const Literal& literal) { return PrettyLiteral(literal); }

  std::string operator()(const ColumnRef& column) {
    if (column.parts.size() == 1 && IsLambdaVariable(column.parts[0].text)) {
      return "namedlambdavariable()";
    }
    return display_ ? display_(column) : column.parts.back().text;
  }

  std::string operator()(const Star&) { return "*"; }
  std::string operator()(const Parameter& p) { return p.name.empty() ? "?" : ":" + p.name; }

  std::string operator()(const FunctionCall& call) {
    std::string text = CallText(call);
    if (!call.within_group.empty()) {
      const bool percentile = Lower(call.name.last()).starts_with("percentile");
      text += " WITHIN GROUP (ORDER BY " +
              (percentile ? PrintOrderItems(call.within_group) : Orders(call.within_group)) + ")";
    }
    if (call.filter) {
      text += " FILTER (WHERE " + Name(call.filter) + ")";
    }
    return call.over ? text + " OVER " + Window(*call.over, Lower(call.name.last())) : text;
  }

  std::string operator()(const Trim& trim) {
    const char* side = trim.side == Trim::Side::kBoth      ? "BOTH "
                       : trim.side == Trim::Side::kLeading ? "LEADING "
                                                           : "TRAILING ";
    if (!trim.characters) {
      return "trim(" + Name(trim.source) + ")";
    }
    return std::string("TRIM(") + side + Name(trim.characters) + " FROM " + Name(trim.source) + ")";
  }

  std::string operator()(const Cast& cast) {
    return (cast.form == Cast::Form::kTryCast ? "TRY_CAST(" : "CAST(") + Name(cast.operand) +
           " AS " + cast.type.sql + ")";
  }

  std::string operator()(const Case& c) {
    std::string text = "CASE";
    for (const WhenClause& when : c.whens) {
      const std::string condition = c.operand
                                        ? "(" + Name(c.operand) + " = " + Name(when.condition) + ")"
                                        : Name(when.condition);
      text += " WHEN " + condition + " THEN " + Name(when.result);
    }
    return text + (c.otherwise ? " ELSE " + Name(c.otherwise) : "") + " END";
  }

  std::string operator()(const Between& between) {
    return Negated(between.negated, "between(" + Name(between.operand) + ", " + Name(between.low) +
                                        ", " + Name(between.high) + ")");
  }

  std::string operator()(const InList& in) {
    return Negated(in.negated, "(" + Name(in.operand) + " IN (" + List(in.values) + "))");
  }

  std::string operator()(const InSubquery& in) {
    return Negated(in.negated, "(" + Name(in.operand) + " IN (listquery()))");
  }

  std::string operator()(const Like& like) {
    const std::string operand = Name(like.operand);
    const std::string patterns = List(like.patterns);
    std::string text;
    if (like.quantifier != Quantifier::kNone) {
      const bool any = like.quantifier == Quantifier::kAny;
      text = std::string(any ? "likeany(" : "likeall(") + operand + ", " + patterns + ")";
    } else if (like.kind == LikeKind::kLike) {
      text = operand + " LIKE " + patterns;
      text += like.escape ? " ESCAPE '" + *like.escape + "'" : "";
    } else {
      const bool ilike = like.kind == LikeKind::kILike;
      text = (ilike ? "ilike(" : "RLIKE(") + operand + ", " + patterns + ")";
    }
    return Negated(like.negated, text);
  }

  std::string operator()(const Is& is) {
    const std::string operand = Name(is.operand);
    if (is.test == IsTest::kNull || is.test == IsTest::kUnknown) {
      return "(" + operand + (is.negated ? " IS NOT NULL)" : " IS NULL)");
    }
    return Negated(is.negated,
                   "(" + operand + (is.test == IsTest::kTrue ? " <=> true)" : " <=> false)"));
  }

  std::string operator()(const Unary& unary) {
    const std::string operand = Name(unary.operand);
    switch (unary.op) {
      case UnaryOp::kNot: return "(NOT " + operand + ")";
      case UnaryOp::kMinus: return "(- " + operand + ")";
      case UnaryOp::kPlus: return "(+ " + operand + ")";
      case UnaryOp::kBitNot: return "~" + operand;
    }
    return operand;
  }

  std::string operator()(const Binary& binary) {
    const std::string left = Name(binary.left);
    const std::string right = Name(binary.right);
    switch (binary.op) {
      case BinaryOp::kConcat: return "concat(" + left + ", " + right + ")";
      case BinaryOp::kNotEq: return "(NOT (" + left + " = " + right + "))";
      case BinaryOp::kDistinctFrom: return "(NOT (" + left + " <=> " + right + "))";
      case BinaryOp::kIntegerDivide: return "(" + left + " div " + right + ")";
      default: return "(" + left + " " + OperatorText(binary.op) + " " + right + ")";
    }
  }

  std::string operator()(const Subscript& s) { return Name(s.operand) + "[" + Name(s.index) + "]"; }
  std::string operator()(const FieldAccess& f) { return Name(f.operand) + "." + f.field.text; }

  std::string operator()(const VariantPath& path) {
    std::string text = "variant_get(" + Name(path.operand) + ", $";
    for (const PathStep& step : path.steps) {
      text += step.index ? "[" + std::to_string(*step.index) + "]" : "." + step.field.text;
    }
    return text + ")";
  }

  std::string operator()(const Lambda& lambda) {
    const size_t outer = lambda_variables_.size();
    std::string text = "lambdafunction(";
    for (const struct Name& parameter : lambda.parameters) {
      lambda_variables_.push_back(Lower(parameter.text));
    }
    text += Name(lambda.body);
    lambda_variables_.resize(outer);
    for (size_t i = 0; i < lambda.parameters.size(); ++i) {
      text += ", namedlambdavariable()";
    }
    return text + ")";
  }

  std::string operator()(const Row& row) {
    std::string text = "named_struct(";
    for (size_t i = 0; i < row.elements.size(); ++i) {
      text += (i == 0 ? "col" : ", col") + std::to_string(i + 1) + ", " + Name(row.elements[i]);
    }
    return text + ")";
  }

  std::string operator()(const Exists&) { return "exists()"; }
  std::string operator()(const ScalarSubquery&) { return "scalarsubquery()"; }
  std::string operator()(const Collate& collate) {
    return "collate(" + Name(collate.operand) + ", " + collate.collation.ToString() + ")";
  }
  std::string operator()(const TableArgument& table) { return ToSql(*table.query); }

 private:
  static std::string Negated(bool negated, const std::string& text) {
    return negated ? "(NOT " + text + ")" : text;
  }

  bool IsLambdaVariable(const std::string& name) const {
    return std::find(lambda_variables_.begin(), lambda_variables_.end(), Lower(name)) !=
           lambda_variables_.end();
  }

  std::string List(const std::vector<Expr>& exprs) {
    return Joined(exprs, ", ", [this](const Expr& expr) { return Name(expr); });
  }

  std::string Argument(const sql::Argument& argument) {
    return Name(argument.value) + (argument.alias ? " AS " + argument.alias->text : "");
  }

  std::string CallText(const FunctionCall& call) {
    const std::string function = Lower(call.name.last());
    const std::vector<sql::Argument>& arguments = call.arguments;
    if (std::string special = SpecialCall(function, arguments); !special.empty()) {
      return special;
    }
    if (function == "count" && !call.distinct && arguments.size() == 1 &&
        arguments[0].value->As<Star>() != nullptr) {
      return "count(1)";
    }
    if (function == "current_database" && arguments.empty()) {
      return "current_schema()";
    }
    size_t shown = arguments.size();
    std::string_view added;
    for (const Shape& shape : kShapes) {
      if (shape.function == function && shape.written == arguments.size()) {
        shown = shape.shown;
        added = shape.added;
      }
    }
    const bool no_arguments = function == "rank" || function == "dense_rank" ||
                              function == "percent_rank" || function == "row_number";
    std::string text =
        ShownName(function, arguments.size()) + "(" + (call.distinct ? "DISTINCT " : "");
    for (size_t i = 0; i < shown && !no_arguments; ++i) {
      text += (i == 0 ? "" : ", ") + Argument(arguments[i]);
    }
    if (!added.empty()) {
      text.append(shown == 0 ? "" : ", ").append(added);
    }
    return text + ")";
  }

  static std::string ShownName(const std::string& function, size_t arguments) {
    const bool capitals =
        std::find(kCapitals.begin(), kCapitals.end(), function) != kCapitals.end() ||
        function == "rank" || function == "dense_rank" ||
        (arguments == 1 && (function == "ceil" || function == "floor"));
    return capitals ? ToUpper(function) : function;
  }

  std::string SpecialCall(const std::string& function,
                          const std::vector<sql::Argument>& arguments) {
    const size_t count = arguments.size();
    if (function == "if" && count == 3) {
      return "(IF(" + Argument(arguments[0]) + ", " + Argument(arguments[1]) + ", " +
             Argument(arguments[2]) + "))";
    }
    if (function == "like" && count == 2) {
      return Argument(arguments[0]) + " LIKE " + Argument(arguments[1]);
    }
    if ((function == "isnull" || function == "isnotnull") && count == 1) {
      return "(" + Argument(arguments[0]) + (function == "isnull" ? " IS NULL)" : " IS NOT NULL)");
    }
    if ((function == "extract" || function == "datepart") && count == 2) {
      return function + "(" + Argument(arguments[0]) + " FROM " + Argument(arguments[1]) + ")";
    }
    constexpr std::array<std::string_view, 12> kCasts{"boolean", "tinyint",   "smallint", "int",
                                                      "bigint",  "float",     "double",   "decimal",
                                                      "date",    "timestamp", "binary",   "string"};
    const bool cast = std::find(kCasts.begin(), kCasts.end(), function) != kCasts.end();
    return cast && count == 1 ? Argument(arguments[0]) : "";
  }

  std::string Orders(const std::vector<OrderItem>& items) {
    return Joined(items, ", ", [this](const OrderItem& item) {
      const bool first = item.nulls == OrderItem::Nulls::kDefault
                             ? !item.descending
                             : item.nulls == OrderItem::Nulls::kFirst;
      // Spark writes an ordering that is its default out, except a plain ascending one of an
      // aggregate.
      return Name(item.expr) + (item.descending ? " DESC" : " ASC") +
             (first ? " NULLS FIRST" : " NULLS LAST");
    });
  }

  std::string Bound(const FrameBound& bound) {
    switch (bound.kind) {
      case FrameBound::Kind::kUnboundedPreceding: return "UNBOUNDED PRECEDING";
      case FrameBound::Kind::kPreceding: return Name(bound.offset) + " PRECEDING";
      case FrameBound::Kind::kCurrentRow: return "CURRENT ROW";
      case FrameBound::Kind::kFollowing: return Name(bound.offset) + " FOLLOWING";
      case FrameBound::Kind::kUnboundedFollowing: return "UNBOUNDED FOLLOWING";
    }
    return "";
  }

  std::string Frame(const WindowSpec& spec, const std::string& function) {
    if (spec.frame) {
      return std::string(spec.frame->rows ? "ROWS" : "RANGE") + " BETWEEN " +
             Bound(spec.frame->start) + " AND " + Bound(spec.frame->end);
    }
    if (function == "lead" || function == "lag") {
      const char* bound = function == "lead" ? "1 FOLLOWING" : "-1 FOLLOWING";
      return std::string("ROWS BETWEEN ") + bound + " AND " + bound;
    }
    constexpr std::array<std::string_view, 6> kRanks{"row_number", "rank",      "dense_rank",
                                                     "ntile",      "cume_dist", "percent_rank"};
    if (std::find(kRanks.begin(), kRanks.end(), function) != kRanks.end()) {
      return std::string(function == "cume_dist" ? "RANGE" : "ROWS") +
             " BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
    }
    return spec.order_by.empty() ? "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING"
                                 : "RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW";
  }

  std::string Window(const WindowSpec& spec, const std::string& function) {
    std::string text = "(";
    if (!spec.partition_by.empty()) {
      text += "PARTITION BY " + List(spec.partition_by) + " ";
    }
    if (!spec.order_by.empty()) {
      text += "ORDER BY " + Orders(spec.order_by) + " ";
    }
    return text + Frame(spec, function) + ")";
  }

  const ColumnDisplay& display_;
  std::vector<std::string> lambda_variables_;
};

/// A column under casts: its name is the name of the whole.
const ColumnRef* ColumnUnderCasts(const Expr& expr) {
  const Expr* inner = &expr;
  while (const auto* cast = inner->As<Cast>()) {
    inner = cast->operand.get();
  }
  return inner->As<ColumnRef>();
}

}  // namespace

std::string ColumnName(const Expr& expr, const ColumnDisplay& display) {
  if (const ColumnRef* column = ColumnUnderCasts(expr)) {
    return column->parts.back().text;
  }
  if (const auto* call = expr.As<FunctionCall>()) {
    if (std::string column = GeneratorColumn(Lower(call->name.last())); !column.empty()) {
      return column;
    }
  }
  return Namer(display).Name(expr);
}

}  // namespace sluice::sql
