#include "sinks/delta_merge_sink.h"

#include <arrow/api.h>

#include <algorithm>
#include <charconv>
#include <unordered_set>
#include <utility>

#include "batch/select_rows.h"
#include "delta/files/parquet_reader.h"
#include "delta/files/scan.h"
#include "delta/protocol/deletion_vector.h"
#include "sinks/flow_table.h"
#include "sinks/row_index.h"

namespace sluice::sinks {

/// An epoch's changes: rows by key, and keys to remove.
class MergeStaged : public StagedFiles {
 public:
  using StagedFiles::StagedFiles;

  bool replace = false;
  bool written = false;          // `rows` are in `files`
  std::vector<Hash128> upserts;  // key of each row, over `rows`
  std::vector<Hash128> deletes;
  std::shared_ptr<arrow::RecordBatch> new_whole;
  std::vector<Hash128> new_whole_keys;

  bool changes_rows() const { return replace || num_rows > 0 || !deletes.empty(); }
};

namespace {

// A deletion vector of at most so many bytes is kept in the log itself.
constexpr size_t kInlineVectorBytes = 256;

using HashSet = std::unordered_set<Hash128, HashOfHash>;

/// Rows of a file by its statistics; -1 when they do not say.
int64_t RowsIn(const delta::AddFile& file) {
  constexpr std::string_view kKey = "\"numRecords\":";
  const size_t at = file.stats.find(kKey);
  if (at == std::string::npos) return -1;
  int64_t rows = -1;
  std::from_chars(file.stats.data() + at + kKey.size(), file.stats.data() + file.stats.size(),
                  rows);
  if (rows >= 0 && file.deletion_vector.has_value()) rows -= file.deletion_vector->cardinality;
  return rows;
}

/// Keeps the last row of each key; `keys` are those of the rows kept, in their order.
Status KeepLast(std::vector<std::shared_ptr<arrow::RecordBatch>>* batches,
                const std::vector<std::string>& key_columns, std::vector<Hash128>* keys) {
  std::vector<std::vector<Hash128>> hashes;
  HashSet seen;
  for (const auto& batch : *batches) {
    SLUICE_ASSIGN_OR_RETURN(auto of_batch, HashKeys(*batch, key_columns));
    hashes.push_back(std::move(of_batch));
  }
  for (size_t b = batches->size(); b-- > 0;) {
    std::vector<uint32_t> kept;
    for (size_t row = hashes[b].size(); row-- > 0;) {
      if (seen.insert(hashes[b][row]).second) kept.push_back(static_cast<uint32_t>(row));
    }
    if (kept.size() == hashes[b].size()) continue;
    std::reverse(kept.begin(), kept.end());
    std::vector<Hash128> of_kept;
    for (const uint32_t row : kept) of_kept.push_back(hashes[b][row]);
    hashes[b] = std::move(of_kept);
    SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(kept));
    SLUICE_ASSIGN_OR_RETURN((*batches)[b], TakeRows((*batches)[b], indices));
  }
  for (const auto& of_batch : hashes) keys->insert(keys->end(), of_batch.begin(), of_batch.end());
  return Status::OK();
}

}  // namespace

DeltaMergeSink::DeltaMergeSink(std::unique_ptr<FlowTable> table, MergeOptions merge)
    : table_(std::move(table)),
      merge_(std::move(merge)),
      index_(std::make_unique<RowIndex>(merge_.key_columns)) {}
DeltaMergeSink::~DeltaMergeSink() = default;

Result<std::unique_ptr<DeltaMergeSink>> DeltaMergeSink::Make(DeltaSinkOptions options,
                                                             MergeOptions merge,
                                                             delta::TableRegistry& tables,
                                                             uint64_t seed) {
  if (options.schema == nullptr || options.schema->num_fields() == 0) {
    return MakeError("FLOW_DEFINITION", "view has no columns: " + options.table_path);
  }
  for (const std::string& key : merge.key_columns) {
    if (options.schema->GetFieldIndex(key) < 0) {
      return MakeError("FLOW_DEFINITION", "key is not a column of the view: " + key);
    }
  }
  options.properties.try_emplace("delta.enableDeletionVectors", "true");
  // Every epoch leaves dead files: without a bound they and their tombstones would outgrow the
  // view.
  options.properties.try_emplace("delta.deletedFileRetentionDuration", "interval 1 hours");
  return std::unique_ptr<DeltaMergeSink>(new DeltaMergeSink(
      std::make_unique<FlowTable>(std::move(options), tables, seed), std::move(merge)));
}

