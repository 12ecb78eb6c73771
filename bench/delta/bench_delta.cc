// One operation of the Delta library on a table on disk, timed: what run.py measures beside
// delta-rs. Prints the seconds of the operation alone, as JSON.
//
//   bench_delta log PATH COMMITS        makes a log of one file per commit (no data files)
//   bench_delta files PATH FILES        makes a log of FILES files with a checkpoint, and 20
//   commits bench_delta rows PATH ROWS FILES    makes a table (id bigint, v bigint, text string)
//   bench_delta open | state | checkpoint PATH
//   bench_delta append PATH COMMITS     appends of 1,000 rows, durable
//   bench_delta merge PATH ROWS         upsert of ROWS rows, half of them new
//   bench_delta delete-merge | insert-merge PATH ROWS
//   bench_delta optimize | zorder PATH [MEMORY_MIB]
#include <arrow/api.h>

#include <cstdio>
#include <cstdlib>
#include <functional>
#include <map>

#include "base/workers.h"
#include "delta/commands/merge.h"
#include "delta/commands/write_rows.h"
#include "delta/log/checkpoint.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_state.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/upkeep/compaction.h"
#include "storage/local_storage.h"

namespace sluice::delta {
namespace {

constexpr int64_t kRowsPerBatch = 100000;

class Bench {
 public:
  Bench(std::string path, std::vector<int64_t> numbers)
      : path_(std::move(path)), numbers_(std::move(numbers)) {}

  Status MakeLog() {
    const int64_t commits = numbers_[0];
    for (int64_t version = 0; version < commits; ++version) {
      std::vector<Action> actions = {InfoOf("WRITE", version)};
      if (version == 0) AddFirst(&actions);
      actions.emplace_back(FileOf(version));
      SLUICE_RETURN_NOT_OK(PutCommit(version, actions));
    }
    return Status::OK();
  }

  Status MakeFiles() {
    const int64_t files = numbers_[0];
    constexpr int64_t kFilesPerCommit = 50000;
    int64_t version = 0;
    for (int64_t begin = 0; begin < files; begin += kFilesPerCommit) {
      std::vector<Action> actions = {InfoOf("WRITE", version)};
      if (version == 0) AddFirst(&actions);
      for (int64_t i = begin; i < std::min(begin + kFilesPerCommit, files); ++i)
        actions.emplace_back(FileOf(i));
      SLUICE_RETURN_NOT_OK(PutCommit(version++, actions));
    }
    SLUICE_RETURN_NOT_OK(Checkpoint());
    for (int64_t i = 0; i < 20; ++i, ++version)
      SLUICE_RETURN_NOT_OK(PutCommit(version, {InfoOf("WRITE", version), FileOf(files + i)}));
    return Status::OK();
  }

  Status MakeRows() {
    CreateOptions options;
    options.schema = Schema();
    SLUICE_ASSIGN_OR_RETURN(table_, Table::Create({storage_, clock_}, path_, options, 1));
    const int64_t rows = numbers_[0];
    const int64_t per_file = (rows + numbers_[1] - 1) / numbers_[1];
    for (int64_t begin = 0; begin < rows; begin += per_file)
      SLUICE_RETURN_NOT_OK(Append(begin, std::min(per_file, rows - begin)));
    return Status::OK();
  }

  Status Open() {
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot,
                            Snapshot::Load(storage_, path_, std::nullopt, &workers_));
    facts_["version"] = snapshot->version().value();
    facts_["files"] = snapshot->num_files();
    return Status::OK();
  }

  Status State() {
    SLUICE_ASSIGN_OR_RETURN(const auto state, TableState::Load(storage_, path_));
    facts_["version"] = state.version.value();
    return Status::OK();
  }

  Status Checkpoint() {
    CheckpointOptions options{clock_.NowMicros() / 1000, [this] { return random_.Uuid(); }};
    SLUICE_ASSIGN_OR_RETURN(const auto version, WriteCheckpointFromLog(storage_, path_, options));
    facts_["version"] = version.value();
    return Status::OK();
  }

  Status Appends() {
    SLUICE_RETURN_NOT_OK(OpenTable());
    begin_ = clock_.SteadyMicros();
    for (int64_t i = 0; i < numbers_[0]; ++i) {
      SLUICE_RETURN_NOT_OK(Append(i * 1000, 1000));
      SLUICE_RETURN_NOT_OK(table_->Maintain().status());
    }
    return Status::OK();
  }

