// The actions of a Delta log, as plain values. Paths and partition values are kept as the log has
// them. Wire forms: action_json.h (commits), checkpoint.h (Parquet).
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "base/named_type.h"

namespace sluice::delta {

/// Column (physical) name -> serialized value; nullopt = null. See partition_value.h.
using PartitionValues = std::map<std::string, std::optional<std::string>>;
using StringMap = std::map<std::string, std::string>;

struct Protocol {
  int32_t min_reader_version = 1;
  int32_t min_writer_version = 2;
  /// Present only from reader version 3 / writer version 7 on.
  std::optional<std::vector<std::string>> reader_features;
  std::optional<std::vector<std::string>> writer_features;

  bool HasReaderFeature(const std::string& name) const;
  bool HasWriterFeature(const std::string& name) const;
  bool operator==(const Protocol&) const = default;
};

struct Metadata {
  std::string id;
  std::optional<std::string> name;
  std::optional<std::string> description;
  std::string format_provider = "parquet";
  StringMap format_options;
  std::string schema_string;
  std::vector<std::string> partition_columns;
  std::optional<int64_t> created_time_ms;
  StringMap configuration;

  bool operator==(const Metadata&) const = default;
};

struct DeletionVectorDescriptor {
  char storage_type = 'u';  // 'u' file named by UUID, 'p' absolute path, 'i' inline
  std::string path_or_inline;
  std::optional<int32_t> offset;
  int32_t size_in_bytes = 0;
  int64_t cardinality = 0;

  /// Part of a file's identity in the log.
  std::string UniqueId() const;
  bool operator==(const DeletionVectorDescriptor&) const = default;
};

struct AddFile {
  std::string path;  // as in the log: relative to the table, URL-encoded
  PartitionValues partition_values;
  int64_t size = 0;
  int64_t modification_time_ms = 0;
  bool data_change = true;
  std::string stats;  // JSON text; empty = none
  StringMap tags;
  std::optional<DeletionVectorDescriptor> deletion_vector;
  std::optional<int64_t> base_row_id;
  std::optional<int64_t> default_row_commit_version;
  std::optional<std::string> clustering_provider;
};

struct RemoveFile {
  std::string path;
  std::optional<int64_t> deletion_timestamp_ms;
  bool data_change = true;
  bool extended_file_metadata = false;  // partition values, size and tags are set
  PartitionValues partition_values;
  std::optional<int64_t> size;
  std::string stats;
  StringMap tags;
  std::optional<DeletionVectorDescriptor> deletion_vector;
  std::optional<int64_t> base_row_id;
  std::optional<int64_t> default_row_commit_version;
};

struct AddCdcFile {
  std::string path;
  PartitionValues partition_values;
  int64_t size = 0;
  StringMap tags;
};

struct Txn {
  std::string app_id;
  int64_t version = 0;
  std::optional<int64_t> last_updated_ms;
};

struct DomainMetadata {
  std::string domain;
  std::string configuration;
  bool removed = false;
};

struct CommitInfo {
  std::optional<int64_t> timestamp_ms;
  std::optional<int64_t> in_commit_timestamp_ms;
  std::string operation;
  StringMap operation_parameters;  // values as JSON text or plain text, as the log has them
  StringMap operation_metrics;
  std::optional<int64_t> read_version;
  std::string isolation_level;
  std::optional<bool> is_blind_append;
  std::string engine_info;
  std::string txn_id;  // unique per commit attempt: a writer knows its own commit by it
  std::optional<std::string> user_metadata;
  StringMap extra;  // further top-level keys -> JSON text, such as "sluice"
};

/// Files of a V2 checkpoint.
struct Sidecar {
  std::string path;
  int64_t size = 0;
};

using Action = std::variant<Protocol, Metadata, AddFile, RemoveFile, AddCdcFile, Txn,
                            DomainMetadata, CommitInfo, Sidecar>;

/// Identity of a data file in the log: its path plus its deletion vector.
std::string FileKey(const std::string& path,
                    const std::optional<DeletionVectorDescriptor>& deletion_vector);
inline std::string FileKey(const AddFile& file) { return FileKey(file.path, file.deletion_vector); }
inline std::string FileKey(const RemoveFile& file) {
  return FileKey(file.path, file.deletion_vector);
}

/// The remove of `file`, with everything the add knew.
RemoveFile RemoveOf(const AddFile& file, int64_t deletion_timestamp_ms, bool data_change);

}  // namespace sluice::delta
