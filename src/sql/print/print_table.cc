// The statements of table_ast.h.
#include "sql/parser/statement_name.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

using Kind = AlterAction::Kind;
using Change = AlterAction::Change;

std::string PrintAssignments(const std::vector<Assignment>& assignments) {
  return Joined(assignments, ", ", [](const Assignment& assignment) {
    return assignment.column.ToString() + " = " + ToSql(*assignment.value);
  });
}

std::string PrintWhere(const Box<Expr>& where) { return where ? " WHERE " + ToSql(*where) : ""; }

std::string PrintMergeClause(const MergeClause& clause) {
  using When = MergeClause::When;
  using Action = MergeClause::Action;
  std::string text = clause.when == When::kMatched      ? " WHEN MATCHED"
                     : clause.when == When::kNotMatched ? " WHEN NOT MATCHED"
                                                        : " WHEN NOT MATCHED BY SOURCE";
  text += clause.condition ? " AND " + ToSql(*clause.condition) : "";
  text += " THEN ";
  switch (clause.action) {
    case Action::kDelete: return text + "DELETE";
    case Action::kUpdateAll: return text + "UPDATE SET *";
    case Action::kUpdate: return text + "UPDATE SET " + PrintAssignments(clause.assignments);
    case Action::kInsertAll: return text + "INSERT *";
    case Action::kInsert: break;
  }
  return text + "INSERT" + (clause.columns.empty() ? "" : " (" + PrintNames(clause.columns) + ")") +
         " VALUES (" + PrintExprs(clause.values) + ")";
}

std::string PrintKeys(const std::vector<std::string>& keys) {
  return "(" + Joined(keys, ", ", QuoteString) + ")";
}

std::string PrintPosition(const std::optional<AlterAction::Position>& position) {
  if (!position) {
    return "";
  }
  return position->after ? " AFTER " + PrintName(*position->after) : " FIRST";
}

std::string PrintAlterColumns(const std::vector<AlterAction::Column>& columns) {
  return "(" +
         Joined(columns, ", ",
                [](const AlterAction::Column& column) {
                  return column.path.ToString() + PrintColumnType(column.definition) +
                         PrintPosition(column.position);
                }) +
         ")";
}

std::string PrintPartitions(const std::vector<std::vector<Expr>>& partitions) {
  return Joined(partitions, "", PrintPartition);
}

std::string PrintChange(const AlterAction& action) {
  const AlterAction::Column& column = action.columns.front();
  const ColumnDefinition& definition = column.definition;
  switch (action.change) {
    case Change::kType:
      return " TYPE" + PrintColumnType(definition) + PrintPosition(column.position);
    case Change::kComment: return " COMMENT " + QuoteString(*definition.comment);
    case Change::kSetNotNull: return " SET NOT NULL";
    case Change::kDropNotNull: return " DROP NOT NULL";
    case Change::kPosition: return PrintPosition(column.position);
    case Change::kSetDefault: return " SET DEFAULT " + ToSql(*definition.default_value);
    case Change::kDropDefault: return " DROP DEFAULT";
    case Change::kSetMask:
      return " SET MASK " + definition.mask->ToString() +
             (definition.mask_using.empty()
                  ? ""
                  : " USING COLUMNS (" + PrintExprs(definition.mask_using) + ")");
    case Change::kDropMask: return " DROP MASK";
    case Change::kSetTags: return " SET TAGS " + PrintProperties(action.properties);
    case Change::kUnsetTags: return " UNSET TAGS " + PrintKeys(action.keys);
    case Change::kSyncIdentity: return " SYNC IDENTITY";
  }
  return "";
}

std::string PrintAlterColumn(const AlterAction& action) {
  if (action.column_name.text.empty()) {
    return "ALTER COLUMN " + action.column.ToString() + PrintChange(action);
  }
  return "CHANGE COLUMN " + action.column.ToString() + " " + PrintName(action.column_name) +
         PrintColumnType(action.columns.front().definition) +
         PrintPosition(action.columns.front().position);
}