  /// `clauses`: u = update what matches, d = delete it, i = insert what does not.
  Status Merge(const std::string& clauses) {
    SLUICE_RETURN_NOT_OK(OpenTable());
    const int64_t rows = numbers_[0];
    MergeRequest request;
    request.source_schema = Schema();
    // Every second id of a stretch that begins in the table and ends beyond it.
    const int64_t last = Rows();
    const bool spread = clauses != "i";
    const int64_t step = std::max<int64_t>(spread ? 2 * last / rows : 1, 1);
    for (int64_t at = 0; at < rows; at += kRowsPerBatch)
      request.source.push_back(
          Batch(spread ? at * step : last + at, std::min(kRowsPerBatch, rows - at), step));
    const auto column = [](int index) {
      return [index](const std::shared_ptr<arrow::RecordBatch>& batch)
                 -> Result<std::shared_ptr<arrow::Array>> { return batch->column(index); };
    };
    request.keys = {{column(0), column(0), false, "id"}};
    request.columns = std::vector<std::string>{"id"};
    using Kind = MergeClause::Kind;
    if (clauses.find('u') != std::string::npos)
      request.matched = {{Kind::kUpdate, nullptr, {{{"v"}, column(4)}, {{"text"}, column(5)}}, ""}};
    if (clauses.find('d') != std::string::npos)
      request.matched = {{Kind::kDelete, nullptr, {}, ""}};
    if (clauses.find('i') != std::string::npos)
      request.not_matched = {{Kind::kInsert,
                              nullptr,
                              {{{"id"}, column(0)}, {{"v"}, column(1)}, {{"text"}, column(2)}},
                              ""}};
    WriteOptions options;
    options.workers = &workers_;
    begin_ = clock_.SteadyMicros();
    SLUICE_ASSIGN_OR_RETURN(const auto report, MergeRows(*table_, request, options));
    for (const char* name : {"numTargetRowsInserted", "numTargetRowsUpdated",
                             "numTargetRowsDeleted", "numTargetFilesAdded"}) {
      const auto it = report.metrics.find(name);
      if (it != report.metrics.end()) facts_[name] = it->second;
    }
    return Status::OK();
  }

  Status Optimize(bool z_order) {
    SLUICE_RETURN_NOT_OK(OpenTable());
    CompactionOptions options;
    options.kind = CompactionKind::kOptimize;
    options.workers = &workers_;
    if (z_order) options.z_order_by = {{"id"}, {"v"}};
    if (!numbers_.empty()) options.sort_memory_bytes = numbers_[0] << 20;
    begin_ = clock_.SteadyMicros();
    SLUICE_ASSIGN_OR_RETURN(const auto report, Compact(*table_, options));
    facts_["files_removed"] = report.files_removed;
    facts_["files_added"] = report.files_added;
    facts_["bytes_added"] = report.bytes_added;
    return Status::OK();
  }

  void Print() const {
    std::printf("{\"seconds\":%.3f", static_cast<double>(clock_.SteadyMicros() - begin_) / 1e6);
    for (const auto& [name, value] : facts_)
      std::printf(",\"%s\":%lld", name.c_str(), static_cast<long long>(value));
    std::printf("}\n");
  }

