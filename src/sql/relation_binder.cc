// The relations of FROM: tables, table functions, joins, watermarks, aliases. Part of QueryBinder.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis_error.h"
#include "sql/data_type_parser.h"
#include "sql/evaluator.h"
#include "sql/query_binder_internal.h"
#include "sql/spark_type.h"

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

Result<BoundRelation> QueryBinder::BindTable(const TableRef& table, Span span) {
  if (table.time_travel.has_value()) return Unsupported(span, "VERSION AS OF and TIMESTAMP AS OF");
  if (table.changes.has_value()) return Unsupported(span, "CHANGES");
  std::vector<std::string> parts;
  std::vector<std::string> qualifier;
  for (const Name& part : table.name.parts) {
    parts.push_back(part.text);
    qualifier.push_back(LowerAscii(part.text));
  }
  if (parts.size() == 1 && !table.stream) {
    for (auto scope = common_tables_.rbegin(); scope != common_tables_.rend(); ++scope) {
      auto found = scope->find(qualifier[0]);
      if (found != scope->end() && found->second == nullptr)
        return Error(table.name.span, "INVALID_RECURSIVE_CTE",
                     fmt::format("the recursive table `{}` must be a UNION ALL of an anchor, which "
                                 "does not read it, and a step, which does",
                                 qualifier[0]));
      if (found != scope->end())
        return BoundRelation{found->second, Scope::Of(*found->second->schema, qualifier)};
    }
  }
  SLUICE_ASSIGN_OR_RETURN(auto resolved, resolver_.ResolveRelation(parts, table.stream));
  if (!resolved.has_value()) {
    std::string hint;
    for (const std::string& known : Suggestions(table.name.last(), resolver_.KnownRelations())) {
      hint += (hint.empty() ? "did you mean one of: " : ", ") + known;
    }
    return AnalysisError(
        source_, table.name.span, "TABLE_OR_VIEW_NOT_FOUND",
        fmt::format(
            "the table or view {} cannot be found. Verify the spelling and correctness of the "
            "schema and catalog",
            table.name.ToString()),
        hint);
  }
  if (resolved->plan != nullptr)
    return BoundRelation{resolved->plan, Scope::Of(*resolved->plan->schema, qualifier)};
  auto made = std::make_shared<ScanNode>();
  made->dataset = resolved->name;
  made->schema = resolved->schema;
  made->is_streaming = table.stream;
  made->span = span;
  for (const Property& option : table.options) made->options[option.key] = option.value;
  Scope scope = Scope::Of(*made->schema, qualifier);
  return BoundRelation{std::move(made), std::move(scope)};
}

