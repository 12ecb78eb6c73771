#include "delta/protocol/table_properties.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <set>
#include <sstream>
#include <string_view>

#include "delta/protocol/write_properties.h"

namespace sluice::delta {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Status Invalid(const std::string& key, const std::string& value, const std::string& wanted) {
  return MakeError("DELTA_INVALID_PROPERTY",
                   "table property has no usable value: " + key + " = '" + value + "'",
                   "give " + wanted);
}

Result<int64_t> ParseInt(const std::string& key, const std::string& value) {
  int64_t number = 0;
  const auto parsed = std::from_chars(value.data(), value.data() + value.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size())
    return Invalid(key, value, "an integer");
  return number;
}

/// "134217728", "128mb", "1g".
Result<int64_t> ParseBytes(const std::string& key, const std::string& value) {
  const std::string text = Lower(value);
  int64_t number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  std::string unit(parsed.ptr, text.data() + text.size());
  std::erase(unit, ' ');
  if (parsed.ec != std::errc() || number <= 0) return Invalid(key, value, "a size such as 128mb");
  if (unit.empty() || unit == "b") return number;
  if (unit == "k" || unit == "kb") return number << 10;
  if (unit == "m" || unit == "mb") return number << 20;
  if (unit == "g" || unit == "gb") return number << 30;
  return Invalid(key, value, "a size such as 128mb");
}

Result<bool> ParseBool(const std::string& key, const std::string& value) {
  const std::string text = Lower(value);
  if (text == "true") return true;
  if (text == "false") return false;
  return Invalid(key, value, "true or false");
}

int64_t UnitMillis(const std::string& unit) {
  if (unit == "millisecond") return 1;
  if (unit == "second") return 1000;
  if (unit == "minute") return 60LL * 1000;
  if (unit == "hour") return 3600LL * 1000;
  if (unit == "day") return 24LL * 3600 * 1000;
  if (unit == "week") return 7LL * 24 * 3600 * 1000;
  return 0;
}

Status SetRetention(const std::string& key, const std::string& value, int64_t* millis) {
  const auto parsed = ParseInterval(value);
  if (!parsed.ok()) return Invalid(key, value, "an interval such as 'interval 7 days'");
  *millis = *parsed;
  return Status::OK();
}

/// Properties of Delta's that change nothing here, or are acted on by reading the configuration.
bool IsKnown(const std::string& key) {
  static const std::set<std::string_view> kKnown = {
      "allowColumnDefaults",
      "autoOptimize.optimizeWrite",  // a write has one file per partition anyhow
      "checkpoint.writeStatsAsJson",
      "checkpoint.writeStatsAsStruct",
      "checkpointPolicy",
      "checkpointRetentionDuration",
      "columnMapping.maxColumnId",
      "dropFeatureTruncateHistory.retentionDuration",
      "enableChangeDataFeed",
      "enableFullRetentionRollback",
      "enableMaterializePartitionColumnsFeature",
      "enableRowTracking",
      "enableTypeWidening",
      "enableVariantShredding",
      "ignoreProtocolDefaults",
      "inCommitTimestampEnablementTimestamp",
      "inCommitTimestampEnablementVersion",
      "isolationLevel",
      "lastCommitTimestamp",
      "lastUpdateVersion",
      "randomizeFilePrefixes",
      "randomPrefixLength",
      "requireCheckpointProtectionBeforeVersion",
      "rowTrackingSuspended",
      "sampleRetentionDuration",
      "tuneFileSizesForRewrites",
      "tuneFileSizesForRewrites.enabled"};
  const std::string_view name = std::string_view(key).substr(6);
  return kKnown.contains(name) || name.starts_with("constraints.") ||
         name.starts_with("rowTracking.") || name.starts_with("parquet.") ||
         name.starts_with("columnMapping.");
}

/// What this library cannot keep up is refused by name when it is asked for.
Status CheckSupported(const std::string& key, const std::string& value) {
  const std::string text = Lower(value);
  const bool on = !text.empty() && text != "false";
  const bool iceberg = key.starts_with("delta.enableIcebergCompat") ||
                       key.starts_with("delta.enableIcebergWriterCompat") ||
                       key == "delta.universalFormat.enabledFormats";
  const bool other = key.starts_with("delta.coordinatedCommits.") ||
                     key == "delta.compatibility.symlinkFormatManifest.enabled";
  if (iceberg || other) {
    if (!on) return Status::OK();
    return MakeError("DELTA_UNSUPPORTED_WRITER_FEATURE",
                     "cannot write a table with " + key + " = " + value,
                     "leave the property out, or write the table with another engine");
  }
  if (IsKnown(key)) return Status::OK();
  return MakeError("DELTA_UNKNOWN_CONFIGURATION", "Delta has no table property " + key,
                   "check its spelling; properties of your own must not begin with \"delta.\"");
}

Status SetOne(const std::string& key, const std::string& value, TableProperties* properties) {
  if (key == "delta.appendOnly") {
    SLUICE_ASSIGN_OR_RETURN(properties->append_only, ParseBool(key, value));
  } else if (key == "delta.enableDeletionVectors") {
    SLUICE_ASSIGN_OR_RETURN(properties->enable_deletion_vectors, ParseBool(key, value));
  } else if (key == "delta.enableInCommitTimestamps") {
    SLUICE_ASSIGN_OR_RETURN(properties->enable_in_commit_timestamps, ParseBool(key, value));
  } else if (key == "delta.enableExpiredLogCleanup") {
    SLUICE_ASSIGN_OR_RETURN(properties->enable_expired_log_cleanup, ParseBool(key, value));
  } else if (key == "delta.checkpointInterval") {
    SLUICE_ASSIGN_OR_RETURN(properties->checkpoint_interval, ParseInt(key, value));
    if (properties->checkpoint_interval <= 0) return Invalid(key, value, "a number above 0");
  } else if (key == "delta.logRetentionDuration") {
    return SetRetention(key, value, &properties->log_retention_ms);
  } else if (key == "delta.deletedFileRetentionDuration") {
    return SetRetention(key, value, &properties->deleted_file_retention_ms);
  } else if (key == "delta.setTransactionRetentionDuration") {
    return SetRetention(key, value, &properties->txn_retention_ms);
  } else if (key == "delta.dataSkippingNumIndexedCols") {
    SLUICE_ASSIGN_OR_RETURN(const int64_t columns, ParseInt(key, value));
    properties->num_indexed_columns =
        static_cast<int32_t>(std::clamp<int64_t>(columns, -1, 1 << 20));
  } else if (key == "delta.targetFileSize") {
    SLUICE_ASSIGN_OR_RETURN(properties->target_file_size, ParseBytes(key, value));
  } else if (key == "delta.parquet.compression.codec") {
    properties->compression_codec = Lower(value);
  } else if (key == "delta.minReaderVersion" || key == "delta.minWriterVersion") {
    SLUICE_ASSIGN_OR_RETURN(const int64_t version, ParseInt(key, value));
    const int64_t highest = key == "delta.minReaderVersion" ? 3 : 7;
    if (version < 1 || version > highest)
      return Invalid(key, value, "a version from 1 to " + std::to_string(highest));
  } else if (key.starts_with("delta.feature.")) {
    if (value != "supported" && value != "enabled") return Invalid(key, value, "supported");
  } else if (key == "delta.columnMapping.mode") {
    properties->column_mapping_mode = Lower(value);
  } else {
    WriteProperties of_writers;
    SLUICE_ASSIGN_OR_RETURN(const bool known, SetWriteProperty(key, value, &of_writers));
    return known ? Status::OK() : CheckSupported(key, value);
  }
  return Status::OK();
}

}  // namespace

