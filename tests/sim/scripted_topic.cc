#include "scripted_topic.h"

#include <arrow/api.h>

#include <algorithm>

#include "base/hash128.h"

namespace sluice::sim {
namespace {

int64_t FingerprintOf(const Record& record) {
  return static_cast<int64_t>(
      HashBytes128(&record.value, sizeof(record.value), static_cast<uint64_t>(record.id)).low >> 1);
}

Result<std::shared_ptr<arrow::RecordBatch>> ToBatch(const Record* begin, const Record* end) {
  arrow::Int32Builder partition;
  arrow::Int64Builder offset;
  arrow::Int64Builder id;
  arrow::TimestampBuilder event_time(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                                     arrow::default_memory_pool());
  arrow::Int64Builder value;
  arrow::Int64Builder group;
  arrow::BooleanBuilder bad;
  for (const Record* record = begin; record != end; ++record) {
    SLUICE_RETURN_NOT_OK(partition.Append(record->partition));
    SLUICE_RETURN_NOT_OK(offset.Append(record->offset));
    SLUICE_RETURN_NOT_OK(id.Append(record->id));
    SLUICE_RETURN_NOT_OK(event_time.Append(record->event_time));
    SLUICE_RETURN_NOT_OK(value.Append(record->value));
    SLUICE_RETURN_NOT_OK(group.Append(record->group));
    SLUICE_RETURN_NOT_OK(bad.Append(record->bad));
  }
  arrow::ArrayVector columns;
  for (arrow::ArrayBuilder* builder : std::initializer_list<arrow::ArrayBuilder*>{
           &partition, &offset, &id, &event_time, &value, &group, &bad}) {
    SLUICE_ASSIGN_OR_RETURN(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(TopicSchema(), end - begin, std::move(columns));
}

}  // namespace

std::shared_ptr<arrow::Schema> TopicSchema() {
  return arrow::schema({arrow::field("partition", arrow::int32()),
                        arrow::field("offset", arrow::int64()), arrow::field("id", arrow::int64()),
                        arrow::field("event_time", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
                        arrow::field("value", arrow::int64()), arrow::field("grp", arrow::int64()),
                        arrow::field("bad", arrow::boolean())});
}

ScriptedTopic::ScriptedTopic(uint64_t seed, int partitions, int64_t start_time, int64_t delay)
    : random_(seed), delay_(delay), time_(start_time), records_(static_cast<size_t>(partitions)) {}

std::vector<Record> ScriptedTopic::records(int partition) const {
  MutexLock lock(mutex_);
  return records_[static_cast<size_t>(partition)];
}

void ScriptedTopic::Produce(int64_t count) {
  MutexLock lock(mutex_);
  for (; count > 0; --count) {
    auto& partition = records_[random_.Below(records_.size())];
    Record record;
    if (!originals_.empty() && random_.OneIn(4)) {
      // A copy, mostly of something recent.
      const size_t back =
          1 + random_.Below(random_.OneIn(3) ? originals_.size()
                                             : std::min<size_t>(originals_.size(), 30));
      record = originals_[originals_.size() - back];
    } else {
      time_ += static_cast<int64_t>(random_.Below(static_cast<uint64_t>(delay_) / 8));
      record.id = next_id_++;
      record.event_time =
          time_ - static_cast<int64_t>(random_.Below(static_cast<uint64_t>(delay_)));
      if (random_.OneIn(15)) record.event_time = time_ - 5 * delay_;
      record.value = static_cast<int64_t>(random_.Below(1000));
      record.group = static_cast<int64_t>(random_.Below(12));
      record.bad = random_.OneIn(12);
      if (!record.bad) originals_.push_back(record);
    }
    record.partition = static_cast<int32_t>(&partition - records_.data());
    record.offset = static_cast<int64_t>(partition.size());
    partition.push_back(record);
  }
}

int64_t ScriptedTopic::size() const {
  MutexLock lock(mutex_);
  int64_t size = 0;
  for (const auto& partition : records_) size += static_cast<int64_t>(partition.size());
  return size;
}

ScriptedSource::ScriptedSource(const ScriptedTopic& topic, Random& random)
    : topic_(topic), random_(random), next_(static_cast<size_t>(topic.partitions()), 0) {}

Status ScriptedSource::Open(const flow::Positions& committed,
                            const std::map<std::string, int64_t>& fingerprints) {
  for (int p = 0; p < topic_.partitions(); ++p) {
    const auto position = committed.find(Key(p));
    const auto fingerprint = fingerprints.find(Key(p));
    if (position == committed.end() || position->second == 0) continue;
    if (fingerprint == fingerprints.end() ||
        fingerprint->second !=
            FingerprintOf(topic_.records(p)[static_cast<size_t>(position->second - 1)])) {
      return MakeError("SIM_FINGERPRINT",
                       "fingerprint does not belong to the position of " + Key(p));
    }
  }
  return Rewind(committed);
}

Status ScriptedSource::Rewind(const flow::Positions& positions) {
  for (int p = 0; p < topic_.partitions(); ++p) {
    const auto position = positions.find(Key(p));
    next_[static_cast<size_t>(p)] = position == positions.end() ? 0 : position->second;
  }
  return Status::OK();
}

Result<bool> ScriptedSource::AtEnd() {
  for (int p = 0; p < topic_.partitions(); ++p) {
    if (next_[static_cast<size_t>(p)] < static_cast<int64_t>(topic_.records(p).size()))
      return false;
  }
  return true;
}

Result<flow::SourceBatch> ScriptedSource::PollBatch(const flow::PollLimits& limits) {
  flow::SourceBatch batch;
  for (int p = 0; p < topic_.partitions(); ++p) {
    const std::vector<Record> records = topic_.records(p);
    int64_t& next = next_[static_cast<size_t>(p)];
    int64_t end = static_cast<int64_t>(records.size());
    if (!limits.until.empty()) {
      const auto until = limits.until.find(Key(p));
      end = until == limits.until.end() ? next : std::min(end, until->second);
      if (until != limits.until.end()) batch.next[Key(p)] = next;
    }
    end = std::min(end, next + limits.max_rows - batch.num_rows);
    if (end > next && random_.OneIn(2))
      end = next + 1 + static_cast<int64_t>(random_.Below(static_cast<uint64_t>(end - next)));
    if (end <= next) continue;
    auto rows = std::make_shared<SourceRows>();
    rows->source_name = id_;
    SLUICE_ASSIGN_OR_RETURN(rows->rows, ToBatch(records.data() + next, records.data() + end));
    batch.num_rows += end - next;
    batch.rows.push_back(std::move(rows));
    batch.next[Key(p)] = end;
    batch.fingerprints[Key(p)] = FingerprintOf(records[static_cast<size_t>(end - 1)]);
    next = end;
  }
  return batch;
}

}  // namespace sluice::sim
