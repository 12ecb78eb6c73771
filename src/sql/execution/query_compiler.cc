#include "sql/execution/query_compiler_internal.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "sql/analysis/aggregate_names.h"
#include "sql/analysis/query_binder.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/type_coercion.h"

namespace sluice::sql {
namespace {

bool OnlyColumns(const std::vector<BoundPtr>& expressions) {
  return std::all_of(expressions.begin(), expressions.end(),
                     [](const BoundPtr& e) { return e->IsColumn(); });
}

std::vector<BoundPtr> AllColumns(const arrow::Schema& schema) {
  std::vector<BoundPtr> columns;
  for (int i = 0; i < schema.num_fields(); ++i) columns.push_back(MakeColumn(i, *schema.field(i)));
  return columns;
}

std::shared_ptr<arrow::Schema> Numbered(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (int i = 0; i < schema.num_fields(); ++i)
    fields.push_back(arrow::field(ColumnSql(i), schema.field(i)->type()));
  return arrow::schema(std::move(fields));
}

}  // namespace

Fragment QueryCompiler::FromReader(ReaderPtr reader) {
  Fragment fragment;
  fragment.schema = reader->schema();
  fragment.reader = std::move(reader);
  return fragment;
}

std::string QueryCompiler::ToSql(Fragment fragment, Fragment* into) {
  if (fragment.reader == nullptr) {
    for (auto& table : fragment.tables) into->tables.push_back(std::move(table));
    return "(" + fragment.sql + ")";
  }
  const std::string name = NextName();
  ReaderPtr reader = std::move(fragment.reader);
  auto schema = Numbered(*reader->schema());
  if (schema->num_fields() ==
      0) {  // DuckDB has no table without columns: one of nothing stands for the row count
    auto nothing = MakeLiteral(arrow::MakeScalar(false));
    schema = arrow::schema({arrow::field("c0", arrow::boolean())});
    auto made =
        MakeProjectReader(std::move(reader), nullptr, {nothing}, schema, functions_, clock_);
    reader = std::move(made).ValueOrDie();
  }
  into->tables.emplace_back(name, MakeRenamingReader(std::move(reader), std::move(schema)));
  return name;
}

Result<ReaderPtr> QueryCompiler::ToReader(Fragment fragment) {
  if (fragment.reader != nullptr) return std::move(fragment.reader);
  SLUICE_ASSIGN_OR_RETURN(auto connection, runtime_.Connect());
  for (auto& [name, reader] : fragment.tables)
    SLUICE_RETURN_NOT_OK(connection->Register(name, std::move(reader)));
  return connection->Query(fragment.sql, fragment.schema);
}

Result<ReaderPtr> QueryCompiler::OpenScan(const LogicalPlan& scan, std::vector<int> columns,
                                          const BoundPtr& condition) {
  if (scan.is_streaming)
    return MakeError("UNSUPPORTED_STREAMING_OPERATOR",
                     "a stream cannot be read by a bounded query");
  std::vector<SimplePredicate> predicates = SimplePredicates(condition);
  for (SimplePredicate& predicate : predicates)
    predicate.column = columns[static_cast<size_t>(predicate.column)];
  return open_scan_(scan, columns, predicates);
}

Result<Fragment> QueryCompiler::BuildProject(const ProjectNode& project) {
  const PlanPtr& input = project.input();
  const bool is_scan =
      input->kind == PlanKind::kScan || input->kind == PlanKind::kTableFunctionScan;
  if (is_scan && OnlyColumns(project.expressions)) {
    std::vector<int> columns;
    for (const BoundPtr& column : project.expressions) columns.push_back(column->index);
    if (std::is_sorted(columns.begin(), columns.end()) &&
        std::adjacent_find(columns.begin(), columns.end()) == columns.end()) {
      SLUICE_ASSIGN_OR_RETURN(auto reader, OpenScan(*input, columns, nullptr));
      return FromReader(MakeRenamingReader(std::move(reader), project.schema));
    }
  }
  BoundPtr condition;
  Fragment below;
  if (input->kind == PlanKind::kFilter) {
    condition = As<FilterNode>(*input).condition;
    SLUICE_ASSIGN_OR_RETURN(below, BuildFilter(As<FilterNode>(*input)));
    if (below.reader == nullptr) condition = nullptr;
  } else {
    SLUICE_ASSIGN_OR_RETURN(below, Build(input));
  }
  // Only picks columns: stays SQL. An order would get lost in a subquery.
  if (below.reader == nullptr && OnlyColumns(project.expressions) && !below.ends_with_order &&
      !project.expressions.empty()) {
    std::vector<std::string> columns;
    for (const BoundPtr& column : project.expressions) columns.push_back(ColumnSql(column->index));
    Fragment made;
    made.schema = project.schema;
    const std::string from = ToSql(std::move(below), &made);
    made.sql = fmt::format("SELECT {} FROM {}", SelectList(columns), from);
    return made;
  }
  SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(below)));
  SLUICE_ASSIGN_OR_RETURN(reader, MakeProjectReader(std::move(reader), nullptr, project.expressions,
                                                    project.schema, functions_, clock_));
  return FromReader(std::move(reader));
}

