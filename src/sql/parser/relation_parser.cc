#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// Clauses that follow a relation and are no alias of it.
bool AtRelationClause(const TokenCursor& cursor) {
  return cursor.AtAnyWord({"WATERMARK", "TABLESAMPLE", "WITH", "SET", "RETURNING"}) ||
         cursor.AtWords({"IDENTIFIED", "BY"}) || cursor.AtWords({"CHANGES", "FROM"}) ||
         cursor.AtWords({"VERSION", "AS", "OF"}) || cursor.AtWords({"TIMESTAMP", "AS", "OF"}) ||
         (cursor.IsWord(0, "KEYS") && cursor.AtSymbol("(", 1)) || cursor.AtWords({"APPLY", "AS"}) ||
         cursor.AtWords({"ASOF", "JOIN"}) || cursor.AtWords({"SEQUENCE", "BY"}) ||
         cursor.AtWords({"STORED", "AS"}) || cursor.AtWords({"TRACK", "HISTORY"});
}

/// Syntax of Spark 4.3 that is known, and refused by its name.
void RefuseHere(TokenCursor& cursor, const std::string& name, const std::string& hint) {
  cursor.Fail(cursor.Peek().span, "NOT_SUPPORTED_YET", "not supported yet: " + name, hint);
}

Relation MakeRelation(const TokenCursor& cursor, size_t begin, Relation::Node node) {
  Relation relation;
  relation.node = std::move(node);
  relation.span = cursor.SpanSince(begin);
  return relation;
}

class RelationParser {
 public:
  explicit RelationParser(TokenCursor& cursor) : cursor_(cursor), begin_(cursor.position()) {}

  Relation Parse() {
    TokenCursor::Nesting nesting(cursor_);
    Relation relation;
    if (cursor_.AtSymbol("(")) {
      relation = Parenthesised();
    } else if (cursor_.AcceptWord("VALUES")) {
      relation = MakeRelation(cursor_, begin_, ParseValuesRows(cursor_));
    } else if (AtStream()) {
      relation = Stream();
    } else {
      relation = Named(false);
    }
    Suffixes(&relation);
    relation.span = cursor_.SpanSince(begin_);
    return relation;
  }

 private:
  // `stream` may also be the name of a table: what follows decides.
  bool AtStream() const {
    if (!cursor_.IsWord(0, "STREAM")) {
      return false;
    }
    if (cursor_.AtSymbol("(", 1)) {
      return true;
    }
    if (!cursor_.AtName(1) || cursor_.IsWord(1, "AS")) {
      return false;
    }
    for (const std::string_view word :
         {"WHERE",     "GROUP",       "HAVING",  "ORDER",   "LIMIT", "OFFSET",  "UNION",
          "EXCEPT",    "INTERSECT",   "QUALIFY", "WINDOW",  "JOIN",  "ON",      "USING",
          "LEFT",      "RIGHT",       "INNER",   "FULL",    "CROSS", "NATURAL", "LATERAL",
          "WATERMARK", "TABLESAMPLE", "PIVOT",   "UNPIVOT", "WITH"}) {
      if (cursor_.IsWord(1, word)) {
        return false;
      }
    }
    return true;
  }

  Relation Stream() {
    cursor_.ExpectWord("STREAM");
    if (!cursor_.AtSymbol("(")) {
      return Named(true);
    }
    cursor_.ExpectSymbol("(");
    Relation relation = Named(true);
    cursor_.ExpectSymbol(")");
    return relation;
  }

  Relation Named(bool stream) {
    if (cursor_.AtAnyWord({"SELECT", "WHERE", "FROM", "GROUP", "ON", "JOIN"})) {
      cursor_.FailHere("a table");
      return {};
    }
    if (cursor_.IsWord(0, "JSON_TABLE") && cursor_.AtSymbol("(", 1)) {
      RefuseHere(cursor_, "JSON_TABLE", "use from_json with explode or inline");
      return {};
    }
    QualifiedName name = cursor_.ExpectQualifiedName("a table");
    if (!cursor_.AtSymbol("(")) {
      StripLivePrefix(cursor_, &name);
      TableRef table;
      table.name = std::move(name);
      table.stream = stream;
      return MakeRelation(cursor_, begin_, std::move(table));
    }
    TableFunction function;
    function.name = std::move(name);
    function.stream = stream;
    function.arguments = ParseTableFunctionArguments(cursor_);
    return MakeRelation(cursor_, begin_, std::move(function));
  }

