#include "sql/analysis/analyzer.h"

#include <gtest/gtest.h>

#include "sql/execution/relations_for_test.h"
#include "sql/expressions/spark_type.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

class AnalyzerTest : public ::testing::Test {
 protected:
  AnalyzerTest() {
    relations_.Add("bronze", KafkaSchema(false));
    relations_.Add(
        "silver",
        *ParseSchema(
            "event_id STRING, customer_id STRING, event_type STRING, event_time TIMESTAMP, "
            "properties MAP<STRING, STRING>, amount INT"));
    relations_.Add("regions", *ParseSchema("region STRING, region_name STRING"));
  }
  PlanPtr Plan(const std::string& sql) {
    auto plan = relations_.Plan(sql);
    EXPECT_TRUE(plan.ok()) << plan.status().ToString();
    return plan.ok() ? *plan : nullptr;
  }
  std::string Code(const std::string& sql) { return ErrorCode(relations_.Plan(sql).status()); }

  TestRelations relations_;
};

TEST_F(AnalyzerTest, PlansDeduplicationOfAStream) {
  const PlanPtr plan = Plan(
      R"(SELECT e.event_id, upper(e.event_type) AS event_type, to_date(e.event_time) AS d FROM (
      SELECT from_json(CAST(value AS STRING), 'event_id STRING, event_type STRING, event_time TIMESTAMP') AS e
      FROM STREAM bronze) WATERMARK e.event_time AS event_ts DELAY OF INTERVAL 30 DAYS
      QUALIFY row_number() OVER (PARTITION BY e.event_id, e.event_time ORDER BY e.event_time) = 1)");
  ASSERT_NE(plan, nullptr);
  EXPECT_TRUE(plan->is_streaming);
  ASSERT_EQ(plan->kind, PlanKind::kProject);
  const PlanPtr dedup = plan->input();
  ASSERT_EQ(dedup->kind, PlanKind::kDedupFirst) << ToString(*plan);
  EXPECT_EQ(As<DedupFirstNode>(*dedup).keys.size(), 2u);
  ASSERT_EQ(dedup->input()->kind, PlanKind::kWatermark);
  EXPECT_EQ(As<WatermarkNode>(*dedup->input()).delay_micros, int64_t{30} * 86400 * 1000000);
  EXPECT_EQ(SparkTypeName(*plan->schema->field(2)->type()), "date");
}

TEST_F(AnalyzerTest, PlansAggregatesOverWindows) {
  const PlanPtr plan =
      Plan(R"(SELECT window(event_time, '1 hour').start AS hour, event_type, count(*) AS events,
      sum(CAST(properties['revenue'] AS DECIMAL(18, 2))) AS revenue, count(DISTINCT customer_id) AS customers
      FROM silver GROUP BY window(event_time, '1 hour'), event_type HAVING count(*) > 1 ORDER BY hour)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->schema->field(0)->name(), "hour");
  EXPECT_EQ(SparkTypeName(*plan->schema->field(0)->type()), "timestamp");
  EXPECT_EQ(SparkTypeName(*plan->schema->field(3)->type()), "decimal(28,2)");
}

TEST_F(AnalyzerTest, ResolvesNamesAndOrdinals) {
  EXPECT_NE(Plan("SELECT S.EVENT_ID, s.amount + 1 AS more, more * 2 FROM silver s ORDER BY 2 DESC, "
                 "event_type"),
            nullptr);
  EXPECT_NE(Plan("SELECT * EXCEPT (properties) FROM silver WHERE amount IN (1, 2) LIMIT 3"),
            nullptr);
  EXPECT_NE(Plan("WITH x AS (SELECT event_type, amount FROM silver) SELECT event_type, max(amount) "
                 "FROM x GROUP BY ALL"),
            nullptr);
  EXPECT_NE(Plan("SELECT amount % 10 AS bucket, avg(amount) FROM silver GROUP BY bucket"), nullptr);
  EXPECT_NE(Plan("SELECT s.event_id, r.region_name FROM STREAM silver AS s LEFT JOIN regions AS r "
                 "ON s.properties['region'] = r.region"),
            nullptr);
}

TEST_F(AnalyzerTest, JoinConditionsAreSplitIntoKeysAndResidual) {
  const PlanPtr plan = Plan(
      "SELECT 1 FROM silver s JOIN regions r ON r.region = s.event_type AND s.amount > "
      "length(r.region_name)");
  ASSERT_NE(plan, nullptr);
  const auto& join = As<JoinNode>(*plan->input());
  EXPECT_EQ(join.left_keys.size(), 1u);
  ASSERT_NE(join.residual, nullptr);
}

TEST_F(AnalyzerTest, ErrorsCarrySparksClassAndThePlace) {
  const auto status = relations_.Plan("SELECT\n  event_idd FROM silver").status();
  EXPECT_EQ(ErrorCode(status), "UNRESOLVED_COLUMN.WITH_SUGGESTION");
  EXPECT_NE(status.message().find("test.sql:2:3"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("`event_id`"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("42703"), std::string::npos);
  EXPECT_EQ(Code("SELECT 1 FROM silvr"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(Code("SELECT upperr(event_id) FROM silver"), "UNRESOLVED_ROUTINE");
  EXPECT_EQ(Code("SELECT event_id, count(*) FROM silver GROUP BY event_type"),
            "MISSING_AGGREGATION");
  EXPECT_EQ(Code("SELECT event_id, count(*) FROM silver"), "MISSING_GROUP_BY");
  EXPECT_EQ(Code("SELECT event_id FROM silver a, silver b"), "AMBIGUOUS_REFERENCE");
  EXPECT_EQ(Code("SELECT amount + true FROM silver"), "DATATYPE_MISMATCH.BINARY_OP_DIFF_TYPES");
  EXPECT_EQ(Code("SELECT sentences('Hi there.')"), "NOT_SUPPORTED_YET");
  EXPECT_EQ(Code("SELECT uuid()"), "NOT_SUPPORTED_YET");
}

TEST_F(AnalyzerTest, KafkaHasItsColumns) {
  const PlanPtr plan = Plan(
      "SELECT * FROM STREAM read_kafka(bootstrapServers => 'b:9092', subscribe => 't', "
      "includeHeaders => true)");
  ASSERT_NE(plan, nullptr);
  EXPECT_EQ(plan->schema->num_fields(), 8);
  const auto& function = As<TableFunctionNode>(*plan->input());
  EXPECT_EQ(function.args.at("subscribe"), "t");
  EXPECT_EQ(function.args.at("includeHeaders"), "true");
}

}  // namespace
}  // namespace sluice::sql