std::string PrintSetSchedule(const AlterAction& action) {
  return (action.add ? "ADD " : "ALTER ") +
         (action.schedule ? PrintSchedule(*action.schedule) : PrintTrigger(*action.trigger));
}

/// Changes of columns, constraints and partitions.
std::string PrintStructureAction(const AlterAction& action) {
  const std::string if_exists = action.if_exists ? "IF EXISTS " : "";
  switch (action.kind) {
    case Kind::kAddColumns: return "ADD COLUMNS " + PrintAlterColumns(action.columns);
    case Kind::kDropColumns:
      return "DROP COLUMNS " + if_exists + "(" + PrintQualifiedNames(action.names) + ")";
    case Kind::kRenameColumn:
      return "RENAME COLUMN " + action.column.ToString() + " TO " + PrintName(action.column_name);
    case Kind::kReplaceColumns: return "REPLACE COLUMNS " + PrintAlterColumns(action.columns);
    case Kind::kAlterColumn: return PrintAlterColumn(action);
    case Kind::kAddConstraint: return "ADD " + PrintKey(*action.constraint);
    case Kind::kDropConstraint:
      return "DROP CONSTRAINT " + if_exists + PrintName(action.column_name);
    case Kind::kDropPrimaryKey:
      return std::string("DROP PRIMARY KEY") + (action.if_exists ? " IF EXISTS" : "");
    case Kind::kAddPartitions:
      return std::string("ADD") + (action.if_exists ? " IF NOT EXISTS" : "") +
             PrintPartitions(action.partitions);
    case Kind::kDropPartitions:
      return "DROP" + std::string(action.if_exists ? " IF EXISTS" : "") +
             Joined(action.partitions, ",", PrintPartition);
    default: return "RECOVER PARTITIONS";
  }
}

std::string PrintAction(const AlterAction& action) {
  switch (action.kind) {
    case Kind::kRename: return "RENAME TO " + action.new_name.ToString();
    case Kind::kSetProperties: return "SET TBLPROPERTIES " + PrintProperties(action.properties);
    case Kind::kUnsetProperties:
      return std::string("UNSET TBLPROPERTIES ") + (action.if_exists ? "IF EXISTS " : "") +
             PrintKeys(action.keys);
    case Kind::kSetLocation: return "SET LOCATION " + QuoteString(action.text);
    case Kind::kCluster: return PrintClustering(action.clustering, action.names);
    case Kind::kSetRowFilter: return "SET " + PrintRowFilter(*action.row_filter);
    case Kind::kDropRowFilter: return "DROP ROW FILTER";
    case Kind::kDropFeature:
      return "DROP FEATURE " + QuoteString(action.text) +
             (action.truncate_history ? " TRUNCATE HISTORY" : "");
    case Kind::kAddFeature: return "ADD FEATURE " + QuoteString(action.text);
    case Kind::kSetCollation: return "DEFAULT COLLATION " + action.new_name.ToString();
    case Kind::kSetOwner: return "SET OWNER TO " + QuoteIdentifier(action.text);
    case Kind::kSetTags: return "SET TAGS " + PrintProperties(action.properties);
    case Kind::kUnsetTags: return "UNSET TAGS " + PrintKeys(action.keys);
    case Kind::kSetSchedule: return PrintSetSchedule(action);
    case Kind::kDropSchedule: return "DROP SCHEDULE";
    case Kind::kSetQuery: return "AS " + ToSql(*action.query);
    default: return PrintStructureAction(action);
  }
}

const char* IfNotExists(bool yes) { return yes ? "IF NOT EXISTS " : ""; }

}  // namespace

std::string PrintPartition(const std::vector<Expr>& partition) {
  return partition.empty() ? "" : " PARTITION (" + PrintExprs(partition) + ")";
}

