// Binds queries: relations of FROM, common tables, set operations, and (select_binder) SELECT. Part
// of the analyzer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/analysis/analyzer.h"
#include "sql/analysis/expression_binder_internal.h"
#include "sql/analysis/subquery_binder_internal.h"

namespace sluice::sql {

/// A relation of FROM: its plan and the names it offers.
struct BoundRelation {
  PlanPtr plan;
  Scope scope;
};

/// A generator, bound: see GenerateNode. `columns` are what it adds.
struct Generator {
  BoundPtr list;
  bool spread = false;
  bool positions = false;
  bool outer = false;
  arrow::FieldVector columns;
};

class QueryBinder {
 public:
  QueryBinder(RelationResolver& resolver, const SourceText& source, const AnalyzerOptions& options)
      : resolver_(resolver), source_(source), options_(options) {}

  Result<PlanPtr> BindQuery(const Query& query);
  /// A subquery that may use the columns of `outer`, as columns kOuterBase + i.
  Result<PlanPtr> BindSubquery(const Query& query, const Scope& outer);
  Result<BoundRelation> BindRelation(const Relation& relation);

  RelationResolver& resolver() { return resolver_; }
  const SourceText& source() const { return source_; }
  const AnalyzerOptions& options() const { return options_; }
  /// The columns of the query around; null when there is none.
  const Scope* outer() const { return outer_; }

  /// LIMIT and OFFSET of `query` put over `plan`.
  Result<PlanPtr> AddLimit(const Query& query, PlanPtr plan);
  /// A number of rows as LIMIT takes it.
  Result<int64_t> RowCountOf(const Expr& expr);
  /// Whether rows can be put into Spark's order by it.
  Status CheckOrdered(const BoundExpression& key, Span span) const;
  Status Error(Span span, std::string_view error_class, const std::string& message) const;
  Status Unsupported(Span span, const std::string& what) const;

 private:
  /// Enters a table of WITH RECURSIVE.
  Status BindRecursive(const CommonTable& table);
  Result<PlanPtr> BindStep(const CommonTable& table, const SetOperation& body, PlanPtr anchor);
  /// `plan` under the column names that `table` gives.
  Result<PlanPtr> NameColumns(const CommonTable& table, PlanPtr plan);
  Result<PlanPtr> BindBody(const Query& query);
  Result<PlanPtr> BindSetOperation(const SetOperation& operation, Span span);
  Result<PlanPtr> BindValues(const Values& values, Span span);
  Result<BoundRelation> BindTable(const TableRef& table, Span span);
  /// What the resolver found, put into the plan.
  BoundRelation RelationOf(const ResolvedRelation& resolved, const TableRef& table,
                           const std::vector<std::string>& qualifier, Span span) const;
  /// Null when it names none; null inside when it is being bound.
  const PlanPtr* FindCommonTable(const TableRef& table) const;
  /// An error of the resolver at its place in the text.
  Status Placed(const Status& status, Span span) const;
  Status NoSuchTable(const QualifiedName& name);
  Result<BoundRelation> BindTableAt(const TableRef& table, Span span);
  Result<TableMoment> MomentOf(const Expr& value, bool by_timestamp);
  Result<BoundRelation> BindTableChanges(const TableFunction& function, Span span);
  Result<BoundRelation> BindTableFunction(const TableFunction& function, Span span);
  Result<BoundRelation> BindJoin(const Join& join, Span span);
  Result<BoundRelation> BindUsing(const Join& join, const std::vector<std::string>& names,
                                  BoundRelation left, BoundRelation right, Span span);
  Result<BoundRelation> BindLateralView(const LateralView& view, Span span);
  Result<BoundRelation> BindPivot(const Pivot& pivot, Span span);
  Result<BoundRelation> BindUnpivot(const Unpivot& unpivot, Span span);
  Result<BoundRelation> BindGeneratorTable(const TableFunction& function, Span span);
  /// Nothing when the join is not one with a LATERAL generator.
  Result<std::optional<BoundRelation>> BindLateralJoin(const Join& join, Span span);
  Result<BoundRelation> AddGenerator(BoundRelation input, const std::string& name,
                                     const std::vector<Argument>& arguments, bool outer,
                                     const std::vector<Name>& aliases, const std::string& qualifier,
                                     Span span);
  Result<PlanPtr> AddSample(const TableSample& sample, PlanPtr plan, Span span);
  Result<BoundRelation> AddWatermark(const Watermark& watermark, BoundRelation input);
  Result<BoundRelation> AddAlias(const TableAlias& alias, BoundRelation input, Span span);
  /// ON of `join`, whose kind and inputs are set, and its schema.
  Result<PlanPtr> AddOn(const Expr& on, const Scope& both, std::shared_ptr<JoinNode> join);
  Result<PlanPtr> AddSubqueries(SubqueryBinder* subqueries, BoundPtr condition,
                                std::shared_ptr<JoinNode> join, Span span);
  /// Nothing when the right side is not LATERAL (SELECT ..).
  Result<std::optional<BoundRelation>> BindLateralSubquery(const Join& join, Span span);
  Result<std::pair<PlanPtr, PlanPtr>> UnifyColumns(PlanPtr left, PlanPtr right, Span span);

