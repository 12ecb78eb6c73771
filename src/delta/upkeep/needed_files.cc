#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/partition_value.h"
#include "delta/upkeep/needed_files_internal.h"
#include "storage/storage.h"

namespace sluice::delta {
namespace {

std::string NameOf(const std::string& path) { return path.substr(path.find_last_of('/') + 1); }

Hash128 HashOf(const std::string& path) { return HashBytes128(path.data(), path.size()); }

}  // namespace

void NeededFiles::AddPath(const std::string& path) { paths_.insert(HashOf(path)); }

Status NeededFiles::Add(const std::string& log_path,
                        const std::optional<DeletionVectorDescriptor>& vector) {
  const std::string path = ResolvePath(table_path_, log_path);
  AddPath(path);
  // The table's folder may be known by another name than the one an absolute path uses.
  if (!path.starts_with(table_path_ + "/") || log_path.starts_with('/') ||
      log_path.find(":/") != std::string::npos) {
    names_.insert(NameOf(path));
  }
  // Some writers do not encode paths.
  const std::string as_is = storage::JoinPath(table_path_, log_path);
  if (as_is != path) AddPath(as_is);
  if (!vector.has_value() || vector->storage_type == 'i') return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const std::string vector_path, DeletionVectorPath(table_path_, *vector));
  AddPath(vector_path);
  if (vector->storage_type == 'p') names_.insert(NameOf(vector_path));
  return Status::OK();
}

bool NeededFiles::Contains(const std::string& path) const {
  return paths_.contains(HashOf(path)) || (!names_.empty() && names_.contains(NameOf(path)));
}

}  // namespace sluice::delta
