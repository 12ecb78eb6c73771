// Arithmetic of intervals: with intervals, numbers, dates and times. Part of the analyzer.
#pragma once

#include <string>

#include "sql/functions/function_binder.h"

namespace sluice::sql {

class FunctionRegistry;

bool IsInterval(const arrow::DataType& type);
/// `left op right` where both or one is an interval and neither a date or time. With `tried` an
/// overflow is NULL.
Result<BoundPtr> BindIntervalArithmetic(FunctionBinder& binder, const std::string& op,
                                        BoundPtr left, BoundPtr right, bool tried, Span span);
/// negative or abs of an interval.
Result<BoundPtr> BindIntervalSign(const std::string& name, BoundPtr interval, Span span);
/// Whether the value can come from a literal of fewer fields than DAY TO SECOND or YEAR TO MONTH:
/// Spark's type then has those fields, ours does not.
bool HasFewerFields(const BoundExpression& interval);

void RegisterIntervalFunctions(FunctionRegistry* registry);

}  // namespace sluice::sql
