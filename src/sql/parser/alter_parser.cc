// ALTER TABLE, ALTER VIEW, ALTER STREAMING TABLE, ALTER MATERIALIZED VIEW.
#include <utility>

#include "sql/parser/data_type_parser_internal.h"
#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

using Kind = AlterAction::Kind;
using Change = AlterAction::Change;

class AlterActionParser {
 public:
  explicit AlterActionParser(TokenCursor& cursor) : cursor_(cursor) {}

  AlterAction Parse() {
    const size_t begin = cursor_.position();
    if (cursor_.AcceptWord("ADD")) {
      Add();
    } else if (cursor_.AcceptWord("DROP")) {
      Drop();
    } else if (cursor_.AcceptWord("RENAME")) {
      Rename();
    } else if (cursor_.AcceptWord("SET")) {
      Set();
    } else if (cursor_.AcceptWord("UNSET")) {
      Unset();
    } else if (cursor_.AtWord("ALTER") || cursor_.AtWord("CHANGE")) {
      Alter();
    } else if (!Others()) {
      cursor_.FailHere("ADD, DROP, RENAME, ALTER COLUMN, SET, UNSET or CLUSTER BY");
    }
    action_.span = cursor_.SpanSince(begin);
    return std::move(action_);
  }

  // SET DBPROPERTIES (..), SET LOCATION '..', OWNER TO, .. as for tables
  AlterAction ParseOfSchema() {
    const size_t begin = cursor_.position();
    for (const char* word : {"DBPROPERTIES", "PROPERTIES"}) {
      const bool unset = cursor_.AcceptWords({"UNSET", word});
      if (!unset && !cursor_.AcceptWords({"SET", word})) {
        continue;
      }
      action_.kind = unset ? Kind::kUnsetProperties : Kind::kSetProperties;
      if (unset) {
        action_.if_exists = AcceptIfExists(cursor_);
        Keys();
      } else {
        action_.properties = ParseProperties(cursor_);
      }
      action_.span = cursor_.SpanSince(begin);
      return std::move(action_);
    }
    return Parse();
  }

 private:
  bool Others() {
    if (cursor_.AcceptWords({"REPLACE", "COLUMNS"})) {
      action_.kind = Kind::kReplaceColumns;
      ColumnTuple();
    } else if (cursor_.AcceptWords({"CLUSTER", "BY"})) {
      action_.kind = Kind::kCluster;
      ParseClusterBy(cursor_, &action_.clustering, &action_.names);
    } else if (cursor_.AcceptWords({"RECOVER", "PARTITIONS"})) {
      action_.kind = Kind::kRecoverPartitions;
    } else if (cursor_.AcceptWords({"DEFAULT", "COLLATION"})) {
      action_.kind = Kind::kSetCollation;
      action_.new_name = cursor_.ExpectQualifiedName("a collation");
    } else if (cursor_.AcceptWords({"OWNER", "TO"})) {
      Owner();
    } else if (cursor_.AcceptWord("AS") || AtQuery(cursor_)) {
      action_.kind = Kind::kSetQuery;
      action_.query = ParseQueryAt(cursor_);
    } else {
      return false;
    }
    return true;
  }

  void Owner() {
    action_.kind = Kind::kSetOwner;
    action_.text = cursor_.ExpectName("a user or group").text;
  }

  bool ScheduleOrTrigger() {
    if (cursor_.AcceptWord("SCHEDULE")) {
      action_.schedule = ParseSchedule(cursor_);
    } else if (cursor_.AcceptWords({"TRIGGER", "ON", "UPDATE"})) {
      action_.trigger = ParseTrigger(cursor_);
    } else {
      return false;
    }
    action_.kind = Kind::kSetSchedule;
    return true;
  }

  void Add() {
    if (ScheduleOrTrigger()) {
      action_.add = true;
    } else if (cursor_.AcceptWord("COLUMNS") || cursor_.AcceptWord("COLUMN")) {
      action_.kind = Kind::kAddColumns;
      if (cursor_.AtSymbol("(")) {
        ColumnTuple();
      } else {
        Columns();
      }
    } else if (cursor_.AtWord("CONSTRAINT") || cursor_.AtWord("PRIMARY") ||
               cursor_.AtWord("FOREIGN") || cursor_.AtWord("CHECK")) {
      action_.kind = Kind::kAddConstraint;
      action_.constraint = ParseKeyConstraint(cursor_);
    } else if (cursor_.AcceptWord("FEATURE")) {
      action_.kind = Kind::kAddFeature;
      action_.text = Feature();
    } else {
      action_.if_exists = AcceptIfNotExists(cursor_);
      action_.kind = Kind::kAddPartitions;
      Partitions();
    }
  }

  std::string Feature() {
    return cursor_.AtString() ? cursor_.ExpectString("a feature")
                              : cursor_.ExpectName("a feature").text;
  }

  void Partitions() {
    do {
      cursor_.ExpectWord("PARTITION");
      action_.partitions.push_back(ParsePartition(cursor_));
    } while (cursor_.AcceptSymbol(",") || cursor_.AtWord("PARTITION"));
  }

