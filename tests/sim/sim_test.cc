// Many seeds of the simulation. SLUICE_SIM_SEED=n replays one with its log, SLUICE_SIM_SEEDS=n sets
// how many are run, SLUICE_SIM_FIRST=n where they begin; SLUICE_SIM_SHARD=i/n runs the i-th (from
// 0) of n parts of them.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>

#include "base/log.h"
#include "simulation.h"

namespace sluice::sim {
namespace {

// About 40 s of a core under AddressSanitizer, 20 s without.
#if defined(__SANITIZE_ADDRESS__)
constexpr int64_t kSeeds = 200;
#else
constexpr int64_t kSeeds = 400;
#endif
constexpr int kMaxFailures = 5;

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

struct Shard {
  int64_t index = 0;
  int64_t count = 1;
};

Shard ShardFromEnvironment() {
  Shard shard;
  const char* text = std::getenv("SLUICE_SIM_SHARD");
  if (text == nullptr) return shard;
  char* slash = nullptr;
  shard.index = std::strtoll(text, &slash, 10);
  shard.count = *slash == '/' ? std::strtoll(slash + 1, nullptr, 10) : 0;
  SLUICE_CHECK(shard.index >= 0 && shard.index < shard.count, "SLUICE_SIM_SHARD is i/n");
  return shard;
}

void Add(const SimReport& one, SimReport* total) {
  total->crashes += one.crashes;
  total->faults += one.faults;
  total->foreign_commits += one.foreign_commits;
  total->epochs += one.epochs;
}

TEST(Simulation, TablesAgreeWithTheLedger) {
  const int64_t replay = FromEnvironment("SLUICE_SIM_SEED", -1);
  log::SetLevel(replay >= 0 ? log::Level::kDebug : log::Level::kError);
  const Shard shard = replay >= 0 ? Shard{} : ShardFromEnvironment();
  const int64_t first = replay >= 0 ? replay : FromEnvironment("SLUICE_SIM_FIRST", 1);
  const int64_t end = first + (replay >= 0 ? 1 : FromEnvironment("SLUICE_SIM_SEEDS", kSeeds));
  SimOptions options;
  options.spill_folder = ::testing::TempDir() + "sluice_sim_" + std::to_string(getpid());
  SimReport total;
  int64_t seeds = 0;
  int failures = 0;
  for (int64_t seed = first + shard.index; seed < end && failures < kMaxFailures;
       seed += shard.count, ++seeds) {
    Simulation simulation(static_cast<uint64_t>(seed), options);
    const Status status = simulation.Run();
    Add(simulation.report(), &total);
    EXPECT_TRUE(status.ok()) << "SLUICE_SIM_SEED=" << seed << ": " << status.ToString();
    failures += status.ok() ? 0 : 1;
  }
  std::filesystem::remove_all(options.spill_folder);
  std::printf("%lld seeds: %lld epochs, %d crashes, %d faults, %d foreign commits\n",
              static_cast<long long>(seeds), static_cast<long long>(total.epochs), total.crashes,
              total.faults, total.foreign_commits);
}

}  // namespace
}  // namespace sluice::sim
