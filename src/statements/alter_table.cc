// ALTER TABLE, COMMENT ON.
#include "delta/commands/alter.h"

#include <algorithm>

#include "base/text.h"
#include "delta/columns/schema_edit.h"
#include "delta/commands/drop_feature.h"
#include "delta/upkeep/clustering.h"
#include "plan/variant_columns.h"
#include "sql/expressions/analysis_error.h"
#include "sql/print/print.h"
#include "statements/column_fields.h"
#include "statements/named_relation.h"
#include "statements/statements_internal.h"
#include "storage/move_folder.h"

namespace sluice::statements {
namespace {

using Action = sql::AlterAction;

std::optional<delta::ColumnPosition> PositionOf(const std::optional<Action::Position>& position) {
  if (!position.has_value()) return std::nullopt;
  if (!position->after.has_value()) return delta::ColumnPosition{true, ""};
  return delta::ColumnPosition{false, position->after->text};
}

bool HasColumn(const arrow::Schema& schema, const delta::ColumnPath& path) {
  return delta::SplitAtHolder(schema.fields(), path).ok();
}

bool HasLength(const sql::TypeName& type) {
  const std::string text = LowerAscii(type.sql);
  return text.rfind("varchar(", 0) == 0 || text.rfind("char(", 0) == 0;
}

/// UNRESOLVED_COLUMN.WITH_SUGGESTION unless the table has the column.
Status CheckColumn(Job& job, const arrow::Schema& schema, const sql::QualifiedName& name,
                   const delta::ColumnPath& path) {
  if (path.empty() || HasColumn(schema, path)) return Status::OK();
  return sql::AnalysisError(*job.file.source, name.span, "UNRESOLVED_COLUMN.WITH_SUGGESTION",
                            "the table has no column " + delta::DottedPath(path));
}

/// What Spark keeps for itself.
Status CheckProperties(Job& job, const Action& action) {
  static constexpr const char* kReserved[] = {"provider", "location", "owner", "external",
                                              "is_managed_location"};
  for (const sql::Property& property : action.properties) {
    if (std::find(std::begin(kReserved), std::end(kReserved), property.key) == std::end(kReserved))
      continue;
    return sql::AnalysisError(*job.file.source, action.span,
                              "UNSUPPORTED_FEATURE.SET_TABLE_PROPERTY",
                              "the property " + property.key + " is reserved");
  }
  return Status::OK();
}

/// One ALTER TABLE over one table.
class Alteration {
 public:
  Alteration(Job& job, const Action& action, delta::Table& table)
      : job_(job), action_(action), table_(table) {}

  Status Run() {
    using Kind = Action::Kind;
    switch (action_.kind) {
      case Kind::kAddColumns: return AddColumns();
      case Kind::kDropColumns: return DropColumns();
      case Kind::kRenameColumn:
        SLUICE_RETURN_NOT_OK(Check(action_.column, action_.column.Texts()));
        return delta::RenameColumn(table_, action_.column.Texts(), action_.column_name.text)
            .status();
      case Kind::kAlterColumn: return AlterColumn();
      case Kind::kReplaceColumns: return ReplaceColumns();
      case Kind::kSetProperties:
        SLUICE_RETURN_NOT_OK(CheckProperties(job_, action_));
        return delta::SetProperties(table_, PropertiesOf(action_.properties)).status();
      case Kind::kUnsetProperties:
        // As Spark hands it on, whether the statement says IF EXISTS or not.
        return delta::UnsetProperties(table_, action_.keys, /*if_exists=*/true).status();
      case Kind::kAddConstraint: return AddConstraint();
      case Kind::kDropConstraint:
        return delta::DropConstraint(table_, action_.column_name.text, action_.if_exists).status();
      case Kind::kAddFeature:
        return delta::SetProperties(table_, {{"delta.feature." + action_.text, "supported"}})
            .status();
      case Kind::kDropFeature:
        return delta::DropFeature(table_, action_.text, {action_.truncate_history, nullptr})
            .status();
      case Kind::kCluster:
        if (action_.clustering == sql::DatasetOptions::Clustering::kAuto) return Refuse();
        return delta::SetClustering(table_, PathsOf(action_.names)).status();
      default: return Refuse();
    }
  }

 private:
  Status Refuse() const {
    return job_.NotSupported(action_.span, "ALTER TABLE " + std::string(TextOf(action_.span)));
  }
  std::string_view TextOf(sql::Span span) const { return job_.file.source->Slice(span); }

