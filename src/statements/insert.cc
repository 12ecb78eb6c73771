// INSERT INTO, INSERT OVERWRITE, INSERT .. REPLACE WHERE, USING, ON.
#include <arrow/api.h>

#include "delta/commands/write_rows.h"
#include "plan/variant_columns.h"
#include "sql/functions/evaluator.h"
#include "sql/print/print.h"
#include "statements/insert_columns.h"
#include "statements/row_query.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

constexpr char kNewRows[] = "new rows of the statement";
constexpr char kOldRows[] = "rows that are replaced";

sql::Expr ColumnOf(const std::string& relation, const sql::Name& column) {
  sql::Expr expr;
  expr.node = sql::ColumnRef{{sql::Name{relation, column.span, true}, column}};
  expr.span = column.span;
  return expr;
}

/// One INSERT from its query to its commit.
class Insert {
 public:
  Insert(Job& job, const sql::InsertInto& insert, std::shared_ptr<delta::Table> table)
      : job_(job), insert_(insert), table_(std::move(table)), snapshot_(table_->Current()) {}

  Result<RowReader> Run() {
    SLUICE_ASSIGN_OR_RETURN(partitions_, StaticPartitions(job_, insert_, *snapshot_));
    SLUICE_ASSIGN_OR_RETURN(const auto plan,
                            PlanInsertedRows(job_, insert_, *snapshot_, partitions_));
    SLUICE_ASSIGN_OR_RETURN(rows_, RunPlan(job_.context, plan, job_.clock.NowMicros()));
    request_.reads_table = Reads(*plan, *table_, job_.context.spec);
    request_.merge_schema = insert_.rows.schema_evolution;
    SLUICE_RETURN_NOT_OK(ChooseWhatGoes());
    rows_ = plan::TableRows(rows_);
    request_.rows = rows_.get();
    SLUICE_ASSIGN_OR_RETURN(const delta::WriteReport report,
                            delta::WriteRows(*table_, request_, job_.WriteOptions()));
    const int64_t inserted = Metric(report, "numOutputRows") - Metric(report, "numCopiedRows");
    return Counts({{"num_affected_rows", inserted}, {"num_inserted_rows", inserted}});
  }

 private:
  std::string Qualifier() const { return QualifierOf(insert_.target, insert_.alias); }

  /// The rows of the table that the new ones take the place of.
  Status ChooseWhatGoes() {
    const sql::InsertFlow& rows = insert_.rows;
    if (rows.replace_where) {
      request_.mode = delta::WriteMode::kReplaceWhere;
      SLUICE_ASSIGN_OR_RETURN(
          request_.replace_where,
          ConditionOver(job_, rows.replace_where.get(), snapshot_->schema(), Qualifier()));
    } else if (!rows.replace_using.empty()) {
      return ReplaceMatching(kOldRows, Using(), kNewRows);
    } else if (rows.replace_on) {
      return ReplaceMatching(Qualifier(), *rows.replace_on, SourceName());
    } else if (rows.overwrite) {
      return Overwrite();
    }
    return Status::OK();
  }

  Status Overwrite() {
    const bool dynamic = job_.Setting("spark.sql.sources.partitionOverwriteMode") == "dynamic";
    request_.mode = dynamic ? delta::WriteMode::kDynamicPartitions : delta::WriteMode::kOverwrite;
    if (dynamic || partitions_.empty()) return Status::OK();
    request_.mode = delta::WriteMode::kReplaceWhere;
    std::vector<sql::BoundPtr> conjuncts;
    const auto schema = snapshot_->schema();
    for (const StaticPartition& partition : partitions_) {
      const int index = schema->GetFieldIndex(partition.field->name());
      SLUICE_ASSIGN_OR_RETURN(const auto value, sql::Evaluator::EvaluateConstant(
                                                    partition.value, job_.clock.NowMicros()));
      const auto column = sql::MakeColumn(index, *partition.field);
      conjuncts.push_back(
          value->is_valid
              ? sql::MakeCall("=", {column, sql::MakeLiteral(value)}, arrow::boolean(), true)
              : sql::MakeCall("isnull", {column}, arrow::boolean(), false));
    }
    SLUICE_ASSIGN_OR_RETURN(
        request_.replace_where,
        plan::RowConditionOf(sql::JoinConjuncts(conjuncts), schema, job_.clock));
    for (const sql::Expr& one : insert_.partition) {
      if (one.As<sql::Binary>() == nullptr) continue;
      std::string& text = request_.replace_where.text;
      text += (text.empty() ? "" : " AND ") + sql::ToSql(one);
    }
    return Status::OK();
  }

