// The table properties that only those act on who write files, parsed. Thread-safe (plain data).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

struct WriteProperties {
  /// delta.dataSkippingStatsColumns, by path; nullopt = the first num_indexed_columns.
  std::optional<std::vector<std::vector<std::string>>> stats_columns;
  bool auto_compact = false;   // delta.autoOptimize.autoCompact
  int32_t parquet_format = 0;  // delta.parquet.format.version, the first number; 0 = not said
};

/// True when `key` is one of these, and set. DELTA_INVALID_PROPERTY.
Result<bool> SetWriteProperty(const std::string& key, const std::string& value,
                              WriteProperties* properties);
/// Those of a table that exists: a value that cannot be used counts as absent.
WriteProperties WritePropertiesOf(const StringMap& configuration);

/// "a, `b c`.d" -> the paths it lists. DELTA_INVALID_PROPERTY.
Result<std::vector<std::vector<std::string>>> ParseColumnList(const std::string& text);
/// The same list as a text.
std::string ColumnListText(const std::vector<std::vector<std::string>>& columns);

}  // namespace sluice::delta
