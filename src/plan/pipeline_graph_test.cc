#include "plan/pipeline_graph.h"

#include <gtest/gtest.h>

#include "sql/ast/parse_error.h"

namespace sluice::plan {
namespace {

Result<PipelineGraph> Build(const std::string& text,
                            std::map<std::string, std::string> configuration = {}) {
  ProjectSpec spec;
  spec.database = "db";
  spec.configuration = std::move(configuration);
  return BuildPipelineGraph(spec, {{"a.sql", text}});
}

std::string CodeOf(const std::string& text) { return ErrorCode(Build(text).status()); }

TEST(PipelineGraphTest, OrdersDatasetsByWhatTheyRead) {
  const auto graph = Build(R"(
    CREATE MATERIALIZED VIEW gold AS SELECT count(*) AS n FROM silver;
    CREATE STREAMING TABLE silver AS SELECT * FROM STREAM bronze WHERE topic = '${topic}';
    CREATE STREAMING TABLE bronze AS SELECT * FROM STREAM read_kafka(subscribe => '${topic}');
  )",
                           {{"topic", "t"}});
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->datasets.size(), 3U);
  EXPECT_EQ(graph->datasets[0].name.ToString(), "db.bronze");
  EXPECT_EQ(graph->datasets[1].name.ToString(), "db.silver");
  EXPECT_EQ(graph->datasets[2].name.ToString(), "db.gold");
  ASSERT_EQ(graph->flows.size(), 3U);
  EXPECT_EQ(graph->flows[1].reads[0].name.ToString(), "db.bronze");
  EXPECT_TRUE(graph->flows[1].reads[0].stream);
}

TEST(PipelineGraphTest, CommonTablesAreNoReferences) {
  const auto graph = Build(
      "CREATE MATERIALIZED VIEW v AS WITH x AS (SELECT * FROM t) SELECT * FROM x JOIN y ON x.a = "
      "y.a");
  ASSERT_TRUE(graph.ok()) << graph.status();
  ASSERT_EQ(graph->flows[0].reads.size(), 2U);
  EXPECT_EQ(graph->flows[0].reads[0].name.table, "t");
  EXPECT_EQ(graph->flows[0].reads[1].name.table, "y");
}

TEST(PipelineGraphTest, SaysWhatIsWrongInSparksWords) {
  EXPECT_EQ(CodeOf(""), "RUN_EMPTY_PIPELINE");
  EXPECT_EQ(CodeOf("CREATE STREAMING TABLE t;"), "PIPELINE_DATASET_WITHOUT_FLOW");
  EXPECT_EQ(CodeOf("CREATE MATERIALIZED VIEW a AS SELECT 1 AS x; CREATE MATERIALIZED VIEW A AS "
                   "SELECT 2 AS x"),
            "PIPELINE_DUPLICATE_IDENTIFIERS.DATASET");
  EXPECT_EQ(CodeOf("CREATE MATERIALIZED VIEW a AS SELECT * FROM b; CREATE MATERIALIZED VIEW b AS "
                   "SELECT * FROM a"),
            "PIPELINE_GRAPH_NOT_TOPOLOGICALLY_SORTED");
  EXPECT_EQ(CodeOf("CREATE FLOW f AS INSERT INTO t BY NAME SELECT * FROM STREAM s; "
                   "CREATE MATERIALIZED VIEW a AS SELECT 1 AS x"),
            "FLOW_TARGET_NOT_FOUND");
  EXPECT_EQ(CodeOf("SELECT 1"), "UNSUPPORTED_PIPELINE_STATEMENT");
  EXPECT_EQ(CodeOf("CREATE STREAMING TABLE t AS SELECT '${missing}' AS a FROM STREAM s"),
            "UNDEFINED_CONFIGURATION");
}

TEST(PipelineGraphTest, ErrorsNameThePlace) {
  const Status status =
      Build("CREATE MATERIALIZED VIEW a AS SELECT 1 AS x;\n\nCREATE STREAMING TABLE t;").status();
  EXPECT_NE(status.message().find("a.sql:3:1"), std::string::npos) << status.message();
  EXPECT_NE(status.message().find("^"), std::string::npos) << status.message();
}

TEST(PipelineGraphTest, AllErrorsAreGathered) {
  ProjectSpec spec;
  spec.database = "db";
  std::vector<Status> errors;
  const auto graph = BuildPipelineGraph(
      spec,
      {{"a.sql",
        "CREATE STREMING TABLE x;\nCREATE STREAMING TABLE t AS SELECT * FROM STREAM s;\n"
        "CREATE FLOW f AS INSERT INTO nowhere SELECT 1;\nSELECT FROM"},
       {"b.sql", "CREATE STREAMING TABLE t AS SELECT 1;\n\n  DELETE FROM t"},
       {"c.sql", "SET a = ${nobody};"}},
      &errors);
  ASSERT_TRUE(graph.ok()) << graph.status();
  EXPECT_EQ(graph->datasets.size(), 1U);
  std::string all;
  for (const Status& error : errors) {
    const sql::ErrorPlace* place = sql::PlaceOf(error);
    ASSERT_NE(place, nullptr) << error;
    all += ErrorCode(error) + " " + place->sql_state + " " + place->file + ":" +
           std::to_string(place->begin.line) + ":" + std::to_string(place->begin.column) + "-" +
           std::to_string(place->end.line) + ":" + std::to_string(place->end.column) + "\n";
  }
  // The target of flow f may be what the first statement wanted to make.
  EXPECT_EQ(all,
            "PARSE_SYNTAX_ERROR 42601 a.sql:1:8-1:16\n"
            "PARSE_SYNTAX_ERROR 42601 a.sql:4:8-4:12\n"
            "PIPELINE_DUPLICATE_IDENTIFIERS.DATASET 42710 b.sql:1:24-1:25\n"
            "UNSUPPORTED_PIPELINE_STATEMENT 0A000 b.sql:3:3-3:16\n"
            "UNDEFINED_CONFIGURATION 42K0I c.sql:1:9-1:18\n");
  EXPECT_EQ(ErrorHint(errors[0]), "did you mean STREAMING instead of STREMING?");
}

TEST(PipelineGraphTest, AMisspeltTargetIsSuggested) {
  const Status status =
      Build(
          "CREATE STREAMING TABLE orders AS SELECT * FROM STREAM s; CREATE FLOW f AS INSERT INTO "
          "ordres SELECT * FROM STREAM s")
          .status();
  EXPECT_EQ(ErrorCode(status), "FLOW_TARGET_NOT_FOUND");
  EXPECT_EQ(ErrorHint(status), "did you mean db.orders?");
}

}  // namespace
}  // namespace sluice::plan
