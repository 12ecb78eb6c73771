// What the tables must hold: see Warehouse::Check.
#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <limits>
#include <map>
#include <set>

#include "delta/files/scan.h"
#include "warehouse.h"

namespace sluice::sim {
namespace {

Status Wrong(const std::string& what) { return MakeError("SIM_WRONG", what); }

int64_t Int(const arrow::RecordBatch& rows, const char* name, int64_t row) {
  const auto column = rows.GetColumnByName(name);
  if (column->type_id() == arrow::Type::INT32)
    return static_cast<const arrow::Int32Array&>(*column).Value(row);
  return static_cast<const arrow::Int64Array&>(*column).Value(row);
}

/// One row of gold, without its key.
struct Group {
  int64_t n = 0;
  int64_t total = 0;
  int64_t lowest = std::numeric_limits<int64_t>::max();
  int64_t highest = std::numeric_limits<int64_t>::min();
  int64_t ids = 0;
  bool operator==(const Group&) const = default;
};

std::string Text(const Group& group) {
  return fmt::format("{}/{}/{}/{}/{}", group.n, group.total, group.lowest, group.highest,
                     group.ids);
}

/// The view over these rows of silver, where ids are unique.
std::map<int64_t, Group> Recompute(const arrow::RecordBatch* silver, bool real_operators) {
  std::map<int64_t, Group> groups;
  for (int64_t i = 0; silver != nullptr && i < silver->num_rows(); ++i) {
    Group& group = groups[Int(*silver, "grp", i)];
    const int64_t value = Int(*silver, "value", i);
    ++group.n;
    ++group.ids;
    group.total += value;
    group.lowest = std::min(group.lowest, value);
    group.highest = std::max(group.highest, value);
  }
  if (!real_operators)
    std::erase_if(groups, [](const auto& entry) { return entry.second.total % 7 == 0; });
  return groups;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> Warehouse::ReadTable(const std::string& path) const {
  if (!delta::Table::Exists(storage_, path).ValueOr(false)) return nullptr;
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, delta::Snapshot::Load(storage_, path));
  SLUICE_ASSIGN_OR_RETURN(const auto table, delta::ReadAll(storage_, snapshot));
  return table->CombineChunksToBatch();
}

Status Warehouse::CheckVersions(const std::string& table) const {
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.List(table + "/_delta_log"));
  int64_t expected = 0;
  for (const storage::FileInfo& file : files) {
    const std::string name = file.path.substr(file.path.rfind('/') + 1);
    if (name.size() != 25 || !name.ends_with(".json")) continue;
    if (std::stoll(name) != expected++)
      return Wrong("versions of " + table + " have a gap before " + name);
  }
  return Status::OK();
}

Status Warehouse::CheckSilver(const arrow::RecordBatch* silver) const {
  std::map<std::pair<int64_t, int64_t>, std::string> place;
  std::set<int64_t> silver_ids;
  for (const char* path : {kSilver, kQuarantine, kLate}) {
    std::shared_ptr<arrow::RecordBatch> satellite;
    if (path != kSilver) {
      SLUICE_ASSIGN_OR_RETURN(satellite, ReadTable(path));
    }
    const arrow::RecordBatch* rows = path == kSilver ? silver : satellite.get();
    if (rows == nullptr) continue;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const int64_t partition = Int(*rows, "partition", i);
      const int64_t offset = Int(*rows, "offset", i);
      const auto [at, fresh] = place.emplace(std::pair(partition, offset), path);
      if (!fresh)
        return Wrong(
            fmt::format("record {}/{} is in {} and in {}", partition, offset, at->second, path));
      if (path != kSilver) continue;
      if (!silver_ids.insert(Int(*rows, "id", i)).second) {
        return Wrong(fmt::format("id {} is twice in silver", Int(*rows, "id", i)));
      }
    }
  }
  for (int p = 0; p < topic_.partitions(); ++p) {
    for (const Record& record : topic_.records(p)) {
      const auto found = place.find({record.partition, record.offset});
      const std::string at = found == place.end() ? "" : found->second;
      if (record.bad != (at == kQuarantine)) {
        return Wrong(fmt::format("record {}/{} (bad={}) is in '{}'", record.partition,
                                 record.offset, record.bad, at));
      }
      if (!record.bad && at.empty() && !silver_ids.contains(record.id)) {
        return Wrong(fmt::format("record {}/{} with id {} is lost", record.partition, record.offset,
                                 record.id));
      }
    }
  }
  return Status::OK();
}

Status Warehouse::CheckGold(const arrow::RecordBatch* silver) const {
  SLUICE_ASSIGN_OR_RETURN(const auto gold, ReadTable(kGold));
  const std::map<int64_t, Group> expected = Recompute(silver, options_.real_operators);
  std::map<int64_t, Group> found;
  for (int64_t i = 0; gold != nullptr && i < gold->num_rows(); ++i) {
    const int64_t key = Int(*gold, "grp", i);
    Group group{.n = Int(*gold, "n", i), .total = Int(*gold, "total", i)};
    if (options_.real_operators) {
      group.lowest = Int(*gold, "lowest", i);
      group.highest = Int(*gold, "highest", i);
      group.ids = Int(*gold, "ids", i);
    } else if (const auto same = expected.find(key); same != expected.end()) {
      group.lowest = same->second.lowest;
      group.highest = same->second.highest;
      group.ids = same->second.ids;
    }
    if (!found.emplace(key, group).second)
      return Wrong(fmt::format("group {} is twice in gold", key));
  }
  if (found == expected) return Status::OK();
  std::string text;
  for (const auto& [key, value] : expected) {
    const auto it = found.find(key);
    if (it != found.end() && it->second == value) continue;
    text += fmt::format(" [{}: expected {}, found {}]", key, Text(value),
                        it == found.end() ? "nothing" : Text(it->second));
  }
  return Wrong(fmt::format("gold differs from a recomputation ({} groups, expected {}):{}",
                           found.size(), expected.size(), text));
}

Status Warehouse::Check() const {
  for (const char* table : {kSilver, kGold, kQuarantine, kLate})
    SLUICE_RETURN_NOT_OK(CheckVersions(table));
  SLUICE_ASSIGN_OR_RETURN(const auto silver, ReadTable(kSilver));
  SLUICE_RETURN_NOT_OK(CheckSilver(silver.get()));
  return CheckGold(silver.get());
}

}  // namespace sluice::sim
