// Tables as they were, and their changes: VERSION AS OF, TIMESTAMP AS OF, CHANGES FROM and
// table_changes(). Part of QueryBinder.
#include <arrow/api.h>
#include <fmt/format.h>

#include "sql/analysis/query_binder.h"
#include "sql/ast/parse_error.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/token_cursor.h"

namespace sluice::sql {

Result<std::optional<ResolvedRelation>> RelationResolver::ResolveVersion(
    const std::vector<std::string>&, const TableMoment&) {
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: a version of a table here");
}

Result<std::optional<ResolvedRelation>> RelationResolver::ResolveChanges(
    const std::vector<std::string>&, const TableMoment&, const TableMoment*) {
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: the changes of a table here");
}

Status QueryBinder::Placed(const Status& status, Span span) const {
  if (PlaceOf(status) != nullptr) return status;
  return AnalysisError(source_, span, ErrorCode(status), status.message(), ErrorHint(status));
}

Result<TableMoment> QueryBinder::MomentOf(const Expr& value, bool by_timestamp) {
  const Scope empty;
  ExpressionBinder binder(source_, options_, empty, nullptr);
  SLUICE_ASSIGN_OR_RETURN(BoundPtr bound, binder.Bind(value));
  if (by_timestamp) {
    // A text that is no time is NULL, which the resolver refuses.
    auto cast = binder.functions().BindCast(bound, SparkTimestamp(), true, value.span);
    if (!cast.ok())
      return Error(value.span, "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT",
                   fmt::format("cannot be cast to the \"TIMESTAMP\" type: {}", ToString(*bound)));
    return TableMoment{true, *cast};
  }
  const bool text = bound->type->id() == arrow::Type::STRING;
  if (!bound->IsLiteral() || !bound->literal->is_valid || (!text && !IsIntegral(*bound->type)))
    return Error(value.span, "PARSE_SYNTAX_ERROR",
                 "a version is a whole number, or a text that is one");
  const BoundPtr number = MakeCast(bound, arrow::int64(), true, value.span);
  if (!number->IsLiteral() || !number->literal->is_valid)
    return Error(value.span, "DELTA_VERSION_NOT_FOUND",
                 fmt::format("there is no version {}", ToString(*bound)));
  return TableMoment{false, number};
}

namespace {

/// The version `by` after that of `moment`.
BoundPtr Shifted(const TableMoment& moment, int64_t by) {
  const auto& version = static_cast<const arrow::Int64Scalar&>(*moment.value->literal);
  return MakeLiteral(arrow::MakeScalar(version.value + by));
}

}  // namespace

Result<BoundRelation> QueryBinder::BindTableAt(const TableRef& table, Span span) {
  if (table.stream)
    return Error(span, "UNSUPPORTED_FEATURE.TIME_TRAVEL", "time travel on a stream");
  if (FindCommonTable(table) != nullptr)
    return Error(span, "UNSUPPORTED_FEATURE.TIME_TRAVEL",
                 "a version or the changes of the subquery " + table.name.ToString());
  const std::vector<std::string> parts = table.name.Texts();
  std::vector<std::string> qualifier;
  for (const std::string& part : parts) qualifier.push_back(LowerAscii(part));
  Result<std::optional<ResolvedRelation>> resolved = std::optional<ResolvedRelation>();
  if (table.time_travel.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(const TableMoment moment,
                            MomentOf(*table.time_travel->value, table.time_travel->by_timestamp));
    resolved = resolver_.ResolveVersion(parts, moment);
  } else {
    const ChangesClause& changes = *table.changes;
    if (!changes.from) return Unsupported(span, "CHANGES without FROM outside of a stream");
    SLUICE_ASSIGN_OR_RETURN(TableMoment from, MomentOf(*changes.from, changes.by_timestamp));
    std::optional<TableMoment> to;
    if (changes.to) {
      SLUICE_ASSIGN_OR_RETURN(to, MomentOf(*changes.to, changes.by_timestamp));
    }
    if (changes.by_timestamp && (changes.from_exclusive || changes.to_exclusive))
      return Unsupported(span, "CHANGES with an EXCLUSIVE time");
    if (changes.from_exclusive) from.value = Shifted(from, 1);
    if (changes.to_exclusive) to->value = Shifted(*to, -1);
    resolved = resolver_.ResolveChanges(parts, from, to.has_value() ? &*to : nullptr);
  }
  if (!resolved.ok()) return Placed(resolved.status(), span);
  if (!resolved->has_value()) return NoSuchTable(table.name);
  return RelationOf(**resolved, table, qualifier, span);
}

// table_changes(name, start [, end]): numbers are versions, anything else times.
Result<BoundRelation> QueryBinder::BindTableChanges(const TableFunction& function, Span span) {
  const auto& arguments = function.arguments;
  if (function.stream) return Unsupported(span, "STREAM " + LowerAscii(function.name.last()));
  if (arguments.size() < 2 || arguments.size() > 3)
    return Error(span, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
                 fmt::format("`{}` requires 2 or 3 parameters but the actual number is {}",
                             LowerAscii(function.name.last()), arguments.size()));
  const auto* name = arguments[0].value->As<Literal>();
  for (const Argument& argument : arguments) {
    if (argument.name.has_value()) return Unsupported(span, "named arguments of table_changes");
  }
  if (name == nullptr || name->kind != LiteralKind::kString)
    return Unsupported(arguments[0].value->span, "a table of table_changes that is not a text");
  TableRef table;
  if (LowerAscii(function.name.last()) == "table_changes_by_path") {
    table.name.parts = {{"delta", {}, false}, {name->text, {}, true}};
  } else {
    const SourceText text("", name->text);
    TokenCursor cursor(text);
    table.name = cursor.ExpectQualifiedName("a table");
    if (cursor.failed() || !cursor.AtEnd())
      return Error(arguments[0].value->span, "PARSE_SYNTAX_ERROR",
                   fmt::format("'{}' is no name of a table", name->text));
  }
  table.name.span = arguments[0].value->span;
  std::vector<TableMoment> moments;
  for (size_t i = 1; i < arguments.size(); ++i) {
    const Scope empty;
    ExpressionBinder binder(source_, options_, empty, nullptr);
    SLUICE_ASSIGN_OR_RETURN(BoundPtr bound, binder.Bind(*arguments[i].value));
    SLUICE_ASSIGN_OR_RETURN(auto moment, MomentOf(*arguments[i].value, !IsIntegral(*bound->type)));
    moments.push_back(std::move(moment));
  }
  auto resolved = resolver_.ResolveChanges(table.name.Texts(), moments[0],
                                           moments.size() > 1 ? &moments[1] : nullptr);
  if (!resolved.ok()) return Placed(resolved.status(), span);
  if (!resolved->has_value()) return NoSuchTable(table.name);
  return RelationOf(**resolved, table, {LowerAscii(function.name.last())}, span);
}

}  // namespace sluice::sql
