#include "delta/upkeep/table_check.h"

#include <algorithm>
#include <unordered_map>

#include "delta/log/log_segment.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/partition_value.h"
#include "delta/upkeep/hidden_names_internal.h"
#include "delta/upkeep/table_check_internal.h"

namespace sluice::delta {
namespace {

using SizeByPath = std::unordered_map<std::string, int64_t>;

class FolderCheck {
 public:
  FolderCheck(storage::Storage& storage, std::shared_ptr<const Snapshot> snapshot,
              const TableCheckOptions& options, Findings* findings, TableCheckReport* report)
      : storage_(storage),
        snapshot_(std::move(snapshot)),
        options_(options),
        findings_(findings),
        report_(report) {}

  Status Run(const NeededFiles& needed) {
    const std::string& table = snapshot_->table_path();
    SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.ListRecursive(table));
    const HiddenNames hidden(*snapshot_);
    for (const storage::FileInfo& file : files) {
      const std::string_view relative = std::string_view(file.path).substr(table.size());
      if (hidden.Hides(relative.substr(relative.starts_with('/') ? 1 : 0))) continue;
      sizes_[file.path] = file.size;
      if (needed.Contains(file.path)) continue;
      report_->orphaned_bytes += file.size;
      findings_->Add(FindingLevel::kInfo, "orphaned-file", file.path,
                     "no version in the log names it; VACUUM deletes it after the retention");
    }
    for (const auto& file : snapshot_->Files()) CheckFile(*file);
    return Status::OK();
  }

 private:
  /// Size of a file, from the listing where it is below the table; nothing when it is missing.
  std::optional<int64_t> SizeOf(const std::string& path) const {
    const auto it = sizes_.find(path);
    if (it != sizes_.end()) return it->second;
    const auto found = storage_.Stat(path);
    return found.ok() ? std::optional(found->size) : std::nullopt;
  }

  void CheckFile(const AddFile& file) {
    ++report_->files_checked;
    const std::string path = ResolvePath(snapshot_->table_path(), file.path);
    const auto size = SizeOf(path);
    if (!size.has_value()) {
      findings_->Error("missing-file", path, "the table needs it and it is not there");
      return;
    }
    if (*size != file.size) {
      findings_->Error(
          "file-size", path,
          "it has " + std::to_string(*size) + " bytes, the log says " + std::to_string(file.size));
    }
    if (!CheckVector(file, path)) return;
    CheckRows(storage_, snapshot_, file, path, options_.read_rows, findings_, report_);
  }

  /// False when the rows cannot be told for want of the deletion vector.
  bool CheckVector(const AddFile& file, const std::string& path) {
    if (!file.deletion_vector.has_value()) return true;
    const auto vector =
        ReadDeletionVector(storage_, snapshot_->table_path(), *file.deletion_vector);
    if (!vector.ok()) {
      const bool missing = HasCode(vector.status(), "DELTA_FILE_NOT_FOUND");
      findings_->Error(missing ? "missing-file" : "deletion-vector", path,
                       vector.status().message());
      return false;
    }
    if (vector->cardinality() != file.deletion_vector->cardinality) {
      findings_->Error("deletion-vector", path,
                       "it masks " + std::to_string(vector->cardinality()) +
                           " rows, the log says " +
                           std::to_string(file.deletion_vector->cardinality));
    }
    return true;
  }

  storage::Storage& storage_;
  const std::shared_ptr<const Snapshot> snapshot_;
  const TableCheckOptions& options_;
  Findings* findings_;
  TableCheckReport* report_;
  SizeByPath sizes_;
};

}  // namespace

const char* ToString(FindingLevel level) {
  switch (level) {
    case FindingLevel::kError: return "error";
    case FindingLevel::kWarning: return "warning";
    default: return "info";
  }
}

bool TableCheckReport::HasErrors() const {
  return std::any_of(findings.begin(), findings.end(),
                     [](const Finding& finding) { return finding.level == FindingLevel::kError; });
}

void Findings::Add(FindingLevel level, const char* check, const std::string& path,
                   std::string detail) {
  // Errors push out what is less, so that a report of many orphans still shows them.
  auto& findings = report_->findings;
  if (findings.size() >= limit_) {
    ++report_->findings_left_out;
    if (level != FindingLevel::kError) return;
    const auto lesser = std::find_if(findings.begin(), findings.end(), [](const Finding& finding) {
      return finding.level != FindingLevel::kError;
    });
    if (lesser == findings.end()) return;
    findings.erase(lesser);
  }
  findings.push_back(Finding{level, check, path, std::move(detail)});
}

Result<TableCheckReport> CheckTable(storage::Storage& storage, const std::string& table_path,
                                    const TableCheckOptions& options) {
  TableCheckReport report;
  Findings findings(&report, std::max<size_t>(options.max_findings, 1));
  NeededFiles needed(table_path);
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot,
                          CheckLog(storage, table_path, &needed, &findings, &report));
  if (snapshot == nullptr) return report;
  report.version = snapshot->version();
  FolderCheck folder(storage, snapshot, options, &findings, &report);
  SLUICE_RETURN_NOT_OK(folder.Run(needed));
  std::stable_sort(report.findings.begin(), report.findings.end(),
                   [](const Finding& a, const Finding& b) { return a.level < b.level; });
  return report;
}

}  // namespace sluice::delta
