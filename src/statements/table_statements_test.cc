#include "statements/table_statements.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "plan/json_decoding.h"
#include "storage/local_storage.h"

namespace sluice::statements {
namespace {

/// Runs SQL on a warehouse of its own; rows come back as text, values between '|'.
class StatementsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = std::filesystem::temp_directory_path() /
            ("statements_" + std::to_string(::getpid()) + "_" +
             ::testing::UnitTest::GetInstance()->current_test_info()->name());
    std::filesystem::remove_all(root_);
    spec_.engine.warehouse = root_.string();
    spec_.catalog = "spark_catalog";
    spec_.database = "default";
    tables_ = std::make_unique<delta::TableRegistry>(storage_, SystemClock(), 7);
    sql::QueryRunnerOptions options;
    options.native_functions = plan::JsonFunctions();
    runner_ = sql::QueryRunner::Make(options);
  }
  void TearDown() override { std::filesystem::remove_all(root_); }

  Result<std::vector<std::string>> TryRun(const std::string& text) {
    SLUICE_ASSIGN_OR_RETURN(
        const sql::ParsedFile file,
        sql::ParseStatements(std::make_shared<const sql::SourceText>("test.sql", text)));
    const StatementContext context{spec_, storage_, *tables_, *runner_, SystemClock()};
    std::vector<std::string> lines;
    for (const sql::Statement& statement : file.statements) {
      std::shared_ptr<arrow::RecordBatchReader> reader;
      if (const auto* query = statement.As<sql::QueryStatement>()) {
        SLUICE_ASSIGN_OR_RETURN(const auto plan, AnalyzeAdHoc(context, file, *query->query));
        SLUICE_ASSIGN_OR_RETURN(reader, RunPlan(context, plan));
      } else {
        SLUICE_ASSIGN_OR_RETURN(auto rows, RunTableStatement(context, file, statement));
        if (!rows.has_value()) return MakeError("NOT_SUPPORTED_YET", "not about tables");
        reader = *rows;
      }
      SLUICE_ASSIGN_OR_RETURN(const auto table, reader->ToTable());
      lines.clear();
      for (int64_t row = 0; row < table->num_rows(); ++row) {
        std::string line;
        for (int i = 0; i < table->num_columns(); ++i) {
          SLUICE_ASSIGN_OR_RETURN(const auto value, table->column(i)->GetScalar(row));
          line += (i == 0 ? "" : "|") + value->ToString();
        }
        lines.push_back(line);
      }
    }
    return lines;
  }
  std::vector<std::string> Run(const std::string& text) {
    auto lines = TryRun(text);
    EXPECT_TRUE(lines.ok()) << text << "\n" << lines.status().ToString();
    return lines.ok() ? *lines : std::vector<std::string>();
  }
  std::string CodeOf(const std::string& text) { return ErrorCode(TryRun(text).status()); }

  using Lines = std::vector<std::string>;

  std::filesystem::path root_;
  storage::LocalStorage storage_;
  plan::ProjectSpec spec_;
  std::unique_ptr<delta::TableRegistry> tables_;
  std::unique_ptr<sql::QueryRunner> runner_;
};

