// What the metadata of a column says of how it numbers rows (PROTOCOL.md, Identity Columns). Pure
// functions, any thread.
#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "base/status.h"

namespace sluice::delta {

inline constexpr char kIdentityStart[] = "delta.identity.start";
inline constexpr char kIdentityStep[] = "delta.identity.step";
inline constexpr char kHighWaterMark[] = "delta.identity.highWaterMark";

struct IdentityColumn {
  int64_t start = 0;
  int64_t step = 1;
  std::optional<int64_t> high_water_mark;  // the number given last; nothing = none so far
};

/// Nothing for a column that is no identity column. DELTA_LOG_CORRUPT when it is no BIGINT.
Result<std::optional<IdentityColumn>> IdentityOf(const arrow::Field& field);

/// REQUIRES: `field` has metadata.
std::shared_ptr<arrow::Field> WithHighWaterMark(const arrow::Field& field, int64_t mark);

}  // namespace sluice::delta
