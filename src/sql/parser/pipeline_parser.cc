#include "sql/parser/pipeline_parser.h"

#include <string>
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

class StatementParser {
 public:
  explicit StatementParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  Statement Parse() {
    cursor_.StartStatement();
    Statement statement;
    statement.node = Node();
    if (!cursor_.AtSymbol(";") && !cursor_.AtEnd()) {
      cursor_.FailHere("';' or the end of the statement");
    }
    statement.span = cursor_.SpanSince(begin_);
    return statement;
  }

 private:
  Statement::Node Node() {
    if (auto rows = ParseRowStatement(cursor_)) {
      return *std::move(rows);
    }
    if (AtQuery(cursor_)) {
      return QueryStatement{ParseQueryAt(cursor_)};
    }
    if (auto table = ParseTableStatement(cursor_)) {
      return *std::move(table);
    }
    if (auto upkeep = ParseUpkeepStatement(cursor_)) {
      return *std::move(upkeep);
    }
    if (cursor_.AcceptWord("CREATE")) {
      return Create();
    }
    if (auto flow = ParseBareAutoCdc(cursor_)) {
      return *std::move(flow);
    }
    if (cursor_.AcceptWord("SET")) {
      return Set();
    }
    if (cursor_.AcceptWord("USE")) {
      return Use();
    }
    if (cursor_.AcceptWord("SHOW")) {
      return Show();
    }
    if (cursor_.AcceptWord("DESCRIBE") || cursor_.AcceptWord("DESC")) {
      return Describe();
    }
    if (cursor_.AcceptWord("EXPLAIN")) {
      return Explain();
    }
    return Other();
  }

  Statement::Node Create() {
    CreatePrefix prefix;
    if (cursor_.AcceptWord("OR")) {
      prefix.or_refresh = cursor_.AcceptWord("REFRESH");
      prefix.or_replace = !prefix.or_refresh && cursor_.AcceptWord("REPLACE");
      if (!prefix.or_refresh && !prefix.or_replace) {
        cursor_.FailHere("REFRESH or REPLACE");
      }
    }
    prefix.is_private = cursor_.AcceptWord("PRIVATE");
    if (!AtTemporaryOther()) {
      prefix.temporary = cursor_.AcceptWord("TEMPORARY") || cursor_.AcceptWord("TEMP");
    }
    if (cursor_.AcceptWords({"STREAMING", "TABLE"}) ||
        AcceptLegacy({"STREAMING", "LIVE", "TABLE"}, "CREATE STREAMING TABLE") ||
        AcceptLegacy({"INCREMENTAL", "LIVE", "TABLE"}, "CREATE STREAMING TABLE")) {
      return ParseStreamingTable(cursor_, prefix);
    }
    if (cursor_.AcceptWords({"MATERIALIZED", "VIEW"}) ||
        AcceptLegacy({"LIVE", "TABLE"}, "CREATE MATERIALIZED VIEW")) {
      return ParseMaterializedView(cursor_, prefix);
    }
    if (AcceptLegacy({"LIVE", "VIEW"}, "CREATE TEMPORARY VIEW") ||
        AcceptLegacy({"STREAMING", "LIVE", "VIEW"}, "CREATE TEMPORARY VIEW") ||
        AcceptLegacy({"INCREMENTAL", "LIVE", "VIEW"}, "CREATE TEMPORARY VIEW")) {
      prefix.temporary = true;
      return ParseView(cursor_, prefix);
    }
    if (cursor_.AcceptWord("VIEW")) {
      return ParseView(cursor_, prefix);
    }
    if (cursor_.AcceptWord("FLOW")) {
      return ParseFlow(cursor_);
    }
    if (cursor_.AcceptWord("SINK")) {
      return ParseSink(cursor_);
    }
    return CreateOther();
  }

  // CREATE TEMPORARY FUNCTION and the like are not ours.
  bool AtTemporaryOther() const {
    return (cursor_.IsWord(0, "TEMPORARY") || cursor_.IsWord(0, "TEMP")) &&
           (cursor_.IsWord(1, "FUNCTION") || cursor_.IsWord(1, "TABLE") ||
            cursor_.IsWord(1, "VARIABLE"));
  }

