// Windows of the query runner, and the aggregates that are more than one of DuckDB's.
#include <fmt/format.h>

#include "sql/analysis/aggregate_names.h"
#include "sql/analysis/query_binder.h"
#include "sql/execution/query_compiler_internal.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/type_coercion.h"

namespace sluice::sql {

Result<BoundPtr> ListedAggregate(const AggregateCall& call, const std::vector<bool>& listed,
                                 const std::string& over,
                                 const std::function<std::string(const BoundPtr&)>& add,
                                 const std::function<BoundPtr(std::string, TypePtr)>& select) {
  std::vector<std::string> columns;
  arrow::FieldVector fields;
  std::vector<BoundPtr> args(1);
  std::string filter;
  for (size_t i = 0; i < call.args.size(); ++i) {
    if (!listed[i]) {
      args.push_back(call.args[i]);
      continue;
    }
    columns.push_back(add(call.args[i]));
    fields.push_back(arrow::field(fmt::format("v{}", fields.size()), call.args[i]->type));
    if (SkipsNull(call.function, i))
      filter += (filter.empty() ? "" : " AND ") + columns.back() + " IS NOT NULL";
  }
  if (call.filter != nullptr) filter += (filter.empty() ? "" : " AND ") + add(call.filter);
  std::string value = columns[0];
  TypePtr type = fields[0]->type();
  if (columns.size() > 1) {
    value.clear();
    for (size_t i = 0; i < columns.size(); ++i)
      value += fmt::format("{}v{} := {}", i == 0 ? "" : ", ", i, columns[i]);
    value = "struct_pack(" + value + ")";
    type = arrow::struct_(fields);
  }
  const std::string where = filter.empty() ? "" : " FILTER (WHERE " + filter + ")";
  const std::string window = over.empty() ? "" : " OVER (" + over + ")";
  args[0] = select("coalesce(list(" + value + ")" + where + window + ", [])", SparkArray(type));
  return MakeCall("agg_" + call.function, std::move(args), call.type, call.nullable);
}

// sum / count with decimal arithmetic.
Result<BoundPtr> DecimalAverage(const AggregateCall& call, const std::vector<std::string>& args,
                                const std::string& filter, const std::string& over,
                                const std::function<BoundPtr(std::string, TypePtr)>& select) {
  const auto& input = static_cast<const arrow::Decimal128Type&>(*call.args[0]->type);
  const TypePtr sum_type = BoundedDecimal(input.precision() + 10, input.scale());
  SLUICE_ASSIGN_OR_RETURN(auto sum, AggregateSql("sum", args, call.distinct, false, filter,
                                                 *sum_type, call.args, over));
  SLUICE_ASSIGN_OR_RETURN(auto count, AggregateSql("count", args, call.distinct, false, filter,
                                                   *arrow::int64(), call.args, over));
  const BoundPtr total = select(std::move(sum), sum_type);
  const BoundPtr rows =
      MakeCast(select(std::move(count), arrow::int64()), arrow::decimal128(20, 0));
  const auto quotient = DecimalResult("/", static_cast<const arrow::Decimal128Type&>(*sum_type),
                                      static_cast<const arrow::Decimal128Type&>(*rows->type));
  const auto has_rows = MakeCall("isnotnull", {total}, arrow::boolean(), false);
  const auto average = MakeCast(MakeCall("/", {total, rows}, quotient, true), call.type);
  return MakeCall("case", {has_rows, average}, call.type, true);
}

namespace {

/// The window calls of one node as SQL over columns, and what is made of the rows that come back.
class WindowLowering {
 public:
  explicit WindowLowering(const WindowNode& node)
      : node_(node), columns_(node.input()->schema->num_fields()) {
    for (int i = 0; i < columns_; ++i) {
      selected.push_back(ColumnSql(i));
      fields.push_back(node.schema->field(i));
      results.push_back(MakeColumn(i, *node.schema->field(i)));
    }
  }

  std::vector<BoundPtr> extra;        // columns that are computed below
  std::vector<std::string> selected;  // the input's columns, then what the calls need
  arrow::FieldVector fields;          // of `selected`
  std::vector<BoundPtr> results;      // the node's columns over those
  bool plain = true;                  // `results` are just the columns

