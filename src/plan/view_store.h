// The persisted views of a warehouse. View s.v is the folder <warehouse>/s/_views/v with one file
// for each version, 00000000000000000001.json and on; the newest counts. A version is written only
// if nobody else has written it, so that of two writers one is told; dropping writes a version that
// says so. Files are never changed nor deleted: what a reader sees listed stays readable.
// Thread-safe; storage outlives it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "catalog/table_name.h"
#include "plan/view_definition.h"
#include "storage/storage.h"

namespace sluice::plan {

class ViewStore {
 public:
  ViewStore(storage::Storage& storage, std::string warehouse)
      : storage_(storage), warehouse_(std::move(warehouse)) {}

  /// What is at a name; without `view` there is none, or no longer.
  struct Entry {
    int64_t version = 0;  // 0: there never was one
    std::optional<ViewDefinition> view;
  };
  Result<Entry> Read(const catalog::TableName& name) const;
  /// Makes `view`, or without it nothing, what is at the name, if `seen` still is.
  /// VIEW_CHANGED_CONCURRENTLY (kReplan) when it is not.
  Status Write(const catalog::TableName& name, const Entry& seen,
               const std::optional<ViewDefinition>& view) const;
  /// The names of the views of a schema, sorted.
  Result<std::vector<catalog::TableName>> List(const std::string& schema) const;

 private:
  std::string FolderOf(const catalog::TableName& name) const;

  storage::Storage& storage_;
  const std::string warehouse_;
};

}  // namespace sluice::plan
