// What statements about tables work on. Plain references; all outlive the statement.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"
#include "catalog/table_name.h"
#include "delta/log/table.h"
#include "plan/project_spec.h"
#include "plan/relation_catalog.h"
#include "sql/analysis/analyzer.h"
#include "sql/analysis/logical_plan.h"
#include "sql/execution/query_runner.h"
#include "sql/parser/pipeline_parser.h"

namespace sluice::statements {

class Session;

struct StatementContext {
  const plan::ProjectSpec& spec;  // that of the session: catalog, default schema, warehouse
  storage::Storage& storage;
  delta::TableRegistry& tables;
  sql::QueryRunner& runner;
  Clock& clock;
  Random& random;  // of names of tables that come to be
  Session& session;
};

/// Where the table `name` lies.
Result<catalog::TableLocation> Locate(const StatementContext& context,
                                      const sql::QualifiedName& name);

/// TABLE_OR_VIEW_NOT_FOUND or, of a view, EXPECT_TABLE_NOT_VIEW at the name's place. The table has
/// been updated.
Result<std::shared_ptr<delta::Table>> OpenTable(const StatementContext& context,
                                                const sql::ParsedFile& file,
                                                const sql::QualifiedName& name);

struct AdHocOptions {
  sql::AnalyzerOptions analyzer;
  std::map<std::string, sql::PlanPtr> relations;  // by name, in front of the tables
  plan::ViewsRead* views_read = nullptr;          // told which views the query reads
};

/// A query over tables of the warehouse, outside any pipeline.
Result<sql::PlanPtr> AnalyzeAdHoc(const StatementContext& context, const sql::ParsedFile& file,
                                  const sql::Query& query, const AdHocOptions& options = {});
/// The rows of an analyzed query, at the time `now` or by the clock. NOT_SUPPORTED_YET for a
/// streaming one.
Result<std::shared_ptr<arrow::RecordBatchReader>> RunPlan(
    const StatementContext& context, const sql::PlanPtr& plan,
    std::optional<TimestampMicros> now = std::nullopt);

}  // namespace sluice::statements