  Status Check(const sql::QualifiedName& name, const delta::ColumnPath& path) const {
    return CheckColumn(job_, *table_.Current()->schema(), name, path);
  }
  /// AFTER names a sibling.
  Status CheckPosition(const Action::Column& given, delta::ColumnPath parent) const {
    if (!given.position.has_value() || !given.position->after.has_value()) return Status::OK();
    parent.push_back(given.position->after->text);
    const bool added_before = std::any_of(
        action_.columns.begin(), action_.columns.end(), [&](const Action::Column& other) {
          return &other < &given && EqualsIgnoreCase(other.path.last(), parent.back());
        });
    if (added_before || HasColumn(*table_.Current()->schema(), parent)) return Status::OK();
    return sql::AnalysisError(*job_.file.source, given.position->after->span, "FIELD_NOT_FOUND",
                              "there is no column " + delta::DottedPath(parent));
  }

  Status AddColumns() {
    std::vector<delta::NewColumn> columns;
    for (const Action::Column& given : action_.columns) {
      delta::NewColumn column;
      column.parent = given.path.Texts();
      column.parent.pop_back();
      SLUICE_RETURN_NOT_OK(Check(given.path, column.parent));
      SLUICE_RETURN_NOT_OK(CheckPosition(given, column.parent));
      SLUICE_ASSIGN_OR_RETURN(column.field, FieldOf(job_, given.definition));
      column.position = PositionOf(given.position);
      columns.push_back(std::move(column));
    }
    return delta::AddColumns(table_, columns).status();
  }

  Status ReplaceColumns() {
    arrow::FieldVector fields;
    for (const Action::Column& given : action_.columns) {
      if (given.position.has_value() || given.path.parts.size() != 1)
        return job_.NotSupported(given.path.span, "a place of a column in REPLACE COLUMNS");
      SLUICE_ASSIGN_OR_RETURN(auto field, FieldOf(job_, given.definition));
      fields.push_back(std::move(field));
    }
    return delta::ReplaceColumns(table_, fields).status();
  }

  Status DropColumns() {
    std::vector<delta::ColumnPath> paths;
    for (const sql::QualifiedName& name : action_.names) {
      delta::ColumnPath path = name.Texts();
      if (action_.if_exists && !HasColumn(*table_.Current()->schema(), path)) continue;
      SLUICE_RETURN_NOT_OK(Check(name, path));
      paths.push_back(std::move(path));
    }
    return paths.empty() ? Status::OK() : delta::DropColumns(table_, paths).status();
  }

  Status AlterColumn() {
    using Change = Action::Change;
    const Action::Column& given = action_.columns.front();
    const sql::ColumnDefinition& definition = given.definition;
    delta::ColumnChange change;
    change.path = given.path.Texts();
    SLUICE_RETURN_NOT_OK(Check(given.path, change.path));
    change.position = PositionOf(given.position);
    switch (action_.change) {
      case Change::kType: {
        SLUICE_RETURN_NOT_OK(TakeType(definition, &change));
        break;
      }
      case Change::kComment: change.comment = definition.comment; break;
      case Change::kPosition: break;
      case Change::kSetNotNull: change.set_not_null = true; break;
      case Change::kDropNotNull: change.drop_not_null = true; break;
      case Change::kSetDefault:
        change.default_value = sql::ToSql(*definition.default_value);
        // Refuses what cannot be evaluated.
        SLUICE_RETURN_NOT_OK(
            job_.expressions.Compile(*change.default_value, arrow::schema({}), nullptr).status());
        break;
      case Change::kDropDefault: change.default_value = ""; break;
      case Change::kSyncIdentity: return delta::SyncIdentity(table_, change.path).status();
      default: return Refuse();
    }
    return delta::ChangeColumn(table_, change).status();
  }

  /// ALTER COLUMN c TYPE t, and CHANGE COLUMN c c t COMMENT '..' FIRST.
  Status TakeType(const sql::ColumnDefinition& definition, delta::ColumnChange* change) const {
    const bool renames = !action_.column_name.text.empty() &&
                         !EqualsIgnoreCase(action_.column_name.text, definition.name.text);
    if (renames)
      return job_.NotSupported(action_.span, "CHANGE COLUMN with another name (RENAME COLUMN is)");
    if (definition.not_null) change->set_not_null = true;
    change->comment = definition.comment;
    if (!definition.type.has_value()) return Status::OK();
    if (HasLength(*definition.type))
      return job_.NotSupported(action_.span, "another length of CHAR or VARCHAR");
    change->type = plan::TableType(definition.type->type);
    return Status::OK();
  }

