// INSERT INTO, INSERT OVERWRITE, INSERT .. REPLACE WHERE.
#include <arrow/api.h>

#include <set>

#include "base/text.h"
#include "delta/schema_json.h"
#include "delta/write_rows.h"
#include "sql/analysis_error.h"
#include "sql/print.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

Status CheckSupported(Job& job, const sql::InsertInto& insert, sql::Span span) {
  const sql::InsertFlow& rows = insert.rows;
  if (!insert.partition.empty()) return job.NotSupported(span, "PARTITION of INSERT");
  if (!rows.replace_using.empty()) return job.NotSupported(span, "INSERT .. REPLACE USING");
  if (rows.replace_on) return job.NotSupported(span, "INSERT .. REPLACE ON");
  if (rows.sequence_by) return job.NotSupported(span, "SEQUENCE BY");
  return Status::OK();
}

Status ArityError(Job& job, const sql::InsertInto& insert, bool too_many, size_t wanted,
                  int given) {
  return sql::AnalysisError(*job.file.source, insert.target.span,
                            too_many ? "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                                     : "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
                            "cannot write to " + insert.target.ToString() + ": the table takes " +
                                std::to_string(wanted) + " columns, the query has " +
                                std::to_string(given));
}

/// Columns that rows written by position have: those that are not computed by the table.
arrow::FieldVector WrittenFields(const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (delta::ColumnMetadata(*field, "delta.identity.start").empty()) fields.push_back(field);
  }
  return fields;
}

Result<arrow::FieldVector> NamedFields(Job& job, const sql::InsertInto& insert,
                                       const arrow::Schema& schema) {
  arrow::FieldVector fields;
  for (const sql::Name& name : insert.rows.columns) {
    const auto found =
        std::find_if(schema.fields().begin(), schema.fields().end(),
                     [&](const auto& field) { return EqualsIgnoreCase(field->name(), name.text); });
    if (found == schema.fields().end()) {
      return sql::AnalysisError(*job.file.source, name.span, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                                "the table has no column `" + name.text + "`");
    }
    if (std::find(fields.begin(), fields.end(), *found) != fields.end()) {
      return sql::AnalysisError(*job.file.source, name.span, "COLUMN_ALREADY_EXISTS",
                                "the column `" + name.text + "` is named twice");
    }
    fields.push_back(*found);
  }
  return fields;
}

/// The table's fields for the query's columns by their names; with schema evolution a column that
/// the table lacks stays as it is.
Result<arrow::FieldVector> FieldsByName(Job& job, const sql::InsertInto& insert,
                                        const arrow::Schema& schema, const arrow::Schema& rows) {
  arrow::FieldVector fields;
  for (const auto& column : rows.fields()) {
    const auto found = std::find_if(
        schema.fields().begin(), schema.fields().end(),
        [&](const auto& field) { return EqualsIgnoreCase(field->name(), column->name()); });
    if (found != schema.fields().end()) {
      fields.push_back(insert.rows.schema_evolution ? column->WithName((*found)->name()) : *found);
    } else if (insert.rows.schema_evolution) {
      fields.push_back(column);
    } else {
      return sql::AnalysisError(*job.file.source, insert.target.span,
                                "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
                                "the table has no column `" + column->name() + "`",
                                "leave it out, or insert WITH SCHEMA EVOLUTION");
    }
  }
  return fields;
}

Result<sql::PlanPtr> PlanRows(Job& job, const sql::InsertInto& insert,
                              const arrow::Schema& schema) {
  SLUICE_ASSIGN_OR_RETURN(const sql::Query query, QueryWith(job, insert.with, *insert.rows.query));
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan, AnalyzeAdHoc(job.context, job.file, query));
  arrow::FieldVector fields;
  if (insert.rows.by_name || insert.rows.schema_evolution) {
    SLUICE_ASSIGN_OR_RETURN(fields, FieldsByName(job, insert, schema, *plan->schema));
  } else if (!insert.rows.columns.empty()) {
    SLUICE_ASSIGN_OR_RETURN(fields, NamedFields(job, insert, schema));
  } else {
    fields = WrittenFields(schema);
  }
  const auto given = static_cast<size_t>(plan->schema->num_fields());
  if (given != fields.size())
    return ArityError(job, insert, given > fields.size(), fields.size(), static_cast<int>(given));
  return StoredAs(plan, fields);
}

}  // namespace

Result<RowReader> RunInsert(Job& job, const sql::InsertInto& insert, sql::Span span) {
  SLUICE_RETURN_NOT_OK(CheckSupported(job, insert, span));
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, insert.target));
  const auto schema = table->Current()->schema();
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan, PlanRows(job, insert, *schema));
  SLUICE_ASSIGN_OR_RETURN(const RowReader rows, RunPlan(job.context, plan));
  delta::WriteRequest request;
  request.rows = rows.get();
  request.merge_schema = insert.rows.schema_evolution;
  if (insert.rows.replace_where) {
    request.mode = delta::WriteMode::kReplaceWhere;
    SLUICE_ASSIGN_OR_RETURN(request.replace_where,
                            ConditionOver(job, insert.rows.replace_where.get(), schema,
                                          QualifierOf(insert.target, insert.alias)));
  } else if (insert.rows.overwrite) {
    request.mode = delta::WriteMode::kOverwrite;
  }
  SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                          delta::WriteRows(*table, request, job.WriteOptions()));
  const int64_t inserted = Metric(report, "numOutputRows") - Metric(report, "numCopiedRows");
  return Counts({{"num_affected_rows", inserted}, {"num_inserted_rows", inserted}});
}

}  // namespace sluice::statements
