// CREATE TABLE, CREATE SCHEMA, DROP.
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// Clauses of Hive tables: known, and not for Delta tables.
void RefuseHiveClauses(TokenCursor& cursor) {
  for (const char* word : {"ROW", "STORED", "CLUSTERED", "SKEWED"}) {
    if (cursor.AtWord(word)) {
      cursor.Fail(cursor.Peek().span, "NOT_SUPPORTED_YET",
                  std::string("not supported yet: ") + word + " .. of Hive tables",
                  "tables are Delta tables: leave the clause out");
      return;
    }
  }
}

class CreateTableParser {
 public:
  explicit CreateTableParser(TokenCursor& cursor) : cursor_(cursor) {}

  std::optional<Statement::Node> Parse() {
    const size_t begin = cursor_.position();
    if (!Verb()) {
      cursor_.Rewind(begin);
      return std::nullopt;
    }
    table_.if_not_exists = AcceptIfNotExists(cursor_);
    table_.name = ExpectTableName(cursor_);
    if (cursor_.AcceptWord("LIKE")) {
      table_.like = ExpectTableName(cursor_);
    } else if (!Clone()) {
      ParseColumnList(cursor_, &table_.options);
    }
    ParseDatasetClauses(cursor_, &table_.options);
    RefuseHiveClauses(cursor_);
    if (table_.like || table_.clone) {
      return std::move(table_);
    }
    const bool as = cursor_.AcceptWord("AS");
    if (as || AtQuery(cursor_)) {
      table_.query = ParseQueryAt(cursor_);
    }
    return std::move(table_);
  }

 private:
  // CREATE [OR REPLACE] [EXTERNAL | TEMPORARY] TABLE, REPLACE TABLE
  bool Verb() {
    if (cursor_.AcceptWords({"REPLACE", "TABLE"})) {
      table_.mode = CreateTable::Mode::kReplace;
      return true;
    }
    if (!cursor_.AcceptWord("CREATE")) {
      return false;
    }
    if (cursor_.AcceptWords({"OR", "REPLACE"})) {
      table_.mode = CreateTable::Mode::kCreateOrReplace;
    }
    table_.external = cursor_.AcceptWord("EXTERNAL");
    table_.temporary = cursor_.AcceptWord("TEMPORARY") || cursor_.AcceptWord("TEMP");
    return cursor_.AcceptWord("TABLE");
  }

  bool Clone() {
    const bool shallow = cursor_.AcceptWords({"SHALLOW", "CLONE"});
    if (!shallow && !cursor_.AcceptWords({"DEEP", "CLONE"}) && !cursor_.AcceptWord("CLONE")) {
      return false;
    }
    table_.clone.emplace();
    table_.clone->shallow = shallow;
    table_.clone->table = ExpectTableOrPath(cursor_);
    table_.clone->at = ParseTimeTravel(cursor_);
    return true;
  }

  TokenCursor& cursor_;
  CreateTable table_;
};

std::optional<Statement::Node> Schema(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  cursor.ExpectWord("CREATE");
  if (!cursor.AcceptWord("SCHEMA") && !cursor.AcceptWord("DATABASE") &&
      !cursor.AcceptWord("NAMESPACE")) {
    cursor.Rewind(begin);
    return std::nullopt;
  }
  CreateSchema schema;
  schema.if_not_exists = AcceptIfNotExists(cursor);
  schema.name = cursor.ExpectQualifiedName("the name of the schema");
  while (true) {
    const size_t clause = cursor.position();
    if (cursor.AcceptWord("COMMENT")) {
      CheckOnce(cursor, schema.comment.has_value(), cursor.SpanSince(clause), "COMMENT");
      schema.comment = cursor.ExpectString("a comment");
    } else if (cursor.AcceptWords({"MANAGED", "LOCATION"}) || cursor.AcceptWord("LOCATION")) {
      CheckOnce(cursor, schema.location.has_value(), cursor.SpanSince(clause), "LOCATION");
      schema.location = cursor.ExpectString("a path");
    } else if (cursor.AcceptWords({"WITH", "DBPROPERTIES"}) ||
               cursor.AcceptWords({"WITH", "PROPERTIES"})) {
      CheckOnce(cursor, !schema.properties.empty(), cursor.SpanSince(clause), "WITH DBPROPERTIES");
      schema.properties = ParseProperties(cursor);
    } else {
      return schema;
    }
  }
}

std::optional<Statement::Node> Drop(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  cursor.ExpectWord("DROP");
  DropObject drop;
  drop.temporary = cursor.AcceptWord("TEMPORARY") || cursor.AcceptWord("TEMP");
  auto kind = AcceptObjectKind(cursor);
  if (!kind && cursor.AcceptWord("FUNCTION")) {
    kind = ObjectKind::kFunction;
  }
  if (!kind) {
    cursor.Rewind(begin);
    return std::nullopt;
  }
  drop.object = *kind;
  drop.if_exists = AcceptIfExists(cursor);
  drop.name = cursor.ExpectQualifiedName("a name");
  StripLivePrefix(cursor, &drop.name);
  if (drop.object == ObjectKind::kTable) {
    drop.purge = cursor.AcceptWord("PURGE");
  } else if (drop.object == ObjectKind::kSchema) {
    drop.cascade = cursor.AcceptWord("CASCADE");
    if (!drop.cascade) {
      cursor.AcceptWord("RESTRICT");
    }
  }
  return drop;
}

}  // namespace

std::optional<Statement::Node> ParseTableStatement(TokenCursor& cursor) {
  if (cursor.AtWord("DROP")) {
    return Drop(cursor);
  }
  if (cursor.AtWord("ALTER")) {
    return ParseAlter(cursor);
  }
  if (cursor.AtWord("CREATE")) {
    if (auto schema = Schema(cursor)) {
      return schema;
    }
  }
  return CreateTableParser(cursor).Parse();
}

}  // namespace sluice::sql
