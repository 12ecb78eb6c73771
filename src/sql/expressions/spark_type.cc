#include "sql/expressions/spark_type.h"

namespace sluice::sql {

std::shared_ptr<arrow::DataType> SparkTimestamp() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  return type;
}

std::shared_ptr<arrow::DataType> SparkTimestampNtz() {
  static const auto type = arrow::timestamp(arrow::TimeUnit::MICRO);
  return type;
}

std::shared_ptr<arrow::DataType> SparkArray(std::shared_ptr<arrow::DataType> element) {
  return arrow::list(arrow::field("element", std::move(element)));
}

std::shared_ptr<arrow::DataType> SparkMap(std::shared_ptr<arrow::DataType> key,
                                          std::shared_ptr<arrow::DataType> value) {
  return arrow::map(std::move(key), std::move(value));
}

bool IsIntegral(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64: return true;
    default: return false;
  }
}

bool IsFloating(const arrow::DataType& type) {
  return type.id() == arrow::Type::FLOAT || type.id() == arrow::Type::DOUBLE;
}

bool IsDecimal(const arrow::DataType& type) { return type.id() == arrow::Type::DECIMAL128; }

bool IsNumeric(const arrow::DataType& type) {
  return IsIntegral(type) || IsFloating(type) || IsDecimal(type);
}

bool IsTimestamp(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

bool IsTimestampNtz(const arrow::DataType& type) {
  return type.id() == arrow::Type::TIMESTAMP &&
         static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

}  // namespace sluice::sql
