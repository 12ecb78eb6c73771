// The demo's proof: what was produced, by class, against what the example's tables hold.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "app/project.h"
#include "base/status.h"
#include "plan/demo_feed.h"

namespace sluice::app {

/// Rows of the example's tables; of a table that does not exist: 0.
struct DemoCounts {
  int64_t bronze = 0;
  int64_t silver = 0;
  int64_t late = 0;    // in quarantine, behind the watermark
  int64_t broken = 0;  // in quarantine for another reason
  int64_t gold = 0;    // events counted in gold_customers
};
Result<DemoCounts> CountDemo(Project& project);

/// One equation of the ledger.
struct LedgerLine {
  std::string what;
  int64_t produced = 0;
  int64_t found = 0;
  bool holds() const { return produced == found; }
};
/// `before`: the tables when the demo began.
std::vector<LedgerLine> CompareLedger(const plan::ProducedEvents& produced,
                                      const DemoCounts& before, const DemoCounts& after);

/// `SELECT count(*)`-like text with one integer as its result.
Result<int64_t> CountRows(Project& project, const std::string& query);

}  // namespace sluice::app
