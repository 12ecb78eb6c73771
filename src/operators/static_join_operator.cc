#include "operators/static_join_operator.h"

#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/util/byte_size.h>

#include <algorithm>
#include <limits>

#include "base/hash128.h"
#include "batch/select_rows.h"
#include "state/row_encoder.h"

namespace sluice::operators {
namespace {

constexpr uint32_t kNoRow = std::numeric_limits<uint32_t>::max();
constexpr size_t kKeptIndexes = 4;  // epochs that may be in flight at once

arrow::ArrayVector Columns(const arrow::RecordBatch& rows, const std::vector<int>& indices) {
  arrow::ArrayVector columns;
  for (const int index : indices) columns.push_back(rows.column(index));
  return columns;
}

std::shared_ptr<arrow::Schema> PairSchema(const StaticJoinOptions& options) {
  arrow::FieldVector fields = options.stream_schema->fields();
  const bool nullable = options.kind == StaticJoinKind::kLeft;
  for (const auto& field : options.static_schema->fields()) {
    fields.push_back(nullable ? field->WithNullable(true) : field);
  }
  return arrow::schema(std::move(fields));
}

bool KeepsStreamOnly(StaticJoinKind kind) {
  return kind == StaticJoinKind::kSemi || kind == StaticJoinKind::kAnti;
}

/// Hashes of the key of each row, and which rows have a NULL that matches nothing (empty = none).
struct KeyHashes {
  std::vector<Hash128> hashes;
  std::vector<uint8_t> matchless;
};

Result<KeyHashes> HashKeys(const arrow::RecordBatch& rows, const std::vector<int>& keys,
                           const std::vector<bool>& null_safe) {
  const arrow::ArrayVector columns = Columns(rows, keys);
  std::vector<std::shared_ptr<arrow::DataType>> types;
  for (const auto& column : columns) types.push_back(column->type());
  SLUICE_ASSIGN_OR_RETURN(auto encoder, state::RowEncoder::Make(std::move(types)));
  KeyHashes keyed;
  SLUICE_RETURN_NOT_OK(encoder.HashAll(columns, rows.num_rows(), &keyed.hashes));
  for (size_t c = 0; c < columns.size(); ++c) {
    if (columns[c]->null_count() == 0 || (!null_safe.empty() && null_safe[c])) continue;
    keyed.matchless.resize(keyed.hashes.size());
    for (size_t i = 0; i < keyed.matchless.size(); ++i) {
      keyed.matchless[i] |= static_cast<uint8_t>(columns[c]->IsNull(static_cast<int64_t>(i)));
    }
  }
  return keyed;
}

bool SameTypes(const arrow::Schema& left, const arrow::Schema& right) {
  return std::equal(
      left.fields().begin(), left.fields().end(), right.fields().begin(), right.fields().end(),
      [](const auto& one, const auto& other) { return one->type()->id() == other->type()->id(); });
}

Status CheckKeys(const StaticJoinOptions& options) {
  if (options.stream_keys.size() != options.static_keys.size()) {
    return MakeError("INTERNAL_ERROR", "a join's keys are not pairs");
  }
  for (size_t i = 0; i < options.stream_keys.size(); ++i) {
    const auto& left = *options.stream_schema->field(options.stream_keys[i])->type();
    const auto& right = *options.static_schema->field(options.static_keys[i])->type();
    if (!left.Equals(right)) {
      return MakeError("INTERNAL_ERROR", "a join's keys differ in type: " + left.ToString() +
                                             " and " + right.ToString());
    }
    if (!state::IsKeyType(left)) {
      return MakeError("UNSUPPORTED_KEY_TYPE",
                       "column cannot be a key: its type is " + left.ToString());
    }
  }
  return Status::OK();
}

}  // namespace

/// One version of the static side: its rows by key, in their order. Immutable once made.
class StaticJoinOperator::Index {
 public:
  static Result<std::shared_ptr<const Index>> Make(std::shared_ptr<const StaticTable> table,
                                                   const StaticJoinOptions& options) {
    const arrow::RecordBatch& rows = *table->rows;
    if (!SameTypes(*rows.schema(), *options.static_schema)) {
      return MakeError("INTERNAL_ERROR", "a join's static side is not what the plan says: " +
                                             rows.schema()->ToString());
    }
    const int64_t bytes = arrow::util::TotalBufferSize(rows);
    if (bytes > options.max_static_bytes || rows.num_rows() >= kNoRow) {
      return MakeError(
          "STATIC_TABLE_TOO_LARGE",
          "the static side of a join does not fit in memory: " + std::to_string(bytes) +
              " bytes, limit " + std::to_string(options.max_static_bytes),
          "join fewer columns or rows of it, or raise the limit");
    }
    auto index = std::make_shared<Index>();
    SLUICE_ASSIGN_OR_RETURN(const KeyHashes keyed,
                            HashKeys(rows, options.static_keys, options.null_safe));
    index->Add(keyed);
    index->table_ = std::move(table);
    return std::shared_ptr<const Index>(std::move(index));
  }

