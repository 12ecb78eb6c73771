#include "sources/table/table_source.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <limits>
#include <utility>

#include "delta/files/parquet_reader.h"
#include "delta/files/scan.h"

namespace sluice::sources {
namespace {

constexpr int64_t kNoEnd = std::numeric_limits<int64_t>::max();
// A place within a list of files: file * kBatchesPerFile + batches read of it.
constexpr int64_t kBatchesPerFile = 1LL << 20;
constexpr int64_t kBatchRows = 65'536;

/// Where reading goes on.
struct Cursor {
  int64_t version = -1;  // next version; -1 = not started
  int64_t index = -1;    // place within the files of the initial snapshot; -1 = it was read
  int64_t part = 0;      // place within the files of `version`; 0 = at its beginning
  bool operator==(const Cursor&) const = default;
};

/// The files that are being read one batch at a time.
struct FileRun {
  int64_t version = -1;  // the rows' version
  std::shared_ptr<const delta::Snapshot> snapshot;
  std::vector<std::shared_ptr<const delta::AddFile>> files;
  std::unique_ptr<delta::DataFileReader> reader;
  int64_t place = 0;  // of the reader; -1 = it has none
};

}  // namespace

class TableSource::Impl {
 public:
  Impl(TableSourceOptions options, delta::TableRegistry& tables,
       std::shared_ptr<flow::HandOff> hand_off, Clock& clock)
      : options_(std::move(options)),
        hand_off_(std::move(hand_off)),
        tables_(tables),
        clock_(clock) {
    if (hand_off_ != nullptr) reader_number_ = hand_off_->AddReader();
  }
  ~Impl() {
    if (hand_off_ != nullptr) hand_off_->RemoveReader(reader_number_);
  }

  Status MoveTo(const flow::Positions& positions);
  Status PinEnd();
  bool AtEnd() const;
  Result<flow::SourceBatch> Poll(const flow::PollLimits& limits);
  void OnProcessed(const flow::Positions& positions);
  flow::SourceLag Lag();

  const TableSourceOptions options_;
  std::atomic<bool> stopped_{false};
  std::atomic<int64_t> hot_versions_{0};
  std::atomic<int64_t> cold_rows_{0};
  std::shared_ptr<flow::HandOff> hand_off_;

 private:
  std::string Key(const char* partition) const { return options_.id + "/" + partition; }
  Result<bool> EnsureTable();
  Status StartAt(const flow::Positions& until);
  Result<bool> StartsHot();
  Status LookForCommits();
  void Wait(int64_t micros);
  Result<bool> Step(const flow::Positions& until, flow::SourceBatch* out, int64_t* bytes);
  Result<bool> StepSnapshot(const flow::Positions& until, flow::SourceBatch* out, int64_t* bytes);
  Result<bool> StepVersion(const flow::Positions& until, flow::SourceBatch* out, int64_t* bytes);
  Status BeginVersion();
  Result<bool> StepFiles(int64_t place, int64_t* next, flow::SourceBatch* out, int64_t* bytes);
  Status Deliver(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t version,
                 flow::SourceBatch* out, int64_t* bytes) const;
  Status Changed(int64_t version) const;

  delta::TableRegistry& tables_;
  Clock& clock_;
  int reader_number_ = -1;
  std::shared_ptr<delta::Table> table_;
  Cursor cursor_;
  std::optional<FileRun> run_;
  int64_t pinned_ = kNoEnd;
  int64_t last_look_ = 0;
  int64_t seen_ = -1;         // newest version at the last look
  int64_t seen_before_ = -1;  // and at the one before: old enough to be read from the table at once
  std::atomic<int64_t> next_version_{-1};
  std::atomic<int64_t> newest_{-1};
};

Status TableSource::Impl::MoveTo(const flow::Positions& positions) {
  const auto value = [&](const char* partition, int64_t otherwise) {
    const auto found = positions.find(Key(partition));
    return found == positions.end() ? otherwise : found->second;
  };
  cursor_ = Cursor{value("version", -1), value("index", -1), value("part", 0)};
  run_.reset();
  next_version_ = cursor_.version;
  return Status::OK();
}

Result<bool> TableSource::Impl::EnsureTable() {
  if (table_ != nullptr) return true;
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(options_.table_path));
  if (!exists) return false;
  SLUICE_ASSIGN_OR_RETURN(table_, tables_.Open(options_.table_path));
  return true;
}

Status TableSource::Impl::PinEnd() {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, EnsureTable());
  pinned_ = -1;
  if (!exists) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table_->Update());
  pinned_ = snapshot->version().value();
  return Status::OK();
}

bool TableSource::Impl::AtEnd() const {
  if (pinned_ < 0) return true;
  return cursor_.version > pinned_ && cursor_.index < 0 && cursor_.part == 0;
}

