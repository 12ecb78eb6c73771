#include "delta/files/row_sorter.h"

#include <arrow/api.h>
#include <arrow/ipc/api.h>
#include <arrow/util/byte_size.h>
#include <arrow/util/compression.h>

#include <algorithm>
#include <numeric>

#include "batch/select_rows.h"

namespace sluice::delta {
namespace {

using BatchPtr = std::shared_ptr<arrow::RecordBatch>;

// Each run that is merged has a batch of this size in memory.
constexpr int64_t kRunBatchBytes = 1 << 20;
constexpr size_t kMostRuns = 64;

const arrow::UInt64Array& KeysOf(const arrow::RecordBatch& rows) {
  return static_cast<const arrow::UInt64Array&>(*rows.column(rows.num_columns() - 1));
}

/// `rows` (with keys) in the order of their keys.
Result<BatchPtr> Sorted(const BatchPtr& rows) {
  const auto& keys = KeysOf(*rows);
  const uint64_t* key = keys.raw_values();
  if (std::is_sorted(key, key + keys.length())) return rows;
  std::vector<uint32_t> order(static_cast<size_t>(rows->num_rows()));
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(),
                   [key](uint32_t a, uint32_t b) { return key[a] < key[b]; });
  SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(order));
  return TakeRows(rows, indices);
}

Status HandOut(const BatchPtr& rows, int64_t batch_rows, const RowSorter::Sink& sink) {
  for (int64_t begin = 0; begin < rows->num_rows(); begin += batch_rows)
    SLUICE_RETURN_NOT_OK(sink(rows->Slice(begin, batch_rows)));
  return Status::OK();
}

arrow::ipc::IpcWriteOptions WriteOptions() {
  auto options = arrow::ipc::IpcWriteOptions::Defaults();
  options.use_threads = false;
  auto codec = arrow::util::Codec::Create(arrow::Compression::LZ4_FRAME);
  if (codec.ok()) options.codec = codec.MoveValueUnsafe();
  return options;
}

}  // namespace

struct RowSorter::Run {
  std::string path;
};

/// Writes the rows of one run in order.
class RowSorter::RunWriter {
 public:
  RunWriter(storage::Storage& storage, std::string path, std::shared_ptr<arrow::Schema> schema)
      : storage_(storage), path_(std::move(path)), schema_(std::move(schema)) {}

  Status Write(const BatchPtr& rows) {
    if (writer_ == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(file_, storage_.OpenOutput(path_));
      SLUICE_ASSIGN_OR_RETURN(writer_,
                              arrow::ipc::MakeStreamWriter(file_, schema_, WriteOptions()));
    }
    SLUICE_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*rows));
    const int64_t step = std::max<int64_t>(
        1, rows->num_rows() * kRunBatchBytes / std::max<int64_t>(bytes, kRunBatchBytes));
    return HandOut(rows, step,
                   [this](const BatchPtr& piece) { return writer_->WriteRecordBatch(*piece); });
  }

  Status Close() {
    SLUICE_RETURN_NOT_OK(writer_->Close());
    return file_->Close();
  }

 private:
  storage::Storage& storage_;
  const std::string path_;
  const std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::io::OutputStream> file_;
  std::shared_ptr<arrow::ipc::RecordBatchWriter> writer_;
};

/// The place where the merge stands in one run.
class RowSorter::Cursor {
 public:
  Status Open(storage::Storage& storage, const std::string& path) {
    SLUICE_ASSIGN_OR_RETURN(const auto file, storage.OpenInput(path));
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;
    SLUICE_ASSIGN_OR_RETURN(reader_, arrow::ipc::RecordBatchStreamReader::Open(file, options));
    return Refill();
  }
  /// Reads on when the batch is used up.
  Status Refill() {
    while (reader_ != nullptr && (rows_ == nullptr || at_ == rows_->num_rows())) {
      SLUICE_RETURN_NOT_OK(reader_->ReadNext(&rows_));
      at_ = 0;
      if (rows_ == nullptr) reader_.reset();
    }
    return Status::OK();
  }
  bool at_end() const { return reader_ == nullptr; }
  uint64_t last_key() const { return KeysOf(*rows_).Value(rows_->num_rows() - 1); }
  /// Rows up to `key`; those of it only when `inclusive`.
  BatchPtr TakeUpTo(uint64_t key, bool inclusive) {
    const uint64_t* keys = KeysOf(*rows_).raw_values();
    const uint64_t* last = keys + rows_->num_rows();
    const int64_t end = (inclusive ? std::upper_bound(keys + at_, last, key)
                                   : std::lower_bound(keys + at_, last, key)) -
                        keys;
    const auto taken = rows_->Slice(at_, end - at_);
    at_ = end;
    return taken;
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  BatchPtr rows_;
  int64_t at_ = 0;
};

RowSorter::RowSorter(std::shared_ptr<arrow::Schema> schema, RowSorterOptions options)
    : schema_(schema->AddField(schema->num_fields(), arrow::field("__key", arrow::uint64(), false))
                  .ValueOrDie()),
      options_(std::move(options)) {}

RowSorter::~RowSorter() {
  for (const Run& run : runs_) (void)options_.storage->Delete(run.path);  // VACUUM finds the rest
}

std::string RowSorter::NewRunPath() {
  return storage::JoinPath(options_.folder, "run-" + std::to_string(next_run_++) + ".arrow");
}

Status RowSorter::Add(const BatchPtr& rows, std::vector<uint64_t> keys) {
  SLUICE_CHECK(static_cast<int64_t>(keys.size()) == rows->num_rows(), "a key for each row");
  auto columns = rows->columns();
  columns.push_back(std::make_shared<arrow::UInt64Array>(
      rows->num_rows(), arrow::Buffer::FromVector(std::move(keys))));
  auto keyed = arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(columns));
  SLUICE_ASSIGN_OR_RETURN(const int64_t bytes, arrow::util::ReferencedBufferSize(*keyed));
  pending_bytes_ += bytes;
  pending_.push_back(std::move(keyed));
  // The rows, one batch of all of them, and that batch in order.
  return pending_bytes_ * 3 >= options_.memory_bytes ? Spill() : Status::OK();
}