 private:
  static std::shared_ptr<arrow::Schema> Schema() {
    return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("v", arrow::int64()),
                          arrow::field("text", arrow::utf8())});
  }
  static std::shared_ptr<arrow::RecordBatch> Batch(int64_t first, int64_t count, int64_t step = 1) {
    arrow::Int64Builder id;
    arrow::Int64Builder v;
    arrow::StringBuilder text;
    for (int64_t i = 0; i < count; ++i) {
      const int64_t number = first + i * step;
      // Scattered, so that an order by id leaves v in none.
      const auto scattered = static_cast<uint64_t>(number) * 0x9E3779B97F4A7C15ULL;
      SLUICE_CHECK(id.Append(number).ok(), "memory");
      SLUICE_CHECK(v.Append(static_cast<int64_t>(scattered >> 34)).ok(), "memory");
      SLUICE_CHECK(text.Append("row " + std::to_string(scattered >> 40)).ok(), "memory");
    }
    return arrow::RecordBatch::Make(Schema(), count, {*id.Finish(), *v.Finish(), *text.Finish()});
  }

  Status OpenTable() {
    SLUICE_ASSIGN_OR_RETURN(table_,
                            Table::Open({storage_, clock_, &workers_}, path_, random_.Next()));
    return Status::OK();
  }
  int64_t Rows() const {
    int64_t rows = 0;
    table_->Current()->ForEachFile([&](const AddFile& file) {
      const size_t at = file.stats.find("\"numRecords\":");
      rows += std::strtoll(file.stats.c_str() + at + 13, nullptr, 10);
    });
    return rows;
  }
  Status Append(int64_t first, int64_t count) {
    arrow::RecordBatchVector batches;
    for (int64_t at = 0; at < count; at += kRowsPerBatch)
      batches.push_back(Batch(first + at, std::min(kRowsPerBatch, count - at)));
    SLUICE_ASSIGN_OR_RETURN(const auto reader,
                            arrow::RecordBatchReader::Make(std::move(batches), Schema()));
    WriteRequest request;
    request.rows = reader.get();
    return WriteRows(*table_, request).status();
  }

  CommitInfo InfoOf(const char* operation, int64_t version) {
    CommitInfo info;
    info.timestamp_ms = 1700000000000 + version * 1000;
    info.operation = operation;
    info.operation_parameters = {{"mode", "Append"}, {"partitionBy", "[]"}};
    info.engine_info = "bench";
    info.txn_id = random_.Uuid();
    return info;
  }
  void AddFirst(std::vector<Action>* actions) {
    Metadata metadata;
    metadata.id = random_.Uuid();
    metadata.schema_string = SchemaToJson(*Schema()).ValueOrDie();
    metadata.created_time_ms = 1700000000000;
    actions->emplace_back(Protocol());
    actions->emplace_back(std::move(metadata));
  }
  AddFile FileOf(int64_t number) {
    const std::string low = std::to_string(number * 1000);
    const std::string high = std::to_string(number * 1000 + 999);
    AddFile file;
    file.path = "part-00000-" + random_.Uuid() + "-c000.snappy.parquet";
    file.size = 12345 + number % 1000;
    file.modification_time_ms = 1700000000000 + number;
    file.stats = R"({"numRecords":1000,"minValues":{"id":)" + low + R"(,"v":)" + low +
                 R"(,"text":"row )" + low + R"("},"maxValues":{"id":)" + high + R"(,"v":)" + high +
                 R"(,"text":"row )" + high + R"("},"nullCount":{"id":0,"v":0,"text":0}})";
    return file;
  }
  Status PutCommit(int64_t version, const std::vector<Action>& actions) {
    std::string text;
    for (const Action& action : actions) AppendActionJson(action, &text);
    return unsynced_.Put(CommitPath(path_, TableVersion(version)), text);
  }

  const std::string path_;
  const std::vector<int64_t> numbers_;
  Clock& clock_ = SystemClock();
  int64_t begin_ = clock_.SteadyMicros();  // of what is timed
  Random random_{42};
  storage::LocalStorage storage_;
  storage::LocalStorage unsynced_{storage::LocalStorage::Options{false}};
  Workers workers_{1};
  std::shared_ptr<Table> table_;
  std::map<std::string, int64_t> facts_;
};

Status Run(const std::string& operation, Bench* bench) {
  const std::map<std::string, std::function<Status()>> operations = {
      {"log", [&] { return bench->MakeLog(); }},
      {"files", [&] { return bench->MakeFiles(); }},
      {"rows", [&] { return bench->MakeRows(); }},
      {"open", [&] { return bench->Open(); }},
      {"state", [&] { return bench->State(); }},
      {"checkpoint", [&] { return bench->Checkpoint(); }},
      {"append", [&] { return bench->Appends(); }},
      {"merge", [&] { return bench->Merge("ui"); }},
      {"delete-merge", [&] { return bench->Merge("d"); }},
      {"insert-merge", [&] { return bench->Merge("i"); }},
      {"optimize", [&] { return bench->Optimize(false); }},
      {"zorder", [&] { return bench->Optimize(true); }},
  };
  const auto it = operations.find(operation);
  return it == operations.end() ? Status::Invalid("no operation ", operation) : it->second();
}

}  // namespace
}  // namespace sluice::delta

int main(int argc, char** argv) {
  if (argc < 3) {
    std::fprintf(stderr, "usage: bench_delta OPERATION PATH [NUMBER ...]\n");
    return 2;
  }
  // As the sluice binary does: Arrow's own choice keeps half as much again of what was freed.
  ::setenv("ARROW_DEFAULT_MEMORY_POOL", "jemalloc", 0);
  std::vector<int64_t> numbers;
  for (int i = 3; i < argc; ++i) numbers.push_back(std::atoll(argv[i]));
  sluice::delta::Bench bench(argv[2], numbers);
  const sluice::Status status = sluice::delta::Run(argv[1], &bench);
  if (!status.ok()) {
    std::fprintf(stderr, "%s\n", status.ToString().c_str());
    return 1;
  }
  bench.Print();
  return 0;
}
