// Partition values: typed <-> the strings of the log, and the folder names made of them.
// Thread-safe (pure functions).
#pragma once

#include <arrow/scalar.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// Protocol form of a value: dates 2024-01-31, timestamps 2024-01-31T10:00:00.123456Z (zone-less
/// ones with a blank and no Z). nullopt = null; an empty string is stored as null. Binary is not
/// supported.
Result<std::optional<std::string>> PartitionValueToString(const arrow::Scalar& value);
/// nullopt and the empty string are null. Accepts every timestamp form of the protocol.
Result<std::shared_ptr<arrow::Scalar>> PartitionValueFromString(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type);

/// "col=value" with Hive's escaping; null is __HIVE_DEFAULT_PARTITION__.
std::string HiveFolder(const std::string& column, const std::optional<std::string>& value);
/// Path <-> its form in the log (percent-encoding of what a URI does not allow).
std::string EncodePath(std::string_view path);
std::string DecodePath(std::string_view path);
/// Where the data file at log path `path` lies: absolute paths and file: URIs as they are, others
/// below `table_path`.
std::string ResolvePath(const std::string& table_path, const std::string& path);

}  // namespace sluice::delta
