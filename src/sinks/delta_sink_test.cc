#include <arrow/api.h>
#include <gtest/gtest.h>

#include <map>

#include "base/clock.h"
#include "base/random.h"
#include "delta/files/scan.h"
#include "delta/upkeep/compaction.h"
#include "sinks/delta_append_sink.h"
#include "sinks/delta_merge_sink.h"
#include "sinks/flow_log.h"
#include "sinks/full_refresh.h"
#include "storage/memory_storage.h"

namespace sluice::sinks {
namespace {

std::shared_ptr<arrow::Schema> Columns() {
  return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> Rows(const std::vector<std::pair<int64_t, std::string>>& rows) {
  arrow::Int64Builder keys;
  arrow::StringBuilder values;
  for (const auto& [key, value] : rows) {
    EXPECT_TRUE(keys.Append(key).ok());
    EXPECT_TRUE(values.Append(value).ok());
  }
  return arrow::RecordBatch::Make(Columns(), static_cast<int64_t>(rows.size()),
                                  {keys.Finish().ValueOrDie(), values.Finish().ValueOrDie()});
}

std::shared_ptr<arrow::RecordBatch> Keys(const std::vector<int64_t>& keys) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(keys).ok());
  return arrow::RecordBatch::Make(arrow::schema({Columns()->field(0)}),
                                  static_cast<int64_t>(keys.size()),
                                  {builder.Finish().ValueOrDie()});
}

class DeltaSinkTest : public ::testing::Test {
 protected:
  DeltaSinkOptions Options() {
    DeltaSinkOptions options;
    options.flow_name = "f";
    options.table_path = "/wh/t";
    options.schema = Columns();
    options.satellites["late"] = {"/wh/late", {}, {}};
    options.host = "alpha";
    options.pid = 7;
    return options;
  }
  std::unique_ptr<DeltaAppendSink> Append(DeltaSinkOptions options, uint64_t seed = 1) {
    return DeltaAppendSink::Make(std::move(options), *tables_, seed).ValueOrDie();
  }
  void Restart() { tables_ = std::make_unique<delta::TableRegistry>(storage_, clock_, ++seed_); }

  /// The epoch after `from`, ending at `to` of partition s/p.
  static flow::EpochOutput Epoch(int64_t number, std::optional<int64_t> from, int64_t to) {
    flow::EpochOutput output;
    output.record.number = EpochNumber(number);
    output.record.clock = 1000 + number;
    if (from.has_value()) output.record.from["s/p"] = *from;
    output.record.to["s/p"] = to;
    output.record.watermark = 50 * number;
    output.record.fingerprints["s/p"] = 77 + number;
    return output;
  }
  static Status Write(flow::Sink* sink, flow::EpochOutput output) {
    SLUICE_ASSIGN_OR_RETURN(auto staged, sink->Stage(std::move(output)));
    SLUICE_RETURN_NOT_OK(sink->Commit(staged.get()).status());
    return sink->CommitSatellites(staged.get());
  }
  std::map<int64_t, std::string> Read(const std::string& path = "/wh/t") {
    std::map<int64_t, std::string> rows;
    auto snapshot = delta::Snapshot::Load(storage_, path);
    EXPECT_TRUE(snapshot.ok()) << snapshot.status();
    auto batch =
        delta::ReadAll(storage_, *snapshot).ValueOrDie()->CombineChunksToBatch().ValueOrDie();
    const auto& keys = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("k"));
    const auto& values = static_cast<const arrow::StringArray&>(*batch->GetColumnByName("v"));
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      EXPECT_TRUE(rows.emplace(keys.Value(i), values.GetString(i)).second)
          << "key twice: " << keys.Value(i);
    }
    return rows;
  }

  ManualClock clock_{1'700'000'000'000'000};
  storage::MemoryStorage storage_{clock_};
  uint64_t seed_ = 1;
  std::unique_ptr<delta::TableRegistry> tables_ =
      std::make_unique<delta::TableRegistry>(storage_, clock_, 1);
};

