#include <utility>

#include "sql/parser/data_type_parser_internal.h"
#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

bool AtKeyWord(const TokenCursor& cursor, size_t ahead) {
  return (cursor.IsWord(ahead, "PRIMARY") && cursor.IsWord(ahead + 1, "KEY")) ||
         (cursor.IsWord(ahead, "FOREIGN") && cursor.IsWord(ahead + 1, "KEY")) ||
         (cursor.IsWord(ahead, "UNIQUE") &&
          (cursor.AtSymbol("(", ahead + 1) || cursor.AtSymbol(",", ahead + 1) ||
           cursor.AtSymbol(")", ahead + 1))) ||
         (cursor.IsWord(ahead, "CHECK") && cursor.AtSymbol("(", ahead + 1));
}

/// What follows the name of a column.
class ColumnParser {
 public:
  explicit ColumnParser(TokenCursor& cursor) : cursor_(cursor) {}

  void Parse(ColumnDefinition* column) {
    const bool untyped = cursor_.AtSymbol(",") || cursor_.AtSymbol(")") ||
                         cursor_.AtWord("COMMENT") || cursor_.AtWord("MASK");
    if (!untyped) {
      column->type = ExpectTypeName(cursor_);
    }
    while (ColumnOption(column)) {
    }
  }

 private:
  bool ColumnOption(ColumnDefinition* column) {
    if (cursor_.AcceptWords({"NOT", "NULL"})) {
      column->not_null = true;
    } else if (cursor_.AcceptWord("COMMENT")) {
      column->comment = cursor_.ExpectString("a comment");
    } else if (cursor_.AcceptWord("DEFAULT")) {
      column->default_value = ParseExpr(cursor_);
    } else if (cursor_.AcceptWord("GENERATED")) {
      Generated(column);
    } else if (cursor_.AcceptWord("MASK")) {
      Mask(column);
    } else if (AtKeyWord(cursor_, 0) || cursor_.AtWord("REFERENCES") ||
               (cursor_.AtWord("CONSTRAINT") && cursor_.AtName(1))) {
      column->constraints.push_back(ParseKeyConstraint(cursor_));
    } else {
      return false;
    }
    return true;
  }

  // GENERATED ALWAYS AS (e) | GENERATED {ALWAYS | BY DEFAULT} AS IDENTITY [(..)]
  void Generated(ColumnDefinition* column) {
    const bool by_default = cursor_.AcceptWords({"BY", "DEFAULT"});
    if (!by_default) {
      cursor_.ExpectWord("ALWAYS");
    }
    cursor_.ExpectWord("AS");
    if (!cursor_.AcceptWord("IDENTITY")) {
      cursor_.ExpectSymbol("(");
      column->generated_as = ParseExpr(cursor_);
      cursor_.ExpectSymbol(")");
      return;
    }
    column->identity = IdentityColumn{by_default, {}, {}};
    if (cursor_.AcceptSymbol("(")) {
      if (cursor_.AcceptWords({"START", "WITH"})) {
        column->identity->start = SignedInteger();
      }
      if (cursor_.AcceptWords({"INCREMENT", "BY"})) {
        column->identity->step = SignedInteger();
      }
      cursor_.ExpectSymbol(")");
    }
  }

  int64_t SignedInteger() {
    const bool negative = cursor_.AcceptSymbol("-");
    const int64_t value = cursor_.ExpectInteger("a number");
    return negative ? -value : value;
  }

  void Mask(ColumnDefinition* column) {
    column->mask = cursor_.ExpectQualifiedName("a function");
    if (cursor_.AcceptWords({"USING", "COLUMNS"})) {
      column->mask_using = ParseExprTuple(cursor_);
    }
  }

  TokenCursor& cursor_;
};

/// PRIMARY KEY, FOREIGN KEY, UNIQUE and CHECK.
class KeyParser {
 public:
  explicit KeyParser(TokenCursor& cursor) : cursor_(cursor) {}

  // [CONSTRAINT n] PRIMARY KEY [(a, b)] | [FOREIGN KEY (a)] REFERENCES t [(b)] | UNIQUE | CHECK (e)
  KeyConstraint Constraint() {
    const size_t begin = cursor_.position();
    KeyConstraint key;
    if (cursor_.AcceptWord("CONSTRAINT")) {
      key.name = cursor_.ExpectName("the name of the constraint");
    }
    if (cursor_.AcceptWord("CHECK")) {
      key.kind = KeyConstraint::Kind::kCheck;
      cursor_.ExpectSymbol("(");
      key.check = ParseExpr(cursor_);
      cursor_.ExpectSymbol(")");
    } else if (cursor_.AcceptWord("UNIQUE")) {
      key.kind = KeyConstraint::Kind::kUnique;
      key.columns = KeyColumns();
    } else if (cursor_.AcceptWords({"PRIMARY", "KEY"})) {
      key.columns = KeyColumns();
    } else {
      key.kind = KeyConstraint::Kind::kForeignKey;
      if (cursor_.AcceptWords({"FOREIGN", "KEY"})) {
        key.columns = KeyColumns();
      }
      cursor_.ExpectWord("REFERENCES");
      key.references = ExpectTableName(cursor_);
      key.referenced_columns = KeyColumns();
    }
    while (KeyOption()) {
    }
    key.span = cursor_.SpanSince(begin);
    return key;
  }

