#include "delta/commands/alter.h"

#include <arrow/api.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "delta/columns/adapt_columns.h"
#include "delta/columns/assignment.h"
#include "delta/columns/column_mapping.h"
#include "delta/columns/schema_edit.h"
#include "delta/columns/type_widening.h"
#include "delta/commands/alteration_internal.h"
#include "delta/commands/schema_evolution.h"
#include "delta/files/scan.h"
#include "delta/files/write_options.h"
#include "delta/log/row_ids.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"
#include "delta/protocol/write_properties.h"
#include "delta/upkeep/clustering.h"

namespace sluice::delta {
namespace {

constexpr char kConstraintPrefix[] = "delta.constraints.";
constexpr char kComment[] = "comment";
constexpr char kByConstraint[] = "DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE";
constexpr char kRowTracking[] = "delta.enableRowTracking";

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return text;
}

Status CannotChange(const std::string& what, const std::string& hint = "") {
  return MakeError("DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP", what, hint);
}

std::string PositionText(const ColumnPosition& position) {
  return position.first ? "FIRST" : "AFTER " + position.after;
}

/// Puts `field` among `fields` where `position` says; nullopt = last.
Status Place(const std::shared_ptr<arrow::Field>& field,
             const std::optional<ColumnPosition>& position, arrow::FieldVector* fields) {
  auto at = fields->end();
  if (position.has_value() && position->first) at = fields->begin();
  if (position.has_value() && !position->first) {
    const int index = FindFieldIndex(*fields, position->after);
    if (index < 0)
      return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + position->after);
    at = fields->begin() + index + 1;
  }
  fields->insert(at, field);
  return Status::OK();
}

/// True when `text` (an expression) names `column`; errs on the side of yes.
bool Names(const std::string& text, const std::string& column) {
  const std::string haystack = Lower(text);
  const std::string needle = Lower(column);
  const auto is_word = [](char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  };
  for (size_t at = haystack.find(needle); at != std::string::npos;
       at = haystack.find(needle, at + 1)) {
    const size_t end = at + needle.size();
    const bool begins = at == 0 || !is_word(haystack[at - 1]);
    const bool ends = end == haystack.size() || !is_word(haystack[end]);
    if (begins && ends) return true;
  }
  return false;
}

Status CheckMapped(const Snapshot& snapshot, bool rename) {
  if (snapshot.properties().column_mapping_mode != "none") return Status::OK();
  const std::string hint = "set delta.columnMapping.mode=name";
  const std::string what = " a column of a table without column mapping: " + snapshot.table_path();
  return rename ? MakeError("DELTA_UNSUPPORTED_RENAME_COLUMN", "cannot rename" + what, hint)
                : MakeError("DELTA_UNSUPPORTED_DROP_COLUMN", "cannot drop" + what, hint);
}

ColumnPath ParentOf(const ColumnPath& path) {
  return path.empty() ? path : ColumnPath(path.begin(), path.end() - 1);
}

std::shared_ptr<arrow::Field> WithKey(const std::shared_ptr<arrow::Field>& field,
                                      const std::string& key, const std::string& text) {
  auto metadata = field->metadata() == nullptr ? std::make_shared<arrow::KeyValueMetadata>()
                                               : field->metadata()->Copy();
  const int index = metadata->FindKey(key);
  if (index >= 0) SLUICE_CHECK(metadata->Delete(index).ok(), "a key that is there can be deleted");
  if (!text.empty()) {
    std::string json;
    AppendJsonString(text, &json);
    metadata->Append(key, json);
  }
  return field->WithMetadata(metadata->size() == 0 ? nullptr : std::move(metadata));
}

/// The columns with statistics are listed by name.
Status RenameInStatistics(const ColumnPath& path, const std::string& name, Metadata* metadata) {
  const auto it = metadata->configuration.find("delta.dataSkippingStatsColumns");
  if (it == metadata->configuration.end()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto columns, ParseColumnList(it->second));
  for (ColumnPath& column : columns) {
    if (column.size() >= path.size() && std::equal(path.begin(), path.end(), column.begin()))
      column[path.size() - 1] = name;
  }
  it->second = ColumnListText(columns);
  return Status::OK();
}

}  // namespace

