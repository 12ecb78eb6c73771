// Window functions of ExpressionBinder: their types, windows and frames.
#include <fmt/format.h>

#include "sql/analysis/aggregate_names.h"
#include "sql/analysis/expression_binder_internal.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluator.h"
#include "sql/functions/interval_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

bool IsWindowOnly(const std::string& name) {
  static const std::map<std::string, int> names = {
      {"row_number", 0}, {"rank", 0}, {"dense_rank", 0}, {"percent_rank", 0}, {"cume_dist", 0},
      {"ntile", 1},      {"lag", 1},  {"lead", 1},       {"nth_value", 1}};
  return names.contains(name);
}

// The frame such a function has anyway may be written out.
bool IsOwnFrame(const std::string& name, const WindowFrame& frame) {
  const bool moves = name == "lag" || name == "lead";
  return !moves && frame.rows == (name != "cume_dist") &&
         frame.start.kind == FrameBound::Kind::kUnboundedPreceding &&
         frame.end.kind == FrameBound::Kind::kCurrentRow;
}

bool IsUnbounded(const FrameBound& bound) {
  return bound.kind == FrameBound::Kind::kUnboundedPreceding ||
         bound.kind == FrameBound::Kind::kUnboundedFollowing;
}

// "DAY TO SECOND" of an interval as it is written, which is part of Spark's type.
std::string IntervalFields(const Expr& expr) {
  if (const auto* minus = expr.As<Unary>()) return IntervalFields(*minus->operand);
  const auto* literal = expr.As<Literal>();
  if (literal == nullptr || literal->kind != LiteralKind::kInterval) return "";
  return fmt::format("{}-{}", static_cast<int>(literal->interval.from),
                     static_cast<int>(literal->interval.to));
}

/// One end of a frame, evaluated.
struct FrameEnd {
  std::string sql;                        // for DuckDB
  std::shared_ptr<arrow::Scalar> offset;  // as written, null without one
  double place = 0;                       // signed distance from the current row, for comparing
};

double AsDouble(const arrow::Scalar& value) {
  const auto cast = value.CastTo(arrow::float64());
  return cast.ok() ? static_cast<const arrow::DoubleScalar&>(**cast).value : 0;
}

// The size of an offset in DuckDB's words, without sign; `size` is its signed size.
std::string OffsetSql(const arrow::Scalar& offset, const arrow::DataType& key, bool rows,
                      double* size) {
  switch (offset.type->id()) {
    case arrow::Type::DURATION: {
      const int64_t micros = static_cast<const arrow::DurationScalar&>(offset).value;
      *size = static_cast<double>(micros);
      return fmt::format("INTERVAL '{} microseconds'", micros < 0 ? -micros : micros);
    }
    case arrow::Type::INTERVAL_MONTHS: {
      const int32_t months = static_cast<const arrow::MonthIntervalScalar&>(offset).value;
      *size = months;
      return fmt::format("INTERVAL '{} months'", months < 0 ? -months : months);
    }
    default: break;
  }
  *size = AsDouble(offset);
  std::string text = offset.ToString();
  if (text.starts_with("-")) text.erase(0, 1);
  if (rows) return text;
  if (key.id() == arrow::Type::DATE32) return fmt::format("INTERVAL '{} days'", text);
  return fmt::format("CAST({} AS {})", text, SparkTypeSql(key));  // a numeric type
}

// What the distance from a key of RANGE may be: for numbers a number, for times an interval, for
// dates also a number of days.
bool IsDistance(const arrow::DataType& offset, const arrow::DataType& key) {
  const bool interval =
      offset.id() == arrow::Type::DURATION || offset.id() == arrow::Type::INTERVAL_MONTHS;
  if (key.id() == arrow::Type::DATE32) return interval || offset.id() == arrow::Type::INT32;
  if (key.id() == arrow::Type::TIMESTAMP) return interval;
  return IsNumeric(key) && IsNumeric(offset) && CanCoerce(offset, key);
}

