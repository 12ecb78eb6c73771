#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

class PipeStepParser {
 public:
  explicit PipeStepParser(TokenCursor& cursor) : cursor_(cursor) {}

  PipeStep Parse() {
    const size_t begin = cursor_.position();
    cursor_.ExpectSymbol("|>");
    if (!ListStep() && !FilterStep() && !RelationStep()) {
      cursor_.FailHere("a step: SELECT, EXTEND, SET, DROP, AS, WHERE, AGGREGATE, JOIN, ..");
    }
    step_.span = cursor_.SpanSince(begin);
    return std::move(step_);
  }

 private:
  bool ListStep() {
    if (cursor_.AcceptWord("SELECT")) {
      step_.kind = PipeStep::Kind::kSelect;
      step_.distinct = cursor_.AcceptWord("DISTINCT");
      step_.items = ParseSelectItems(cursor_);
    } else if (cursor_.AcceptWord("EXTEND")) {
      step_.kind = PipeStep::Kind::kExtend;
      step_.items = ParseSelectItems(cursor_);
    } else if (cursor_.AcceptWord("SET")) {
      step_.kind = PipeStep::Kind::kSet;
      do {
        Assignment();
      } while (cursor_.AcceptSymbol(","));
    } else if (cursor_.AcceptWord("DROP")) {
      step_.kind = PipeStep::Kind::kDrop;
      step_.names = ParseNames(cursor_, "a column");
    } else if (cursor_.AcceptWord("AS")) {
      step_.kind = PipeStep::Kind::kAs;
      step_.names.push_back(cursor_.ExpectName("an alias"));
    } else {
      return false;
    }
    return true;
  }

  void Assignment() {
    const size_t begin = cursor_.position();
    SelectItem item;
    item.aliases.push_back(cursor_.ExpectName("a column"));
    cursor_.ExpectSymbol("=");
    item.expr = ParseExpr(cursor_);
    item.span = cursor_.SpanSince(begin);
    step_.items.push_back(std::move(item));
  }

  bool FilterStep() {
    if (cursor_.AcceptWord("WHERE")) {
      step_.kind = PipeStep::Kind::kWhere;
      step_.condition = ParseExpr(cursor_);
      return true;
    }
    if (cursor_.AcceptWord("AGGREGATE")) {
      step_.kind = PipeStep::Kind::kAggregate;
      if (!cursor_.AtWords({"GROUP", "BY"})) {
        step_.items = ParseSelectItems(cursor_);
      }
      if (cursor_.AcceptWords({"GROUP", "BY"})) {
        step_.group_by = ParseSelectItems(cursor_);
      }
      return true;
    }
    return false;
  }

  bool RelationStep() {
    const size_t begin = cursor_.position();
    if (auto operation = ParseSetOperator(cursor_)) {
      step_.kind = PipeStep::Kind::kSetOperation;
      operation->right = ParseQueryPrimary(cursor_);
      step_.operation = *std::move(operation);
      return true;
    }
    if (auto join = ParseJoin(cursor_)) {
      step_.kind = PipeStep::Kind::kJoin;
      step_.relation = Empty(*std::move(join));
      return true;
    }
    step_.kind = PipeStep::Kind::kRelation;
    Relation relation;
    if (auto sample = ParseTableSample(cursor_)) {
      relation = Empty(NestedRelation{});
      relation.sample = std::move(sample);
      step_.relation = std::move(relation);
      return true;
    }
    if (ParseRelationExtension(cursor_, &relation)) {
      ClearInput(&relation);
      step_.relation = std::move(relation);
      return true;
    }
    step_.kind = PipeStep::Kind::kOrganize;
    Query organize;
    organize.body = Values{};
    ParseQueryOrganization(cursor_, &organize, nullptr);
    step_.organize = std::move(organize);
    return cursor_.position() > begin;
  }

  static Relation Empty(Relation::Node node) {
    Relation relation;
    relation.node = std::move(node);
    return relation;
  }

  static void ClearInput(Relation* relation) {
    if (auto* pivot = relation->As<Pivot>()) {
      pivot->input = {};
    } else if (auto* unpivot = relation->As<Unpivot>()) {
      unpivot->input = {};
    } else if (auto* view = relation->As<LateralView>()) {
      view->input = {};
    }
  }

  TokenCursor& cursor_;
  PipeStep step_;
};

}  // namespace

Query ParsePipeSteps(TokenCursor& cursor, Query input, size_t begin) {
  PipeQuery pipe;
  pipe.input = std::move(input);
  while (cursor.AtSymbol("|>")) {
    cursor.CountLink();
    pipe.steps.push_back(PipeStepParser(cursor).Parse());
  }
  Query query;
  query.body = std::move(pipe);
  query.span = cursor.SpanSince(begin);
  return query;
}

}  // namespace sluice::sql
