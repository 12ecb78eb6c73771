// VERSION AS OF, TIMESTAMP AS OF and table_changes() in queries.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include "delta/files/parquet_writer.h"
#include "plan/relation_catalog.h"
#include "plan/table_scan.h"
#include "sql/analysis/analyzer.h"
#include "sql/parser/parser.h"
#include "storage/memory_storage.h"

namespace sluice::plan {
namespace {

constexpr int64_t kStart = 1'700'000'000'000'000;  // 2023-11-14 22:13:20
constexpr int64_t kMinute = 60'000'000;

/// A table `t`: version 0 is empty, version n adds the row n, a minute after the one before.
class TableVersionsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    spec_.engine.warehouse = "/w";
    spec_.catalog = "spark_catalog";
    spec_.database = "default";
    delta::CreateOptions options;
    options.schema = arrow::schema({arrow::field("id", arrow::int64())});
    options.properties = {{"delta.enableChangeDataFeed", "true"}};
    table_ = tables_.Create("/w/default/t", options).ValueOrDie();
    for (int64_t id = 1; id <= 3; ++id) Append(id);
  }

  void Append(int64_t id) {
    clock_.Advance(kMinute);
    arrow::Int64Builder ids;
    ASSERT_TRUE(ids.Append(id).ok());
    const auto writer = delta::DataFileWriter::Make(*table_, table_->Current()).ValueOrDie();
    ASSERT_TRUE(writer
                    ->Write(arrow::RecordBatch::Make(table_->Current()->schema(), 1,
                                                     {ids.Finish().ValueOrDie()}))
                    .ok());
    auto transaction = table_->NewTransaction();
    transaction.Add(writer->Finish().ValueOrDie());
    ASSERT_TRUE(transaction.Commit().ok());
  }

  Result<std::vector<std::string>> TryRun(const std::string& text, PinnedVersions pinned = {}) {
    const sql::SourceText source("query.sql", text);
    SLUICE_ASSIGN_OR_RETURN(const auto query, sql::ParseQuery(source));
    RelationCatalog catalog(spec_, tables_, datasets_, "default");
    SLUICE_ASSIGN_OR_RETURN(const auto plan, sql::Analyzer(catalog, source).AnalyzeQuery(query));
    SLUICE_ASSIGN_OR_RETURN(
        const auto table,
        runner_->RunToTable(plan, MakeScanOpener(spec_, tables_, std::move(pinned)), kStart));
    std::vector<std::string> rows;
    for (int64_t row = 0; row < table->num_rows(); ++row) {
      std::string line;
      for (int i = 0; i < table->num_columns(); ++i)
        line += (i == 0 ? "" : "|") + (*table->column(i)->GetScalar(row))->ToString();
      rows.push_back(line);
    }
    return rows;
  }
  std::vector<std::string> Run(const std::string& text) {
    auto rows = TryRun(text);
    EXPECT_TRUE(rows.ok()) << text << "\n" << rows.status().ToString();
    return rows.ValueOr({});
  }
  std::string CodeOf(const std::string& text) { return ErrorCode(TryRun(text).status()); }
  using Rows = std::vector<std::string>;

  ManualClock clock_{kStart};
  storage::MemoryStorage storage_{clock_};
  ProjectSpec spec_;
  delta::TableRegistry tables_{storage_, clock_, 7};
  std::map<catalog::TableName, KnownDataset> datasets_;
  std::shared_ptr<delta::Table> table_;
  std::unique_ptr<sql::QueryRunner> runner_ = sql::QueryRunner::Make();
};

TEST_F(TableVersionsTest, AVersionByNumber) {
  EXPECT_EQ(Run("SELECT * FROM t VERSION AS OF 2 ORDER BY id"), (Rows{"1", "2"}));
  EXPECT_EQ(Run("SELECT count(*) FROM default.t FOR SYSTEM_VERSION AS OF '0'"), Rows{"0"});
  EXPECT_EQ(Run("SELECT x.id FROM t FOR VERSION AS OF 1 AS x"), Rows{"1"});
  EXPECT_EQ(Run("SELECT * FROM t@v1"), Rows{"1"});
  EXPECT_EQ(Run("SELECT * FROM delta.`/w/default/t` VERSION AS OF 1"), Rows{"1"});
  EXPECT_EQ(Run("SELECT * FROM delta.`/w/default/t@v1`"), Rows{"1"});
  EXPECT_EQ(Run("SELECT n.id FROM t n LEFT ANTI JOIN t VERSION AS OF 2 o ON n.id = o.id"),
            Rows{"3"});
}

