// Runs the scripts statements/*.sql and holds each answer against that of Spark with Delta
// (statements/*.jsonl, written by capture_statements.py): the same rows, numbers of affected rows
// and history, or the same class of error.
#include <arrow/api.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <set>

#include "plan/json_decoding.h"
#include "query_answers.h"
#include "sql/execution/spark_json_for_test.h"
#include "statements/session.h"
#include "statements/table_statements.h"
#include "storage/local_storage.h"

namespace sluice::statements {
namespace {

using Json = nlohmann::json;

/// Classes of ours that stand for another one of Spark's, each for a reason.
struct OtherClass {
  const char* spark;
  const char* ours;
};
constexpr OtherClass kOtherClasses[] = {
    // Delta compares schemas before it looks at the statement; the statement says more.
    {"DELTA_METADATA_MISMATCH", "INSERT_COLUMN_ARITY_MISMATCH"},
    {"DELTA_METADATA_MISMATCH", "INCOMPATIBLE_DATA_FOR_TABLE"},
    {"DELTA_METADATA_MISMATCH", "DATATYPE_MISMATCH"},
    {"DELTA_INSERT_COLUMN_ARITY_MISMATCH", "INSERT_COLUMN_ARITY_MISMATCH"},
    {"DELTA_INSERT_COLUMN_ARITY_MISMATCH", "INSERT_PARTITION_COLUMN_ARITY_MISMATCH"},
    {"DELTA_INSERT_COLUMN_MISMATCH", "DELTA_NOT_NULL_VIOLATION"},
    {"DELTA_NOT_NULL_CONSTRAINT_VIOLATED", "DELTA_NOT_NULL_VIOLATION"},
    {"DELTA_DUPLICATE_COLUMNS_FOUND", "AMBIGUOUS_COLUMN_REFERENCE"},
    {"DELTA_CANNOT_MODIFY_APPEND_ONLY", "DELTA_APPEND_ONLY"},
    // The cause, not the task it ended.
    {"TASK_WRITE_FAILED", "DIVIDE_BY_ZERO"},
    {"UNSUPPORTED_TABLE_CHANGE", "DELTA_INVALID_PROPERTY"},
    {"DELTA_OPERATION_NOT_ALLOWED", "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"},
    // Spark asks first whether the types convert at all.
    {"NOT_SUPPORTED_CHANGE_COLUMN", "DELTA_UNSUPPORTED_ALTER_TABLE_CHANGE_COL_OP"},
    {"DELTA_CONSTRAINT_DEPENDENT_COLUMN_CHANGE", "DELTA_DEPENDENT_COLUMN_CHANGE"},
    // What Delta's commands make of the plan of a view; other statements say what is wrong.
    {"DELTA_UNSUPPORTED_SOURCE", "EXPECT_TABLE_NOT_VIEW"},
    {"DELTA_CANNOT_WRITE_INTO_VIEW", "TABLE_OR_VIEW_ALREADY_EXISTS"},
};

std::string MainClass(const std::string& error) { return error.substr(0, error.find('.')); }

bool SameClass(const std::string& spark, const std::string& ours) {
  const std::string wanted = MainClass(spark);
  const std::string given = MainClass(ours);
  // Some of Spark's errors have no class, or say that Spark is at fault.
  const bool unnamed =
      wanted.starts_with("_LEGACY_ERROR") || wanted.starts_with("?") || wanted == "INTERNAL_ERROR";
  return unnamed || wanted == given ||
         std::any_of(std::begin(kOtherClasses), std::end(kOtherClasses), [&](const auto& other) {
           return wanted == other.spark && given == other.ours;
         });
}

class Warehouse {
 public:
  explicit Warehouse(const std::string& name)
      : root_(std::filesystem::temp_directory_path() /
              fmt::format("statement_answers_{}_{}", name, ::getpid())) {
    std::filesystem::remove_all(root_);
    spec_.engine.warehouse = root_.string();
    spec_.catalog = "spark_catalog";
    spec_.database = "default";
    session_ = std::make_unique<Session>(spec_);
    sql::QueryRunnerOptions options;
    options.native_functions = plan::JsonFunctions();
    runner_ = sql::QueryRunner::Make(options);
  }
  ~Warehouse() { std::filesystem::remove_all(root_); }