  const StaticTable& table() const { return *table_; }
  void Prefetch(const Hash128& hash) const { __builtin_prefetch(&slots_[hash.low & mask_]); }
  uint32_t First(const Hash128& hash) const {
    size_t at = hash.low & mask_;
    for (; slots_[at].row != kNoRow; at = (at + 1) & mask_) {
      if (slots_[at].hash == hash) break;
    }
    return slots_[at].row;
  }
  uint32_t Next(uint32_t row) const { return next_[row]; }

 private:
  struct Slot {
    Hash128 hash;
    uint32_t row = kNoRow;  // the first with this key
  };

  void Add(const KeyHashes& keyed) {
    const size_t rows = keyed.hashes.size();
    size_t slots = 16;
    while (slots < 2 * rows) slots *= 2;
    slots_.resize(slots);
    mask_ = slots - 1;
    next_.assign(rows, kNoRow);
    for (size_t row = rows; row-- > 0;) {  // from the last, so that chains run forward
      if (!keyed.matchless.empty() && keyed.matchless[row] != 0) continue;
      const Hash128& hash = keyed.hashes[row];
      size_t at = hash.low & mask_;
      while (slots_[at].row != kNoRow && slots_[at].hash != hash) at = (at + 1) & mask_;
      next_[row] = slots_[at].row;
      slots_[at] = {hash, static_cast<uint32_t>(row)};
    }
  }

  std::shared_ptr<const StaticTable> table_;
  std::vector<Slot> slots_;
  size_t mask_ = 0;
  std::vector<uint32_t> next_;  // per row: the next with the same key
};

/// Matching rows; ordered by stream row, then static row.
struct StaticJoinOperator::Pairs {
  std::vector<uint32_t> stream_rows;
  std::vector<uint32_t> static_rows;  // kNoRow = none (left join)
  void Clear() {
    stream_rows.clear();
    static_rows.clear();
  }
};

StaticJoinOperator::StaticJoinOperator(StaticJoinOptions options)
    : options_(std::move(options)),
      pair_schema_(PairSchema(options_)),
      schema_(KeepsStreamOnly(options_.kind) ? options_.stream_schema : pair_schema_),
      residual_(options_.residual) {}

StaticJoinOperator::~StaticJoinOperator() = default;

Result<std::unique_ptr<StaticJoinOperator>> StaticJoinOperator::Make(StaticJoinOptions options) {
  SLUICE_RETURN_NOT_OK(CheckKeys(options));
  return std::unique_ptr<StaticJoinOperator>(new StaticJoinOperator(std::move(options)));
}

Status StaticJoinOperator::Open() { return residual_.Warm(); }

Result<std::shared_ptr<const StaticJoinOperator::Index>> StaticJoinOperator::IndexFor(
    EpochNumber epoch) {
  MutexLock lock(mutex_);
  if (auto found = indexes_.find(epoch); found != indexes_.end()) return found->second;
  SLUICE_ASSIGN_OR_RETURN(auto table, options_.provider());
  std::shared_ptr<const Index> index;
  for (const auto& [older_epoch, older] : indexes_) {
    if (older->table().version == table->version) index = older;
  }
  if (index == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(index, Index::Make(std::move(table), options_));
  }
  indexes_[epoch] = index;
  while (indexes_.size() > kKeptIndexes) indexes_.erase(indexes_.begin());
  return index;
}

Status StaticJoinOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                        flow::Collector* out) {
  if (batch.num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const auto index, IndexFor(epoch.number));
  SLUICE_ASSIGN_OR_RETURN(const KeyHashes keyed,
                          HashKeys(*batch.rows, options_.stream_keys, options_.null_safe));
  constexpr size_t kAhead = 16;
  const size_t rows = keyed.hashes.size();
  Pairs pairs;
  size_t begin = 0;
  for (size_t i = 0; i < rows; ++i) {
    if (i + kAhead < rows) index->Prefetch(keyed.hashes[i + kAhead]);
    if (keyed.matchless.empty() || keyed.matchless[i] == 0) {
      for (uint32_t row = index->First(keyed.hashes[i]); row != kNoRow; row = index->Next(row)) {
        pairs.stream_rows.push_back(static_cast<uint32_t>(i));
        pairs.static_rows.push_back(row);
      }
    }
    if (i + 1 < rows &&
        static_cast<int64_t>(pairs.stream_rows.size()) < options_.max_pairs_per_batch)
      continue;
    if (options_.residual != nullptr)
      SLUICE_RETURN_NOT_OK(ApplyResidual(epoch, *index, batch, &pairs));
    FinishRows(static_cast<int64_t>(begin), static_cast<int64_t>(i + 1), &pairs);
    begin = i + 1;
    if (!pairs.stream_rows.empty()) {
      SLUICE_ASSIGN_OR_RETURN(Batch joined, Combine(*index, batch, pairs));
      SLUICE_RETURN_NOT_OK(out->Emit(std::move(joined)));
    }
    pairs.Clear();
  }
  return Status::OK();
}