  Relation Parenthesised() {
    if (HoldsQuery(cursor_)) {
      SubqueryRelation subquery;
      subquery.query = ParseQueryTuple(cursor_);
      return MakeRelation(cursor_, begin_, std::move(subquery));
    }
    cursor_.ExpectSymbol("(");
    NestedRelation nested;
    nested.inner = ParseFromList(cursor_);
    cursor_.ExpectSymbol(")");
    return MakeRelation(cursor_, begin_, std::move(nested));
  }

  void Suffixes(Relation* relation) {
    if (auto* table = relation->As<TableRef>()) {
      TableSuffixes(table);
    } else if (auto* function = relation->As<TableFunction>()) {
      function->options = Options();
      if (cursor_.AtWords({"WITH", "ORDINALITY"})) {
        RefuseHere(cursor_, "WITH ORDINALITY", "use posexplode");
      }
      function->identified_by = IdentifiedBy(function->stream);
    }
    const bool stream = IsStream(*relation);
    const bool sampled = !stream && relation->As<TableFunction>() == nullptr;
    if (sampled) {
      relation->sample = ParseTableSample(cursor_);
    }
    relation->watermark = ParseWatermark(cursor_);
    relation->alias = ParseTableAlias(cursor_);
    if (!relation->watermark) {
      relation->watermark = ParseWatermark(cursor_);
    }
    if (sampled && !relation->sample) {
      relation->sample = ParseTableSample(cursor_);
    }
  }

  static bool IsStream(const Relation& relation) {
    const auto* table = relation.As<TableRef>();
    const auto* function = relation.As<TableFunction>();
    return (table != nullptr && table->stream) || (function != nullptr && function->stream);
  }

  void TableSuffixes(TableRef* table) {
    table->time_travel = cursor_.AtSymbol("@") ? ParseAtMoment(cursor_) : ParseTimeTravel(cursor_);
    if (table->stream || cursor_.AtWords({"CHANGES", "FROM"})) {
      table->changes = ParseChanges(cursor_);
    }
    table->options = Options();
    table->identified_by = IdentifiedBy(table->stream);
  }

  std::vector<Property> Options() {
    if (!cursor_.IsWord(0, "WITH") || !cursor_.AtSymbol("(", 1)) {
      return {};
    }
    cursor_.Next();
    return ParseProperties(cursor_);
  }

  std::optional<Name> IdentifiedBy(bool stream) {
    if (!stream || !cursor_.AcceptWords({"IDENTIFIED", "BY"})) {
      return std::nullopt;
    }
    if (!cursor_.AtString()) {
      return cursor_.ExpectName("the name of the source");
    }
    const Span span = cursor_.Peek().span;
    return Name{cursor_.ExpectString("the name of the source"), span, true};
  }

  TokenCursor& cursor_;
  const size_t begin_;
};

std::optional<JoinType> AcceptJoinType(TokenCursor& cursor) {
  if (cursor.AtWords({"ASOF", "JOIN"}) || cursor.AtWords({"LEFT", "ASOF", "JOIN"})) {
    RefuseHere(cursor, "ASOF JOIN", "join on the key and keep the last row with row_number()");
    return std::nullopt;
  }
  struct Spelling {
    std::initializer_list<const char*> words;
    JoinType type;
  };
  static const std::initializer_list<Spelling> kSpellings{
      {{"JOIN"}, JoinType::kInner},
      {{"INNER", "JOIN"}, JoinType::kInner},
      {{"CROSS", "JOIN"}, JoinType::kCross},
      {{"LEFT", "JOIN"}, JoinType::kLeft},
      {{"LEFT", "OUTER", "JOIN"}, JoinType::kLeft},
      {{"LEFT", "SEMI", "JOIN"}, JoinType::kLeftSemi},
      {{"SEMI", "JOIN"}, JoinType::kLeftSemi},
      {{"LEFT", "ANTI", "JOIN"}, JoinType::kLeftAnti},
      {{"ANTI", "JOIN"}, JoinType::kLeftAnti},
      {{"RIGHT", "JOIN"}, JoinType::kRight},
      {{"RIGHT", "OUTER", "JOIN"}, JoinType::kRight},
      {{"FULL", "JOIN"}, JoinType::kFull},
      {{"FULL", "OUTER", "JOIN"}, JoinType::kFull},
  };
  for (const Spelling& spelling : kSpellings) {
    if (cursor.AcceptWords(spelling.words)) {
      return spelling.type;
    }
  }
  return std::nullopt;
}

