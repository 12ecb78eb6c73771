// SET, RESET, USE, SHOW, DESCRIBE, EXPLAIN.
#include <algorithm>
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/literal_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// A name made of one text, such as an operator.
QualifiedName OneName(std::string text, Span span) {
  return {{Name{std::move(text), span, true}}, span};
}

class SettingParser {
 public:
  explicit SettingParser(TokenCursor& cursor) : cursor_(cursor) {}

  Statement::Node Set() {
    if (cursor_.IsWord(0, "CATALOG") && (cursor_.AtName(1) || cursor_.AtString(1))) {
      cursor_.Next();
      return Namespace(true);
    }
    if (cursor_.AcceptWords({"TIME", "ZONE"})) {
      return TimeZone();
    }
    return Value();
  }

  Statement::Node Reset() {
    ResetConfiguration reset;
    const size_t begin = cursor_.position();
    while (MoreTokens()) {
      cursor_.Next();
    }
    if (cursor_.position() > begin) {
      reset.key = std::string(cursor_.source().Slice(cursor_.SpanSince(begin)));
    }
    std::erase(reset.key, '`');
    return reset;
  }

  Statement::Node Use() {
    if (cursor_.IsWord(0, "CATALOG") && cursor_.AtName(1)) {
      cursor_.Next();
      return Namespace(true);
    }
    if (cursor_.AtAnyWord({"SCHEMA", "DATABASE", "NAMESPACE"}) && cursor_.AtName(1)) {
      cursor_.Next();
    }
    return Namespace(false);
  }

 private:
  // Before the semicolon; a string that is not closed would swallow what follows.
  bool MoreTokens() {
    if (cursor_.Peek().kind == TokenKind::kInvalid) {
      cursor_.FailHere("");
    }
    return !cursor_.AtEnd() && !cursor_.AtSymbol(";");
  }

  // The value is taken as written, quotes included, as Spark does.
  Statement::Node Value() {
    SetConfiguration set;
    const size_t begin = cursor_.position();
    size_t value_begin = 0;
    while (MoreTokens()) {
      if (value_begin == 0 && cursor_.AtSymbol("=")) {
        set.key = std::string(cursor_.source().Slice(cursor_.SpanSince(begin)));
        set.value = "";
        value_begin = cursor_.position() + 1;
      }
      cursor_.Next();
    }
    const bool has_value = value_begin > 0;
    if (!has_value && cursor_.position() > begin) {
      set.key = std::string(cursor_.source().Slice(cursor_.SpanSince(begin)));
    } else if (has_value && cursor_.position() > value_begin) {
      set.value = std::string(cursor_.source().Slice(cursor_.SpanSince(value_begin)));
    }
    std::erase(set.key, '`');
    if (has_value && set.key.empty()) {
      cursor_.FailHere("a key: SET key = value");
    }
    return set;
  }

  Statement::Node TimeZone() {
    SetTimeZone set;
    if (cursor_.AtString()) {
      set.zone = cursor_.ExpectString("a time zone");
    } else if (cursor_.AcceptWord("LOCAL")) {
      set.local = true;
    } else {
      set.offset = ExpectInterval(cursor_);
    }
    return set;
  }

  Statement::Node Namespace(bool catalog) {
    UseNamespace use;
    use.catalog = catalog;
    if (catalog && cursor_.AtString()) {
      const Span span = cursor_.Peek().span;
      use.name = OneName(cursor_.ExpectString("a name"), span);
    } else {
      use.name = cursor_.ExpectQualifiedName(catalog ? "a catalog" : "a schema");
    }
    return use;
  }

  TokenCursor& cursor_;
};

class ShowParser {
 public:
  explicit ShowParser(TokenCursor& cursor) : cursor_(cursor) {}

  ShowStatement Parse() {
    Kind();
    if (!show_.in && (cursor_.AcceptWord("IN") || cursor_.AcceptWord("FROM"))) {
      show_.in = ExpectTableName(cursor_);
    }
    if (show_.kind == ShowStatement::Kind::kColumns &&
        (cursor_.AcceptWord("IN") || cursor_.AcceptWord("FROM"))) {
      show_.in_schema = cursor_.ExpectQualifiedName("a schema");
    }
    Pattern();
    return std::move(show_);
  }