  Result<std::shared_ptr<arrow::Table>> Run(const std::string& text) {
    SLUICE_ASSIGN_OR_RETURN(
        const sql::ParsedFile file,
        sql::ParseStatements(std::make_shared<const sql::SourceText>("script.sql", text)));
    const sql::Statement& statement = file.statements.at(0);
    const StatementContext context{session_->spec(), storage_, tables_,  *runner_,
                                   SystemClock(),    random_,  *session_};
    if (const auto* query = statement.As<sql::QueryStatement>()) {
      SLUICE_ASSIGN_OR_RETURN(const auto plan, AnalyzeAdHoc(context, file, *query->query));
      SLUICE_ASSIGN_OR_RETURN(const auto rows, RunPlan(context, plan));
      return rows->ToTable();
    }
    SLUICE_ASSIGN_OR_RETURN(const auto rows, RunTableStatement(context, file, statement));
    if (!rows.has_value()) return MakeError("NOT_SUPPORTED_YET", "not about tables");
    return (*rows)->ToTable();
  }

 private:
  std::filesystem::path root_;
  storage::LocalStorage storage_{storage::LocalStorage::Options{false}};
  plan::ProjectSpec spec_;
  delta::TableRegistry tables_{storage_, SystemClock(), 7};
  std::unique_ptr<sql::QueryRunner> runner_;
  Random random_{11};
  std::unique_ptr<Session> session_;
};

std::vector<std::string> RowsOf(const arrow::Table& table) {
  std::vector<std::string> columns;
  for (int i = 0; i < table.num_columns(); ++i) columns.push_back("c" + std::to_string(i));
  const auto renamed = table.RenameColumns(columns).ValueOrDie();
  return sql::SparkJsonRows(*renamed, sql::JsonTimes::kMicros);
}

/// Rows of DESCRIBE that say where something lies, when it was made and by whom.
bool DependsOnPlace(const std::string& row) {
  static const std::set<std::string> kPlaces = {"Location", "Owner", "Created Time", "Last Access",
                                                "Created By"};
  const Json json = Json::parse(row);
  return json.contains("c0") && json["c0"].is_string() && kPlaces.contains(json["c0"]);
}

/// The numbers of files and rows; not the sizes, which depend on who wrote the files.
Json NumbersOf(const std::vector<std::string>& names, const std::string& row) {
  const Json values = Json::parse(row);
  Json numbers;
  for (size_t i = 0; i < names.size(); ++i) {
    if (names[i].find("num_") != std::string::npos)
      numbers[names[i]] = values.at("c" + std::to_string(i));
  }
  return numbers;
}

/// A text of JSON with the keys of its objects in order.
std::string InOrder(const std::string& text) {
  const Json parsed = Json::parse(text, nullptr, false);
  return parsed.is_structured() ? parsed.dump() : text;
}

/// Of a map of texts the entries that `wanted` has, too.
Json Chosen(const arrow::Scalar& map, const Json& wanted) {
  Json chosen = Json::object();
  if (!map.is_valid) return chosen;
  const auto& entries =
      static_cast<const arrow::StructArray&>(*static_cast<const arrow::MapScalar&>(map).value);
  for (int64_t i = 0; i < entries.length(); ++i) {
    const std::string key = entries.field(0)->GetScalar(i).ValueOrDie()->ToString();
    if (wanted.contains(key))
      chosen[key] = InOrder(entries.field(1)->GetScalar(i).ValueOrDie()->ToString());
  }
  return chosen;
}

/// As `history` of capture_statements.py: oldest version first.
Json HistoryOf(const arrow::Table& table, const Json& spark) {
  Json history = Json::array();
  for (int64_t row = table.num_rows() - 1; row >= 0; --row) {
    const auto at = [&](const char* column) {
      return table.GetColumnByName(column)->GetScalar(row).ValueOrDie();
    };
    const bool known = history.size() < spark.size();
    const Json metrics = known ? spark[history.size()][3] : Json::object();
    const Json parameters = known ? spark[history.size()][4] : Json::object();
    const auto blind = at("isBlindAppend");
    history.push_back(
        {static_cast<const arrow::Int64Scalar&>(*at("version")).value, at("operation")->ToString(),
         blind->is_valid && static_cast<const arrow::BooleanScalar&>(*blind).value,
         Chosen(*at("operationMetrics"), metrics), Chosen(*at("operationParameters"), parameters)});
  }
  return history;
}

struct Script {
  const char* name;
  int refused;  // as many as there may be
};

class StatementAnswers : public ::testing::TestWithParam<Script> {
 protected:
  void Compare(const std::string& sql, const Json& spark, const arrow::Table& table) {
    if (spark.contains("history")) {
      const Json history = HistoryOf(table, spark["history"]);
      EXPECT_EQ(history.size(), spark["history"].size()) << sql;
      for (size_t i = 0; i < std::min(history.size(), spark["history"].size()); ++i) {
        Json wanted = spark["history"][i];
        for (auto& [key, value] : wanted[4].items()) value = InOrder(value.get<std::string>());
        EXPECT_EQ(history[i].dump(), wanted.dump()) << sql;
      }
      return;
    }
    // Spark says nothing where we say how many rows were written.
    if (spark.at("names").empty()) return;
    EXPECT_EQ(Json(table.ColumnNames()), spark.at("names")) << sql;
    std::vector<std::string> ours = RowsOf(table);
    std::vector<std::string> theirs = spark.at("rows").get<std::vector<std::string>>();
    if (sql.starts_with("RESTORE") || sql.starts_with("CREATE")) {
      EXPECT_EQ(NumbersOf(table.ColumnNames(), ours.at(0)),
                NumbersOf(spark.at("names"), theirs.at(0)))
          << sql;
      return;
    }
    if (sql.starts_with("DESC")) {
      std::erase_if(ours, DependsOnPlace);
      std::erase_if(theirs, DependsOnPlace);
    }
    if (sql.find("ORDER BY") == std::string::npos) {
      std::sort(ours.begin(), ours.end());
      std::sort(theirs.begin(), theirs.end());
    }
    EXPECT_TRUE(std::equal(ours.begin(), ours.end(), theirs.begin(), theirs.end(), sql::SameRow))
        << sql << "\n  Spark: " << Json(theirs).dump() << "\n  here:  " << Json(ours).dump();
  }
};

TEST_P(StatementAnswers, AreSparks) {
  const char* root = std::getenv("SLUICE_SOURCE_DIR");
  ASSERT_NE(root, nullptr);
  std::ifstream file(fmt::format("{}/tests/sql/statements/{}.jsonl", root, GetParam().name));
  ASSERT_TRUE(file.good());
  Warehouse warehouse(GetParam().name);
  int run = 0;
  int refused = 0;
  for (std::string line; std::getline(file, line);) {
    const Json spark = Json::parse(line);
    if (!spark.contains("sql")) continue;
    const std::string sql = spark.at("sql");
    ++run;
    const auto table = warehouse.Run(sql);
    if (!table.ok() && ErrorCode(table.status()) == "NOT_SUPPORTED_YET") {
      ++refused;
      fmt::print("REFUSED {}\n", sql);
    } else if (spark.contains("error")) {
      const std::string ours = table.ok() ? "an answer" : ErrorCode(table.status());
      EXPECT_TRUE(!table.ok() && SameClass(spark.at("error"), ours))
          << sql << "\n  Spark: " << spark.at("error") << "\n  here:  " << ours << " "
          << table.status().message();
    } else if (!table.ok()) {
      ADD_FAILURE() << sql << "\n" << table.status().ToString();
    } else {
      Compare(sql, spark, **table);
    }
  }
  fmt::print("{}: {} statements, {} refused\n", GetParam().name, run, refused);
  EXPECT_GT(run, 25);
  EXPECT_LE(refused, GetParam().refused);
}

INSTANTIATE_TEST_SUITE_P(Scripts, StatementAnswers,
                         ::testing::Values(Script{"alter", 1}, Script{"ddl", 0}, Script{"dml", 0},
                                           Script{"insert", 0}, Script{"session", 12},
                                           Script{"variant", 2}, Script{"views", 0}),
                         [](const auto& one) { return std::string(one.param.name); });

}  // namespace
}  // namespace sluice::statements