std::string Mismatch(const char* subclass) { return fmt::format("DATATYPE_MISMATCH.{}", subclass); }

}  // namespace

Status ExpressionBinder::BindFrame(const WindowFrame& frame, const std::vector<SortKey>& order,
                                   WindowCall* call, Span span) {
  const auto fail = [&](const char* subclass, const std::string& message) {
    return AnalysisError(source_, span, Mismatch(subclass), message);
  };
  const auto fail_with = [&](const char* code, const std::string& message) {
    return AnalysisError(source_, span, code, message);
  };
  const bool has_offset = frame.start.offset || frame.end.offset;
  if (!frame.rows && has_offset && order.empty())
    return fail("RANGE_FRAME_WITHOUT_ORDER",
                "a range window frame cannot be used in an unordered window specification");
  if (!frame.rows && has_offset && order.size() > 1)
    return fail("RANGE_FRAME_MULTI_ORDER",
                "a range window frame with value boundaries cannot be used in a window "
                "specification with multiple order by expressions");
  const TypePtr key = order.empty() ? arrow::int32() : order[0].expression->type;
  FrameEnd ends[2];
  for (int i = 0; i < 2; ++i) {
    const FrameBound& bound = i == 0 ? frame.start : frame.end;
    if (!bound.offset) continue;
    SLUICE_RETURN_NOT_OK(BindOffset(bound, frame.rows, *key, &ends[i].offset));
    ends[i].sql = OffsetSql(*ends[i].offset, *key, frame.rows, &ends[i].place);
    const bool before = (bound.kind == FrameBound::Kind::kPreceding) == (ends[i].place >= 0);
    ends[i].sql += before ? " PRECEDING" : " FOLLOWING";
    if (bound.kind == FrameBound::Kind::kPreceding) ends[i].place = -ends[i].place;
  }
  if (frame.start.kind == FrameBound::Kind::kUnboundedFollowing ||
      frame.end.kind == FrameBound::Kind::kUnboundedPreceding)
    return fail("SPECIFIED_WINDOW_FRAME_INVALID_BOUND",
                "the frame starts behind all rows or ends before them");
  if (frame.start.offset && frame.end.offset &&
      (!ends[0].offset->type->Equals(*ends[1].offset->type) ||
       IntervalFields(*frame.start.offset) != IntervalFields(*frame.end.offset)))
    return !frame.rows && IsNumeric(*key)
               ? fail_with("NOT_SUPPORTED_YET",
                           "not supported yet: frame bounds of different types of number")
               : fail("SPECIFIED_WINDOW_FRAME_DIFF_TYPES",
                      "window frame bounds have different types");
  if (!IsUnbounded(frame.start) && !IsUnbounded(frame.end) && ends[0].place > ends[1].place)
    return fail("SPECIFIED_WINDOW_FRAME_WRONG_COMPARISON",
                "the lower bound of a window frame must be less than or equal to the upper bound");
  static constexpr const char* kNames[] = {"UNBOUNDED PRECEDING", "", "CURRENT ROW", "",
                                           "UNBOUNDED FOLLOWING"};
  if (!frame.start.offset) ends[0].sql = kNames[static_cast<int>(frame.start.kind)];
  if (!frame.end.offset) ends[1].sql = kNames[static_cast<int>(frame.end.kind)];
  call->frame =
      fmt::format("{} BETWEEN {} AND {}", frame.rows ? "ROWS" : "RANGE", ends[0].sql, ends[1].sql);
  return Status::OK();
}

