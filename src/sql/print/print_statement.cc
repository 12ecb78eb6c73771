#include <utility>

#include "sql/parser/interval_text.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

std::string PrintColumnChoice(const AutoCdc::ColumnList& list) {
  const std::string names = list.columns.empty() ? "" : "(" + PrintNames(list.columns) + ")";
  return list.all_except ? (names.empty() ? "*" : "* EXCEPT " + names) : names;
}

std::string PrintCdc(const AutoCdc& cdc) {
  std::string text = "FROM " + ToSql(*cdc.source) + " KEYS (" + PrintQualifiedNames(cdc.keys) + ")";
  text += cdc.ignore_null_updates ? " IGNORE NULL UPDATES" : "";
  text += cdc.delete_when ? " APPLY AS DELETE WHEN " + ToSql(*cdc.delete_when) : "";
  text += cdc.truncate_when ? " APPLY AS TRUNCATE WHEN " + ToSql(*cdc.truncate_when) : "";
  text += " SEQUENCE BY " + ToSql(*cdc.sequence_by);
  text += cdc.system_sequence_by ? " SYSTEM SEQUENCE BY " + ToSql(*cdc.system_sequence_by) : "";
  text += cdc.columns ? " COLUMNS " + PrintColumnChoice(*cdc.columns) : "";
  text += cdc.scd_type == AutoCdc::ScdType::kType1   ? " STORED AS SCD TYPE 1"
          : cdc.scd_type == AutoCdc::ScdType::kType2 ? " STORED AS SCD TYPE 2"
                                                     : " STORED AS BITEMPORAL";
  return cdc.track_history ? text + " TRACK HISTORY ON " + PrintColumnChoice(*cdc.track_history)
                           : text;
}

bool Replaces(const InsertFlow& insert) {
  return insert.replace_where || insert.replace_on || !insert.replace_using.empty();
}

/// What follows CREATE STREAMING TABLE t ..: a query or a flow.
std::string PrintInlineFlow(const FlowBody& body) {
  if (const auto* cdc = std::get_if<AutoCdc>(&body)) {
    return std::string(" FLOW AUTO CDC ") + (cdc->once ? "ONCE " : "") + PrintCdc(*cdc);
  }
  const auto& insert = std::get<InsertFlow>(body);
  if (!insert.once && !insert.by_name && !Replaces(insert)) {
    return " AS " + ToSql(*insert.query);
  }
  return std::string(" FLOW INSERT") + (insert.once ? " ONCE" : "") + PrintInsertRows(insert);
}

const char* RefreshWords(bool or_refresh, bool is_private) {
  if (or_refresh) {
    return is_private ? "CREATE OR REFRESH PRIVATE " : "CREATE OR REFRESH ";
  }
  return is_private ? "CREATE PRIVATE " : "CREATE ";
}

std::string ShowWords(const ShowStatement& show) {
  using Kind = ShowStatement::Kind;
  switch (show.kind) {
    case Kind::kTables: return "SHOW TABLES";
    case Kind::kSchemas: return "SHOW SCHEMAS";
    case Kind::kViews: return "SHOW VIEWS";
    case Kind::kColumns: return "SHOW COLUMNS";
    case Kind::kProperties: return "SHOW TBLPROPERTIES";
    case Kind::kPartitions: return "SHOW PARTITIONS";
    case Kind::kCatalogs: return "SHOW CATALOGS";
    case Kind::kCreateTable: return "SHOW CREATE TABLE";
    case Kind::kFunctions: break;
  }
  using Functions = ShowStatement::Functions;
  return show.functions == Functions::kUser     ? "SHOW USER FUNCTIONS"
         : show.functions == Functions::kSystem ? "SHOW SYSTEM FUNCTIONS"
                                                : "SHOW FUNCTIONS";
}

const char* IfNotExists(bool yes) { return yes ? "IF NOT EXISTS " : ""; }

struct StatementPrinter : TablePrinter {
  using TablePrinter::operator();

  std::string operator()(const CreateStreamingTable& table) const {
    return RefreshWords(table.or_refresh, table.is_private) + std::string("STREAMING TABLE ") +
           IfNotExists(table.if_not_exists) + table.name.ToString() + PrintOptions(table.options) +
           (table.flow ? PrintInlineFlow(*table.flow) : "");
  }

  std::string operator()(const CreateMaterializedView& view) const {
    return RefreshWords(view.or_refresh, view.is_private) + std::string("MATERIALIZED VIEW ") +
           IfNotExists(view.if_not_exists) + view.name.ToString() + PrintOptions(view.options) +
           " AS " + ToSql(*view.query);
  }

  std::string operator()(const CreateView& view) const {
    return std::string(view.or_replace ? "CREATE OR REPLACE " : "CREATE ") +
           (view.global ? "GLOBAL " : "") + (view.temporary ? "TEMPORARY VIEW " : "VIEW ") +
           IfNotExists(view.if_not_exists) + view.name.ToString() + PrintOptions(view.options) +
           " AS " + ToSql(*view.query);
  }