 private:
  using Of = ShowStatement::Kind;

  void Kind() {
    if (cursor_.AcceptWord("TABLES")) {
      show_.kind = Of::kTables;
    } else if (cursor_.AcceptWord("DATABASES") || cursor_.AcceptWord("SCHEMAS") ||
               cursor_.AcceptWord("NAMESPACES")) {
      show_.kind = Of::kSchemas;
    } else if (cursor_.AcceptWord("VIEWS")) {
      show_.kind = Of::kViews;
    } else if (cursor_.AcceptWord("COLUMNS")) {
      show_.kind = Of::kColumns;
    } else if (cursor_.AcceptWord("CATALOGS")) {
      show_.kind = Of::kCatalogs;
    } else if (cursor_.AcceptWord("TBLPROPERTIES")) {
      show_.kind = Of::kProperties;
      show_.in = ExpectTableName(cursor_);
      Key();
    } else if (cursor_.AcceptWord("PARTITIONS")) {
      show_.kind = Of::kPartitions;
      show_.in = ExpectTableName(cursor_);
      if (cursor_.AcceptWord("PARTITION")) {
        show_.partition = ParsePartition(cursor_);
      }
    } else if (cursor_.AcceptWords({"CREATE", "TABLE"})) {
      show_.kind = Of::kCreateTable;
      show_.in = ExpectTableName(cursor_);
      cursor_.AcceptWords({"AS", "SERDE"});
    } else {
      Functions();
    }
  }

  void Functions() {
    show_.kind = Of::kFunctions;
    if (cursor_.AcceptWord("USER")) {
      show_.functions = ShowStatement::Functions::kUser;
    } else if (cursor_.AcceptWord("SYSTEM")) {
      show_.functions = ShowStatement::Functions::kSystem;
    } else {
      cursor_.AcceptWord("ALL");
    }
    if (!cursor_.AcceptWord("FUNCTIONS")) {
      cursor_.FailHere(
          "TABLES, SCHEMAS, VIEWS, FUNCTIONS, COLUMNS, TBLPROPERTIES, PARTITIONS, CREATE TABLE or "
          "CATALOGS");
    }
  }

  // (key), ('key'), (a.b)
  void Key() {
    if (!cursor_.AcceptSymbol("(")) {
      return;
    }
    if (cursor_.AtString()) {
      show_.key = cursor_.ExpectString("a key");
    } else {
      show_.key = "";
      for (const Name& part : cursor_.ExpectQualifiedName("a key").parts) {
        *show_.key += (show_.key->empty() ? "" : ".") + part.text;
      }
    }
    cursor_.ExpectSymbol(")");
  }

  // [LIKE] 'pattern'; a function may be named without quotes.
  void Pattern() {
    const bool like = cursor_.AcceptWord("LIKE");
    if (show_.kind == Of::kFunctions && cursor_.AtName()) {
      show_.like = cursor_.ExpectQualifiedName("a function").last();
    } else if (like || cursor_.AtString()) {
      show_.like = cursor_.ExpectString("a pattern");
    }
  }

  TokenCursor& cursor_;
  ShowStatement show_;
};

class DescribeParser {
 public:
  explicit DescribeParser(TokenCursor& cursor) : cursor_(cursor) {}

  DescribeStatement Parse() {
    using Kind = DescribeStatement::Kind;
    if (cursor_.AcceptWord("QUERY") || (!cursor_.AtWord("TABLE") && AtQuery(cursor_))) {
      describe_.kind = Kind::kQuery;
      describe_.query = ParseQueryAt(cursor_);
      return std::move(describe_);
    }
    if (cursor_.AtWord("FUNCTION") && !Ends(1)) {
      Function();
      return std::move(describe_);
    }
    if (Accept("HISTORY")) {
      describe_.kind = Kind::kHistory;
    } else if (Accept("DETAIL")) {
      describe_.kind = Kind::kDetail;
    } else if (Accept("SCHEMA") || Accept("DATABASE") || Accept("NAMESPACE")) {
      describe_.kind = Kind::kSchema;
    } else {
      Accept("TABLE");
    }
    describe_.extended = Accept("EXTENDED") || Accept("FORMATTED");
    describe_.name = ExpectTableOrPath(cursor_);
    if (describe_.kind == Kind::kHistory && cursor_.AcceptWord("LIMIT")) {
      describe_.limit = cursor_.ExpectInteger("a number of versions");
    }
    if (describe_.kind == Kind::kTable) {
      Behind();
    }
    return std::move(describe_);
  }

