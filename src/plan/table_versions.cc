// Tables as they were, and their changes: what VERSION AS OF and table_changes() name.
#include <arrow/api.h>

#include <cstdlib>

#include "delta/files/change_feed.h"
#include "delta/log/commit_times.h"
#include "plan/relation_catalog.h"
#include "sql/functions/evaluator.h"

namespace sluice::plan {
namespace {

using Relation = std::optional<sql::ResolvedRelation>;

/// The microseconds of a time, as of the table's clock.
Result<int64_t> TimeOf(const delta::Table& table, const sql::TableMoment& moment) {
  auto value = sql::Evaluator::EvaluateConstant(moment.value, table.clock().NowMicros());
  if (!value.ok() || !(*value)->is_valid)
    return MakeError("INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT",
                     "the time of a table is NULL or cannot be read as a timestamp",
                     "give a constant such as '2024-01-31 12:00:00'");
  return static_cast<const arrow::TimestampScalar&>(**value).value;
}

int64_t NumberOf(const sql::TableMoment& moment) {
  return static_cast<const arrow::Int64Scalar&>(*moment.value->literal).value;
}

Result<int64_t> VersionOf(const delta::Table& table, const sql::TableMoment& moment) {
  if (!moment.by_timestamp) return NumberOf(moment);
  SLUICE_ASSIGN_OR_RETURN(const int64_t micros, TimeOf(table, moment));
  SLUICE_ASSIGN_OR_RETURN(const TableVersion version, table.VersionAt(micros / 1000));
  return version.value();
}

/// The first version at or after `moment`.
Result<int64_t> FirstVersion(const delta::Table& table, const sql::TableMoment& moment) {
  if (!moment.by_timestamp) return NumberOf(moment);
  SLUICE_ASSIGN_OR_RETURN(const int64_t micros, TimeOf(table, moment));
  SLUICE_ASSIGN_OR_RETURN(const auto commits, delta::CommitTimes(table));
  for (const auto& [version, time_ms] : commits) {
    if (time_ms * 1000 >= micros) return version.value();
  }
  return MakeError("DELTA_TIMESTAMP_OUT_OF_RANGE",
                   "no version of " + table.path() + " is as young as the first time given",
                   "give a time up to that of the newest commit");
}

/// The last version at or before `moment`.
Result<int64_t> LastVersion(const delta::Table& table, const sql::TableMoment& moment) {
  if (!moment.by_timestamp) return NumberOf(moment);
  SLUICE_ASSIGN_OR_RETURN(const int64_t micros, TimeOf(table, moment));
  SLUICE_ASSIGN_OR_RETURN(const auto commits, delta::CommitTimes(table));
  std::optional<int64_t> last;
  for (const auto& [version, time_ms] : commits) {
    if (time_ms * 1000 <= micros) last = version.value();
  }
  if (last.has_value()) return *last;
  return MakeError("DELTA_TIMESTAMP_OUT_OF_RANGE",
                   "no version of " + table.path() + " is as old as the last time given",
                   "give a time from that of the oldest commit on");
}

/// "/t@v12" as "/t" and 12; "/t@20240131235959000" as "/t" and a time in microseconds.
struct PathMoment {
  std::string path;
  bool by_timestamp = false;
  int64_t value = 0;
};
std::optional<PathMoment> SplitMoment(const std::string& path) {
  const size_t at = path.rfind('@');
  if (at == std::string::npos || at == 0) return std::nullopt;
  const std::string text = path.substr(at + 1);
  const bool version = !text.empty() && (text[0] == 'v' || text[0] == 'V');
  const std::string digits = version ? text.substr(1) : text;
  if (digits.empty() || digits.size() > 18 ||
      digits.find_first_not_of("0123456789") != std::string::npos)
    return std::nullopt;
  if (version)
    return PathMoment{path.substr(0, at), false, std::strtoll(digits.c_str(), nullptr, 10)};
  if (digits.size() != 17) return std::nullopt;
  const auto part = [&](size_t from, size_t count) { return digits.substr(from, count); };
  const std::string time = part(0, 4) + "-" + part(4, 2) + "-" + part(6, 2) + " " + part(8, 2) +
                           ":" + part(10, 2) + ":" + part(12, 2) + "." + part(14, 3);
  auto parsed = arrow::Scalar::Parse(arrow::timestamp(arrow::TimeUnit::MICRO), time);
  if (!parsed.ok()) return std::nullopt;
  return PathMoment{path.substr(0, at), true,
                    static_cast<const arrow::TimestampScalar&>(**parsed).value};
}

}  // namespace

Result<std::optional<std::shared_ptr<delta::Table>>> RelationCatalog::TableAt(
    const std::vector<std::string>& parts, std::string* name) {
  const auto of_view = [](const std::string& view) {
    return MakeError("UNSUPPORTED_FEATURE.TIME_TRAVEL", "time travel on the view " + view,
                     "name the table that the view reads");
  };
  const auto key = TemporaryViewKey(parts);
  if (key.has_value() && FindTemporary(*key) != nullptr) return of_view(*key);
  SLUICE_ASSIGN_OR_RETURN(const Place place, PlaceOf(parts));
  if (place.dataset.has_value()) {
    const auto found = datasets_.find(*place.dataset);
    if (found != datasets_.end() && found->second.view != nullptr) return of_view(place.name);
  }
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(place.path));
  if (!exists && place.dataset.has_value() && views_.stored != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(const auto entry, views_.stored->Read(*place.dataset));
    if (entry.view.has_value()) return of_view(place.name);
  }
  if (!exists) return std::nullopt;
  SLUICE_ASSIGN_OR_RETURN(auto table, tables_.Open(place.path));
  SLUICE_RETURN_NOT_OK(table->Update().status());
  *name = place.name;
  return table;
}