Status ExpressionBinder::BindOffset(const FrameBound& bound, bool rows, const arrow::DataType& key,
                                    std::shared_ptr<arrow::Scalar>* offset) {
  const Scope empty;
  ExpressionBinder binder(source_, options_, empty, nullptr);
  const Span span = bound.offset->span;
  auto value = binder.Bind(*bound.offset);
  if (!value.ok())
    return AnalysisError(source_, span, "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_WITHOUT_FOLDABLE",
                         "a window frame bound must be a literal");
  SLUICE_ASSIGN_OR_RETURN(*offset, Evaluator::EvaluateConstant(*value, 0));
  const arrow::DataType& type = *(*offset)->type;
  const bool fits = rows ? type.id() == arrow::Type::INT32 : IsDistance(type, key);
  if (fits && (*offset)->is_valid) return Status::OK();
  const bool narrow = key.id() == arrow::Type::INT8 || key.id() == arrow::Type::INT16;
  if (!rows && (IsInterval(key) || narrow))
    return AnalysisError(source_, span, "NOT_SUPPORTED_YET",
                         "not supported yet: RANGE over " + SparkTypeSql(key));
  return AnalysisError(
      source_, span, "DATATYPE_MISMATCH.SPECIFIED_WINDOW_FRAME_UNACCEPTED_TYPE",
      fmt::format("the data type of a window frame bound is \"{}\", which does not suit {}",
                  SparkTypeSql(type), rows ? "ROWS" : "\"" + SparkTypeSql(key) + "\""));
}

Result<const WindowSpec*> ExpressionBinder::ResolveWindow(const WindowSpec& spec) {
  if (!spec.base.has_value()) return &spec;
  if (!spec.partition_by.empty() || !spec.order_by.empty() || spec.frame.has_value())
    return AnalysisError(source_, spec.span, "PARSE_SYNTAX_ERROR",
                         "a named window takes no additions");
  const WindowSpec* found = nullptr;
  for (const NamedWindow& named : *named_windows_) {
    if (LowerAscii(named.name.text) != LowerAscii(spec.base->text)) continue;
    if (found != nullptr)
      return AnalysisError(
          source_, named.name.span, "INVALID_SQL_SYNTAX.REPETITIVE_WINDOW_DEFINITION",
          fmt::format("the definition of window `{}` is repetitive", spec.base->text));
    found = &named.spec;
  }
  if (found != nullptr) return ResolveWindow(*found);
  return AnalysisError(
      source_, spec.span, "MISSING_WINDOW_SPECIFICATION",
      fmt::format("window specification is not defined for `{}`", spec.base->text));
}

Status ExpressionBinder::TypeWindow(WindowCall* call, const std::string& name, Span span) {
  auto& args = call->args;
  call->function = name;
  if (name == "lag" || name == "lead" || name == "nth_value") {
    if (args.empty() || args.size() > 3)
      return functions_.Error(span, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                              name + " takes 1 to 3 parameters");
    call->type = args[0]->type;
    if (args.size() == 3) {
      SLUICE_ASSIGN_OR_RETURN(args[2], functions_.Coerce(args[2], call->type, name, 3));
    }
  } else {
    if (name != "ntile") args.clear();  // rank(x) means rank()
    call->type = name == "percent_rank" || name == "cume_dist" ? arrow::float64() : arrow::int32();
    call->nullable = false;
  }
  // Numbers of rows and the like are constants.
  const size_t number = name == "ntile" ? 0 : 1;
  if (args.size() <= number) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto coerced, functions_.Coerce(args[number], arrow::int32(), name,
                                                          static_cast<int>(number) + 1));
  if (!ReferencedColumns(*coerced).empty())
    return functions_.Error(span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                            fmt::format("the number of {} must be a constant", name));
  SLUICE_ASSIGN_OR_RETURN(auto value, Evaluator::EvaluateConstant(coerced, 0));
  if (!value->is_valid)
    return functions_.Error(span, "DATATYPE_MISMATCH.UNEXPECTED_NULL",
                            fmt::format("the number of {} must not be NULL", name));
  const bool positive = name == "ntile" || name == "nth_value";
  if (positive && static_cast<const arrow::Int32Scalar&>(*value).value < 1)
    return functions_.Error(span, "DATATYPE_MISMATCH.VALUE_OUT_OF_RANGE",
                            fmt::format("the number of {} must be positive", name));
  args[number] = MakeLiteral(std::move(value), span);
  return Status::OK();
}

