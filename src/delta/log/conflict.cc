#include "delta/log/conflict.h"

#include <unordered_map>

namespace sluice::delta {
namespace {

/// Decides whether a file of the winner is among what the transaction read.
class ReadFiles {
 public:
  ReadFiles(const ReadSet& reads, const Snapshot& read) : reads_(reads), read_(read) {
    for (const Predicate& predicate : reads.predicates) {
      pruners_.emplace_back(predicate, *read.schema(), read.partition_columns());
    }
  }

  bool MayHold(const PartitionValues& values) const {
    if (reads_.whole_table) return true;
    for (const FilePruner& pruner : pruners_) {
      if (pruner.PartitionMayMatch(values)) return true;
    }
    return false;
  }

  bool MayHold(const RemoveFile& remove) {
    if (reads_.whole_table || reads_.file_paths.contains(remove.path)) return true;
    if (pruners_.empty()) return false;
    if (remove.extended_file_metadata || !remove.partition_values.empty())
      return MayHold(remove.partition_values);
    if (read_.partition_columns().empty()) return true;
    const PartitionValues* values = ValuesInSnapshot(remove.path);
    return values == nullptr || MayHold(*values);
  }

 private:
  /// Partition values of a live file of the read snapshot, for removes that do not carry them.
  const PartitionValues* ValuesInSnapshot(const std::string& path) {
    if (by_path_.empty()) {
      read_.ForEachFile(
          [this](const AddFile& file) { by_path_[file.path] = file.partition_values; });
    }
    const auto it = by_path_.find(path);
    return it == by_path_.end() ? nullptr : &it->second;
  }

  const ReadSet& reads_;
  const Snapshot& read_;
  std::vector<FilePruner> pruners_;
  std::unordered_map<std::string, PartitionValues> by_path_;
};

Status Conflict(TableVersion version, const std::vector<Action>& winner, const std::string& what) {
  std::string who = "another writer";
  for (const Action& action : winner) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) {
      who = info->operation.empty() ? who : info->operation;
      if (!info->engine_info.empty()) who += " by " + info->engine_info;
    }
  }
  return MakeError("DELTA_COMMIT_CONFLICT",
                   what + " in version " + version.ToString() + " (" + who + ")",
                   "read the table again and repeat the operation", Retry::kReplan);
}

}  // namespace

WriteSummary WriteSummary::Of(const std::vector<Action>& actions) {
  WriteSummary summary;
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<AddFile>(&action)) {
      summary.adds = true;
      summary.adds_data |= add->data_change;
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      summary.removes = true;
      summary.removes_data |= remove->data_change;
      summary.removed_paths.insert(remove->path);
    } else if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      summary.domains.insert(domain->domain);
    }
    summary.metadata |= std::holds_alternative<Metadata>(action);
    summary.protocol |= std::holds_alternative<Protocol>(action);
  }
  summary.changes_data = summary.adds_data || summary.removes_data;
  return summary;
}

bool IsBlindAppend(const ReadSet& reads, const WriteSummary& summary) {
  return !summary.removes && !reads.whole_table && reads.predicates.empty() &&
         reads.file_paths.empty();
}

Status CheckConflict(const ReadSet& reads, const WriteSummary& mine, const Snapshot& read,
                     TableVersion winner_version, const std::vector<Action>& winner) {
  ReadFiles files(reads, read);
  // A rewrite without change of data does not mind rows that came in meanwhile.
  const bool minds_adds = mine.changes_data || !mine.removes;
  for (const Action& action : winner) {
    if (std::holds_alternative<Metadata>(action)) {
      return Conflict(winner_version, winner, "table schema or properties were changed");
    }
    if (std::holds_alternative<Protocol>(action) && mine.protocol) {
      return Conflict(winner_version, winner, "table protocol was changed");
    }
    if (const auto* add = std::get_if<AddFile>(&action)) {
      if (minds_adds && files.MayHold(add->partition_values)) {
        return Conflict(winner_version, winner,
                        "files were added to what was read, such as " + add->path);
      }
    } else if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      if (mine.removed_paths.contains(remove->path) || files.MayHold(*remove)) {
        return Conflict(winner_version, winner,
                        "a file that was read was removed: " + remove->path);
      }
    } else if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      if (mine.domains.contains(domain->domain) || reads.domains.contains(domain->domain)) {
        return Conflict(winner_version, winner, "metadata domain was changed: " + domain->domain);
      }
    }
  }
  return Status::OK();
}

}  // namespace sluice::delta