TEST_F(DeltaSinkTest, PositionsComeBackAfterRestart) {
  auto sink = Append(Options());
  auto fresh = sink->Recover();
  ASSERT_TRUE(fresh.ok()) << fresh.status();
  EXPECT_TRUE(fresh->positions.empty());
  EXPECT_FALSE(fresh->last_epoch.has_value());
  auto first = Epoch(0, std::nullopt, 10);
  first.rows = {Rows({{1, "a"}, {2, "b"}})};
  first.record.replay_from["s/p"] = 4;
  first.record.replay_epoch = EpochNumber(0);
  ASSERT_TRUE(Write(sink.get(), std::move(first)).ok());
  auto second = Epoch(1, 10, 25);
  second.rows = {Rows({{3, "c"}})};
  const Status written = Write(sink.get(), std::move(second));
  ASSERT_TRUE(written.ok()) << written;

  Restart();
  auto again = Append(Options(), 2);
  auto found = again->Recover();
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->positions, (flow::Positions{{"s/p", 25}}));
  EXPECT_EQ(found->replay_from, (flow::Positions{{"s/p", 4}}));
  EXPECT_EQ(found->fingerprints.at("s/p"), 78);
  EXPECT_EQ(found->last_epoch, EpochNumber(1));
  EXPECT_EQ(found->watermark, 50);
  EXPECT_FALSE(found->committed_here);
  EXPECT_NE(found->committed_by.find("alpha"), std::string::npos);
  EXPECT_EQ(Read(), (std::map<int64_t, std::string>{{1, "a"}, {2, "b"}, {3, "c"}}));
}

TEST_F(DeltaSinkTest, ASecondProcessIsRefusedWithItsName) {
  auto mine = Append(Options());
  ASSERT_TRUE(mine->Recover().ok());
  ASSERT_TRUE(Write(mine.get(), Epoch(0, std::nullopt, 10)).ok());
  delta::TableRegistry elsewhere(storage_, clock_, 99);
  auto options = Options();
  options.host = "beta";
  auto other = DeltaAppendSink::Make(options, elsewhere, 3).ValueOrDie();
  ASSERT_TRUE(other->Recover().ok());
  ASSERT_TRUE(Write(other.get(), Epoch(1, 10, 20)).ok());
  auto late = Epoch(1, 10, 15);
  late.rows = {Rows({{9, "x"}})};
  const Status refused = Write(mine.get(), std::move(late));
  EXPECT_TRUE(HasCode(refused, "FLOW_FOREIGN_ADVANCE")) << refused;
  EXPECT_NE(refused.message().find("beta"), std::string::npos) << refused;
  EXPECT_TRUE(Read().empty());
}

TEST_F(DeltaSinkTest, SatellitesBehindAreRedone) {
  auto sink = Append(Options());
  ASSERT_TRUE(sink->Recover().ok());
  auto epoch = Epoch(0, std::nullopt, 10);
  epoch.rows = {Rows({{1, "a"}})};
  epoch.satellites["late"] = {Rows({{5, "late"}})};
  auto staged = sink->Stage(std::move(epoch)).ValueOrDie();
  ASSERT_TRUE(sink->Commit(staged.get()).ok());
  staged.reset();  // the process dies before the satellites are committed
  EXPECT_TRUE(Read("/wh/late").empty());
  for (int i = 0; i < 2; ++i) {
    Restart();
    const auto recovered = Append(Options(), 5)->Recover();
    ASSERT_TRUE(recovered.ok()) << recovered.status();
    EXPECT_EQ(Read("/wh/late"), (std::map<int64_t, std::string>{{5, "late"}}));
  }
}

TEST_F(DeltaSinkTest, HistoryListsMergedEpochs) {
  auto sink = Append(Options());
  ASSERT_TRUE(sink->Recover().ok());
  ASSERT_TRUE(Write(sink.get(), Epoch(0, std::nullopt, 10)).ok());
  auto joined = Epoch(2, 10, 30);
  joined.record.merged.push_back({EpochNumber(1), 1001, 40, {{"s/p", 20}}});
  ASSERT_TRUE(Write(sink.get(), std::move(joined)).ok());
  const auto marks = sink->History(EpochNumber(0)).ValueOrDie();
  ASSERT_EQ(marks.size(), 2U);
  EXPECT_EQ(marks[0].number, EpochNumber(1));
  EXPECT_EQ(marks[0].to.at("s/p"), 20);
  EXPECT_EQ(marks[1].number, EpochNumber(2));
  EXPECT_EQ(marks[1].to.at("s/p"), 30);
  EXPECT_EQ(marks[1].watermark, 100);
  EXPECT_EQ(marks[1].clock, 1002);
}

