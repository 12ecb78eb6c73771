// OPTIMIZE along curves: ZORDER BY, and tables with clustering columns.
#include "delta/upkeep/clustering.h"

#include "delta/commands/alter.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/row_ids.h"
#include "delta/upkeep/compaction.h"

namespace sluice::delta {
namespace {

class ClusteringTest : public TableFixture {
 protected:
  static std::shared_ptr<arrow::Schema> PointSchema() {
    const auto place = arrow::struct_({arrow::field("z", arrow::int32())});
    return arrow::schema({arrow::field("x", arrow::int32()), arrow::field("y", arrow::utf8()),
                          arrow::field("place", place), arrow::field("pad", arrow::utf8())});
  }
  /// All points of a square, in an order that has nothing to do with it.
  static std::shared_ptr<arrow::RecordBatch> Points(int part, int parts) {
    constexpr int kSide = 64;
    arrow::Int32Builder x;
    arrow::StringBuilder y;
    arrow::Int32Builder z;
    arrow::StringBuilder pad;
    for (int i = part; i < kSide * kSide; i += parts) {
      const int shuffled = i * 1789 % (kSide * kSide);
      char text[8];
      std::snprintf(text, sizeof(text), "%03d", shuffled / kSide);
      EXPECT_TRUE(x.Append(shuffled % kSide).ok());
      EXPECT_TRUE(y.Append(text).ok());
      EXPECT_TRUE(z.Append(shuffled % kSide).ok());
      EXPECT_TRUE(pad.Append(std::string(40, static_cast<char>('a' + shuffled % 26))).ok());
    }
    const auto schema = PointSchema();
    const auto place = arrow::StructArray::Make({*z.Finish()}, schema->field(2)->type()->fields());
    const auto xs = *x.Finish();
    return arrow::RecordBatch::Make(schema, xs->length(), {xs, *y.Finish(), *place, *pad.Finish()});
  }
  std::shared_ptr<Table> CreatePoints(const std::vector<ColumnPath>& cluster_by,
                                      StringMap properties = {}) {
    CreateOptions options;
    options.schema = PointSchema();
    options.properties = std::move(properties);
    const auto table = Table::Create({storage_, clock_}, "/t", options, 7).ValueOrDie();
    if (!cluster_by.empty()) {
      EXPECT_TRUE(SetClustering(*table, cluster_by).ok());
    }
    return table;
  }
  static CompactionOptions Optimize(std::vector<ColumnPath> z_order_by = {}) {
    CompactionOptions options;
    options.kind = CompactionKind::kOptimize;
    options.target_file_bytes = 1 << 10;
    options.z_order_by = std::move(z_order_by);
    return options;
  }
  /// How many files a query for one value of a column has to read, on average.
  double FilesPerQuery(const std::shared_ptr<const Snapshot>& snapshot, const std::string& column) {
    int64_t files = 0;
    constexpr int kQueries = 16;
    for (int i = 0; i < kQueries; ++i) {
      char text[8];
      std::snprintf(text, sizeof(text), "%03d", i * 4);
      ScanOptions options;
      options.predicate = {{column,
                            CompareOp::kEqual,
                            column == "y" ? arrow::MakeScalar(text) : arrow::MakeScalar(i * 4),
                            {}}};
      files += static_cast<int64_t>(
          Scan::Make(storage_, snapshot, options).ValueOrDie()->files().size());
    }
    return static_cast<double>(files) / kQueries;
  }
  std::multiset<std::string> RowTexts() {
    std::multiset<std::string> rows;
    const auto scan = Scan::Make(storage_, Snapshot::Load(storage_, "/t").ValueOrDie());
    while (true) {
      const auto batch = (*scan)->Next().ValueOrDie();
      if (batch == nullptr) return rows;
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        std::string row;
        for (const auto& column : batch->columns())
          row += column->GetScalar(i).ValueOrDie()->ToString() + "|";
        rows.insert(row);
      }
    }
  }
  int Spilled() {
    int files = 0;
    for (const auto& file : storage_.ListRecursive("/").ValueOrDie())
      files += file.path.find("_optimize-") != std::string::npos ? 1 : 0;
    return files;
  }
};

TEST_F(ClusteringTest, ZOrderLetsQueriesOnEachColumnSkipFiles) {
  const auto table = CreatePoints({});
  Append(*table, {Points(0, 2)});
  Append(*table, {Points(1, 2)});
  const auto rows = RowTexts();
  CompactionOptions options = Optimize({{"X"}, {"y"}});
  options.sort_memory_bytes = 1 << 16;  // spills
  const auto report = Compact(*table, options).ValueOrDie();
  const auto files = table->Current()->num_files();
  EXPECT_EQ(report.files_removed, 2);
  EXPECT_GT(files, 8);
  EXPECT_EQ(RowTexts(), rows);
  EXPECT_EQ(Spilled(), 0);
  EXPECT_LT(FilesPerQuery(table->Current(), "x"), 0.6 * static_cast<double>(files));
  EXPECT_LT(FilesPerQuery(table->Current(), "y"), 0.6 * static_cast<double>(files));
  const auto info = table->Current()->last_commit_info();
  EXPECT_EQ(info->operation, "OPTIMIZE");
  EXPECT_EQ(info->operation_parameters.at("zOrderBy"), R"(["X","y"])");
}

TEST_F(ClusteringTest, ZOrderByAFieldOfAStruct) {
  const auto table = CreatePoints({});
  Append(*table, {Points(0, 1)});
  ASSERT_TRUE(Compact(*table, Optimize({{"place", "z"}})).ValueOrDie().version.has_value());
  EXPECT_EQ(RowTexts().size(), 4096U);
}

TEST_F(ClusteringTest, ZOrderRefusesWhatItCannotOrderBy) {
  const auto table = Create({{"delta.dataSkippingNumIndexedCols", "1"}});
  const auto code = [&](const std::string& column) {
    return ErrorCode(Compact(*table, Optimize({{column}})).status());
  };
  EXPECT_EQ(code("day"), "DELTA_ZORDERING_ON_PARTITION_COLUMN");
  EXPECT_EQ(code("nope"), "DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST");
  EXPECT_EQ(code("text"), "DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS");
  CompactionOptions full = Optimize();
  full.full = true;
  EXPECT_EQ(ErrorCode(Compact(*table, full).status()), "DELTA_OPTIMIZE_FULL_NOT_SUPPORTED");
}

TEST_F(ClusteringTest, ClusteredTablesAreLaidOutStepByStep) {
  const auto table = CreatePoints({{"x"}, {"y"}}, {{"delta.columnMapping.mode", "name"}});
  EXPECT_TRUE(table->Current()->protocol().HasWriterFeature("clustering"));
  EXPECT_TRUE(table->Current()->protocol().HasWriterFeature("domainMetadata"));
  EXPECT_EQ(ClusteringColumns(*table->Current()).ValueOrDie(),
            (std::vector<ColumnPath>{{"x"}, {"y"}}));
  Append(*table, {Points(0, 4)});
  CompactionOptions options = Optimize();
  options.min_cube_bytes = 1;
  ASSERT_TRUE(Compact(*table, options).ValueOrDie().version.has_value());
  const auto first = table->Current()->Files();
  for (const auto& file : first) {
    EXPECT_EQ(file->clustering_provider, "liquid");
    EXPECT_EQ(file->tags.at("ZCUBE_ZORDER_BY"), R"(["x","y"])");
    EXPECT_EQ(file->tags.at("ZCUBE_ID"), first[0]->tags.at("ZCUBE_ID"));
  }
  // What is laid out stays when more comes.
  Append(*table, {Points(1, 4)});
  Append(*table, {Points(2, 4)});
  const auto rows = RowTexts();
  EXPECT_EQ(Compact(*table, options).ValueOrDie().files_removed, 2);
  for (const auto& file : first) EXPECT_NE(table->Current()->FindFile(FileKey(*file)), nullptr);
  EXPECT_EQ(RowTexts(), rows);
  EXPECT_FALSE(Compact(*table, options).ValueOrDie().version.has_value());
  // Unless it is small, or FULL is said.
  options.min_cube_bytes = 1 << 30;
  EXPECT_TRUE(Compact(*table, options).ValueOrDie().version.has_value());
  EXPECT_FALSE(Compact(*table, options).ValueOrDie().version.has_value());
  options.full = true;
  EXPECT_TRUE(Compact(*table, options).ValueOrDie().version.has_value());
  EXPECT_EQ(RowTexts(), rows);
  const auto files = static_cast<double>(table->Current()->num_files());
  EXPECT_LT(FilesPerQuery(table->Current(), "x"), 0.6 * files);
  EXPECT_LT(FilesPerQuery(table->Current(), "y"), 0.6 * files);
}

TEST_F(ClusteringTest, ColumnsChangeAndGo) {
  const auto table = CreatePoints({{"x"}});
  Append(*table, {Points(0, 4)});
  ASSERT_TRUE(Compact(*table, Optimize()).ValueOrDie().version.has_value());
  ASSERT_TRUE(SetClustering(*table, {{"y"}, {"place", "z"}}).ok());
  const auto info = table->Current()->last_commit_info();
  EXPECT_EQ(info->operation, "CLUSTER BY");
  EXPECT_EQ(info->operation_parameters.at("oldClusteringColumns"), "x");
  EXPECT_EQ(info->operation_parameters.at("newClusteringColumns"), "y,place.z");
  EXPECT_EQ(table->Current()->domain_metadata().at("delta.clustering").configuration,
            R"({"clusteringColumns":[["y"],["place","z"]],"domainName":"delta.clustering"})");
  // Laid out by other columns counts as not laid out.
  ASSERT_TRUE(Compact(*table, Optimize()).ValueOrDie().version.has_value());
  EXPECT_EQ(table->Current()->Files()[0]->tags.at("ZCUBE_ZORDER_BY"), R"(["y","place.z"])");
  EXPECT_EQ(ErrorCode(Compact(*table, Optimize({{"x"}})).status()),
            "DELTA_CLUSTERING_WITH_ZORDER_BY");
  ASSERT_TRUE(SetClustering(*table, {}).ok());
  EXPECT_TRUE(ClusteringColumns(*table->Current()).ValueOrDie().empty());
  EXPECT_TRUE(Compact(*table, Optimize({{"x"}})).ok());
}

TEST_F(ClusteringTest, RefusesColumnsThatDoNotHelp) {
  const auto table = CreatePoints({}, {{"delta.dataSkippingStatsColumns", "x,place"}});
  const auto code = [&](const std::vector<ColumnPath>& columns) {
    return ErrorCode(SetClustering(*table, columns).status());
  };
  EXPECT_EQ(code({{"nope"}}), "DELTA_COLUMN_NOT_FOUND_IN_SCHEMA");
  EXPECT_EQ(code({{"place"}}), "DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED");
  EXPECT_EQ(code({{"y"}}), "DELTA_CLUSTERING_COLUMN_MISSING_STATS");
  EXPECT_EQ(code({{"x"}, {"x"}, {"x"}, {"x"}, {"x"}}), "DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS");
  EXPECT_TRUE(SetClustering(*table, {{"place", "z"}}).ok());
  const auto partitioned = Create({}, {"day"}, "/p");
  EXPECT_EQ(ErrorCode(SetClustering(*partitioned, {{"id"}}).status()),
            "DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED");
}

TEST_F(ClusteringTest, AppendsMeanwhileDoNotConflict) {
  const auto table = CreatePoints({{"x"}});
  Append(*table, {Points(0, 4)});
  Append(*table, {Points(1, 4)});
  int appended = 0;
  storage_.SetHook([&](storage::StorageCall call, const std::string& path) {
    const bool data = path.ends_with(".parquet") && path.find("_delta_log") == std::string::npos;
    if (call == storage::StorageCall::kOpenInput && data && appended == 0) {
      ++appended;
      Append(*table, {Points(2, 4)});
    }
    return storage::StorageFault();
  });
  const auto report = Compact(*table, Optimize());
  storage_.SetHook({});
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_EQ(appended, 1);
  EXPECT_EQ(RowTexts().size(), 3072U);
}

TEST_F(ClusteringTest, RowIdsStayWithTheirRows) {
  const auto table = CreatePoints({{"x"}}, {{"delta.enableRowTracking", "true"}});
  Append(*table, {Points(0, 4)});
  const auto ids = [&] {
    std::map<int64_t, std::string> rows;
    ScanOptions options;
    options.with_row_ids = true;
    const auto scan = Scan::Make(storage_, table->Current(), options).ValueOrDie();
    while (const auto batch = scan->Next().ValueOrDie()) {
      const auto& id = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("__row_id"));
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        rows[id.Value(i)] = batch->column(0)->GetScalar(i).ValueOrDie()->ToString() + "," +
                            batch->column(1)->GetScalar(i).ValueOrDie()->ToString();
      }
    }
    return rows;
  };
  const auto before = ids();
  ASSERT_EQ(before.size(), 1024U);
  ASSERT_TRUE(Compact(*table, Optimize()).ValueOrDie().version.has_value());
  EXPECT_EQ(ids(), before);
}

TEST_F(ClusteringTest, AutomaticCompactionPacksAfterManyWrites) {
  const auto table = Create({{"delta.autoOptimize.autoCompact", "true"}}, {});
  for (int i = 0; i < 49; ++i) Append(*table, {Rows(i, 1, "a")});
  CompactAfterWrite(*table, nullptr);
  EXPECT_EQ(table->Current()->num_files(), 49);
  Append(*table, {Rows(49, 1, "a")});
  CompactAfterWrite(*table, nullptr);
  EXPECT_EQ(table->Current()->num_files(), 1);
  EXPECT_EQ(Ids(table->Current()).size(), 50U);
  EXPECT_EQ(table->Current()->last_commit_info()->operation_parameters.at("auto"), "true");
}

}  // namespace
}  // namespace sluice::delta