  bool AcceptLegacy(std::initializer_list<const char*> words, const char* now) {
    const size_t begin = cursor_.position();
    if (!cursor_.AcceptWords(words)) {
      return false;
    }
    cursor_.Warn(cursor_.SpanSince(begin), std::string("this is older spelling of ") + now);
    return true;
  }

  Statement::Node CreateOther() {
    for (const char* word :
         {"FUNCTION", "CATALOG", "TEMPORARY", "TEMP", "GLOBAL", "EXTERNAL", "METRIC", "VARIABLE",
          "INDEX", "ROLE", "VOLUME", "CONNECTION", "PROCEDURE", "SHARE", "RECIPIENT", "SERVER",
          "POLICY", "GROUP", "USER"}) {
      if (cursor_.IsWord(0, word)) {
        return Unsupported();
      }
    }
    if (cursor_.AcceptWord("MATERIALIZED")) {
      cursor_.ExpectWord("VIEW");
    } else if (cursor_.AcceptWord("STREAMING")) {
      cursor_.ExpectWord("TABLE");
    }
    cursor_.FailHere("STREAMING TABLE, MATERIALIZED VIEW, TABLE, VIEW, FLOW, SINK or SCHEMA");
    return {};
  }

  // Before the semicolon; a string that is not closed would swallow what follows.
  bool MoreTokens() {
    if (cursor_.Peek().kind == TokenKind::kInvalid) {
      cursor_.FailHere("");
    }
    return !cursor_.AtEnd() && !cursor_.AtSymbol(";");
  }

  // Takes everything up to the semicolon; the verb is the leading words in capitals.
  Statement::Node Unsupported() {
    constexpr size_t kMaxVerbWords = 3;
    cursor_.Rewind(begin_);
    UnsupportedStatement statement;
    for (size_t i = 0; MoreTokens(); ++i) {
      const Token token = cursor_.Next();
      if (i < kMaxVerbWords - (statement.verb.starts_with("CREATE OR") ? 0 : 1) &&
          token.kind == TokenKind::kWord) {
        statement.verb += (i == 0 ? "" : " ") + ToUpper(token.text);
      }
    }
    statement.text = std::string(cursor_.source().Slice(cursor_.SpanSince(begin_)));
    return statement;
  }

  Statement::Node Other() {
    for (const char* word :
         {"ALTER",   "DROP",   "INSERT", "REFRESH", "GRANT",  "REVOKE",  "CACHE",  "UNCACHE",
          "ANALYZE", "MSCK",   "COPY",   "ADD",     "LIST",   "DECLARE", "BEGIN",  "CALL",
          "COMMENT", "RESET",  "CLEAR",  "LOAD",    "UNDROP", "EXECUTE", "REPAIR", "REPLACE",
          "IMPORT",  "EXPORT", "SYNC",   "FSCK",    "DENY",   "LOCK",    "UNLOCK"}) {
      if (cursor_.AtWord(word)) {
        return Unsupported();
      }
    }
    cursor_.FailHere("a statement: CREATE, ALTER, DROP, SELECT, INSERT, MERGE, SET, USE, SHOW, ..");
    return {};
  }

