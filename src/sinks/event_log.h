// The event log of a pipeline: a Delta table with Lakeflow's columns (docs/reference/event-log.md).
// Events are gathered and written together, at most one commit in an interval and one at the end.
// Appending never blocks and never fails: what does not fit into the bounded queue is counted and
// said so in the log. Thread-safe.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/mutex.h"
#include "base/random.h"
#include "base/status.h"
#include "delta/log/table.h"
#include "sinks/pipeline_event.h"

namespace sluice::sinks {

struct EventLogOptions {
  std::string table_path;
  std::string pipeline_name;
  std::string update_id;  // of this run
  std::string host;
  int64_t min_commit_interval_micros = 10'000'000;
  size_t max_queued_events = 10'000;
  int min_files_to_compact = 100;  // small files are put together from so many on
  bool background = true;          // false: the owner calls WriteDue (simulation, tests)
};

class EventLog {
 public:
  /// `tables` and `clock` outlive this. Touches no storage: the table is made with the first write.
  EventLog(EventLogOptions options, delta::TableRegistry& tables, Clock& clock, uint64_t seed);
  /// Closes.
  ~EventLog();
  EventLog(const EventLog&) = delete;
  EventLog& operator=(const EventLog&) = delete;

  void Append(PipelineEvent event) EXCLUDES_LOCK(mutex_);
  /// Counts of one committed epoch: summed up per flow to one flow_progress event in each write.
  void AppendMetrics(const FlowMetrics& metrics) EXCLUDES_LOCK(mutex_);
  /// Writes what is gathered when the interval since the last write is over. Errors are logged; the
  /// events stay.
  void WriteDue() EXCLUDES_LOCK(mutex_);
  /// Writes all that is gathered now and stops the thread. Later events are dropped. Call once all
  /// flows have ended.
  Status Close() EXCLUDES_LOCK(mutex_);
  /// Events that found the queue full.
  int64_t dropped_events() EXCLUDES_LOCK(mutex_);

  /// Columns of the table.
  static const std::shared_ptr<arrow::Schema>& Schema();

 private:
  // An event with what is fixed when it happens.
  struct Entry {
    PipelineEvent event;
    std::string id;
    std::string sequence;
    TimestampMicros time = 0;
  };

  void Enqueue(PipelineEvent event) REQUIRES_LOCK(mutex_);
  void TakeMetrics() REQUIRES_LOCK(mutex_);
  void RunInBackground();
  Status WriteGathered() EXCLUDES_LOCK(mutex_);
  Status Commit(const std::vector<Entry>& entries);
  Result<std::shared_ptr<delta::Table>> OpenTable();
  Result<std::shared_ptr<arrow::RecordBatch>> ToRows(const std::vector<Entry>& entries) const;
  void Maintain(delta::Table& table);

  const EventLogOptions options_;
  delta::TableRegistry& tables_;
  Clock& clock_;
  const std::string sequence_prefix_;  // start of the run: orders the events of different runs

  Mutex write_mutex_;  // one write at a time; taken before mutex_
  int64_t writes_ GUARDED_BY(write_mutex_) = 0;
  Mutex mutex_;
  ConditionVariable wake_;
  std::vector<Entry> queue_ GUARDED_BY(mutex_);
  std::map<std::string, FlowMetrics> metrics_ GUARDED_BY(mutex_);
  Random random_ GUARDED_BY(mutex_);
  int64_t next_sequence_ GUARDED_BY(mutex_) = 0;
  int64_t dropped_ GUARDED_BY(mutex_) = 0;
  int64_t dropped_reported_ GUARDED_BY(mutex_) = 0;
  int64_t last_write_ GUARDED_BY(mutex_) = 0;  // steady clock
  bool closing_ GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace sluice::sinks
