// Turns a narrowed plan into readers: Arrow stages where expressions are computed, DuckDB SQL over
// column names (c0, c1, ...) where rows are joined, grouped, sorted or windowed. One compiler per
// query. Part of the query runner.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "sql/execution/duckdb_runtime.h"
#include "sql/execution/query_runner.h"
#include "sql/execution/query_stages_internal.h"
#include "sql/expressions/type_coercion.h"

namespace sluice::sql {

/// Rows on their way: either a reader, or SQL text that selects columns c0 .. cN of `schema`.
struct Fragment {
  ReaderPtr reader;
  std::string sql;
  std::vector<std::pair<std::string, ReaderPtr>> tables;  // what the SQL reads
  std::shared_ptr<arrow::Schema> schema;
  bool ends_with_order = false;  // LIMIT may be appended to the text
};

class QueryCompiler {
 public:
  /// All outlive the readers it makes, except the opener.
  QueryCompiler(DuckDbRuntime& runtime, const ScanOpener& open_scan,
                const NativeFunctions& functions, TimestampMicros clock)
      : runtime_(runtime), open_scan_(open_scan), functions_(functions), clock_(clock) {}

  Result<ReaderPtr> Compile(const PlanPtr& plan);

 private:
  Result<Fragment> Build(const PlanPtr& plan);
  Result<Fragment> BuildProject(const ProjectNode& project);
  Result<Fragment> BuildFilter(const FilterNode& filter);
  Result<Fragment> BuildAggregate(const AggregateNode& aggregate);
  Result<Fragment> BuildJoin(const JoinNode& join);
  /// The same by inner joins and numbered rows: any residual of an outer, semi or anti join.
  Result<Fragment> BuildByRowNumbers(const JoinNode& join);
  Result<Fragment> BuildDistinct(const DistinctNode& distinct);
  Result<Fragment> BuildSort(const SortNode& sort);
  Result<Fragment> BuildLimit(const LimitNode& limit);
  Result<Fragment> BuildSetOp(const SetOpNode& operation);
  Result<Fragment> BuildWindow(const WindowNode& window);
  Result<Fragment> BuildRecursion(const RecursionNode& recursion);
  Result<Fragment> BuildShared(const SharedNode& shared);
  /// `plan` with its parts that do not read TableNode `recursion` computed once.
  Result<PlanPtr> ComputeOnce(const PlanPtr& plan, int recursion);
  Result<ReaderPtr> OpenScan(const LogicalPlan& scan, std::vector<int> columns,
                             const BoundPtr& condition);

  /// `plan`'s rows with all its columns and then `extra`, which are computed here.
  Result<Fragment> BuildWith(const PlanPtr& plan, const std::vector<BoundPtr>& extra);
  Result<ReaderPtr> ToReader(Fragment fragment);
  /// As a parenthesised relation for FROM; its tables move to `into`.
  std::string ToSql(Fragment fragment, Fragment* into);
  Fragment FromReader(ReaderPtr reader);
  std::string NextName() { return "t" + std::to_string(next_table_++); }

  DuckDbRuntime& runtime_;
  const ScanOpener& open_scan_;
  const NativeFunctions& functions_;
  TimestampMicros clock_;
  int next_table_ = 0;
  std::map<std::shared_ptr<const int>, std::shared_ptr<arrow::Table>> shared_;  // by identity
};

/// The SQL of an aggregate over column names `args`, cast to its result type. `filter` is a column
/// name or empty. avg of decimals is not among them: it is made of sum and count.
Result<std::string> AggregateSql(const std::string& function, const std::vector<std::string>& args,
                                 bool distinct, bool ignore_nulls, const std::string& filter,
                                 const arrow::DataType& type,
                                 const std::vector<BoundPtr>& bound_args, const std::string& over);
/// The aggregate as the kernel over the list of a group's values. `add` puts an expression below
/// the aggregate and names it, `select` an aggregate's SQL into it.
Result<BoundPtr> ListedAggregate(const AggregateCall& call, const std::vector<bool>& listed,
                                 const std::string& over,
                                 const std::function<std::string(const BoundPtr&)>& add,
                                 const std::function<BoundPtr(std::string, TypePtr)>& select);
/// The average of decimals as sum / count.
Result<BoundPtr> DecimalAverage(const AggregateCall& call, const std::vector<std::string>& args,
                                const std::string& filter, const std::string& over,
                                const std::function<BoundPtr(std::string, TypePtr)>& select);
/// True for avg over decimals: computed as sum / count with decimal arithmetic.
bool IsDecimalAverage(const std::string& function, const arrow::DataType& type);
/// "c3 AS c0, c1 AS c1": a select list.
std::string SelectList(const std::vector<std::string>& expressions);
std::string ColumnSql(int index, const std::string& table = "");
/// What DuckDB orders by in place of `key`: of a nested value bytes of Spark's order.
BoundPtr OrderedBy(const BoundPtr& key);
std::string OrderSql(const std::vector<std::pair<std::string, const SortKey*>>& keys);

}  // namespace sluice::sql
