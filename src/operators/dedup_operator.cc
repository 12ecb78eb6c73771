#include "operators/dedup_operator.h"

#include <arrow/array.h>
#include <arrow/chunked_array.h>
#include <arrow/compute/api_vector.h>
#include <arrow/table.h>

#include <algorithm>

#include "batch/select_rows.h"

namespace sluice::operators {

/// The candidates of an epoch that has to choose by order_by: rows whose key was not seen in
/// earlier epochs.
struct DedupOperator::Gathered {
  std::vector<Batch> batches;
  std::vector<uint32_t>
      key_of;  // per gathered row: number of its key within the epoch; kPassesUnchecked
  int64_t num_keys = 0;
  state::SeenSet numbers;  // key -> its number + 1
  void Clear() { *this = Gathered(); }
};

namespace {

constexpr uint32_t kPassesUnchecked = 0xFFFFFFFF;

arrow::ArrayVector Columns(const arrow::RecordBatch& rows, const std::vector<int>& indices) {
  arrow::ArrayVector columns;
  for (const int index : indices) columns.push_back(rows.column(index));
  return columns;
}

Status CheckOptions(const DedupOptions& options) {
  if (options.key_columns.empty()) return MakeError("INTERNAL_ERROR", "dedup has no key columns");
  if (options.event_time_column < 0) return Status::OK();
  const auto& type = *options.input_schema->field(options.event_time_column)->type();
  if (type.id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(type).unit() == arrow::TimeUnit::MICRO) {
    return Status::OK();
  }
  return MakeError("INTERNAL_ERROR",
                   "event time is not a timestamp in microseconds: " + type.ToString());
}

/// Rank of each row in the order of `order_by`, equal rows by position.
Result<std::vector<uint32_t>> RankRows(const std::vector<Batch>& batches,
                                       const std::vector<OrderColumn>& order_by) {
  arrow::FieldVector fields;
  arrow::ChunkedArrayVector columns;
  arrow::compute::SortOptions sort;
  for (size_t i = 0; i < order_by.size(); ++i) {
    arrow::ArrayVector chunks;
    for (const Batch& batch : batches) chunks.push_back(batch.rows->column(order_by[i].column));
    const std::string name = "o" + std::to_string(i);
    fields.push_back(arrow::field(name, chunks[0]->type()));
    columns.push_back(std::make_shared<arrow::ChunkedArray>(std::move(chunks)));
    sort.sort_keys.emplace_back(name,
                                order_by[i].ascending ? arrow::compute::SortOrder::Ascending
                                                      : arrow::compute::SortOrder::Descending,
                                order_by[i].nulls_first ? arrow::compute::NullPlacement::AtStart
                                                        : arrow::compute::NullPlacement::AtEnd);
  }
  const auto table = arrow::Table::Make(arrow::schema(std::move(fields)), std::move(columns));
  SLUICE_ASSIGN_OR_RETURN(const auto sorted,
                          arrow::compute::SortIndices(arrow::Datum(table), sort));
  const auto& positions = static_cast<const arrow::UInt64Array&>(*sorted);
  std::vector<uint32_t> ranks(static_cast<size_t>(positions.length()));
  for (int64_t i = 0; i < positions.length(); ++i)
    ranks[positions.Value(i)] = static_cast<uint32_t>(i);
  return ranks;
}

}  // namespace

DedupOperator::DedupOperator(DedupOptions options, std::unique_ptr<state::KeySet> seen,
                             state::RowEncoder encoder)
    : options_(std::move(options)), seen_(std::move(seen)), encoder_(std::move(encoder)) {
  // A column that is part of the key is equal in all rows to choose from.
  for (const OrderColumn& order : options_.order_by) {
    const auto& keys = options_.key_columns;
    if (std::find(keys.begin(), keys.end(), order.column) == keys.end()) order_by_.push_back(order);
  }
  if (!order_by_.empty()) gathered_ = std::make_unique<Gathered>();
}

DedupOperator::~DedupOperator() = default;

Result<std::unique_ptr<DedupOperator>> DedupOperator::Make(DedupOptions options) {
  SLUICE_RETURN_NOT_OK(CheckOptions(options));
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const int column : options.key_columns)
    types.push_back(options.input_schema->field(column)->type());
  SLUICE_ASSIGN_OR_RETURN(state::RowEncoder encoder, state::RowEncoder::Make(std::move(types)));
  SLUICE_ASSIGN_OR_RETURN(auto seen, state::KeySet::Make(options.state));
  return std::unique_ptr<DedupOperator>(
      new DedupOperator(std::move(options), std::move(seen), std::move(encoder)));
}

/// Fills in when each key is forgotten, and which rows are late and pass unchecked.
void DedupOperator::SetExpiry(const flow::EpochContext& epoch, const arrow::RecordBatch& rows) {
  const auto num_rows = static_cast<size_t>(rows.num_rows());
  late_.clear();
  expiry_.assign(num_rows, state::kNeverExpires);
  if (options_.event_time_column < 0) return;
  const auto& times =
      static_cast<const arrow::TimestampArray&>(*rows.column(options_.event_time_column));
  const int64_t* values = times.raw_values();
  const bool nulls = times.null_count() != 0;
  bool any_late = false;
  for (size_t i = 0; i < num_rows; ++i) {
    if (nulls && times.IsNull(static_cast<int64_t>(i))) continue;
    expiry_[i] = state::ExpirySecond(values[i]);
    any_late |= values[i] < epoch.watermark;
  }
  if (!any_late) return;
  late_.resize(num_rows);
  for (size_t i = 0; i < num_rows; ++i) {
    late_[i] = values[i] < epoch.watermark && !(nulls && times.IsNull(static_cast<int64_t>(i)));
  }
}

