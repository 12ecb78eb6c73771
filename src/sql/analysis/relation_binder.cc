// The relations of FROM: tables, table functions, joins, watermarks, aliases. Part of QueryBinder.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/query_binder.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluator.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

std::shared_ptr<arrow::Schema> KafkaSchema(bool include_headers) {
  arrow::FieldVector fields = {
      arrow::field("key", arrow::binary()),         arrow::field("value", arrow::binary()),
      arrow::field("topic", arrow::utf8()),         arrow::field("partition", arrow::int32()),
      arrow::field("offset", arrow::int64()),       arrow::field("timestamp", SparkTimestamp()),
      arrow::field("timestampType", arrow::int32())};
  if (include_headers) {
    fields.push_back(arrow::field(
        "headers", SparkArray(arrow::struct_({arrow::field("key", arrow::utf8()),
                                              arrow::field("value", arrow::binary())}))));
  }
  return arrow::schema(std::move(fields));
}

Status QueryBinder::NoSuchTable(const QualifiedName& name) {
  std::string hint;
  for (const std::string& known : Suggestions(name.last(), resolver_.KnownRelations())) {
    hint += (hint.empty() ? "did you mean one of: " : ", ") + known;
  }
  return AnalysisError(
      source_, name.span, "TABLE_OR_VIEW_NOT_FOUND",
      fmt::format("the table or view {} cannot be found. Verify the spelling and correctness of "
                  "the schema and catalog",
                  name.ToString()),
      hint);
}

BoundRelation QueryBinder::RelationOf(const ResolvedRelation& resolved, const TableRef& table,
                                      const std::vector<std::string>& qualifier, Span span) const {
  if (resolved.plan != nullptr)
    return BoundRelation{resolved.plan, Scope::Of(*resolved.plan->schema, qualifier)};
  auto made = std::make_shared<ScanNode>();
  made->dataset = resolved.name;
  made->schema = resolved.schema;
  made->version = resolved.version;
  made->changes = resolved.changes;
  made->is_streaming = table.stream;
  made->span = span;
  for (const Property& option : table.options) made->options[option.key] = option.value;
  Scope scope = Scope::Of(*made->schema, qualifier);
  return BoundRelation{std::move(made), std::move(scope)};
}

Result<BoundRelation> QueryBinder::BindTable(const TableRef& table, Span span) {
  if (table.changes.has_value() && table.stream) return Unsupported(span, "CHANGES of a stream");
  if (table.time_travel.has_value() || table.changes.has_value()) return BindTableAt(table, span);
  const std::vector<std::string> parts = table.name.Texts();
  std::vector<std::string> qualifier;
  for (const std::string& part : parts) qualifier.push_back(LowerAscii(part));
  if (const PlanPtr* common = FindCommonTable(table)) {
    if (*common == nullptr)
      return Error(table.name.span, "INVALID_RECURSIVE_CTE",
                   fmt::format("the recursive table `{}` must be a UNION ALL of an anchor, which "
                               "does not read it, and a step, which does",
                               qualifier[0]));
    const auto bound_in = common_outer_.find(common->get());
    if (bound_in != common_outer_.end() && bound_in->second != outer_)
      return Unsupported(span, "a common table over columns of a query around, in another query");
    return BoundRelation{*common, Scope::Of(*(*common)->schema, qualifier)};
  }
  SLUICE_ASSIGN_OR_RETURN(auto resolved, resolver_.ResolveRelation(parts, table.stream));
  if (!resolved.has_value()) return NoSuchTable(table.name);
  return RelationOf(*resolved, table, qualifier, span);
}

const PlanPtr* QueryBinder::FindCommonTable(const TableRef& table) const {
  if (table.name.parts.size() != 1 || table.stream) return nullptr;
  const std::string name = LowerAscii(table.name.last());
  for (auto scope = common_tables_.rbegin(); scope != common_tables_.rend(); ++scope) {
    const auto found = scope->find(name);
    if (found != scope->end()) return &found->second;
  }
  return nullptr;
}

