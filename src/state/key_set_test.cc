#include "state/key_set.h"

#include <arrow/io/memory.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <optional>
#include <vector>

#include "base/random.h"

namespace sluice::state {
namespace {

constexpr int64_t kSecond = 1'000'000;

std::string TempFolder(const std::string& name) {
  std::string folder = ::testing::TempDir() + "key_set_" + name + "_" + std::to_string(getpid());
  std::filesystem::remove_all(folder);
  return folder;
}

Hash128 Key(uint64_t n) { return HashBytes128(&n, sizeof(n)); }

std::vector<uint8_t> Add(KeySet& set, int64_t epoch, int64_t watermark_second,
                         const std::vector<uint64_t>& keys, const std::vector<uint32_t>& expiry) {
  std::vector<Hash128> hashes;
  for (const uint64_t key : keys) hashes.push_back(Key(key));
  std::vector<uint8_t> fresh(keys.size());
  const TimestampMicros watermark =
      watermark_second < 0 ? kNoTimestamp : watermark_second * kSecond;
  EXPECT_TRUE(set.AddIfAbsent(EpochNumber(epoch), watermark, hashes, expiry, {}, fresh).ok());
  return fresh;
}

std::shared_ptr<arrow::Buffer> Saved(KeySet& set) {
  auto out = arrow::io::BufferOutputStream::Create().ValueOrDie();
  EXPECT_TRUE(set.Save(out.get()).ok());
  return out->Finish().ValueOrDie();
}

Status LoadFrom(KeySet& set, std::shared_ptr<arrow::Buffer> bytes) {
  arrow::io::BufferReader reader(std::move(bytes));
  return set.Load(&reader);
}

// The same set, kept naively: committed keys and one map of changes per epoch in flight.
class Model {
 public:
  uint8_t Add(int64_t epoch, uint32_t watermark, uint64_t key, uint32_t expiry) {
    std::optional<uint32_t> seen = Lookup(key);
    if (seen && *seen >= watermark) return 0;
    in_flight_[epoch][key] = expiry;
    return 1;
  }
  void Begin(int64_t epoch) { in_flight_[epoch]; }
  void Commit(int64_t epoch) {
    for (const auto& [key, expiry] : in_flight_[epoch]) committed_[key] = expiry;
    in_flight_.erase(epoch);
  }
  void Abort(int64_t epoch) { in_flight_.erase(in_flight_.lower_bound(epoch), in_flight_.end()); }
  void DropInFlight() { in_flight_.clear(); }

