#include "test_operators.h"

#include <arrow/api.h>

#include <algorithm>

#include "batch/select_rows.h"

namespace sluice::sim {
namespace {

const arrow::Int64Array& Int64Column(const arrow::RecordBatch& rows, const char* name) {
  return static_cast<const arrow::Int64Array&>(*rows.GetColumnByName(name));
}

int64_t EventTime(const arrow::RecordBatch& rows, int64_t row) {
  return static_cast<const arrow::TimestampArray&>(*rows.GetColumnByName("event_time")).Value(row);
}

Status EmitSelected(const Batch& batch, const std::vector<uint32_t>& rows, flow::Collector* out) {
  SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(rows));
  SLUICE_ASSIGN_OR_RETURN(auto selected, TakeRows(batch, indices));
  return out->Emit(std::move(selected));
}

Status EmitAside(const Batch& batch, const std::vector<uint32_t>& rows, const char* table,
                 flow::Collector* out) {
  if (rows.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(rows));
  SLUICE_ASSIGN_OR_RETURN(auto selected, TakeRows(batch.rows, indices));
  return out->EmitSatellite(table, std::move(selected));
}

Status WriteInts(arrow::io::OutputStream* out, const std::vector<int64_t>& values) {
  const auto count = static_cast<int64_t>(values.size());
  SLUICE_RETURN_NOT_OK(out->Write(&count, sizeof(count)));
  return out->Write(values.data(), count * static_cast<int64_t>(sizeof(int64_t)));
}

Result<std::vector<int64_t>> ReadInts(arrow::io::InputStream* in) {
  int64_t count = 0;
  SLUICE_RETURN_NOT_OK(in->Read(sizeof(count), &count).status());
  std::vector<int64_t> values(static_cast<size_t>(count));
  SLUICE_RETURN_NOT_OK(
      in->Read(count * static_cast<int64_t>(sizeof(int64_t)), values.data()).status());
  return values;
}

}  // namespace

Status GateOperator::ProcessBatch(const flow::EpochContext&, const Batch& batch,
                                  flow::Collector* out) {
  const auto& bad = static_cast<const arrow::BooleanArray&>(*batch.rows->GetColumnByName("bad"));
  std::vector<uint32_t> good;
  std::vector<uint32_t> aside;
  for (int64_t i = 0; i < batch.num_rows(); ++i)
    (bad.Value(i) ? aside : good).push_back(static_cast<uint32_t>(i));
  auto& count = out->counters().expectations["not_bad"];
  count.passed += static_cast<int64_t>(good.size());
  count.failed += static_cast<int64_t>(aside.size());
  SLUICE_RETURN_NOT_OK(EmitAside(batch, aside, "quarantine", out));
  return EmitSelected(batch, good, out);
}

TestDedup::Pending& TestDedup::Of(EpochNumber epoch) {
  if (pending_.empty() || pending_.back().epoch != epoch)
    pending_.push_back(Pending{epoch, {}, kNoTimestamp});
  return pending_.back();
}

bool TestDedup::Seen(int64_t id) const {
  return committed_.contains(id) ||
         std::any_of(pending_.begin(), pending_.end(),
                     [&](const Pending& epoch) { return epoch.ids.contains(id); });
}

Status TestDedup::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                               flow::Collector* out) {
  const auto& ids = Int64Column(*batch.rows, "id");
  Pending& pending = Of(epoch.number);
  std::vector<uint32_t> first;
  std::vector<uint32_t> late;
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    const int64_t time = EventTime(*batch.rows, i);
    pending.max = std::max(pending.max, time);
    if (epoch.watermark != kNoTimestamp && time < epoch.watermark) {
      late.push_back(static_cast<uint32_t>(i));
    } else if (!Seen(ids.Value(i))) {
      pending.ids.emplace(ids.Value(i), time);
      first.push_back(static_cast<uint32_t>(i));
    } else {
      ++out->counters().duplicate_rows;
    }
  }
  out->counters().late_rows += static_cast<int64_t>(late.size());
  SLUICE_RETURN_NOT_OK(EmitAside(batch, late, "late", out));
  return EmitSelected(batch, first, out);
}

TimestampMicros TestDedup::MaxEventTime() const {
  TimestampMicros max = max_;
  for (const Pending& epoch : pending_) max = std::max(max, epoch.max);
  return max;
}

Status TestDedup::OnCommit(EpochNumber epoch, TableVersion, TimestampMicros watermark) {
  while (!pending_.empty() && pending_.front().epoch <= epoch) {
    committed_.merge(pending_.front().ids);
    max_ = std::max(max_, pending_.front().max);
    pending_.pop_front();
  }
  std::erase_if(committed_, [&](const auto& entry) { return entry.second < watermark; });
  return Status::OK();
}

