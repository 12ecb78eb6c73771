#include "statements/insert_columns.h"

#include <arrow/api.h>

#include <algorithm>

#include "base/text.h"
#include "delta/columns/schema_edit.h"
#include "delta/commands/schema_evolution.h"
#include "delta/protocol/schema_json.h"
#include "plan/variant_columns.h"
#include "sql/analysis/ast_walk.h"
#include "sql/expressions/analysis_error.h"

namespace sluice::statements {
namespace {

using FieldPtr = std::shared_ptr<arrow::Field>;

FieldPtr FindField(const arrow::Schema& schema, const std::string& name) {
  return delta::FindField(schema.fields(), {name});
}

bool IsStatic(const std::vector<StaticPartition>& partitions, const FieldPtr& field) {
  return std::any_of(partitions.begin(), partitions.end(),
                     [&](const auto& partition) { return partition.field == field; });
}

/// From the values of an INSERT to the columns they are stored in.
class InsertColumns {
 public:
  InsertColumns(Job& job, const sql::InsertInto& insert, const delta::Snapshot& snapshot,
                const std::vector<StaticPartition>& partitions)
      : job_(job),
        insert_(insert),
        rows_(insert.rows),
        snapshot_(snapshot),
        schema_(*snapshot.schema()),
        partitions_(partitions) {}

  Result<sql::PlanPtr> Plan() {
    SLUICE_RETURN_NOT_OK(TakePositions());
    SLUICE_ASSIGN_OR_RETURN(sql::Query query, QueryWith(job_, insert_.with, *rows_.query));
    AdHocOptions options;
    if (!rows_.by_name) SLUICE_RETURN_NOT_OK(FillDefaults(&query, &options));
    SLUICE_ASSIGN_OR_RETURN(plan_, AnalyzeAdHoc(job_.context, job_.file, query, options));
    if (rows_.by_name) {
      SLUICE_RETURN_NOT_OK(TakeNames());
    } else {
      SLUICE_RETURN_NOT_OK(TakeRest());
    }
    return Stored();
  }

 private:
  Status Error(sql::Span span, const char* error_class, const std::string& message,
               const std::string& hint = "") const {
    return sql::AnalysisError(*job_.file.source, span, error_class, message, hint);
  }

  /// The columns that values are given for, but for BY NAME.
  Status TakePositions() {
    if (rows_.by_name) return Status::OK();
    if (!rows_.columns.empty()) return TakeNamedColumns();
    for (const FieldPtr& field : schema_.fields()) {
      const bool computed = !delta::ColumnMetadata(*field, "delta.identity.start").empty();
      if (!computed && !IsStatic(partitions_, field)) fields_.push_back(field);
    }
    return Status::OK();
  }

  Status TakeNamedColumns() {
    for (const sql::Name& name : rows_.columns) {
      const FieldPtr field = FindField(schema_, name.text);
      if (field == nullptr) {
        return Error(name.span, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                     "the table has no column `" + name.text + "`");
      }
      if (IsStatic(partitions_, field)) {
        return Error(name.span, "STATIC_PARTITION_COLUMN_IN_INSERT_COLUMN_LIST",
                     "PARTITION gives the column `" + name.text + "` its value already");
      }
      if (std::find(fields_.begin(), fields_.end(), field) != fields_.end()) {
        return Error(name.span, "COLUMN_ALREADY_EXISTS",
                     "the column `" + name.text + "` is named twice");
      }
      fields_.push_back(field);
    }
    return Status::OK();
  }

