// The schema of a decoder as its readers walk it: one node a type. Immutable once made; shared by
// the clones of a decoder.
#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codec/json_column.h"

namespace sluice::codec {

struct JsonNode {
  JsonKind kind = JsonKind::kStruct;
  int32_t precision = 0;  // of decimals
  int32_t scale = 0;
  std::vector<std::string> names;  // of the fields of a struct
  std::vector<JsonNode> children;  // fields of a struct; element of a list; value of a map

  /// JSON_UNSUPPORTED_SCHEMA when a type cannot be read.
  static Result<JsonNode> Make(const arrow::DataType& type);
  /// Index of a field, -1 when there is none. Names match exactly; of equal names the last counts.
  int Find(std::string_view name) const;
};

}  // namespace sluice::codec