Result<Fragment> QueryCompiler::BuildFilter(const FilterNode& filter) {
  ReaderPtr input;
  const PlanPtr& below = filter.input();
  const bool picks_scan = below->kind == PlanKind::kProject &&
                          OnlyColumns(As<ProjectNode>(*below).expressions) &&
                          (below->input()->kind == PlanKind::kScan ||
                           below->input()->kind == PlanKind::kTableFunctionScan);
  if (picks_scan) {
    std::vector<int> columns;
    for (const BoundPtr& column : As<ProjectNode>(*below).expressions)
      columns.push_back(column->index);
    SLUICE_ASSIGN_OR_RETURN(input, OpenScan(*below->input(), columns, filter.condition));
  } else if (below->kind == PlanKind::kScan || below->kind == PlanKind::kTableFunctionScan) {
    std::vector<int> columns(static_cast<size_t>(below->schema->num_fields()));
    std::iota(columns.begin(), columns.end(), 0);
    SLUICE_ASSIGN_OR_RETURN(input, OpenScan(*below, columns, filter.condition));
  } else {
    SLUICE_ASSIGN_OR_RETURN(auto fragment, Build(below));
    SLUICE_ASSIGN_OR_RETURN(input, ToReader(std::move(fragment)));
  }
  SLUICE_ASSIGN_OR_RETURN(
      auto reader, MakeProjectReader(std::move(input), filter.condition, AllColumns(*filter.schema),
                                     filter.schema, functions_, clock_));
  return FromReader(std::move(reader));
}

Result<Fragment> QueryCompiler::BuildWith(const PlanPtr& plan, const std::vector<BoundPtr>& extra) {
  if (extra.empty()) return Build(plan);
  std::vector<BoundPtr> expressions = AllColumns(*plan->schema);
  arrow::FieldVector fields = plan->schema->fields();
  for (const BoundPtr& expression : extra) {
    expressions.push_back(expression);
    fields.push_back(FieldFor(ColumnSql(static_cast<int>(fields.size())), *expression));
  }
  return BuildProject(
      As<ProjectNode>(*MakeProject(plan, std::move(expressions), std::move(fields))));
}

