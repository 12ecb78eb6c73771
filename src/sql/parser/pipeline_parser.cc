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
    if (auto session = ParseSessionStatement(cursor_)) {
      return *std::move(session);
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
      prefix.global = AtGlobalView() && cursor_.AcceptWord("GLOBAL");
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

  bool AtGlobalView() const {
    return (cursor_.IsWord(1, "TEMPORARY") || cursor_.IsWord(1, "TEMP")) &&
           cursor_.IsWord(2, "VIEW");
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
          "COMMENT", "SHOW",   "CLEAR",  "LOAD",    "UNDROP", "EXECUTE", "REPAIR", "REPLACE",
          "IMPORT",  "EXPORT", "SYNC",   "FSCK",    "DENY",   "LOCK",    "UNLOCK"}) {
      if (cursor_.AtWord(word)) {
        return Unsupported();
      }
    }
    cursor_.FailHere("a statement: CREATE, ALTER, DROP, SELECT, INSERT, MERGE, SET, USE, SHOW, ..");
    return {};
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
