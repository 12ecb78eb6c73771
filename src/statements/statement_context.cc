#include "statements/statement_context.h"

#include <arrow/api.h>

#include "plan/answer_settings.h"
#include "plan/table_scan.h"
#include "sql/analysis/analyzer.h"
#include "sql/ast/parse_error.h"
#include "statements/named_relation.h"
#include "statements/session.h"

namespace sluice::statements {

Result<catalog::TableLocation> Locate(const StatementContext& context,
                                      const sql::QualifiedName& name) {
  return catalog::LocateTable(name.Texts(), context.spec.engine.warehouse, context.spec.catalog,
                              context.spec.database);
}

Result<std::shared_ptr<delta::Table>> OpenTable(const StatementContext& context,
                                                const sql::ParsedFile& file,
                                                const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(context, name));
  if (relation.IsView()) {
    return sql::ErrorAt(*file.source, name.span, "EXPECT_TABLE_NOT_VIEW.NO_ALTERNATIVE",
                        name.ToString() + " is a view, and a table is expected",
                        "name the table that the view reads");
  }
  const std::string& path = relation.location.path;
  if (relation.kind == NamedRelation::Kind::kNone) {
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
  /// `views` outlives this.
  AdHocCatalog(const StatementContext& context, const AdHocOptions& options,
               const plan::ViewStore& views)
      : plan::RelationCatalog(context.spec, context.tables, NoDatasets(), context.spec.database,
                              {&views, &context.session.views(), options.analyzer},
                              plan::VariantForm::kAsQueried),
        relations_(options.relations) {}

  Result<std::optional<sql::ResolvedRelation>> ResolveRelation(
      const std::vector<std::string>& parts, bool stream) override {
    const auto found = parts.size() == 1 ? relations_.find(parts[0]) : relations_.end();
    if (found != relations_.end())
      return sql::ResolvedRelation{found->first, found->second->schema, found->second};
    return plan::RelationCatalog::ResolveRelation(parts, stream);
  }

 private:
  static const std::map<catalog::TableName, plan::KnownDataset>& NoDatasets() {
    static const auto* const none = new std::map<catalog::TableName, plan::KnownDataset>();
    return *none;
  }
  const std::map<std::string, sql::PlanPtr>& relations_;
};

/// The functions that tell of the session.
void AddSessionFunctions(const StatementContext& context, sql::AnalyzerOptions* options) {
  const auto text = [](const std::string& value) {
    return sql::MakeLiteral(arrow::MakeScalar(value));
  };
  options->parameters.emplace("current_catalog()", text(context.spec.catalog));
  for (const char* name : {"current_schema()", "current_database()"})
    options->parameters.emplace(name, text(context.spec.database));
}

}  // namespace

Result<sql::PlanPtr> AnalyzeAdHoc(const StatementContext& context, const sql::ParsedFile& file,
                                  const sql::Query& query, const AdHocOptions& given) {
  SLUICE_RETURN_NOT_OK(plan::CheckSettings(context.spec.configuration));
  AdHocOptions options = given;
  AddSessionFunctions(context, &options.analyzer);
  const plan::ViewStore views = ViewsOf(context);
  AdHocCatalog catalog(context, options, views);
  auto plan = sql::Analyzer(catalog, *file.source, options.analyzer).AnalyzeQuery(query);
  if (options.views_read != nullptr) *options.views_read = catalog.views_read();
  return plan;
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
