#include <utility>

#include "sql/parser/expression_parser_internal.h"
#include "sql/parser/literal_parser_internal.h"
#include "sql/parser/pipeline_parser_internal.h"
#include "sql/parser/query_parser_internal.h"

namespace sluice::sql {
namespace {

/// The clauses between the column list and AS.
class ClauseParser {
 public:
  ClauseParser(TokenCursor& cursor, DatasetOptions* options)
      : cursor_(cursor), options_(*options) {}

  void Parse() {
    do {
      begin_ = cursor_.position();
    } while (TextClause() || LayoutClause() || RefreshClause());
  }

 private:
  void Once(bool given, const char* clause) {
    CheckOnce(cursor_, given, cursor_.SpanSince(begin_), clause);
  }

  bool TextClause() {
    if (cursor_.AcceptWord("COMMENT")) {
      Once(options_.comment.has_value(), "COMMENT");
      options_.comment = cursor_.ExpectString("a comment");
    } else if (cursor_.AcceptWord("TBLPROPERTIES")) {
      Once(!options_.properties.empty(), "TBLPROPERTIES");
      options_.properties = ParseProperties(cursor_);
    } else if (cursor_.AcceptWord("OPTIONS")) {
      Once(!options_.options.empty(), "OPTIONS");
      options_.options = ParseProperties(cursor_);
    } else if (cursor_.AcceptWord("LOCATION")) {
      Once(options_.location.has_value(), "LOCATION");
      options_.location = cursor_.ExpectString("a path");
    } else if (cursor_.AcceptWords({"DEFAULT", "COLLATION"})) {
      Once(options_.collation.has_value(), "DEFAULT COLLATION");
      options_.collation = cursor_.ExpectQualifiedName("a collation");
    } else {
      return false;
    }
    return true;
  }

  bool LayoutClause() {
    if (cursor_.AcceptWord("USING")) {
      Once(options_.using_format.has_value(), "USING");
      options_.using_format = cursor_.ExpectQualifiedName("a format");
    } else if (cursor_.AcceptWords({"PARTITIONED", "BY"})) {
      Once(!options_.partitioned_by.empty(), "PARTITIONED BY");
      PartitionedBy();
    } else if (cursor_.AcceptWords({"CLUSTER", "BY"})) {
      Once(options_.clustering != DatasetOptions::Clustering::kUnset, "CLUSTER BY");
      ParseClusterBy(cursor_, &options_.clustering, &options_.cluster_by);
    } else if (cursor_.AtWords({"WITH", "ROW", "FILTER"})) {
      Once(options_.row_filter.has_value(), "ROW FILTER");
      cursor_.ExpectWords({"WITH", "ROW", "FILTER"});
      options_.row_filter = ParseRowFilter(cursor_);
    } else {
      return false;
    }
    return true;
  }

  // (a, b), (days(ts)), or with the columns' types: (a INT, b STRING), which adds them to the
  // table.
  void PartitionedBy() {
    const bool typed = cursor_.AtSymbol("(") && cursor_.AtName(1) && cursor_.AtName(2);
    if (!typed) {
      options_.partitioned_by = ParseExprTuple(cursor_);
      return;
    }
    cursor_.ExpectSymbol("(");
    do {
      ColumnDefinition column = ParseColumnDefinition(cursor_);
      const Span span = column.name.span;
      options_.partitioned_by.push_back({ColumnRef{{column.name}}, span});
      options_.columns.push_back(std::move(column));
    } while (cursor_.AcceptSymbol(","));
    cursor_.ExpectSymbol(")");
  }

  bool RefreshClause() {
    if (cursor_.AcceptWord("SCHEDULE")) {
      Once(options_.schedule.has_value(), "SCHEDULE");
      options_.schedule = ParseSchedule(cursor_);
      return true;
    }
    if (!cursor_.AcceptWords({"TRIGGER", "ON", "UPDATE"})) {
      return false;
    }
    Once(options_.trigger.has_value(), "TRIGGER ON UPDATE");
    options_.trigger = ParseTrigger(cursor_);
    return true;
  }

