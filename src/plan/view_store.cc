#include "plan/view_store.h"

#include <fmt/format.h>

#include <charconv>

#include "storage/folders.h"

namespace sluice::plan {
namespace {

constexpr std::string_view kViews = "_views";
constexpr std::string_view kSuffix = ".json";
constexpr std::string_view kDropped = "{\"format\": 1, \"dropped\": true}\n";
constexpr size_t kDigits = 20;

/// Nothing for a file that is no version: what a writer left that died.
std::optional<int64_t> VersionOf(const std::string& path) {
  const std::string_view name = std::string_view(path).substr(path.rfind('/') + 1);
  if (name.size() != kDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  int64_t version = 0;
  const auto [end, error] = std::from_chars(name.data(), name.data() + kDigits, version);
  if (error != std::errc() || end != name.data() + kDigits) return std::nullopt;
  return version;
}

}  // namespace

std::string ViewStore::FolderOf(const catalog::TableName& name) const {
  return fmt::format("{}/{}/{}/{}", warehouse_, name.schema, kViews, name.table);
}

Result<ViewStore::Entry> ViewStore::Read(const catalog::TableName& name) const {
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.List(FolderOf(name)));
  Entry newest;
  std::string path;
  for (const storage::FileInfo& file : files) {
    const auto version = VersionOf(file.path);
    if (!version.has_value() || *version <= newest.version) continue;
    newest.version = *version;
    path = file.path;
  }
  if (newest.version == 0) return newest;
  SLUICE_ASSIGN_OR_RETURN(const std::string bytes, storage_.Read(path));
  if (bytes == kDropped) return newest;
  auto view = ViewFromJson(bytes);
  if (!view.ok()) return WithContext(view.status(), path);
  newest.view = *std::move(view);
  return newest;
}

Status ViewStore::Write(const catalog::TableName& name, const Entry& seen,
                        const std::optional<ViewDefinition>& view) const {
  const std::string path = fmt::format("{}/{:020d}{}", FolderOf(name), seen.version + 1, kSuffix);
  const std::string bytes = view.has_value() ? ToJson(*view) : std::string(kDropped);
  const Status status = storage_.PutIfAbsent(path, bytes);
  if (status.ok()) return status;
  // The reply may have been lost: what is there decides.
  const auto there = storage_.Read(path);
  if (there.ok() && *there == bytes) return Status::OK();
  if (!HasCode(status, "STORAGE_ALREADY_EXISTS")) return status;
  return MakeError("VIEW_CHANGED_CONCURRENTLY",
                   "somebody else changed the view " + name.ToString() + " at the same time",
                   "look at the view, then do it again if it is still wanted", Retry::kReplan);
}

Result<std::vector<catalog::TableName>> ViewStore::List(const std::string& schema) const {
  SLUICE_ASSIGN_OR_RETURN(
      const auto folders,
      storage::ListFolders(storage_, fmt::format("{}/{}/{}", warehouse_, schema, kViews)));
  std::vector<catalog::TableName> names;
  for (const std::string& folder : folders) {
    catalog::TableName name{schema, folder};
    SLUICE_ASSIGN_OR_RETURN(const Entry entry, Read(name));
    if (entry.view.has_value()) names.push_back(std::move(name));
  }
  return names;
}

}  // namespace sluice::plan
