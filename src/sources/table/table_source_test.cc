#include "sources/table/table_source.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "delta/files/parquet_writer.h"
#include "storage/memory_storage.h"

namespace sluice::sources {
namespace {

std::shared_ptr<arrow::Schema> Columns() {
  return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("part", arrow::utf8()),
                        arrow::field("v", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> Rows(int64_t begin, int64_t end) {
  arrow::Int64Builder keys;
  arrow::StringBuilder parts;
  arrow::StringBuilder values;
  for (int64_t i = begin; i < end; ++i) {
    EXPECT_TRUE(keys.Append(i).ok());
    // An empty partition value is null for whoever reads the table.
    EXPECT_TRUE(parts.Append(i % 3 == 0 ? "" : "p" + std::to_string(i % 3)).ok());
    EXPECT_TRUE(values.Append("v" + std::to_string(i)).ok());
  }
  return arrow::RecordBatch::Make(
      Columns(), end - begin,
      {keys.Finish().ValueOrDie(), parts.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

class TableSourceTest : public ::testing::Test {
 protected:
  void Create() {
    delta::CreateOptions options;
    options.schema = Columns();
    options.partition_columns = {"part"};
    table_ = tables_.Create("/t", options).ValueOrDie();
  }
  void Append(int64_t begin, int64_t end) {
    auto writer = delta::DataFileWriter::Make(*table_, table_->Current()).ValueOrDie();
    const auto rows = delta::AsTableReturns(Rows(begin, end), *table_->Current()).ValueOrDie();
    ASSERT_TRUE(writer->Write(rows).ok());
    auto transaction = table_->NewTransaction();
    transaction.Add(writer->Finish().ValueOrDie());
    flow::HotVersion hot;
    hot.version = transaction.Commit().ValueOrDie().version;
    hot.rows = {rows};
    hot.bytes = 1;
    hand_off_->Publish(std::move(hot));
  }
  std::unique_ptr<TableSource> Source(bool hot, bool skip = false) {
    TableSourceOptions options;
    options.id = "t";
    options.table_path = "/t";
    options.schema = arrow::schema({Columns()->field(2), Columns()->field(0), Columns()->field(1)});
    options.skip_change_commits = skip;
    return TableSource::Make(options, tables_, hot ? hand_off_ : nullptr, clock_).ValueOrDie();
  }
  /// Everything there is, as text by key; `limit` rows a poll.
  std::map<int64_t, std::string> ReadAll(TableSource* source, int64_t limit,
                                         flow::Positions* positions) {
    std::map<int64_t, std::string> rows;
    flow::PollLimits limits;
    limits.max_rows = limit;
    limits.max_wait_micros = 0;
    while (true) {
      auto batch = source->PollBatch(limits);
      EXPECT_TRUE(batch.ok()) << batch.status();
      if (!batch.ok() || batch->next.empty()) return rows;
      for (const auto& [key, value] : batch->next) (*positions)[key] = value;
      for (const auto& part : batch->rows) {
        EXPECT_TRUE(part->rows->schema()->Equals(*source->schema()));
        const auto& keys = static_cast<const arrow::Int64Array&>(*part->rows->column(1));
        for (int64_t i = 0; i < keys.length(); ++i) {
          std::string text;
          for (const auto& column : part->rows->columns())
            text += column->GetScalar(i).ValueOrDie()->ToString() + "|";
          EXPECT_TRUE(rows.emplace(keys.Value(i), text).second);
        }
      }
    }
  }

  ManualClock clock_{1'700'000'000'000'000};
  storage::MemoryStorage storage_{clock_};
  delta::TableRegistry tables_{storage_, clock_, 3};
  std::shared_ptr<flow::HandOff> hand_off_ = std::make_shared<flow::HandOff>(1 << 20);
  std::shared_ptr<delta::Table> table_;
};

TEST_F(TableSourceTest, HotAndColdReadingAreTheSame) {
  Create();
  auto hot = Source(true);
  ASSERT_TRUE(hot->Open({}, {}).ok());
  for (int64_t i = 0; i < 5; ++i) Append(i * 10, i * 10 + 10);
  flow::Positions hot_positions;
  const auto hot_rows = ReadAll(hot.get(), 1000, &hot_positions);
  EXPECT_EQ(hot->cold_rows(), 0);
  EXPECT_EQ(hot->hot_versions(), 5);
  auto versions = Source(false);
  ASSERT_TRUE(versions->Open({{"t/version", 1}}, {}).ok());
  flow::Positions positions;
  EXPECT_EQ(ReadAll(versions.get(), 7, &positions), hot_rows);
  EXPECT_EQ(positions.at("t/version"), hot_positions.at("t/version"));
  auto snapshot = Source(false);
  ASSERT_TRUE(snapshot->Open({}, {}).ok());
  EXPECT_EQ(ReadAll(snapshot.get(), 7, &positions), hot_rows);
  EXPECT_EQ(positions.at("t/version"), 6);
  EXPECT_EQ(positions.at("t/index"), -1);
}

TEST_F(TableSourceTest, ResumesWithinTheInitialSnapshotAndWithinAVersion) {
  Create();
  Append(0, 30);
  Append(30, 60);
  for (const flow::Positions& start : {flow::Positions{}, flow::Positions{{"t/version", 1}}}) {
    auto source = Source(false);
    ASSERT_TRUE(source->Open(start, {}).ok());
    std::map<int64_t, std::string> rows;
    flow::Positions positions = start;
    flow::PollLimits limits;
    limits.max_rows = 1;
    limits.max_wait_micros = 0;
    for (int i = 0; i < 30; ++i) {
      const auto batch = source->PollBatch(limits);
      ASSERT_TRUE(batch.ok()) << batch.status();
      for (const auto& [key, value] : batch->next) positions[key] = value;
      for (const auto& part : batch->rows) {
        const auto& keys = static_cast<const arrow::Int64Array&>(*part->rows->column(1));
        for (int64_t k = 0; k < keys.length(); ++k)
          EXPECT_TRUE(rows.emplace(keys.Value(k), "").second);
      }
      source = Source(false);
      ASSERT_TRUE(source->Open(positions, {}).ok());
    }
    EXPECT_EQ(rows.size(), 60U);
  }
}

TEST_F(TableSourceTest, ReadsUpToAPositionForARebuild) {
  Create();
  for (int64_t i = 0; i < 4; ++i) Append(i * 10, i * 10 + 10);
  auto source = Source(false);
  ASSERT_TRUE(source->Open({}, {}).ok());
  flow::PollLimits limits;
  limits.until = {{"t/version", 3}, {"t/index", -1}};
  flow::Positions at;
  int64_t rows = 0;
  for (int i = 0; i < 10; ++i) {
    const auto batch = source->PollBatch(limits).ValueOrDie();
    rows += batch.num_rows;
    for (const auto& [key, value] : batch.next) at[key] = value;
  }
  EXPECT_EQ(rows, 20);
  EXPECT_EQ(at, limits.until);
}

TEST_F(TableSourceTest, ARebuildLearnsOfEveryPositionItAsksFor) {
  Create();
  for (int64_t i = 0; i < 3; ++i) Append(i * 10, i * 10 + 10);
  // "part" was committed once a version had been read in parts; who starts before has none, and
  // none changes on the way.
  for (const flow::Positions& start : {flow::Positions{}, flow::Positions{{"t/version", 1}}}) {
    for (const bool hot : {false, true}) {
      auto source = Source(hot);
      ASSERT_TRUE(source->Open(start, {}).ok());
      flow::PollLimits limits;
      limits.until = {{"t/version", 4}, {"t/index", -1}, {"t/part", 0}};
      flow::Positions at = start;
      for (int i = 0; i < 4; ++i) {
        for (const auto& [key, value] : source->PollBatch(limits).ValueOrDie().next)
          at[key] = value;
      }
      EXPECT_EQ(at, limits.until);
    }
  }
}

TEST_F(TableSourceTest, ChangesAreAnErrorUnlessSkipped) {
  Create();
  Append(0, 10);
  auto transaction = table_->NewTransaction();
  transaction.Remove(*transaction.read_snapshot()->Files().front());
  ASSERT_TRUE(transaction.Commit().ok());
  Append(10, 20);
  auto strict = Source(false);
  ASSERT_TRUE(strict->Open({{"t/version", 1}}, {}).ok());
  EXPECT_TRUE(HasCode(strict->PollBatch({}).status(), "DELTA_SOURCE_TABLE_CHANGED"));
  auto lenient = Source(false, true);
  ASSERT_TRUE(lenient->Open({{"t/version", 1}}, {}).ok());
  flow::Positions positions;
  EXPECT_EQ(ReadAll(lenient.get(), 1000, &positions).size(), 20U);
}

TEST_F(TableSourceTest, EndsWhereItWasPinned) {
  auto source = Source(false);
  ASSERT_TRUE(source->Open({}, {}).ok());
  flow::Positions positions;
  EXPECT_TRUE(ReadAll(source.get(), 10, &positions).empty());  // no table yet
  Create();
  Append(0, 10);
  ASSERT_TRUE(source->PinEnd().ok());
  Append(10, 20);
  EXPECT_FALSE(source->AtEnd().ValueOrDie());
  EXPECT_EQ(ReadAll(source.get(), 1000, &positions).size(), 10U);
  EXPECT_TRUE(source->AtEnd().ValueOrDie());
}

}  // namespace
}  // namespace sluice::sources
