#include "sinks/event_log.h"

#include <arrow/api.h>
#include <fmt/format.h>

#include <chrono>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/log.h"
#include "delta/files/parquet_writer.h"
#include "delta/upkeep/compaction.h"

namespace sluice::sinks {

namespace {

using Json = nlohmann::ordered_json;

// How often small files of the log are looked at: every so many writes.
constexpr int64_t kWritesBetweenCompactions = 50;

Status AppendOptional(const std::string& text, arrow::StringBuilder* builder) {
  return text.empty() ? builder->AppendNull() : builder->Append(text);
}

std::string OriginJson(const EventLogOptions& options, const PipelineEvent& event) {
  Json origin = {{"pipeline_name", options.pipeline_name}, {"update_id", options.update_id}};
  if (!event.flow.empty()) origin["flow_name"] = event.flow;
  if (!event.dataset.empty()) origin["dataset_name"] = event.dataset;
  if (!options.host.empty()) origin["host"] = options.host;
  return origin.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace

const std::shared_ptr<arrow::Schema>& EventLog::Schema() {
  static const std::shared_ptr<arrow::Schema> schema = arrow::schema(
      {arrow::field("id", arrow::utf8()), arrow::field("sequence", arrow::utf8()),
       arrow::field("origin", arrow::utf8()),
       arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("message", arrow::utf8()), arrow::field("level", arrow::utf8()),
       arrow::field("maturity_level", arrow::utf8()), arrow::field("error", arrow::utf8()),
       arrow::field("details", arrow::utf8()), arrow::field("event_type", arrow::utf8())});
  return schema;
}

EventLog::EventLog(EventLogOptions options, delta::TableRegistry& tables, Clock& clock,
                   uint64_t seed)
    : options_(std::move(options)),
      tables_(tables),
      clock_(clock),
      sequence_prefix_(fmt::format("{:020}", clock.NowMicros())),
      random_(seed),
      last_write_(clock.SteadyMicros()) {
  if (options_.background) thread_ = std::thread([this] { RunInBackground(); });
}

EventLog::~EventLog() {
  const Status status = Close();
  if (!status.ok()) log::Warn("event log: last events were not written: {}", status.ToString());
}

void EventLog::Enqueue(PipelineEvent event) {
  if (queue_.size() >= options_.max_queued_events || closing_) {
    ++dropped_;
    return;
  }
  Entry entry;
  entry.event = std::move(event);
  entry.id = random_.Uuid();
  entry.sequence = fmt::format("{}-{:010}", sequence_prefix_, next_sequence_++);
  entry.time = clock_.NowMicros();
  queue_.push_back(std::move(entry));
}

void EventLog::Append(PipelineEvent event) {
  MutexLock lock(mutex_);
  Enqueue(std::move(event));
}

void EventLog::AppendMetrics(const FlowMetrics& metrics) {
  MutexLock lock(mutex_);
  const auto [found, inserted] = metrics_.try_emplace(metrics.flow, metrics);
  if (!inserted) found->second.Add(metrics);
}

void EventLog::TakeMetrics() {
  for (const auto& [flow, metrics] : metrics_) Enqueue(FlowMetricsEvent(metrics));
  metrics_.clear();
  if (dropped_ == dropped_reported_) return;
  PipelineEvent event;
  event.type = "event_log";
  event.level = EventLevel::kWarn;
  event.message = fmt::format("{} events were not recorded.", dropped_ - dropped_reported_);
  event.details = Json({{"event_log", {{"dropped_events", dropped_ - dropped_reported_}}}}).dump();
  const int64_t dropped_before = dropped_;
  Enqueue(std::move(event));
  if (dropped_ == dropped_before) {
    dropped_reported_ = dropped_;
  } else {
    --dropped_;  // the queue is still full: the next write says it
  }
}

void EventLog::RunInBackground() {
  while (true) {
    {
      MutexLock lock(mutex_);
      const auto pause = std::chrono::microseconds(options_.min_commit_interval_micros);
      wake_.wait_for(lock.native(), pause, [this] { return closing_; });
      if (closing_) return;
    }
    WriteDue();
  }
}

void EventLog::WriteDue() {
  {
    MutexLock lock(mutex_);
    const int64_t now = clock_.SteadyMicros();
    if (now - last_write_ < options_.min_commit_interval_micros) return;
    last_write_ = now;
  }
  const Status status = WriteGathered();
  if (!status.ok()) log::Warn("event log: not written, tried again later: {}", status.ToString());
}

Status EventLog::WriteGathered() {
  MutexLock write_lock(write_mutex_);
  std::vector<Entry> entries;
  {
    MutexLock lock(mutex_);
    TakeMetrics();
    entries.swap(queue_);
  }
  if (entries.empty()) return Status::OK();
  Status status = Commit(entries);
  if (status.ok()) return status;
  // Back to the front, as far as there is room; the oldest are kept.
  MutexLock lock(mutex_);
  entries.insert(entries.end(), std::make_move_iterator(queue_.begin()),
                 std::make_move_iterator(queue_.end()));
  if (entries.size() > options_.max_queued_events) {
    dropped_ += static_cast<int64_t>(entries.size() - options_.max_queued_events);
    entries.resize(options_.max_queued_events);
  }
  queue_ = std::move(entries);
  return status;
}

Status EventLog::Close() {
  {
    MutexLock lock(mutex_);
    if (closing_) return Status::OK();
    TakeMetrics();
    closing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
  return WriteGathered();
}

int64_t EventLog::dropped_events() {
  MutexLock lock(mutex_);
  return dropped_;
}

Result<std::shared_ptr<delta::Table>> EventLog::OpenTable() {
  SLUICE_ASSIGN_OR_RETURN(const bool exists, tables_.Exists(options_.table_path));
  if (!exists) {
    delta::CreateOptions create;
    create.schema = Schema();
    create.properties = {{"delta.appendOnly", "true"}};
    create.description = "Events of the pipeline " + options_.pipeline_name;
    auto made = tables_.Create(options_.table_path, create);
    if (made.ok() || !HasCode(made.status(), "DELTA_TABLE_EXISTS")) return made;
  }
  return tables_.Open(options_.table_path);
}

Result<std::shared_ptr<arrow::RecordBatch>> EventLog::ToRows(
    const std::vector<Entry>& entries) const {
  std::vector<arrow::StringBuilder> texts(9);
  arrow::TimestampBuilder times(Schema()->field(3)->type(), arrow::default_memory_pool());
  for (const Entry& entry : entries) {
    const PipelineEvent& event = entry.event;
    SLUICE_RETURN_NOT_OK(texts[0].Append(entry.id));
    SLUICE_RETURN_NOT_OK(texts[1].Append(entry.sequence));
    SLUICE_RETURN_NOT_OK(texts[2].Append(OriginJson(options_, event)));
    SLUICE_RETURN_NOT_OK(times.Append(entry.time));
    SLUICE_RETURN_NOT_OK(texts[3].Append(event.message));
    SLUICE_RETURN_NOT_OK(texts[4].Append(EventLevelName(event.level)));
    SLUICE_RETURN_NOT_OK(texts[5].Append("STABLE"));
    SLUICE_RETURN_NOT_OK(AppendOptional(event.error, &texts[6]));
    SLUICE_RETURN_NOT_OK(AppendOptional(event.details, &texts[7]));
    SLUICE_RETURN_NOT_OK(texts[8].Append(event.type));
  }
  arrow::ArrayVector columns;
  for (arrow::StringBuilder& builder : texts) {
    std::shared_ptr<arrow::Array> column;
    if (columns.size() == 3) {
      SLUICE_RETURN_NOT_OK(times.Finish(&column));
      columns.push_back(std::move(column));
    }
    SLUICE_RETURN_NOT_OK(builder.Finish(&column));
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(Schema(), static_cast<int64_t>(entries.size()),
                                  std::move(columns));
}

Status EventLog::Commit(const std::vector<Entry>& entries) {
  SLUICE_ASSIGN_OR_RETURN(const std::shared_ptr<delta::Table> table, OpenTable());
  SLUICE_ASSIGN_OR_RETURN(const auto rows, ToRows(entries));
  SLUICE_ASSIGN_OR_RETURN(auto writer, delta::DataFileWriter::Make(*table, table->Current()));
  SLUICE_RETURN_NOT_OK(writer->Write(rows));
  SLUICE_ASSIGN_OR_RETURN(auto files, writer->Finish());
  delta::Transaction transaction = table->NewTransaction();
  transaction.Add(std::move(files));
  transaction.SetOperation("WRITE", {{"mode", "Append"}});
  SLUICE_RETURN_NOT_OK(transaction.Commit().status());
  Maintain(*table);
  return Status::OK();
}

// Checkpoints, and small files put together. What fails here is tried again after a later write.
void EventLog::Maintain(delta::Table& table) {
  Status status = table.Maintain().status();
  if (status.ok() && ++writes_ % kWritesBetweenCompactions == 0) {
    delta::CompactionOptions options;
    options.min_files = options_.min_files_to_compact;
    status = delta::Compact(table, options).status();
  }
  if (!status.ok()) log::Warn("event log: upkeep failed: {}", status.ToString());
}

}  // namespace sluice::sinks
