#include "query_answers.h"

#include <cmath>

#include "sql/execution/spark_json_for_test.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

using Json = nlohmann::ordered_json;

bool Same(const Json& a, const Json& b) {
  if (a.is_number() && b.is_number() && (a.is_number_float() || b.is_number_float())) {
    const double x = a.get<double>();
    const double y = b.get<double>();
    return x == y || std::abs(x - y) <= 1e-9 * std::max(std::abs(x), std::abs(y));
  }
  if (a.is_array() && b.is_array()) {
    if (a.size() != b.size()) return false;
    for (size_t i = 0; i < a.size(); ++i) {
      if (!Same(a[i], b[i])) return false;
    }
    return true;
  }
  if (!a.is_object() || !b.is_object()) return a == b;
  if (a.size() != b.size()) return false;
  auto other = b.begin();
  for (auto one = a.begin(); one != a.end(); ++one, ++other) {
    if (one.key() != other.key() || !Same(one.value(), other.value())) return false;
  }
  return true;
}

}  // namespace

Result<std::shared_ptr<arrow::Table>> QueryWorld::Run(const std::string& query) {
  SLUICE_ASSIGN_OR_RETURN(auto plan, relations_.Plan(query));
  return runner_->RunToTable(plan, relations_.Opener(), 1'700'000'000'000'000);
}

Status QueryWorld::AddTable(const std::string& name, const std::string& query) {
  SLUICE_ASSIGN_OR_RETURN(auto table, Run(query));
  relations_.Add(name, std::move(table));
  return Status::OK();
}

nlohmann::json QueryWorld::Answer(const std::string& query) {
  const SourceText source("query.sql", query);
  nlohmann::json answer;
  const auto parsed = ParseQuery(source);
  answer["ordered"] = parsed.ok() && !parsed->order_by.empty();
  auto table = Run(query);
  if (!table.ok()) {
    answer["error"] = ErrorCode(table.status());
    answer["message"] = table.status().message();
    return answer;
  }
  std::vector<std::string> columns;
  answer["names"] = nlohmann::json::array();
  answer["types"] = nlohmann::json::array();
  for (const auto& field : (*table)->schema()->fields()) {
    answer["names"].push_back(field->name());
    answer["types"].push_back(SparkTypeName(*field->type()));
    columns.push_back("c" + std::to_string(columns.size()));
  }
  answer["rows"] = nlohmann::json::array();
  for (const std::string& row :
       SparkJsonRows(**(*table)->RenameColumns(columns), JsonTimes::kMicros))
    answer["rows"].push_back(row);
  return answer;
}

bool SameRow(const std::string& left, const std::string& right) {
  return left == right || Same(Json::parse(left), Json::parse(right));
}

}  // namespace sluice::sql
