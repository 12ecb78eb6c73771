// schema_of_json: the type that Spark infers for one JSON text. Pure function.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "codec/json_decoder.h"

namespace sluice::sql {

/// "STRUCT<a: BIGINT, b: ARRAY<STRING>>"; nothing when `json` is not JSON.
std::optional<std::string> SchemaOfJson(std::string_view json,
                                        const codec::JsonDecoderOptions& options);

}  // namespace sluice::sql
