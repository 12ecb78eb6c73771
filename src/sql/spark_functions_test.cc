// Runs the usage examples of Spark's functions with what Spark answered: each is equal here, or
// refused as not supported yet; never different. Prints how many of which.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>

#include "sql/analyzer.h"
#include "sql/cast.h"
#include "sql/data_type_parser.h"
#include "sql/parser.h"
#include "sql/query_runner.h"
#include "sql/spark_json_for_test.h"

namespace sluice::sql {
namespace {

class NoRelations : public RelationResolver {
 public:
  Result<std::optional<ResolvedRelation>> ResolveRelation(const std::vector<std::string>&,
                                                          bool) override {
    return std::optional<ResolvedRelation>();
  }
  Result<std::optional<ResolvedTableFunction>> ResolveTableFunction(
      const std::string&, const std::map<std::string, std::string>&, bool) override {
    return std::optional<ResolvedTableFunction>();
  }
};

struct Answer {
  std::vector<std::string> types;
  std::vector<std::string> rows;
};

Result<Answer> AnswerOf(QueryRunner* runner, const std::string& sql) {
  const SourceText source("", sql);
  SLUICE_ASSIGN_OR_RETURN(auto query, ParseQuery(source));
  NoRelations none;
  Analyzer analyzer(none, source);
  SLUICE_ASSIGN_OR_RETURN(auto plan, analyzer.AnalyzeQuery(query));
  auto no_scan =
      [](const LogicalPlan&, const std::vector<int>&,
         const std::vector<SimplePredicate>&) -> Result<std::shared_ptr<arrow::RecordBatchReader>> {
    return MakeError("TABLE_OR_VIEW_NOT_FOUND", "no tables here");
  };
  SLUICE_ASSIGN_OR_RETURN(auto table, runner->RunToTable(plan, no_scan, 1'700'000'000'000'000));
  Answer answer;
  for (const auto& field : table->schema()->fields())
    answer.types.push_back(SparkTypeName(*field->type()));
  answer.rows = SparkJsonRows(*table);
  return answer;
}

bool IsRefusal(const Status& status) {
  static const std::set<std::string> codes = {"NOT_SUPPORTED_YET", "UNSUPPORTED_FEATURE",
                                              "UNSUPPORTED_DATATYPE", "UNSUPPORTED_TYPED_LITERAL",
                                              "PARSE_SYNTAX_ERROR"};
  return codes.contains(ErrorCode(status));
}

// Recorded with spark.sql.parser.escapedStringLiterals=true, which the examples set first.
bool NeedsOtherLiterals(const std::string& sql) {
  return sql.find(R"(%SystemDrive%\Users\John' ilike '\%)") != std::string::npos ||
         sql.find(R"(%SystemDrive%\Users\John' like '\%)") != std::string::npos;
}

// Equal, doubles to 1e-9 relative.
bool Same(const nlohmann::ordered_json& a, const nlohmann::ordered_json& b) {
  if (!a.is_number_float() || !b.is_number_float()) return a == b;
  const double x = a.get<double>();
  const double y = b.get<double>();
  return x == y || std::abs(x - y) <= 1e-9 * std::abs(x);
}

// The values in order; names of columns are counted, not judged.
bool SameValues(const std::string& left, const std::string& right) {
  const auto a = nlohmann::ordered_json::parse(left);
  const auto b = nlohmann::ordered_json::parse(right);
  if (a.size() != b.size()) return false;
  auto other = b.begin();
  for (auto one = a.begin(); one != a.end(); ++one, ++other) {
    if (!Same(one.value(), other.value())) return false;
  }
  return true;
}

TEST(SparkFunctions, EqualOrRefused) {
  const char* path = std::getenv("SLUICE_SPARK_EXAMPLES");
  std::ifstream file(path == nullptr ? SLUICE_SHARED_DIR "/spark/function_examples.jsonl" : path);
  if (!file) GTEST_SKIP() << "shared/spark/function_examples.jsonl is not there";
  auto runner = QueryRunner::Make();
  std::map<std::string, int> counts;
  std::set<std::string> functions;
  std::string line;
  while (std::getline(file, line)) {
    const auto example = nlohmann::json::parse(line);
    const std::string sql = example.at("sql");
    if (NeedsOtherLiterals(sql)) continue;
    auto answer = AnswerOf(runner.get(), sql);
    if (!answer.ok()) {
      if (IsRefusal(answer.status())) {
        ++counts["refused"];
        if (std::getenv("SLUICE_SHOW_REFUSED") != nullptr)
          fmt::print("REFUSED {} :: {}\n", sql, answer.status().message().substr(0, 120));
      } else if (example.contains("error")) {
        ++counts["error in both"];
      } else {
        ++counts["DIFFERENT: error"];
        ADD_FAILURE() << sql << "\n  " << answer.status().ToString();
      }
      continue;
    }
    if (example.contains("error")) {
      ++counts["DIFFERENT: Spark fails"];
      ADD_FAILURE() << sql << "\n  Spark fails with " << example.at("error");
      continue;
    }
    const std::vector<std::string> types = example.at("columns");
    std::vector<std::string> rows = example.at("rows");
    if (sql.find("ORDER BY") == std::string::npos || sql.find("OVER") != std::string::npos) {
      std::sort(rows.begin(), rows.end());
      std::sort(answer->rows.begin(), answer->rows.end());
    }
    bool same = types == answer->types && rows.size() == answer->rows.size();
    bool same_names = rows == answer->rows;
    for (size_t i = 0; same && i < rows.size(); ++i) same = SameValues(rows[i], answer->rows[i]);
    if (!same) {
      ++counts["DIFFERENT"];
      ADD_FAILURE() << sql << "\n  Spark: "
                    << fmt::format("{} {}", fmt::join(types, ","), fmt::join(rows, " "))
                    << "\n  here:  "
                    << fmt::format("{} {}", fmt::join(answer->types, ","),
                                   fmt::join(answer->rows, " "));
      continue;
    }
    ++counts[same_names ? "equal" : "equal but for names"];
    if (!same_names && std::getenv("SLUICE_SHOW_NAMES") != nullptr)
      fmt::print("NAME {} :: {} :: {}\n", sql, rows.empty() ? "" : rows[0],
                 answer->rows.empty() ? "" : answer->rows[0]);
    functions.insert(example.at("function").get<std::string>());
  }
  for (const auto& [outcome, count] : counts) fmt::print("{}: {}\n", outcome, count);
  fmt::print("functions with an equal example: {}\n", functions.size());
}

}  // namespace
}  // namespace sluice::sql
