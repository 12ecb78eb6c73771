// Runs queries without tables for tests and shows their answers as Spark's JSON rows.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/execution/query_runner.h"

namespace sluice::sql {

struct QueryAnswer {
  std::vector<std::string> types;  // of the columns, Spark's names
  std::vector<std::string> rows;   // one JSON object each
};

Result<QueryAnswer> AnswerOf(QueryRunner* runner, const std::string& sql);
/// The values of all rows without the columns' names: "1|a,2|NULL"; of an error its code.
std::string ValuesOf(QueryRunner* runner, const std::string& sql);

}  // namespace sluice::sql
