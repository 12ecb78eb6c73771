// Spark's type rules in ANSI mode: which type two operands meet in, decimal precisions. Pure
// functions.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

#include "sql/expressions/bound_expression.h"

namespace sluice::sql {

using TypePtr = std::shared_ptr<arrow::DataType>;

/// The type both convert to without an explicit cast (comparison, CASE, UNION); null when there is
/// none.
TypePtr CommonType(const TypePtr& left, const TypePtr& right);
/// Whether two structs have the same field names in any case; true for all other types.
bool HasSameNames(const arrow::DataType& left, const arrow::DataType& right);
/// True when a function argument of type `from` is converted to `to` implicitly.
bool CanCoerce(const arrow::DataType& from, const arrow::DataType& to);
/// True when CAST(from AS to) is allowed at all in ANSI mode.
bool CanCast(const arrow::DataType& from, const arrow::DataType& to);

/// The decimal that holds every value of an integer type; of an integer literal its own digits.
std::shared_ptr<arrow::Decimal128Type> DecimalFor(const BoundExpression& operand);
/// precision and scale bounded to 38 as Spark does (digits before the point are kept, at least 6
/// after it).
TypePtr AdjustedDecimal(int precision, int scale);
/// Both cut at 38, without adjusting.
TypePtr BoundedDecimal(int precision, int scale);
/// Result of `op` (+ - * / % div) on two decimals.
TypePtr DecimalResult(const std::string& op, const arrow::Decimal128Type& left,
                      const arrow::Decimal128Type& right);

}  // namespace sluice::sql
