// Records of Kafka topics as Arrow batches, with positions that start, survive restarts and end as
// flow::Source says. Every partition has a queue of its own, read in an order that keeps partitions
// together in record time while there is a backlog. Threads as in flow/source.h; inside, the client
// fetches and a watcher thread looks for new partitions.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/status.h"
#include "flow/source.h"
#include "sources/kafka/kafka_options.h"

namespace sluice::sources {

/// Partition key in positions: "<id>/<topic>-<n>"; value: the next offset to read. Partitions
/// without a committed position start where the options say, and partitions that appear later at
/// their beginning; the first batch with rows also carries the position such a partition started
/// at, so that a restart goes on from there.
class KafkaSource : public flow::Source {
 public:
  /// `columns`: the columns to build, in this order; empty = all. `clock` outlives the source.
  static Result<std::unique_ptr<KafkaSource>> Make(KafkaSourceOptions options,
                                                   std::vector<std::string> columns, Clock& clock);
  /// key, value BINARY, topic STRING, partition INT, offset BIGINT, timestamp TIMESTAMP,
  /// timestampType INT, and with `include_headers` headers ARRAY<STRUCT<key STRING, value BINARY>>.
  static std::shared_ptr<arrow::Schema> FullSchema(bool include_headers);

  ~KafkaSource() override;

  const std::string& id() const override;
  const std::shared_ptr<arrow::Schema>& schema() const override;
  Status Open(const flow::Positions& committed,
              const std::map<std::string, int64_t>& fingerprints) override;
  Status PinEnd() override;
  Result<bool> AtEnd() override;
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits) override;
  Status Rewind(const flow::Positions& positions) override;
  Status Resume(const flow::Positions& committed,
                const std::map<std::string, int64_t>& fingerprints) override;
  void OnCommitted(const flow::Positions& positions) override;
  flow::SourceLag Lag() override;
  void Stop() override;
  Status Close() override;

  const KafkaSourceOptions& options() const;
  /// Next offset to read of a partition as OnCommitted last told; 0 when it never did. Any thread.
  int64_t CommittedOffset(const std::string& topic, int32_t partition) const;
  /// Records known to be lost since Open. Any thread.
  int64_t LostRecords() const;

 private:
  class Impl;
  explicit KafkaSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sources
