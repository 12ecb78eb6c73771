#include "delta/commands/clone.h"

#include "delta/log/first_commit.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/deletion_vector.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"

namespace sluice::delta {
namespace {

/// "/data/t/a b" -> "file:/data/t/a%20b", as Spark names files of other folders.
std::string AbsoluteLogPath(const std::string& path) { return "file:" + EncodePath(path); }

bool HasScheme(const std::string& path) {
  const size_t colon = path.find(':');
  return colon != std::string::npos && path.find('/') > colon;
}

/// `file` of a table at `source_path` as another table names it.
Result<AddFile> FromOutside(const std::string& source_path, AddFile file) {
  if (!HasScheme(file.path)) {
    file.path = AbsoluteLogPath(ResolvePath(source_path, file.path));
  }
  file.data_change = true;
  auto& vector = file.deletion_vector;
  if (!vector.has_value() || vector->storage_type != 'u') return file;
  SLUICE_ASSIGN_OR_RETURN(const auto path, DeletionVectorPath(source_path, *vector));
  vector->storage_type = 'p';
  vector->path_or_inline = AbsoluteLogPath(path);
  return file;
}

}  // namespace

Result<WriteReport> ShallowClone(const TableContext& context, const Snapshot& source,
                                 const std::string& target_path, const CloneOptions& options,
                                 Random& random) {
  if (!source.table_path().starts_with('/')) {
    return MakeError("INVALID_SETTING",
                     "a clone needs the absolute path of its source: " + source.table_path(),
                     "open the source by its absolute path");
  }
  Metadata metadata = source.metadata();
  metadata.id = random.Uuid();
  metadata.created_time_ms = context.clock.NowMicros() / 1000;
  for (const auto& [key, value] : options.properties) metadata.configuration[key] = value;
  for (const char* key :
       {"delta.inCommitTimestampEnablementVersion", "delta.inCommitTimestampEnablementTimestamp"})
    metadata.configuration.erase(key);  // the clone has them from its first version on
  SLUICE_RETURN_NOT_OK(ParseTableProperties(options.properties).status());
  const TableProperties properties = UsableTableProperties(metadata.configuration);
  const Protocol protocol =
      ProtocolFor(*source.schema(), properties, metadata.configuration, source.protocol());
  SLUICE_RETURN_NOT_OK(WithContext(CheckWritable(protocol, metadata, *source.schema(), true),
                                   "clone of " + source.table_path()));
  std::vector<Action> actions = {protocol, metadata};
  for (const auto& [name, domain] : source.domain_metadata()) {
    if (!domain.removed) actions.emplace_back(domain);
  }
  for (const auto& file : source.Files()) {
    SLUICE_ASSIGN_OR_RETURN(auto outside, FromOutside(source.table_path(), *file));
    actions.emplace_back(std::move(outside));
  }
  WriteReport report;
  report.version = TableVersion(0);
  report.metrics = {{"sourceTableSize", source.total_bytes()},
                    {"sourceNumOfFiles", source.num_files()},
                    {"numCopiedFiles", 0},
                    {"copiedFilesSize", 0},
                    {"numRemovedFiles", 0},
                    {"removedFilesSize", 0}};
  CommitInfo info;
  info.operation = "CLONE";
  info.operation_parameters = {
      {"source",
       options.source_name.empty() ? "delta.`" + source.table_path() + "`" : options.source_name},
      {"sourceVersion", source.version().ToString()}};
  for (const auto& [name, value] : report.metrics)
    info.operation_metrics[name] = std::to_string(value);
  info.txn_id = random.Uuid();
  SLUICE_RETURN_NOT_OK(PutFirstCommit(context, target_path, properties, std::move(info), actions));
  return report;
}

}  // namespace sluice::delta