  TokenCursor& cursor_;
  DatasetOptions& options_;
  size_t begin_ = 0;
};

QualifiedName ExpectNewName(TokenCursor& cursor) {
  QualifiedName name = cursor.ExpectQualifiedName("the name of the table or view");
  StripLivePrefix(cursor, &name);
  return name;
}

/// WITH SCHEMA COMPENSATION, how every view finds its columns; Spark has other modes.
void AcceptSchemaMode(TokenCursor& cursor) {
  if (cursor.AcceptWords({"WITH", "SCHEMA", "COMPENSATION"})) {
    return;
  }
  for (const char* mode : {"BINDING", "EVOLUTION", "TYPE"}) {
    if (cursor.AtWords({"WITH", "SCHEMA", mode})) {
      cursor.Fail(cursor.Peek().span, "NOT_SUPPORTED_YET",
                  std::string("not supported yet: WITH SCHEMA ") + mode + " of a view",
                  "WITH SCHEMA COMPENSATION is what a view has anyway");
      return;
    }
  }
}

}  // namespace

void CheckOnce(TokenCursor& cursor, bool given, Span span, const char* clause) {
  if (given) {
    cursor.Fail(span, "DUPLICATE_CLAUSES", "found duplicate clauses: " + std::string(clause),
                "remove one of them");
  }
}

void ParseClusterBy(TokenCursor& cursor, DatasetOptions::Clustering* clustering,
                    std::vector<QualifiedName>* columns) {
  if (cursor.AcceptWord("AUTO")) {
    *clustering = DatasetOptions::Clustering::kAuto;
    return;
  }
  if (cursor.AcceptWord("NONE")) {
    *clustering = DatasetOptions::Clustering::kNone;
    return;
  }
  *clustering = DatasetOptions::Clustering::kColumns;
  cursor.ExpectSymbol("(");
  do {
    columns->push_back(cursor.ExpectQualifiedName("a column"));
  } while (cursor.AcceptSymbol(","));
  cursor.ExpectSymbol(")");
}

RowFilter ParseRowFilter(TokenCursor& cursor) {
  RowFilter filter;
  filter.function = cursor.ExpectQualifiedName("a function");
  cursor.ExpectWord("ON");
  if (cursor.AtSymbol("(") && cursor.AtSymbol(")", 1)) {
    cursor.Next();
    cursor.Next();
  } else {
    filter.arguments = ParseExprTuple(cursor);
  }
  return filter;
}

TriggerOnUpdate ParseTrigger(TokenCursor& cursor) {
  TriggerOnUpdate trigger;
  if (cursor.AcceptWords({"AT", "MOST", "EVERY"})) {
    trigger.at_most_every = ExpectInterval(cursor);
  }
  return trigger;
}

Schedule ParseSchedule(TokenCursor& cursor) {
  Schedule schedule;
  cursor.AcceptWord("REFRESH");
  if (cursor.AcceptWord("CRON")) {
    schedule.cron = cursor.ExpectString("a cron expression");
    if (cursor.AcceptWords({"AT", "TIME", "ZONE"})) {
      schedule.time_zone = cursor.ExpectString("a time zone");
    }
    return schedule;
  }
  cursor.ExpectWord("EVERY");
  schedule.every = cursor.ExpectInteger("a number");
  for (const char* unit : {"MINUTE", "HOUR", "DAY", "WEEK"}) {
    if (cursor.AcceptWord(unit)) {
      schedule.unit = unit;
      return schedule;
    }
  }
  schedule.unit = cursor.AcceptWord("MINUTES") ? "MINUTE"
                  : cursor.AcceptWord("HOURS") ? "HOUR"
                  : cursor.AcceptWord("DAYS")  ? "DAY"
                  : cursor.AcceptWord("WEEKS") ? "WEEK"
                                               : "";
  if (schedule.unit.empty()) {
    cursor.FailHere("MINUTE, HOUR, DAY or WEEK");
  }
  return schedule;
}

bool AcceptIfExists(TokenCursor& cursor) { return cursor.AcceptWords({"IF", "EXISTS"}); }

bool AcceptIfNotExists(TokenCursor& cursor) { return cursor.AcceptWords({"IF", "NOT", "EXISTS"}); }

void ParseDatasetClauses(TokenCursor& cursor, DatasetOptions* options) {
  ClauseParser(cursor, options).Parse();
}

CreateStreamingTable ParseStreamingTable(TokenCursor& cursor, const CreatePrefix& prefix) {
  CreateStreamingTable table;
  table.or_refresh = prefix.or_refresh;
  table.is_private = prefix.is_private || prefix.temporary;  // TEMPORARY is the older word
  table.if_not_exists = AcceptIfNotExists(cursor);
  table.name = ExpectNewName(cursor);
  ParseColumnList(cursor, &table.options);
  ParseDatasetClauses(cursor, &table.options);
  const size_t begin = cursor.position();
  if (cursor.AcceptWord("FLOW")) {
    table.flow = ParseInlineFlow(cursor);
  } else if (cursor.AcceptWord("AS") || AtQuery(cursor)) {
    InsertFlow insert;
    insert.query = ParseQueryAt(cursor);
    insert.span = cursor.SpanSince(begin);
    table.flow = std::move(insert);
  }
  return table;
}

CreateMaterializedView ParseMaterializedView(TokenCursor& cursor, const CreatePrefix& prefix) {
  CreateMaterializedView view;
  view.or_refresh = prefix.or_refresh;
  view.is_private = prefix.is_private || prefix.temporary;
  view.if_not_exists = AcceptIfNotExists(cursor);
  view.name = ExpectNewName(cursor);
  ParseColumnList(cursor, &view.options);
  ParseDatasetClauses(cursor, &view.options);
  if (!cursor.AcceptWord("AS") && !AtQuery(cursor)) {
    cursor.FailHere("AS and the query of the materialized view");
    return view;
  }
  view.query = ParseQueryAt(cursor);
  return view;
}

CreateView ParseView(TokenCursor& cursor, const CreatePrefix& prefix) {
  CreateView view;
  view.temporary = prefix.temporary;
  view.global = prefix.global;
  view.or_replace = prefix.or_replace || prefix.or_refresh;
  view.if_not_exists = AcceptIfNotExists(cursor);
  view.name = ExpectNewName(cursor);
  ParseColumnList(cursor, &view.options);
  ParseDatasetClauses(cursor, &view.options);
  AcceptSchemaMode(cursor);
  if (!cursor.AcceptWord("AS") && !AtQuery(cursor)) {
    cursor.FailHere("AS and the query of the view");
    return view;
  }
  view.query = ParseQueryAt(cursor);
  return view;
}

}  // namespace sluice::sql