Result<flow::RecoveredFlow> DeltaMergeSink::Recover() {
  MutexLock lock(mutex_);
  return table_->Recover();
}

bool DeltaMergeSink::MayRewriteWhole(const delta::Snapshot& snapshot, int64_t rows) const {
  return snapshot.partition_columns().empty() && rows <= merge_.rewrite_whole_rows;
}

Result<std::shared_ptr<const delta::Snapshot>> DeltaMergeSink::LoadRows() {
  delta::Table& table = *table_->table();
  auto snapshot = table.Current();
  if (known_ == snapshot->version() && known_table_ == snapshot->metadata().id) return snapshot;
  known_ = TableVersion(-1);
  known_table_ = snapshot->metadata().id;
  whole_.reset();
  int64_t rows = 0;
  snapshot->ForEachFile([&](const delta::AddFile& file) {
    const int64_t in_file = RowsIn(file);
    rows = rows < 0 || in_file < 0 ? -1 : rows + in_file;
  });
  if (rows >= 0 && MayRewriteWhole(*snapshot, rows)) {
    SLUICE_ASSIGN_OR_RETURN(const auto all, delta::ReadAll(table.storage(), snapshot));
    Whole whole;
    SLUICE_ASSIGN_OR_RETURN(whole.rows, all->CombineChunksToBatch());
    SLUICE_ASSIGN_OR_RETURN(whole.keys, HashKeys(*whole.rows, merge_.key_columns));
    whole_ = std::move(whole);
    index_ = std::make_unique<RowIndex>(merge_.key_columns);
  } else {
    SLUICE_RETURN_NOT_OK(index_->Rebuild(table, snapshot));
  }
  known_ = snapshot->version();
  return snapshot;
}

Result<std::unique_ptr<flow::StagedEpoch>> DeltaMergeSink::Stage(flow::EpochOutput output) {
  auto staged = std::make_unique<MergeStaged>(table_->table(), std::move(output.record));
  staged->replace = output.replace;
  const auto snapshot = table_->table()->Current();
  for (const auto& batch : output.rows) {
    SLUICE_ASSIGN_OR_RETURN(auto rows, table_->Conform(batch, *snapshot));
    staged->rows.push_back(std::move(rows));
  }
  output.rows.clear();
  if (!staged->replace) {
    SLUICE_RETURN_NOT_OK(KeepLast(&staged->rows, merge_.key_columns, &staged->upserts));
    for (const auto& keys : output.deletes) {
      SLUICE_ASSIGN_OR_RETURN(const auto hashes, HashKeys(*keys, merge_.key_columns));
      staged->deletes.insert(staged->deletes.end(), hashes.begin(), hashes.end());
    }
  }
  for (const auto& batch : staged->rows) staged->num_rows += batch->num_rows();
  bool whole = false;
  {
    MutexLock lock(mutex_);
    if (staged->changes_rows() && !staged->replace) SLUICE_RETURN_NOT_OK(LoadRows().status());
    whole = whole_.has_value();
  }
  if (staged->num_rows > 0 && (staged->replace || !whole)) {
    SLUICE_ASSIGN_OR_RETURN(staged->files, table_->WriteFiles(*table_->table(), staged->rows));
    staged->written = true;
  }
  SLUICE_RETURN_NOT_OK(table_->StageSatellites(std::move(output.satellites), staged.get()));
  return staged;
}

