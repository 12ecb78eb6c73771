// bench_kafka_source BROKERS TOPIC EVENTS [COLUMNS]: reads a topic from its beginning through
// KafkaSource into Arrow batches and throws them away. COLUMNS, with commas, default all. Prints
// one JSON line.
#include "sources/kafka/kafka_source.h"

#include <arrow/record_batch.h>

#include "base/clock.h"
#include "tool_internal.h"

namespace {

sluice::Status Run(const std::string& brokers, const std::string& topic, int64_t wanted,
                   const std::string& columns) {
  SLUICE_ASSIGN_OR_RETURN(
      auto options, sluice::sources::ParseKafkaOptions("bench", {{"bootstrapServers", brokers},
                                                                 {"subscribe", topic},
                                                                 {"startingOffsets", "earliest"}}));
  std::vector<std::string> names;
  for (size_t at = 0; at < columns.size();) {
    const size_t comma = std::min(columns.find(',', at), columns.size());
    names.push_back(columns.substr(at, comma - at));
    at = comma + 1;
  }
  SLUICE_ASSIGN_OR_RETURN(
      auto source, sluice::sources::KafkaSource::Make(options, names, sluice::SystemClock()));
  const sluice::bench::Stopwatch opened;
  SLUICE_RETURN_NOT_OK(source->Open({}, {}));
  const double open_seconds = opened.Seconds();
  int64_t events = 0;
  int64_t polls = 0;
  int64_t batches = 0;
  sluice::bench::Stopwatch watch;
  while (events < wanted) {
    SLUICE_ASSIGN_OR_RETURN(const auto batch, source->PollBatch({}));
    if (events == 0) watch.Restart();
    events += batch.num_rows;
    batches += static_cast<int64_t>(batch.rows.size());
    ++polls;
  }
  const double seconds = watch.Seconds();
  const double cpu = sluice::bench::CpuSeconds();
  std::printf(
      "{\"system\":\"limit\",\"workload\":\"kafka_source\",\"events\":%lld,\"seconds\":%.3f,"
      "\"events_per_s\":%.0f,"
      "\"cpu_seconds\":%.3f,\"cpu_us_per_event\":%.3f,\"peak_rss_mb\":%.0f,\"open_seconds\":%.3f,"
      "\"polls\":%lld,"
      "\"batches\":%lld}\n",
      static_cast<long long>(events), seconds, static_cast<double>(events) / seconds, cpu,
      cpu * 1e6 / static_cast<double>(events), sluice::bench::PeakRssMb(), open_seconds,
      static_cast<long long>(polls), static_cast<long long>(batches));
  return source->Close();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: bench_kafka_source BROKERS TOPIC EVENTS [COLUMNS]\n", stderr);
    return 2;
  }
  const sluice::Status status = Run(argv[1], argv[2], std::atoll(argv[3]), argc > 4 ? argv[4] : "");
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.ToString().c_str());
  return status.ok() ? 0 : 1;
}
