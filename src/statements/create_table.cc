// CREATE [OR REPLACE] TABLE with columns, AS query or LIKE another table; DROP TABLE.
#include <arrow/api.h>

#include <algorithm>

#include "base/text.h"
#include "delta/commands/write_rows.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"
#include "delta/upkeep/clustering.h"
#include "plan/variant_columns.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"
#include "statements/column_fields.h"
#include "statements/named_relation.h"
#include "statements/statements_internal.h"
#include "storage/delete_files.h"

namespace sluice::statements {
namespace {

/// The table as the statement describes it.
struct Definition {
  delta::CreateOptions options;
  RowReader rows;  // of AS query; null without
  std::vector<std::vector<std::string>> cluster_by;
};

Status CheckSupported(Job& job, const sql::CreateTable& create, sql::Span span) {
  const sql::DatasetOptions& options = create.options;
  if (options.using_format.has_value() && !EqualsIgnoreCase(options.using_format->last(), "delta"))
    return job.NotSupported(options.using_format->span,
                            "USING " + options.using_format->ToString());
  if (create.temporary) return job.NotSupported(span, "CREATE TEMPORARY TABLE");
  if (options.location.has_value())
    return job.NotSupported(span, "LOCATION (name the table delta.`/path`)");
  if (options.clustering == sql::DatasetOptions::Clustering::kAuto)
    return job.NotSupported(span, "CLUSTER BY AUTO");
  if (!options.options.empty()) return job.NotSupported(span, "OPTIONS");
  if (options.row_filter.has_value()) return job.NotSupported(span, "WITH ROW FILTER");
  if (!options.expectations.empty()) return job.NotSupported(span, "EXPECT outside a pipeline");
  return Status::OK();
}

Status AddConstraints(Job& job, const std::vector<sql::KeyConstraint>& constraints,
                      delta::StringMap* properties) {
  for (const sql::KeyConstraint& constraint : constraints) {
    if (constraint.kind != sql::KeyConstraint::Kind::kCheck) continue;  // informational
    if (!constraint.name.has_value())
      return job.NotSupported(constraint.span, "CHECK without a name");
    (*properties)["delta.constraints." + LowerAscii(constraint.name->text)] =
        sql::ToSql(*constraint.check);
  }
  return Status::OK();
}

Result<std::vector<std::string>> PartitionColumns(Job& job, const std::vector<sql::Expr>& given) {
  std::vector<std::string> columns;
  for (const sql::Expr& one : given) {
    const auto* column = one.As<sql::ColumnRef>();
    if (column == nullptr || column->parts.size() != 1)
      return job.NotSupported(one.span, "PARTITIONED BY " + sql::ToSql(one));
    columns.push_back(column->parts[0].text);
  }
  return columns;
}

Status TakeColumnsOf(Job& job, const sql::QualifiedName& like, delta::CreateOptions* options) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, like));
  if (relation.IsView()) {
    SLUICE_ASSIGN_OR_RETURN(const auto columns, SchemaOf(job, like));
    SLUICE_ASSIGN_OR_RETURN(options->schema, delta::TableSchemaOf(*columns));
    return Status::OK();
  }
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, like));
  const auto snapshot = table->Current();
  options->schema = snapshot->schema();
  options->partition_columns = snapshot->partition_columns();
  return Status::OK();
}

/// CLUSTER BY: the columns go into the first commit.
void ClusterBy(const std::vector<std::vector<std::string>>& columns,
               delta::CreateOptions* options) {
  if (columns.empty()) return;
  options->properties["delta.feature.clustering"] = "supported";
  options->fill = [columns](delta::Table&, const std::shared_ptr<const delta::Snapshot>& empty,
                            delta::CommitInfo* info, std::vector<delta::Action>* actions) {
    if (!empty->partition_columns().empty()) {
      return MakeError("DELTA_CLUSTER_BY_WITH_PARTITIONED_BY",
                       "a table is clustered or partitioned, not both",
                       "leave CLUSTER BY or PARTITIONED BY out");
    }
    SLUICE_RETURN_NOT_OK(
        delta::CheckClusteringColumns(*empty->schema(), empty->metadata().configuration, columns));
    actions->emplace_back(delta::ClusteringDomain(*empty->schema(), columns));
    info->operation_parameters["clusterBy"] = delta::ColumnsJson(columns);
    return Status::OK();
  };
}