Result<BoundRelation> QueryBinder::BindTableFunction(const TableFunction& function, Span span) {
  auto made = std::make_shared<TableFunctionNode>();
  made->function = LowerAscii(function.name.last());
  made->span = span;
  if (function.lateral) return Unsupported(span, "LATERAL table functions");
  if (made->function == "table_changes" || made->function == "table_changes_by_path")
    return BindTableChanges(function, span);
  if (IsTableGenerator(made->function)) {
    if (function.stream || !function.options.empty())
      return Unsupported(span, "STREAM " + made->function);
    return BindGeneratorTable(function, span);
  }
  if (function.identified_by.has_value()) made->identified_by = function.identified_by->text;
  const Scope empty;
  ExpressionBinder binder(source_, options_, empty, nullptr);
  int position = 0;
  for (const Argument& argument : function.arguments) {
    const std::string key =
        argument.name.has_value() ? argument.name->text : fmt::format("#{}", position++);
    SLUICE_ASSIGN_OR_RETURN(auto bound, binder.Bind(*argument.value));
    SLUICE_ASSIGN_OR_RETURN(auto text,
                            Evaluator::EvaluateConstant(MakeCast(bound, arrow::utf8()), 0));
    made->args[key] =
        text->is_valid ? std::string(static_cast<const arrow::StringScalar&>(*text).view()) : "";
  }
  for (const Property& option : function.options) made->args[option.key] = option.value;
  SLUICE_ASSIGN_OR_RETURN(
      auto resolved, resolver_.ResolveTableFunction(made->function, made->args, function.stream));
  if (!resolved.has_value()) {
    static const std::vector<std::string> planned = {
        "read_files", "read_eventhubs",     "read_http",    "read_mqtt",   "read_database",
        "read_cdc",   "event_log",          "read_kinesis", "read_pubsub", "read_pulsar",
        "collations", "python_worker_logs", "sql_keywords"};
    if (std::find(planned.begin(), planned.end(), made->function) != planned.end()) {
      return Unsupported(function.name.span, "table function " + made->function);
    }
    return Error(
        function.name.span, "UNRESOLVABLE_TABLE_VALUED_FUNCTION",
        fmt::format("could not resolve `{}` to a table-valued function", function.name.last()));
  }
  made->schema = resolved->schema;
  made->is_streaming = function.stream || resolved->is_streaming;
  Scope scope = Scope::Of(*made->schema, {made->function});
  return BoundRelation{std::move(made), std::move(scope)};
}

Result<BoundRelation> QueryBinder::AddWatermark(const Watermark& watermark, BoundRelation input) {
  ExpressionBinder binder(source_, options_, input.scope, nullptr);
  SLUICE_ASSIGN_OR_RETURN(auto event_time, binder.Bind(*watermark.expr));
  if (event_time->type->id() != arrow::Type::TIMESTAMP) {
    return Error(
        watermark.span, "EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE",
        fmt::format("the event time {} has the invalid type \"{}\", expected \"TIMESTAMP\"",
                    ToString(*event_time), SparkTypeSql(*event_time->type)));
  }
  if (!event_time->IsColumn() && !watermark.alias.has_value()) {
    return Error(watermark.span, "REQUIRES_EXPLICIT_NAME_IN_WATERMARK_CLAUSE",
                 "the watermark clause requires an explicit name: WATERMARK expr AS name");
  }
  if (watermark.delay.months != 0)
    return Unsupported(watermark.span, "a watermark delay in months");
  int column = event_time->index;
  if (!event_time->IsColumn() || watermark.alias.has_value()) {
    std::vector<BoundPtr> columns;
    arrow::FieldVector fields = input.plan->schema->fields();
    for (int i = 0; i < input.plan->schema->num_fields(); ++i)
      columns.push_back(MakeColumn(i, *fields[static_cast<size_t>(i)]));
    column = static_cast<int>(columns.size());
    fields.push_back(FieldFor(watermark.alias->text, *event_time));
    columns.push_back(event_time);
    input.scope.columns.push_back(
        {{}, LowerAscii(watermark.alias->text), fields.back(), column, true});
    input.plan = MakeProject(std::move(input.plan), std::move(columns), std::move(fields));
  }
  auto made = std::make_shared<WatermarkNode>();
  made->schema = input.plan->schema;
  made->is_streaming = input.plan->is_streaming;
  made->inputs = {std::move(input.plan)};
  made->event_time = column;
  made->delay_micros = watermark.delay.microseconds;
  made->span = watermark.span;
  input.plan = std::move(made);
  return input;
}

