// Runs queries over a few tables made of queries, and says the answers in the form in which those
// of Spark are recorded (spark_answers.py). Tests only.
#pragma once

#include <memory>
#include <nlohmann/json.hpp>
#include <string>

#include "sql/execution/query_runner.h"
#include "sql/execution/relations_for_test.h"

namespace sluice::sql {

class QueryWorld {
 public:
  QueryWorld() : runner_(QueryRunner::Make()) {}

  /// A table of the rows of `query`, which may read the tables so far.
  Status AddTable(const std::string& name, const std::string& query);
  /// {"names", "types", "rows"} or {"error", "message"}; "ordered" when the query asks for an
  /// order.
  nlohmann::json Answer(const std::string& query);

 private:
  Result<std::shared_ptr<arrow::Table>> Run(const std::string& query);

  std::unique_ptr<QueryRunner> runner_;
  TestRelations relations_;
};

/// Whether two rows of JSON are equal, doubles to 1e-9 relative.
bool SameRow(const std::string& left, const std::string& right);

}  // namespace sluice::sql
