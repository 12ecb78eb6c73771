// INSERT, UPDATE, DELETE, MERGE and TRUNCATE.
#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// Tokens from the parenthesis at `ahead` to behind the one that closes it.
size_t BehindTuple(const TokenCursor& cursor, size_t ahead) {
  int open = 0;
  for (; cursor.Peek(ahead).kind != TokenKind::kEnd; ++ahead) {
    open += cursor.AtSymbol("(", ahead) ? 1 : cursor.AtSymbol(")", ahead) ? -1 : 0;
    if (open == 0) {
      return ahead + 1;
    }
  }
  return ahead;
}

bool IsRowVerb(const TokenCursor& cursor, size_t ahead) {
  return cursor.IsWord(ahead, "INSERT") || cursor.IsWord(ahead, "MERGE") ||
         cursor.IsWord(ahead, "UPDATE") || cursor.IsWord(ahead, "DELETE");
}

/// Whether the WITH at the cursor belongs to one of these statements: common tables are stepped
/// over without being parsed.
bool AtWithOfRows(const TokenCursor& cursor) {
  if (!cursor.IsWord(0, "WITH")) {
    return false;
  }
  size_t ahead = cursor.IsWord(1, "RECURSIVE") ? 2 : 1;
  while (cursor.AtName(ahead)) {
    ++ahead;
    if (cursor.AtSymbol("(", ahead) && !AtQuery(cursor, ahead + 1)) {
      ahead = BehindTuple(cursor, ahead);
    }
    ahead += cursor.IsWord(ahead, "AS") ? 1 : 0;
    if (!cursor.AtSymbol("(", ahead)) {
      return false;
    }
    ahead = BehindTuple(cursor, ahead);
    if (!cursor.AtSymbol(",", ahead)) {
      return IsRowVerb(cursor, ahead);
    }
    ++ahead;
  }
  return false;
}

class RowStatementParser {
 public:
  explicit RowStatementParser(TokenCursor& cursor) : cursor_(cursor) {}

  std::optional<Statement::Node> Parse() {
    if (AtWithOfRows(cursor_)) {
      Query with;
      ParseWith(cursor_, &with);
      with_ = {with.recursive, std::move(with.with)};
    }
    const size_t begin = cursor_.position();
    if (cursor_.AtWord("INSERT") && !AtDirectory()) {
      cursor_.Next();
      return Insert(begin);
    }
    if (cursor_.AcceptWord("UPDATE")) {
      return Update();
    }
    if (cursor_.AcceptWord("DELETE")) {
      return Delete();
    }
    if (cursor_.AcceptWord("MERGE")) {
      return Merge();
    }
    if (cursor_.AcceptWords({"TRUNCATE", "TABLE"})) {
      TruncateTable truncate;
      truncate.name = ExpectTableName(cursor_);
      if (cursor_.AcceptWord("PARTITION")) {
        truncate.partition = ParsePartition(cursor_);
      }
      return truncate;
    }
    return std::nullopt;
  }

 private:
  // INSERT OVERWRITE [LOCAL] DIRECTORY writes files, not a table.
  bool AtDirectory() const {
    return cursor_.IsWord(1, "OVERWRITE") &&
           (cursor_.IsWord(2, "DIRECTORY") || cursor_.IsWord(2, "LOCAL")) && !cursor_.AtEnd();
  }

  InsertInto Insert(size_t begin) {
    InsertInto insert;
    insert.with = std::move(with_);
    insert.rows.schema_evolution = cursor_.AcceptWords({"WITH", "SCHEMA", "EVOLUTION"});
    insert.rows.overwrite = cursor_.AcceptWord("OVERWRITE");
    if (!insert.rows.overwrite) {
      cursor_.ExpectWord("INTO");
    } else {
      cursor_.AcceptWord("INTO");
    }
    if (cursor_.IsWord(0, "TABLE") && cursor_.AtName(1)) {
      cursor_.AcceptWord("TABLE");
    }
    insert.target = ExpectTableName(cursor_);
    if (cursor_.AtWord("AS") || (cursor_.AtName() && cursor_.IsWord(1, "REPLACE"))) {
      insert.alias = ParseTableAlias(cursor_);
    }
    if (cursor_.AcceptWord("PARTITION")) {
      insert.partition = ParsePartition(cursor_);
    }
    insert.if_not_exists = AcceptIfNotExists(cursor_);
    if (cursor_.AtSymbol("(") && !AtQuery(cursor_, 1)) {
      insert.rows.columns = ParseNameTuple(cursor_, "a column");
    }
    ParseInsertRows(cursor_, &insert.rows, begin);
    return insert;
  }