Status ExpressionBinder::BindWindowFunction(const std::string& name, const FunctionCall& call,
                                            const Expr& expr, WindowCall* made) {
  if (IsWindowOnly(name)) {
    for (const Argument& argument : call.arguments) {
      SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(*argument.value));
      made->args.push_back(std::move(bound));
    }
    made->ignore_nulls = call.ignore_nulls;
    return TypeWindow(made, name, expr.span);
  }
  if (CanonicalAggregate(name).empty())
    return AnalysisError(source_, expr.span, "UNSUPPORTED_EXPR_FOR_WINDOW",
                         fmt::format("expression {} not supported within a window function", name));
  if (call.distinct)
    return AnalysisError(source_, expr.span, "DISTINCT_WINDOW_FUNCTION_UNSUPPORTED",
                         "distinct window functions are not supported");
  SLUICE_ASSIGN_OR_RETURN(auto aggregate, MakeAggregate(name, call, expr));
  made->function = aggregate.function;
  made->args = aggregate.args;
  made->filter = aggregate.filter;
  made->ignore_nulls = aggregate.ignore_nulls;
  made->type = aggregate.type;
  made->nullable = aggregate.nullable;
  return Status::OK();
}

Result<BoundPtr> ExpressionBinder::BindWindow(const std::string& name, const FunctionCall& call,
                                              const Expr& expr) {
  if (collected_ == nullptr) {
    return AnalysisError(source_, expr.span, "WINDOW_FUNCTION_NOT_ALLOWED_IN_CLAUSE",
                         fmt::format("window function {} is not allowed here", name));
  }
  if (inside_aggregate_)
    return AnalysisError(source_, expr.span, "NESTED_AGGREGATE_FUNCTION",
                         "a window function cannot be the argument of an aggregate function");
  WindowCall made;
  SLUICE_RETURN_NOT_OK(BindWindowFunction(name, call, expr, &made));
  SLUICE_ASSIGN_OR_RETURN(const WindowSpec* spec, ResolveWindow(*call.over));
  for (const Expr& partition : spec->partition_by) {
    SLUICE_ASSIGN_OR_RETURN(auto bound, Bind(partition));
    made.partition.push_back(std::move(bound));
  }
  SLUICE_ASSIGN_OR_RETURN(made.order, BindOrder(spec->order_by));
  for (const SortKey& key : made.order) {
    if (!IsOrderable(*key.expression->type))
      return AnalysisError(source_, expr.span, "DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                           fmt::format("a window cannot be ordered by {}, whose type has no order",
                                       ToString(*key.expression)));
  }
  const bool own_frame = IsWindowOnly(name) && name != "nth_value";
  if (IsWindowOnly(name) && made.order.empty())
    return AnalysisError(source_, expr.span, "WINDOW_FUNCTION_FRAME_NOT_ORDERED",
                         fmt::format("window function {} requires the window to be ordered", name));
  if (own_frame && spec->frame.has_value() && !IsOwnFrame(name, *spec->frame))
    return AnalysisError(source_, expr.span, "UNSUPPORTED_EXPR_FOR_WINDOW",
                         fmt::format("window function {} takes no frame", name));
  if (spec->frame.has_value() && !own_frame)
    SLUICE_RETURN_NOT_OK(BindFrame(*spec->frame, made.order, &made, expr.span));
  for (const BoundPtr& arg : made.args) {
    if (HasWindow(*arg)) return NotSupportedYet(source_, expr.span, "a window function of another");
  }
  const arrow::Field field(ColumnName(expr), made.type, made.nullable);
  collected_->windows.push_back(std::move(made));
  return MakeColumn(kWindowBase + static_cast<int>(collected_->windows.size()) - 1, field,
                    expr.span);
}

}  // namespace sluice::sql
