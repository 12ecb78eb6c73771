#include "operators/watermark_operator.h"

#include <arrow/array.h>

#include <algorithm>

#include "batch/select_rows.h"

namespace sluice::operators {
namespace {

constexpr int64_t kMicrosPerDay = 86'400'000'000;

struct TimeSplit {
  TimestampMicros max = kNoTimestamp;
  std::vector<uint32_t> on_time;  // filled only when there is a late row
  std::vector<uint32_t> late;
};

template <typename ValueOf>
TimeSplit SplitTimes(const arrow::Array& array, TimestampMicros ceiling, TimestampMicros watermark,
                     ValueOf value_of) {
  TimeSplit split;
  const int64_t rows = array.length();
  const bool has_nulls = array.null_count() != 0;
  int64_t late_rows = 0;
  for (int64_t i = 0; i < rows; ++i) {
    if (has_nulls && array.IsNull(i)) continue;
    const TimestampMicros time = value_of(i);
    if (time <= ceiling && time > split.max) split.max = time;
    late_rows += time < watermark;
  }
  if (late_rows == 0) return split;
  split.late.reserve(static_cast<size_t>(late_rows));
  split.on_time.reserve(static_cast<size_t>(rows - late_rows));
  for (int64_t i = 0; i < rows; ++i) {
    const bool late = !(has_nulls && array.IsNull(i)) && value_of(i) < watermark;
    (late ? split.late : split.on_time).push_back(static_cast<uint32_t>(i));
  }
  return split;
}

Result<TimeSplit> Split(const arrow::Array& array, TimestampMicros ceiling,
                        TimestampMicros watermark) {
  if (array.type_id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(*array.type()).unit() == arrow::TimeUnit::MICRO) {
    const int64_t* values = static_cast<const arrow::TimestampArray&>(array).raw_values();
    return SplitTimes(array, ceiling, watermark, [values](int64_t i) { return values[i]; });
  }
  if (array.type_id() == arrow::Type::DATE32) {
    const int32_t* values = static_cast<const arrow::Date32Array&>(array).raw_values();
    return SplitTimes(array, ceiling, watermark,
                      [values](int64_t i) { return values[i] * kMicrosPerDay; });
  }
  return MakeError("INTERNAL_ERROR",
                   "event time is not a timestamp in microseconds: " + array.type()->ToString());
}

}  // namespace

WatermarkOperator::WatermarkOperator(WatermarkOptions options) : options_(std::move(options)) {}

WatermarkOperator::EpochMax& WatermarkOperator::Current(EpochNumber number) {
  if (in_flight_.empty() || in_flight_.back().number != number)
    in_flight_.push_back({number, kNoTimestamp});
  return in_flight_.back();
}

Status WatermarkOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                       flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  const arrow::Array& times = *batch.rows->column(options_.event_time_column);
  SLUICE_ASSIGN_OR_RETURN(TimeSplit split, Split(times, epoch.max_event_time, epoch.watermark));
  EpochMax& current = Current(epoch.number);
  current.max = std::max(current.max, split.max);
  if (split.late.empty()) return out->Emit(batch);

  out->counters().late_rows += static_cast<int64_t>(split.late.size());
  if (options_.policy == LatePolicy::kKeep) return out->Emit(batch);
  if (options_.policy == LatePolicy::kQuarantine && !epoch.rebuilding) {
    SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(split.late));
    SLUICE_ASSIGN_OR_RETURN(Batch late, TakeRows(batch, indices));
    SLUICE_ASSIGN_OR_RETURN(auto rows, options_.build_late_rows(epoch, late));
    SLUICE_RETURN_NOT_OK(out->EmitSatellite(options_.late_table, std::move(rows)));
  }
  if (split.on_time.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(split.on_time));
  SLUICE_ASSIGN_OR_RETURN(Batch on_time, TakeRows(batch, indices));
  return out->Emit(std::move(on_time));
}

TimestampMicros WatermarkOperator::MaxEventTime() const {
  TimestampMicros max = committed_max_;
  for (const EpochMax& epoch : in_flight_) max = std::max(max, epoch.max);
  return max;
}

Status WatermarkOperator::OnCommit(EpochNumber epoch, TableVersion, TimestampMicros) {
  while (!in_flight_.empty() && in_flight_.front().number <= epoch) {
    committed_max_ = std::max(committed_max_, in_flight_.front().max);
    in_flight_.pop_front();
  }
  return Status::OK();
}

Status WatermarkOperator::OnAbort(EpochNumber epoch) {
  while (!in_flight_.empty() && in_flight_.back().number >= epoch) in_flight_.pop_back();
  return Status::OK();
}

Status WatermarkOperator::ClearState() {
  committed_max_ = kNoTimestamp;
  in_flight_.clear();
  return Status::OK();
}

}  // namespace sluice::operators
