#include "engine/recompute.h"

#include <arrow/api.h>

#include <algorithm>
#include <atomic>
#include <utility>

namespace sluice::engine {
namespace {

const char kNoInputs[] = "#constants";

std::shared_ptr<arrow::Schema> VersionsSchema() {
  return arrow::schema(
      {arrow::field("input", arrow::utf8()), arrow::field("version", arrow::int64())});
}

/// Delivers one row per input (its version) whenever rows of an input changed.
class RecomputeSource : public flow::Source {
 public:
  RecomputeSource(std::string id, std::vector<RecomputeInput> inputs, Clock& clock,
                  int64_t min_interval_micros)
      : id_(std::move(id)),
        schema_(VersionsSchema()),
        inputs_(std::move(inputs)),
        clock_(clock),
        min_interval_micros_(min_interval_micros) {}

  const std::string& id() const override { return id_; }
  const std::shared_ptr<arrow::Schema>& schema() const override { return schema_; }
  Status Open(const flow::Positions& committed, const std::map<std::string, int64_t>&) override {
    return Rewind(committed);
  }
  Status Rewind(const flow::Positions& positions) override {
    positions_ = positions;
    last_ = 0;
    return Status::OK();
  }
  Status PinEnd() override {
    SLUICE_ASSIGN_OR_RETURN(pinned_, Newest());
    return Status::OK();
  }
  Result<bool> AtEnd() override {
    return std::all_of(pinned_.begin(), pinned_.end(), [&](const auto& pin) {
      const auto at = positions_.find(KeyOf(pin.first));
      return at != positions_.end() && at->second > pin.second;
    });
  }
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits) override;
  void OnCommitted(const flow::Positions&) override {}
  flow::SourceLag Lag() override { return {lag_.load(), "RUNNING"}; }
  void Stop() override { stopped_ = true; }
  Status Close() override { return Status::OK(); }

 private:
  using Versions = std::map<std::string, int64_t>;

  std::string KeyOf(const std::string& input) const { return id_ + "/" + input; }
  Result<Versions> Newest() const {
    Versions versions;
    for (const RecomputeInput& input : inputs_) {
      SLUICE_ASSIGN_OR_RETURN(versions[input.id], input.newest_version());
    }
    if (inputs_.empty()) versions[kNoInputs] = 0;
    return versions;
  }
  Result<bool> RowsChanged(const Versions& versions) const {
    for (const auto& [input, version] : versions) {
      if (!positions_.contains(KeyOf(input))) return true;
    }
    for (const RecomputeInput& input : inputs_) {
      const int64_t before = positions_.at(KeyOf(input.id)) - 1;
      const int64_t now = versions.at(input.id);
      if (now <= before) continue;
      if (input.rows_changed == nullptr) return true;
      SLUICE_ASSIGN_OR_RETURN(const bool changed, input.rows_changed(before, now));
      if (changed) return true;
    }
    return false;
  }
  void Wait(int64_t micros) const {
    if (micros <= 0 || stopped_) return;
    for (const RecomputeInput& input : inputs_) {
      if (input.hand_off == nullptr) continue;
      input.hand_off->WaitFor(input.hand_off->newest().Next(), micros);
      return;
    }
    clock_.SleepMicros(micros);
  }

