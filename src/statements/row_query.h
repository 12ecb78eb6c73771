// Conditions and values of DML that hold subqueries: a query over each batch of rows. What of the
// query does not read these rows is computed once and kept in memory. The functions made are called
// from one thread; Job outlives them.
#pragma once

#include <string>
#include <vector>

#include "delta/columns/expression.h"
#include "statements/statements_internal.h"

namespace sluice::statements {

bool HoldsSubquery(const sql::Expr& expression);

/// A relation that a condition may name, in memory.
struct NamedRows {
  std::string name;
  std::shared_ptr<arrow::Table> rows;
};

/// True when `plan` reads `table`.
bool Reads(const sql::LogicalPlan& plan, const delta::Table& table, const plan::ProjectSpec& spec);

/// The rows of `table` that `where` holds for; its columns may be qualified with `qualifier`. The
/// tables of `with` and `relations` can be named in subqueries.
Result<delta::RowCondition> SubqueryCondition(Job& job, const sql::WithClause& with,
                                              const sql::Expr& where, const delta::Table& table,
                                              const std::string& qualifier,
                                              const std::vector<NamedRows>& relations = {});

/// `value` for each row with the columns of all inputs, stored as a column `column` of `type` is.
Result<delta::RowFunction> SubqueryValue(Job& job, const sql::WithClause& with,
                                         const sql::Expr& value, const Inputs& inputs,
                                         const std::shared_ptr<arrow::DataType>& type,
                                         const std::string& column);

}  // namespace sluice::statements
