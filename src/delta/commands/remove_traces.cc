#include <arrow/api.h>
#include <arrow/util/key_value_metadata.h>

#include <algorithm>

#include "delta/columns/column_mapping.h"
#include "delta/columns/type_widening.h"
#include "delta/commands/alteration_internal.h"
#include "delta/commands/remove_traces_internal.h"
#include "delta/files/parquet_reader.h"
#include "delta/files/parquet_writer.h"
#include "delta/log/parquet_file.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/upkeep/clustering.h"

namespace sluice::delta {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;
using TypePtr = std::shared_ptr<arrow::DataType>;
using FilePtr = std::shared_ptr<const AddFile>;
using SnapshotPtr = std::shared_ptr<const Snapshot>;

constexpr char kMode[] = "delta.columnMapping.mode";
constexpr char kWidening[] = "delta.enableTypeWidening";

TypePtr WithoutKeys(const TypePtr& type, std::string_view prefix);

/// `field` without the metadata keys that begin with `prefix`, at every level.
FieldPtr WithoutKeys(const FieldPtr& field, std::string_view prefix) {
  auto kept = std::make_shared<arrow::KeyValueMetadata>();
  for (int64_t i = 0; field->metadata() != nullptr && i < field->metadata()->size(); ++i) {
    if (!field->metadata()->key(i).starts_with(prefix))
      kept->Append(field->metadata()->key(i), field->metadata()->value(i));
  }
  return field->WithType(WithoutKeys(field->type(), prefix))
      ->WithMetadata(kept->size() == 0 ? nullptr : std::move(kept));
}

TypePtr WithoutKeys(const TypePtr& type, std::string_view prefix) {
  switch (type->id()) {
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const FieldPtr& field : type->fields()) fields.push_back(WithoutKeys(field, prefix));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::LIST: return arrow::list(WithoutKeys(type->field(0), prefix));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(WithoutKeys(map.key_field(), prefix),
                                              WithoutKeys(map.item_field(), prefix));
    }
    default: return type;
  }
}

Status StripSchema(std::string_view prefix, Metadata* metadata) {
  SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaFromJson(metadata->schema_string));
  arrow::FieldVector fields;
  for (const FieldPtr& field : schema->fields()) fields.push_back(WithoutKeys(field, prefix));
  return SetSchema(arrow::schema(std::move(fields)), metadata);
}

/// Files that a commit names in the end; until then they go when this does.
class Rewrite {
 public:
  explicit Rewrite(Table& table) : table_(table) {}
  ~Rewrite() {
    for (const AddFile& file : added_) {  // what cannot be deleted is left to VACUUM
      (void)table_.storage().Delete(ResolvePath(table_.path(), file.path));
    }
  }
  Rewrite(const Rewrite&) = delete;
  Rewrite& operator=(const Rewrite&) = delete;

  /// The rows of `files` with the columns of `after`, in the place of `files`.
  Status Run(const SnapshotPtr& before, const SnapshotPtr& after, const std::vector<FilePtr>& files,
             Transaction* transaction) {
    DataFileOptions options;
    options.data_change = false;
    options.extra_fields = RowIdFields(before->metadata());
    SLUICE_ASSIGN_OR_RETURN(const auto writer, DataFileWriter::Make(table_, after, options));
    DataFileReadOptions read;
    read.with_row_ids = KeepsRowIds(before->metadata());
    SLUICE_RETURN_NOT_OK(VisitRows(
        table_.storage(), before, files, read,
        [&](const std::shared_ptr<arrow::RecordBatch>& rows) { return writer->Write(rows); }));
    SLUICE_ASSIGN_OR_RETURN(added_, writer->Finish());
    int64_t removed_bytes = 0;
    int64_t vectors = 0;
    for (const FilePtr& file : files) {
      transaction->Remove(*file, /*data_change=*/false);
      removed_bytes += file->size;
      vectors += file->deletion_vector.has_value() ? 1 : 0;
    }
    for (const AddFile& file : added_) added_bytes_ += file.size;
    transaction->Add(added_);
    transaction->SetMetric("numRemovedFiles", static_cast<int64_t>(files.size()));
    transaction->SetMetric("numRemovedBytes", removed_bytes);
    transaction->SetMetric("numAddedFiles", static_cast<int64_t>(added_.size()));
    transaction->SetMetric("numAddedBytes", added_bytes_);
    transaction->SetMetric("numDeletionVectorsRemoved", vectors);
    return Status::OK();
  }
  int64_t added_bytes() const { return added_bytes_; }

  Result<CommitResult> Commit(Transaction* transaction) {
    auto committed = transaction->Commit();
    // After an unknown outcome the commit may name the files.
    if (committed.ok() || RetryClass(committed.status()) != Retry::kReplan) added_.clear();
    return committed;
  }

 private:
  Table& table_;
  std::vector<AddFile> added_;
  int64_t added_bytes_ = 0;
};

Transaction Begin(Table& table, const SnapshotPtr& snapshot) {
  Transaction transaction = table.NewTransaction(snapshot);
  transaction.SetRulesChecked();
  transaction.ReadWholeTable();
  return transaction;
}

Status CheckNames(const arrow::FieldVector& fields) {
  for (const FieldPtr& field : fields) {
    if (field->name().find_first_of(" ,;{}()\n\t=") != std::string::npos) {
      return MakeError(
          "DELTA_INVALID_COLUMN_NAMES_WHEN_REMOVING_COLUMN_MAPPING",
          "files without column mapping cannot have a column of this name: " + field->name(),
          "rename the column first");
    }
    SLUICE_RETURN_NOT_OK(CheckNames(field->type()->fields()));
  }
  return Status::OK();
}