TEST_F(StatementsTest, RowsGoInAndOut) {
  Run("CREATE TABLE t (id BIGINT NOT NULL, name STRING, price DECIMAL(10,2)) USING delta");
  EXPECT_EQ(Run("INSERT INTO t VALUES (1, 'a', 1.5), (2, 'b', 2), (3, NULL, NULL)"), Lines{"3|3"});
  EXPECT_EQ(Run("SELECT id, name, price FROM t ORDER BY id"),
            (Lines{"1|a|1.50", "2|b|2.00", "3|null|null"}));
  EXPECT_EQ(Run("INSERT INTO t (name, id) VALUES ('d', 4)"), Lines{"1|1"});
  EXPECT_EQ(Run("INSERT INTO t BY NAME SELECT 'e' AS name, 5 AS id"), Lines{"1|1"});
  EXPECT_EQ(Run("UPDATE t SET price = id * 10, name = upper(name) WHERE t.id > 3"), Lines{"2"});
  EXPECT_EQ(Run("DELETE FROM t AS x WHERE x.name = 'b' OR name IS NULL"), Lines{"2"});
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), (Lines{"1|a|1.50", "4|D|40.00", "5|E|50.00"}));
  EXPECT_EQ(Run("INSERT OVERWRITE t SELECT id + 100, name, price FROM t WHERE id < 5"),
            Lines{"2|2"});
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id"), (Lines{"101", "104"}));
  Run("TRUNCATE TABLE t");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), Lines{"0"});
  Run("DROP TABLE t");
  EXPECT_EQ(CodeOf("SELECT * FROM t"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(CodeOf("DROP TABLE t"), "TABLE_OR_VIEW_NOT_FOUND");
  Run("DROP TABLE IF EXISTS t");
}

TEST_F(StatementsTest, ValuesAreStoredAsAnInsertDoes) {
  Run("CREATE TABLE t (id INT, d DATE)");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES ('x', DATE'2024-01-01')"),
            "INCOMPATIBLE_DATA_FOR_TABLE.CANNOT_SAFELY_CAST");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (1)"),
            "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (1, DATE'2024-01-01', 2)"),
            "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS");
  EXPECT_EQ(CodeOf("INSERT INTO t (nope) VALUES (1)"), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  EXPECT_EQ(CodeOf("UPDATE t SET nope = 1"), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  Run("INSERT INTO t VALUES (1, DATE'2024-01-01')");
  EXPECT_EQ(CodeOf("UPDATE t SET id = 3000000000"), "CAST_OVERFLOW");
  EXPECT_EQ(CodeOf("INSERT INTO nope VALUES (1)"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(CodeOf("CREATE TABLE t (id INT)"), "TABLE_OR_VIEW_ALREADY_EXISTS");
  Run("CREATE TABLE IF NOT EXISTS t (id INT)");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), Lines{"1"});
}

TEST_F(StatementsTest, TablesKeepTheirRules) {
  Run("CREATE TABLE t (id BIGINT GENERATED ALWAYS AS IDENTITY, v INT NOT NULL, "
      "w INT GENERATED ALWAYS AS (v * 2), c STRING DEFAULT 'none', "
      "CONSTRAINT small CHECK (v < 100)) "
      "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')");
  Run("INSERT INTO t (v) VALUES (1), (2)");
  EXPECT_EQ(Run("SELECT id, v, w, c FROM t ORDER BY v"), (Lines{"1|1|2|none", "2|2|4|none"}));
  EXPECT_EQ(CodeOf("INSERT INTO t (v) VALUES (100)"), "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES");
  EXPECT_EQ(CodeOf("INSERT INTO t (v) VALUES (NULL)"), "DELTA_NOT_NULL_VIOLATION");
  EXPECT_EQ(Run("UPDATE t SET v = 5 WHERE v = 1"), Lines{"1"});
  EXPECT_EQ(Run("SELECT v, w FROM t ORDER BY v"), (Lines{"2|4", "5|10"}));
}

TEST_F(StatementsTest, CreateAsSelectAndReplace) {
  Run("CREATE TABLE s PARTITIONED BY (p) AS SELECT id, id % 2 AS p FROM range(10)");
  EXPECT_EQ(Run("SELECT p, count(*) FROM s GROUP BY p ORDER BY p"), (Lines{"0|5", "1|5"}));
  EXPECT_EQ(CodeOf("CREATE TABLE bad AS SELECT 1 / (id - 5) AS x FROM range(10)"),
            "DIVIDE_BY_ZERO");
  EXPECT_EQ(CodeOf("SELECT * FROM bad"), "TABLE_OR_VIEW_NOT_FOUND");
  Run("CREATE OR REPLACE TABLE s AS SELECT 'x' AS name");
  EXPECT_EQ(Run("SELECT * FROM s"), Lines{"x"});
  Run("CREATE TABLE l LIKE s");
  EXPECT_EQ(Run("SELECT count(*) FROM l"), Lines{"0"});
  EXPECT_EQ(CodeOf("REPLACE TABLE nope (id INT)"), "TABLE_OR_VIEW_NOT_FOUND");
}

TEST_F(StatementsTest, ReplaceWhereAndPaths) {
  const std::string path = "delta.`" + (root_ / "elsewhere").string() + "`";
  Run("CREATE TABLE " + path + " (id INT, day STRING) PARTITIONED BY (day)");
  Run("INSERT INTO " + path + " VALUES (1, 'a'), (2, 'b')");
  EXPECT_EQ(Run("INSERT INTO " + path + " REPLACE WHERE day = 'b' VALUES (3, 'b'), (4, 'b')"),
            Lines{"2|2"});
  EXPECT_EQ(CodeOf("INSERT INTO " + path + " REPLACE WHERE day = 'b' VALUES (5, 'a')"),
            "DELTA_REPLACE_WHERE_MISMATCH");
  EXPECT_EQ(Run("SELECT id FROM " + path + " ORDER BY id"), (Lines{"1", "3", "4"}));
}

TEST_F(StatementsTest, Merge) {
  Run("CREATE TABLE t (id INT, v STRING, n INT)");
  Run("INSERT INTO t VALUES (1, 'a', 1), (2, 'b', 2), (3, 'c', 3)");
  Run("CREATE TABLE s (id INT, v STRING, n INT)");
  Run("INSERT INTO s VALUES (2, 'B', 20), (3, NULL, 0), (4, 'D', 40)");
  EXPECT_EQ(Run("MERGE INTO t USING s ON t.id = s.id "
                "WHEN MATCHED AND s.n = 0 THEN DELETE "
                "WHEN MATCHED THEN UPDATE SET v = s.v, t.n = t.n + s.n "
                "WHEN NOT MATCHED THEN INSERT (id, v) VALUES (s.id, s.v) "
                "WHEN NOT MATCHED BY SOURCE AND t.n < 5 THEN UPDATE SET v = 'gone'"),
            Lines{"4|2|1|1"});
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), (Lines{"1|gone|1", "2|B|22", "4|D|null"}));
  EXPECT_EQ(Run("MERGE INTO t AS x USING (SELECT id + 1 AS id, v, n FROM s) AS y ON x.id = y.id "
                "WHEN MATCHED THEN UPDATE SET * WHEN NOT MATCHED THEN INSERT *"),
            Lines{"3|1|0|2"});
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id"), (Lines{"1", "2", "3", "4", "5"}));
  EXPECT_EQ(CodeOf("MERGE INTO t USING (SELECT 1 AS id, n FROM s) AS y ON t.id = y.id "
                   "WHEN MATCHED THEN UPDATE SET n = y.n"),
            "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE");
  EXPECT_EQ(CodeOf("MERGE INTO t USING (SELECT 1 AS id) AS y ON t.id = y.id "
                   "WHEN MATCHED THEN UPDATE SET *"),
            "DELTA_MERGE_UNRESOLVED_EXPRESSION");
}

