// SQL texts over the columns of a table, for the Delta library: constraints, generated columns,
// defaults, conditions of DML. One owner; the functions it makes are called from one thread each.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "delta/expression.h"
#include "delta/predicate.h"

namespace sluice::plan {

class TableExpressions : public delta::ExpressionCompiler {
 public:
  /// `clock` outlives this and the functions made; current_timestamp() is its time.
  explicit TableExpressions(Clock& clock) : clock_(clock) {}

  Result<delta::RowFunction> Compile(const std::string& text,
                                     const std::shared_ptr<arrow::Schema>& columns,
                                     const std::shared_ptr<arrow::DataType>& type) override;
  /// A condition and what of it can prune files: the predicate is implied by the condition.
  struct Condition {
    delta::RowFunction holds;  // BOOLEAN, null = not known
    delta::Predicate prunes;
  };
  Result<Condition> CompileCondition(const std::string& text,
                                     const std::shared_ptr<arrow::Schema>& columns);

 private:
  Clock& clock_;
};

}  // namespace sluice::plan
