// Binds expressions of the AST in a scope: names to columns, functions to typed calls. Aggregates
// and window functions are set aside in `Collected` and stand in the expression as placeholder
// columns. Part of the analyzer.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/analysis/analyzer.h"
#include "sql/analysis/logical_plan.h"
#include "sql/ast/ast.h"
#include "sql/functions/function_binder.h"

namespace sluice::sql {

/// A name that can be used: a column of the input, with the names it may be qualified with.
struct ScopeColumn {
  std::vector<std::string> qualifier;  // lower case: {"silver", "events"} or {"e"}
  std::string name;                    // lower case
  std::shared_ptr<arrow::Field> field;
  int index = -1;
  bool in_star = true;  // false: the right copy of a USING column
};

struct Scope {
  std::vector<ScopeColumn> columns;

  static Scope Of(const arrow::Schema& schema, const std::vector<std::string>& qualifier);
};

/// Placeholders: column kAggregateBase + i is Collected::aggregates[i], kWindowBase + i is
/// Collected::windows[i].
inline constexpr int kAggregateBase = 1 << 24;
inline constexpr int kWindowBase = 1 << 25;
/// Column kLambdaBase + i is a parameter of a lambda that is being bound.
inline constexpr int kLambdaBase = 1 << 28;

struct Collected {
  std::vector<AggregateCall> aggregates;
  std::vector<WindowCall> windows;
  /// Index of an equal call, added when there is none.
  int Add(AggregateCall call);
};

class SubqueryBinder;

class ExpressionBinder {
 public:
  /// All outlive this. `collected` null: aggregates and window functions are refused.
  ExpressionBinder(const SourceText& source, const AnalyzerOptions& options, const Scope& scope,
                   Collected* collected)
      : source_(source),
        options_(options),
        scope_(scope),
        collected_(collected),
        functions_(source) {}

  /// Names of select items, by lower-case name: used where the scope has no such name.
  void SetAliases(const std::map<std::string, BoundPtr>* aliases, bool aliases_first = false) {
    aliases_ = aliases;
    aliases_first_ = aliases_first;
  }
  /// Columns of the query around: used where neither the scope nor an alias has the name.
  void SetOuter(const Scope* outer) { outer_ = outer; }
  /// Null: subqueries are refused.
  void SetSubqueries(SubqueryBinder* subqueries) { subqueries_ = subqueries; }
  void SetNamedWindows(const std::vector<NamedWindow>* windows) { named_windows_ = windows; }

  Result<BoundPtr> Bind(const Expr& expr);
  FunctionBinder& functions() { return functions_; }
  /// Window functions of an expression that is bound only for its type are not kept.
  static bool HasAggregate(const BoundExpression& expression);
  static bool HasWindow(const BoundExpression& expression);

 private:
  Result<BoundPtr> BindNode(const Literal& literal, const Expr& expr);
  Result<BoundPtr> BindColumn(const ColumnRef& column, const Expr& expr);
  Result<BoundPtr> FindColumn(const Scope& scope, int base, const std::vector<Name>& parts,
                              Span span);
  Result<BoundPtr> BindFields(BoundPtr value, const std::vector<Name>& parts, size_t from,
                              Span span);
  Result<BoundPtr> BindFieldOf(BoundPtr value, const Name& name, Span span);
  Result<BoundPtr> BindCall(const FunctionCall& call, const Expr& expr);
  Result<BoundPtr> BindLambdaCall(const std::string& name, const FunctionCall& call,
                                  const Expr& expr);
  Result<BoundLambda> BindLambda(const Expr& expr, const std::string& function,
                                 const std::vector<TypePtr>& parameters, size_t required,
                                 std::vector<BoundPtr>* captured);
  /// A parameter of a lambda around; null when none has the name.
  BoundPtr FindParameter(const Name& name, Span span) const;
  Result<BoundPtr> BindGrouping(const std::string& name, const FunctionCall& call,
                                const Expr& expr);
  Result<BoundPtr> BindStructCall(const FunctionCall& call, const Expr& expr);
  Result<BoundPtr> BindAggregate(const std::string& name, const FunctionCall& call,
                                 const Expr& expr);
  Result<AggregateCall> MakeAggregate(const std::string& name, const FunctionCall& call,
                                      const Expr& expr);
  Result<BoundPtr> BindWindow(const std::string& name, const FunctionCall& call, const Expr& expr);
  Status TypeAggregate(AggregateCall* call, const std::string& written);
  /// Types the aggregates of aggregate_types.cc; false for another.
  Result<bool> TypeLessUsual(AggregateCall* call, const std::string& written);
  Status TypeStatistics(AggregateCall* call, const std::string& written);
  Status TypePercentile(AggregateCall* call, const std::string& written);
  Status TypeListAgg(AggregateCall* call, const std::string& written);
  Status TypeBestOf(AggregateCall* call, const std::string& written);
  Status ConstantPercentages(AggregateCall* call, size_t index);
  Status ReadWithinGroup(AggregateCall* call, std::vector<SortKey> keys);
  Status TypeWindow(WindowCall* call, const std::string& written, Span span);
  Status BindWindowFunction(const std::string& name, const FunctionCall& call, const Expr& expr,
                            WindowCall* made);
  Status BindFrame(const WindowFrame& frame, const std::vector<SortKey>& order, WindowCall* call,
                   Span span);
  Status BindOffset(const FrameBound& bound, bool rows, const arrow::DataType& key,
                    std::shared_ptr<arrow::Scalar>* offset);
  Result<const WindowSpec*> ResolveWindow(const WindowSpec& spec);
  Result<BoundPtr> BindSubquery(const Expr& expr);
  Result<BoundPtr> BindLike(const Like& like, const Expr& expr);
  Result<BoundPtr> BindCase(const Case& node, const Expr& expr);
  Result<BoundPtr> BindIs(const Is& node, const Expr& expr);
  Result<BoundPtr> BindNotOf(const Expr& operand, Span span);
  Result<BoundPtr> BindUnary(const Unary& node, const Expr& expr);
  Result<BoundPtr> BindBinary(const Binary& node, const Expr& expr);
  Result<BoundPtr> BindTrim(const Trim& node, const Expr& expr);
  Result<BoundPtr> Negated(Result<BoundPtr> bound, bool negated, Span span);
  Status UnresolvedColumn(const std::vector<Name>& parts, Span span) const;
  Result<std::vector<SortKey>> BindOrder(const std::vector<OrderItem>& items);

  const SourceText& source_;
  const AnalyzerOptions& options_;
  const Scope& scope_;
  Collected* collected_;
  FunctionBinder functions_;
  const std::map<std::string, BoundPtr>* aliases_ = nullptr;
  bool aliases_first_ = false;
  const std::vector<NamedWindow>* named_windows_ = nullptr;
  const Scope* outer_ = nullptr;
  SubqueryBinder* subqueries_ = nullptr;
  bool inside_aggregate_ = false;
  std::vector<std::pair<std::string, TypePtr>> lambda_parameters_;  // innermost last
};

/// Whether the aggregate function (canonical) may have WITHIN GROUP (ORDER BY ..).
bool IsOrderedAggregate(const std::string& function);

}  // namespace sluice::sql
