#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// The clauses of AUTO CDC behind its target.
class AutoCdcParser {
 public:
  explicit AutoCdcParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  AutoCdc Parse(bool once) {
    cdc_.once = once;
    cursor_.ExpectWord("FROM");
    cdc_.source = ParseRelationPrimary(cursor_);
    cursor_.ExpectWord("KEYS");
    cursor_.ExpectSymbol("(");
    do {
      cdc_.keys.push_back(cursor_.ExpectQualifiedName("a key column"));
    } while (cursor_.AcceptSymbol(","));
    cursor_.ExpectSymbol(")");
    while (Clause()) {
    }
    cdc_.span = cursor_.SpanSince(begin_);
    if (!cursor_.AtEnd() && !cursor_.AtSymbol(";")) {
      cursor_.FailHere("SEQUENCE BY, APPLY AS, COLUMNS, STORED AS or TRACK HISTORY ON");
    }
    if (!cdc_.sequence_by && !cursor_.failed()) {
      cursor_.Fail(cdc_.span, "MISSING_CLAUSES_FOR_OPERATION",
                   "missing required clause(s) for operation AUTO CDC: SEQUENCE BY",
                   "add SEQUENCE BY with the column that orders the changes of a key");
    }
    return std::move(cdc_);
  }

 private:
  void Once(bool given, const char* clause) {
    CheckOnce(cursor_, given, cursor_.SpanSince(clause_begin_), clause);
  }

  bool Clause() {
    clause_begin_ = cursor_.position();
    if (cursor_.AcceptWords({"SEQUENCE", "BY"})) {
      Once(static_cast<bool>(cdc_.sequence_by), "SEQUENCE BY");
      cdc_.sequence_by = ParseExpr(cursor_);
    } else if (cursor_.AcceptWords({"SYSTEM", "SEQUENCE", "BY"})) {
      Once(static_cast<bool>(cdc_.system_sequence_by), "SYSTEM SEQUENCE BY");
      cdc_.system_sequence_by = ParseExpr(cursor_);
    } else if (cursor_.AcceptWords({"APPLY", "AS"})) {
      ApplyAs();
    } else if (cursor_.AcceptWords({"IGNORE", "NULL", "UPDATES"})) {
      Once(cdc_.ignore_null_updates, "IGNORE NULL UPDATES");
      cdc_.ignore_null_updates = true;
    } else if (cursor_.AcceptWord("COLUMNS")) {
      Once(cdc_.columns.has_value(), "COLUMNS");
      cdc_.columns = Columns();
    } else if (cursor_.AcceptWord("STORED")) {
      StoredAs();
    } else if (cursor_.AcceptWords({"TRACK", "HISTORY"})) {
      cursor_.ExpectWord("ON");
      Once(cdc_.track_history.has_value(), "TRACK HISTORY ON");
      cdc_.track_history = Columns();
    } else {
      return false;
    }
    return true;
  }

  void ApplyAs() {
    const bool truncate = cursor_.AcceptWord("TRUNCATE");
    if (!truncate) {
      cursor_.ExpectWord("DELETE");
    }
    cursor_.ExpectWord("WHEN");
    Box<Expr>& when = truncate ? cdc_.truncate_when : cdc_.delete_when;
    Once(static_cast<bool>(when), truncate ? "APPLY AS TRUNCATE" : "APPLY AS DELETE");
    when = ParseExpr(cursor_);
  }

  void StoredAs() {
    Once(stored_as_, "STORED AS");
    stored_as_ = true;
    cursor_.ExpectWord("AS");
    if (cursor_.AcceptWord("BITEMPORAL")) {
      cdc_.scd_type = AutoCdc::ScdType::kBitemporal;
      return;
    }
    cursor_.ExpectWords({"SCD", "TYPE"});
    const Span span = cursor_.Peek().span;
    const int64_t type = cursor_.ExpectInteger("1 or 2");
    if (type != 1 && type != 2 && !cursor_.failed()) {
      cursor_.Fail(span, "PARSE_SYNTAX_ERROR", "unsupported SCD type: " + std::to_string(type),
                   "AUTO CDC stores SCD TYPE 1 or SCD TYPE 2");
    }
    cdc_.scd_type = type == 2 ? AutoCdc::ScdType::kType2 : AutoCdc::ScdType::kType1;
  }

  // (a, b) | a, b | * EXCEPT (a) | * EXCEPT a
  AutoCdc::ColumnList Columns() {
    AutoCdc::ColumnList list;
    const size_t begin = cursor_.position();
    if (cursor_.AcceptSymbol("*")) {
      list.all_except = true;
      if (!cursor_.AcceptWord("EXCEPT")) {
        list.span = cursor_.SpanSince(begin);
        return list;
      }
    }
    list.columns = cursor_.AtSymbol("(") ? ParseNameTuple(cursor_, "a column")
                                         : ParseNames(cursor_, "a column");
    list.span = cursor_.SpanSince(begin);
    return list;
  }

  TokenCursor& cursor_;
  const size_t begin_;
  size_t clause_begin_ = 0;
  bool stored_as_ = false;
  AutoCdc cdc_;
};

// REPLACE WHERE p | REPLACE USING (a, b) [SEQUENCE BY e] | REPLACE ON p
void ParseReplace(TokenCursor& cursor, InsertFlow* insert) {
  if (!cursor.AcceptWord("REPLACE")) {
    return;
  }
  if (cursor.AcceptWord("WHERE")) {
    insert->replace_where = ParseExpr(cursor);
  } else if (cursor.AcceptWord("USING")) {
    insert->replace_using = ParseNameTuple(cursor, "a column");
    if (cursor.AcceptWords({"SEQUENCE", "BY"})) {
      insert->sequence_by = ParseExpr(cursor);
    }
  } else {
    cursor.ExpectWord("ON");
    insert->replace_on = ParseExpr(cursor);
  }
}