TEST_F(TableVersionsTest, AVersionByTime) {
  EXPECT_EQ(Run("SELECT * FROM t TIMESTAMP AS OF '2023-11-14 22:14:20'"), Rows{"1"});
  EXPECT_EQ(Run("SELECT max(id) FROM t FOR SYSTEM_TIME AS OF TIMESTAMP '2023-11-14 22:15:30'"),
            Rows{"2"});
  // The clock stands at the last commit.
  EXPECT_EQ(Run("SELECT max(id) FROM t TIMESTAMP AS OF current_timestamp() - INTERVAL 1 MINUTE"),
            Rows{"2"});
  EXPECT_EQ(Run("SELECT * FROM t@20231114221420000"), Rows{"1"});
  EXPECT_EQ(Run("SELECT * FROM delta.`/w/default/t@20231114221420000`"), Rows{"1"});
}

TEST_F(TableVersionsTest, RefusesWhatIsNoVersion) {
  EXPECT_EQ(CodeOf("SELECT * FROM t VERSION AS OF 9"), "DELTA_VERSION_NOT_FOUND");
  EXPECT_EQ(CodeOf("SELECT * FROM t VERSION AS OF 'x'"), "DELTA_VERSION_NOT_FOUND");
  EXPECT_EQ(CodeOf("SELECT * FROM t TIMESTAMP AS OF '2001-01-01'"), "DELTA_TIMESTAMP_OUT_OF_RANGE");
  EXPECT_EQ(CodeOf("SELECT * FROM t TIMESTAMP AS OF '2101-01-01'"), "DELTA_TIMESTAMP_OUT_OF_RANGE");
  EXPECT_EQ(CodeOf("SELECT * FROM t TIMESTAMP AS OF 'noon'"),
            "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT");
  EXPECT_EQ(CodeOf("SELECT * FROM t TIMESTAMP AS OF NULL"),
            "INVALID_TIME_TRAVEL_TIMESTAMP_EXPR.INPUT");
  EXPECT_EQ(CodeOf("SELECT * FROM nowhere VERSION AS OF 1"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(CodeOf("WITH c AS (SELECT 1) SELECT * FROM c VERSION AS OF 1"),
            "UNSUPPORTED_FEATURE.TIME_TRAVEL");
  EXPECT_EQ(CodeOf("SELECT * FROM t@w1"), "PARSE_SYNTAX_ERROR");
}

TEST_F(TableVersionsTest, ChangesBetweenVersions) {
  EXPECT_EQ(Run("SELECT id, _change_type, _commit_version FROM table_changes('t', 1, 2) "
                "ORDER BY id"),
            (Rows{"1|insert|1", "2|insert|2"}));
  EXPECT_EQ(Run("SELECT id FROM table_changes('default.t', 2) ORDER BY id"), (Rows{"2", "3"}));
  EXPECT_EQ(Run("SELECT sum(id) FROM table_changes_by_path('/w/default/t', 0) WHERE "
                "_commit_version > 1"),
            Rows{"5"});
  // A first time between two commits means the later one, a last time the earlier one.
  EXPECT_EQ(Run("SELECT id FROM table_changes('t', '2023-11-14 22:14:30', '2023-11-14 22:15:50')"),
            Rows{"2"});
  EXPECT_EQ(Run("SELECT count(*) FROM table_changes('t', 1, TIMESTAMP '2101-01-01 00:00:00')"),
            Rows{"3"});
  EXPECT_EQ(CodeOf("SELECT * FROM table_changes('t', 3, 2)"), "DELTA_CHANGE_FEED_RANGE");
  EXPECT_EQ(CodeOf("SELECT * FROM table_changes('t', '2101-01-01')"),
            "DELTA_TIMESTAMP_OUT_OF_RANGE");
  EXPECT_EQ(CodeOf("SELECT * FROM table_changes('nowhere', 0)"), "TABLE_OR_VIEW_NOT_FOUND");
  EXPECT_EQ(CodeOf("SELECT * FROM table_changes('t')"), "WRONG_NUM_ARGS.WITHOUT_SUGGESTION");
}

TEST_F(TableVersionsTest, APinnedQueryKeepsToItsVersions) {
  const PinnedVersions pinned = {{"default.t", 2}};
  EXPECT_EQ(*TryRun("SELECT max(id) FROM t", pinned), Rows{"2"});
  EXPECT_EQ(*TryRun("SELECT max(id) FROM t VERSION AS OF 1", pinned), Rows{"1"});
  EXPECT_EQ(*TryRun("SELECT max(id) FROM table_changes('t', 0)", pinned), Rows{"2"});
}

}  // namespace
}  // namespace sluice::plan
