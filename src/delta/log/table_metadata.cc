#include "delta/log/table_metadata.h"

#include <arrow/type.h>

#include <charconv>

#include "delta/columns/column_mapping.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

constexpr char kMode[] = "delta.columnMapping.mode";
constexpr char kRowTracking[] = "delta.enableRowTracking";
constexpr char kRowIdName[] = "delta.rowTracking.materializedRowIdColumnName";
constexpr char kRowVersionName[] = "delta.rowTracking.materializedRowCommitVersionColumnName";

std::string Property(const Metadata& metadata, const char* key, const std::string& otherwise) {
  const auto it = metadata.configuration.find(key);
  return it == metadata.configuration.end() ? otherwise : it->second;
}

Status CompleteMapping(const Metadata* before, const std::function<std::string()>& new_uuid,
                       Metadata* metadata) {
  const std::string mode = Property(*metadata, kMode, "none");
  const std::string mode_before = before == nullptr ? mode : Property(*before, kMode, "none");
  if (mode != "none" && mode != "name" && mode != "id") {
    return MakeError(
        "DELTA_INVALID_PROPERTY",
        "table property has no usable value: " + std::string(kMode) + " = '" + mode + "'",
        "give name, id or none");
  }
  // Without physical names in the schema files have been written anew (DROP FEATURE).
  const bool removed =
      mode == "none" && metadata->schema_string.find("delta.columnMapping.") == std::string::npos;
  if (mode != mode_before && !removed && !(mode_before == "none" && mode == "name")) {
    return MakeError("DELTA_INVALID_PROPERTY",
                     "column mapping cannot change from " + mode_before + " to " + mode,
                     "only name can be switched on for a table that exists");
  }
  if (mode == "none") return Status::OK();
  const std::string max_text = Property(*metadata, kMaxColumnId, "0");
  int64_t max_id = 0;
  (void)std::from_chars(max_text.data(), max_text.data() + max_text.size(), max_id);
  SLUICE_ASSIGN_OR_RETURN(const auto schema, SchemaFromJson(metadata->schema_string));
  SLUICE_ASSIGN_OR_RETURN(
      const auto assigned,
      AssignColumnIds(*schema, /*keep_names=*/before != nullptr && mode_before == "none", new_uuid,
                      &max_id));
  SLUICE_ASSIGN_OR_RETURN(metadata->schema_string, SchemaToJson(*assigned));
  metadata->configuration[kMaxColumnId] = std::to_string(max_id);
  return Status::OK();
}

}  // namespace

Status CheckPartitioning(const arrow::Schema& schema, const std::vector<std::string>& columns) {
  for (const std::string& column : columns) {
    const auto field = schema.GetFieldByName(column);
    if (field == nullptr) {
      return MakeError("DELTA_SCHEMA_MISMATCH", "partition column is not in the schema: " + column);
    }
    const bool nested =
        field->type()->num_fields() > 0 || field->type()->id() == arrow::Type::EXTENSION;
    if (nested || field->type()->id() == arrow::Type::BINARY) {
      return MakeError(
          nested ? "INVALID_PARTITION_COLUMN_DATA_TYPE" : "DELTA_UNSUPPORTED_TYPE",
          "cannot partition by column " + column + " of type " + field->type()->ToString(),
          "partition by a string, number, date or timestamp");
    }
  }
  if (!columns.empty() && static_cast<int>(columns.size()) >= schema.num_fields()) {
    return MakeError("ALL_PARTITION_COLUMNS_NOT_ALLOWED",
                     "cannot partition by all columns of a table");
  }
  return Status::OK();
}

Status CompleteMetadata(const Metadata* before, const std::function<std::string()>& new_uuid,
                        Metadata* metadata) {
  SLUICE_RETURN_NOT_OK(CompleteMapping(before, new_uuid, metadata));
  if (Property(*metadata, kRowTracking, "false") != "true") return Status::OK();
  metadata->configuration.try_emplace(kRowIdName, "_row-id-col-" + new_uuid());
  metadata->configuration.try_emplace(kRowVersionName, "_row-commit-version-col-" + new_uuid());
  return Status::OK();
}

}  // namespace sluice::delta