std::string TablePrinter::operator()(const CreateTable& table) const {
  using Mode = CreateTable::Mode;
  std::string text = table.mode == Mode::kCreate            ? "CREATE "
                     : table.mode == Mode::kCreateOrReplace ? "CREATE OR REPLACE "
                                                            : "REPLACE ";
  text += table.external ? "EXTERNAL " : "";
  text += table.temporary ? "TEMPORARY " : "";
  text += std::string("TABLE ") + IfNotExists(table.if_not_exists) + table.name.ToString();
  text += table.like ? " LIKE " + table.like->ToString() : "";
  if (table.clone) {
    text +=
        (table.clone->shallow ? " SHALLOW CLONE " : " DEEP CLONE ") + table.clone->table.ToString();
    text += table.clone->at ? " " + PrintTimeTravel(*table.clone->at) : "";
  }
  text += PrintOptions(table.options);
  return table.query ? text + " AS " + ToSql(*table.query) : text;
}

std::string TablePrinter::operator()(const AlterTable& alter) const {
  const AlterAction& action = alter.action;
  const bool of_schema = alter.object == ObjectKind::kSchema;
  if (of_schema && action.kind == Kind::kSetProperties) {
    return "ALTER SCHEMA " + alter.name.ToString() + " SET DBPROPERTIES " +
           PrintProperties(action.properties);
  }
  if (of_schema && action.kind == Kind::kUnsetProperties) {
    return "ALTER SCHEMA " + alter.name.ToString() + " UNSET DBPROPERTIES " +
           (action.if_exists ? "IF EXISTS " : "") + PrintKeys(action.keys);
  }
  return std::string("ALTER ") + ObjectKindName(alter.object) + " " +
         (alter.if_exists ? "IF EXISTS " : "") + alter.name.ToString() + " " +
         PrintAction(alter.action);
}

std::string TablePrinter::operator()(const DropObject& drop) const {
  return std::string("DROP ") + (drop.temporary ? "TEMPORARY " : "") + ObjectKindName(drop.object) +
         (drop.if_exists ? " IF EXISTS " : " ") + drop.name.ToString() +
         (drop.purge ? " PURGE" : "") + (drop.cascade ? " CASCADE" : "");
}

std::string TablePrinter::operator()(const InsertInto& insert) const {
  return PrintWith(insert.with.recursive, insert.with.tables) + "INSERT " +
         (insert.rows.schema_evolution ? "WITH SCHEMA EVOLUTION " : "") +
         (insert.rows.overwrite ? "OVERWRITE TABLE " : "INTO TABLE ") + insert.target.ToString() +
         PrintTableAlias(insert.alias) + PrintPartition(insert.partition) +
         (insert.if_not_exists ? " IF NOT EXISTS" : "") +
         (insert.rows.columns.empty() ? "" : " (" + PrintNames(insert.rows.columns) + ")") +
         PrintInsertRows(insert.rows);
}

std::string TablePrinter::operator()(const UpdateTable& update) const {
  return PrintWith(update.with.recursive, update.with.tables) + "UPDATE " +
         update.target.ToString() + PrintTableAlias(update.alias) + " SET " +
         PrintAssignments(update.assignments) + PrintWhere(update.where);
}

std::string TablePrinter::operator()(const DeleteFrom& remove) const {
  return PrintWith(remove.with.recursive, remove.with.tables) + "DELETE FROM " +
         remove.target.ToString() + PrintTableAlias(remove.alias) + PrintWhere(remove.where);
}

std::string TablePrinter::operator()(const MergeInto& merge) const {
  return PrintWith(merge.with.recursive, merge.with.tables) + "MERGE " +
         (merge.schema_evolution ? "WITH SCHEMA EVOLUTION INTO " : "INTO ") +
         merge.target.ToString() + PrintTableAlias(merge.alias) + " USING " + ToSql(*merge.source) +
         " ON " + ToSql(*merge.on) + Joined(merge.clauses, "", PrintMergeClause);
}

