#include "plan/relation_catalog.h"

#include <algorithm>
#include <set>

#include "base/text.h"
#include "plan/variant_columns.h"

namespace sluice::plan {
namespace {

const std::set<std::string>& PlannedTableFunctions() {
  static const auto* const names = new std::set<std::string>{
      "read_files",  "cloud_files", "read_eventhubs", "read_http", "read_mqtt", "read_kinesis",
      "read_pubsub", "read_pulsar", "read_database",  "read_cdc",  "event_log"};
  return *names;
}

}  // namespace

Result<RelationCatalog::Place> RelationCatalog::PlaceOf(
    const std::vector<std::string>& parts) const {
  std::vector<std::string> rest = parts;
  if (rest.size() > 1 && LowerAscii(rest.front()) == "live") rest.erase(rest.begin());
  SLUICE_ASSIGN_OR_RETURN(auto location, catalog::LocateTable(rest, spec_.engine.warehouse,
                                                              spec_.catalog, default_schema_));
  std::string name = location.name.has_value() ? location.name->ToString()
                                               : std::string(kPathPrefix) + location.path;
  return Place{std::move(name), std::move(location.path), std::move(location.name)};
}

Result<std::optional<sql::ResolvedRelation>> RelationCatalog::ResolveRelation(
    const std::vector<std::string>& parts, bool stream) {
  SLUICE_ASSIGN_OR_RETURN(auto temporary, ResolveTemporary(parts, stream));
  if (temporary.has_value()) return temporary;
  SLUICE_ASSIGN_OR_RETURN(const Place place, PlaceOf(parts));
  if (place.dataset.has_value()) {
    if (inside_ != nullptr && views_.own != nullptr && views_.own->contains(*place.dataset))
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: in a project, a view of the warehouse that reads the "
                       "project's dataset " +
                           place.name,
                       "define the view in the project");
    const auto found = datasets_.find(*place.dataset);
    if (found != datasets_.end()) return ResolveDataset(*place.dataset, found->second, stream);
  }
  SLUICE_ASSIGN_OR_RETURN(bool exists, tables_.Exists(place.path));
  if (!exists && !place.dataset.has_value() && !stream) return ResolvePathAt(place.path);
  if (!exists)
    return place.dataset.has_value() ? ResolveStored(*place.dataset, stream)
                                     : std::optional<sql::ResolvedRelation>();
  SLUICE_ASSIGN_OR_RETURN(auto table, tables_.Open(place.path));
  SLUICE_ASSIGN_OR_RETURN(auto snapshot, table->Update());
  return sql::ResolvedRelation{place.name, Columns(snapshot->schema()), nullptr};
}

std::shared_ptr<arrow::Schema> RelationCatalog::Columns(
    const std::shared_ptr<arrow::Schema>& table) const {
  return variants_ == VariantForm::kAsQueried ? SqlSchema(table) : table;
}

Result<std::optional<sql::ResolvedRelation>> RelationCatalog::ResolveDataset(
    const catalog::TableName& name, const KnownDataset& dataset, bool stream) const {
  if (dataset.view != nullptr) {
    if (stream && !dataset.view->is_streaming) {
      return MakeError("INVALID_FLOW_QUERY_TYPE.BATCH_RELATION_FOR_STREAMING_TABLE",
                       "the view is not a stream: " + name.ToString(),
                       "read it without STREAM, or make its query a streaming one");
    }
    return sql::ResolvedRelation{name.ToString(), dataset.schema, dataset.view};
  }
  if (stream && dataset.kind == DatasetKind::kMaterializedView) {
    return MakeError(
        "STREAM_FROM_MATERIALIZED_VIEW",
        "a materialized view changes its rows and cannot be read as a stream: " + name.ToString(),
        "read it without STREAM");
  }
  return sql::ResolvedRelation{name.ToString(), dataset.schema, nullptr};
}

Result<std::optional<sql::ResolvedTableFunction>> RelationCatalog::ResolveTableFunction(
    const std::string& function, const std::map<std::string, std::string>& args, bool stream) {
  if (function == "read_kafka") {
    if (!stream)
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: read_kafka without STREAM",
                       "write STREAM read_kafka(...)");
    bool headers = false;
    for (const auto& [key, value] : args)
      headers |= LowerAscii(key) == "includeheaders" && LowerAscii(value) == "true";
    return sql::ResolvedTableFunction{sql::KafkaSchema(headers), true};
  }
  if (PlannedTableFunctions().count(function) != 0) {
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: " + function);
  }
  return std::nullopt;
}

std::vector<std::string> RelationCatalog::KnownRelations() {
  std::vector<std::string> names;
  for (const auto& [name, dataset] : datasets_) {
    names.push_back(name.ToString());
    if (name.schema == default_schema_) names.push_back(name.table);
  }
  return names;
}

}  // namespace sluice::plan
