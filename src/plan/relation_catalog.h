// Resolves names in queries: temporary views first, then datasets of the pipeline, then tables and
// views of the warehouse; delta.`/path`.
#pragma once

#include <map>
#include <set>
#include <string>
#include <vector>

#include "delta/log/table.h"
#include "plan/pipeline_graph.h"
#include "plan/view_store.h"
#include "sql/analysis/analyzer.h"
#include "sql/analysis/relation_resolver.h"

namespace sluice::plan {

/// What is known of a dataset whose flows have been analyzed.
struct KnownDataset {
  DatasetKind kind = DatasetKind::kStreamingTable;
  std::shared_ptr<arrow::Schema> schema;
  sql::PlanPtr view;  // of views: put in place of the name
};

/// The views that a query may name. What is set outlives the catalog.
struct ViewsInReach {
  const ViewStore* stored = nullptr;
  const TemporaryViews* temporary = nullptr;
  sql::AnalyzerOptions analyzer;  // of the queries of views
  /// Datasets that views of the warehouse cannot read; null: none. The graph does not know of it.
  const std::set<catalog::TableName>* own = nullptr;
};

/// The views that were put in place of names.
struct ViewsRead {
  std::set<std::string> all;        // "s.v", or a key of TemporaryViews; those in views too
  std::set<std::string> temporary;  // the query's own only
};

/// Variants of tables: as they are stored, to be passed on, or as queries compute with them.
enum class VariantForm { kAsStored, kAsQueried };

class RelationCatalog : public sql::RelationResolver {
 public:
  /// All outlive this. `default_schema` is that of the file being analyzed.
  RelationCatalog(const ProjectSpec& spec, delta::TableRegistry& tables,
                  const std::map<catalog::TableName, KnownDataset>& datasets,
                  std::string default_schema, ViewsInReach views = {},
                  VariantForm variants = VariantForm::kAsStored)
      : spec_(spec),
        tables_(tables),
        datasets_(datasets),
        default_schema_(std::move(default_schema)),
        views_(std::move(views)),
        variants_(variants) {}

  const ViewsRead& views_read() const { return read_; }

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

  /// The definition of a temporary view that is in reach, or null.
  const ViewDefinition* FindTemporary(const std::string& key) const;
  /// Nothing when `parts` name no view.
  Result<std::optional<sql::ResolvedRelation>> ResolveTemporary(
      const std::vector<std::string>& parts, bool stream);
  Result<std::optional<sql::ResolvedRelation>> ResolveStored(const catalog::TableName& name,
                                                             bool stream);
  /// The query of `view`, analyzed now, with the columns it had when it was made.
  Result<std::optional<sql::ResolvedRelation>> PutInPlace(const std::string& name,
                                                          const ViewDefinition& view, bool stream);

  const ProjectSpec& spec_;
  delta::TableRegistry& tables_;
  const std::map<catalog::TableName, KnownDataset>& datasets_;
  const std::string default_schema_;
  /// The columns of a table for a query.
  std::shared_ptr<arrow::Schema> Columns(const std::shared_ptr<arrow::Schema>& table) const;

  const ViewsInReach views_;
  const VariantForm variants_;
  const ViewDefinition* inside_ = nullptr;  // the view whose query this is for
  int depth_ = 0;                           // views around
  ViewsRead read_;
};

/// Prefix of ScanNode::dataset for a table named by its path.
inline constexpr std::string_view kPathPrefix = "delta:";

}  // namespace sluice::plan
