// Where a flow goes on after a start or a failed epoch: docs/internals/commit.md, "Recovery".
#include <arrow/util/byte_size.h>
#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "base/log.h"
#include "engine/flow_runner.h"

namespace sluice::engine {
namespace {

// A replay whose positions do not move for so long gives up; between two looks it waits.
constexpr int64_t kReplayStallMicros = 300'000'000;
constexpr int64_t kReplayWaitMicros = 10'000;
// An error of the source that may pass does not undo what was replayed: it is asked again, until it
// failed for so long that the flow should show the error and start anew.
constexpr int64_t kReplayErrorMicros = 30'000'000;
constexpr int64_t kReplayRetryMicros = 500'000;

EpochNumber LastEpoch(const flow::RecoveredFlow& recovered) {
  return recovered.last_epoch.value_or(EpochNumber(-1));
}

bool Reached(const flow::Positions& at, const flow::Positions& until) {
  return std::all_of(until.begin(), until.end(), [&](const auto& entry) {
    const auto found = at.find(entry.first);
    return found != at.end() && found->second == entry.second;
  });
}

Status Stalled(const FlowSpec& spec, const flow::Positions& at, const flow::Positions& until) {
  std::string missing;
  for (const auto& [key, position] : until) {
    const auto found = at.find(key);
    if (found != at.end() && found->second == position) continue;
    missing +=
        fmt::format("{}{} stands at {}, wanted {}", missing.empty() ? "" : "; ", key,
                    found == at.end() ? "no position" : std::to_string(found->second), position);
  }
  return MakeError("FLOW_REPLAY_STALLED",
                   fmt::format("source delivers nothing for the rebuild of state of flow {}: {}",
                               spec.name, missing),
                   "look at the source's state; the flow tries again", Retry::kLater);
}

Status ForeignAdvance(const FlowSpec& spec, const flow::RecoveredFlow& found) {
  return MakeError(
      "FLOW_FOREIGN_ADVANCE",
      fmt::format("another process moved the positions of flow {} in table {} to epoch "
                  "{}{}",
                  spec.name, spec.target, LastEpoch(found).value(),
                  found.committed_by.empty() ? "" : ", by " + found.committed_by),
      "one process runs a pipeline at a time: stop the other one, then start this one again");
}

Status Stopped() {
  return MakeError("FLOW_STOPPED", "the flow was stopped while it restored its state");
}

}  // namespace

Result<flow::RecoveredFlow> FlowRunner::RecoverSink() {
  const MutexLock lock(sink_mutex_);
  return spec_.sink->Recover();
}

Status FlowRunner::Recover() {
  SLUICE_ASSIGN_OR_RETURN(recovered_, RecoverSink());
  committed_epoch_ = LastEpoch(recovered_);
  version_ = recovered_.version;
  return Status::OK();
}

Status FlowRunner::Restore() {
  if (!chain_open_) {
    SLUICE_RETURN_NOT_OK(chain_.Open());
    chain_open_ = true;
  }
  // Sources that were opened just now stand where they should: rewinding them would throw away what
  // they fetch already.
  sources_moved_ = sources_open_ > 0;
  for (; sources_open_ < spec_.inputs.size(); ++sources_open_) {
    const size_t i = sources_open_;
    SLUICE_RETURN_NOT_OK(
        spec_.inputs[i].source->Open(OfInput(i, recovered_.positions), recovered_.fingerprints));
  }
  SLUICE_RETURN_NOT_OK(chain_.ClearState());
  SLUICE_ASSIGN_OR_RETURN(const auto saved, state_.Load(recovered_, stateful_));
  saved_epoch_ = EpochNumber(saved ? saved->tag.epoch : -1);
  state_broken_ = true;  // until the end is reached
  const bool rebuild = spec_.state_rebuild != StateRebuild::kNone && recovered_.last_epoch;
  watermarks_.Reset(recovered_.watermark, {});
  if (saved) {
    watermarks_.Reset(saved->watermark, saved->open);
    if (rebuild) {
      SLUICE_RETURN_NOT_OK(
          RebuildFrom(saved->positions, EpochNumber(saved->tag.epoch), saved->watermark));
    }
  } else if (rebuild) {
    if (!stateful_.empty()) log::Info("flow {}: rebuilding state from its sources", spec_.name);
    const bool bounded = spec_.state_rebuild == StateRebuild::kFromReplay &&
                         recovered_.replay_epoch >= EpochNumber(0);
    if (bounded) {
      const EpochNumber before(recovered_.replay_epoch.value() - 1);
      SLUICE_RETURN_NOT_OK(RebuildFrom(recovered_.replay_from, before, std::nullopt));
    } else {
      SLUICE_RETURN_NOT_OK(RebuildFrom(recovered_.replay_from, EpochNumber(-1), kNoTimestamp));
    }
  }
  if (sources_moved_) SLUICE_RETURN_NOT_OK(ResumeSources());
  GoOnAt(recovered_);
  state_broken_ = false;
  return Status::OK();
}

void FlowRunner::GoOnAt(const flow::RecoveredFlow& recovered) {
  const EpochNumber last = LastEpoch(recovered);
  planned_ = recovered.positions;
  read_ = recovered.positions;
  read_fingerprints_.clear();
  read_starts_.clear();
  starts_ = recovered.replay_from;
  unplanned_since_ = 0;
  next_epoch_ = last.Next();
  unapplied_.clear();
  watermarks_.Rollback(last, recovered.watermark);
  applied_.tag = {recovered.generation, last.value(), recovered.version.value()};
  applied_.positions = recovered.positions;
  applied_.watermark = recovered.watermark;
  committed_epoch_ = last;
  version_ = recovered.version;
  state_bytes_ = chain_.StateBytes();
}

Status FlowRunner::RewindSources(const flow::Positions& positions) {
  sources_moved_ = true;
  for (size_t i = 0; i < spec_.inputs.size(); ++i) {
    SLUICE_RETURN_NOT_OK(spec_.inputs[i].source->Rewind(OfInput(i, positions)));
  }
  return Status::OK();
}

Status FlowRunner::ResumeSources() {
  sources_moved_ = true;
  for (size_t i = 0; i < spec_.inputs.size(); ++i) {
    SLUICE_RETURN_NOT_OK(
        spec_.inputs[i].source->Resume(OfInput(i, recovered_.positions), recovered_.fingerprints));
  }
  return Status::OK();
}

Status FlowRunner::StateLost(const Status& cause) const {
  if (RetryClass(cause) != Retry::kNever || HasCode(cause, "FLOW_STOPPED")) return cause;
  return MakeError(
      "FLOW_STATE_LOST",
      fmt::format("state of flow {} is lost and its source no longer has what a rebuild "
                  "needs: {}",
                  spec_.name, cause.message()),
      "run with --full-refresh " + spec_.target + " to compute it from what the source has");
}

Status FlowRunner::RebuildFrom(const flow::Positions& from, EpochNumber after,
                               std::optional<TimestampMicros> watermark) {
  const EpochNumber last = LastEpoch(recovered_);
  if (after >= last) return Status::OK();
  Status status = RewindSources(from);
  if (!status.ok()) return StateLost(status);
  const bool by_epoch =
      spec_.state_rebuild == StateRebuild::kFromReplay || watermarks_.has_watermark();
  if (by_epoch) {
    // One epoch more tells the watermark that the first one started with.
    const EpochNumber known(watermark ? after.value() : after.value() - 1);
    SLUICE_ASSIGN_OR_RETURN(auto marks, spec_.sink->History(known));
    if (!watermark) {
      watermark = kNoTimestamp;
      if (!marks.empty() && marks.front().number == after) {
        watermark = marks.front().watermark;
        marks.erase(marks.begin());
      }
    }
    if (!marks.empty() && marks.front().number == after.Next() && marks.back().number == last) {
      return ReplayMarks(marks, from, *watermark);
    }
    log::Warn("flow {}: the log has lost epochs after {}: state is rebuilt as one range",
              spec_.name, after.value());
  }
  flow::EpochMark all{last, environment_.clock->NowMicros(), recovered_.watermark, {}};
  flow::Positions at = from;
  status = ReplayTo(recovered_.positions, all, recovered_.watermark, &at);
  if (status.ok() && spec_.state_rebuild == StateRebuild::kFromReplay) {
    // Which of the rows are still open is not known by epoch: as if all of them were.
    TimestampMicros newest = recovered_.watermark;
    for (const FlowInput& input : spec_.inputs) {
      newest = std::max(newest, recovered_.watermark + input.watermark_delay_micros.value_or(0));
    }
    watermarks_.Reset(recovered_.watermark, {{after.Next(), from, newest}});
  }
  return status;
}

Status FlowRunner::ReplayMarks(const std::vector<flow::EpochMark>& marks, flow::Positions at,
                               TimestampMicros watermark) {
  for (const flow::EpochMark& mark : marks) {
    SLUICE_RETURN_NOT_OK(ReplayTo(mark.to, mark, watermark, &at));
    watermark = mark.watermark;
  }
  return Status::OK();
}

/// One round of polls towards `until`; sets `moved` when a position moved, also when a later input
/// failed.
Status FlowRunner::PollReplay(const flow::Positions& until, flow::Positions* at, EpochWork* work,
                              bool* moved) {
  for (size_t i = 0; i < spec_.inputs.size(); ++i) {
    flow::PollLimits limits;
    limits.max_rows = spec_.limits.max_epoch_rows;
    limits.max_bytes = spec_.limits.max_epoch_bytes;
    limits.until = OfInput(i, until);
    if (limits.until.empty() || Reached(*at, limits.until)) continue;
    SLUICE_ASSIGN_OR_RETURN(flow::SourceBatch batch, spec_.inputs[i].source->PollBatch(limits));
    for (const auto& [key, position] : batch.next) {
      const auto [entry, fresh] = at->emplace(key, position);
      *moved = *moved || fresh || entry->second != position;
      entry->second = position;
    }
    for (auto& rows : batch.rows) {
      work->bytes += arrow::util::TotalBufferSize(*rows->rows);
      work->rows[i].push_back(std::move(rows));
    }
  }
  return Status::OK();
}

Status FlowRunner::ReplayTo(const flow::Positions& until, const flow::EpochMark& mark,
                            TimestampMicros watermark, flow::Positions* at) {
  Clock& clock = *environment_.clock;
  int64_t moved_at = clock.SteadyMicros();
  const flow::Positions from = *at;
  bool reached = false;
  Status status;
  do {
    EpochWork work;
    work.rows.resize(spec_.inputs.size());
    while (!(reached = Reached(*at, until)) && work.bytes < spec_.limits.max_epoch_bytes) {
      if (stopping_) return Stopped();
      // A poll that failed may have passed over rows.
      if (!status.ok()) status = RewindSources(*at);
      bool moved = false;
      if (status.ok()) status = PollReplay(until, at, &work, &moved);
      const int64_t now = clock.SteadyMicros();
      if (moved) moved_at = now;
      if (!status.ok()) {
        const bool may_pass = RetryClass(status) != Retry::kNever;
        if (!may_pass || now - moved_at > kReplayErrorMicros) return StateLost(status);
        log::Warn("flow {}: {}; the rebuild of state tries again", spec_.name, status.ToString());
        clock.SleepMicros(kReplayRetryMicros);
      } else if (!moved) {
        if (now - moved_at > kReplayStallMicros) return Stalled(spec_, *at, until);
        clock.SleepMicros(kReplayWaitMicros);
      }
    }
    // A large range goes through in parts; the number repeats, as the parts belong to one epoch.
    work.context = {mark.number, mark.clock, watermark, mark.clock + spec_.limits.max_future_micros,
                    true};
    SLUICE_RETURN_NOT_OK(RunChain(&work));
    SLUICE_RETURN_NOT_OK(chain_.OnCommit(mark.number, recovered_.version, mark.watermark));
  } while (!reached);
  std::vector<TimestampMicros> newest;
  for (size_t i = 0; i < spec_.inputs.size(); ++i) newest.push_back(chain_.MaxEventTime(i));
  watermarks_.Advance(mark.number, from, newest);
  watermarks_.Forget(mark.watermark);
  return Status::OK();
}

Status FlowRunner::Reconcile() {
  if (state_broken_) {
    SLUICE_RETURN_NOT_OK(Recover());
    return Restore();
  }
  SLUICE_ASSIGN_OR_RETURN(flow::RecoveredFlow found, RecoverSink());
  const EpochNumber last = LastEpoch(found);
  const bool ours = last == committed_epoch_ ? found.positions == applied_.positions
                                             : last > committed_epoch_ && found.committed_here;
  if (!ours || found.generation != recovered_.generation) return ForeignAdvance(spec_, found);
  state_broken_ = true;
  while (!unapplied_.empty() && unapplied_.front().number <= last) {
    const flow::EpochMark& mark = unapplied_.front();
    SLUICE_RETURN_NOT_OK(chain_.OnCommit(mark.number, found.version, mark.watermark));
    unapplied_.pop_front();
  }
  SLUICE_RETURN_NOT_OK(chain_.OnAbort(last.Next()));
  recovered_ = std::move(found);
  SLUICE_RETURN_NOT_OK(ResumeSources());
  GoOnAt(recovered_);
  state_broken_ = false;
  return Status::OK();
}

}  // namespace sluice::engine