Result<std::string> FieldJson(const std::shared_ptr<arrow::Field>& field) {
  SLUICE_ASSIGN_OR_RETURN(const auto json, SchemaToJson(arrow::Schema({field})));
  const size_t begin = json.find('[') + 1;
  return json.substr(begin, json.rfind(']') - begin);
}

Status CheckIndependent(const Snapshot& snapshot, const ColumnPath& path) {
  const auto depends = [&](const char* code, const std::string& what) {
    return MakeError(code, "column " + DottedPath(path) + " is used by " + what,
                     "drop that first, and make it again afterwards");
  };
  for (const auto& [key, text] : snapshot.metadata().configuration) {
    if (key.starts_with(kConstraintPrefix) && Names(text, path.back()))
      return depends(kByConstraint, "the constraint " + key.substr(sizeof(kConstraintPrefix) - 1));
  }
  for (const auto& field : snapshot.schema()->fields()) {
    const std::string text = ColumnMetadata(*field, "delta.generationExpression");
    if (!text.empty() && Names(text, path.back()))
      return depends("DELTA_GENERATED_COLUMNS_DEPENDENT_COLUMN_CHANGE",
                     "the generated column " + field->name());
    const std::string invariant = ColumnMetadata(*field, "delta.invariants");
    if (!invariant.empty() && Names(invariant, path.back()))
      return depends(kByConstraint, "the invariant of column " + field->name());
  }
  return Status::OK();
}

Status CheckNotClustered(const Snapshot& snapshot, const arrow::Field& field) {
  const auto it = snapshot.domain_metadata().find(kClusteringDomain);
  if (it == snapshot.domain_metadata().end()) return Status::OK();
  std::string quoted;
  AppendJsonString(PhysicalName(field), &quoted);
  if (it->second.configuration.find(quoted) == std::string::npos) return Status::OK();
  return MakeError("DELTA_UNSUPPORTED_DROP_COLUMN",
                   "cannot drop a column the table is clustered by: " + field.name(),
                   "change the clustering first");
}

bool IsPartitionColumn(const Snapshot& snapshot, const std::string& name) {
  const auto& columns = snapshot.partition_columns();
  return std::find(columns.begin(), columns.end(), name) != columns.end();
}

Result<CommitResult> AddColumns(Table& table, const std::vector<NewColumn>& columns) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  std::string json = "[";
  for (const NewColumn& column : columns) {
    ColumnPath path = column.parent;
    path.push_back(column.field->name());
    if (!column.field->nullable())
      return CannotChange("a new column cannot be NOT NULL: " + DottedPath(path),
                          "rows there are would have no value; add it without, fill it, and set "
                          "NOT NULL afterwards");
    if (!ColumnMetadata(*column.field, "CURRENT_DEFAULT").empty())
      return MakeError("WRONG_COLUMN_DEFAULTS_FOR_DELTA_ALTER_TABLE_ADD_COLUMN_NOT_SUPPORTED",
                       "a new column cannot have a default: " + DottedPath(path),
                       "add it without, and set the default afterwards");
    const auto edit = [&](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
      if (FindFieldIndex(fields, column.field->name()) >= 0)
        return MakeError("FIELD_ALREADY_EXISTS", "column exists already: " + DottedPath(path));
      SLUICE_RETURN_NOT_OK(Place(column.field, column.position, &fields));
      return fields;
    };
    SLUICE_RETURN_NOT_OK(alteration.EditColumns(column.parent, edit));
    SLUICE_ASSIGN_OR_RETURN(const auto shown, FieldJson(column.field->WithName(DottedPath(path))));
    json += (json.size() > 1 ? ",{\"column\":" : "{\"column\":") + shown;
    if (column.position.has_value()) {
      json += ",\"position\":";
      AppendJsonString(PositionText(*column.position), &json);
    }
    json += '}';
  }
  return alteration.Commit("ADD COLUMNS", {{"columns", json + "]"}});
}