  /// a = a AND b = b, of the rows there are and the new ones.
  sql::Expr Using() const {
    sql::Expr all;
    for (const sql::Name& column : insert_.rows.replace_using) {
      sql::Expr equal;
      equal.node =
          sql::Binary{sql::BinaryOp::kEq, ColumnOf(kOldRows, column), ColumnOf(kNewRows, column)};
      equal.span = column.span;
      if (&column == &insert_.rows.replace_using.front()) {
        all = std::move(equal);
      } else {
        sql::Expr both;
        both.span = column.span;
        both.node = sql::Binary{sql::BinaryOp::kAnd, std::move(all), std::move(equal)};
        all = std::move(both);
      }
    }
    return all;
  }

  /// What REPLACE ON names the rows of the query by: the relation they come from.
  std::string SourceName() const {
    const sql::Query* query = insert_.rows.query.get();
    while (const auto* nested = std::get_if<sql::NestedQuery>(&query->body))
      query = nested->query.get();
    if (const auto* table = std::get_if<sql::TableQuery>(&query->body)) return table->name.last();
    const auto* select = std::get_if<sql::Select>(&query->body);
    if (select == nullptr || !select->from) return kNewRows;
    if (select->from->alias.has_value()) return select->from->alias->name.text;
    const auto* table = select->from->As<sql::TableRef>();
    return table == nullptr ? kNewRows : table->name.last();
  }

  /// EXISTS (SELECT * FROM the new rows AS source WHERE on), once for all rows there are.
  Status ReplaceMatching(const std::string& target, const sql::Expr& on,
                         const std::string& source) {
    SLUICE_ASSIGN_OR_RETURN(const auto table, rows_->ToTable());
    rows_ = std::make_shared<arrow::TableBatchReader>(table);
    sql::Expr star;
    star.node = sql::Star();
    star.span = on.span;
    sql::SelectItem item;
    item.expr = std::move(star);
    sql::Relation from;
    sql::TableRef rows;
    rows.name = {{sql::Name{kNewRows, on.span, true}}, on.span};
    from.node = std::move(rows);
    from.alias = sql::TableAlias{sql::Name{source, on.span, true}, {}};
    sql::Select select;
    select.items.push_back(std::move(item));
    select.from = std::move(from);
    select.where = on;
    sql::Query query;
    query.body = std::move(select);
    query.span = on.span;
    sql::Expr exists;
    exists.node = sql::Exists{std::move(query)};
    exists.span = on.span;
    request_.mode = delta::WriteMode::kReplaceWhere;
    request_.rows_anywhere = true;
    SLUICE_ASSIGN_OR_RETURN(request_.replace_where, SubqueryCondition(job_, {}, exists, *table_,
                                                                      target, {{kNewRows, table}}));
    request_.replace_where.text = sql::ToSql(on);
    return Status::OK();
  }

  Job& job_;
  const sql::InsertInto& insert_;
  const std::shared_ptr<delta::Table> table_;
  const std::shared_ptr<const delta::Snapshot> snapshot_;
  std::vector<StaticPartition> partitions_;
  RowReader rows_;
  delta::WriteRequest request_;
};

}  // namespace

Result<RowReader> RunInsert(Job& job, const sql::InsertInto& insert, sql::Span span) {
  if (insert.rows.sequence_by) return job.NotSupported(span, "SEQUENCE BY");
  if (insert.if_not_exists) return job.NotSupported(span, "IF NOT EXISTS of INSERT OVERWRITE");
  SLUICE_ASSIGN_OR_RETURN(auto table, OpenTable(job.context, job.file, insert.target));
  return Insert(job, insert, std::move(table)).Run();
}

}  // namespace sluice::statements