Result<Relation> RelationCatalog::ResolveVersion(const std::vector<std::string>& parts,
                                                 const sql::TableMoment& moment) {
  std::string name;
  SLUICE_ASSIGN_OR_RETURN(const auto table, TableAt(parts, &name));
  if (!table.has_value()) return Relation();
  SLUICE_ASSIGN_OR_RETURN(const int64_t version, VersionOf(**table, moment));
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, (*table)->SnapshotAt(TableVersion(version)));
  return Relation(sql::ResolvedRelation{name, Columns(snapshot->schema()), nullptr, version});
}

Result<Relation> RelationCatalog::ResolvePathAt(const std::string& path) {
  const auto split = SplitMoment(path);
  if (!split.has_value()) return Relation();
  sql::TableMoment moment;
  moment.by_timestamp = split->by_timestamp;
  if (split->by_timestamp) {
    moment.value = sql::MakeLiteral(std::make_shared<arrow::TimestampScalar>(
        split->value, arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  } else {
    moment.value = sql::MakeLiteral(arrow::MakeScalar(split->value));
  }
  return ResolveVersion({"delta", split->path}, moment);
}

// A first time between two commits means the later one, a last time the earlier one.
Result<Relation> RelationCatalog::ResolveChanges(const std::vector<std::string>& parts,
                                                 const sql::TableMoment& from,
                                                 const sql::TableMoment* to) {
  std::string name;
  SLUICE_ASSIGN_OR_RETURN(const auto table, TableAt(parts, &name));
  if (!table.has_value()) return Relation();
  sql::VersionRange range;
  SLUICE_ASSIGN_OR_RETURN(range.from, FirstVersion(**table, from));
  std::optional<TableVersion> last;
  if (to != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(range.to, LastVersion(**table, *to));
    last = TableVersion(*range.to);
  }
  // What cannot be read is refused now.
  SLUICE_ASSIGN_OR_RETURN(const auto feed,
                          delta::ChangeFeed::Make(**table, TableVersion(range.from), last));
  return Relation(
      sql::ResolvedRelation{name, Columns(feed->schema()), nullptr, std::nullopt, range});
}

}  // namespace sluice::plan