Result<BatchPtr> RowSorter::SortPending() {
  SLUICE_ASSIGN_OR_RETURN(auto all, arrow::ConcatenateRecordBatches(pending_));
  pending_.clear();
  pending_bytes_ = 0;
  return Sorted(all);
}

Status RowSorter::Spill() {
  if (pending_.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const auto rows, SortPending());
  runs_.push_back({NewRunPath()});
  RunWriter writer(*options_.storage, runs_.back().path, schema_);
  SLUICE_RETURN_NOT_OK(writer.Write(rows));
  return writer.Close();
}

Status RowSorter::Merge(const std::vector<Run>& runs, const Sink& sink) const {
  std::vector<Cursor> cursors(runs.size());
  for (size_t i = 0; i < runs.size(); ++i)
    SLUICE_RETURN_NOT_OK(cursors[i].Open(*options_.storage, runs[i].path));
  while (true) {
    std::erase_if(cursors, [](const Cursor& cursor) { return cursor.at_end(); });
    if (cursors.empty()) return Status::OK();
    // Up to the lowest of the last keys, every run has shown what it has.
    uint64_t upto = UINT64_MAX;
    for (const Cursor& cursor : cursors) upto = std::min(upto, cursor.last_key());
    arrow::RecordBatchVector pieces;
    bool inclusive = true;
    for (Cursor& cursor : cursors) {
      const bool may_go_on = cursor.last_key() == upto;  // with rows of this key
      pieces.push_back(cursor.TakeUpTo(upto, inclusive));
      if (may_go_on) inclusive = false;  // those of later runs come after them
      SLUICE_RETURN_NOT_OK(cursor.Refill());
    }
    SLUICE_ASSIGN_OR_RETURN(const auto together, arrow::ConcatenateRecordBatches(pieces));
    SLUICE_ASSIGN_OR_RETURN(const auto sorted, Sorted(together));
    SLUICE_RETURN_NOT_OK(HandOut(sorted, options_.output_rows, sink));
  }
}

Status RowSorter::MergeOldest() {
  const std::vector<Run> oldest(runs_.begin(), runs_.begin() + kMostRuns);
  const Run merged{NewRunPath()};
  runs_.push_back(merged);  // deleted, whatever happens
  RunWriter writer(*options_.storage, merged.path, schema_);
  SLUICE_RETURN_NOT_OK(
      Merge(oldest, [&writer](const BatchPtr& rows) { return writer.Write(rows); }));
  SLUICE_RETURN_NOT_OK(writer.Close());
  for (const Run& run : oldest) SLUICE_RETURN_NOT_OK(options_.storage->Delete(run.path));
  // It holds what came first, and stays in front.
  runs_.pop_back();
  runs_.erase(runs_.begin(), runs_.begin() + kMostRuns);
  runs_.insert(runs_.begin(), merged);
  return Status::OK();
}

Status RowSorter::Finish(const Sink& sink) {
  const Sink without_key = [&sink](const BatchPtr& rows) -> Status {
    SLUICE_ASSIGN_OR_RETURN(const auto plain, rows->RemoveColumn(rows->num_columns() - 1));
    return sink(plain);
  };
  if (runs_.empty()) {
    if (pending_.empty()) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(const auto rows, SortPending());
    return HandOut(rows, options_.output_rows, without_key);
  }
  SLUICE_RETURN_NOT_OK(Spill());
  while (runs_.size() > kMostRuns) SLUICE_RETURN_NOT_OK(MergeOldest());
  return Merge(runs_, without_key);
}

}  // namespace sluice::delta