 private:
  bool Ends(size_t ahead) const {
    return cursor_.AtSymbol(";", ahead) || cursor_.Peek(ahead).kind == TokenKind::kEnd;
  }
  // The word, unless it is the name that is described.
  bool Accept(const char* word) {
    return cursor_.AtWord(word) && (cursor_.AtName(1) || cursor_.AtString(1)) &&
           cursor_.AcceptWord(word);
  }

  void Behind() {
    if (cursor_.AtWords({"AS", "JSON"}) || cursor_.AtWord("PARTITION")) {
      cursor_.Fail(cursor_.Peek().span, "NOT_SUPPORTED_YET",
                   "not supported yet: AS JSON and PARTITION of DESCRIBE");
    } else if (cursor_.AtName()) {
      describe_.column = cursor_.ExpectQualifiedName("a column");
    }
  }

  // Any token may be an operator's name.
  void Function() {
    describe_.kind = DescribeStatement::Kind::kFunction;
    cursor_.AcceptWord("FUNCTION");
    if (cursor_.AtWord("EXTENDED") && !Ends(1)) {
      describe_.extended = cursor_.AcceptWord("EXTENDED");
    }
    const Span span = cursor_.Peek().span;
    if (cursor_.AtString()) {
      describe_.name = OneName(cursor_.ExpectString("a function"), span);
    } else if (cursor_.AtName()) {
      describe_.name = cursor_.ExpectQualifiedName("a function");
    } else if (!Ends(0) && cursor_.Peek().kind != TokenKind::kInvalid) {
      const size_t begin = cursor_.position();
      cursor_.Next();
      describe_.name = OneName(std::string(cursor_.source().Slice(cursor_.SpanSince(begin))), span);
    } else {
      cursor_.FailHere("a function");
    }
  }

  TokenCursor& cursor_;
  DescribeStatement describe_;
};

/// Statements of Spark and Databricks that are known by name only.
bool ShowsSomethingElse(const TokenCursor& cursor) {
  for (const char* word :
       {"TABLE", "CURRENT", "GRANT", "GRANTS", "VOLUMES", "CONNECTIONS", "SHARES", "RECIPIENTS",
        "PROVIDERS", "CREDENTIALS", "EXTERNAL", "PROCEDURES", "COLLATIONS", "ROLES", "GROUPS",
        "USERS", "POLICIES", "LOCKS"}) {
    if (cursor.IsWord(1, word)) {
      return true;
    }
  }
  return false;
}

ExplainStatement Explain(TokenCursor& cursor) {
  ExplainStatement explain;
  if (cursor.AtAnyWord({"EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL"})) {
    explain.mode = ToUpper(cursor.Next().text);
  }
  explain.query = ParseQueryAt(cursor);
  return explain;
}

}  // namespace

std::optional<Statement::Node> ParseSessionStatement(TokenCursor& cursor) {
  if (cursor.AcceptWord("SET")) {
    return SettingParser(cursor).Set();
  }
  if (cursor.AcceptWord("RESET")) {
    return SettingParser(cursor).Reset();
  }
  if (cursor.AcceptWord("USE")) {
    return SettingParser(cursor).Use();
  }
  if (cursor.IsWord(0, "SHOW") && ShowsSomethingElse(cursor)) {
    return std::nullopt;
  }
  if (cursor.AcceptWord("SHOW")) {
    return ShowParser(cursor).Parse();
  }
  if (cursor.AcceptWord("DESCRIBE") || cursor.AcceptWord("DESC")) {
    return DescribeParser(cursor).Parse();
  }
  if (cursor.AcceptWord("EXPLAIN")) {
    return Explain(cursor);
  }
  return std::nullopt;
}

}  // namespace sluice::sql
