// Resolves names in queries: datasets of the pipeline first, then tables of the warehouse, then
// delta.`/path`.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "delta/log/table.h"
#include "plan/pipeline_graph.h"
#include "sql/analysis/relation_resolver.h"

namespace sluice::plan {

/// What is known of a dataset whose flows have been analyzed.
struct KnownDataset {
  DatasetKind kind = DatasetKind::kStreamingTable;
  std::shared_ptr<arrow::Schema> schema;
  sql::PlanPtr view;  // of views: put in place of the name
};

class RelationCatalog : public sql::RelationResolver {
 public:
  /// All outlive this. `default_schema` is that of the file being analyzed.
  RelationCatalog(const ProjectSpec& spec, delta::TableRegistry& tables,
                  const std::map<catalog::TableName, KnownDataset>& datasets,
                  std::string default_schema)
      : spec_(spec),
        tables_(tables),
        datasets_(datasets),
        default_schema_(std::move(default_schema)) {}

  Result<std::optional<sql::ResolvedRelation>> ResolveRelation(
      const std::vector<std::string>& parts, bool stream) override;
  Result<std::optional<sql::ResolvedTableFunction>> ResolveTableFunction(
      const std::string& function, const std::map<std::string, std::string>& args,
      bool stream) override;
  /// A version of a table that is there already; also of a dataset of the pipeline.
  Result<std::optional<sql::ResolvedRelation>> ResolveVersion(
      const std::vector<std::string>& parts, const sql::TableMoment& moment) override;
  Result<std::optional<sql::ResolvedRelation>> ResolveChanges(const std::vector<std::string>& parts,
                                                              const sql::TableMoment& from,
                                                              const sql::TableMoment* to) override;
  std::vector<std::string> KnownRelations() override;

 private:
  /// A table of the warehouse or of a path, without the datasets' own meaning.
  struct Place {
    std::string name;  // of ScanNode::dataset
    std::string path;
    std::optional<catalog::TableName> dataset;  // unless it is a path
  };
  Result<Place> PlaceOf(const std::vector<std::string>& parts) const;
  /// Nothing = no such table.
  Result<std::optional<std::shared_ptr<delta::Table>>> TableAt(
      const std::vector<std::string>& parts, std::string* name);
  Result<std::optional<sql::ResolvedRelation>> ResolvePathAt(const std::string& path);
  Result<std::optional<sql::ResolvedRelation>> ResolveDataset(const catalog::TableName& name,
                                                              const KnownDataset& dataset,
                                                              bool stream) const;

  const ProjectSpec& spec_;
  delta::TableRegistry& tables_;
  const std::map<catalog::TableName, KnownDataset>& datasets_;
  const std::string default_schema_;
};

/// Prefix of ScanNode::dataset for a table named by its path.
inline constexpr std::string_view kPathPrefix = "delta:";

}  // namespace sluice::plan