std::string TablePrinter::operator()(const TruncateTable& truncate) const {
  return "TRUNCATE TABLE " + truncate.name.ToString() + PrintPartition(truncate.partition);
}

std::string TablePrinter::operator()(const OptimizeTable& optimize) const {
  return "OPTIMIZE " + optimize.name.ToString() + (optimize.full ? " FULL" : "") +
         PrintWhere(optimize.where) +
         (optimize.zorder_by.empty()
              ? ""
              : " ZORDER BY (" + PrintQualifiedNames(optimize.zorder_by) + ")");
}

std::string TablePrinter::operator()(const AnalyzeTable& analyze) const {
  return "ANALYZE TABLE " + analyze.name.ToString() + PrintPartition(analyze.partition) +
         " COMPUTE " + (analyze.delta ? "DELTA " : "") + "STATISTICS" +
         (analyze.no_scan ? " NOSCAN" : "") + (analyze.all_columns ? " FOR ALL COLUMNS" : "") +
         (analyze.columns.empty() ? "" : " FOR COLUMNS " + PrintNames(analyze.columns));
}

std::string TablePrinter::operator()(const VacuumTable& vacuum) const {
  using Mode = VacuumTable::Mode;
  return "VACUUM " + vacuum.name.ToString() +
         (vacuum.mode == Mode::kFull   ? " FULL"
          : vacuum.mode == Mode::kLite ? " LITE"
                                       : "") +
         (vacuum.retain_hours ? " RETAIN " + ToSql(*vacuum.retain_hours) + " HOURS" : "") +
         (vacuum.dry_run ? " DRY RUN" : "");
}

std::string TablePrinter::operator()(const RestoreTable& restore) const {
  return "RESTORE TABLE " + restore.name.ToString() + " TO " + PrintTimeTravel(restore.to);
}

std::string TablePrinter::operator()(const ConvertToDelta& convert) const {
  return "CONVERT TO DELTA " + convert.name.ToString() +
         (convert.no_statistics ? " NO STATISTICS" : "") +
         (convert.partitioned_by.empty()
              ? ""
              : " PARTITIONED BY (" + Joined(convert.partitioned_by, ", ", PrintColumn) + ")");
}

std::string TablePrinter::operator()(const ReorgTable& reorg) const {
  return "REORG TABLE " + reorg.name.ToString() + PrintWhere(reorg.where) + " APPLY (" +
         (reorg.purge ? "PURGE" : "UPGRADE UNIFORM " + PrintProperties(reorg.uniform)) + ")";
}

std::string TablePrinter::operator()(const GenerateManifest& generate) const {
  return "GENERATE " + PrintName(generate.mode) + " FOR TABLE " + generate.name.ToString();
}

std::string TablePrinter::operator()(const RefreshObject& refresh) const {
  return std::string("REFRESH ") + ObjectKindName(refresh.object) + " " + refresh.name.ToString() +
         (refresh.full ? " FULL" : "") + (refresh.async ? " ASYNC" : "");
}

std::string TablePrinter::operator()(const CreateSchema& schema) const {
  return std::string("CREATE SCHEMA ") + IfNotExists(schema.if_not_exists) +
         schema.name.ToString() +
         (schema.comment ? " COMMENT " + QuoteString(*schema.comment) : "") +
         (schema.location ? " LOCATION " + QuoteString(*schema.location) : "") +
         (schema.properties.empty() ? ""
                                    : " WITH DBPROPERTIES " + PrintProperties(schema.properties));
}

std::string TablePrinter::operator()(const CommentOn& comment) const {
  return std::string("COMMENT ON ") + ObjectKindName(comment.object) + " " +
         comment.name.ToString() + " IS " + (comment.text ? QuoteString(*comment.text) : "NULL");
}

}  // namespace sluice::sql
