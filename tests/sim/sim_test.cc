// Many seeds of the simulation. SLUICE_SIM_SEED=n replays one, SLUICE_SIM_SEEDS=n sets how many are
// run.
#include <gtest/gtest.h>

#include <cstdlib>

#include "base/log.h"
#include "simulation.h"

namespace sluice::sim {
namespace {

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int64_t kSeeds = 20;
#else
constexpr int64_t kSeeds = 40;
#endif

int64_t FromEnvironment(const char* name, int64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::atoll(value);
}

TEST(Simulation, TablesAgreeWithTheLedger) {
  log::SetLevel(log::Level::kError);
  const int64_t replay = FromEnvironment("SLUICE_SIM_SEED", -1);
  const int64_t first = replay >= 0 ? replay : 1;
  const int64_t count = replay >= 0 ? 1 : FromEnvironment("SLUICE_SIM_SEEDS", kSeeds);
  if (replay >= 0) log::SetLevel(log::Level::kDebug);
  SimReport total;
  int failures = 0;
  for (int64_t seed = first; seed < first + count && failures < 5; ++seed) {
    Simulation simulation(static_cast<uint64_t>(seed), SimOptions{});
    const Status status = simulation.Run();
    total.crashes += simulation.report().crashes;
    total.faults += simulation.report().faults;
    total.foreign_commits += simulation.report().foreign_commits;
    total.epochs += simulation.report().epochs;
    EXPECT_TRUE(status.ok()) << "SLUICE_SIM_SEED=" << seed << ": " << status.ToString();
    failures += status.ok() ? 0 : 1;
  }
  std::printf("%lld seeds: %lld epochs, %d crashes, %d faults, %d foreign commits\n",
              static_cast<long long>(count), static_cast<long long>(total.epochs), total.crashes,
              total.faults, total.foreign_commits);
}

}  // namespace
}  // namespace sluice::sim