Result<flow::CommittedEpoch> DeltaMergeSink::Commit(flow::StagedEpoch* epoch) {
  auto* staged = static_cast<MergeStaged*>(epoch);
  MutexLock lock(mutex_);
  // What memory knows is of one version: the changes are made on that one, although a reader may
  // have shown the table a newer one meanwhile.
  auto snapshot = table_->table()->Current();
  if (staged->changes_rows() && !staged->replace) {
    SLUICE_ASSIGN_OR_RETURN(snapshot, LoadRows());
  }
  delta::Transaction transaction = table_->table()->NewTransaction(std::move(snapshot));
  table_->FillEpoch(*staged, &transaction);
  const bool current = known_ == transaction.read_snapshot()->version();
  if (staged->changes_rows())
    known_ = TableVersion(-1);  // until the commit is known to have succeeded
  if (staged->replace) {
    SLUICE_RETURN_NOT_OK(Replace(staged, &transaction));
  } else if (staged->changes_rows() && whole_.has_value()) {
    SLUICE_RETURN_NOT_OK(RewriteWhole(staged, &transaction));
  } else if (staged->changes_rows()) {
    SLUICE_RETURN_NOT_OK(MergeByIndex(staged, &transaction));
  }
  transaction.Add(staged->files);
  SLUICE_ASSIGN_OR_RETURN(const delta::CommitResult result, table_->Commit(staged, &transaction));
  flow::CommittedEpoch committed;
  committed.version = result.version;
  committed.appended_only = !staged->changes_rows();
  const bool only_ours = result.version == transaction.read_snapshot()->version().Next();
  if (staged->changes_rows()) {
    if (only_ours && !staged->replace) SLUICE_RETURN_NOT_OK(AfterCommit(staged, result));
  } else if (current && only_ours) {
    known_ = result.version;
  }
  return committed;
}

Status DeltaMergeSink::Replace(MergeStaged*, delta::Transaction* transaction) {
  transaction->ReadWholeTable();
  transaction->read_snapshot()->ForEachFile(
      [&](const delta::AddFile& file) { transaction->Remove(file); });
  return Status::OK();
}

Status DeltaMergeSink::RewriteWhole(MergeStaged* staged, delta::Transaction* transaction) {
  HashSet changed(staged->upserts.begin(), staged->upserts.end());
  changed.insert(staged->deletes.begin(), staged->deletes.end());
  std::vector<uint32_t> kept;
  for (size_t row = 0; row < whole_->keys.size(); ++row) {
    if (changed.contains(whole_->keys[row])) continue;
    kept.push_back(static_cast<uint32_t>(row));
    staged->new_whole_keys.push_back(whole_->keys[row]);
  }
  staged->new_whole_keys.insert(staged->new_whole_keys.end(), staged->upserts.begin(),
                                staged->upserts.end());
  SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(kept));
  SLUICE_ASSIGN_OR_RETURN(auto old_rows, TakeRows(whole_->rows, indices));
  std::vector<std::shared_ptr<arrow::RecordBatch>> parts = staged->rows;
  const auto& schema = transaction->read_snapshot()->schema();
  parts.insert(parts.begin(), std::move(old_rows));
  SLUICE_ASSIGN_OR_RETURN(const auto table, arrow::Table::FromRecordBatches(schema, parts));
  SLUICE_ASSIGN_OR_RETURN(staged->new_whole, table->CombineChunksToBatch());
  if (staged->new_whole->num_rows() > 0) {
    // Files written when the view was larger hold the epoch's rows alone; they stay orphans.
    SLUICE_ASSIGN_OR_RETURN(staged->files,
                            table_->WriteFiles(*table_->table(), {staged->new_whole}));
  }
  return Replace(staged, transaction);
}

Status DeltaMergeSink::MergeByIndex(MergeStaged* staged, delta::Transaction* transaction) {
  if (!staged->written && staged->num_rows > 0) {
    SLUICE_ASSIGN_OR_RETURN(staged->files, table_->WriteFiles(*table_->table(), staged->rows));
    staged->written = true;
  }
  std::set<std::string> touched = index_->Delete(staged->upserts);
  touched.merge(index_->Delete(staged->deletes));
  std::vector<std::string> partly;
  for (const std::string& key : touched) {
    if (index_->file(key).live > 0) {
      partly.push_back(key);
      continue;
    }
    transaction->Remove(*index_->file(key).add);
    index_->RemoveFile(key);
  }
  if (transaction->read_snapshot()->properties().enable_deletion_vectors)
    return HideRows(partly, transaction);
  return RewriteFiles(partly, staged, transaction);
}

Status DeltaMergeSink::HideRows(const std::vector<std::string>& touched,
                                delta::Transaction* transaction) {
  if (touched.empty()) return Status::OK();
  delta::Table& table = *table_->table();
  std::vector<const delta::DeletionVector*> vectors;
  for (const std::string& key : touched) vectors.push_back(&index_->file(key).deleted);
  SLUICE_ASSIGN_OR_RETURN(
      const auto descriptors,
      delta::WriteDeletionVectors(table.storage(), table.path(), table.NewUuid(), vectors,
                                  kInlineVectorBytes));
  for (size_t i = 0; i < touched.size(); ++i) {
    const auto add = index_->file(touched[i]).add;
    transaction->SetDeletionVector(*add, descriptors[i]);
    auto with = std::make_shared<delta::AddFile>(*add);
    with->deletion_vector = descriptors[i];
    index_->RenameFile(touched[i], std::move(with));
  }
  return Status::OK();
}

