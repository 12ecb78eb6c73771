// What statements about tables work on. Plain references; all outlive the statement.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/status.h"
#include "delta/table.h"
#include "plan/project_spec.h"
#include "sql/logical_plan.h"
#include "sql/pipeline_parser.h"
#include "sql/query_runner.h"

namespace sluice::statements {

struct StatementContext {
  const plan::ProjectSpec& spec;  // catalog, default schema, warehouse
  storage::Storage& storage;
  delta::TableRegistry& tables;
  sql::QueryRunner& runner;
  Clock& clock;
};

/// Where the table `name` lies: delta.`/path` or a name of the catalog.
Result<std::string> TablePathOf(const StatementContext& context, const sql::QualifiedName& name);

/// TABLE_OR_VIEW_NOT_FOUND at the name's place. The table has been updated.
Result<std::shared_ptr<delta::Table>> OpenTable(const StatementContext& context,
                                                const sql::ParsedFile& file,
                                                const sql::QualifiedName& name);

/// A query over tables of the warehouse, outside any pipeline.
Result<sql::PlanPtr> AnalyzeAdHoc(const StatementContext& context, const sql::ParsedFile& file,
                                  const sql::Query& query);
/// The rows of an analyzed query. NOT_SUPPORTED_YET for a streaming one.
Result<std::shared_ptr<arrow::RecordBatchReader>> RunPlan(const StatementContext& context,
                                                          const sql::PlanPtr& plan);

}  // namespace sluice::statements
