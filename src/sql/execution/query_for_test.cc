#include "sql/execution/query_for_test.h"

#include "sql/execution/relations_for_test.h"
#include "sql/execution/spark_json_for_test.h"
#include "sql/expressions/cast.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

Result<std::shared_ptr<arrow::Table>> Run(QueryRunner* runner, const std::string& sql) {
  TestRelations none;
  SLUICE_ASSIGN_OR_RETURN(auto plan, none.Plan(sql));
  return runner->RunToTable(plan, none.Opener(), 1'700'000'000'000'000);
}

}  // namespace

Result<QueryAnswer> AnswerOf(QueryRunner* runner, const std::string& sql) {
  SLUICE_ASSIGN_OR_RETURN(auto table, Run(runner, sql));
  QueryAnswer answer;
  for (const auto& field : table->schema()->fields())
    answer.types.push_back(SparkTypeName(*field->type()));
  answer.rows = SparkJsonRows(*table);
  return answer;
}

std::string ValuesOf(QueryRunner* runner, const std::string& sql) {
  auto table = Run(runner, sql);
  if (!table.ok()) return ErrorCode(table.status());
  const auto batch = (*table)->CombineChunksToBatch();
  std::string text;
  for (int64_t row = 0; row < (*table)->num_rows(); ++row) {
    for (int c = 0; c < (*table)->num_columns(); ++c) {
      text += c > 0 ? "|" : row > 0 ? "," : "";
      const auto& column = *(*batch)->column(c);
      if (column.IsNull(row)) {
        text += "NULL";
      } else {
        AppendText(column, row, &text);
      }
    }
  }
  return text;
}

}  // namespace sluice::sql