/// All that was ever appended is still in the hand-off: no need for an initial snapshot.
Result<bool> TableSource::Impl::StartsHot() {
  if (hand_off_ == nullptr || !hand_off_->Get(TableVersion(1)).has_value()) return false;
  const auto first = table_->SnapshotAt(TableVersion(0));
  return first.ok() && (*first)->num_files() == 0;
}

Status TableSource::Impl::StartAt(const flow::Positions& until) {
  if (options_.starting_version.has_value()) {
    cursor_ = Cursor{options_.starting_version->value(), -1, 0};
    return Status::OK();
  }
  const auto end = until.find(Key("version"));
  std::shared_ptr<const delta::Snapshot> snapshot;
  if (end != until.end()) {
    SLUICE_ASSIGN_OR_RETURN(snapshot, table_->SnapshotAt(TableVersion(end->second - 1)));
  } else {
    SLUICE_ASSIGN_OR_RETURN(const bool hot, StartsHot());
    if (hot) {
      cursor_ = Cursor{1, -1, 0};
      return Status::OK();
    }
    SLUICE_ASSIGN_OR_RETURN(snapshot, table_->Update());
    if (pinned_ != kNoEnd && snapshot->version().value() > pinned_) {
      SLUICE_ASSIGN_OR_RETURN(snapshot, table_->SnapshotAt(TableVersion(pinned_)));
    }
  }
  cursor_ = Cursor{snapshot->version().value() + 1, snapshot->num_files() > 0 ? 0 : -1, 0};
  if (cursor_.index == 0)
    run_ = FileRun{snapshot->version().value(), snapshot, snapshot->Files(), nullptr, -1};
  return Status::OK();
}

Status TableSource::Impl::LookForCommits() {
  const int64_t now = clock_.SteadyMicros();
  if (last_look_ != 0 && now - last_look_ < options_.poll_interval_micros) return Status::OK();
  last_look_ = std::max<int64_t>(now, 1);
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table_->Update());
  seen_before_ = hand_off_ == nullptr ? snapshot->version().value() : seen_;
  seen_ = snapshot->version().value();
  return Status::OK();
}

void TableSource::Impl::Wait(int64_t micros) {
  if (micros <= 0 || stopped_) return;
  if (hand_off_ != nullptr) {
    hand_off_->WaitFor(TableVersion(std::max<int64_t>(cursor_.version, 0)), micros);
  } else {
    clock_.SleepMicros(std::min(micros, options_.poll_interval_micros));
  }
}

Result<flow::SourceBatch> TableSource::Impl::Poll(const flow::PollLimits& limits) {
  flow::SourceBatch out;
  SLUICE_ASSIGN_OR_RETURN(const bool exists, EnsureTable());
  if (!exists) {
    Wait(limits.max_wait_micros);
    return out;
  }
  const Cursor before = cursor_;
  if (cursor_.version < 0) SLUICE_RETURN_NOT_OK(StartAt(limits.until));
  int64_t bytes = 0;
  for (bool waited = false;;) {
    while (out.num_rows < limits.max_rows && bytes < limits.max_bytes) {
      SLUICE_ASSIGN_OR_RETURN(const bool more, Step(limits.until, &out, &bytes));
      if (!more) break;
    }
    if (waited || !(cursor_ == before) || !limits.until.empty()) break;
    Wait(limits.max_wait_micros);
    waited = true;
  }
  const auto note = [&](const char* partition, int64_t was, int64_t now, bool always) {
    const std::string key = Key(partition);
    if (was != now || always || limits.until.contains(key)) out.next[key] = now;
  };
  note("version", before.version, cursor_.version, false);
  note("index", before.index, cursor_.index, before.version < 0);
  note("part", before.part, cursor_.part, false);
  next_version_ = cursor_.version;
  return out;
}

/// Reads one batch, or passes one version. False: there is nothing more to read now.
Result<bool> TableSource::Impl::Step(const flow::Positions& until, flow::SourceBatch* out,
                                     int64_t* bytes) {
  if (cursor_.index >= 0) return StepSnapshot(until, out, bytes);
  return StepVersion(until, out, bytes);
}

Result<bool> TableSource::Impl::StepSnapshot(const flow::Positions& until, flow::SourceBatch* out,
                                             int64_t* bytes) {
  const auto end = until.find(Key("index"));
  if (end != until.end() && end->second >= 0 && cursor_.index >= end->second) return false;
  if (!run_.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot,
                            table_->SnapshotAt(TableVersion(cursor_.version - 1)));
    run_ = FileRun{cursor_.version - 1, snapshot, snapshot->Files(), nullptr, -1};
  }
  SLUICE_ASSIGN_OR_RETURN(const bool more, StepFiles(cursor_.index, &cursor_.index, out, bytes));
  if (!more) {
    cursor_.index = -1;
    run_.reset();
  }
  return true;
}