Result<CommitResult> RenameColumn(Table& table, const ColumnPath& path, const std::string& name) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  SLUICE_RETURN_NOT_OK(CheckMapped(alteration.snapshot(), /*rename=*/true));
  std::string old_name;
  const auto edit = [&](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
    const int index = FindFieldIndex(fields, path.back());
    if (index < 0)
      return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + DottedPath(path));
    const int same = FindFieldIndex(fields, name);
    if (same >= 0 && same != index)
      return MakeError("FIELD_ALREADY_EXISTS", "column exists already: " + name);
    auto& field = fields[static_cast<size_t>(index)];
    old_name = field->name();
    field = field->WithName(name);
    return fields;
  };
  SLUICE_RETURN_NOT_OK(CheckIndependent(alteration.snapshot(), path));
  SLUICE_RETURN_NOT_OK(alteration.EditColumns(ParentOf(path), edit));
  if (path.size() == 1) {
    auto& partitions = alteration.metadata().partition_columns;
    std::replace(partitions.begin(), partitions.end(), old_name, name);
  }
  ColumnPath renamed = ParentOf(path);
  renamed.push_back(name);
  SLUICE_RETURN_NOT_OK(RenameInStatistics(path, name, &alteration.metadata()));
  return alteration.Commit("RENAME COLUMN", {{"oldColumnPath", DottedPath(path)},
                                             {"newColumnPath", DottedPath(renamed)}});
}

Result<CommitResult> DropColumns(Table& table, const std::vector<ColumnPath>& paths) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  SLUICE_RETURN_NOT_OK(CheckMapped(alteration.snapshot(), /*rename=*/false));
  std::vector<std::string> names;
  for (const ColumnPath& path : paths) {
    names.push_back(DottedPath(path));
    const auto edit = [&](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
      const int index = FindFieldIndex(fields, path.back());
      if (index < 0)
        return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + names.back());
      const auto& field = fields[static_cast<size_t>(index)];
      const bool top = path.size() == 1;
      if (fields.size() == 1 || (top && IsPartitionColumn(alteration.snapshot(), field->name())))
        return MakeError("DELTA_UNSUPPORTED_DROP_COLUMN",
                         "cannot drop a partition column or the only column: " + names.back());
      SLUICE_RETURN_NOT_OK(CheckNotClustered(alteration.snapshot(), *field));
      fields.erase(fields.begin() + index);
      return fields;
    };
    SLUICE_RETURN_NOT_OK(CheckIndependent(alteration.snapshot(), path));
    SLUICE_RETURN_NOT_OK(alteration.EditColumns(ParentOf(path), edit));
  }
  return alteration.Commit("DROP COLUMNS", {{"columns", NamesJson(names)}});
}

