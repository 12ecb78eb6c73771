#include "statements/statement_context.h"

#include "base/text.h"
#include "plan/relation_catalog.h"
#include "plan/table_scan.h"
#include "sql/analyzer.h"
#include "sql/parse_error.h"

namespace sluice::statements {

Result<std::string> TablePathOf(const StatementContext& context, const sql::QualifiedName& name) {
  std::vector<std::string> parts;
  for (const sql::Name& part : name.parts) parts.push_back(part.text);
  if (parts.size() == 2 && EqualsIgnoreCase(parts[0], "delta")) return parts[1];
  SLUICE_ASSIGN_OR_RETURN(const catalog::TableName qualified,
                          catalog::QualifyName(parts, context.spec.catalog, context.spec.database));
  return catalog::TablePath(context.spec.engine.warehouse, qualified);
}

Result<std::shared_ptr<delta::Table>> OpenTable(const StatementContext& context,
                                                const sql::ParsedFile& file,
                                                const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(const std::string path, TablePathOf(context, name));
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

Result<sql::PlanPtr> AnalyzeAdHoc(const StatementContext& context, const sql::ParsedFile& file,
                                  const sql::Query& query) {
  static const std::map<catalog::TableName, plan::KnownDataset> kNone;
  plan::RelationCatalog catalog(context.spec, context.tables, kNone, context.spec.database);
  return sql::Analyzer(catalog, *file.source).AnalyzeQuery(query);
}

Result<std::shared_ptr<arrow::RecordBatchReader>> RunPlan(const StatementContext& context,
                                                          const sql::PlanPtr& plan) {
  if (plan->is_streaming) {
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: a streaming query in ad hoc SQL",
                     "leave STREAM out");
  }
  return context.runner.Run(plan, plan::MakeScanOpener(context.spec, context.tables),
                            context.clock.NowMicros());
}

}  // namespace sluice::statements