TEST_F(DeltaSinkTest, NewColumnsAreAddedAndOtherTypesRefused) {
  ASSERT_TRUE(Append(Options())->Recover().ok());
  auto wider = Options();
  wider.schema =
      arrow::schema({Columns()->field(0), Columns()->field(1), arrow::field("w", arrow::int32())});
  ASSERT_TRUE(Append(wider)->Recover().ok());
  const auto snapshot = delta::Snapshot::Load(storage_, "/wh/t").ValueOrDie();
  EXPECT_EQ(snapshot->schema()->num_fields(), 3);
  // The narrower flow goes on, with nulls.
  auto sink = Append(Options());
  ASSERT_TRUE(sink->Recover().ok());
  auto epoch = Epoch(0, std::nullopt, 1);
  epoch.rows = {Rows({{1, "a"}})};
  ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
  auto other = Options();
  other.schema = arrow::schema({arrow::field("k", arrow::utf8()), Columns()->field(1)});
  EXPECT_TRUE(HasCode(Append(other)->Recover().status(), "FLOW_SCHEMA_MISMATCH"));
  other = Options();
  other.partition_columns = {"k"};
  EXPECT_TRUE(HasCode(Append(other)->Recover().status(), "FLOW_SCHEMA_MISMATCH"));
}

TEST_F(DeltaSinkTest, FullRefreshEmptiesTableAndSatellites) {
  auto sink = Append(Options());
  ASSERT_TRUE(sink->Recover().ok());
  auto epoch = Epoch(0, std::nullopt, 10);
  epoch.rows = {Rows({{1, "a"}})};
  epoch.satellites["late"] = {Rows({{5, "late"}})};
  ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
  ASSERT_TRUE(FullRefresh(*tables_, "/wh/t").ok());
  auto again = Append(Options(), 2);
  const auto recovered = again->Recover().ValueOrDie();
  EXPECT_EQ(recovered.generation, 1);
  EXPECT_TRUE(recovered.positions.empty());
  EXPECT_TRUE(Read().empty());
  EXPECT_TRUE(Read("/wh/late").empty());
  auto first = Epoch(0, std::nullopt, 10);
  first.rows = {Rows({{1, "a"}})};
  EXPECT_TRUE(Write(again.get(), std::move(first)).ok());

  auto locked = Options();
  locked.properties["pipelines.reset.allowed"] = "false";
  ASSERT_TRUE(Append(locked)->Recover().ok());
  EXPECT_TRUE(HasCode(FullRefresh(*tables_, "/wh/t"), "FLOW_RESET_NOT_ALLOWED"));
}

TEST_F(DeltaSinkTest, AnUntriedEpochLeavesNoFiles) {
  auto sink = Append(Options());
  ASSERT_TRUE(sink->Recover().ok());
  auto epoch = Epoch(0, std::nullopt, 10);
  epoch.rows = {Rows({{1, "a"}})};
  sink->Stage(std::move(epoch)).ValueOrDie().reset();
  for (const auto& file : storage_.ListRecursive("/wh").ValueOrDie()) {
    EXPECT_FALSE(file.path.ends_with(".parquet")) << file.path;
  }
}

TEST_F(DeltaSinkTest, SmallFilesStayBounded) {
  auto options = Options();
  options.upkeep.max_small_files = 8;
  auto sink = Append(options);
  ASSERT_TRUE(sink->Recover().ok());
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 60; ++i) {
    auto epoch = Epoch(i, i == 0 ? std::nullopt : std::optional<int64_t>(i), i + 1);
    epoch.rows = {Rows({{i, "v" + std::to_string(i)}})};
    expected[i] = "v" + std::to_string(i);
    ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
    const auto maintained = sink->Maintain();
    ASSERT_TRUE(maintained.ok()) << maintained.status();
    clock_.Advance(1'000'000);
  }
  const auto snapshot = delta::Snapshot::Load(storage_, "/wh/t").ValueOrDie();
  EXPECT_LE(snapshot->num_files(), 16);
  EXPECT_GT(snapshot->checkpoint_version().value(), 0);
  EXPECT_EQ(Read(), expected);
}

