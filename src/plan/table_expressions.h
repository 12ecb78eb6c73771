// SQL texts over the columns of a table, for the Delta library: constraints, generated columns,
// defaults, conditions of DML. One owner; the functions it makes are called from one thread each.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "delta/columns/expression.h"
#include "sql/analysis/relation_resolver.h"
#include "sql/expressions/bound_expression.h"

namespace sluice::plan {

/// For expressions that see columns only: no table can be named in them.
class NoRelations : public sql::RelationResolver {
 public:
  Result<std::optional<sql::ResolvedRelation>> ResolveRelation(const std::vector<std::string>&,
                                                               bool) override {
    return std::nullopt;
  }
  Result<std::optional<sql::ResolvedTableFunction>> ResolveTableFunction(
      const std::string&, const std::map<std::string, std::string>&, bool) override {
    return std::nullopt;
  }
};

/// `bound` over rows of `columns`. `clock` outlives the function.
Result<delta::RowFunction> RowFunctionOf(const sql::BoundPtr& bound,
                                         const std::shared_ptr<arrow::Schema>& columns,
                                         Clock& clock);
/// A BOOLEAN `bound` over the rows of a table; its text is left empty.
Result<delta::RowCondition> RowConditionOf(const sql::BoundPtr& bound,
                                           const std::shared_ptr<arrow::Schema>& columns,
                                           Clock& clock);

class TableExpressions : public delta::ExpressionCompiler {
 public:
  /// `clock` outlives this and the functions made; current_timestamp() is its time.
  explicit TableExpressions(Clock& clock) : clock_(clock) {}

  Result<delta::RowFunction> Compile(const std::string& text,
                                     const std::shared_ptr<arrow::Schema>& columns,
                                     const std::shared_ptr<arrow::DataType>& type) override;
  Result<delta::RowCondition> CompileCondition(const std::string& text,
                                               const std::shared_ptr<arrow::Schema>& columns);

 private:
  Clock& clock_;
};

}  // namespace sluice::plan