Status DeltaMergeSink::RewriteFiles(const std::vector<std::string>& touched, MergeStaged* staged,
                                    delta::Transaction* transaction) {
  delta::Table& table = *table_->table();
  const auto& snapshot = transaction->read_snapshot();
  std::vector<std::shared_ptr<arrow::RecordBatch>> kept;
  for (const std::string& key : touched) {
    const RowIndex::File& file = index_->file(key);
    delta::DataFileReadOptions options;
    options.with_row_index = true;
    SLUICE_ASSIGN_OR_RETURN(
        auto reader, delta::DataFileReader::Open(table.storage(), snapshot, *file.add, options));
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto batch, reader->Next());
      if (batch == nullptr) break;
      const int last = batch->num_columns() - 1;
      const auto& positions = static_cast<const arrow::Int64Array&>(*batch->column(last));
      std::vector<uint32_t> live;
      for (int64_t i = 0; i < batch->num_rows(); ++i) {
        if (!file.deleted.Contains(static_cast<uint64_t>(positions.Value(i))))
          live.push_back(static_cast<uint32_t>(i));
      }
      SLUICE_ASSIGN_OR_RETURN(const auto rows, batch->RemoveColumn(last));
      SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(live));
      SLUICE_ASSIGN_OR_RETURN(auto part, TakeRows(rows, indices));
      if (part->num_rows() > 0) kept.push_back(std::move(part));
    }
    transaction->Remove(*file.add);
    index_->RemoveFile(key);
  }
  if (kept.empty()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto files, table_->WriteFiles(table, kept));
  // The index finds the rows again when it reads the new files: their old entries go.
  for (const auto& batch : kept) {
    SLUICE_ASSIGN_OR_RETURN(const auto keys, HashKeys(*batch, merge_.key_columns));
    index_->Forget(keys);
  }
  std::move(files.begin(), files.end(), std::back_inserter(staged->files));
  return Status::OK();
}

Status DeltaMergeSink::AfterCommit(MergeStaged* staged, const delta::CommitResult& result) {
  if (staged->new_whole != nullptr) {
    if (!MayRewriteWhole(*result.snapshot, staged->new_whole->num_rows()))
      return Status::OK();  // the index from now on
    whole_ = Whole{std::move(staged->new_whole), std::move(staged->new_whole_keys)};
  } else {
    for (const delta::AddFile& file : staged->files) {
      SLUICE_RETURN_NOT_OK(index_->AddFile(*table_->table(), result.snapshot, file));
    }
  }
  known_ = result.version;
  return Status::OK();
}

Status DeltaMergeSink::CommitSatellites(flow::StagedEpoch* staged) {
  return table_->CommitSatellites(*static_cast<MergeStaged*>(staged));
}

Result<std::vector<TableVersion>> DeltaMergeSink::Maintain() {
  std::vector<TableVersion> versions;
  {
    MutexLock lock(mutex_);
    if (table_->table() == nullptr) return versions;
    delta::Table& table = *table_->table();
    SLUICE_ASSIGN_OR_RETURN(const auto refreshed, table_->RefreshPositions());
    if (refreshed.has_value()) versions.push_back(*refreshed);
    SLUICE_ASSIGN_OR_RETURN(const auto compacted, table_->upkeep().Compact(table));
    if (compacted.has_value()) versions.push_back(*compacted);
    // Rows have moved: LoadRows reads the index again before the next change.
    if (!versions.empty()) known_ = TableVersion(-1);
  }
  SLUICE_RETURN_NOT_OK(table_->upkeep().DeleteDeadFiles(*table_->table()));
  SLUICE_RETURN_NOT_OK(table_->upkeep().Checkpoint(*table_->table()));
  return versions;
}

Result<std::vector<flow::EpochMark>> DeltaMergeSink::History(EpochNumber after) {
  return table_->History(after);
}

}  // namespace sluice::sinks
