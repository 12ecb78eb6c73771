#include "sql/parser/pipeline_parser.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "sql/parser/substitute.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

Result<ParsedFile> Parse(const std::string& text) {
  return ParseStatements(std::make_shared<SourceText>("t.sql", text));
}

std::string Code(const std::string& text) { return ErrorCode(Parse(text).status()); }

/// Where the statements with Spark's answers are, or "".
std::string SharedFile(const std::string& name) {
  const char* given = std::getenv("SLUICE_SHARED");
  for (const std::string& folder :
       {std::string(given == nullptr ? "" : given), std::string(SLUICE_SOURCE_DIR "/../shared"),
        std::string(SLUICE_SOURCE_DIR "/../../shared")}) {
    if (!folder.empty() && std::ifstream(folder + "/" + name).good()) {
      return folder + "/" + name;
    }
  }
  return "";
}

/// What Spark rejects and we reject as well, by a piece of the statement.
bool AlsoOurs(const std::string& sql) {
  for (const std::string piece :
       {"CREATE MATERIALIZED VIEW m\n", "SCD TYPE 3", "KEYS (id) STORED AS SCD TYPE 2",
        "WHERE "
        "x>1 SEQUENCE",
        "KEYS id SEQUENCE", "COLUMNS (a,b) COLUMNS (c)", "TABLESAMPLE (10 PERCENT)",
        "INT "
        "COLLATE"}) {
    if ((sql + "\n").find(piece) != std::string::npos) {
      return true;
    }
  }
  return false;
}

/// "CLASS 42601" of one of Spark's messages; nothing where it names no class.
std::optional<std::string> SparkError(const std::string& message) {
  const size_t state = message.find("SQLSTATE: ");
  if (!message.starts_with("[") || state == std::string::npos) {
    return std::nullopt;
  }
  return message.substr(1, message.find(']') - 1) + " " + message.substr(state + 10, 5);
}

std::string OurError(const Status& status) {
  const size_t state = status.message().find("SQLSTATE: ");
  EXPECT_NE(state, std::string::npos) << status.message();
  return ErrorCode(status) + " " + status.message().substr(state + 10, 5);
}

TEST(PipelineParserTest, AcceptsWhatSparkAndLakeflowAccept) {
  const std::string path = SharedFile("spark/pipeline_statements.jsonl");
  if (path.empty()) {
    GTEST_SKIP() << "shared/spark/pipeline_statements.jsonl is not here";
  }
  std::ifstream file(path);
  int accepted = 0;
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line);
    const std::string sql = entry["sql"];
    const auto source = Substitute("t.sql", sql, [](const std::string&) { return "1"; });
    ASSERT_TRUE(source.ok()) << source.status();
    const auto parsed = ParseStatements(std::make_shared<SourceText>(*source));
    const bool spark = entry["spark_accepts"];
    EXPECT_EQ(parsed.ok(), spark || !AlsoOurs(sql)) << sql << "\n" << parsed.status();
    if (!parsed.ok()) {
      EXPECT_EQ(SparkError(entry["spark_error"]).value_or(OurError(parsed.status())),
                OurError(parsed.status()))
          << sql;
      continue;
    }
    ++accepted;
    ASSERT_EQ(parsed->statements.size(), 1U);
    if (parsed->statements[0].As<UnsupportedStatement>() != nullptr) {
      EXPECT_FALSE(spark) << sql;
      continue;
    }
    const std::string printed = ToSql(parsed->statements[0]);
    const auto again = Parse(printed);
    ASSERT_TRUE(again.ok()) << printed << "\n" << again.status();
    EXPECT_EQ(ToSql(again->statements[0]), printed);
  }
  EXPECT_GT(accepted, 60);
}

TEST(PipelineParserTest, ParsesTheQuerySyntaxOfSparksFunctionExamples) {
  const std::string path = SharedFile("spark/function_examples.jsonl");
  if (path.empty()) {
    GTEST_SKIP() << "shared/spark/function_examples.jsonl is not here";
  }
  std::ifstream file(path);
  int names = 0;
  int same = 0;
  std::string different;
  for (std::string line; std::getline(file, line);) {
    const auto entry = nlohmann::json::parse(line);
    const std::string sql = entry["sql"];
    const auto parsed = Parse(sql);
    ASSERT_TRUE(parsed.ok()) << sql << "\n" << parsed.status();
    const auto* statement = parsed->statements[0].As<QueryStatement>();
    const auto* select = statement == nullptr ? nullptr : statement->query->As<Select>();
    if (select == nullptr || !entry.contains("rows") || entry["rows"].empty()) {
      continue;
    }
    const std::string printed = ToSql(parsed->statements[0]);
    const auto again = Parse(printed);
    ASSERT_TRUE(again.ok()) << printed << "\n" << again.status();
    EXPECT_EQ(ToSql(again->statements[0]), printed);
    const auto row = nlohmann::ordered_json::parse(std::string(entry["rows"][0]));
    if (row.size() != 1 || select->items.size() != 1 || !select->items[0].aliases.empty() ||
        select->items[0].expr->As<Star>() != nullptr) {
      continue;
    }
    ++names;
    const std::string name = ColumnName(*select->items[0].expr);
    if (name == row.begin().key()) {
      ++same;
    } else {
      different += name + "   Spark: " + row.begin().key() + "\n";
    }
  }
  RecordProperty("column_names", names);
  RecordProperty("column_names_as_spark", same);
  EXPECT_GT(same, names * 88 / 100) << same << " of " << names << "\n" << different;
}