/// Columns without what belongs to the table they come from (defaults, ids, generation).
std::shared_ptr<arrow::Schema> PlainColumns(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields())
    fields.push_back(arrow::field(field->name(), field->type()));
  return arrow::schema(std::move(fields));
}

Result<Definition> Define(Job& job, const sql::CreateTable& create) {
  Definition definition;
  delta::CreateOptions& options = definition.options;
  SLUICE_ASSIGN_OR_RETURN(options.partition_columns,
                          PartitionColumns(job, create.options.partitioned_by));
  options.properties = PropertiesOf(create.options.properties);
  options.description = create.options.comment;
  definition.cluster_by = PathsOf(create.options.cluster_by);
  ClusterBy(definition.cluster_by, &options);
  SLUICE_RETURN_NOT_OK(AddConstraints(job, create.options.constraints, &options.properties));
  if (create.like.has_value()) {
    SLUICE_RETURN_NOT_OK(TakeColumnsOf(job, *create.like, &options));
    return definition;
  }
  if (!create.query) {
    arrow::FieldVector fields;
    for (const sql::ColumnDefinition& column : create.options.columns) {
      SLUICE_ASSIGN_OR_RETURN(auto field, FieldOf(job, column));
      const bool twice = std::any_of(fields.begin(), fields.end(), [&](const auto& other) {
        return EqualsIgnoreCase(other->name(), field->name());
      });
      if (twice)
        return sql::AnalysisError(*job.file.source, column.span, "COLUMN_ALREADY_EXISTS",
                                  "the column `" + field->name() + "` is there twice");
      fields.push_back(std::move(field));
    }
    options.schema = arrow::schema(std::move(fields));
    return definition;
  }
  if (!create.options.columns.empty())
    return job.NotSupported(create.name.span, "a column list with AS");
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                          AnalyzeAdHoc(job.context, job.file, *create.query));
  SLUICE_ASSIGN_OR_RETURN(options.schema,
                          delta::TableSchemaOf(*plan::TableSchema(PlainColumns(*plan->schema))));
  SLUICE_ASSIGN_OR_RETURN(const auto rows, RunPlan(job.context, plan, job.clock.NowMicros()));
  definition.rows = plan::TableRows(rows);
  return definition;
}

Result<RowReader> NoRowsOf(const std::shared_ptr<arrow::Schema>& schema) {
  return arrow::RecordBatchReader::Make({}, schema);
}

Result<RowReader> Replace(Job& job, const sql::CreateTable& create, const std::string& path,
                          Definition definition) {
  SLUICE_ASSIGN_OR_RETURN(auto table, job.context.tables.Open(path));
  SLUICE_RETURN_NOT_OK(table->Update().status());
  RowReader rows = definition.rows;
  if (rows == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(rows, NoRowsOf(definition.options.schema));
  }
  delta::WriteRequest request;
  request.mode = delta::WriteMode::kOverwrite;
  request.rows = rows.get();
  request.overwrite_schema = true;
  request.partition_columns = definition.options.partition_columns;
  request.properties = definition.options.properties;
  request.cluster_by = definition.cluster_by;
  request.description = definition.options.description.value_or("");
  delta::StringMap shown = definition.options.properties;
  delta::EraseProtocolProperties(&shown);
  request.operation_parameters = {{"properties", delta::StringMapToJson(shown)},
                                  {"description", request.description.value_or("")},
                                  {"isManaged", "false"}};
  const bool only_replace = create.mode == sql::CreateTable::Mode::kReplace;
  request.operation = only_replace ? "REPLACE TABLE" : "CREATE OR REPLACE TABLE";
  if (create.query) request.operation += " AS SELECT";
  SLUICE_RETURN_NOT_OK(delta::WriteRows(*table, request, job.WriteOptions()).status());
  return NoRows();
}

Result<RowReader> Create(Job& job, const std::string& path, const Definition& definition) {
  if (definition.rows == nullptr) {
    SLUICE_RETURN_NOT_OK(job.context.tables.Create(path, definition.options).status());
  } else {
    SLUICE_RETURN_NOT_OK(delta::CreateTableAs(job.context.tables, path, definition.options,
                                              definition.rows.get(), job.WriteOptions())
                             .status());
  }
  return NoRows();
}

}  // namespace

