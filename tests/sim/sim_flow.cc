#include <algorithm>
#include <utility>

#include "simulation.h"

namespace sluice::sim {

/// As the pipeline does: all of it again after an error that may pass, with what was committed
/// applied first.
Status SimFlow::Start() {
  read_.reset();
  processed_.reset();
  held_.reset();
  // An epoch whose commit succeeded must not be dropped unapplied.
  const bool committed = next_ == Next::kSatellites || next_ == Next::kPublish;
  if (committing_ != nullptr && committed) to_apply_.push_back(std::move(committing_));
  committing_.reset();
  next_ = Next::kStage;
  while (!to_apply_.empty()) SLUICE_RETURN_NOT_OK(ApplyOne());
  if (!restored_) {
    SLUICE_RETURN_NOT_OK(runner_.Recover());
    SLUICE_RETURN_NOT_OK(runner_.Restore());
    restored_ = true;
  } else {
    SLUICE_RETURN_NOT_OK(runner_.Reconcile());
  }
  started_ = true;
  return Status::OK();
}

Status SimFlow::Read() {
  engine::ReadBudget budget;
  budget.max_rows = 1 + static_cast<int64_t>(random_.Below(80));
  SLUICE_ASSIGN_OR_RETURN(read_, runner_.ReadEpoch(budget));
  idle_ = read_ == nullptr && processed_ == nullptr && held_ == nullptr && committing_ == nullptr &&
          to_apply_.empty();
  return Status::OK();
}

Status SimFlow::ApplyOne() {
  const auto work = std::move(to_apply_.front());
  to_apply_.pop_front();
  return runner_.Apply(*work);
}

Status SimFlow::CommitStep() {
  if (committing_ == nullptr) {
    committing_ = std::move(processed_);
    const bool hold = engine::FlowRunner::CanHold(*committing_) && random_.OneIn(2);
    if (held_ != nullptr) engine::FlowRunner::Merge(std::move(held_), committing_.get());
    if (hold) held_ = std::move(committing_);
    next_ = Next::kStage;
    return Status::OK();
  }
  switch (next_) {
    case Next::kStage:
      SLUICE_RETURN_NOT_OK(runner_.Stage(committing_.get()));
      next_ = Next::kCommit;
      return Status::OK();
    case Next::kCommit:
      SLUICE_RETURN_NOT_OK(runner_.Commit(committing_.get()));
      next_ = Next::kSatellites;
      return Status::OK();
    case Next::kSatellites:
      SLUICE_RETURN_NOT_OK(runner_.CommitSatellites(committing_.get()));
      next_ = Next::kPublish;
      return Status::OK();
    case Next::kPublish:
      if (!random_.OneIn(10)) runner_.Publish(*committing_);
      runner_.Report(*committing_);
      to_apply_.push_back(std::move(committing_));
      next_ = Next::kDone;
      return Status::OK();
    case Next::kDone: break;
  }
  return Status::OK();
}

Status SimFlow::Step() {
  Status status;
  if (!started_) {
    status = Start();
  } else {
    const bool can_commit = committing_ != nullptr || processed_ != nullptr;
    switch (random_.Below(6)) {
      case 0:
      case 1:
        if (read_ == nullptr) status = Read();
        break;
      case 2:
        if (read_ == nullptr || processed_ != nullptr) break;
        status = runner_.Process(read_.get());
        processed_ = std::move(read_);
        break;
      case 3:
        if (can_commit) status = CommitStep();
        // What is held goes when nothing else comes.
        if (status.ok() && !can_commit && read_ == nullptr && held_ != nullptr &&
            random_.OneIn(4)) {
          committing_ = std::move(held_);
          next_ = Next::kStage;
        }
        break;
      case 4:
        if (!to_apply_.empty()) status = ApplyOne();
        break;
      default:
        if (random_.OneIn(6)) {
          status = runner_.SaveState();
        } else if (random_.OneIn(4)) {
          status = runner_.FinishSave();
        } else if (can_commit) {
          status = CommitStep();
        }
    }
  }
  if (!status.ok()) started_ = false;
  return status;
}

}  // namespace sluice::sim