  std::vector<Assignment> Assignments() {
    std::vector<Assignment> assignments;
    do {
      const size_t begin = cursor_.position();
      Assignment assignment;
      assignment.column = cursor_.ExpectQualifiedName("a column");
      if (!cursor_.AcceptSymbol("==")) {
        cursor_.ExpectSymbol("=");
      }
      assignment.value = ParseExpr(cursor_);
      assignment.span = cursor_.SpanSince(begin);
      assignments.push_back(std::move(assignment));
    } while (cursor_.AcceptSymbol(","));
    return assignments;
  }

  UpdateTable Update() {
    UpdateTable update;
    update.with = std::move(with_);
    update.target = ExpectTableName(cursor_);
    update.alias = ParseTableAlias(cursor_);
    cursor_.ExpectWord("SET");
    update.assignments = Assignments();
    if (cursor_.AcceptWord("WHERE")) {
      update.where = ParseExpr(cursor_);
    }
    return update;
  }

  DeleteFrom Delete() {
    DeleteFrom remove;
    remove.with = std::move(with_);
    cursor_.ExpectWord("FROM");
    remove.target = ExpectTableName(cursor_);
    remove.alias = ParseTableAlias(cursor_);
    if (cursor_.AcceptWord("WHERE")) {
      remove.where = ParseExpr(cursor_);
    }
    return remove;
  }

  MergeInto Merge() {
    MergeInto merge;
    merge.with = std::move(with_);
    merge.schema_evolution = cursor_.AcceptWords({"WITH", "SCHEMA", "EVOLUTION"});
    cursor_.ExpectWord("INTO");
    merge.target = ExpectTableName(cursor_);
    merge.alias = ParseTableAlias(cursor_);
    cursor_.ExpectWord("USING");
    merge.source = ParseRelationPrimary(cursor_);
    cursor_.ExpectWord("ON");
    merge.on = ParseExpr(cursor_);
    while (cursor_.AtWord("WHEN")) {
      merge.clauses.push_back(Clause());
    }
    if (merge.clauses.empty() && !cursor_.failed()) {
      cursor_.FailHere("WHEN MATCHED or WHEN NOT MATCHED");
    }
    return merge;
  }

  MergeClause Clause() {
    using When = MergeClause::When;
    const size_t begin = cursor_.position();
    MergeClause clause;
    cursor_.ExpectWord("WHEN");
    const bool negated = cursor_.AcceptWord("NOT");
    cursor_.ExpectWord("MATCHED");
    if (negated) {
      clause.when = When::kNotMatched;
      if (cursor_.AcceptWords({"BY", "SOURCE"})) {
        clause.when = When::kNotMatchedBySource;
      } else {
        cursor_.AcceptWords({"BY", "TARGET"});
      }
    }
    if (cursor_.AcceptWord("AND")) {
      clause.condition = ParseExpr(cursor_);
    }
    cursor_.ExpectWord("THEN");
    ClauseAction(&clause);
    clause.span = cursor_.SpanSince(begin);
    return clause;
  }

  void ClauseAction(MergeClause* clause) {
    using Action = MergeClause::Action;
    if (clause->when == MergeClause::When::kNotMatched) {
      cursor_.ExpectWord("INSERT");
      clause->action = Action::kInsert;
      Insertion(clause);
    } else if (cursor_.AcceptWord("DELETE")) {
      clause->action = Action::kDelete;
    } else if (cursor_.AcceptWord("UPDATE")) {
      cursor_.ExpectWord("SET");
      if (clause->when == MergeClause::When::kMatched && cursor_.AcceptSymbol("*")) {
        clause->action = Action::kUpdateAll;
        return;
      }
      clause->action = Action::kUpdate;
      clause->assignments = Assignments();
    } else {
      cursor_.FailHere("UPDATE SET or DELETE");
    }
  }

  void Insertion(MergeClause* clause) {
    if (cursor_.AcceptSymbol("*")) {
      clause->action = MergeClause::Action::kInsertAll;
      return;
    }
    if (cursor_.AtSymbol("(")) {
      cursor_.ExpectSymbol("(");
      do {
        QualifiedName name = cursor_.ExpectQualifiedName("a column");
        clause->columns.push_back(name.parts.back());
      } while (cursor_.AcceptSymbol(","));
      cursor_.ExpectSymbol(")");
    }
    cursor_.ExpectWord("VALUES");
    clause->values = ParseExprTuple(cursor_);
  }

  TokenCursor& cursor_;
  WithClause with_;
};

}  // namespace

std::optional<Statement::Node> ParseRowStatement(TokenCursor& cursor) {
  return RowStatementParser(cursor).Parse();
}

std::vector<Expr> ParsePartition(TokenCursor& cursor) { return ParseExprTuple(cursor); }

}  // namespace sluice::sql