 private:
  std::optional<uint32_t> Lookup(uint64_t key) const {
    for (auto epoch = in_flight_.rbegin(); epoch != in_flight_.rend(); ++epoch) {
      if (auto found = epoch->second.find(key); found != epoch->second.end()) return found->second;
    }
    if (auto found = committed_.find(key); found != committed_.end()) return found->second;
    return {};
  }
  std::map<uint64_t, uint32_t> committed_;
  std::map<int64_t, std::map<uint64_t, uint32_t>> in_flight_;
};

void RandomWork(uint64_t seed, KeySetOptions options) {
  SCOPED_TRACE("seed " + std::to_string(seed));
  Random random(seed);
  auto set = KeySet::Make(options).ValueOrDie();
  Model model;
  int64_t next_epoch = 0;
  int64_t first_in_flight = 0;
  uint32_t watermark = 10;                 // committed
  std::map<int64_t, uint32_t> watermarks;  // of epochs in flight: after them
  for (int step = 0; step < 300; ++step) {
    const uint32_t start = watermarks.empty() ? watermark : watermarks.rbegin()->second;
    if (next_epoch - first_in_flight < 3 && !random.OneIn(3)) {
      model.Begin(next_epoch);
      for (int batch = 0; batch < 2; ++batch) {
        std::vector<uint64_t> keys;
        std::vector<uint32_t> expiry;
        std::vector<uint8_t> expected;
        for (uint64_t i = 0; i < random.Below(400); ++i) {
          keys.push_back(random.Below(3000));
          expiry.push_back(start + static_cast<uint32_t>(random.Below(30)));
          expected.push_back(model.Add(next_epoch, start, keys.back(), expiry.back()));
        }
        ASSERT_EQ(Add(*set, next_epoch, start, keys, expiry), expected);
      }
      watermarks[next_epoch++] = start + static_cast<uint32_t>(random.Below(4));
    } else if (next_epoch > first_in_flight && !random.OneIn(4)) {
      watermark = watermarks[first_in_flight];
      watermarks.erase(first_in_flight);
      model.Commit(first_in_flight);
      ASSERT_TRUE(set->Commit(EpochNumber(first_in_flight++), watermark * kSecond).ok());
    } else if (random.OneIn(2)) {
      const int64_t epoch = first_in_flight + static_cast<int64_t>(random.Below(3));
      model.Abort(epoch);
      ASSERT_TRUE(set->Abort(EpochNumber(epoch)).ok());
      watermarks.erase(watermarks.lower_bound(epoch), watermarks.end());
      next_epoch = std::min(next_epoch, epoch);
    } else {
      auto bytes = Saved(*set);
      set.reset();
      set = KeySet::Make(options).ValueOrDie();
      ASSERT_TRUE(LoadFrom(*set, bytes).ok());
      model.DropInFlight();
      watermarks.clear();
      next_epoch = first_in_flight;
    }
  }
}

TEST(KeySet, AgreesWithAModelOverRandomEpochs) {
  for (uint64_t seed = 1; seed <= 15; ++seed) RandomWork(seed, {});
}

TEST(KeySet, AgreesWithAModelWhenSpilling) {
  const std::string folder = TempFolder("spill");
  for (uint64_t seed = 1; seed <= 4; ++seed) {
    RandomWork(seed, {.flow_name = "f", .memory_limit_bytes = 30'000, .spill_folder = folder});
  }
  std::filesystem::remove_all(folder);
}

TEST(KeySet, TheLimitIsAnErrorWithoutAFolder) {
  auto set = KeySet::Make({.flow_name = "silver", .memory_limit_bytes = 30'000, .spill_folder = ""})
                 .ValueOrDie();
  std::vector<Hash128> keys;
  for (uint64_t i = 0; i < 2000; ++i) keys.push_back(Key(i));
  const std::vector<uint32_t> expiry(keys.size(), kNeverExpires);
  std::vector<uint8_t> fresh(keys.size());
  const Status status = set->AddIfAbsent(EpochNumber(0), kNoTimestamp, keys, expiry, {}, fresh);
  EXPECT_TRUE(HasCode(status, "STATE_LIMIT_EXCEEDED"));
  EXPECT_NE(status.message().find("silver"), std::string::npos);
}

TEST(KeySet, ExpiredKeysAreReclaimed) {
  auto set = KeySet::Make({}).ValueOrDie();
  for (int64_t epoch = 0; epoch < 2000; ++epoch) {
    const auto now = static_cast<uint32_t>(epoch + 10);
    std::vector<uint64_t> keys;
    for (uint64_t i = 0; i < 50; ++i) keys.push_back(static_cast<uint64_t>(epoch) * 50 + i);
    Add(*set, epoch, now - 5, keys, std::vector<uint32_t>(50, now));
    ASSERT_TRUE(set->Commit(EpochNumber(epoch), (now - 4) * kSecond).ok());
  }
  EXPECT_LT(set->num_keys(), 5000);
}

TEST(KeySet, TornAndAlteredFilesAreFoundOut) {
  auto set = KeySet::Make({}).ValueOrDie();
  std::vector<uint64_t> keys(100);
  for (size_t i = 0; i < keys.size(); ++i) keys[i] = i;
  Add(*set, 0, -1, keys, std::vector<uint32_t>(keys.size(), kNeverExpires));
  ASSERT_TRUE(set->Commit(EpochNumber(0), kNoTimestamp).ok());
  const auto bytes = Saved(*set);
  ASSERT_TRUE(LoadFrom(*set, bytes).ok());
  EXPECT_EQ(set->num_keys(), 100);
  for (int64_t size = 0; size < bytes->size(); size += 13) {
    EXPECT_TRUE(HasCode(LoadFrom(*set, arrow::SliceBuffer(bytes, 0, size)), "STATE_CORRUPT"))
        << size;
    EXPECT_EQ(set->num_keys(), 0);
  }
  for (int64_t at = 0; at < bytes->size(); at += 7) {
    std::string altered = bytes->ToString();
    altered[static_cast<size_t>(at)] = static_cast<char>(altered[static_cast<size_t>(at)] ^ 1);
    EXPECT_TRUE(HasCode(LoadFrom(*set, arrow::Buffer::FromString(altered)), "STATE_CORRUPT")) << at;
  }
}

// A process killed in the middle of spilling leaves a folder behind; the next one starts from the
// saved state alone.
TEST(KeySet, KilledWhileSpillingAndReopened) {
  const std::string folder = TempFolder("kill");
  const KeySetOptions options{
      .flow_name = "f", .memory_limit_bytes = 30'000, .spill_folder = folder};
  const auto work = [&](KeySet& set, int64_t epochs, int progress) {
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
      if (progress >= 0 && write(progress, "x", 1) != 1) _exit(1);
      std::vector<uint64_t> keys;
      for (uint64_t i = 0; i < 500; ++i) keys.push_back(static_cast<uint64_t>(epoch) * 400 + i);
      Add(set, epoch, -1, keys, std::vector<uint32_t>(keys.size(), kNeverExpires));
      if (!set.Commit(EpochNumber(epoch), kNoTimestamp).ok()) _exit(1);
    }
  };
  auto set = KeySet::Make(options).ValueOrDie();
  work(*set, 20, -1);
  const auto saved = Saved(*set);
  set.reset();
  for (int round = 0; round < 5; ++round) {
    int progress[2];
    ASSERT_EQ(pipe(progress), 0);
    const pid_t child = fork();
    ASSERT_GE(child, 0);
    if (child == 0) {
      auto mine = KeySet::Make(options).ValueOrDie();
      work(*mine, 1'000'000, progress[1]);
      _exit(0);
    }
    char byte = 0;
    for (int epoch = 0; epoch < 30 + round * 17; ++epoch) ASSERT_EQ(read(progress[0], &byte, 1), 1);
    kill(child, SIGKILL);
    int status = 0;
    waitpid(child, &status, 0);
    EXPECT_TRUE(WIFSIGNALED(status));
    close(progress[0]);
    close(progress[1]);
    auto reopened = KeySet::Make(options).ValueOrDie();
    ASSERT_TRUE(LoadFrom(*reopened, saved).ok());
    const auto fresh = Add(*reopened, 20, -1, {0, 499, 7999, 8099, 8100, 9000},
                           std::vector<uint32_t>(6, kNeverExpires));
    EXPECT_EQ(fresh, (std::vector<uint8_t>{0, 0, 0, 0, 1, 1}));
  }
  std::filesystem::remove_all(folder);
}

/// What was spilled is saved as links in the folder: gone or damaged, the state is not believed.
TEST(KeySet, SavedSpillIsChecked) {
  const std::string folder = TempFolder("saved");
  const KeySetOptions options{
      .flow_name = "f", .memory_limit_bytes = 30'000, .spill_folder = folder};
  auto set = KeySet::Make(options).ValueOrDie();
  std::shared_ptr<arrow::Buffer> saved;
  for (int64_t epoch = 0; epoch < 10; ++epoch) {
    std::vector<uint64_t> keys;
    for (uint64_t i = 0; i < 500; ++i) keys.push_back(static_cast<uint64_t>(epoch) * 500 + i);
    Add(*set, epoch, -1, keys, std::vector<uint32_t>(keys.size(), kNeverExpires));
    ASSERT_TRUE(set->Commit(EpochNumber(epoch), kNoTimestamp).ok());
    saved = Saved(*set);
  }
  const auto load = [&] {
    set.reset();
    set = KeySet::Make(options).ValueOrDie();
    return LoadFrom(*set, saved);
  };
  for (int again = 0; again < 2; ++again) {
    ASSERT_TRUE(load().ok()) << load();
    EXPECT_EQ(Add(*set, 10, -1, {0, 2500, 4999, 5000}, std::vector<uint32_t>(4, kNeverExpires)),
              (std::vector<uint8_t>{0, 0, 0, 1}));
  }
  EXPECT_TRUE(HasCode(
      LoadFrom(*KeySet::Make({.flow_name = "f", .memory_limit_bytes = 30'000, .spill_folder = ""})
                    .ValueOrDie(),
               saved),
      "STATE_CORRUPT"));
  int damaged = 0;
  for (const auto& file : std::filesystem::recursive_directory_iterator(folder)) {
    if (file.path().extension() != ".sst") continue;
    std::fstream bytes(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    bytes.seekp(100);
    bytes.put(static_cast<char>(0x5a));
    ++damaged;
  }
  EXPECT_GT(damaged, 0);
  EXPECT_TRUE(HasCode(load(), "STATE_CORRUPT")) << load();
  set.reset();
  std::filesystem::remove_all(folder);
  EXPECT_TRUE(HasCode(load(), "STATE_CORRUPT")) << load();
  set.reset();
  std::filesystem::remove_all(folder);
}

/// With many more keys than memory holds, and slices moving out all the time.
TEST(KeySet, SpillingGoesOn) {
  const std::string folder = TempFolder("even");
  auto set = KeySet::Make({.flow_name = "f", .memory_limit_bytes = 1 << 20, .spill_folder = folder})
                 .ValueOrDie();
  Random random(3);
  std::vector<uint64_t> first;
  for (int64_t epoch = 0; epoch < 200; ++epoch) {
    std::vector<uint64_t> keys;
    for (int i = 0; i < 2'000; ++i) keys.push_back(random.Next());
    const std::vector<uint32_t> never(keys.size(), kNeverExpires);
    EXPECT_EQ(Add(*set, epoch, -1, keys, never), std::vector<uint8_t>(keys.size(), 1));
    ASSERT_TRUE(set->Commit(EpochNumber(epoch), kNoTimestamp).ok());
    if (epoch == 0) first = keys;
  }
  EXPECT_EQ(Add(*set, 200, -1, first, std::vector<uint32_t>(first.size(), kNeverExpires)),
            std::vector<uint8_t>(first.size(), 0));
  EXPECT_GT(set->num_keys(), 300'000);
  set.reset();
  std::filesystem::remove_all(folder);
}

}  // namespace
}  // namespace sluice::state