  void ColumnTuple() {
    cursor_.ExpectSymbol("(");
    Columns();
    cursor_.ExpectSymbol(")");
  }

  void Columns() {
    do {
      AlterAction::Column column;
      const size_t begin = cursor_.position();
      column.path = cursor_.ExpectQualifiedName("a column");
      column.definition.name = column.path.parts.empty() ? Name{} : column.path.parts.back();
      ParseColumnType(cursor_, &column.definition);
      column.definition.span = cursor_.SpanSince(begin);
      column.position = Position();
      if (!column.definition.comment && cursor_.AcceptWord("COMMENT")) {
        column.definition.comment = cursor_.ExpectString("a comment");
      }
      action_.columns.push_back(std::move(column));
    } while (cursor_.AcceptSymbol(","));
  }

  std::optional<AlterAction::Position> Position() {
    if (cursor_.AcceptWord("FIRST")) {
      return AlterAction::Position{};
    }
    if (cursor_.AcceptWord("AFTER")) {
      return AlterAction::Position{cursor_.ExpectName("a column")};
    }
    return std::nullopt;
  }

  void Drop() {
    if (cursor_.AcceptWord("COLUMNS") || cursor_.AcceptWord("COLUMN")) {
      action_.kind = Kind::kDropColumns;
      action_.if_exists = AcceptIfExists(cursor_);
      const bool parenthesised = cursor_.AcceptSymbol("(");
      do {
        action_.names.push_back(cursor_.ExpectQualifiedName("a column"));
      } while (cursor_.AcceptSymbol(","));
      if (parenthesised) {
        cursor_.ExpectSymbol(")");
      }
    } else if (cursor_.AcceptWord("CONSTRAINT")) {
      action_.kind = Kind::kDropConstraint;
      action_.if_exists = AcceptIfExists(cursor_);
      action_.column_name = cursor_.ExpectName("a constraint");
      AcceptDependents();
    } else if (cursor_.AcceptWords({"PRIMARY", "KEY"})) {
      action_.kind = Kind::kDropPrimaryKey;
      action_.if_exists = AcceptIfExists(cursor_);
      AcceptDependents();
    } else if (cursor_.AcceptWord("FEATURE")) {
      action_.kind = Kind::kDropFeature;
      action_.text = Feature();
      action_.truncate_history = cursor_.AcceptWords({"TRUNCATE", "HISTORY"});
    } else if (cursor_.AcceptWord("SCHEDULE") || cursor_.AcceptWords({"TRIGGER", "ON", "UPDATE"})) {
      action_.kind = Kind::kDropSchedule;
    } else if (cursor_.AcceptWords({"ROW", "FILTER"})) {
      action_.kind = Kind::kDropRowFilter;
    } else {
      action_.if_exists = AcceptIfExists(cursor_);
      action_.kind = Kind::kDropPartitions;
      Partitions();
    }
  }

  void AcceptDependents() {
    if (!cursor_.AcceptWord("RESTRICT")) {
      cursor_.AcceptWord("CASCADE");
    }
  }

  void Rename() {
    if (cursor_.AcceptWord("COLUMN")) {
      action_.kind = Kind::kRenameColumn;
      action_.column = cursor_.ExpectQualifiedName("a column");
      cursor_.ExpectWord("TO");
      action_.column_name = cursor_.ExpectName("the new name");
      return;
    }
    cursor_.ExpectWord("TO");
    action_.kind = Kind::kRename;
    action_.new_name = cursor_.ExpectQualifiedName("the new name");
  }

  void Set() {
    if (cursor_.AcceptWord("TBLPROPERTIES")) {
      action_.kind = Kind::kSetProperties;
      action_.properties = ParseProperties(cursor_);
    } else if (cursor_.AcceptWord("LOCATION")) {
      action_.kind = Kind::kSetLocation;
      action_.text = cursor_.ExpectString("a path");
    } else if (cursor_.AcceptWords({"ROW", "FILTER"})) {
      action_.kind = Kind::kSetRowFilter;
      action_.row_filter = ParseRowFilter(cursor_);
    } else if (cursor_.AcceptWord("TAGS")) {
      action_.kind = Kind::kSetTags;
      action_.properties = ParseProperties(cursor_);
    } else if (cursor_.AcceptWords({"OWNER", "TO"})) {
      Owner();
    } else {
      cursor_.FailHere("TBLPROPERTIES, LOCATION, ROW FILTER, TAGS or OWNER TO");
    }
  }

  void Unset() {
    if (cursor_.AcceptWord("TAGS")) {
      action_.kind = Kind::kUnsetTags;
    } else {
      cursor_.ExpectWord("TBLPROPERTIES");
      action_.kind = Kind::kUnsetProperties;
      action_.if_exists = AcceptIfExists(cursor_);
    }
    Keys();
  }

  void Keys() {
    cursor_.ExpectSymbol("(");
    do {
      action_.keys.push_back(ParseKey());
    } while (cursor_.AcceptSymbol(","));
    cursor_.ExpectSymbol(")");
  }