  // The value is taken as written, quotes included, as Spark does.
  Statement::Node Set() {
    SetConfiguration set;
    if (cursor_.IsWord(0, "CATALOG") && (cursor_.AtName(1) || cursor_.AtString(1))) {
      cursor_.Next();
      return Namespace(true);
    }
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
    if (!has_value) {
      set.key = std::string(cursor_.source().Slice(cursor_.SpanSince(begin)));
    } else if (cursor_.position() > value_begin) {
      set.value = std::string(cursor_.source().Slice(cursor_.SpanSince(value_begin)));
    }
    std::erase(set.key, '`');
    if (has_value && set.key.empty()) {
      cursor_.FailHere("a key: SET key = value");
    }
    return set;
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

  Statement::Node Namespace(bool catalog) {
    UseNamespace use;
    use.catalog = catalog;
    if (catalog && cursor_.AtString()) {
      const Span span = cursor_.Peek().span;
      use.name = {{Name{cursor_.ExpectString("a name"), span, true}}, span};
    } else {
      use.name = cursor_.ExpectQualifiedName(catalog ? "a catalog" : "a schema");
    }
    return use;
  }

  Statement::Node Show() {
    using Kind = ShowStatement::Kind;
    ShowStatement show;
    if (cursor_.AcceptWord("TABLES")) {
      show.kind = Kind::kTables;
    } else if (cursor_.AcceptWord("DATABASES") || cursor_.AcceptWord("SCHEMAS")) {
      show.kind = Kind::kSchemas;
    } else if (cursor_.AcceptWord("VIEWS")) {
      show.kind = Kind::kViews;
    } else if (cursor_.AcceptWord("FUNCTIONS")) {
      show.kind = Kind::kFunctions;
    } else if (cursor_.AcceptWord("COLUMNS")) {
      show.kind = Kind::kColumns;
    } else if (cursor_.AcceptWord("CATALOGS")) {
      show.kind = Kind::kCatalogs;
    } else if (cursor_.AtAnyWord({"TBLPROPERTIES", "PARTITIONS"})) {
      show.kind = cursor_.IsWord(0, "PARTITIONS") ? Kind::kPartitions : Kind::kProperties;
      cursor_.Next();
      show.in = ExpectTableName(cursor_);
    } else {
      cursor_.FailHere("TABLES, SCHEMAS, VIEWS, FUNCTIONS, COLUMNS, TBLPROPERTIES or CATALOGS");
    }
    if (!show.in && (cursor_.AcceptWord("IN") || cursor_.AcceptWord("FROM"))) {
      show.in = ExpectTableName(cursor_);
    }
    if (cursor_.AcceptWord("LIKE") || cursor_.AtString()) {
      show.like = cursor_.ExpectString("a pattern");
    }
    return show;
  }

  Statement::Node Describe() {
    using Kind = DescribeStatement::Kind;
    DescribeStatement describe;
    if (cursor_.AcceptWord("QUERY") || (!cursor_.AtWord("TABLE") && AtQuery(cursor_))) {
      describe.kind = Kind::kQuery;
      describe.query = ParseQueryAt(cursor_);
      return describe;
    }
    const auto accept = [&](const char* word) {
      return cursor_.AtWord(word) && (cursor_.AtName(1) || cursor_.AtString(1)) &&
             cursor_.AcceptWord(word);
    };
    if (accept("HISTORY")) {
      describe.kind = Kind::kHistory;
    } else if (accept("DETAIL")) {
      describe.kind = Kind::kDetail;
    } else if (accept("FUNCTION")) {
      describe.kind = Kind::kFunction;
    } else if (accept("SCHEMA") || accept("DATABASE")) {
      describe.kind = Kind::kSchema;
    } else {
      accept("TABLE");
    }
    describe.extended = accept("EXTENDED") || accept("FORMATTED");
    describe.name = ExpectTableOrPath(cursor_);
    if (describe.kind == Kind::kHistory && cursor_.AcceptWord("LIMIT"))
      describe.limit = cursor_.ExpectInteger("a number of versions");
    return describe;
  }

  Statement::Node Explain() {
    ExplainStatement explain;
    if (cursor_.AtAnyWord({"EXTENDED", "FORMATTED", "CODEGEN", "COST", "LOGICAL"})) {
      explain.mode = ToUpper(cursor_.Next().text);
    }
    explain.query = ParseQueryAt(cursor_);
    return explain;
  }

  TokenCursor& cursor_;
  const size_t begin_;
};

}  // namespace

ParsedFile ParseStatements(std::shared_ptr<const SourceText> source, std::vector<Status>* errors) {
  ParsedFile file;
  file.source = std::move(source);
  TokenCursor cursor(*file.source);
  while (true) {
    while (cursor.AcceptSymbol(";")) {
    }
    if (cursor.AtEnd()) {
      break;
    }
    Statement statement = StatementParser(cursor).Parse();
    if (cursor.failed()) {
      errors->push_back(cursor.Recover());
    } else {
      file.statements.push_back(std::move(statement));
    }
  }
  file.keywords = cursor.Keywords();
  file.warnings = cursor.TakeWarnings();
  return file;
}

Result<ParsedFile> ParseStatements(std::shared_ptr<const SourceText> source) {
  std::vector<Status> errors;
  ParsedFile file = ParseStatements(std::move(source), &errors);
  if (!errors.empty()) {
    return errors.front();
  }
  return file;
}

}  // namespace sluice::sql