// Behind INSERT: [ONCE] [WITH SCHEMA EVOLUTION] INTO [ONCE] t [(a, b)] [BY NAME] [REPLACE ..] query
InsertFlow ParseInsert(TokenCursor& cursor, QualifiedName* target) {
  const size_t begin = cursor.position();
  InsertFlow insert;
  insert.once = cursor.AcceptWord("ONCE");
  insert.schema_evolution = cursor.AcceptWords({"WITH", "SCHEMA", "EVOLUTION"});
  if (cursor.AcceptWord("OVERWRITE")) {
    insert.overwrite = true;
    cursor.AcceptWord("INTO");
  } else {
    cursor.ExpectWord("INTO");
  }
  // `once` may also be the table.
  if (cursor.IsWord(0, "ONCE") && cursor.AtName(1) && !cursor.IsWord(1, "BY") &&
      !cursor.IsWord(1, "REPLACE") && !AtQuery(cursor, 1)) {
    cursor.Next();
    insert.once = true;
  }
  if (cursor.IsWord(0, "TABLE") && cursor.AtName(1)) {
    cursor.Next();
  }
  *target = ExpectTableName(cursor);
  if (cursor.AtSymbol("(") && !AtQuery(cursor, 1)) {
    insert.columns = ParseNameTuple(cursor, "a column");
  }
  ParseInsertRows(cursor, &insert, begin);
  return insert;
}

bool AcceptAutoCdc(TokenCursor& cursor) {
  return cursor.AcceptWords({"AUTO", "CDC"}) || cursor.AcceptWords({"APPLY", "CHANGES"});
}

AutoCdc ParseAutoCdcInto(TokenCursor& cursor, QualifiedName* target) {
  const bool once = cursor.AcceptWord("ONCE");
  cursor.ExpectWord("INTO");
  *target = ExpectTableName(cursor);
  return AutoCdcParser(cursor).Parse(once);
}

}  // namespace

void ParseInsertRows(TokenCursor& cursor, InsertFlow* insert, size_t begin) {
  insert->by_name = cursor.AcceptWords({"BY", "NAME"});
  ParseReplace(cursor, insert);
  insert->by_name = cursor.AcceptWords({"BY", "NAME"}) || insert->by_name;
  insert->query = ParseQueryAt(cursor);
  insert->span = cursor.SpanSince(begin);
}

CreateFlow ParseFlow(TokenCursor& cursor) {
  CreateFlow flow;
  flow.name = cursor.ExpectName("the name of the flow");
  if (cursor.AtSymbol(".") && !cursor.failed()) {
    cursor.Fail(flow.name.span, "MULTIPART_FLOW_NAME_NOT_SUPPORTED",
                "the name of a flow has one part only: " + flow.name.text + "..",
                "write the schema at the target: INSERT INTO schema.table");
  }
  if (cursor.AcceptWord("COMMENT")) {
    flow.comment = cursor.ExpectString("a comment");
  }
  cursor.ExpectWord("AS");
  if (cursor.AcceptWord("INSERT")) {
    flow.body = ParseInsert(cursor, &flow.target);
  } else if (AcceptAutoCdc(cursor)) {
    flow.body = ParseAutoCdcInto(cursor, &flow.target);
  } else {
    cursor.FailHere("INSERT INTO or AUTO CDC INTO");
  }
  return flow;
}

std::optional<CreateFlow> ParseBareAutoCdc(TokenCursor& cursor) {
  if (!AcceptAutoCdc(cursor)) {
    return std::nullopt;
  }
  CreateFlow flow;
  flow.anonymous = true;
  flow.body = ParseAutoCdcInto(cursor, &flow.target);
  if (!flow.target.parts.empty()) {
    flow.name = flow.target.parts.back();
  }
  return flow;
}

FlowBody ParseInlineFlow(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  if (AcceptAutoCdc(cursor)) {
    return AutoCdcParser(cursor).Parse(cursor.AcceptWord("ONCE"));
  }
  InsertFlow insert;
  if (cursor.AcceptWord("INSERT")) {
    insert.once = cursor.AcceptWord("ONCE");
  } else if (!cursor.AtWord("REPLACE")) {
    cursor.FailHere("INSERT, AUTO CDC or REPLACE");
  }
  ParseInsertRows(cursor, &insert, begin);
  return insert;
}

CreateSink ParseSink(TokenCursor& cursor) {
  CreateSink sink;
  sink.if_not_exists = AcceptIfNotExists(cursor);
  sink.name = cursor.ExpectQualifiedName("the name of the sink");
  while (true) {
    const size_t begin = cursor.position();
    if (cursor.AcceptWord("USING") || cursor.AcceptWord("FORMAT")) {
      CheckOnce(cursor, !sink.format.empty(), cursor.SpanSince(begin), "USING");
      sink.format =
          cursor.AtString() ? cursor.ExpectString("a format") : cursor.ExpectName("a format").text;
    } else if (cursor.AcceptWord("OPTIONS") || cursor.AcceptWord("WITH")) {
      CheckOnce(cursor, !sink.options.empty(), cursor.SpanSince(begin), "OPTIONS");
      sink.options = ParseProperties(cursor);
    } else if (cursor.AcceptWord("COMMENT")) {
      sink.comment = cursor.ExpectString("a comment");
    } else {
      break;
    }
  }
  for (const Property& option : sink.options) {
    if (sink.format.empty() && EqualsIgnoreCase(option.key, "format")) {
      sink.format = option.value;
    }
  }
  if (cursor.AcceptWord("AS")) {
    sink.query = ParseQueryAt(cursor);
  }
  return sink;
}

}  // namespace sluice::sql