TEST_F(DeltaSinkTest, WhatWasCompactedGrowsToTheTargetSize) {
  constexpr int64_t kTarget = 64 << 10;
  auto options = Options();
  options.properties["delta.targetFileSize"] = std::to_string(kTarget);
  options.upkeep.max_small_files = 4;
  options.upkeep.small_file_bytes = 8 << 10;
  auto sink = Append(options);
  ASSERT_TRUE(sink->Recover().ok());
  Random random(3);
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 300; ++i) {
    std::string noise;
    while (noise.size() < 2000) noise += static_cast<char>('!' + random.Below(90));
    auto epoch = Epoch(i, i == 0 ? std::nullopt : std::optional<int64_t>(i), i + 1);
    epoch.rows = {Rows({{i, noise}})};
    expected[i] = noise;
    ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
    const auto maintained = sink->Maintain();
    ASSERT_TRUE(maintained.ok()) << maintained.status();
    clock_.Advance(1'000'000);
  }
  const auto snapshot = delta::Snapshot::Load(storage_, "/wh/t").ValueOrDie();
  int64_t small_bytes = 0;
  int64_t large_files = 0;
  snapshot->ForEachFile([&](const delta::AddFile& file) {
    if (file.size >= kTarget / 2) {
      ++large_files;
    } else {
      small_bytes += file.size;
    }
  });
  EXPECT_GE(large_files, 4);
  EXPECT_LT(small_bytes, 5 * kTarget);
  EXPECT_EQ(Read(), expected);
}

struct MergeMode {
  const char* name;
  bool deletion_vectors;
  int64_t whole_rows;
};

class DeltaMergeSinkTest : public DeltaSinkTest, public ::testing::WithParamInterface<MergeMode> {
 protected:
  std::unique_ptr<DeltaMergeSink> Merge() {
    auto options = Options();
    options.properties["delta.enableDeletionVectors"] =
        GetParam().deletion_vectors ? "true" : "false";
    options.upkeep.max_small_files = 6;
    return DeltaMergeSink::Make(options, {{"k"}, GetParam().whole_rows}, *tables_, ++seed_)
        .ValueOrDie();
  }
};

