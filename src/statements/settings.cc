// USE, SET, RESET, SET TIME ZONE: what the session keeps for the statements behind it.
#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "base/text.h"
#include "plan/answer_settings.h"
#include "sql/ast/parse_error.h"
#include "sql/expressions/analysis_error.h"
#include "statements/named_relation.h"
#include "statements/row_builder.h"
#include "statements/session.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

constexpr const char* kTimeZone = "spark.sql.session.timeZone";

/// Settings of Spark that say how it works, not what it answers: kept, and of no effect.
constexpr const char* kWithoutMeaning[] = {
    "spark.sql.shuffle.",
    "spark.sql.adaptive.",
    "spark.sql.autoBroadcastJoinThreshold",
    "spark.sql.broadcastTimeout",
    "spark.sql.files.",
    "spark.sql.codegen.",
    "spark.sql.cbo.",
    "spark.sql.execution.arrow.",
    "spark.sql.inMemoryColumnarStorage.",
    "spark.sql.join.preferSortMergeJoin",
    "spark.sql.optimizer.",
    "spark.sql.parquet.compression.codec",
    "spark.sql.parquet.filterPushdown",
    "spark.sql.repl.",
    "spark.sql.ui.",
    "spark.sql.streaming.",
    "spark.sql.statistics.",
    "spark.sql.debug.",
    "spark.databricks.delta.optimize",
    "spark.databricks.delta.autoCompact.",
    "spark.databricks.delta.optimizeWrite.",
    "spark.databricks.delta.snapshotPartitions",
    "spark.databricks.delta.stats.",
    "spark.databricks.delta.preview.",
    "spark.databricks.delta.vacuum.",
    "spark.databricks.io.",
    "spark.databricks.optimizer.",
    "spark.default.parallelism",
    "spark.driver.",
    "spark.executor.",
    "spark.scheduler.",
    "spark.job.",
    "spark.app.",
};
constexpr const char* kNumbers[] = {"spark.sql.shuffle.partitions", "spark.default.parallelism"};

Status CheckValue(Job& job, const std::string& key, const std::string& value, sql::Span span) {
  SLUICE_RETURN_NOT_OK(plan::CheckSetting(key, value));
  if (plan::InitialSetting(key) != nullptr) return Status::OK();
  const bool number = std::any_of(std::begin(kNumbers), std::end(kNumbers),
                                  [&](const char* known) { return key == known; });
  if (number && (value.empty() || value.find_first_not_of("0123456789") != std::string::npos))
    return MakeError("INVALID_CONF_VALUE.TYPE_MISMATCH",
                     fmt::format("the setting {} cannot be {}", key, value));
  const bool harmless = !key.starts_with("spark.") ||
                        std::any_of(std::begin(kWithoutMeaning), std::end(kWithoutMeaning),
                                    [&](const char* prefix) { return key.starts_with(prefix); });
  if (harmless) return Status::OK();
  return job.NotSupported(span, fmt::format("SET {} = {}", key, value));
}

Result<RowReader> Shown(const std::string& key, const std::string& value) {
  RowBuilder rows({"key", "value"});
  rows.Add({key, value});
  return rows.Finish();
}

Result<RowReader> ShowAll(Job& job) {
  RowBuilder rows({"key", "value"});
  for (const auto& [key, value] : job.context.spec.configuration) rows.Add({key, value});
  return rows.Finish();
}

/// "+03:30"; nothing when it is no offset of a zone.
std::optional<std::string> OffsetOf(const sql::IntervalValue& offset) {
  constexpr int64_t kSecond = 1'000'000;
  constexpr int64_t kMost = 18LL * 3600 * kSecond;
  const int64_t micros = offset.microseconds;
  if (offset.months != 0 || micros > kMost || micros < -kMost || micros % kSecond != 0)
    return std::nullopt;
  const int64_t seconds = std::abs(micros) / kSecond;
  std::string text =
      fmt::format("{}{:02}:{:02}", micros < 0 ? '-' : '+', seconds / 3600, seconds / 60 % 60);
  return seconds % 60 == 0 ? text : text + fmt::format(":{:02}", seconds % 60);
}

}  // namespace

Result<RowReader> RunUse(Job& job, const sql::UseNamespace& use) {
  if (use.catalog) {
    if (use.name.parts.size() == 1 && EqualsIgnoreCase(use.name.last(), job.context.spec.catalog))
      return NoRows();
    return CatalogNotFound(job, use.name);
  }
  // A name that is both means the catalog, which is in use anyway.
  const auto schema = ExistingSchema(job.context, job.file, use.name);
  if (!schema.ok() && use.name.parts.size() == 1 &&
      EqualsIgnoreCase(use.name.last(), job.context.spec.catalog))
    return NoRows();
  SLUICE_RETURN_NOT_OK(schema.status());
  job.context.session.UseSchema(*schema);
  return NoRows();
}

Result<RowReader> RunSet(Job& job, const sql::SetConfiguration& set, sql::Span span) {
  if (set.key.empty() || (set.key == "-v" && !set.value.has_value())) return ShowAll(job);
  if (!set.value.has_value()) {
    const auto found = job.context.spec.configuration.find(set.key);
    if (found != job.context.spec.configuration.end()) return Shown(set.key, found->second);
    const char* initial = plan::InitialSetting(set.key);
    return Shown(set.key, initial == nullptr ? "<undefined>" : initial);
  }
  SLUICE_RETURN_NOT_OK(CheckValue(job, set.key, *set.value, span));
  job.context.session.Set(set.key, *set.value);
  return Shown(set.key, *set.value);
}

Result<RowReader> RunReset(Job& job, const sql::ResetConfiguration& reset) {
  if (reset.key.empty()) {
    job.context.session.ResetAll();
  } else {
    job.context.session.Reset(reset.key);
  }
  return NoRows();
}

Result<RowReader> RunSetTimeZone(Job& job, const sql::SetTimeZone& set, sql::Span span) {
  if (set.local) return job.NotSupported(span, "SET TIME ZONE LOCAL (name the zone)");
  if (!set.offset.has_value()) return RunSet(job, sql::SetConfiguration{kTimeZone, set.zone}, span);
  const auto offset = OffsetOf(*set.offset);
  if (!offset.has_value())
    return sql::ErrorAt(*job.file.source, span,
                        "INVALID_INTERVAL_FORMAT.TIMEZONE_INTERVAL_OUT_OF_RANGE",
                        "the interval of a time zone is one of seconds, at most 18 hours");
  return RunSet(job, sql::SetConfiguration{kTimeZone, *offset}, span);
}

}  // namespace sluice::statements