/// Whether values of `file_type` are of another type than the table's, at any level.
bool Differs(const arrow::DataType& file_type, const arrow::DataType& table_type) {
  if (file_type.id() != table_type.id()) return true;
  if (file_type.id() == arrow::Type::DECIMAL128) return !file_type.Equals(table_type);
  if (file_type.id() == arrow::Type::STRUCT) {
    const auto& known = static_cast<const arrow::StructType&>(table_type);
    return std::any_of(file_type.fields().begin(), file_type.fields().end(),
                       [&](const FieldPtr& field) {
                         const auto wanted = known.GetFieldByName(field->name());
                         return wanted != nullptr && Differs(*field->type(), *wanted->type());
                       });
  }
  for (int i = 0; i < std::min(file_type.num_fields(), table_type.num_fields()); ++i) {
    if (Differs(*file_type.field(i)->type(), *table_type.field(i)->type())) return true;
  }
  return false;
}

Result<std::vector<FilePtr>> FilesOfOtherTypes(Table& table, const Snapshot& snapshot) {
  const TypePtr wanted = arrow::struct_(PhysicalSchema(*snapshot.schema())->fields());
  std::vector<FilePtr> files;
  for (const FilePtr& file : snapshot.Files()) {
    const std::string path = ResolvePath(table.path(), file->path);
    SLUICE_ASSIGN_OR_RETURN(const auto reader, OpenParquet(table.storage(), path, 1));
    std::shared_ptr<arrow::Schema> schema;
    SLUICE_RETURN_NOT_OK(ParquetError(reader->GetSchema(&schema), path));
    if (Differs(*arrow::struct_(schema->fields()), *wanted)) files.push_back(file);
  }
  return files;
}

}  // namespace

Result<CommitResult> RemoveRowIds(Table& table, const SnapshotPtr& snapshot) {
  Metadata metadata = snapshot->metadata();
  const StringMap suspended = {{"delta.enableRowTracking", "false"},
                               {"delta.rowTrackingSuspended", "true"}};
  for (const auto& [key, value] : suspended) metadata.configuration[key] = value;
  Transaction suspend = table.NewTransaction(snapshot);
  suspend.SetRulesChecked();
  suspend.SetMetadata(std::move(metadata));
  suspend.SetOperation("SET TBLPROPERTIES", {{"properties", StringMapToJson(suspended)}});
  SLUICE_ASSIGN_OR_RETURN(const auto committed, suspend.Commit());
  Transaction forget = table.NewTransaction(committed.snapshot);
  bool any = false;
  for (const FilePtr& file : committed.snapshot->Files()) {
    if (!file->base_row_id.has_value() && !file->default_row_commit_version.has_value()) continue;
    AddFile again = *file;
    again.base_row_id.reset();
    again.default_row_commit_version.reset();
    again.data_change = false;
    forget.ReadFile(*file);
    forget.Add(std::move(again));
    any = true;
  }
  if (!any) return committed;
  forget.SetRulesChecked();
  forget.SetOperation("ROW TRACKING UNBACKFILL", {{"batchId", "0"}});
  return forget.Commit();
}

Result<CommitResult> RemoveColumnMapping(Table& table, const SnapshotPtr& snapshot) {
  SLUICE_RETURN_NOT_OK(CheckNames(snapshot->schema()->fields()));
  Metadata metadata = snapshot->metadata();
  metadata.configuration.erase(kMode);
  metadata.configuration.erase(kMaxColumnId);
  SLUICE_RETURN_NOT_OK(StripSchema("delta.columnMapping.", &metadata));
  SLUICE_ASSIGN_OR_RETURN(const auto after, snapshot->Apply({metadata}));
  Transaction transaction = Begin(table, snapshot);
  Rewrite rewrite(table);
  SLUICE_RETURN_NOT_OK(rewrite.Run(snapshot, after, snapshot->Files(), &transaction));
  if (IsClustered(*snapshot)) {
    SLUICE_ASSIGN_OR_RETURN(const auto columns, ClusteringColumns(*snapshot));
    transaction.SetDomainMetadata(ClusteringDomain(*after->schema(), columns));
  }
  transaction.SetMetadata(std::move(metadata));
  transaction.SetMetric("numOutputBytes", rewrite.added_bytes());
  transaction.SetOperation("REMOVE COLUMN MAPPING");
  return rewrite.Commit(&transaction);
}

Result<CommitResult> RemoveTypeChanges(Table& table, const SnapshotPtr& snapshot) {
  CommitResult last{snapshot->version(), snapshot, 0};
  SLUICE_ASSIGN_OR_RETURN(const auto files, FilesOfOtherTypes(table, *snapshot));
  if (!files.empty()) {
    Transaction reorg = Begin(table, snapshot);
    Rewrite rewrite(table);
    SLUICE_RETURN_NOT_OK(rewrite.Run(snapshot, snapshot, files, &reorg));
    reorg.SetOperation("REORG", {{"predicate", "[]"}, {"applyPurge", "true"}});
    SLUICE_ASSIGN_OR_RETURN(last, rewrite.Commit(&reorg));
  }
  Metadata metadata = last.snapshot->metadata();
  metadata.configuration.erase(kWidening);
  SLUICE_RETURN_NOT_OK(StripSchema(kTypeChanges, &metadata));
  if (metadata == last.snapshot->metadata()) return last;
  std::string columns;
  for (const FieldPtr& field : last.snapshot->schema()->fields()) {
    SLUICE_ASSIGN_OR_RETURN(const std::string json, FieldJson(field));
    columns += (columns.empty() ? "[" : ",") + json;
  }
  Transaction forget = Begin(table, last.snapshot);
  forget.SetMetadata(std::move(metadata));
  forget.SetOperation("DROP FEATURE", {{"columns", columns + "]"}});
  return forget.Commit();
}

}  // namespace sluice::delta
