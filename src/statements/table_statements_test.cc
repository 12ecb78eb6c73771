#include "statements/table_statements.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "plan/json_decoding.h"
#include "statements/session.h"
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
    session_ = std::make_unique<Session>(spec_);
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
    const StatementContext context{session_->spec(), storage_, *tables_, *runner_,
                                   SystemClock(),    random_,  *session_};
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

  /// "files added|files removed" of an OPTIMIZE.
  std::string Optimized(const std::string& text) {
    const auto lines = Run(text);
    const auto number = [&](const std::string& name) {
      const std::string key = name + ":int64 = ";
      const size_t at = lines.empty() ? std::string::npos : lines[0].find(key);
      return at == std::string::npos
                 ? "none"
                 : std::to_string(std::atoi(lines[0].c_str() + at + key.size()));
    };
    return number("numFilesAdded") + "|" + number("numFilesRemoved");
  }

  using Lines = std::vector<std::string>;

  std::filesystem::path root_;
  storage::LocalStorage storage_;
  plan::ProjectSpec spec_;
  std::unique_ptr<delta::TableRegistry> tables_;
  std::unique_ptr<sql::QueryRunner> runner_;
  Random random_{11};
  std::unique_ptr<Session> session_;
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
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES ('x', DATE'2024-01-01')"), "CAST_INVALID_INPUT");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (DATE'2024-01-01', NULL)"),
            "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (3000000000L, NULL)"), "CAST_OVERFLOW_IN_TABLE_INSERT");
  EXPECT_EQ(CodeOf("INSERT INTO t SELECT id * 3000000000, NULL FROM range(2)"),
            "CAST_OVERFLOW_IN_TABLE_INSERT");
  EXPECT_EQ(CodeOf("INSERT INTO t SELECT CAST(id * 3000000000 AS INT), NULL FROM range(2)"),
            "CAST_OVERFLOW");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (1)"),
            "INSERT_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS");
  EXPECT_EQ(CodeOf("INSERT INTO t VALUES (1, DATE'2024-01-01', 2)"),
            "INSERT_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS");
  EXPECT_EQ(CodeOf("INSERT INTO t (nope) VALUES (1)"), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  EXPECT_EQ(CodeOf("UPDATE t SET nope = 1"), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  Run("INSERT INTO t VALUES (1, DATE'2024-01-01')");
  EXPECT_EQ(CodeOf("UPDATE t SET id = 3000000000"), "DELTA_CAST_OVERFLOW_IN_TABLE_WRITE");
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

TEST_F(StatementsTest, TablesAreLaidOutAlongCurves) {
  Run("CREATE TABLE z AS SELECT id, id % 7 AS k FROM range(100)");
  Run("INSERT INTO z SELECT id + 100, id % 7 FROM range(100)");
  EXPECT_EQ(Optimized("OPTIMIZE z ZORDER BY (k, id)"), "1|2");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM z"), Lines{"200|19900"});
  EXPECT_EQ(CodeOf("OPTIMIZE z ZORDER BY (nope)"), "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST");
  EXPECT_EQ(CodeOf("OPTIMIZE z FULL"), "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED");

  Run("CREATE TABLE c (id BIGINT, k BIGINT) CLUSTER BY (k)");
  EXPECT_EQ(Run("SELECT count(*) FROM c VERSION AS OF 0"), Lines{"0"});
  Run("INSERT INTO c SELECT id, id % 7 FROM range(100)");
  Run("INSERT INTO c SELECT id + 100, id % 7 FROM range(100)");
  EXPECT_EQ(Optimized("OPTIMIZE c"), "1|2");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM c"), Lines{"200|19900"});
  Run("CREATE TABLE d CLUSTER BY (k, id) AS SELECT * FROM c");
  EXPECT_EQ(Run("SELECT count(*), sum(id) FROM d"), Lines{"200|19900"});
  Run("ALTER TABLE d CLUSTER BY (id)");
  Run("ALTER TABLE d CLUSTER BY NONE");
  EXPECT_EQ(CodeOf("CREATE TABLE e (id BIGINT, k BIGINT) PARTITIONED BY (k) CLUSTER BY (id)"),
            "DELTA_CLUSTER_BY_WITH_PARTITIONED_BY");
  EXPECT_EQ(CodeOf("CREATE TABLE e (id BIGINT) CLUSTER BY (nope)"),
            "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA");
  EXPECT_EQ(CodeOf("SELECT * FROM e"), "TABLE_OR_VIEW_NOT_FOUND");
}

TEST_F(StatementsTest, FeaturesAreDropped) {
  Run("CREATE TABLE t TBLPROPERTIES ('delta.enableDeletionVectors' = 'true') AS "
      "SELECT id FROM range(10)");
  Run("DELETE FROM t WHERE id = 3");
  Run("ALTER TABLE t DROP FEATURE deletionVectors");
  EXPECT_EQ(Run("SELECT count(*) FROM t"), Lines{"9"});
  EXPECT_EQ(CodeOf("ALTER TABLE t DROP FEATURE deletionVectors"),
            "DELTA_FEATURE_DROP_FEATURE_NOT_PRESENT");
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
  EXPECT_EQ(Optimized("OPTIMIZE t"), "1|4");
  EXPECT_EQ(Optimized("OPTIMIZE t"), "0|0");
  EXPECT_EQ(Run("SELECT sum(id) FROM t"), Lines{"6"});
  EXPECT_EQ(CodeOf("VACUUM t RETAIN 0 HOURS"), "DELTA_VACUUM_RETENTION_TOO_SHORT");
  EXPECT_EQ(Run("VACUUM t DRY RUN"), Lines{});
  EXPECT_EQ(Run("VACUUM t").size(), 1u);
}

TEST_F(StatementsTest, Subqueries) {
  Run("CREATE TABLE t (id INT, n INT); INSERT INTO t VALUES (1, 1), (2, 2), (3, 3), (4, NULL)");
  Run("CREATE TABLE s (id INT, n INT); INSERT INTO s VALUES (2, 20), (3, 30)");
  EXPECT_EQ(Run("DELETE FROM t WHERE id IN (SELECT id FROM s WHERE n > 20)"), Lines{"1"});
  EXPECT_EQ(Run("UPDATE t SET n = (SELECT max(s.n) FROM s WHERE s.id = t.id) "
                "WHERE EXISTS (SELECT 1 FROM s WHERE s.id = t.id)"),
            Lines{"1"});
  EXPECT_EQ(Run("UPDATE t AS x SET n = (SELECT count(*) FROM s) + x.id WHERE x.n IS NULL"),
            Lines{"1"});
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id"), (Lines{"1|1", "2|20", "4|6"}));
  EXPECT_EQ(Run("WITH w AS (SELECT max(id) AS id FROM t) DELETE FROM t "
                "WHERE id = (SELECT id FROM w)"),
            Lines{"1"});
  EXPECT_EQ(Run("WITH w AS (SELECT 9 AS id) MERGE INTO t USING w ON t.id = w.id "
                "WHEN NOT MATCHED THEN INSERT (id) VALUES (w.id)"),
            Lines{"1|0|0|1"});
  EXPECT_EQ(Run("MERGE INTO t USING s ON t.id = s.id WHEN MATCHED THEN "
                "UPDATE SET n = (SELECT max(x.n) FROM s AS x WHERE x.id = s.id) + t.n"),
            Lines{"1|1|0|0"});
  EXPECT_EQ(Run("SELECT n FROM t WHERE id = 2"), Lines{"40"});
  EXPECT_EQ(Run("DELETE FROM t WHERE n IS NULL AND id NOT IN (SELECT id FROM s)"), Lines{"1"});
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id"), (Lines{"1", "2"}));
  EXPECT_EQ(Run("DELETE FROM t WHERE EXISTS (SELECT 1 FROM s)"), Lines{"2"});
}

TEST_F(StatementsTest, ReplaceUsingAndOn) {
  Run("CREATE TABLE t (id INT, v STRING) PARTITIONED BY (v)");
  Run("INSERT INTO t VALUES (1, 'a'), (2, 'b'), (3, 'b'), (NULL, 'c')");
  EXPECT_EQ(Run("INSERT INTO t REPLACE USING (id) VALUES (2, 'B'), (9, 'N'), (NULL, 'M')"),
            Lines{"3|3"});
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id, v"),
            (Lines{"null|M", "null|c", "1|a", "2|B", "3|b", "9|N"}));
  EXPECT_EQ(Run("INSERT INTO t AS x REPLACE ON x.id <=> s.id AND s.v <> 'no' "
                "SELECT s.id, s.v FROM (VALUES (NULL, 'yes'), (1, 'no')) AS s (id, v)"),
            Lines{"2|2"});
  EXPECT_EQ(Run("SELECT * FROM t ORDER BY id, v"),
            (Lines{"null|yes", "1|a", "1|no", "2|B", "3|b", "9|N"}));
}

TEST_F(StatementsTest, PartitionsAndDefaults) {
  Run("CREATE TABLE p (id INT, day STRING, k INT) PARTITIONED BY (day, k)");
  Run("INSERT INTO p PARTITION (day = 'a', k = 1) VALUES (1), (2)");
  Run("INSERT INTO p PARTITION (day = 'b', k) SELECT 3, 2");
  EXPECT_EQ(CodeOf("INSERT INTO p PARTITION (nope = 1) VALUES (1, 2)"), "NON_PARTITION_COLUMN");
  Run("INSERT OVERWRITE p PARTITION (day = 'a', k) VALUES (4, 7)");
  EXPECT_EQ(Run("SELECT * FROM p ORDER BY id"), (Lines{"3|b|2", "4|a|7"}));
  Run("SET spark.sql.sources.partitionOverwriteMode = dynamic");
  Run("INSERT OVERWRITE p VALUES (5, 'b', 2), (6, 'c', 1)");
  EXPECT_EQ(Run("SELECT * FROM p ORDER BY id"), (Lines{"4|a|7", "5|b|2", "6|c|1"}));
  Run("CREATE TABLE d (id INT, c STRING DEFAULT 'none', t TIMESTAMP DEFAULT current_timestamp()) "
      "TBLPROPERTIES ('delta.feature.allowColumnDefaults' = 'supported')");
  Run("INSERT INTO d VALUES (1, DEFAULT, DEFAULT), (2, 'x', DEFAULT)");
  EXPECT_EQ(CodeOf("INSERT INTO d VALUES (1, DEFAULT || 'x', NULL)"), "DEFAULT_PLACEMENT_INVALID");
  Run("UPDATE d SET c = DEFAULT WHERE id = 2");
  EXPECT_EQ(Run("SELECT id, c FROM d ORDER BY id"), (Lines{"1|none", "2|none"}));
  Run("INSERT INTO d SELECT id, 'y', current_timestamp() FROM range(10, 20000)");
  EXPECT_EQ(Run("SELECT count(DISTINCT t) FROM d"), Lines{"2"});
}

TEST_F(StatementsTest, AlterTable) {
  Run("CREATE TABLE t (id INT NOT NULL, s STRUCT<a: INT>) "
      "TBLPROPERTIES ('delta.columnMapping.mode' = 'name', 'delta.enableTypeWidening' = 'true', "
      "'delta.feature.allowColumnDefaults' = 'supported')");
  Run("INSERT INTO t VALUES (1, NAMED_STRUCT('a', 10))");
  Run("ALTER TABLE t ADD COLUMNS (v STRING COMMENT 'word' AFTER id, s.b INT)");
  EXPECT_EQ(Run("SELECT id, v, s.a, s.b FROM t"), Lines{"1|null|10|null"});
  Run("ALTER TABLE t RENAME COLUMN v TO w; ALTER TABLE t ALTER COLUMN id TYPE BIGINT");
  Run("ALTER TABLE t ALTER COLUMN w SET DEFAULT upper('x'); INSERT INTO t (id) VALUES (2)");
  EXPECT_EQ(Run("SELECT id, w FROM t ORDER BY id"), (Lines{"1|null", "2|X"}));
  EXPECT_EQ(CodeOf("ALTER TABLE t ALTER COLUMN w SET NOT NULL"), "DELTA_NEW_NOT_NULL_VIOLATION");
  Run("UPDATE t SET w = 'y' WHERE w IS NULL; ALTER TABLE t ALTER COLUMN w SET NOT NULL");
  EXPECT_EQ(CodeOf("INSERT INTO t (id, w) VALUES (3, NULL)"), "DELTA_NOT_NULL_VIOLATION");
  Run("ALTER TABLE t ALTER COLUMN w DROP NOT NULL; ALTER TABLE t ALTER COLUMN w DROP DEFAULT");
  Run("INSERT INTO t (id) VALUES (3)");
  Run("ALTER TABLE t ALTER COLUMN s FIRST; ALTER TABLE t DROP COLUMN s.b");
  EXPECT_EQ(Run("SELECT * FROM t WHERE id = 1").size(), 1u);
  Run("ALTER TABLE t DROP COLUMNS IF EXISTS (nope, w)");
  EXPECT_EQ(CodeOf("SELECT w FROM t"), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  EXPECT_EQ(CodeOf("ALTER TABLE t ADD CONSTRAINT c CHECK (id > 1)"),
            "DELTA_NEW_CHECK_CONSTRAINT_VIOLATION");
  Run("ALTER TABLE t ADD CONSTRAINT c CHECK (id > 0)");
  EXPECT_EQ(CodeOf("INSERT INTO t (id) VALUES (0)"), "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES");
  Run("ALTER TABLE t DROP CONSTRAINT c; ALTER TABLE t DROP CONSTRAINT IF EXISTS c");
  EXPECT_EQ(CodeOf("ALTER TABLE t DROP CONSTRAINT c"), "DELTA_CONSTRAINT_DOES_NOT_EXIST");
  Run("ALTER TABLE IF EXISTS nope SET TBLPROPERTIES ('a' = 'b')");
  EXPECT_EQ(CodeOf("ALTER TABLE nope SET TBLPROPERTIES ('a' = 'b')"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(CodeOf("ALTER TABLE t SET LOCATION '/x'"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(CodeOf("ALTER TABLE t ALTER COLUMN id SET DEFAULT nope(1)"), "UNRESOLVED_ROUTINE");
}

TEST_F(StatementsTest, WhatATableIs) {
  Run("CREATE TABLE t (id INT, day STRING) PARTITIONED BY (day)");
  Run("ALTER TABLE t SET TBLPROPERTIES ('keeper' = 'me', 'delta.appendOnly' = 'true')");
  Run("COMMENT ON TABLE t IS 'rows of days'; COMMENT ON COLUMN t.id IS 'a number'");
  Run("INSERT INTO t VALUES (1, 'a')");
  const Lines detail = Run("DESCRIBE DETAIL t");
  ASSERT_EQ(detail.size(), 1u);
  for (const std::string part : {"delta|", "spark_catalog.default.t", "rows of days", "keeper",
                                 "delta.appendOnly", "|1|2|", "invariants"}) {
    EXPECT_NE(detail[0].find(part), std::string::npos) << part << " in " << detail[0];
  }
  EXPECT_EQ(Run("DESCRIBE HISTORY t").size(), 5u);
  const Lines last = Run("DESCRIBE HISTORY t LIMIT 2");
  ASSERT_EQ(last.size(), 2u);
  EXPECT_EQ(last[0].rfind("4|", 0), 0u);
  EXPECT_NE(last[1].find("CHANGE COLUMN"), std::string::npos) << last[1];
  Run("ALTER TABLE t UNSET TBLPROPERTIES ('delta.appendOnly')");
  Run("COMMENT ON TABLE t IS NULL");
  EXPECT_EQ(Run("DESCRIBE DETAIL t")[0].find("rows of days"), std::string::npos);
}

TEST_F(StatementsTest, RenameKeepsTheTable) {
  Run("CREATE TABLE t (id INT); INSERT INTO t VALUES (1); INSERT INTO t VALUES (2)");
  Run("CREATE TABLE u (id INT); DROP TABLE u; ALTER TABLE t RENAME TO u");
  EXPECT_EQ(Run("SELECT sum(id) FROM u"), Lines{"3"});
  EXPECT_EQ(Run("DESCRIBE HISTORY u").size(), 3u);
  EXPECT_EQ(CodeOf("SELECT * FROM t"), "TABLE_OR_VIEW_NOT_FOUND");
  Run("INSERT INTO u VALUES (3); CREATE TABLE t (id INT)");
  EXPECT_EQ(CodeOf("ALTER TABLE u RENAME TO t"), "TABLE_OR_VIEW_ALREADY_EXISTS");
  EXPECT_EQ(CodeOf("ALTER TABLE u RENAME TO other.u"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(CodeOf("ALTER TABLE delta.`" + (root_ / "default" / "u").string() + "` RENAME TO w"),
            "NOT_SUPPORTED_YET");
  EXPECT_EQ(Run("SELECT sum(id) FROM u"), Lines{"6"});
}

TEST_F(StatementsTest, AnalyzeMakesStatistics) {
  Run("CREATE TABLE t (a INT, b INT) TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '1')");
  Run("INSERT INTO t VALUES (1, 2)");
  Run("ALTER TABLE t SET TBLPROPERTIES ('delta.dataSkippingNumIndexedCols' = '2')");
  EXPECT_EQ(Run("ANALYZE TABLE t COMPUTE DELTA STATISTICS"), Lines());
  EXPECT_NE(Run("DESCRIBE HISTORY t LIMIT 1")[0].find("COMPUTE STATS"), std::string::npos);
  EXPECT_EQ(CodeOf("ANALYZE TABLE t COMPUTE STATISTICS"), "NOT_SUPPORTED_COMMAND_FOR_V2_TABLE");
  EXPECT_EQ(CodeOf("ANALYZE TABLE t COMPUTE DELTA STATISTICS NOSCAN"), "NOT_SUPPORTED_YET");
}

TEST_F(StatementsTest, RestoreCloneConvertReorg) {
  Run("CREATE TABLE t (id INT) TBLPROPERTIES ('delta.enableDeletionVectors' = 'true')");
  Run("INSERT INTO t VALUES (1), (2), (3); DELETE FROM t WHERE id = 2");
  EXPECT_EQ(Optimized("REORG TABLE t APPLY (PURGE)"), "1|1");
  EXPECT_EQ(Run("SELECT id FROM t ORDER BY id"), (Lines{"1", "3"}));
  Run("CREATE TABLE u SHALLOW CLONE t VERSION AS OF 1");
  EXPECT_EQ(Run("SELECT sum(id) FROM u"), Lines{"6"});
  EXPECT_EQ(CodeOf("CREATE TABLE u SHALLOW CLONE t"), "TABLE_OR_VIEW_ALREADY_EXISTS");
  Run("CREATE TABLE IF NOT EXISTS u SHALLOW CLONE t; INSERT INTO u VALUES (4)");
  EXPECT_EQ(Run("SELECT sum(id) FROM t"), Lines{"4"});
  Run("RESTORE TABLE t TO VERSION AS OF 1");
  EXPECT_EQ(Run("SELECT sum(id) FROM t"), Lines{"6"});
  EXPECT_EQ(CodeOf("RESTORE t TO VERSION AS OF 99"), "DELTA_CANNOT_RESTORE_TABLE_VERSION");
  EXPECT_EQ(CodeOf("RESTORE t TO TIMESTAMP AS OF '2001-01-01'"), "DELTA_TIMESTAMP_OUT_OF_RANGE");
  // A folder of Parquet: the files of a table without its log.
  Run("CREATE TABLE p (id INT); INSERT INTO p VALUES (7), (8)");
  std::filesystem::remove_all(root_ / "default" / "p" / "_delta_log");
  tables_->Forget((root_ / "default" / "p").string());
  Run("CONVERT TO DELTA parquet.`" + (root_ / "default" / "p").string() + "`");
  EXPECT_EQ(Run("SELECT sum(id) FROM p"), Lines{"15"});
}

TEST_F(StatementsTest, ChangesOfATable) {
  Run("CREATE TABLE c (id INT) TBLPROPERTIES ('delta.enableChangeDataFeed' = 'true')");
  Run("INSERT INTO c VALUES (1), (2); INSERT INTO c VALUES (3); DELETE FROM c WHERE id = 1");
  EXPECT_EQ(
      Run("SELECT id, _change_type, _commit_version FROM c CHANGES FROM VERSION 2 ORDER BY 3"),
      (Lines{"3|insert|2", "1|delete|3"}));
  EXPECT_EQ(Run("SELECT count(*) FROM c CHANGES FROM VERSION 1 EXCLUSIVE TO VERSION 3 EXCLUSIVE"),
            Lines{"1"});
  EXPECT_EQ(Run("SELECT x.id FROM c CHANGES FROM VERSION 1 TO VERSION 1 AS x ORDER BY 1"),
            (Lines{"1", "2"}));
  EXPECT_EQ(CodeOf("SELECT * FROM nope CHANGES FROM VERSION 1"), "TABLE_OR_VIEW_NOT_FOUND");
}

TEST_F(StatementsTest, GeneratorsStandAlone) {
  EXPECT_EQ(Run("SELECT explode(array(1, 2)) AS c"), (Lines{"1", "2"}));
  for (const char* text : {"SELECT explode(array(1, 2)) + 1", "SELECT upper(explode(array('a')))",
                           "SELECT 1 WHERE explode(array(1)) = 1"}) {
    EXPECT_EQ(CodeOf(text), "UNSUPPORTED_GENERATOR.NESTED_IN_EXPRESSIONS") << text;
  }
}

TEST_F(StatementsTest, StarsWithoutSomeColumns) {
  Run("CREATE TABLE e (id INT, s STRUCT<a: INT, b: INT>, w INT)");
  Run("INSERT INTO e VALUES (1, NAMED_STRUCT('a', 2, 'b', 3), 4)");
  EXPECT_EQ(Run("SELECT e.* EXCEPT (s, w) FROM e"), Lines{"1"});
  EXPECT_EQ(Run("SELECT x.* EXCEPT (x.s) FROM e AS x"), Lines{"1|4"});
  EXPECT_EQ(Run("SELECT * EXCEPT (x.id, x.s, y.s, y.w) FROM e AS x JOIN e AS y ON x.id = y.id"),
            Lines{"4|1"});
  EXPECT_EQ(Run("SELECT s.* EXCEPT (a) FROM e"), Lines{"3"});
  EXPECT_EQ(CodeOf("SELECT e.* EXCEPT (nope) FROM e"), "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION");
  EXPECT_EQ(CodeOf("SELECT * EXCEPT (s.a) FROM e"), "NOT_SUPPORTED_YET");
}

TEST_F(StatementsTest, RefreshLooksForTheRelation) {
  Run("CREATE TABLE t (id INT); CREATE VIEW v AS SELECT id FROM t; REFRESH TABLE t; REFRESH TABLE "
      "v");
  EXPECT_EQ(CodeOf("REFRESH TABLE nope"), "TABLE_OR_VIEW_NOT_FOUND");
}

TEST_F(StatementsTest, ViewsKeepTheirMeaning) {
  Run("CREATE TABLE t AS SELECT id, id % 2 AS odd FROM range(6)");
  // A table behind a temporary view of its name stays in reach of that view.
  Run("CREATE TEMP VIEW t AS SELECT * FROM t WHERE odd = 1");
  EXPECT_EQ(Run("SELECT sum(id) FROM t"), Lines{"9"});
  EXPECT_EQ(Run("SELECT sum(id) FROM default.t"), Lines{"15"});
  EXPECT_EQ(CodeOf("CREATE OR REPLACE TEMP VIEW t AS SELECT * FROM t"), "RECURSIVE_VIEW");
  EXPECT_EQ(CodeOf("CREATE VIEW kept AS SELECT * FROM t"), "INVALID_TEMP_OBJ_REFERENCE");
  Run("CREATE VIEW kept AS SELECT * FROM default.t; CREATE VIEW over AS SELECT id FROM kept");
  EXPECT_EQ(Run("SELECT sum(id) FROM over"), Lines{"15"});
  EXPECT_EQ(CodeOf("CREATE OR REPLACE VIEW kept AS SELECT id, 1 AS odd FROM over"),
            "RECURSIVE_VIEW");
  // Two writers can still make a circle; reading it ends.
  const plan::ViewStore store(storage_, root_.string());
  auto entry = store.Read({"default", "kept"}).ValueOrDie();
  entry.view->query = "SELECT id, 1 AS odd FROM over";
  ASSERT_TRUE(store.Write({"default", "kept"}, entry, entry.view).ok());
  EXPECT_EQ(CodeOf("SELECT * FROM over"), "VIEW_EXCEED_MAX_NESTED_DEPTH");
  Run("DROP VIEW kept");
  EXPECT_EQ(CodeOf("SELECT * FROM over"), "TABLE_OR_VIEW_NOT_FOUND");
}

TEST_F(StatementsTest, WhatIsNotExecutedIsRefusedByName) {
  Run("CREATE TABLE t (id INT)");
  for (const std::string text :
       {"CREATE TABLE u (id INT) CLUSTER BY AUTO", "CREATE TABLE u DEEP CLONE t",
        "CREATE TABLE u (id INT) USING parquet", "CREATE TABLE u (id INT) LOCATION '/x'",
        "CREATE VIEW v AS SELECT * FROM STREAM t", "DROP FUNCTION f", "SHOW FUNCTIONS",
        "CREATE VIEW v (CONSTRAINT c EXPECT (a > 1)) AS SELECT 1 AS a",
        "CREATE VIEW v WITH SCHEMA BINDING AS SELECT 1 AS a", "DESCRIBE FUNCTION upper",
        "SET spark.sql.ansi.enabled = false", "SET spark.sql.session.timeZone = Europe/Berlin",
        "SET spark.sql.legacy.anything = true", "EXPLAIN CODEGEN SELECT 1"}) {
    EXPECT_EQ(CodeOf(text), "NOT_SUPPORTED_YET") << text;
  }
}

}  // namespace
}  // namespace sluice::statements