Status DeleteTable(Job& job, const std::string& path) {
  job.context.tables.Forget(path);
  SLUICE_ASSIGN_OR_RETURN(const auto files, job.context.storage.ListRecursive(path));
  // The log goes first: what is then left is no table.
  std::vector<std::string> log;
  std::vector<std::string> data;
  const std::string log_folder = storage::JoinPath(path, "_delta_log/");
  for (const storage::FileInfo& file : files)
    (file.path.rfind(log_folder, 0) == 0 ? log : data).push_back(file.path);
  int64_t deleted = 0;
  SLUICE_RETURN_NOT_OK(storage::DeleteFiles(job.context.storage, log, nullptr, &deleted));
  return storage::DeleteFiles(job.context.storage, data, nullptr, &deleted);
}

Result<RowReader> RunCreateTable(Job& job, const sql::CreateTable& create, sql::Span span) {
  SLUICE_RETURN_NOT_OK(CheckSupported(job, create, span));
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation before, LookUpStored(job.context, create.name));
  const std::string& path = before.location.path;
  const bool exists = before.kind == NamedRelation::Kind::kTable;
  if ((exists || before.IsView()) && create.if_not_exists) return NoRows();
  const bool replaces = create.mode != sql::CreateTable::Mode::kCreate;
  if ((exists && !replaces) || before.IsView()) {
    return sql::AnalysisError(*job.file.source, create.name.span, "TABLE_OR_VIEW_ALREADY_EXISTS",
                              "the table " + create.name.ToString() + " already exists",
                              "drop it first, or use IF NOT EXISTS or CREATE OR REPLACE TABLE");
  }
  if (!exists && create.mode == sql::CreateTable::Mode::kReplace) {
    return sql::AnalysisError(*job.file.source, create.name.span, "TABLE_OR_VIEW_NOT_FOUND",
                              "the table " + create.name.ToString() + " cannot be found",
                              "use CREATE OR REPLACE TABLE");
  }
  if (create.clone.has_value() && exists) {
    SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, create.name));
    if (table->Current()->num_files() > 0) {
      return sql::AnalysisError(
          *job.file.source, create.name.span, "DELTA_UNSUPPORTED_NON_EMPTY_CLONE",
          "the table " + create.name.ToString() + " is not empty", "TRUNCATE or DROP it first");
    }
    return job.NotSupported(create.name.span, "CLONE over an empty table (drop it first)");
  }
  if (create.clone.has_value()) return CloneTable(job, create, path);
  SLUICE_ASSIGN_OR_RETURN(Definition definition, Define(job, create));
  if (exists) return Replace(job, create, path, std::move(definition));
  return Create(job, path, definition);
}

Result<RowReader> RunDropTable(Job& job, const sql::DropObject& drop, sql::Span span) {
  if (drop.object != sql::ObjectKind::kTable || drop.temporary)
    return job.NotSupported(span, "DROP of something else than tables, views and schemas");
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, drop.name));
  if (relation.kind == NamedRelation::Kind::kTemporaryView) return RunDropView(job, drop);
  if (relation.IsView())
    return sql::AnalysisError(*job.file.source, drop.name.span, "WRONG_COMMAND_FOR_OBJECT_TYPE",
                              "DROP TABLE of the view " + drop.name.ToString(), "use DROP VIEW");
  const std::string& path = relation.location.path;
  if (!relation.location.name.has_value())
    return job.NotSupported(drop.name.span, "DROP of a table named by its path");
  const bool exists = relation.kind == NamedRelation::Kind::kTable;
  if (!exists) {
    if (drop.if_exists) return NoRows();
    return sql::AnalysisError(*job.file.source, drop.name.span, "TABLE_OR_VIEW_NOT_FOUND",
                              "the table " + drop.name.ToString() + " cannot be found",
                              "use DROP TABLE IF EXISTS");
  }
  SLUICE_RETURN_NOT_OK(DeleteTable(job, path));
  return NoRows();
}

}  // namespace sluice::statements
