#include "plan/answer_settings.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "codec/spark_time.h"

namespace sluice::plan {
namespace {

constexpr const char* kTimeZone = "spark.sql.session.timeZone";

/// Values other than `only`, where there is one, are refused.
struct Meaningful {
  const char* key;
  const char* initial;
  bool boolean;
  const char* only;
};
constexpr Meaningful kMeaningful[] = {
    {"spark.sql.ansi.enabled", "true", true, "true"},
    {"spark.sql.caseSensitive", "false", true, "false"},
    {"spark.sql.storeAssignmentPolicy", "ANSI", false, "ANSI"},
    {"spark.sql.timestampType", "TIMESTAMP_LTZ", false, "TIMESTAMP_LTZ"},
    {"spark.sql.mapKeyDedupPolicy", "EXCEPTION", false, "EXCEPTION"},
    {"spark.sql.groupByOrdinal", "true", true, "true"},
    {"spark.sql.orderByOrdinal", "true", true, "true"},
    {"spark.sql.groupByAliases", "true", true, "true"},
    {"spark.sql.crossJoin.enabled", "true", true, "true"},
    {"spark.sql.ansi.doubleQuotedIdentifiers", "false", true, "false"},
    {"spark.sql.decimalOperations.allowPrecisionLoss", "true", true, "true"},
    {"spark.sql.jsonGenerator.ignoreNullFields", "true", true, "true"},
    {kTimeZone, "UTC", false, nullptr},
    {"spark.sql.sources.partitionOverwriteMode", "STATIC", false, nullptr},
    {"spark.databricks.delta.retentionDurationCheck.enabled", "true", true, nullptr},
    {"spark.databricks.delta.schema.autoMerge.enabled", "false", true, "false"},
};

const Meaningful* Find(const std::string& key) {
  const auto* found = std::find_if(std::begin(kMeaningful), std::end(kMeaningful),
                                   [&](const Meaningful& setting) { return key == setting.key; });
  return found == std::end(kMeaningful) ? nullptr : found;
}

Status Invalid(const char* error_class, const std::string& key, const std::string& value) {
  return MakeError(error_class, fmt::format("the setting {} cannot be {}", key, value));
}

Status Refused(const std::string& key, const std::string& value) {
  return MakeError("NOT_SUPPORTED_YET",
                   fmt::format("not supported yet: the setting {} = {}", key, value),
                   "leave it out; docs/reference/cli.md says which settings matter");
}

Status CheckTimeZone(const std::string& value) {
  const auto zone = codec::TimeZone::Parse(value);
  if (!zone.has_value()) return Invalid("INVALID_CONF_VALUE.TIME_ZONE", kTimeZone, value);
  const bool utc =
      (zone->is_fixed() && zone->offset_seconds() == 0) || EqualsIgnoreCase(value, "Etc/UTC");
  return utc ? Status::OK() : Refused(kTimeZone, value);
}

}  // namespace

const char* InitialSetting(const std::string& key) {
  const Meaningful* setting = Find(key);
  return setting == nullptr ? nullptr : setting->initial;
}

Status CheckSetting(const std::string& key, const std::string& value) {
  const Meaningful* setting = Find(key);
  if (setting == nullptr) return Status::OK();
  if (key == kTimeZone) return CheckTimeZone(value);
  const bool boolean = EqualsIgnoreCase(value, "true") || EqualsIgnoreCase(value, "false");
  if (setting->boolean && !boolean) return Invalid("INVALID_CONF_VALUE.TYPE_MISMATCH", key, value);
  if (setting->only == nullptr || EqualsIgnoreCase(value, setting->only)) return Status::OK();
  return Refused(key, value);
}

Status CheckSettings(const std::map<std::string, std::string>& configuration) {
  for (const auto& [key, value] : configuration) SLUICE_RETURN_NOT_OK(CheckSetting(key, value));
  return Status::OK();
}

}  // namespace sluice::plan