  RelationResolver& resolver_;
  const SourceText& source_;
  const AnalyzerOptions& options_;
  std::vector<std::map<std::string, PlanPtr>> common_tables_;  // null: being bound
  /// What the common tables with columns of a query around were bound in.
  std::map<const LogicalPlan*, const Scope*> common_outer_;
  const Scope* outer_ = nullptr;
  int recursions_ = 0;
  int depth_ = 0;
};

/// SELECT with the ORDER BY of the query around it.
Result<PlanPtr> BindSelect(QueryBinder* queries, const Select& select,
                           const std::vector<OrderItem>& order_by, Span span);

/// The columns that `star` stands for; their `name` is that of the result column.
Result<std::vector<BoundPtr>> BindStar(const QueryBinder& queries, const Scope& scope,
                                       const Star& star, Span span);

/// Whether a function in lower case makes rows.
bool IsGenerator(const std::string& name);
/// The same, or one that stands in FROM only.
bool IsTableGenerator(const std::string& name);
Result<Generator> BindGenerator(ExpressionBinder* binder, const std::string& name,
                                const std::vector<Argument>& arguments, Span span);
/// The names of its columns: `aliases`, or its own when there are none.
Result<std::vector<std::string>> GeneratorNames(const FunctionBinder& functions,
                                                const Generator& generator,
                                                const std::vector<Name>& aliases, Span span);
PlanPtr MakeGenerate(PlanPtr input, const Generator& generator,
                     const std::vector<std::string>& names);

/// window(..) of a GROUP BY; null when it has none.
Result<BoundPtr> BindGroupWindow(ExpressionBinder* binder, const GroupBy& group_by);
/// `plan` with the columns of a generator in the select list behind its own. A SELECT may have one:
/// `generated` says whether it has.
Result<PlanPtr> AddGenerator(PlanPtr plan, ExpressionBinder* binder, const FunctionCall& call,
                             const SelectItem& item, bool* generated);

JoinKind KindOf(JoinType type);
/// Adds `condition`, over the left columns followed by the right ones, to keys and residual.
void SplitJoinCondition(const BoundPtr& condition, int left_columns, JoinNode* join);
/// The columns of a join whose kind and inputs are set.
arrow::FieldVector JoinFields(const JoinNode& join);
PlanPtr MakeProject(PlanPtr input, std::vector<BoundPtr> expressions, arrow::FieldVector fields);
PlanPtr MakeLimit(PlanPtr input, int64_t limit, int64_t offset);
PlanPtr MakeFilter(PlanPtr input, BoundPtr condition);
PlanPtr MakeSort(PlanPtr input, std::vector<SortKey> keys);
/// A field of the result column `expression` called `name`.
std::shared_ptr<arrow::Field> FieldFor(const std::string& name, const BoundExpression& expression);

}  // namespace sluice::sql