Result<BoundRelation> QueryBinder::BindTableFunction(const TableFunction& function, Span span) {
  auto made = std::make_shared<TableFunctionNode>();
  made->function = LowerAscii(function.name.last());
  made->span = span;
  if (function.lateral) return Unsupported(span, "LATERAL table functions");
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

Status QueryBinder::SplitCondition(const BoundPtr& condition, int left_columns,
                                   JoinNode* join) const {
  std::vector<int> to_right(
      static_cast<size_t>(left_columns + join->inputs[1]->schema->num_fields()));
  for (size_t i = 0; i < to_right.size(); ++i) to_right[i] = static_cast<int>(i) - left_columns;
  auto side = [&](const BoundPtr& expression) {  // 1 left, 2 right, 3 both, 0 none
    int sides = 0;
    for (int column : ReferencedColumns(*expression)) sides |= column < left_columns ? 1 : 2;
    return sides;
  };
  std::vector<BoundPtr> rest;
  for (const BoundPtr& conjunct : SplitConjuncts(condition)) {
    const bool equality = conjunct->IsCall("=") || conjunct->IsCall("<=>");
    if (equality) {
      const int first = side(conjunct->args[0]);
      const int second = side(conjunct->args[1]);
      if ((first == 1 && second == 2) || (first == 2 && second == 1)) {
        join->left_keys.push_back(conjunct->args[first == 1 ? 0 : 1]);
        join->right_keys.push_back(RemapColumns(conjunct->args[first == 1 ? 1 : 0], to_right));
        join->null_safe.push_back(conjunct->name == "<=>");
        continue;
      }
    }
    rest.push_back(conjunct);
  }
  join->residual = JoinConjuncts(rest);
  return Status::OK();
}

JoinKind KindOf(JoinType type) {
  switch (type) {
    case JoinType::kInner: return JoinKind::kInner;
    case JoinType::kLeft: return JoinKind::kLeft;
    case JoinType::kRight: return JoinKind::kRight;
    case JoinType::kFull: return JoinKind::kFull;
    case JoinType::kCross: return JoinKind::kCross;
    case JoinType::kLeftSemi: return JoinKind::kLeftSemi;
    case JoinType::kLeftAnti: return JoinKind::kLeftAnti;
  }
  return JoinKind::kInner;
}

arrow::FieldVector JoinFields(const JoinNode& join) {
  arrow::FieldVector fields;
  const bool null_left = join.join == JoinKind::kRight || join.join == JoinKind::kFull;
  const bool null_right = join.join == JoinKind::kLeft || join.join == JoinKind::kFull;
  for (const auto& field : join.inputs[0]->schema->fields())
    fields.push_back(null_left ? field->WithNullable(true) : field);
  if (join.join == JoinKind::kLeftSemi || join.join == JoinKind::kLeftAnti) return fields;
  for (const auto& field : join.inputs[1]->schema->fields())
    fields.push_back(null_right ? field->WithNullable(true) : field);
  return fields;
}

Result<BoundRelation> QueryBinder::BindJoin(const Join& join, Span span) {
  SLUICE_ASSIGN_OR_RETURN(auto lateral, BindLateralJoin(join, span));
  if (lateral.has_value()) return *std::move(lateral);
  SLUICE_ASSIGN_OR_RETURN(auto left, BindRelation(*join.left));
  SLUICE_ASSIGN_OR_RETURN(auto right, BindRelation(*join.right));
  std::vector<std::string> names;
  for (const Name& name : join.using_columns) names.push_back(LowerAscii(name.text));
  if (join.natural) {
    for (const ScopeColumn& column : left.scope.columns) {
      for (const ScopeColumn& other : right.scope.columns) {
        if (column.in_star && other.in_star && other.name == column.name)
          names.push_back(column.name);
      }
    }
  }
  if (!names.empty()) return BindUsing(join, names, std::move(left), std::move(right), span);

  auto made = std::make_shared<JoinNode>();
  made->join = KindOf(join.type);
  made->inputs = {left.plan, right.plan};
  made->is_streaming = left.plan->is_streaming || right.plan->is_streaming;
  made->span = span;
  const int left_columns = left.plan->schema->num_fields();
  Scope both = left.scope;
  for (ScopeColumn column : right.scope.columns) {
    column.index += left_columns;
    both.columns.push_back(std::move(column));
  }
  if (join.on) {
    ExpressionBinder binder(source_, options_, both, nullptr);
    SLUICE_ASSIGN_OR_RETURN(auto condition, binder.Bind(*join.on));
    if (condition->type->id() != arrow::Type::BOOL && condition->type->id() != arrow::Type::NA)
      return Error(join.on->span, "JOIN_CONDITION_IS_NOT_BOOLEAN_TYPE",
                   fmt::format("the join condition {} has the invalid type \"{}\", expected "
                               "\"BOOLEAN\"",
                               ToString(*condition), SparkTypeSql(*condition->type)));
    SLUICE_ASSIGN_OR_RETURN(condition,
                            binder.functions().Coerce(condition, arrow::boolean(), "ON", 1));
    SLUICE_RETURN_NOT_OK(SplitCondition(condition, left_columns, made.get()));
  }
  if (made->join == JoinKind::kInner && made->left_keys.empty() && made->residual == nullptr)
    made->join = JoinKind::kCross;
  if (made->join == JoinKind::kCross && join.on) made->join = JoinKind::kInner;
  made->schema = arrow::schema(JoinFields(*made));
  Scope scope = made->schema->num_fields() == left_columns ? left.scope : both;
  for (ScopeColumn& column : scope.columns) column.field = made->schema->field(column.index);
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
  if (relation.sample.has_value()) return Unsupported(relation.span, "TABLESAMPLE");
  BoundRelation bound;
  if (auto* table = relation.As<TableRef>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindTable(*table, relation.span));
  } else if (auto* function = relation.As<TableFunction>()) {
    SLUICE_ASSIGN_OR_RETURN(bound, BindTableFunction(*function, relation.span));
  } else if (auto* subquery = relation.As<SubqueryRelation>()) {
    if (subquery->lateral) return Unsupported(relation.span, "LATERAL subqueries");
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