  /// DEFAULT in VALUES and in a select list stands for the default of the column it goes to.
  Status FillDefaults(sql::Query* query, AdHocOptions* options) {
    if (auto* nested = std::get_if<sql::NestedQuery>(&query->body))
      return FillDefaults(nested->query.get(), options);
    if (auto* values = std::get_if<sql::Values>(&query->body)) {
      for (auto& row : values->rows) {
        for (size_t i = 0; i < row.size(); ++i)
          SLUICE_RETURN_NOT_OK(FillDefault(i, &row[i], options));
      }
      return Status::OK();
    }
    auto* select = std::get_if<sql::Select>(&query->body);
    if (select == nullptr) return Status::OK();
    for (size_t i = 0; i < select->items.size(); ++i) {
      if (select->items[i].expr->As<sql::Star>() != nullptr) return Status::OK();
      SLUICE_RETURN_NOT_OK(FillDefault(i, select->items[i].expr.get(), options));
    }
    return Status::OK();
  }

  Status FillDefault(size_t position, sql::Expr* value, AdHocOptions* options) {
    if (position >= fields_.size()) return Status::OK();
    if (!IsDefault(*value)) return CheckNoDefaultWithin(*value);
    const FieldPtr& field = fields_[position];
    const std::string name = "default of " + field->name();
    value->node = sql::Parameter{name};
    if (options->analyzer.parameters.contains(name)) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(
        const auto compute,
        job_.expressions.Compile(DefaultOf(*field), arrow::schema({}), field->type()));
    SLUICE_ASSIGN_OR_RETURN(const auto computed, compute(arrow::RecordBatch::Make(
                                                     arrow::schema({}), 1, arrow::ArrayVector())));
    SLUICE_ASSIGN_OR_RETURN(const auto queried, plan::SqlArray(computed));
    SLUICE_ASSIGN_OR_RETURN(auto scalar, queried->GetScalar(0));
    options->analyzer.parameters[name] = sql::MakeLiteral(std::move(scalar));
    return Status::OK();
  }

  Status CheckNoDefaultWithin(const sql::Expr& value) const {
    bool found = false;
    sql::VisitTree(value, [&](const sql::Expr& node) {
      found = found || IsDefault(node);
      return !found;
    });
    if (!found || FindField(schema_, "default") != nullptr) return Status::OK();
    return Error(value.span, "DEFAULT_PLACEMENT_INVALID",
                 "DEFAULT stands alone, not within an expression");
  }

  Status TakeNames() {
    for (const FieldPtr& column : plan_->schema->fields()) {
      const FieldPtr field = FindField(schema_, column->name());
      if (field != nullptr && IsStatic(partitions_, field)) {
        return Error(insert_.target.span, "STATIC_PARTITION_COLUMN_IN_INSERT_COLUMN_LIST",
                     "PARTITION gives the column `" + column->name() + "` its value already");
      }
      if (std::any_of(fields_.begin(), fields_.end(), [&](const FieldPtr& taken) {
            return EqualsIgnoreCase(taken->name(), column->name());
          })) {
        return Error(insert_.target.span, "DELTA_DUPLICATE_COLUMNS_FOUND",
                     "the query has two columns `" + column->name() + "`");
      }
      if (field != nullptr) {
        fields_.push_back(Evolving(*column, field));
      } else if (rows_.schema_evolution) {
        fields_.push_back(column);
      } else {
        return Error(insert_.target.span, "INCOMPATIBLE_DATA_FOR_TABLE.EXTRA_COLUMNS",
                     "the table has no column `" + column->name() + "`",
                     "leave it out, or insert WITH SCHEMA EVOLUTION");
      }
    }
    return Status::OK();
  }

  /// By position there is a value for each column; with schema evolution further ones are new
  /// columns.
  Status TakeRest() {
    const auto given = static_cast<size_t>(plan_->schema->num_fields());
    if (given > fields_.size() && rows_.schema_evolution) {
      for (size_t i = fields_.size(); i < given; ++i)
        fields_.push_back(plan_->schema->field(static_cast<int>(i)));
    }
    if (given != fields_.size()) return ArityError(given);
    for (size_t i = 0; i < given; ++i)
      fields_[i] = Evolving(*plan_->schema->field(static_cast<int>(i)), fields_[i]);
    return Status::OK();
  }