Result<Fragment> QueryCompiler::BuildAggregate(const AggregateNode& node) {
  // Below the aggregate: its groups, arguments and filters as columns.
  std::vector<BoundPtr> columns = node.groups;
  auto add = [&](const BoundPtr& expression) {
    columns.push_back(expression);
    return ColumnSql(static_cast<int>(columns.size()) - 1);
  };
  std::vector<std::string> selected;
  std::vector<std::string> grouped;
  for (size_t i = 0; i < node.groups.size(); ++i) grouped.push_back(ColumnSql(static_cast<int>(i)));
  selected = grouped;
  arrow::FieldVector fields(
      node.schema->fields().begin(),
      node.schema->fields().begin() + static_cast<std::ptrdiff_t>(grouped.size()));
  std::vector<BoundPtr> results;  // over what DuckDB returns
  for (size_t i = 0; i < grouped.size(); ++i)
    results.push_back(MakeColumn(static_cast<int>(i), *fields[i]));
  bool plain = true;
  auto select = [&](std::string sql, TypePtr type) {
    selected.push_back(std::move(sql));
    fields.push_back(arrow::field(ColumnSql(static_cast<int>(fields.size())), std::move(type)));
    return MakeColumn(static_cast<int>(fields.size()) - 1, *fields.back());
  };
  for (const AggregateCall& call : node.calls) {
    if (const auto listed = ListedArguments(call.function, call.args.size()); !listed.empty()) {
      plain = false;
      SLUICE_ASSIGN_OR_RETURN(auto result, ListedAggregate(call, listed, "", add, select));
      results.push_back(std::move(result));
      continue;
    }
    std::vector<std::string> args;
    const size_t used = call.function == "percentile_approx" ? 1 : call.args.size();
    for (size_t i = 0; i < used; ++i) args.push_back(add(call.args[i]));
    const std::string filter = call.filter == nullptr ? "" : add(call.filter);
    if (!IsDecimalAverage(call.function, *call.type)) {
      SLUICE_ASSIGN_OR_RETURN(
          auto sql, AggregateSql(call.function, args, call.distinct, call.ignore_nulls, filter,
                                 *call.type, call.args, ""));
      results.push_back(select(std::move(sql), call.type));
      continue;
    }
    plain = false;
    SLUICE_ASSIGN_OR_RETURN(auto average, DecimalAverage(call, args, filter, "", select));
    results.push_back(std::move(average));
  }
  arrow::FieldVector inner;
  for (const BoundPtr& column : columns)
    inner.push_back(FieldFor(ColumnSql(static_cast<int>(inner.size())), *column));
  SLUICE_ASSIGN_OR_RETURN(
      auto below,
      BuildProject(As<ProjectNode>(*MakeProject(node.input(), columns, std::move(inner)))));
  Fragment made;
  made.schema = arrow::schema(fields);
  const std::string from = ToSql(std::move(below), &made);
  if (selected.empty()) selected.push_back("count(*)");
  made.sql = fmt::format("SELECT {} FROM {}{}{}", SelectList(selected), from,
                         grouped.empty() ? "" : " GROUP BY ", fmt::join(grouped, ", "));
  if (fields.empty()) made.schema = arrow::schema({arrow::field("c0", arrow::int64())});
  if (plain && !fields.empty()) return made;
  SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(made)));
  SLUICE_ASSIGN_OR_RETURN(reader, MakeProjectReader(std::move(reader), nullptr, std::move(results),
                                                    node.schema, functions_, clock_));
  return FromReader(std::move(reader));
}

Result<Fragment> QueryCompiler::BuildDistinct(const DistinctNode& distinct) {
  SLUICE_ASSIGN_OR_RETURN(auto below, Build(distinct.input()));
  Fragment made;
  made.schema = distinct.schema;
  made.sql = "SELECT DISTINCT * FROM " + ToSql(std::move(below), &made);
  return made;
}

Result<Fragment> QueryCompiler::BuildSort(const SortNode& sort) {
  std::vector<BoundPtr> extra;
  std::vector<std::pair<std::string, const SortKey*>> keys;
  const int columns = sort.schema->num_fields();
  for (const SortKey& key : sort.keys) {
    const BoundPtr ordered = OrderedBy(key.expression);
    if (ordered->IsColumn()) {
      keys.emplace_back(ColumnSql(ordered->index), &key);
      continue;
    }
    extra.push_back(ordered);
    keys.emplace_back(ColumnSql(columns + static_cast<int>(extra.size()) - 1), &key);
  }
  SLUICE_ASSIGN_OR_RETURN(auto below, BuildWith(sort.input(), extra));
  Fragment made;
  made.schema = sort.schema;
  std::vector<std::string> selected;
  for (int i = 0; i < columns; ++i) selected.push_back(ColumnSql(i));
  const std::string from = ToSql(std::move(below), &made);
  made.sql =
      fmt::format("SELECT {} FROM {} ORDER BY {}", SelectList(selected), from, OrderSql(keys));
  made.ends_with_order = true;
  return made;
}

Result<Fragment> QueryCompiler::BuildLimit(const LimitNode& limit) {
  SLUICE_ASSIGN_OR_RETURN(auto below, Build(limit.input()));
  if (below.ends_with_order) {
    if (limit.limit >= 0) below.sql += fmt::format(" LIMIT {}", limit.limit);
    if (limit.offset > 0) below.sql += fmt::format(" OFFSET {}", limit.offset);
    SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(below)));
    return FromReader(std::move(reader));
  }
  SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(below)));
  return FromReader(MakeLimitReader(std::move(reader), limit.offset, limit.limit));
}