TEST(PipelineParserTest, ReadsTheExampleOfTheGuide) {
  const auto file = Parse(R"sql(
    CREATE OR REFRESH STREAMING TABLE silver.orders (
      CONSTRAINT has_id  EXPECT (order_id IS NOT NULL) ON VIOLATION DROP ROW,
      CONSTRAINT sane    EXPECT (amount BETWEEN 0 AND 1e6),
      CONSTRAINT known   EXPECT (currency IN ('USD','EUR')) ON VIOLATION FAIL UPDATE,
      CONSTRAINT clean   EXPECT (length(x) < 10) ON VIOLATION QUARANTINE INTO silver.bad )
    PARTITIONED BY (day) TBLPROPERTIES ('a' = 'b', pipelines.reset.allowed = false)
    AS SELECT v:order_id::bigint AS order_id
       FROM (SELECT try_parse_json(body) AS v FROM STREAM bronze.orders_raw);
    -- change data
    CREATE FLOW f AS AUTO CDC INTO silver.customers FROM STREAM bronze.customers_cdc KEYS (id)
      IGNORE NULL UPDATES APPLY AS DELETE WHEN op = 'DELETE' SEQUENCE BY (seq)
      COLUMNS * EXCEPT (op, seq) STORED AS SCD TYPE 2 TRACK HISTORY ON a, b;
    APPLY CHANGES INTO LIVE.t FROM STREAM(LIVE.s) KEYS (id) SEQUENCE BY ts;
    CREATE MATERIALIZED VIEW gold.m SCHEDULE EVERY 2 HOURS
      TRIGGER ON UPDATE AT MOST EVERY INTERVAL 1 HOUR
      AS SELECT window(ts,'1 minute').start AS minute, sum(amount) FROM silver.orders GROUP BY ALL;
    SET a.b = 'x y'; USE SCHEMA s; SET CATALOG c;
    CREATE SINK k USING kafka OPTIONS ('topic' = 't') AS SELECT * FROM STREAM s;)sql");
  ASSERT_TRUE(file.ok()) << file.status();
  ASSERT_EQ(file->statements.size(), 8U);
  EXPECT_EQ(file->warnings.size(), 2U);
  const auto* table = file->statements[0].As<CreateStreamingTable>();
  ASSERT_NE(table, nullptr);
  EXPECT_TRUE(table->or_refresh);
  ASSERT_EQ(table->options.expectations.size(), 4U);
  EXPECT_EQ(table->options.expectations[3].action, ViolationAction::kQuarantine);
  EXPECT_EQ(table->options.expectations[3].quarantine_table->ToString(), "silver.bad");
  EXPECT_EQ(table->options.properties[1].key, "pipelines.reset.allowed");
  EXPECT_EQ(table->options.properties[1].value, "false");
  const auto& cdc = std::get<AutoCdc>(file->statements[1].As<CreateFlow>()->body);
  EXPECT_TRUE(cdc.ignore_null_updates);
  EXPECT_EQ(cdc.scd_type, AutoCdc::ScdType::kType2);
  EXPECT_EQ(cdc.track_history->columns.size(), 2U);
  EXPECT_EQ(file->statements[2].As<CreateFlow>()->target.ToString(), "t");
  EXPECT_EQ(file->statements[4].As<SetConfiguration>()->value, "'x y'");
  EXPECT_EQ(file->statements[7].As<CreateSink>()->format, "kafka");
}

TEST(PipelineParserTest, AdHocStatements) {
  const auto file = Parse(
      "SHOW TABLES IN s LIKE 'a*'; DESCRIBE EXTENDED s.t; DESCRIBE HISTORY delta.`/x`; DESC "
      "DETAIL t;"
      "EXPLAIN EXTENDED SELECT 1; DROP TABLE t; INSERT INTO t VALUES (1); CREATE TABLE t (a "
      "INT); SET");
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(file->statements[2].As<DescribeStatement>()->kind, DescribeStatement::Kind::kHistory);
  EXPECT_EQ(file->statements[5].As<DropObject>()->name.ToString(), "t");
  EXPECT_EQ(file->statements[7].As<CreateTable>()->options.columns.size(), 1U);
}

TEST(PipelineParserTest, Errors) {
  EXPECT_EQ(Code("CREATE FLOW f AS AUTO CDC INTO t FROM STREAM s KEYS (id)"),
            "MISSING_CLAUSES_FOR_OPERATION");
  EXPECT_EQ(Code("CREATE STREAMING TABLE t COMMENT 'a' COMMENT 'b'"), "DUPLICATE_CLAUSES");
  EXPECT_EQ(Code("CREATE FLOW a.f AS INSERT INTO t SELECT 1"), "MULTIPART_FLOW_NAME_NOT_SUPPORTED");
  const Status misspelt = Parse("CREATE STREMING TABLE t").status();
  EXPECT_EQ(ErrorHint(misspelt), "did you mean STREAMING instead of STREMING?")
      << misspelt.message();
  const Status violation =
      Parse(
          "CREATE STREAMING TABLE t (CONSTRAINT a EXPECT (b) ON VIOLATION DROP RWO) AS SELECT "
          "1")
          .status();
  EXPECT_EQ(ErrorCode(violation), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Code("SELECT 1 SELECT 2"), "PARSE_SYNTAX_ERROR");
  EXPECT_TRUE(Parse(" ; -- nothing\n ;").ok());
  EXPECT_EQ(Code("SET a = it's; SELECT 1"), "PARSE_SYNTAX_ERROR");
  EXPECT_EQ(Code("DROP TABLE 'x; SELECT 1"), "PARSE_SYNTAX_ERROR");
}

}  // namespace
}  // namespace sluice::sql
