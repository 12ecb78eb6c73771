#include "sinks/full_refresh.h"

#include <charconv>

#include "sinks/flow_log.h"

namespace sluice::sinks {
namespace {

constexpr std::string_view kFlowProperty = "sluice.flow.";
constexpr std::string_view kUuidSuffix = ".uuid";

/// Raises the generation of each flow that the table knows.
void RaiseGenerations(delta::Metadata* metadata) {
  delta::StringMap& configuration = metadata->configuration;
  std::vector<std::string> flows;
  for (const auto& [key, value] : configuration) {
    if (!key.starts_with(kFlowProperty) || !key.ends_with(kUuidSuffix)) continue;
    flows.push_back(
        key.substr(kFlowProperty.size(), key.size() - kFlowProperty.size() - kUuidSuffix.size()));
  }
  for (const std::string& flow : flows) {
    const int64_t generation = IdentityIn(*metadata, flow)->generation;
    configuration[GenerationProperty(flow)] = std::to_string(generation + 1);
  }
}

}  // namespace

Status FullRefresh(delta::TableRegistry& tables, const std::string& table_path) {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables.Exists(table_path));
  if (!exists) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const auto table, tables.Open(table_path));
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table->Update());
  delta::Metadata metadata = snapshot->metadata();
  const auto allowed = metadata.configuration.find("pipelines.reset.allowed");
  if (allowed != metadata.configuration.end() && allowed->second == "false") {
    return MakeError("FLOW_RESET_NOT_ALLOWED",
                     "table forbids a full refresh (pipelines.reset.allowed=false): " + table_path,
                     "change the property first if the table may really be emptied");
  }
  RaiseGenerations(&metadata);
  delta::Transaction transaction = table->NewTransaction(snapshot);
  transaction.ReadWholeTable();
  snapshot->ForEachFile([&](const delta::AddFile& file) { transaction.Remove(file); });
  transaction.SetMetadata(std::move(metadata));
  transaction.SetOperation("FULL REFRESH");
  return transaction.Commit().status();
}

}  // namespace sluice::sinks