Relation ParseJoinOperand(TokenCursor& cursor) {
  const bool lateral =
      cursor.IsWord(0, "LATERAL") && !cursor.IsWord(1, "VIEW") && cursor.AcceptWord("LATERAL");
  Relation relation = ParseRelationPrimary(cursor);
  if (lateral) {
    if (auto* subquery = relation.As<SubqueryRelation>()) {
      subquery->lateral = true;
    } else if (auto* function = relation.As<TableFunction>()) {
      function->lateral = true;
    } else {
      cursor.FailHere("a subquery or table function after LATERAL");
    }
  }
  return relation;
}

void Wrap(TokenCursor& cursor, size_t begin, Relation* relation, Join join) {
  cursor.CountLink();
  join.left = std::move(*relation);
  *relation = MakeRelation(cursor, begin, std::move(join));
}

Relation ParseJoinedRelation(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  Relation relation = ParseJoinOperand(cursor);
  while (true) {
    if (auto join = ParseJoin(cursor)) {
      Wrap(cursor, begin, &relation, *std::move(join));
    } else if (cursor.AtWords({"LATERAL", "VIEW"}) || !ParseRelationExtension(cursor, &relation)) {
      return relation;
    }
  }
}

}  // namespace

void StripLivePrefix(TokenCursor& cursor, QualifiedName* name) {
  if (name->parts.size() > 1 && !name->parts[0].quoted &&
      EqualsIgnoreCase(name->parts[0].text, "LIVE")) {
    cursor.Warn(name->parts[0].span, "the LIVE. prefix is not needed any more");
    name->parts.erase(name->parts.begin());
  }
}

QualifiedName ExpectTableName(TokenCursor& cursor) {
  QualifiedName name = cursor.ExpectQualifiedName("the name of a table");
  StripLivePrefix(cursor, &name);
  return name;
}

Relation ParseRelationPrimary(TokenCursor& cursor) { return RelationParser(cursor).Parse(); }

std::optional<Join> ParseJoin(TokenCursor& cursor) {
  Join join;
  join.natural = cursor.AcceptWord("NATURAL");
  const auto type = AcceptJoinType(cursor);
  if (!type) {
    if (join.natural) {
      cursor.FailHere("JOIN");
    }
    return std::nullopt;
  }
  join.type = *type;
  join.right = ParseJoinOperand(cursor);
  if (cursor.AcceptWord("ON")) {
    join.on = ParseExpr(cursor);
  } else if (cursor.AcceptWord("USING")) {
    join.using_columns = ParseNameTuple(cursor, "a column");
  }
  return join;
}

Relation ParseFromList(TokenCursor& cursor) {
  TokenCursor::Nesting nesting(cursor);
  const size_t begin = cursor.position();
  Relation relation = ParseJoinedRelation(cursor);
  while (true) {
    if (cursor.AcceptSymbol(",")) {
      Join join;
      join.type = JoinType::kCross;
      join.right = ParseJoinedRelation(cursor);
      Wrap(cursor, begin, &relation, std::move(join));
    } else if (auto join = ParseJoin(cursor)) {
      Wrap(cursor, begin, &relation, *std::move(join));
    } else if (!ParseRelationExtension(cursor, &relation)) {
      return relation;
    }
  }
}

std::optional<TableAlias> ParseTableAlias(TokenCursor& cursor) {
  const bool as = cursor.AtWord("AS") && cursor.AtName(1);
  if (as) {
    cursor.Next();
  } else if (!AtImplicitAlias(cursor) || AtRelationClause(cursor)) {
    return std::nullopt;
  }
  TableAlias alias;
  alias.name = cursor.ExpectName("an alias");
  if (cursor.AtSymbol("(")) {
    alias.columns = ParseNameTuple(cursor, "a column");
  }
  return alias;
}

}  // namespace sluice::sql
