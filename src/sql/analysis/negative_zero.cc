#include "sql/analysis/negative_zero.h"

#include <algorithm>

#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

bool HoldsFloating(const arrow::DataType& type) {
  return IsFloating(type) ||
         std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HoldsFloating(*field->type()); });
}

}  // namespace

BoundPtr WithoutNegativeZero(const BoundPtr& key) {
  if (!HoldsFloating(*key->type)) return key;
  return MakeCall("positive_zero", {key}, key->type, key->nullable, key->span);
}

}  // namespace sluice::sql
