#include "state/rocks_status_internal.h"

namespace sluice::state {

Status FromRocks(const rocksdb::Status& status, std::string_view doing) {
  if (status.ok()) return Status::OK();
  const bool later =
      status.IsNoSpace() || status.IsBusy() || status.IsTimedOut() || status.IsTryAgain();
  return MakeError("STATE_SPILL_FAILED", std::string(doing) + " failed: " + status.ToString(),
                   "check that the state folder is on a local disk with free space, or raise the "
                   "state memory limit",
                   later ? Retry::kLater : Retry::kNever);
}

}  // namespace sluice::state
