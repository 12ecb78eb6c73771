#include "delta/log/row_ids.h"

#include <cstdlib>

#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

constexpr char kDomain[] = "delta.rowTracking";
constexpr char kMark[] = "rowIdHighWaterMark";

}  // namespace

int64_t RowIdHighWaterMark(const Snapshot& snapshot) {
  const auto it = snapshot.domain_metadata().find(kDomain);
  if (it == snapshot.domain_metadata().end()) return -1;
  const auto fields = StringMapFromJson(it->second.configuration);
  if (!fields.ok() || !fields->contains(kMark)) return -1;
  return std::strtoll(fields->at(kMark).c_str(), nullptr, 10);
}

int64_t RecordsOf(const AddFile& file) {
  constexpr std::string_view kKey = "\"numRecords\":";
  const size_t at = file.stats.find(kKey);
  return at == std::string::npos ? -1
                                 : std::strtoll(file.stats.c_str() + at + kKey.size(), nullptr, 10);
}

Status AssignRowIds(const Snapshot& base, std::vector<Action>* actions) {
  const int64_t before = RowIdHighWaterMark(base);
  int64_t mark = before;
  for (Action& action : *actions) {
    auto* add = std::get_if<AddFile>(&action);
    if (add == nullptr || add->base_row_id.has_value()) continue;
    const int64_t records = RecordsOf(*add);
    if (records < 0) {
      return MakeError("DELTA_SCHEMA_MISMATCH",
                       "a file without statistics cannot get row ids: " + add->path,
                       "write it with its number of rows");
    }
    add->base_row_id = mark + 1;
    add->default_row_commit_version = base.version().Next().value();
    mark += records;
  }
  if (mark != before) {
    actions->emplace_back(
        DomainMetadata{kDomain, "{\"rowIdHighWaterMark\":" + std::to_string(mark) + "}", false});
  }
  return Status::OK();
}

RowIdColumns RowIdColumnsOf(const Metadata& metadata) {
  const auto value = [&](const char* key) {
    const auto it = metadata.configuration.find(key);
    return it == metadata.configuration.end() ? std::string() : it->second;
  };
  return {value("delta.rowTracking.materializedRowIdColumnName"),
          value("delta.rowTracking.materializedRowCommitVersionColumnName"),
          value("delta.enableRowTracking") == "true"};
}

bool KeepsRowIds(const Metadata& metadata) {
  const RowIdColumns columns = RowIdColumnsOf(metadata);
  return columns.enabled && !columns.id.empty() && !columns.commit_version.empty();
}

arrow::FieldVector RowIdFields(const Metadata& metadata) {
  if (!KeepsRowIds(metadata)) return {};
  const RowIdColumns columns = RowIdColumnsOf(metadata);
  return {arrow::field(columns.id, arrow::int64()),
          arrow::field(columns.commit_version, arrow::int64())};
}

}  // namespace sluice::delta