TEST_P(DeltaMergeSinkTest, EqualsAMapAfterRandomChanges) {
  Random random(11);
  auto sink = Merge();
  ASSERT_TRUE(sink->Recover().ok());
  std::map<int64_t, std::string> expected;
  for (int64_t i = 0; i < 120; ++i) {
    auto epoch = Epoch(i, i == 0 ? std::nullopt : std::optional<int64_t>(i), i + 1);
    std::vector<std::pair<int64_t, std::string>> rows;
    for (uint64_t n = random.Below(6); n > 0; --n) {
      rows.emplace_back(random.Below(40), "e" + std::to_string(i) + "-" + std::to_string(n));
      expected[rows.back().first] = rows.back().second;
    }
    std::vector<int64_t> gone;
    for (uint64_t n = random.Below(3); n > 0; --n) {
      gone.push_back(static_cast<int64_t>(random.Below(40)));
      const bool written = std::any_of(rows.begin(), rows.end(),
                                       [&](const auto& row) { return row.first == gone.back(); });
      if (!written) expected.erase(gone.back());
    }
    if (!rows.empty()) epoch.rows = {Rows(rows)};
    if (!gone.empty()) epoch.deletes = {Keys(gone)};
    const Status written = Write(sink.get(), std::move(epoch));
    ASSERT_TRUE(written.ok()) << i << ": " << written;
    if (i % 5 == 0) {
      const auto maintained = sink->Maintain();
      ASSERT_TRUE(maintained.ok()) << maintained.status();
    }
    if (random.OneIn(15)) {
      Restart();
      sink = Merge();
      ASSERT_TRUE(sink->Recover().ok());
    }
    if (i % 10 == 0) {
      ASSERT_EQ(Read(), expected) << "epoch " << i;
    }
    clock_.Advance(100'000);
  }
  EXPECT_EQ(Read(), expected);
  auto replaced = Epoch(120, 120, 121);
  replaced.replace = true;
  replaced.rows = {Rows({{1, "only"}})};
  ASSERT_TRUE(Write(sink.get(), std::move(replaced)).ok());
  EXPECT_EQ(Read(), (std::map<int64_t, std::string>{{1, "only"}}));
  auto after = Epoch(121, 121, 122);
  after.rows = {Rows({{1, "again"}, {2, "two"}})};
  ASSERT_TRUE(Write(sink.get(), std::move(after)).ok());
  EXPECT_EQ(Read(), (std::map<int64_t, std::string>{{1, "again"}, {2, "two"}}));
}

TEST_P(DeltaMergeSinkTest, AnEpochThatIsTriedAgainDoesNotReadTheViewAgain) {
  auto sink = Merge();
  ASSERT_TRUE(sink->Recover().ok());
  for (int64_t i = 0; i < 3; ++i) {
    auto epoch = Epoch(i, i == 0 ? std::nullopt : std::optional<int64_t>(i), i + 1);
    epoch.rows = {Rows({{i, "a"}, {i + 10, "a"}})};
    ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
  }
  int64_t opened = 0;
  bool fail = true;
  storage_.SetHook([&](storage::StorageCall call, const std::string& path) {
    storage::StorageFault fault;
    opened += call == storage::StorageCall::kOpenInput && path.ends_with(".parquet");
    if (call == storage::StorageCall::kPutIfAbsent && std::exchange(fail, false))
      fault.error = MakeError("STORAGE_IO", "injected", "", Retry::kLater);
    return fault;
  });
  // What is void after a commit that was tried is read once more; recovering alone reads nothing.
  auto epoch = Epoch(3, 3, 4);
  epoch.rows = {Rows({{1, "b"}})};
  EXPECT_TRUE(HasCode(Write(sink.get(), std::move(epoch)), "STORAGE_IO"));
  auto again = Epoch(3, 3, 4);
  again.rows = {Rows({{1, "b"}})};
  ASSERT_TRUE(sink->Recover().ok());
  ASSERT_TRUE(sink->Stage(std::move(again)).ok());
  const int64_t after_commit = opened;
  for (int i = 0; i < 5; ++i) {
    auto further = Epoch(3, 3, 4);
    further.rows = {Rows({{1, "b"}})};
    ASSERT_TRUE(sink->Recover().ok());
    ASSERT_TRUE(sink->Stage(std::move(further)).ok());
  }
  EXPECT_EQ(opened, after_commit);
  auto last = Epoch(3, 3, 4);
  last.rows = {Rows({{1, "b"}})};
  ASSERT_TRUE(Write(sink.get(), std::move(last)).ok());
  storage_.SetHook({});
  EXPECT_EQ(Read().at(1), "b");
  EXPECT_EQ(Read().size(), 6U);
}

TEST_P(DeltaMergeSinkTest, RowsThatMoveWhileTheViewIsReadAreNotKeptTwice) {
  auto sink = Merge();
  ASSERT_TRUE(sink->Recover().ok());
  for (int64_t i = 0; i < 2; ++i) {
    auto epoch = Epoch(i, i == 0 ? std::nullopt : std::optional<int64_t>(i), i + 1);
    epoch.rows = {Rows({{i, "a"}, {i + 10, "a"}})};
    ASSERT_TRUE(Write(sink.get(), std::move(epoch)).ok());
  }
  const auto change = [&] {
    auto output = Epoch(2, 2, 3);
    output.rows = {Rows({{1, "b"}})};
    return output;
  };
  auto staged = sink->Stage(change()).ValueOrDie();
  delta::TableRegistry elsewhere(storage_, clock_, 99);
  const auto foreign = elsewhere.Open("/wh/t").ValueOrDie();
  auto transaction = foreign->NewTransaction();
  transaction.SetTxn("somebody else", 1);
  ASSERT_TRUE(transaction.Commit().ok());
  const auto ours = tables_->Open("/wh/t").ValueOrDie();
  ASSERT_TRUE(ours->Update().ok());
  // While the sink reads the view anew, somebody compacts it and a reader of the view notices.
  bool once = true;
  storage_.SetHook([&](storage::StorageCall call, const std::string& path) {
    if (call == storage::StorageCall::kOpenInput && path.ends_with(".parquet") &&
        std::exchange(once, false)) {
      delta::CompactionOptions compaction;
      compaction.min_files = 2;
      EXPECT_TRUE(foreign->Update().ok());
      EXPECT_TRUE(delta::Compact(*foreign, compaction).ok());
      EXPECT_TRUE(ours->Update().ok());
    }
    return storage::StorageFault{};
  });
  Status written = sink->Commit(staged.get()).status();
  EXPECT_FALSE(once);
  storage_.SetHook({});
  if (!written.ok()) {
    EXPECT_NE(RetryClass(written), Retry::kNever) << written;
    ASSERT_TRUE(sink->Recover().ok());
    written = Write(sink.get(), change());
  }
  ASSERT_TRUE(written.ok()) << written;
  EXPECT_EQ(Read(), (std::map<int64_t, std::string>{{0, "a"}, {1, "b"}, {10, "a"}, {11, "a"}}));
}

INSTANTIATE_TEST_SUITE_P(Modes, DeltaMergeSinkTest,
                         ::testing::Values(MergeMode{"whole", true, 1000},
                                           MergeMode{"vectors", true, 0},
                                           MergeMode{"rewrite", false, 0},
                                           MergeMode{"grows", true, 20}),
                         [](const auto& param) { return std::string(param.param.name); });

}  // namespace
}  // namespace sluice::sinks