 private:
  std::vector<Name> KeyColumns() {
    std::vector<Name> columns;
    if (!cursor_.AcceptSymbol("(")) {
      return columns;
    }
    do {
      columns.push_back(cursor_.ExpectName("a column"));
      cursor_.AcceptWord("TIMESERIES");
    } while (cursor_.AcceptSymbol(","));
    cursor_.ExpectSymbol(")");
    return columns;
  }

  bool KeyOption() {
    return cursor_.AcceptWords({"NOT", "ENFORCED"}) || cursor_.AcceptWord("ENFORCED") ||
           cursor_.AcceptWord("DEFERRABLE") || cursor_.AcceptWords({"NOT", "DEFERRABLE"}) ||
           cursor_.AcceptWords({"INITIALLY", "DEFERRED"}) ||
           cursor_.AcceptWords({"INITIALLY", "IMMEDIATE"}) || cursor_.AcceptWord("NORELY") ||
           cursor_.AcceptWord("RELY") || cursor_.AcceptWords({"ENABLE", "NOVALIDATE"}) ||
           cursor_.AcceptWords({"MATCH", "FULL"}) ||
           cursor_.AcceptWords({"ON", "UPDATE", "NO", "ACTION"}) ||
           cursor_.AcceptWords({"ON", "DELETE", "NO", "ACTION"});
  }

  TokenCursor& cursor_;
};

class ColumnListParser {
 public:
  ColumnListParser(TokenCursor& cursor, DatasetOptions* options)
      : cursor_(cursor), options_(*options) {}

  void Parse() {
    cursor_.ExpectSymbol("(");
    do {
      Element();
    } while (cursor_.AcceptSymbol(","));
    cursor_.ExpectSymbol(")");
  }

 private:
  void Element() {
    if (cursor_.IsWord(0, "CONSTRAINT") && cursor_.IsWord(2, "EXPECT")) {
      options_.expectations.push_back(ExpectationElement());
      return;
    }
    if ((cursor_.IsWord(0, "CONSTRAINT") && AtKeyWord(cursor_, 2)) || AtKeyWord(cursor_, 0)) {
      options_.constraints.push_back(ParseKeyConstraint(cursor_));
      return;
    }
    const bool misspelt = cursor_.IsWord(0, "CONSTRAINT") && cursor_.AtName(1) &&
                          cursor_.AtName(2) && cursor_.AtSymbol("(", 3);
    if (misspelt) {
      cursor_.Next();
      cursor_.ExpectName("the name of the constraint");
      cursor_.ExpectWord("EXPECT");
      return;
    }
    options_.columns.push_back(ParseColumnDefinition(cursor_));
  }

  // CONSTRAINT name EXPECT (condition) [ON VIOLATION action]
  Expectation ExpectationElement() {
    const size_t begin = cursor_.position();
    Expectation expectation;
    cursor_.ExpectWord("CONSTRAINT");
    expectation.name = cursor_.ExpectName("the name of the constraint");
    cursor_.ExpectWord("EXPECT");
    expectation.condition = ParseExpr(cursor_);
    if (cursor_.AcceptWords({"ON", "VIOLATION"})) {
      Violation(&expectation);
    }
    expectation.span = cursor_.SpanSince(begin);
    return expectation;
  }

  void Violation(Expectation* expectation) {
    if (cursor_.AcceptWords({"DROP", "ROW"})) {
      expectation->action = ViolationAction::kDropRow;
    } else if (cursor_.AcceptWords({"FAIL", "UPDATE"})) {
      expectation->action = ViolationAction::kFailUpdate;
    } else if (cursor_.AcceptWord("QUARANTINE")) {
      expectation->action = ViolationAction::kQuarantine;
      if (cursor_.AcceptWord("INTO")) {
        expectation->quarantine_table = ExpectTableName(cursor_);
      }
    } else {
      cursor_.FailHere("DROP ROW, FAIL UPDATE or QUARANTINE");
    }
  }

  TokenCursor& cursor_;
  DatasetOptions& options_;
};

}  // namespace

ColumnDefinition ParseColumnDefinition(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  ColumnDefinition column;
  column.name = cursor.ExpectName("a column or CONSTRAINT");
  ParseColumnType(cursor, &column);
  column.span = cursor.SpanSince(begin);
  return column;
}

void ParseColumnType(TokenCursor& cursor, ColumnDefinition* column) {
  ColumnParser(cursor).Parse(column);
}

KeyConstraint ParseKeyConstraint(TokenCursor& cursor) { return KeyParser(cursor).Constraint(); }

void ParseColumnList(TokenCursor& cursor, DatasetOptions* options) {
  // CREATE VIEW v (SELECT ..) has no columns but a query.
  if (cursor.AtSymbol("(") && !HoldsQuery(cursor)) {
    ColumnListParser(cursor, options).Parse();
  }
}

}  // namespace sluice::sql