namespace {

Result<std::shared_ptr<arrow::Field>> WithWiderType(const Snapshot& snapshot,
                                                    const ColumnChange& change,
                                                    const SplitPath& split,
                                                    const std::shared_ptr<arrow::Field>& field) {
  std::shared_ptr<arrow::DataType> before;
  SLUICE_ASSIGN_OR_RETURN(const auto stored, TableTypeOf(change.type));
  SLUICE_ASSIGN_OR_RETURN(
      auto type, EditType(field->type(), split.below,
                          [&](const auto& held) -> Result<std::shared_ptr<arrow::DataType>> {
                            before = held;
                            return stored;
                          }));
  if (before->Equals(*stored)) return field;
  const std::string what = "cannot change the type of column " + DottedPath(change.path) +
                           " from " + before->ToString() + " to " + stored->ToString();
  if (!MayWiden(*before, *stored)) return CannotChange(what, "write the rows into a new column");
  if (!WidensTypes(snapshot.metadata()))
    return CannotChange(what, "set delta.enableTypeWidening=true");
  SLUICE_RETURN_NOT_OK(CheckIndependent(snapshot, split.holder));
  return NoteTypeChange(field->WithType(std::move(type)), DottedPath(split.below), before, stored);
}

Result<std::shared_ptr<arrow::Field>> Changed(const Snapshot& snapshot, const ColumnChange& change,
                                              const SplitPath& split,
                                              std::shared_ptr<arrow::Field> field) {
  const bool only_type = !change.drop_not_null && !change.set_not_null &&
                         !change.comment.has_value() && !change.default_value.has_value() &&
                         !change.position.has_value();
  if (!split.below.empty() && !only_type)
    return CannotChange("only the type of what lists and maps hold can be changed: " +
                        DottedPath(change.path));
  if (change.type != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(field, WithWiderType(snapshot, change, split, field));
  }
  if (change.drop_not_null) field = field->WithNullable(true);
  if (change.set_not_null) field = field->WithNullable(false);
  if (change.comment.has_value()) field = WithKey(field, "comment", *change.comment);
  if (change.default_value.has_value()) {
    if (!snapshot.protocol().HasWriterFeature("allowColumnDefaults") &&
        !change.default_value->empty())
      return MakeError("WRONG_COLUMN_DEFAULTS_FOR_DELTA_FEATURE_NOT_ENABLED",
                       "the table does not have column defaults on",
                       "set delta.feature.allowColumnDefaults=supported");
    field = WithKey(field, "CURRENT_DEFAULT", *change.default_value);
  }
  return field;
}

/// Every row has a value in `path` already.
Status CheckFilled(Table& table, Transaction* transaction, const ColumnPath& path) {
  if (path.size() != 1)
    return CannotChange("NOT NULL can be set on columns of the table only: " + DottedPath(path));
  const Snapshot& snapshot = *transaction->read_snapshot();
  const int index = FindFieldIndex(snapshot.schema()->fields(), path.front());
  const std::string name = snapshot.schema()->field(index)->name();
  ScanOptions options;
  options.columns = {name};
  SLUICE_ASSIGN_OR_RETURN(const auto scan,
                          Scan::Make(table.storage(), transaction->read_snapshot(), options));
  int64_t missing = 0;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, scan->Next());
    if (rows == nullptr) break;
    missing += rows->column(0)->null_count();
  }
  transaction->ReadWholeTable();
  if (missing == 0) return Status::OK();
  return MakeError(
      "DELTA_NEW_NOT_NULL_VIOLATION",
      std::to_string(missing) + " rows of " + table.path() + " have no value in column " + name,
      "give them one, or delete them first");
}

/// `changed` as Delta shows it in the history: without the note of this very change.
std::shared_ptr<arrow::Field> WithNotesOf(const arrow::Field& before,
                                          const std::shared_ptr<arrow::Field>& changed) {
  if (!changed->HasMetadata() || !changed->metadata()->Contains(kTypeChanges)) return changed;
  const auto metadata = changed->metadata()->Copy();
  const bool noted = before.HasMetadata() && before.metadata()->Contains(kTypeChanges);
  const Status edited = noted ? metadata->Set(kTypeChanges, *before.metadata()->Get(kTypeChanges))
                              : metadata->Delete(kTypeChanges);
  return edited.ok() ? changed->WithMetadata(metadata) : changed;
}

}  // namespace

Result<CommitResult> ChangeColumn(Table& table, const ColumnChange& change) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  const Snapshot& snapshot = alteration.snapshot();
  SLUICE_ASSIGN_OR_RETURN(const auto split,
                          SplitAtHolder(snapshot.schema()->fields(), change.path));
  if (change.set_not_null)
    SLUICE_RETURN_NOT_OK(CheckFilled(table, &alteration.transaction(), change.path));
  std::shared_ptr<arrow::Field> before;
  std::shared_ptr<arrow::Field> changed;
  const auto edit = [&](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
    const int index = FindFieldIndex(fields, split.holder.back());
    before = fields[static_cast<size_t>(index)];
    SLUICE_ASSIGN_OR_RETURN(changed, Changed(snapshot, change, split, before));
    if (!change.position.has_value()) {
      fields[static_cast<size_t>(index)] = changed;
      return fields;
    }
    fields.erase(fields.begin() + index);
    SLUICE_RETURN_NOT_OK(Place(changed, change.position, &fields));
    return fields;
  };
  SLUICE_RETURN_NOT_OK(alteration.EditColumns(ParentOf(split.holder), edit));
  const auto shown = WithNotesOf(*before, changed);
  SLUICE_ASSIGN_OR_RETURN(const auto json, FieldJson(shown->WithName(DottedPath(split.holder))));
  StringMap parameters = {{"column", json}};
  if (change.position.has_value()) parameters["position"] = PositionText(*change.position);
  return alteration.Commit("CHANGE COLUMN", std::move(parameters));
}

