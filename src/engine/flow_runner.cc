#include "engine/flow_runner.h"

#include <arrow/util/byte_size.h>

#include <algorithm>
#include <set>
#include <utility>

#include "base/log.h"

namespace sluice::engine {
namespace {

// Positions that moved over versions without rows are committed after this long even if no row ever
// comes.
constexpr int64_t kUnplannedMicros = 600'000'000;
// An input that is so many rows behind its end is worth waiting for within an epoch.
constexpr int64_t kBacklogRows = 20'000;

std::vector<OperatorChain::Operators*> OwnOperators(FlowSpec* spec) {
  std::vector<OperatorChain::Operators*> own;
  for (FlowInput& input : spec->inputs) own.push_back(&input.operators);
  return own;
}

std::vector<std::optional<int64_t>> Delays(const FlowSpec& spec) {
  std::vector<std::optional<int64_t>> delays;
  for (const FlowInput& input : spec.inputs) delays.push_back(input.watermark_delay_micros);
  return delays;
}

int64_t BytesOf(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  int64_t bytes = 0;
  for (const auto& batch : batches) {
    const auto referenced = arrow::util::ReferencedBufferSize(*batch);
    bytes += referenced.ok() ? *referenced : arrow::util::TotalBufferSize(*batch);
  }
  return bytes;
}

int64_t RowsOf(const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
  int64_t rows = 0;
  for (const auto& batch : batches) rows += batch->num_rows();
  return rows;
}

}  // namespace

FlowRunner::FlowRunner(FlowSpec spec, const FlowEnvironment& environment)
    : spec_(std::move(spec)),
      environment_(environment),
      chain_(OwnOperators(&spec_), &spec_.operators, environment.workers),
      stateful_(chain_.Stateful()),
      state_(stateful_.empty() ? nullptr : environment.snapshots, spec_.name, spec_.definition),
      watermarks_(Delays(spec_)) {}

FlowRunner::~FlowRunner() = default;

Result<std::unique_ptr<FlowRunner>> FlowRunner::Make(FlowSpec spec,
                                                     const FlowEnvironment& environment) {
  SLUICE_CHECK(environment.clock != nullptr, "a flow needs a clock");
  if (spec.sink == nullptr || spec.inputs.empty()) {
    return MakeError("FLOW_DEFINITION", "flow lacks a source or a sink: " + spec.name);
  }
  std::set<std::string> prefixes;
  for (const FlowInput& input : spec.inputs) {
    if (input.source == nullptr || !prefixes.insert(input.source->id() + "/").second) {
      return MakeError("FLOW_DEFINITION",
                       "inputs of a flow need sources with names of their own: " + spec.name);
    }
  }
  for (auto next = prefixes.begin(); next != prefixes.end();) {
    const std::string& prefix = *next++;
    if (next != prefixes.end() && next->starts_with(prefix)) {
      return MakeError("FLOW_DEFINITION", "name of a source begins with another's: " + *next);
    }
  }
  // NOLINTNEXTLINE: the constructor is private.
  return std::unique_ptr<FlowRunner>(new FlowRunner(std::move(spec), environment));
}

flow::Positions FlowRunner::OfInput(size_t input, const flow::Positions& positions) const {
  const std::string prefix = spec_.inputs[input].source->id() + "/";
  flow::Positions own;
  for (auto it = positions.lower_bound(prefix); it != positions.end(); ++it) {
    if (!it->first.starts_with(prefix)) break;
    own.insert(*it);
  }
  return own;
}

Status FlowRunner::PinEnd(size_t input) { return spec_.inputs[input].source->PinEnd(); }

Result<bool> FlowRunner::AtEnd() {
  for (FlowInput& input : spec_.inputs) {
    SLUICE_ASSIGN_OR_RETURN(const bool at_end, input.source->AtEnd());
    if (!at_end) return false;
  }
  return true;
}

Result<int64_t> FlowRunner::PollInput(size_t input, const flow::PollLimits& limits,
                                      EpochWork* work) {
  SLUICE_ASSIGN_OR_RETURN(flow::SourceBatch batch, spec_.inputs[input].source->PollBatch(limits));
  for (auto& [key, position] : batch.next) read_[key] = position;
  for (auto& [key, hash] : batch.fingerprints) read_fingerprints_[key] = hash;
  for (auto& [key, position] : batch.started) read_starts_[key] = position;
  std::move(batch.gaps.begin(), batch.gaps.end(), std::back_inserter(work->progress.gaps));
  for (auto& rows : batch.rows) {
    work->bytes += arrow::util::TotalBufferSize(*rows->rows);
    work->rows[input].push_back(std::move(rows));
  }
  work->progress.input_rows += batch.num_rows;
  return batch.num_rows;
}

Result<std::unique_ptr<EpochWork>> FlowRunner::ReadEpoch(const ReadBudget& budget) {
  auto work = std::make_unique<EpochWork>();
  work->rows.resize(spec_.inputs.size());
  const int64_t start = environment_.clock->SteadyMicros();
  const int64_t max_rows = budget.max_rows > 0 ? budget.max_rows : spec_.limits.max_epoch_rows;
  std::vector<int64_t> input_rows(spec_.inputs.size(), 0);
  int64_t wait = budget.max_wait_micros / static_cast<int64_t>(spec_.inputs.size());
  while (!stopping_) {
    int64_t polled = 0;
    bool full = false;
    size_t at_limit = 0;
    for (size_t i = 0; i < spec_.inputs.size() && !full; ++i) {
      flow::PollLimits limits;
      limits.max_rows = max_rows - work->progress.input_rows;
      limits.max_bytes = spec_.limits.max_epoch_bytes - work->bytes;
      limits.max_wait_micros = wait;
      const int64_t own_limit = spec_.inputs[i].max_rows_per_epoch;
      if (own_limit > 0) limits.max_rows = std::min(limits.max_rows, own_limit - input_rows[i]);
      if (limits.max_rows <= 0) {
        ++at_limit;
        continue;
      }
      SLUICE_ASSIGN_OR_RETURN(const int64_t rows, PollInput(i, limits, work.get()));
      polled += rows;
      input_rows[i] += rows;
      if (work->started_steady_micros == 0 && rows > 0) {
        work->started_steady_micros = environment_.clock->SteadyMicros();
        wait = 0;
      }
      full = work->progress.input_rows >= max_rows || work->bytes >= spec_.limits.max_epoch_bytes;
    }
    if (full || at_limit == spec_.inputs.size()) {
      work->backlogged = true;
      break;
    }
    if (polled > 0) continue;
    const int64_t left = start + budget.gather_micros - environment_.clock->SteadyMicros();
    if (work->progress.input_rows == 0 || left <= 0) break;
    if (Lag().records < kBacklogRows) break;
    work->backlogged = true;
    wait = std::min<int64_t>(left, 5'000);
  }
  work->progress.read_micros = environment_.clock->SteadyMicros() - start;
  return Plan(std::move(work));
}

std::unique_ptr<EpochWork> FlowRunner::Plan(std::unique_ptr<EpochWork> work) {
  // Of a topic that was created again as many records may have been read as of the old one.
  if (read_ == planned_ && work->progress.input_rows == 0) return nullptr;
  const int64_t now = environment_.clock->SteadyMicros();
  if (work->progress.input_rows == 0 && !planned_.empty()) {
    // Versions without rows (maintenance of the source table): not worth a commit of their own.
    if (unplanned_since_ == 0) unplanned_since_ = std::max<int64_t>(now, 1);
    if (now - unplanned_since_ < kUnplannedMicros) return nullptr;
  }
  unplanned_since_ = 0;
  if (work->started_steady_micros == 0) work->started_steady_micros = now;
  work->record.number = next_epoch_;
  work->record.clock = environment_.clock->NowMicros();
  work->record.from = planned_;
  work->record.to = read_;
  work->record.fingerprints = std::exchange(read_fingerprints_, {});
  work->starts = std::exchange(read_starts_, {});
  work->context.number = next_epoch_;
  work->context.clock = work->record.clock;
  work->context.max_event_time = work->record.clock + spec_.limits.max_future_micros;
  work->numbers = {next_epoch_};
  planned_ = read_;
  next_epoch_ = next_epoch_.Next();
  return work;
}

Status FlowRunner::RunChain(EpochWork* work) {
  for (size_t i = 0; i < work->rows.size(); ++i) {
    SLUICE_RETURN_NOT_OK(chain_.Process(work->context, i, work->rows[i], &work->output));
    work->rows[i].clear();
  }
  return chain_.EndEpoch(work->context, &work->output);
}

Status FlowRunner::Process(EpochWork* work) {
  const int64_t start = environment_.clock->SteadyMicros();
  work->context.watermark = watermarks_.watermark();
  SLUICE_RETURN_NOT_OK(RunChain(work));
  std::vector<TimestampMicros> newest;
  for (size_t i = 0; i < spec_.inputs.size(); ++i) newest.push_back(chain_.MaxEventTime(i));
  work->record.watermark = watermarks_.Advance(work->record.number, work->record.from, newest);
  SetReplayFrom(work);
  unapplied_.push_back(flow::EpochMark{work->record.number, work->record.clock,
                                       work->record.watermark, work->record.to});
  state_bytes_ = chain_.StateBytes();
  for (size_t i = 0; i < spec_.inputs.size(); ++i)
    spec_.inputs[i].source->OnProcessed(OfInput(i, work->record.to));
  work->progress.process_micros = environment_.clock->SteadyMicros() - start;
  Gather(work);
  return Status::OK();
}

void FlowRunner::SetReplayFrom(EpochWork* work) {
  flow::EpochRecord& record = work->record;
  for (const auto& [key, position] : work->starts) starts_[key] = position;
  if (spec_.state_rebuild == StateRebuild::kNone) return;
  if (spec_.state_rebuild == StateRebuild::kFromStart || !watermarks_.has_watermark()) {
    if (starts_.empty()) return;
    record.replay_from = starts_;
    record.replay_epoch = EpochNumber(0);
  } else if (const auto* oldest = watermarks_.Oldest()) {
    record.replay_from = oldest->from;
    record.replay_from.insert(starts_.begin(), starts_.end());  // of partitions that are new to it
    record.replay_epoch = oldest->number;
  } else {
    record.replay_from = record.to;
    record.replay_epoch = record.number.Next();
  }
}

void FlowRunner::Gather(EpochWork* work) const {
  flow::EpochOutput& out = work->output;
  EpochProgress& progress = work->progress;
  out.input_rows = progress.input_rows;
  progress.number = work->record.number;
  progress.clock = work->record.clock;
  progress.watermark = work->record.watermark;
  progress.output_rows = RowsOf(out.rows);
  progress.dropped_rows = out.dropped_rows;
  progress.late_rows = out.late_rows;
  progress.duplicate_rows = out.duplicate_rows;
  progress.expectations = out.expectations;
  for (const auto& [table, rows] : out.satellites) progress.quarantined_rows += RowsOf(rows);
}

bool FlowRunner::CanHold(const EpochWork& work) {
  return work.output.rows.empty() && work.output.deletes.empty() && !work.output.replace &&
         work.output.satellites.empty();
}

void FlowRunner::Merge(std::unique_ptr<EpochWork> held, EpochWork* next) {
  flow::EpochMark mark{held->record.number, held->record.clock, held->record.watermark, {}};
  for (const auto& [key, position] : held->record.to) {
    const auto before = held->record.from.find(key);
    if (before == held->record.from.end() || before->second != position) mark.to[key] = position;
  }
  std::vector<flow::EpochMark> merged = std::move(held->record.merged);
  merged.push_back(std::move(mark));
  std::move(next->record.merged.begin(), next->record.merged.end(), std::back_inserter(merged));
  next->record.merged = std::move(merged);
  next->record.from = std::move(held->record.from);
  next->record.fingerprints.merge(held->record.fingerprints);
  next->numbers.insert(next->numbers.begin(), held->numbers.begin(), held->numbers.end());
  next->started_steady_micros = std::min(next->started_steady_micros, held->started_steady_micros);
  EpochProgress& to = next->progress;
  const EpochProgress& from = held->progress;
  to.input_rows += from.input_rows;
  to.dropped_rows += from.dropped_rows;
  to.late_rows += from.late_rows;
  to.duplicate_rows += from.duplicate_rows;
  to.gaps.insert(to.gaps.begin(), from.gaps.begin(), from.gaps.end());
  for (const auto& [rule, count] : from.expectations) {
    to.expectations[rule].passed += count.passed;
    to.expectations[rule].failed += count.failed;
  }
}

Status FlowRunner::Stage(EpochWork* work) {
  const int64_t start = environment_.clock->SteadyMicros();
  work->output.record = work->record;
  SLUICE_ASSIGN_OR_RETURN(work->staged, spec_.sink->Stage(std::move(work->output)));
  work->output = {};
  work->progress.stage_micros = environment_.clock->SteadyMicros() - start;
  return Status::OK();
}

Status FlowRunner::Commit(EpochWork* work) {
  const int64_t start = environment_.clock->SteadyMicros();
  SLUICE_ASSIGN_OR_RETURN(work->committed, spec_.sink->Commit(work->staged.get()));
  committed_epoch_ = work->record.number;
  version_ = work->committed.version;
  work->progress.version = work->committed.version;
  work->progress.commit_micros = environment_.clock->SteadyMicros() - start;
  return Status::OK();
}

Status FlowRunner::CommitSatellites(EpochWork* work) {
  return spec_.sink->CommitSatellites(work->staged.get());
}

void FlowRunner::Publish(const EpochWork& work) {
  if (spec_.hand_off == nullptr) return;
  flow::HotVersion hot;
  hot.version = work.committed.version;
  hot.appended_only = work.committed.appended_only;
  hot.rows = work.committed.rows;
  hot.bytes = BytesOf(hot.rows);
  spec_.hand_off->Publish(std::move(hot));
}

Status FlowRunner::Apply(const EpochWork& work) {
  for (const EpochNumber number : work.numbers) {
    SLUICE_CHECK(!unapplied_.empty() && unapplied_.front().number == number,
                 "epochs are applied in the order they were processed");
    const flow::EpochMark mark = std::move(unapplied_.front());
    unapplied_.pop_front();
    state_broken_ = true;
    SLUICE_RETURN_NOT_OK(chain_.OnCommit(number, work.committed.version, mark.watermark));
    state_broken_ = false;
    watermarks_.Forget(mark.watermark);
    applied_.tag.epoch = number.value();
    applied_.tag.version = work.committed.version.value();
    applied_.positions = mark.to;
    applied_.watermark = mark.watermark;
  }
  state_bytes_ = chain_.StateBytes();
  return Status::OK();
}

void FlowRunner::Report(const EpochWork& work) {
  for (size_t i = 0; i < spec_.inputs.size(); ++i) {
    spec_.inputs[i].source->OnCommitted(OfInput(i, work.record.to));
  }
}

Status FlowRunner::SaveState() {
  if (!state_.enabled() || applied_.tag.epoch < 0) return Status::OK();
  if (saved_epoch_.value() == applied_.tag.epoch || state_.pending()) return Status::OK();
  StateHeader header = applied_;
  header.open.clear();
  for (const auto& epoch : watermarks_.open()) {
    if (epoch.number.value() <= applied_.tag.epoch) header.open.push_back(epoch);
  }
  SLUICE_RETURN_NOT_OK(state_.Save(header, stateful_));
  saved_epoch_ = EpochNumber(applied_.tag.epoch);
  return Status::OK();
}

Status FlowRunner::FinishSave() { return state_.FinishPending(); }

Status FlowRunner::Maintain() {
  const MutexLock lock(sink_mutex_);
  SLUICE_ASSIGN_OR_RETURN(const auto versions, spec_.sink->Maintain());
  for (const TableVersion version : versions) {
    if (spec_.hand_off == nullptr) break;
    flow::HotVersion hot;
    hot.version = version;
    spec_.hand_off->Publish(std::move(hot));
  }
  return Status::OK();
}

void FlowRunner::Stop() {
  stopping_ = true;
  for (FlowInput& input : spec_.inputs) input.source->Stop();
}

Status FlowRunner::Close() {
  Status first;
  for (FlowInput& input : spec_.inputs) {
    const Status status = input.source->Close();
    if (first.ok()) first = status;
  }
  return first;
}

flow::SourceLag FlowRunner::Lag() {
  flow::SourceLag all;
  for (FlowInput& input : spec_.inputs) {
    const flow::SourceLag lag = input.source->Lag();
    if (lag.records >= 0) all.records = std::max<int64_t>(all.records, 0) + lag.records;
    if (!lag.state.empty() && (all.state.empty() || all.state == "RUNNING")) all.state = lag.state;
  }
  return all;
}

}  // namespace sluice::engine
