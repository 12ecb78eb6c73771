// Runs the queries of queries/*.sql and holds the answers against those that Spark gave
// (answers/*.jsonl, written by capture.py): the same names, types and rows, or the same class of
// error. What is not supported is refused by name, and the number of refusals of a file never
// grows.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <functional>

#include "query_answers.h"

namespace sluice::sql {
namespace {

// The class without its subclass.
std::string MainClass(const std::string& error) { return error.substr(0, error.find('.')); }

bool SameRows(std::vector<std::string> left, std::vector<std::string> right, bool ordered) {
  if (left.size() != right.size()) return false;
  if (ordered) return std::equal(left.begin(), left.end(), right.begin(), SameRow);
  std::vector<bool> used(right.size());
  for (const std::string& row : left) {
    size_t at = 0;
    while (at < right.size() && (used[at] || !SameRow(row, right[at]))) ++at;
    if (at == right.size()) return false;
    used[at] = true;
  }
  return true;
}

struct File {
  const char* name;
  int refused;      // as many as there may be
  int other_names;  // of columns, likewise
};

class QueryAnswers : public ::testing::TestWithParam<File> {};

TEST_P(QueryAnswers, AreSparks) {
  const char* root = std::getenv("SLUICE_SOURCE_DIR");
  ASSERT_NE(root, nullptr);
  std::ifstream file(fmt::format("{}/tests/sql/answers/{}.jsonl", root, GetParam().name));
  ASSERT_TRUE(file.good());
  QueryWorld world;
  int asked = 0;
  int refused = 0;
  int other_names = 0;
  std::string line;
  while (std::getline(file, line)) {
    const auto spark = nlohmann::json::parse(line);
    if (!spark.contains("sql")) continue;
    const std::string sql = spark.at("sql");
    if (spark.contains("table")) {
      const auto status = world.AddTable(spark.at("table"), sql);
      ASSERT_TRUE(status.ok()) << status.ToString();
      continue;
    }
    ++asked;
    const auto ours = world.Answer(sql);
    if (ours.value("error", "") == "NOT_SUPPORTED_YET") {
      ++refused;
      if (std::getenv("SLUICE_SHOW_REFUSED") != nullptr)
        fmt::print("REFUSED {} :: {}\n", sql, std::string(ours.at("message")).substr(0, 120));
      continue;
    }
    if (spark.contains("error")) {
      const std::string wanted = MainClass(spark.at("error"));
      // Subqueries that Spark does not compute, and we do.
      if (!ours.contains("error") &&
          (wanted == "UNSUPPORTED_SUBQUERY_EXPRESSION_CATEGORY" ||
           wanted == "SCALAR_SUBQUERY_IS_IN_GROUP_BY_OR_AGGREGATE_FUNCTION"))
        continue;
      // Errors of Spark that have no class of their own yet.
      const bool unnamed = wanted.starts_with("_LEGACY_ERROR") || wanted.starts_with("?");
      const std::string error = MainClass(ours.value("error", "an answer"));
      EXPECT_EQ(error, unnamed && ours.contains("error") ? error : wanted) << sql << "\n"
                                                                           << ours.dump();
      continue;
    }
    EXPECT_FALSE(ours.contains("error")) << sql << "\n" << ours.dump();
    if (ours.contains("error")) continue;
    EXPECT_EQ(ours.at("types"), spark.at("types")) << sql;
    if (ours.at("names") != spark.at("names")) {
      ++other_names;
      if (std::getenv("SLUICE_SHOW_REFUSED") != nullptr)
        fmt::print("NAMES {}\n  {}\n", ours.at("names").dump(), spark.at("names").dump());
    }
    EXPECT_TRUE(SameRows(ours.at("rows"), spark.at("rows"), ours.at("ordered")))
        << sql << "\n  Spark: " << spark.at("rows").dump()
        << "\n  here:  " << ours.at("rows").dump();
  }
  fmt::print("{}: {} queries, {} refused, {} with other names\n", GetParam().name, asked, refused,
             other_names);
  EXPECT_GT(asked, 0);
  EXPECT_LE(refused, GetParam().refused);
  EXPECT_LE(other_names, GetParam().other_names);
}

INSTANTIATE_TEST_SUITE_P(Files, QueryAnswers,
                         ::testing::Values(File{"grouping", 0, 0}, File{"joins", 0, 4},
                                           File{"lateral", 2, 1}, File{"ordering", 0, 0},
                                           File{"pivot", 0, 0}, File{"random", 0, 31},
                                           File{"recursive", 0, 0}, File{"sets", 2, 1},
                                           File{"subqueries", 0, 0}, File{"tpch", 0, 0},
                                           File{"windows", 1, 11}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sluice::sql