namespace {

/// True for the name of a property of Delta's, whether or not it means something here.
bool IsKnownProperty(const std::string& key) {
  static constexpr const char* kFamilies[] = {
      "delta.autoOptimize",   "delta.checkpoint.",    "delta.constraints.",
      "delta.feature.",       "delta.identity.",      "delta.inCommitTimestampEnablement",
      "delta.parquet.",       "delta.rowTracking.",   "delta.universalFormat.",
      "delta.columnMapping.", "delta.redirect",       "delta.coordinatedCommits.",
      "delta.enableIceberg",  "delta.compatibility.", "delta.workloadBasedColumns."};
  static constexpr const char* kNames[] = {"delta.appendOnly",
                                           "delta.castIcebergTimeType",
                                           "delta.checkpointInterval",
                                           "delta.checkpointPolicy",
                                           "delta.checkpointRetentionDuration",
                                           "delta.dataSkippingNumIndexedCols",
                                           "delta.dataSkippingStatsColumns",
                                           "delta.deletedFileRetentionDuration",
                                           "delta.enableChangeDataFeed",
                                           "delta.enableDeletionVectors",
                                           "delta.enableExpiredLogCleanup",
                                           "delta.enableFullRetentionRollback",
                                           "delta.enableInCommitTimestamps",
                                           "delta.enableRowTracking",
                                           "delta.enableTypeWidening",
                                           "delta.enableVariantShredding",
                                           "delta.ignoreProtocolDefaults",
                                           "delta.isolationLevel",
                                           "delta.logRetentionDuration",
                                           "delta.minReaderVersion",
                                           "delta.minWriterVersion",
                                           "delta.randomPrefixLength",
                                           "delta.randomizeFilePrefixes",
                                           "delta.requireCheckpointProtectionBeforeVersion",
                                           "delta.rowTrackingSuspended",
                                           "delta.sampleRetentionDuration",
                                           "delta.setTransactionRetentionDuration",
                                           "delta.targetFileSize",
                                           "delta.tuneFileSizesForRewrites"};
  return std::any_of(std::begin(kFamilies), std::end(kFamilies),
                     [&](const char* family) { return key.starts_with(family); }) ||
         std::find(std::begin(kNames), std::end(kNames), key) != std::end(kNames);
}

Status CheckSettable(const StringMap& properties) {
  for (const auto& [key, value] : properties) {
    if (key.starts_with("delta.") && !IsKnownProperty(key))
      return MakeError("DELTA_UNKNOWN_CONFIGURATION", "Delta has no property " + key,
                       "correct the name; properties of your own do not begin with delta.");
    const bool own = key.starts_with(kConstraintPrefix) ||
                     key.starts_with("delta.rowTracking.materialized") || key == kMaxColumnId ||
                     key.starts_with("delta.inCommitTimestampEnablement");
    if (!own) continue;
    return MakeError("DELTA_INVALID_PROPERTY", "property cannot be set by hand: " + key,
                     "use ALTER TABLE ADD CONSTRAINT, or leave it to the table");
  }
  return ParseTableProperties(properties).status();
}

/// Gives row ids to files that came before row tracking: first the feature, so that writers of
/// others give ids from now on, then the files.
Status BackfillRowIds(Table& table) {
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table.Update());
  if (!snapshot->protocol().HasWriterFeature("rowTracking")) {
    Transaction upgrade = table.NewTransaction(snapshot);
    const Protocol protocol =
        ProtocolFor(*snapshot->schema(), snapshot->properties(),
                    {{"delta.feature.rowTracking", "supported"}}, snapshot->protocol());
    upgrade.SetRulesChecked();
    upgrade.SetProtocol(protocol);
    upgrade.SetOperation("UPGRADE PROTOCOL");
    SLUICE_ASSIGN_OR_RETURN(const auto upgraded, upgrade.Commit());
    snapshot = upgraded.snapshot;
  }
  Transaction backfill = table.NewTransaction(snapshot);
  bool any = false;
  const auto without_ids =
      snapshot->FilesWhere([](const AddFile& file) { return !file.base_row_id.has_value(); });
  for (const auto& file : without_ids) {
    AddFile again = *file;
    again.data_change = false;
    backfill.ReadFile(*file);
    backfill.Add(std::move(again));
    any = true;
  }
  if (!any) return Status::OK();
  backfill.SetRulesChecked();
  backfill.SetOperation("ROW TRACKING BACKFILL", {{"batchId", "0"}});
  return backfill.Commit().status();
}

}  // namespace