Result<TableProperties> ParseTableProperties(const StringMap& configuration) {
  TableProperties properties;
  for (const auto& [key, value] : configuration) {
    if (key.starts_with("delta.")) SLUICE_RETURN_NOT_OK(SetOne(key, value, &properties));
  }
  return properties;
}

TableProperties UsableTableProperties(const StringMap& configuration) {
  TableProperties properties;
  for (const auto& [key, value] : configuration) {
    TableProperties changed = properties;
    if (key.starts_with("delta.") && SetOne(key, value, &changed).ok()) properties = changed;
  }
  return properties;
}

Result<int64_t> ParseInterval(const std::string& text) {
  const Status wrong = MakeError("DELTA_INVALID_PROPERTY", "not an interval: '" + text + "'",
                                 "write 'interval 7 days'");
  std::istringstream words(Lower(text));
  std::string word;
  int64_t millis = 0;
  bool any = false;
  while (words >> word) {
    if (word == "interval") continue;
    int64_t number = 0;
    const auto parsed = std::from_chars(word.data(), word.data() + word.size(), number);
    std::string unit;
    if (parsed.ec != std::errc() || parsed.ptr != word.data() + word.size() || !(words >> unit))
      return wrong;
    if (unit.ends_with('s')) unit.pop_back();
    const int64_t scale = UnitMillis(unit);
    if (scale == 0) return wrong;
    int64_t part = 0;
    if (__builtin_mul_overflow(number, scale, &part) ||
        __builtin_add_overflow(millis, part, &millis)) {
      return MakeError("DELTA_INVALID_PROPERTY", "interval is too long: '" + text + "'",
                       "write 'interval 7 days'");
    }
    any = true;
  }
  if (!any) return wrong;
  return millis;
}

}  // namespace sluice::delta