Result<BoundRelation> QueryBinder::AddAlias(const TableAlias& alias, BoundRelation input,
                                            Span span) {
  const std::vector<std::string> qualifier = {LowerAscii(alias.name.text)};
  auto& columns = input.scope.columns;
  columns.erase(std::remove_if(columns.begin(), columns.end(),
                               [](const ScopeColumn& column) { return !column.in_star; }),
                columns.end());
  if (alias.columns.empty()) {
    for (ScopeColumn& column : columns) column.qualifier = qualifier;
    return input;
  }
  if (alias.columns.size() != columns.size()) {
    return Error(span, "ASSIGNMENT_ARITY_MISMATCH",
                 fmt::format("the number of columns or variables assigned or aliased: {} does not "
                             "match the number of source expressions: {}",
                             alias.columns.size(), columns.size()));
  }
  std::vector<BoundPtr> named;
  arrow::FieldVector fields;
  for (size_t i = 0; i < columns.size(); ++i) {
    named.push_back(MakeColumn(columns[i].index, *columns[i].field));
    fields.push_back(columns[i].field->WithName(alias.columns[i].text));
  }
  PlanPtr plan = MakeProject(std::move(input.plan), std::move(named), std::move(fields));
  Scope scope = Scope::Of(*plan->schema, qualifier);
  return BoundRelation{std::move(plan), std::move(scope)};
}

Result<BoundRelation> QueryBinder::BindRelation(const Relation& relation) {
  BoundRelation bound;
  if (auto* table = relation.As<TableRef>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindTable(*table, relation.span));
  } else if (auto* function = relation.As<TableFunction>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindTableFunction(*function, relation.span));
  } else if (auto* subquery = relation.As<SubqueryRelation>()) {
    SLUICE_ASSIGN_OR_RETURN(bound.plan, BindQuery(*subquery->query));
    bound.scope = Scope::Of(*bound.plan->schema, {"__auto_generated_subquery_name"});
  } else if (auto* values = relation.As<Values>()) {
    SLUICE_ASSIGN_OR_RETURN(bound.plan, BindValues(*values, relation.span));
    bound.scope = Scope::Of(*bound.plan->schema, {});
  } else if (auto* nested = relation.As<NestedRelation>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindRelation(*nested->inner));
  } else if (auto* join = relation.As<Join>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindJoin(*join, relation.span));
  } else if (auto* view = relation.As<LateralView>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindLateralView(*view, relation.span));
  } else if (auto* pivot = relation.As<Pivot>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindPivot(*pivot, relation.span));
  } else if (auto* unpivot = relation.As<Unpivot>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindUnpivot(*unpivot, relation.span));
  }
  if (relation.sample.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(bound.plan,
                            AddSample(*relation.sample, std::move(bound.plan), relation.span));
  }
  if (relation.watermark.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(bound, AddWatermark(*relation.watermark, std::move(bound)));
  }
  if (relation.alias.has_value()) {
    const size_t named = relation.alias->columns.size();
    if (relation.As<Values>() != nullptr && named > 0 &&
        named != static_cast<size_t>(bound.plan->schema->num_fields()))
      return Error(relation.span, "INVALID_INLINE_TABLE.NUM_COLUMNS_MISMATCH",
                   fmt::format("inline table expected {} columns but found {} columns", named,
                               bound.plan->schema->num_fields()));
    SLUICE_ASSIGN_OR_RETURN(bound, AddAlias(*relation.alias, std::move(bound), relation.span));
  }
  return bound;
}

}  // namespace sluice::sql
