// Runs the usage examples of Spark's functions with what Spark answered: each is equal here, or
// refused as not supported yet; never different. The run also writes docs/reference/functions.md
// (with SLUICE_WRITE_DOCS set) or checks that it is current.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <fstream>
#include <map>
#include <nlohmann/json.hpp>
#include <set>
#include <sstream>

#include "sql/execution/query_for_test.h"

namespace sluice::sql {
namespace {

// How many examples must be equal. Raised when more are; never lowered.
constexpr int kLeastEqual = 623;

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

enum class Outcome { kEqual, kSameError, kRefused, kDifferent };

struct Judged {
  Outcome outcome;
  std::string why;  // of a refusal or a difference
};

Judged Judge(const nlohmann::json& example, Result<QueryAnswer> answer) {
  const std::string sql = example.at("sql");
  const bool fails = example.contains("error");
  if (!answer.ok()) {
    if (fails && std::string(example.at("error")).starts_with(ErrorCode(answer.status())))
      return {Outcome::kSameError, ""};
    if (IsRefusal(answer.status())) return {Outcome::kRefused, answer.status().message()};
    if (fails) return {Outcome::kSameError, ""};
    return {Outcome::kDifferent, answer.status().ToString()};
  }
  if (fails) return {Outcome::kDifferent, "Spark fails with " + std::string(example.at("error"))};
  const std::vector<std::string> types = example.at("columns");
  std::vector<std::string> rows = example.at("rows");
  if (sql.find("ORDER BY") == std::string::npos || sql.find("OVER") != std::string::npos) {
    std::sort(rows.begin(), rows.end());
    std::sort(answer->rows.begin(), answer->rows.end());
  }
  bool same = types == answer->types && rows.size() == answer->rows.size();
  for (size_t i = 0; same && i < rows.size(); ++i) same = SameValues(rows[i], answer->rows[i]);
  if (same) return {Outcome::kEqual, ""};
  return {
      Outcome::kDifferent,
      fmt::format("\n  Spark: {} {}\n  here:  {} {}", fmt::join(types, ","), fmt::join(rows, " "),
                  fmt::join(answer->types, ","), fmt::join(answer->rows, " "))};
}

// What the run says about one function.
struct Line {
  int examples = 0;
  int equal = 0;
  std::set<std::string> missing;
};
using Groups = std::map<std::string, std::map<std::string, Line>>;

// "[NOT_SUPPORTED_YET] not supported yet: sliding windows. SQLSTATE .." -> "sliding windows".
std::string Missing(const std::string& message) {
  const std::string mark = "not supported yet: ";
  const size_t at = message.find(mark);
  std::string text = at == std::string::npos ? message : message.substr(at + mark.size());
  text = text.substr(0, std::min({text.find(". "), text.find('\n'), text.size()}));
  std::string out;
  for (const char c : text.substr(0, 80)) {
    if (c == '|') out += '\\';
    out += c;
  }
  return out;
}

std::string Page(const Groups& groups) {
  std::string page =
      "# Functions\n\n"
      "Spark's functions that Sluice has, as found by running the usage examples of Spark 4.2: an "
      "example is\nequal when it gives the same types and rows as Spark. What is missing is "
      "refused "
      "when a query is\nplanned, with `NOT_SUPPORTED_YET` and its name; no function answers "
      "differently. Written by\n`SLUICE_WRITE_DOCS=1 sql_spark_functions_test`, not by hand.\n";
  for (const auto& [group, functions] : groups) {
    page +=
        fmt::format("\n## {}\n\n| function | examples equal | not supported yet |\n|---|---|---|\n",
                    group.substr(0, group.find("_funcs")));
    for (const auto& [name, line] : functions) {
      page += fmt::format("| `{}` | {} of {} | {} |\n", name == "|" ? "\\|" : name, line.equal,
                          line.examples, fmt::join(line.missing, "; "));
    }
  }
  return page;
}

void CheckPage(const std::string& page) {
  const char* root = std::getenv("SLUICE_SOURCE_DIR");
  if (root == nullptr) return;
  const std::string path = std::string(root) + "/docs/reference/functions.md";
  if (std::getenv("SLUICE_WRITE_DOCS") != nullptr) std::ofstream(path) << page;
  std::ifstream file(path);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_EQ(text.str(), page) << path << " is not current: run this test with SLUICE_WRITE_DOCS=1";
}

TEST(SparkFunctions, EqualOrRefused) {
  const char* path = std::getenv("SLUICE_SPARK_EXAMPLES");
  std::ifstream file(path == nullptr ? SLUICE_SHARED_DIR "/spark/function_examples.jsonl" : path);
  if (!file) GTEST_SKIP() << "shared/spark/function_examples.jsonl is not there";
  auto runner = QueryRunner::Make();
  std::map<Outcome, int> counts;
  Groups groups;
  std::string line;
  while (std::getline(file, line)) {
    const auto example = nlohmann::json::parse(line);
    const std::string sql = example.at("sql");
    if (NeedsOtherLiterals(sql) || sql.starts_with("SET ")) continue;
    const Judged judged = Judge(example, AnswerOf(runner.get(), sql));
    ++counts[judged.outcome];
    Line& of = groups[example.at("group")][example.at("function")];
    ++of.examples;
    of.equal += judged.outcome == Outcome::kEqual || judged.outcome == Outcome::kSameError ? 1 : 0;
    if (judged.outcome == Outcome::kRefused) {
      of.missing.insert(Missing(judged.why));
      if (std::getenv("SLUICE_SHOW_REFUSED") != nullptr)
        fmt::print("REFUSED {} :: {}\n", sql, judged.why.substr(0, 120));
    }
    if (judged.outcome == Outcome::kDifferent) ADD_FAILURE() << sql << "\n  " << judged.why;
  }
  fmt::print("equal: {}\nsame error: {}\nrefused: {}\nDIFFERENT: {}\n", counts[Outcome::kEqual],
             counts[Outcome::kSameError], counts[Outcome::kRefused], counts[Outcome::kDifferent]);
  EXPECT_EQ(counts[Outcome::kDifferent], 0);
  EXPECT_GE(counts[Outcome::kEqual], kLeastEqual);
  CheckPage(Page(groups));
}

}  // namespace
}  // namespace sluice::sql
