// Comments of columns. The metadata of a field holds them as Delta does, as JSON text. Pure
// functions.
#pragma once

#include <optional>
#include <string>

#include "sql/analysis/logical_plan.h"

namespace sluice::plan {

std::optional<std::string> CommentOf(const arrow::Field& field);
/// Nothing takes the comment away.
std::shared_ptr<arrow::Field> WithComment(const arrow::Field& field,
                                          const std::optional<std::string>& comment);

/// The columns of a query; those that are columns of a table have its comments.
std::shared_ptr<arrow::Schema> CommentedSchema(const sql::LogicalPlan& plan);

}  // namespace sluice::plan