  Status AddConstraint() {
    const sql::KeyConstraint& constraint = *action_.constraint;
    if (constraint.kind != sql::KeyConstraint::Kind::kCheck || !constraint.name.has_value())
      return Refuse();
    return delta::AddConstraint(table_, constraint.name->text, sql::ToSql(*constraint.check),
                                job_.expressions)
        .status();
  }

  Job& job_;
  const Action& action_;
  delta::Table& table_;
};

}  // namespace

namespace {

/// RENAME TO: the table's folder gets another name.
Result<RowReader> Rename(Job& job, const sql::AlterTable& alter) {
  SLUICE_ASSIGN_OR_RETURN(const auto from, Locate(job.context, alter.name));
  sql::QualifiedName to = alter.action.new_name;
  // Beside the table, whatever the current schema is.
  if (to.parts.size() == 1 && from.name.has_value())
    to.parts.insert(to.parts.begin(), sql::Name{from.name->schema, to.span, true});
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation target, LookUpStored(job.context, to));
  if (!from.name.has_value() || !target.location.name.has_value())
    return job.NotSupported(alter.action.span, "RENAME of a table named by its path");
  if (target.location.name->schema != from.name->schema)
    return job.NotSupported(to.span, "RENAME of a table into another schema");
  SLUICE_RETURN_NOT_OK(OpenTable(job.context, job.file, alter.name).status());
  if (target.kind != NamedRelation::Kind::kNone) {
    return sql::AnalysisError(*job.file.source, to.span, "TABLE_OR_VIEW_ALREADY_EXISTS",
                              "the table or view " + to.ToString() + " already exists",
                              "drop it first, or choose another name");
  }
  job.context.tables.Forget(from.path);
  SLUICE_RETURN_NOT_OK(storage::MoveFolder(job.context.storage, from.path, target.location.path));
  return NoRows();
}

}  // namespace

Result<RowReader> RunAlterTable(Job& job, const sql::AlterTable& alter, sql::Span span) {
  if (alter.object == sql::ObjectKind::kView) return RunAlterView(job, alter, span);
  if (alter.object == sql::ObjectKind::kSchema) return RunAlterSchema(job, alter);
  if (alter.object != sql::ObjectKind::kTable)
    return job.NotSupported(span, "ALTER of something else than a table");
  if (alter.if_exists) {
    SLUICE_ASSIGN_OR_RETURN(const auto location, Locate(job.context, alter.name));
    SLUICE_ASSIGN_OR_RETURN(const bool exists, job.context.tables.Exists(location.path));
    if (!exists) return NoRows();
  }
  if (alter.action.kind == Action::Kind::kRename) return Rename(job, alter);
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, alter.name));
  SLUICE_RETURN_NOT_OK(Alteration(job, alter.action, *table).Run());
  return NoRows();
}

Result<RowReader> RunCommentOn(Job& job, const sql::CommentOn& comment, sql::Span span) {
  sql::QualifiedName name = comment.name;
  const bool column = comment.object == sql::ObjectKind::kColumn;
  if (comment.object == sql::ObjectKind::kSchema) return RunCommentOnSchema(job, comment);
  if (!column && comment.object != sql::ObjectKind::kTable)
    return job.NotSupported(span, "COMMENT ON something else than a table or a column");
  if (column && name.parts.size() < 2)
    return job.NotSupported(span, "COMMENT ON COLUMN without the table in front");
  delta::ColumnChange change;
  if (column) {
    change.path = {name.parts.back().text};
    name.parts.pop_back();
  }
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, name));
  if (!column) {
    SLUICE_RETURN_NOT_OK(
        delta::SetProperties(*table, {{"comment", comment.text.value_or("")}}).status());
    return NoRows();
  }
  SLUICE_RETURN_NOT_OK(CheckColumn(job, *table->Current()->schema(), comment.name, change.path));
  change.comment = comment.text.value_or("");
  SLUICE_RETURN_NOT_OK(delta::ChangeColumn(*table, change).status());
  return NoRows();
}

}  // namespace sluice::statements