  std::string operator()(const CreateFlow& flow) const {
    const auto* cdc = std::get_if<AutoCdc>(&flow.body);
    const std::string prefix = "CREATE FLOW " + PrintName(flow.name) +
                               (flow.comment ? " COMMENT " + QuoteString(*flow.comment) : "") +
                               " AS ";
    if (cdc != nullptr) {
      return (flow.anonymous ? "" : prefix) + "AUTO CDC " + (cdc->once ? "ONCE INTO " : "INTO ") +
             flow.target.ToString() + " " + PrintCdc(*cdc);
    }
    const auto& insert = std::get<InsertFlow>(flow.body);
    return prefix + "INSERT " + (insert.once ? "ONCE " : "") +
           (insert.schema_evolution ? "WITH SCHEMA EVOLUTION " : "") +
           (insert.overwrite ? "OVERWRITE " : "INTO ") + flow.target.ToString() +
           (insert.columns.empty() ? "" : " (" + PrintNames(insert.columns) + ")") +
           PrintInsertRows(insert);
  }

  std::string operator()(const CreateSink& sink) const {
    return std::string("CREATE SINK ") + IfNotExists(sink.if_not_exists) + sink.name.ToString() +
           (sink.format.empty() ? "" : " USING " + QuoteIdentifier(sink.format)) +
           (sink.comment ? " COMMENT " + QuoteString(*sink.comment) : "") +
           (sink.options.empty() ? "" : " OPTIONS " + PrintProperties(sink.options)) +
           (sink.query ? " AS " + ToSql(*sink.query) : "");
  }

  std::string operator()(const SetConfiguration& set) const {
    return "SET " + set.key + (set.value ? " = " + *set.value : "");
  }

  std::string operator()(const ResetConfiguration& reset) const {
    return reset.key.empty() ? "RESET" : "RESET " + reset.key;
  }

  std::string operator()(const SetTimeZone& set) const {
    return "SET TIME ZONE " + (set.local    ? "LOCAL"
                               : set.offset ? "INTERVAL " + FormatInterval(*set.offset)
                                            : QuoteString(set.zone));
  }

  std::string operator()(const UseNamespace& use) const {
    return (use.catalog ? "SET CATALOG " : "USE SCHEMA ") + use.name.ToString();
  }

  std::string operator()(const QueryStatement& statement) const { return ToSql(*statement.query); }

  std::string operator()(const ShowStatement& show) const {
    using Kind = ShowStatement::Kind;
    std::string text = ShowWords(show);
    const bool of_table = show.kind == Kind::kProperties || show.kind == Kind::kPartitions ||
                          show.kind == Kind::kCreateTable;
    text += show.in ? (of_table ? " " : " IN ") + show.in->ToString() : "";
    text += show.in_schema ? " IN " + show.in_schema->ToString() : "";
    text += show.key ? " (" + QuoteString(*show.key) + ")" : "";
    text += PrintPartition(show.partition);
    return show.like ? text + " LIKE " + QuoteString(*show.like) : text;
  }

  std::string operator()(const DescribeStatement& describe) const {
    using Kind = DescribeStatement::Kind;
    if (describe.kind == Kind::kQuery) {
      return "DESCRIBE QUERY " + ToSql(*describe.query);
    }
    const char* word = describe.kind == Kind::kHistory    ? "HISTORY "
                       : describe.kind == Kind::kDetail   ? "DETAIL "
                       : describe.kind == Kind::kFunction ? "FUNCTION "
                       : describe.kind == Kind::kSchema   ? "SCHEMA "
                                                          : "TABLE ";
    return std::string("DESCRIBE ") + word + (describe.extended ? "EXTENDED " : "") +
           describe.name.ToString() + (describe.column ? " " + describe.column->ToString() : "") +
           (describe.limit ? " LIMIT " + std::to_string(*describe.limit) : "");
  }

  std::string operator()(const ExplainStatement& explain) const {
    return "EXPLAIN " + (explain.mode.empty() ? "" : explain.mode + " ") + ToSql(*explain.query);
  }

  std::string operator()(const UnsupportedStatement& statement) const { return statement.text; }
};

}  // namespace

std::string PrintInsertRows(const InsertFlow& insert) {
  std::string text = insert.by_name ? " BY NAME" : "";
  if (insert.replace_where) {
    text += " REPLACE WHERE " + ToSql(*insert.replace_where);
  } else if (insert.replace_on) {
    text += " REPLACE ON " + ToSql(*insert.replace_on);
  } else if (!insert.replace_using.empty()) {
    text += " REPLACE USING (" + PrintNames(insert.replace_using) + ")";
    text += insert.sequence_by ? " SEQUENCE BY " + ToSql(*insert.sequence_by) : "";
  }
  return text + " " + ToSql(*insert.query);
}

std::string ToSql(const Statement& statement) {
  return std::visit(StatementPrinter{}, statement.node);
}

}  // namespace sluice::sql
