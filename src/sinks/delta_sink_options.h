// What the Delta sinks are told by the planner. Plain values.
#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace sluice {
class Workers;
}

namespace sluice::sinks {

struct SatelliteOptions {
  std::string path;  // of the table; several flows may share one
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> properties;
};

/// Bounds of a table's live small files and log, whatever the trigger interval.
struct UpkeepOptions {
  int max_small_files = 64;                   // of one partition; then they are compacted
  int64_t small_file_bytes = 16LL << 20;      // what counts as small
  int64_t checkpoint_min_micros = 5'000'000;  // between checkpoints, unless ...
  int64_t checkpoint_max_commits = 500;       // ... so many commits came since the last
};

struct DeltaSinkOptions {
  std::string flow_name;
  std::string table_path;
  std::shared_ptr<arrow::Schema> schema;  // of the rows; nullable=false becomes NOT NULL
  std::vector<std::string> partition_columns;
  std::map<std::string, std::string> properties;
  std::optional<std::string> table_name;
  std::optional<std::string> comment;
  std::map<std::string, SatelliteOptions> satellites;  // by the name operators emit them under
  /// New columns of `schema` are added to an existing table; false = FLOW_SCHEMA_MISMATCH.
  bool add_columns = true;
  UpkeepOptions upkeep;
  std::string host;  // written into commits, for the message that names a second process
  int64_t pid = 0;
  Workers* workers = nullptr;  // that encode files beside the committing thread; may be null
};

}  // namespace sluice::sinks