Result<CommitResult> SetProperties(Table& table, const StringMap& properties) {
  SLUICE_RETURN_NOT_OK(CheckSettable(properties));
  const auto tracking = properties.find(kRowTracking);
  if (tracking != properties.end() && tracking->second == "true")
    SLUICE_RETURN_NOT_OK(BackfillRowIds(table));
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  for (const auto& [key, value] : properties) {
    if (key == kComment) {
      alteration.metadata().description = value.empty() ? std::nullopt : std::optional(value);
    } else {
      alteration.metadata().configuration[key] = value;
    }
  }
  StringMap shown;  // names of features as Delta writes them
  for (const auto& [key, value] : properties)
    shown[key.starts_with("delta.feature.") ? LowerAscii(key) : key] = value;
  return alteration.Commit("SET TBLPROPERTIES", {{"properties", StringMapToJson(shown)}});
}

Result<CommitResult> UnsetProperties(Table& table, const std::vector<std::string>& keys,
                                     bool if_exists) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  for (const std::string& key : keys) {
    if (key.starts_with(kConstraintPrefix) || key.starts_with("delta.columnMapping.") ||
        key.starts_with("delta.rowTracking.materialized"))
      return MakeError("DELTA_INVALID_PROPERTY", "property cannot be unset: " + key,
                       "use ALTER TABLE DROP CONSTRAINT, or leave it to the table");
    if (key == kComment) {
      alteration.metadata().description = std::nullopt;
      continue;
    }
    alteration.metadata().configuration.erase(key);
  }
  return alteration.Commit("UNSET TBLPROPERTIES", {{"properties", NamesJson(keys)},
                                                   {"ifExists", if_exists ? "true" : "false"}});
}

Result<CommitResult> AddConstraint(Table& table, const std::string& name, const std::string& text,
                                   ExpressionCompiler& expressions) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  const std::string key = kConstraintPrefix + Lower(name);
  if (alteration.metadata().configuration.contains(key))
    return MakeError("DELTA_CONSTRAINT_ALREADY_EXISTS", "constraint exists already: " + name,
                     "drop it first, or take another name");
  SLUICE_ASSIGN_OR_RETURN(
      const auto holds,
      expressions.Compile(text, alteration.snapshot().schema(), arrow::boolean()));
  SLUICE_ASSIGN_OR_RETURN(const auto scan,
                          Scan::Make(table.storage(), alteration.transaction().read_snapshot()));
  int64_t violations = 0;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, scan->Next());
    if (rows == nullptr) break;
    SLUICE_ASSIGN_OR_RETURN(const auto array, Evaluate(holds, rows));
    violations += rows->num_rows() - array->true_count();
  }
  if (violations > 0) {
    return MakeError("DELTA_NEW_CHECK_CONSTRAINT_VIOLATION",
                     std::to_string(violations) + " rows of " + table.path() +
                         " violate the new constraint (" + text + ")",
                     "correct or delete the rows first; NULL is a violation");
  }
  alteration.transaction().ReadWholeTable();
  alteration.metadata().configuration[key] = text;
  return alteration.Commit("ADD CONSTRAINT", {{"name", name}, {"expr", text}});
}

Result<std::optional<CommitResult>> DropConstraint(Table& table, const std::string& name,
                                                   bool if_exists) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  auto& configuration = alteration.metadata().configuration;
  const auto it = configuration.find(kConstraintPrefix + Lower(name));
  if (it == configuration.end()) {
    if (if_exists) return std::optional<CommitResult>();
    return MakeError("DELTA_CONSTRAINT_DOES_NOT_EXIST", "the table has no constraint " + name,
                     "say IF EXISTS");
  }
  const std::string text = it->second;
  configuration.erase(it);
  SLUICE_ASSIGN_OR_RETURN(
      auto committed,
      alteration.Commit("DROP CONSTRAINT", {{"name", name}, {"expr", text}, {"existed", "true"}}));
  return std::optional<CommitResult>(std::move(committed));
}

}  // namespace sluice::delta