Status TableSource::Impl::Changed(int64_t version) const {
  return MakeError(
      "DELTA_SOURCE_TABLE_CHANGED",
      fmt::format("rows of the source table {} were updated or deleted in version {}; a streaming "
                  "read takes appends only",
                  options_.table_path, version),
      "set skipChangeCommits to pass over such versions, or read the table in a materialized view");
}

Result<bool> TableSource::Impl::StepVersion(const flow::Positions& until, flow::SourceBatch* out,
                                            int64_t* bytes) {
  const int64_t version = cursor_.version;
  const auto until_version = until.find(Key("version"));
  const auto until_part = until.find(Key("part"));
  int64_t end = pinned_;
  if (!until.empty()) {
    end = until_version == until.end() ? version - 1 : until_version->second - 1;
    const bool into = until_part != until.end() && until_part->second > 0 && version == end + 1;
    if (into && cursor_.part < until_part->second) end = version;
  }
  if (version > end) return false;
  int64_t newest = hand_off_ == nullptr ? -1 : hand_off_->newest().value();
  if (until.empty() && pinned_ == kNoEnd && version > newest) {
    SLUICE_RETURN_NOT_OK(LookForCommits());
    newest = std::max(newest, seen_before_);
  } else if (end != kNoEnd) {
    newest = std::max(newest, end);
  }
  newest_ = std::max(newest, seen_);
  if (version > newest) return false;
  if (cursor_.part == 0 && !run_.has_value()) {
    if (hand_off_ != nullptr) {
      const auto hot = hand_off_->Get(TableVersion(version));
      if (hot.has_value()) {
        if (!hot->appended_only && !options_.skip_change_commits) return Changed(version);
        if (hot->appended_only) {
          for (const auto& rows : hot->rows)
            SLUICE_RETURN_NOT_OK(Deliver(rows, version, out, bytes));
        }
        ++hot_versions_;
        ++cursor_.version;
        return true;
      }
    }
  }
  if (!run_.has_value()) SLUICE_RETURN_NOT_OK(BeginVersion());
  SLUICE_ASSIGN_OR_RETURN(const bool more, StepFiles(cursor_.part, &cursor_.part, out, bytes));
  if (!more) {
    cursor_.part = 0;
    ++cursor_.version;
    run_.reset();
  }
  return true;
}

Status TableSource::Impl::BeginVersion() {
  const int64_t version = cursor_.version;
  auto changes = delta::ReadVersionChanges(*table_, TableVersion(version));
  if (!changes.ok()) {
    if (!HasCode(changes.status(), "DELTA_VERSION_NOT_FOUND")) return changes.status();
    return MakeError(
        "DELTA_SOURCE_VERSION_GONE",
        fmt::format("version {} of the source table {} is no longer in its log", version,
                    options_.table_path),
        "the flow was stopped for longer than delta.logRetentionDuration: run with --full-refresh");
  }
  if (table_->Current()->version().value() < version)
    SLUICE_RETURN_NOT_OK(table_->Update().status());
  run_ = FileRun{version, table_->Current(), {}, nullptr, -1};
  if (changes->removed_rows) {
    if (!options_.skip_change_commits) {
      run_.reset();
      return Changed(version);
    }
    return Status::OK();
  }
  for (delta::AddFile& file : changes->added) {
    run_->files.push_back(std::make_shared<delta::AddFile>(std::move(file)));
  }
  return Status::OK();
}

/// Reads the batch at `place` of the run's files; false when there is none. `next` may be `place`'s
/// own variable.
Result<bool> TableSource::Impl::StepFiles(int64_t place, int64_t* next, flow::SourceBatch* out,
                                          int64_t* bytes) {
  FileRun& run = *run_;
  while (true) {
    const int64_t file = place / kBatchesPerFile;
    if (file >= static_cast<int64_t>(run.files.size())) return false;
    if (run.reader == nullptr || run.place != place) {
      delta::DataFileReadOptions options;
      options.batch_rows = kBatchRows;
      options.columns.emplace();
      for (const auto& field : options_.schema->fields()) {
        if (run.snapshot->schema()->GetFieldIndex(field->name()) >= 0)
          options.columns->push_back(field->name());
      }
      SLUICE_ASSIGN_OR_RETURN(
          run.reader, delta::DataFileReader::Open(table_->storage(), run.snapshot,
                                                  *run.files[static_cast<size_t>(file)], options));
      for (int64_t skip = place % kBatchesPerFile; skip > 0; --skip) {
        SLUICE_RETURN_NOT_OK(run.reader->Next().status());
      }
    }
    SLUICE_ASSIGN_OR_RETURN(const auto rows, run.reader->Next());
    if (rows == nullptr) {
      run.reader.reset();
      place = (file + 1) * kBatchesPerFile;
      continue;
    }
    SLUICE_RETURN_NOT_OK(Deliver(rows, run.version, out, bytes));
    cold_rows_ += rows->num_rows();
    run.place = place + 1;
    *next = place + 1;
    return true;
  }
}

