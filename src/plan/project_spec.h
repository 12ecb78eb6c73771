// A pipeline project on disk: spark-pipeline.yml (Spark's keys only), sluice.yml beside it (our own
// settings) and the SQL files that its libraries name. Plain data; no thread rules.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::plan {

/// One SQL file of the project, `${...}` not replaced yet.
struct ProjectFile {
  std::string path;  // as shown in messages: relative to the project folder
  std::string text;
};

/// Settings of sluice.yml. Unknown keys are errors.
struct EngineSettings {
  std::string warehouse;  // absolute folder of the tables
  bool continuous = false;
  std::string event_log = "event_log";  // table name in the default schema
  bool event_log_enabled = true;
  int64_t max_rows_per_epoch = 500'000;
  int64_t max_bytes_per_epoch = 128LL << 20;
  int64_t hand_off_bytes = 256LL << 20;   // hot batches kept per table
  int64_t state_limit_bytes = 1LL << 30;  // per flow, in memory
};

struct ProjectSpec {
  std::string name;
  std::string root;     // absolute folder of the spec file
  std::string storage;  // absolute local folder (file:// taken off)
  std::string catalog = "spark_catalog";
  std::string database = "default";
  std::map<std::string, std::string> configuration;
  std::vector<std::string> includes;  // plain paths or "dir/**"
  EngineSettings engine;
};

/// Finds spark-pipeline.yml or .yaml in `start` or the nearest folder above it.
/// Errors: PIPELINE_SPEC_FILE_NOT_FOUND, MULTIPLE_PIPELINE_SPEC_FILES_FOUND.
Result<std::string> FindSpecFile(const std::string& start);

/// Reads a spec and the sluice.yml beside it; `overrides` (--set k=v) go over `configuration`.
/// Errors: PIPELINE_SPEC_MISSING_REQUIRED_FIELD, PIPELINE_SPEC_UNEXPECTED_FIELD,
/// PIPELINE_SPEC_FIELD_TYPE.
Result<ProjectSpec> LoadProjectSpec(const std::string& spec_path,
                                    const std::map<std::string, std::string>& overrides);

/// Reads the SQL files in the order of the includes, each folder sorted by path.
/// Errors: PIPELINE_UNSUPPORTED_DEFINITIONS_FILE_EXTENSION, PIPELINE_FILE_UNREADABLE.
Result<std::vector<ProjectFile>> LoadProjectFiles(const ProjectSpec& spec);

}  // namespace sluice::plan