  Status ArityError(size_t given) const {
    const std::string counts = "the table takes " + std::to_string(fields_.size()) +
                               " columns, the query has " + std::to_string(given);
    if (!partitions_.empty())
      return Error(insert_.target.span, "INSERT_PARTITION_COLUMN_ARITY_MISMATCH",
                   "cannot write to " + insert_.target.ToString() + ": " + counts);
    return Error(insert_.target.span,
                 given > fields_.size() ? "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS"
                                        : "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS",
                 "cannot write to " + insert_.target.ToString() + ": " + counts);
  }

  /// What `column` is stored as in `field`: with schema evolution what the table can follow.
  FieldPtr Evolving(const arrow::Field& column, const FieldPtr& field) const {
    if (!rows_.schema_evolution) return field;
    const bool nested = column.type()->num_fields() > 0;
    const bool follows = nested || delta::WidensTypes(snapshot_.metadata());
    return follows ? arrow::field(field->name(), column.type()) : field;
  }

  Result<sql::PlanPtr> Stored() const {
    auto project = std::make_shared<sql::ProjectNode>();
    arrow::FieldVector fields = fields_;
    for (int i = 0; i < plan_->schema->num_fields(); ++i) {
      FieldPtr& field = fields[static_cast<size_t>(i)];
      field = field->WithType(plan::SqlType(field->type()));
      SLUICE_ASSIGN_OR_RETURN(auto stored,
                              sql::StoreAssignment(sql::MakeColumn(i, *plan_->schema->field(i)),
                                                   field->type(), field->name()));
      project->expressions.push_back(std::move(stored));
    }
    for (const StaticPartition& partition : partitions_) {
      project->expressions.push_back(partition.value);
      fields.push_back(partition.field);
    }
    project->schema = arrow::schema(std::move(fields));
    project->inputs = {plan_};
    return sql::PlanPtr(std::move(project));
  }

  Job& job_;
  const sql::InsertInto& insert_;
  const sql::InsertFlow& rows_;
  const delta::Snapshot& snapshot_;
  const arrow::Schema& schema_;
  const std::vector<StaticPartition>& partitions_;
  arrow::FieldVector fields_;  // of the query's columns
  sql::PlanPtr plan_;
};

}  // namespace

Result<std::vector<StaticPartition>> StaticPartitions(Job& job, const sql::InsertInto& insert,
                                                      const delta::Snapshot& snapshot) {
  std::vector<StaticPartition> partitions;
  const auto& columns = snapshot.partition_columns();
  for (const sql::Expr& one : insert.partition) {
    const auto* assigned = one.As<sql::Binary>();
    const sql::Expr& name = assigned == nullptr ? one : *assigned->left;
    const auto* column = name.As<sql::ColumnRef>();
    const FieldPtr field = column == nullptr || column->parts.size() != 1
                               ? nullptr
                               : FindField(*snapshot.schema(), column->parts[0].text);
    if (field == nullptr ||
        std::find(columns.begin(), columns.end(), field->name()) == columns.end()) {
      return sql::AnalysisError(*job.file.source, one.span, "NON_PARTITION_COLUMN",
                                "PARTITION names what is no partition column of the table");
    }
    if (assigned == nullptr) continue;
    plan::NoRelations none;
    sql::Analyzer analyzer(none, *job.file.source);
    SLUICE_ASSIGN_OR_RETURN(const sql::BoundPtr value,
                            analyzer.AnalyzeExpression(*assigned->right, Inputs()));
    partitions.push_back({field, sql::MakeCast(value, field->type())});
  }
  return partitions;
}

Result<sql::PlanPtr> PlanInsertedRows(Job& job, const sql::InsertInto& insert,
                                      const delta::Snapshot& snapshot,
                                      const std::vector<StaticPartition>& partitions) {
  return InsertColumns(job, insert, snapshot, partitions).Plan();
}

}  // namespace sluice::statements