Status StaticJoinOperator::ApplyResidual(const flow::EpochContext& epoch, const Index& index,
                                         const Batch& batch, Pairs* pairs) {
  if (pairs->stream_rows.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto stream_indices, MakeIndices(pairs->stream_rows));
  SLUICE_ASSIGN_OR_RETURN(auto static_indices, MakeIndices(pairs->static_rows));
  SLUICE_ASSIGN_OR_RETURN(auto left, TakeRows(batch.rows, stream_indices));
  SLUICE_ASSIGN_OR_RETURN(auto right, TakeRows(index.table().rows, static_indices));
  arrow::ArrayVector columns = left->columns();
  columns.insert(columns.end(), right->columns().begin(), right->columns().end());
  const auto joined = arrow::RecordBatch::Make(pair_schema_, left->num_rows(), std::move(columns));
  SLUICE_ASSIGN_OR_RETURN(const arrow::ArrayVector results,
                          residual_.Evaluate(*joined, epoch.clock));
  if (results.size() != 1 || results[0]->type_id() != arrow::Type::BOOL) {
    return MakeError("INTERNAL_ERROR", "a join's residual is not one boolean");
  }
  SLUICE_ASSIGN_OR_RETURN(auto kept,
                          TrueIndices(static_cast<const arrow::BooleanArray&>(*results[0])));
  for (int64_t i = 0; i < kept->length(); ++i) {
    pairs->stream_rows[static_cast<size_t>(i)] = pairs->stream_rows[kept->Value(i)];
    pairs->static_rows[static_cast<size_t>(i)] = pairs->static_rows[kept->Value(i)];
  }
  pairs->stream_rows.resize(static_cast<size_t>(kept->length()));
  pairs->static_rows.resize(static_cast<size_t>(kept->length()));
  return Status::OK();
}

/// Turns the matches of stream rows [begin, end) into output rows of the join's kind.
void StaticJoinOperator::FinishRows(int64_t begin, int64_t end, Pairs* pairs) const {
  if (options_.kind == StaticJoinKind::kInner) return;
  Pairs rows;
  size_t at = 0;
  for (auto row = static_cast<uint32_t>(begin); row < static_cast<uint32_t>(end); ++row) {
    const size_t first = at;
    while (at < pairs->stream_rows.size() && pairs->stream_rows[at] == row) ++at;
    const bool matched = at != first;
    if (options_.kind == StaticJoinKind::kLeft) {
      for (size_t i = first; i < at; ++i) {
        rows.stream_rows.push_back(row);
        rows.static_rows.push_back(pairs->static_rows[i]);
      }
      if (!matched) {
        rows.stream_rows.push_back(row);
        rows.static_rows.push_back(kNoRow);
      }
    } else if (matched == (options_.kind == StaticJoinKind::kSemi)) {
      rows.stream_rows.push_back(row);
    }
  }
  *pairs = std::move(rows);
}

Result<Batch> StaticJoinOperator::Combine(const Index& index, const Batch& batch,
                                          const Pairs& pairs) const {
  SLUICE_ASSIGN_OR_RETURN(auto stream_indices, MakeIndices(pairs.stream_rows));
  SLUICE_ASSIGN_OR_RETURN(Batch joined, TakeRows(batch, stream_indices));
  if (KeepsStreamOnly(options_.kind)) return joined;
  arrow::UInt32Builder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(pairs.static_rows.size())));
  for (const uint32_t row : pairs.static_rows) {
    if (row == kNoRow) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(row);
    }
  }
  SLUICE_ASSIGN_OR_RETURN(const auto static_indices, builder.Finish());
  arrow::ArrayVector columns = joined.rows->columns();
  for (const auto& column : index.table().rows->columns()) {
    SLUICE_ASSIGN_OR_RETURN(auto taken,
                            arrow::compute::Take(*column, *static_indices,
                                                 arrow::compute::TakeOptions::NoBoundsCheck()));
    columns.push_back(std::move(taken));
  }
  joined.rows = arrow::RecordBatch::Make(schema_, joined.num_rows(), std::move(columns));
  return joined;
}

}  // namespace sluice::operators