Status TestDedup::OnAbort(EpochNumber epoch) {
  while (!pending_.empty() && pending_.back().epoch >= epoch) pending_.pop_back();
  return Status::OK();
}

Status TestDedup::SaveState(arrow::io::OutputStream* out) {
  std::vector<int64_t> values{max_};
  for (const auto& [id, time] : committed_) values.insert(values.end(), {id, time});
  return WriteInts(out, values);
}

Status TestDedup::LoadState(arrow::io::InputStream* in) {
  SLUICE_RETURN_NOT_OK(ClearState());
  SLUICE_ASSIGN_OR_RETURN(const auto values, ReadInts(in));
  max_ = values.at(0);
  for (size_t i = 1; i + 1 < values.size(); i += 2) committed_.emplace(values[i], values[i + 1]);
  return Status::OK();
}

Status TestDedup::ClearState() {
  committed_.clear();
  pending_.clear();
  max_ = kNoTimestamp;
  return Status::OK();
}

std::shared_ptr<arrow::Schema> TestAggregate::Schema() {
  return arrow::schema({arrow::field("grp", arrow::int64()), arrow::field("n", arrow::int64()),
                        arrow::field("total", arrow::int64())});
}

Status TestAggregate::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                   flow::Collector*) {
  if (pending_.empty() || pending_.back().epoch != epoch.number)
    pending_.push_back(Pending{epoch.number, {}});
  const auto& groups = Int64Column(*batch.rows, "grp");
  const auto& values = Int64Column(*batch.rows, "value");
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    Group& group = pending_.back().groups[groups.Value(i)];
    ++group.count;
    group.sum += values.Value(i);
  }
  return Status::OK();
}

Status TestAggregate::OnEpochEnd(const flow::EpochContext& epoch, flow::Collector* out) {
  if (pending_.empty() || pending_.back().epoch != epoch.number) return Status::OK();
  arrow::Int64Builder keys;
  arrow::Int64Builder counts;
  arrow::Int64Builder sums;
  arrow::Int64Builder gone;
  for (const auto& [key, unused] : pending_.back().groups) {
    Group all;
    if (const auto found = committed_.find(key); found != committed_.end()) all = found->second;
    for (const Pending& pending : pending_) {
      const auto found = pending.groups.find(key);
      if (found == pending.groups.end()) continue;
      all.count += found->second.count;
      all.sum += found->second.sum;
    }
    if (all.sum % 7 == 0) {
      SLUICE_RETURN_NOT_OK(gone.Append(key));
      continue;
    }
    SLUICE_RETURN_NOT_OK(keys.Append(key));
    SLUICE_RETURN_NOT_OK(counts.Append(all.count));
    SLUICE_RETURN_NOT_OK(sums.Append(all.sum));
  }
  SLUICE_ASSIGN_OR_RETURN(auto gone_column, gone.Finish());
  const auto gone_rows = gone_column->length();
  SLUICE_RETURN_NOT_OK(out->EmitDeletes(arrow::RecordBatch::Make(
      arrow::schema({schema_->field(0)}), gone_rows, {std::move(gone_column)})));
  Batch batch;
  SLUICE_ASSIGN_OR_RETURN(auto key_column, keys.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto count_column, counts.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto sum_column, sums.Finish());
  batch.rows = arrow::RecordBatch::Make(schema_, key_column->length(),
                                        {key_column, count_column, sum_column});
  return out->Emit(std::move(batch));
}

Status TestAggregate::OnCommit(EpochNumber epoch, TableVersion, TimestampMicros) {
  while (!pending_.empty() && pending_.front().epoch <= epoch) {
    for (const auto& [key, group] : pending_.front().groups) {
      committed_[key].count += group.count;
      committed_[key].sum += group.sum;
    }
    pending_.pop_front();
  }
  return Status::OK();
}

Status TestAggregate::OnAbort(EpochNumber epoch) {
  while (!pending_.empty() && pending_.back().epoch >= epoch) pending_.pop_back();
  return Status::OK();
}

Status TestAggregate::SaveState(arrow::io::OutputStream* out) {
  std::vector<int64_t> values;
  for (const auto& [key, group] : committed_)
    values.insert(values.end(), {key, group.count, group.sum});
  return WriteInts(out, values);
}

Status TestAggregate::LoadState(arrow::io::InputStream* in) {
  SLUICE_RETURN_NOT_OK(ClearState());
  SLUICE_ASSIGN_OR_RETURN(const auto values, ReadInts(in));
  for (size_t i = 0; i + 2 < values.size(); i += 3)
    committed_[values[i]] = {values[i + 1], values[i + 2]};
  return Status::OK();
}

Status TestAggregate::ClearState() {
  committed_.clear();
  pending_.clear();
  return Status::OK();
}

}  // namespace sluice::sim