Result<Fragment> QueryCompiler::BuildSetOp(const SetOpNode& operation) {
  SLUICE_ASSIGN_OR_RETURN(auto left, Build(operation.inputs[0]));
  SLUICE_ASSIGN_OR_RETURN(auto right, Build(operation.inputs[1]));
  if (operation.op == SetOpKind::kUnion && operation.all) {
    SLUICE_ASSIGN_OR_RETURN(auto first, ToReader(std::move(left)));
    SLUICE_ASSIGN_OR_RETURN(auto second, ToReader(std::move(right)));
    return FromReader(MakeConcatReader(std::move(first), std::move(second), operation.schema));
  }
  const char* op = operation.op == SetOpKind::kUnion       ? "UNION"
                   : operation.op == SetOpKind::kIntersect ? "INTERSECT"
                                                           : "EXCEPT";
  Fragment made;
  made.schema = operation.schema;
  const std::string first = ToSql(std::move(left), &made);
  const std::string second = ToSql(std::move(right), &made);
  made.sql = fmt::format("SELECT * FROM {} {}{} SELECT * FROM {}", first, op,
                         operation.all ? " ALL" : "", second);
  made.sql = "SELECT * FROM (" + made.sql + ")";
  return made;
}

Result<Fragment> QueryCompiler::BuildShared(const SharedNode& shared) {
  auto found = shared_.find(shared.identity);
  if (found == shared_.end()) {
    SLUICE_ASSIGN_OR_RETURN(auto fragment, Build(shared.input()));
    SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(fragment)));
    reader = MakeRenamingReader(std::move(reader), shared.schema);
    SLUICE_ASSIGN_OR_RETURN(auto rows, reader->ToTable());
    found = shared_.emplace(shared.identity, std::move(rows)).first;
  }
  return FromReader(std::make_shared<arrow::TableBatchReader>(found->second));
}

Result<Fragment> QueryCompiler::Build(const PlanPtr& plan) {
  switch (plan->kind) {
    case PlanKind::kScan:
    case PlanKind::kTableFunctionScan: {
      std::vector<int> columns(static_cast<size_t>(plan->schema->num_fields()));
      std::iota(columns.begin(), columns.end(), 0);
      SLUICE_ASSIGN_OR_RETURN(auto reader, OpenScan(*plan, std::move(columns), nullptr));
      return FromReader(std::move(reader));
    }
    case PlanKind::kValues: {
      SLUICE_ASSIGN_OR_RETURN(auto reader, MakeValuesReader(As<ValuesNode>(*plan), clock_));
      return FromReader(std::move(reader));
    }
    case PlanKind::kProject: return BuildProject(As<ProjectNode>(*plan));
    case PlanKind::kFilter: return BuildFilter(As<FilterNode>(*plan));
    case PlanKind::kAggregate: return BuildAggregate(As<AggregateNode>(*plan));
    case PlanKind::kJoin: return BuildJoin(As<JoinNode>(*plan));
    case PlanKind::kDistinct: return BuildDistinct(As<DistinctNode>(*plan));
    case PlanKind::kWindow: return BuildWindow(As<WindowNode>(*plan));
    case PlanKind::kSort: return BuildSort(As<SortNode>(*plan));
    case PlanKind::kLimit: return BuildLimit(As<LimitNode>(*plan));
    case PlanKind::kSetOp: return BuildSetOp(As<SetOpNode>(*plan));
    case PlanKind::kWatermark: return Build(plan->input());
    case PlanKind::kGenerate: {
      SLUICE_ASSIGN_OR_RETURN(auto below, Build(plan->input()));
      SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(below)));
      SLUICE_ASSIGN_OR_RETURN(
          reader,
          MakeGenerateReader(std::move(reader), std::static_pointer_cast<const GenerateNode>(plan),
                             functions_, clock_));
      return FromReader(std::move(reader));
    }
    case PlanKind::kRecursion: return BuildRecursion(As<RecursionNode>(*plan));
    case PlanKind::kTable:
      return FromReader(std::make_shared<arrow::TableBatchReader>(As<TableNode>(*plan).table));
    case PlanKind::kShared: return BuildShared(As<SharedNode>(*plan));
    case PlanKind::kSample: {
      SLUICE_ASSIGN_OR_RETURN(auto below, Build(plan->input()));
      SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(below)));
      const auto& sample = As<SampleNode>(*plan);
      return FromReader(MakeSampleReader(std::move(reader), sample.fraction, sample.seed));
    }
    case PlanKind::kDedupFirst: break;
  }
  return MakeError("UNSUPPORTED_STREAMING_OPERATOR",
                   "deduplication of a stream in a bounded query");
}

Result<ReaderPtr> QueryCompiler::Compile(const PlanPtr& plan) {
  SLUICE_ASSIGN_OR_RETURN(auto fragment, Build(plan));
  SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(fragment)));
  return MakeRenamingReader(std::move(reader), plan->schema);
}

}  // namespace sluice::sql
