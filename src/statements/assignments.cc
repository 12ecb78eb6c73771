// SET column = value, for UPDATE and MERGE.
#include <arrow/api.h>

#include "base/text.h"
#include "delta/columns/schema_edit.h"
#include "delta/protocol/schema_json.h"
#include "plan/variant_columns.h"
#include "sql/expressions/analysis_error.h"
#include "statements/row_query.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

/// The column or struct field that `parts` name, spelled as the table spells it.
struct Target {
  std::vector<std::string> path;
  std::shared_ptr<arrow::Field> field;  // the last one
  std::shared_ptr<arrow::DataType> type;
};

Result<Target> FindTarget(Job& job, const sql::QualifiedName& column, const arrow::Schema& schema,
                          const std::string& qualifier) {
  size_t from = 0;
  if (column.parts.size() > 1 &&
      delta::FindField(schema.fields(), {column.parts[0].text}) == nullptr &&
      EqualsIgnoreCase(column.parts[0].text, qualifier))
    from = 1;
  Target target;
  arrow::FieldVector fields = schema.fields();
  for (size_t i = from; i < column.parts.size(); ++i) {
    const auto field = delta::FindField(fields, {column.parts[i].text});
    if (field == nullptr) {
      std::vector<std::string> known;
      for (const auto& one : fields) known.push_back(one->name());
      std::string near;
      for (const std::string& name : sql::Suggestions(column.parts[i].text, known))
        near += (near.empty() ? "`" : ", `") + name + "`";
      return sql::AnalysisError(*job.file.source, column.span, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                                "a column with name " + column.ToString() +
                                    " cannot be resolved. Did you mean one of the following? [" +
                                    near + "]");
    }
    target.path.push_back(field->name());
    target.field = field;
    target.type = field->type();
    fields =
        target.type->id() == arrow::Type::STRUCT ? target.type->fields() : arrow::FieldVector();
  }
  return target;
}

}  // namespace

Result<delta::RowFunction> FunctionOver(Job& job, const sql::BoundPtr& bound,
                                        const Inputs& inputs) {
  arrow::FieldVector fields;
  for (const sql::NamedInput& input : inputs)
    fields.insert(fields.end(), input.schema->fields().begin(), input.schema->fields().end());
  return plan::RowFunctionOf(bound, arrow::schema(std::move(fields)), job.clock);
}

bool IsDefault(const sql::Expr& value) {
  const auto* name = value.As<sql::ColumnRef>();
  return name != nullptr && name->parts.size() == 1 && !name->parts[0].quoted &&
         EqualsIgnoreCase(name->parts[0].text, "default");
}

std::string DefaultOf(const arrow::Field& column) {
  const std::string text = delta::ColumnMetadata(column, "CURRENT_DEFAULT");
  return text.empty() ? "NULL" : text;
}

namespace {

/// SET assigns each column once, and no struct beside its fields.
Status CheckConflicts(Job& job, const std::vector<delta::Assignment>& assigned,
                      const sql::Assignment& next, const std::vector<std::string>& path) {
  for (const delta::Assignment& other : assigned) {
    const size_t common = std::min(other.path.size(), path.size());
    if (!std::equal(path.begin(), path.begin() + static_cast<int64_t>(common), other.path.begin()))
      continue;
    return sql::AnalysisError(*job.file.source, next.column.span, "DELTA_CONFLICT_SET_COLUMN",
                              "the column " + next.column.ToString() + " is assigned twice");
  }
  return Status::OK();
}

/// UPDATE and MERGE have a class of their own for values that do not fit.
delta::RowFunction OverflowsAsWrite(delta::RowFunction value) {
  return [value = std::move(value)](const std::shared_ptr<arrow::RecordBatch>& rows)
             -> Result<std::shared_ptr<arrow::Array>> {
    auto computed = value(rows);
    if (!HasCode(computed.status(), "CAST_OVERFLOW_IN_TABLE_INSERT")) return computed;
    return MakeError("DELTA_CAST_OVERFLOW_IN_TABLE_WRITE", computed.status().message(),
                     "use try_cast on the value to store NULL instead");
  };
}

Result<delta::RowFunction> ValueOf(Job& job, const Target& target, const sql::Expr& value,
                                   const Inputs& inputs, const sql::WithClause& with) {
  const auto type = plan::SqlType(target.type);
  if (HoldsSubquery(value))
    return SubqueryValue(job, with, value, inputs, type, target.path.back());
  plan::NoRelations none;
  sql::Analyzer analyzer(none, *job.file.source);
  SLUICE_ASSIGN_OR_RETURN(sql::BoundPtr bound, analyzer.AnalyzeExpression(value, inputs));
  SLUICE_ASSIGN_OR_RETURN(bound, sql::StoreAssignment(bound, type, target.path.back()));
  return FunctionOver(job, bound, inputs);
}

}  // namespace

Result<std::vector<delta::Assignment>> BindAssignments(
    Job& job, const std::vector<sql::Assignment>& assignments, const arrow::Schema& schema,
    const std::string& qualifier, const Inputs& inputs, const sql::WithClause& with) {
  std::vector<delta::Assignment> bound;
  for (const sql::Assignment& one : assignments) {
    SLUICE_ASSIGN_OR_RETURN(const Target target, FindTarget(job, one.column, schema, qualifier));
    SLUICE_RETURN_NOT_OK(CheckConflicts(job, bound, one, target.path));
    delta::Assignment assignment{target.path, nullptr};
    if (IsDefault(*one.value)) {
      SLUICE_ASSIGN_OR_RETURN(
          assignment.value,
          job.expressions.Compile(DefaultOf(*target.field), arrow::schema({}), target.type));
    } else {
      SLUICE_ASSIGN_OR_RETURN(assignment.value, ValueOf(job, target, *one.value, inputs, with));
    }
    assignment.value = OverflowsAsWrite(std::move(assignment.value));
    bound.push_back(std::move(assignment));
  }
  return bound;
}

}  // namespace sluice::statements