  std::string ParseKey() {
    if (cursor_.AtString()) {
      return cursor_.ExpectString("a key");
    }
    std::string key = cursor_.ExpectName("a key").text;
    while (cursor_.AcceptSymbol(".")) {
      key += "." + cursor_.ExpectName("a key").text;
    }
    return key;
  }

  // ALTER [COLUMN] c .., CHANGE [COLUMN] c .., CHANGE [COLUMN] old new type ..
  void Alter() {
    const bool change = cursor_.AcceptWord("CHANGE");
    if (!change) {
      cursor_.ExpectWord("ALTER");
    }
    if (ScheduleOrTrigger()) {
      return;
    }
    action_.kind = Kind::kAlterColumn;
    cursor_.AcceptWord("COLUMN");
    action_.columns.emplace_back();
    AlterAction::Column& column = action_.columns.back();
    column.path = cursor_.ExpectQualifiedName("a column");
    action_.column = column.path;
    column.definition.name = column.path.parts.empty() ? Name{} : column.path.parts.back();
    if (change && cursor_.AtName() && cursor_.AtName(1) && !AtChange()) {
      HiveChange(&column);
      return;
    }
    ColumnChange(&column);
  }

  bool AtChange() const {
    return cursor_.IsWord(0, "TYPE") || cursor_.IsWord(0, "COMMENT") || cursor_.IsWord(0, "SET") ||
           cursor_.IsWord(0, "DROP") || cursor_.IsWord(0, "AFTER") || cursor_.IsWord(0, "SYNC") ||
           cursor_.IsWord(0, "UNSET");
  }

  // CHANGE a a BIGINT COMMENT 'x' FIRST: the older way to change a type.
  void HiveChange(AlterAction::Column* column) {
    action_.change = Change::kType;
    action_.column_name = cursor_.ExpectName("the new name");
    ParseColumnType(cursor_, &column->definition);
    column->position = Position();
  }

  void ColumnChange(AlterAction::Column* column) {
    ColumnDefinition& definition = column->definition;
    if (cursor_.AcceptWord("TYPE")) {
      action_.change = Change::kType;
      definition.type = ExpectTypeName(cursor_);
    } else if (cursor_.AcceptWord("COMMENT")) {
      action_.change = Change::kComment;
      definition.comment = cursor_.ExpectString("a comment");
    } else if (cursor_.AcceptWords({"SYNC", "IDENTITY"})) {
      action_.change = Change::kSyncIdentity;
    } else if (cursor_.AcceptWord("SET")) {
      SetOfColumn(&definition);
    } else if (cursor_.AcceptWord("DROP")) {
      DropOfColumn();
    } else if (cursor_.AcceptWord("UNSET")) {
      cursor_.ExpectWord("TAGS");
      action_.change = Change::kUnsetTags;
      Keys();
    } else {
      action_.change = Change::kPosition;
      column->position = Position();
      if (!column->position) {
        cursor_.FailHere("TYPE, COMMENT, SET, DROP, FIRST or AFTER");
      }
    }
  }

  void SetOfColumn(ColumnDefinition* definition) {
    if (cursor_.AcceptWords({"NOT", "NULL"})) {
      action_.change = Change::kSetNotNull;
    } else if (cursor_.AcceptWord("DEFAULT")) {
      action_.change = Change::kSetDefault;
      definition->default_value = ParseExpr(cursor_);
    } else if (cursor_.AcceptWord("MASK")) {
      action_.change = Change::kSetMask;
      definition->mask = cursor_.ExpectQualifiedName("a function");
      if (cursor_.AcceptWords({"USING", "COLUMNS"})) {
        definition->mask_using = ParseExprTuple(cursor_);
      }
    } else if (cursor_.AcceptWord("TAGS")) {
      action_.change = Change::kSetTags;
      action_.properties = ParseProperties(cursor_);
    } else {
      cursor_.FailHere("NOT NULL, DEFAULT, MASK or TAGS");
    }
  }

  void DropOfColumn() {
    if (cursor_.AcceptWords({"NOT", "NULL"})) {
      action_.change = Change::kDropNotNull;
    } else if (cursor_.AcceptWord("DEFAULT")) {
      action_.change = Change::kDropDefault;
    } else {
      cursor_.ExpectWord("MASK");
      action_.change = Change::kDropMask;
    }
  }

  TokenCursor& cursor_;
  AlterAction action_;
};

}  // namespace

std::optional<Statement::Node> ParseAlter(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  cursor.ExpectWord("ALTER");
  AlterTable alter;
  const auto kind = AcceptObjectKind(cursor);
  if (!kind) {
    cursor.Rewind(begin);
    return std::nullopt;
  }
  alter.object = *kind;
  if (alter.object == ObjectKind::kSchema) {
    alter.name = cursor.ExpectQualifiedName("a schema");
    alter.action = AlterActionParser(cursor).ParseOfSchema();
    return alter;
  }
  alter.if_exists = AcceptIfExists(cursor);
  alter.name = ExpectTableOrPath(cursor);
  alter.action = AlterActionParser(cursor).Parse();
  return alter;
}

}  // namespace sluice::sql