  const std::string id_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<RecomputeInput> inputs_;
  Clock& clock_;
  const int64_t min_interval_micros_;
  flow::Positions positions_;
  Versions pinned_;
  int64_t last_ = 0;  // steady time of the last delivery; 0 = none
  std::atomic<int64_t> lag_{0};
  std::atomic<bool> stopped_{false};
};

Result<flow::SourceBatch> RecomputeSource::PollBatch(const flow::PollLimits& limits) {
  flow::SourceBatch batch;
  const int64_t now = clock_.SteadyMicros();
  if (last_ != 0 && pinned_.empty() && now - last_ < min_interval_micros_) {
    Wait(std::min(limits.max_wait_micros, last_ + min_interval_micros_ - now));
    return batch;
  }
  SLUICE_ASSIGN_OR_RETURN(const Versions versions, Newest());
  const bool exist =
      std::all_of(versions.begin(), versions.end(), [](const auto& v) { return v.second >= 0; });
  bool changed = false;
  if (exist) {
    SLUICE_ASSIGN_OR_RETURN(changed, RowsChanged(versions));
    for (const auto& [input, version] : versions) {
      int64_t& position = positions_[KeyOf(input)];
      if (position != version + 1) batch.next[KeyOf(input)] = position = version + 1;
    }
  }
  lag_ = changed ? 1 : 0;
  if (!changed) {
    if (batch.next.empty()) Wait(limits.max_wait_micros);
    return batch;
  }
  arrow::StringBuilder names;
  arrow::Int64Builder numbers;
  for (const auto& [input, version] : versions) {
    SLUICE_RETURN_NOT_OK(names.Append(input));
    SLUICE_RETURN_NOT_OK(numbers.Append(version));
  }
  SLUICE_ASSIGN_OR_RETURN(auto name_column, names.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto number_column, numbers.Finish());
  auto rows = std::make_shared<SourceRows>();
  rows->source_name = id_;
  rows->rows = arrow::RecordBatch::Make(schema_, static_cast<int64_t>(versions.size()),
                                        {name_column, number_column});
  batch.num_rows = rows->rows->num_rows();
  batch.rows.push_back(std::move(rows));
  last_ = std::max<int64_t>(now, 1);
  return batch;
}

/// Computes at the end of the epoch, once, for the newest versions that came in.
class RecomputeOperator : public flow::Operator {
 public:
  RecomputeOperator(std::shared_ptr<arrow::Schema> schema, RecomputeFunction compute)
      : schema_(std::move(schema)), compute_(std::move(compute)) {}

  std::string_view name() const override { return "recompute"; }
  const std::shared_ptr<arrow::Schema>& output_schema() const override { return schema_; }
  Status ProcessBatch(const flow::EpochContext&, const Batch& batch, flow::Collector*) override {
    const auto& names = static_cast<const arrow::StringArray&>(*batch.rows->column(0));
    const auto& numbers = static_cast<const arrow::Int64Array&>(*batch.rows->column(1));
    for (int64_t i = 0; i < batch.num_rows(); ++i) versions_[names.GetString(i)] = numbers.Value(i);
    due_ = true;
    return Status::OK();
  }
  Status OnEpochEnd(const flow::EpochContext& epoch, flow::Collector* out) override {
    if (!due_) return Status::OK();
    due_ = false;
    auto versions = std::exchange(versions_, {});
    versions.erase(kNoInputs);
    SLUICE_ASSIGN_OR_RETURN(const auto rows, compute_(epoch, versions));
    out->counters().replace = true;
    for (const auto& part : rows) {
      Batch batch;
      batch.rows = part;
      SLUICE_RETURN_NOT_OK(out->Emit(std::move(batch)));
    }
    return Status::OK();
  }
  Status OnAbort(EpochNumber) override {
    due_ = false;
    versions_.clear();
    return Status::OK();
  }

 private:
  const std::shared_ptr<arrow::Schema> schema_;
  const RecomputeFunction compute_;
  std::map<std::string, int64_t> versions_;
  bool due_ = false;
};

}  // namespace

RecomputeParts MakeRecompute(const std::string& id, std::vector<RecomputeInput> inputs,
                             std::shared_ptr<arrow::Schema> output_schema,
                             RecomputeFunction compute, Clock& clock, int64_t min_interval_micros) {
  RecomputeParts parts;
  parts.source =
      std::make_unique<RecomputeSource>(id, std::move(inputs), clock, min_interval_micros);
  parts.compute = std::make_unique<RecomputeOperator>(std::move(output_schema), std::move(compute));
  return parts;
}

}  // namespace sluice::engine
