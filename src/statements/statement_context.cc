#include "statements/statement_context.h"

#include "plan/relation_catalog.h"
#include "plan/table_scan.h"
#include "sql/analysis/analyzer.h"
#include "sql/ast/parse_error.h"

namespace sluice::statements {

Result<catalog::TableLocation> Locate(const StatementContext& context,
                                      const sql::QualifiedName& name) {
  return catalog::LocateTable(name.Texts(), context.spec.engine.warehouse, context.spec.catalog,
                              context.spec.database);
}

Result<std::shared_ptr<delta::Table>> OpenTable(const StatementContext& context,
                                                const sql::ParsedFile& file,
                                                const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const auto location, Locate(context, name));
  const std::string& path = location.path;
  SLUICE_ASSIGN_OR_RETURN(const bool exists, context.tables.Exists(path));
  if (!exists) {
    return sql::ErrorAt(
        *file.source, name.span, "TABLE_OR_VIEW_NOT_FOUND",
        "the table or view " + name.ToString() + " cannot be found (looked in " + path + ")",
        "check the name, or create it first");
  }
  SLUICE_ASSIGN_OR_RETURN(auto table, context.tables.Open(path));
  SLUICE_RETURN_NOT_OK(table->Update().status());
  return table;
}

namespace {

/// The tables of the warehouse, and relations of a statement.
class AdHocCatalog : public plan::RelationCatalog {
 public:
  AdHocCatalog(const StatementContext& context, const AdHocOptions& options)
      : plan::RelationCatalog(context.spec, context.tables, NoDatasets(), context.spec.database),
        relations_(options.relations) {}

  Result<std::optional<sql::ResolvedRelation>> ResolveRelation(
      const std::vector<std::string>& parts, bool stream) override {
    const auto found = parts.size() == 1 ? relations_.find(parts[0]) : relations_.end();
    if (found == relations_.end()) return plan::RelationCatalog::ResolveRelation(parts, stream);
    return sql::ResolvedRelation{found->first, found->second->schema, found->second};
  }

 private:
  static const std::map<catalog::TableName, plan::KnownDataset>& NoDatasets() {
    static const auto* const none = new std::map<catalog::TableName, plan::KnownDataset>();
    return *none;
  }
  const std::map<std::string, sql::PlanPtr>& relations_;
};

}  // namespace

Result<sql::PlanPtr> AnalyzeAdHoc(const StatementContext& context, const sql::ParsedFile& file,
                                  const sql::Query& query, const AdHocOptions& options) {
  AdHocCatalog catalog(context, options);
  return sql::Analyzer(catalog, *file.source, options.analyzer).AnalyzeQuery(query);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> RunPlan(const StatementContext& context,
                                                          const sql::PlanPtr& plan,
                                                          std::optional<TimestampMicros> now) {
  if (plan->is_streaming) {
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: a streaming query in ad hoc SQL",
                     "leave STREAM out");
  }
  return context.runner.Run(plan, plan::MakeScanOpener(context.spec, context.tables),
                            now.value_or(context.clock.NowMicros()));
}

}  // namespace sluice::statements