Status DedupOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                   flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  const auto num_rows = static_cast<size_t>(batch.num_rows());
  SLUICE_RETURN_NOT_OK(
      encoder_.HashAll(Columns(*batch.rows, options_.key_columns), batch.num_rows(), &hashes_));
  SetExpiry(epoch, *batch.rows);
  if (gathered_ != nullptr) return Gather(epoch, batch, out);
  fresh_.resize(num_rows);
  SLUICE_RETURN_NOT_OK(
      seen_->AddIfAbsent(epoch.number, epoch.watermark, hashes_, expiry_, late_, fresh_));
  std::vector<uint32_t> first;
  first.reserve(num_rows);
  for (size_t i = 0; i < num_rows; ++i) {
    if (fresh_[i] != 0) first.push_back(static_cast<uint32_t>(i));
  }
  out->counters().duplicate_rows += static_cast<int64_t>(num_rows - first.size());
  if (first.size() == num_rows) return out->Emit(batch);
  return EmitRows(batch, first, out);
}

Status DedupOperator::EmitRows(const Batch& batch, const std::vector<uint32_t>& rows,
                               flow::Collector* out) {
  if (rows.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(rows));
  SLUICE_ASSIGN_OR_RETURN(Batch taken, TakeRows(batch, indices));
  return out->Emit(std::move(taken));
}

/// Numbers the keys of the epoch: the rows of a key compete in OnEpochEnd. A key seen in an earlier
/// epoch is out.
Status DedupOperator::Gather(const flow::EpochContext& epoch, const Batch& batch,
                             flow::Collector* out) {
  const auto num_rows = static_cast<size_t>(batch.num_rows());
  fresh_.resize(num_rows);
  SLUICE_RETURN_NOT_OK(
      seen_->AddIfAbsent(epoch.number, epoch.watermark, hashes_, expiry_, late_, fresh_));
  std::vector<uint32_t> candidates;
  for (size_t i = 0; i < num_rows; ++i) {
    uint32_t key_number = kPassesUnchecked;
    if (late_.empty() || late_[i] == 0) {
      uint32_t* number = gathered_->numbers.Find(hashes_[i]);
      if (number != nullptr) {
        key_number = *number - 1;
      } else if (fresh_[i] != 0) {
        key_number = static_cast<uint32_t>(gathered_->num_keys++);
        gathered_->numbers.Insert(hashes_[i], key_number + 1, &number);
      } else {
        continue;
      }
    }
    candidates.push_back(static_cast<uint32_t>(i));
    gathered_->key_of.push_back(key_number);
  }
  out->counters().duplicate_rows += static_cast<int64_t>(num_rows - candidates.size());
  if (candidates.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(candidates));
  SLUICE_ASSIGN_OR_RETURN(Batch taken, TakeRows(batch, indices));
  gathered_->batches.push_back(std::move(taken));
  return Status::OK();
}

Status DedupOperator::OnEpochEnd(const flow::EpochContext&, flow::Collector* out) {
  if (gathered_ == nullptr || gathered_->batches.empty()) return Status::OK();
  const Gathered& gathered = *gathered_;
  SLUICE_ASSIGN_OR_RETURN(const std::vector<uint32_t> ranks, RankRows(gathered.batches, order_by_));
  std::vector<uint32_t> best(static_cast<size_t>(gathered.num_keys), kPassesUnchecked);
  for (size_t row = 0; row < ranks.size(); ++row) {
    const uint32_t key = gathered.key_of[row];
    if (key != kPassesUnchecked) best[key] = std::min(best[key], ranks[row]);
  }
  size_t row = 0;
  for (const Batch& batch : gathered.batches) {
    std::vector<uint32_t> winners;
    for (int64_t i = 0; i < batch.num_rows(); ++i, ++row) {
      const uint32_t key = gathered.key_of[row];
      if (key == kPassesUnchecked || best[key] == ranks[row])
        winners.push_back(static_cast<uint32_t>(i));
    }
    out->counters().duplicate_rows += batch.num_rows() - static_cast<int64_t>(winners.size());
    SLUICE_RETURN_NOT_OK(EmitRows(batch, winners, out));
  }
  gathered_->Clear();
  return Status::OK();
}

Status DedupOperator::OnCommit(EpochNumber epoch, TableVersion, TimestampMicros watermark) {
  return seen_->Commit(epoch, watermark);
}

Status DedupOperator::OnAbort(EpochNumber epoch) {
  if (gathered_ != nullptr) gathered_->Clear();
  return seen_->Abort(epoch);
}

Status DedupOperator::SaveState(arrow::io::OutputStream* out) { return seen_->Save(out); }

Status DedupOperator::LoadState(arrow::io::InputStream* in) {
  if (gathered_ != nullptr) gathered_->Clear();
  return seen_->Load(in);
}

Status DedupOperator::ClearState() {
  if (gathered_ != nullptr) gathered_->Clear();
  seen_->Clear();
  return Status::OK();
}

int64_t DedupOperator::StateBytes() const { return seen_->memory_bytes(); }

}  // namespace sluice::operators