  Status Add(const WindowCall& call) {
    SLUICE_ASSIGN_OR_RETURN(const std::string over, Over(call));
    AggregateCall aggregate;
    aggregate.function = call.function;
    aggregate.args = call.args;
    aggregate.distinct = call.distinct;
    aggregate.ignore_nulls = call.ignore_nulls;
    aggregate.filter = call.filter;
    aggregate.type = call.type;
    aggregate.nullable = call.nullable;
    const auto add = [&](const BoundPtr& expression) { return Name(expression); };
    const auto select = [&](std::string sql, TypePtr type) {
      selected.push_back(std::move(sql));
      fields.push_back(arrow::field(ColumnSql(static_cast<int>(fields.size())), std::move(type)));
      return MakeColumn(static_cast<int>(fields.size()) - 1, *fields.back());
    };
    if (const auto listed = ListedArguments(call.function, call.args.size()); !listed.empty()) {
      plain = false;
      SLUICE_ASSIGN_OR_RETURN(auto result, ListedAggregate(aggregate, listed, over, add, select));
      results.push_back(std::move(result));
      return Status::OK();
    }
    const std::vector<std::string> args = Arguments(call);
    const std::string filter = call.filter == nullptr ? "" : Name(call.filter);
    if (IsDecimalAverage(call.function, *call.type)) {
      plain = false;
      SLUICE_ASSIGN_OR_RETURN(auto result, DecimalAverage(aggregate, args, filter, over, select));
      results.push_back(std::move(result));
      return Status::OK();
    }
    SLUICE_ASSIGN_OR_RETURN(
        auto sql, AggregateSql(call.function, args, call.distinct, call.ignore_nulls, filter,
                               *call.type, call.args, over));
    results.push_back(select(std::move(sql), call.type));
    return Status::OK();
  }

 private:
  std::string Name(const BoundPtr& expression) {
    if (expression->IsColumn()) return ColumnSql(expression->index);
    extra.push_back(expression);
    return ColumnSql(columns_ + static_cast<int>(extra.size()) - 1);
  }

  Result<std::string> Over(const WindowCall& call) {
    std::string over;
    for (const BoundPtr& partition : call.partition)
      over += (over.empty() ? "PARTITION BY " : ", ") + Name(partition);
    std::vector<std::pair<std::string, const SortKey*>> keys;
    for (const SortKey& key : call.order) keys.emplace_back(Name(OrderedBy(key.expression)), &key);
    // A distance in time is added without a time zone.
    const bool distance = call.frame.find("INTERVAL") != std::string::npos;
    if (distance) keys[0].first = fmt::format("CAST({} AS TIMESTAMP)", keys[0].first);
    if (!keys.empty()) over += " ORDER BY " + OrderSql(keys);
    if (!call.frame.empty()) over += " " + call.frame;
    return over.empty() ? " " : over;
  }

  std::vector<std::string> Arguments(const WindowCall& call) {
    std::vector<std::string> args;
    const size_t used = call.function == "percentile_approx" ? 1 : call.args.size();
    for (size_t i = 0; i < used; ++i) {
      const bool number = call.args[i]->IsLiteral() && IsIntegral(*call.args[i]->type) &&
                          call.args[i]->literal->is_valid && (i == 1 || call.function == "ntile");
      args.push_back(number ? call.args[i]->literal->ToString() : Name(call.args[i]));
    }
    return args;
  }

  const WindowNode& node_;
  const int columns_;
};

}  // namespace

Result<Fragment> QueryCompiler::BuildWindow(const WindowNode& window) {
  WindowLowering lowering(window);
  for (const WindowCall& call : window.calls) SLUICE_RETURN_NOT_OK(lowering.Add(call));
  SLUICE_ASSIGN_OR_RETURN(auto below, BuildWith(window.input(), lowering.extra));
  Fragment made;
  made.schema = lowering.plain ? window.schema : arrow::schema(lowering.fields);
  const std::string from = ToSql(std::move(below), &made);
  made.sql = fmt::format("SELECT {} FROM {}", SelectList(lowering.selected), from);
  if (lowering.plain) return made;
  SLUICE_ASSIGN_OR_RETURN(auto reader, ToReader(std::move(made)));
  SLUICE_ASSIGN_OR_RETURN(reader,
                          MakeProjectReader(std::move(reader), nullptr, std::move(lowering.results),
                                            window.schema, functions_, clock_));
  return FromReader(std::move(reader));
}

}  // namespace sluice::sql
