// bench_consume BROKERS TOPIC EVENTS: reads 4 partitions from their beginning with librdkafka alone
// and throws the records away: the limit of what any consumer of this client can reach. Prints one
// JSON line.
#include <cstdint>
#include <vector>

#include "tool_internal.h"

namespace {
constexpr int kPartitions = 4;
constexpr size_t kAtOnce = 10'000;
}  // namespace

int main(int argc, char** argv) {
  if (argc < 4) {
    std::fputs("usage: bench_consume BROKERS TOPIC EVENTS\n", stderr);
    return 2;
  }
  rd_kafka_t* client =
      sluice::bench::NewClient(RD_KAFKA_CONSUMER, {{"bootstrap.servers", argv[1]},
                                                   {"group.id", "bench"},
                                                   {"queued.min.messages", "1000000"},
                                                   {"queued.max.messages.kbytes", "1000000"},
                                                   {"fetch.message.max.bytes", "16777216"},
                                                   {"fetch.max.bytes", "67108864"},
                                                   {"check.crcs", "false"},
                                                   {"enable.auto.commit", "false"}});
  rd_kafka_poll_set_consumer(client);
  rd_kafka_topic_partition_list_t* list = rd_kafka_topic_partition_list_new(kPartitions);
  for (int32_t i = 0; i < kPartitions; ++i)
    rd_kafka_topic_partition_list_add(list, argv[2], i)->offset = 0;
  rd_kafka_assign(client, list);
  rd_kafka_topic_partition_list_destroy(list);
  rd_kafka_queue_t* queue = rd_kafka_queue_get_consumer(client);

  std::vector<rd_kafka_message_t*> messages(kAtOnce);
  const int64_t wanted = std::atoll(argv[3]);
  int64_t events = 0;
  size_t bytes = 0;
  sluice::bench::Stopwatch watch;
  while (events < wanted) {
    const ssize_t count =
        rd_kafka_consume_batch_queue(queue, 1'000, messages.data(), messages.size());
    if (events == 0) watch.Restart();
    for (ssize_t i = 0; i < count; ++i) {
      if (messages[i]->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        ++events;
        bytes += messages[i]->len;
      }
      rd_kafka_message_destroy(messages[i]);
    }
    if (count == 0 && watch.Seconds() > 60) {
      std::fputs("nothing arrives\n", stderr);
      return 1;
    }
  }
  const double seconds = watch.Seconds();
  const double cpu = sluice::bench::CpuSeconds();
  std::printf(
      "{\"system\":\"limit\",\"workload\":\"consume\",\"events\":%lld,\"seconds\":%.3f,\"events_"
      "per_s\":%.0f,"
      "\"mb_per_s\":%.0f,\"cpu_seconds\":%.3f,\"cpu_us_per_event\":%.3f,\"peak_rss_mb\":%.0f}\n",
      static_cast<long long>(events), seconds, static_cast<double>(events) / seconds,
      static_cast<double>(bytes) / seconds / 1e6, cpu, cpu * 1e6 / static_cast<double>(events),
      sluice::bench::PeakRssMb());
  std::fflush(stdout);
  std::_Exit(0);  // what is still queued need not be freed
}
