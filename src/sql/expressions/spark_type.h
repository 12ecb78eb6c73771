// Makers and tests of the Arrow types that stand for Spark's (the mapping: data_type_parser.h).
// Pure functions.
#pragma once

#include <arrow/type.h>

#include <memory>

namespace sluice::sql {

std::shared_ptr<arrow::DataType> SparkTimestamp();
std::shared_ptr<arrow::DataType> SparkTimestampNtz();
std::shared_ptr<arrow::DataType> SparkArray(std::shared_ptr<arrow::DataType> element);
std::shared_ptr<arrow::DataType> SparkMap(std::shared_ptr<arrow::DataType> key,
                                          std::shared_ptr<arrow::DataType> value);

bool IsIntegral(const arrow::DataType& type);
/// Integers, decimals, float, double.
bool IsNumeric(const arrow::DataType& type);
bool IsFloating(const arrow::DataType& type);
bool IsDecimal(const arrow::DataType& type);
bool IsTimestamp(const arrow::DataType& type);
bool IsTimestampNtz(const arrow::DataType& type);

}  // namespace sluice::sql
