#include "delta/protocol/action.h"

#include <algorithm>

namespace sluice::delta {
namespace {

bool Lists(const std::optional<std::vector<std::string>>& features, const std::string& name) {
  return features.has_value() &&
         std::find(features->begin(), features->end(), name) != features->end();
}

}  // namespace

bool Protocol::HasReaderFeature(const std::string& name) const {
  return Lists(reader_features, name);
}
bool Protocol::HasWriterFeature(const std::string& name) const {
  return Lists(writer_features, name);
}

std::string DeletionVectorDescriptor::UniqueId() const {
  std::string id = storage_type + path_or_inline;
  if (offset.has_value()) id += "@" + std::to_string(*offset);
  return id;
}

std::string FileKey(const std::string& path,
                    const std::optional<DeletionVectorDescriptor>& deletion_vector) {
  std::string key = path;
  if (path.starts_with(
          "file:/")) {  // the same file as its absolute path: "file:///a", "file:/a", "/a"
    const size_t root = path.find_first_not_of('/', 5);
    key = root == std::string::npos ? "/" : "/" + path.substr(root);
  }
  if (deletion_vector.has_value()) key += '\n' + deletion_vector->UniqueId();
  return key;
}

RemoveFile RemoveOf(const AddFile& file, int64_t deletion_timestamp_ms, bool data_change) {
  RemoveFile remove;
  remove.path = file.path;
  remove.deletion_timestamp_ms = deletion_timestamp_ms;
  remove.data_change = data_change;
  remove.extended_file_metadata = true;
  remove.partition_values = file.partition_values;
  remove.size = file.size;
  remove.stats = file.stats;
  remove.tags = file.tags;
  remove.deletion_vector = file.deletion_vector;
  remove.base_row_id = file.base_row_id;
  remove.default_row_commit_version = file.default_row_commit_version;
  return remove;
}

}  // namespace sluice::delta