Status TableSource::Impl::Deliver(const std::shared_ptr<arrow::RecordBatch>& rows, int64_t version,
                                  flow::SourceBatch* out, int64_t* bytes) const {
  if (rows->num_rows() == 0) return Status::OK();
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : options_.schema->fields()) {
    std::shared_ptr<arrow::Array> column = rows->GetColumnByName(field->name());
    if (column == nullptr) {
      SLUICE_ASSIGN_OR_RETURN(column, arrow::MakeArrayOfNull(field->type(), rows->num_rows()));
    } else if (!column->type()->Equals(field->type())) {
      return MakeError(
          "DELTA_SOURCE_SCHEMA_CHANGED",
          fmt::format("column {} of the source table {} is {} in version {}, expected {}",
                      field->name(), options_.table_path, column->type()->ToString(), version,
                      field->type()->ToString()),
          "start the pipeline again, so that it is planned for the new schema");
    }
    for (const auto& buffer : column->data()->buffers)
      *bytes += buffer == nullptr ? 0 : buffer->size();
    columns.push_back(std::move(column));
  }
  auto source_rows = std::make_shared<SourceRows>();
  source_rows->source_name = options_.id;
  source_rows->rows =
      arrow::RecordBatch::Make(options_.schema, rows->num_rows(), std::move(columns));
  source_rows->table_version = TableVersion(version);
  source_rows->record = options_.record;
  out->num_rows += rows->num_rows();
  out->rows.push_back(std::move(source_rows));
  return Status::OK();
}

void TableSource::Impl::OnProcessed(const flow::Positions& positions) {
  const auto version = positions.find(Key("version"));
  if (hand_off_ == nullptr || version == positions.end()) return;
  hand_off_->Release(reader_number_, TableVersion(version->second));
}

flow::SourceLag TableSource::Impl::Lag() {
  const int64_t next = next_version_;
  int64_t newest = newest_;
  if (hand_off_ != nullptr) newest = std::max(newest, hand_off_->newest().value());
  if (next < 0) return {newest + 1, "RUNNING"};
  return {std::max<int64_t>(newest + 1 - next, 0), "RUNNING"};
}

TableSource::TableSource(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
TableSource::~TableSource() = default;

Result<std::unique_ptr<TableSource>> TableSource::Make(TableSourceOptions options,
                                                       delta::TableRegistry& tables,
                                                       std::shared_ptr<flow::HandOff> hand_off,
                                                       Clock& clock) {
  if (options.schema == nullptr || options.id.empty()) {
    return MakeError("FLOW_DEFINITION",
                     "table source needs a name and a schema: " + options.table_path);
  }
  return std::unique_ptr<TableSource>(new TableSource(
      std::make_unique<Impl>(std::move(options), tables, std::move(hand_off), clock)));
}

const std::string& TableSource::id() const { return impl_->options_.id; }
const std::shared_ptr<arrow::Schema>& TableSource::schema() const { return impl_->options_.schema; }
Status TableSource::Open(const flow::Positions& committed, const std::map<std::string, int64_t>&) {
  SLUICE_RETURN_NOT_OK(impl_->MoveTo(committed));
  impl_->OnProcessed(committed);
  return Status::OK();
}
Status TableSource::PinEnd() { return impl_->PinEnd(); }
Result<bool> TableSource::AtEnd() { return impl_->AtEnd(); }
Result<flow::SourceBatch> TableSource::PollBatch(const flow::PollLimits& limits) {
  return impl_->Poll(limits);
}
Status TableSource::Rewind(const flow::Positions& positions) { return impl_->MoveTo(positions); }
void TableSource::OnProcessed(const flow::Positions& positions) { impl_->OnProcessed(positions); }
flow::SourceLag TableSource::Lag() { return impl_->Lag(); }
void TableSource::Stop() {
  impl_->stopped_ = true;
  if (impl_->hand_off_ != nullptr) impl_->hand_off_->Wake();
}
Status TableSource::Close() {
  if (impl_->hand_off_ != nullptr) impl_->OnProcessed({{impl_->options_.id + "/version", kNoEnd}});
  return Status::OK();
}
int64_t TableSource::hot_versions() const { return impl_->hot_versions_; }
int64_t TableSource::cold_rows() const { return impl_->cold_rows_; }

}  // namespace sluice::sources