TEST_F(StatementsTest, Upkeep) {
  Run("CREATE TABLE t (id INT)");
  for (int i = 0; i < 4; ++i) Run("INSERT INTO t VALUES (" + std::to_string(i) + ")");
  EXPECT_EQ(Run("OPTIMIZE t"), Lines{"1|4"});
  EXPECT_EQ(Run("OPTIMIZE t"), Lines{"0|0"});
  EXPECT_EQ(Run("SELECT sum(id) FROM t"), Lines{"6"});
  EXPECT_EQ(CodeOf("VACUUM t RETAIN 0 HOURS"), "DELTA_VACUUM_RETENTION_TOO_SHORT");
  EXPECT_EQ(Run("VACUUM t DRY RUN"), Lines{});
  EXPECT_EQ(Run("VACUUM t").size(), 1u);
}

TEST_F(StatementsTest, WhatIsNotExecutedIsRefusedByName) {
  Run("CREATE TABLE t (id INT)");
  for (const std::string text :
       {"OPTIMIZE t ZORDER BY (id)", "CREATE TABLE u SHALLOW CLONE t",
        "INSERT INTO t PARTITION (id = 1) SELECT 1", "CREATE TABLE u (id INT) USING parquet",
        "CREATE TABLE u (id INT) LOCATION '/x'", "DROP VIEW v"}) {
    EXPECT_EQ(CodeOf(text), "NOT_SUPPORTED_YET") << text;
  }
}

}  // namespace
}  // namespace sluice::statements
