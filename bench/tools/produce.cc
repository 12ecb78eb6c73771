// bench_produce BROKERS TOPIC FILE REPEATS [CODEC]: produces the lines of FILE, REPEATS times over,
// into 4 partitions in turn; the key is the event_id, which every line has at the same place.
// Creates the topic when it is not there.
#include <fstream>
#include <string>
#include <vector>

#include "tool_internal.h"

namespace {

constexpr int kPartitions = 4;
constexpr size_t kKeyStart = 13;  // behind {"event_id":"
constexpr size_t kKeySize = 36;

int64_t failed = 0;

void OnDelivered(rd_kafka_t*, const rd_kafka_message_t* message, void*) {
  if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) ++failed;
}

void CreateTopic(rd_kafka_t* client, const char* topic) {
  char error[512];
  rd_kafka_NewTopic_t* wanted = rd_kafka_NewTopic_new(topic, kPartitions, 1, error, sizeof(error));
  rd_kafka_queue_t* reply = rd_kafka_queue_new(client);
  rd_kafka_CreateTopics(client, &wanted, 1, nullptr, reply);
  rd_kafka_event_t* event = rd_kafka_queue_poll(reply, 30'000);
  if (event != nullptr) rd_kafka_event_destroy(event);
  rd_kafka_queue_destroy(reply);
  rd_kafka_NewTopic_destroy(wanted);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 5) {
    std::fputs("usage: bench_produce BROKERS TOPIC FILE REPEATS [CODEC]\n", stderr);
    return 2;
  }
  std::ifstream file(argv[3]);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  if (lines.empty()) {
    std::fprintf(stderr, "no lines in %s\n", argv[3]);
    return 1;
  }
  rd_kafka_t* client = sluice::bench::NewClient(RD_KAFKA_PRODUCER,
                                                {{"bootstrap.servers", argv[1]},
                                                 {"linger.ms", "50"},
                                                 {"batch.size", "1000000"},
                                                 {"queue.buffering.max.messages", "1000000"},
                                                 {"queue.buffering.max.kbytes", "1000000"},
                                                 {"enable.idempotence", "true"},
                                                 {"compression.codec", argc > 5 ? argv[5] : "lz4"}},
                                                OnDelivered);
  CreateTopic(client, argv[2]);
  rd_kafka_topic_t* topic = rd_kafka_topic_new(client, argv[2], nullptr);
  const sluice::bench::Stopwatch watch;
  int64_t produced = 0;
  for (int repeat = 0; repeat < std::atoi(argv[4]); ++repeat) {
    for (std::string& line : lines) {
      while (rd_kafka_produce(topic, static_cast<int32_t>(produced % kPartitions),
                              RD_KAFKA_MSG_F_COPY, line.data(), line.size(),
                              line.data() + kKeyStart, kKeySize, nullptr) < 0) {
        if (rd_kafka_last_error() != RD_KAFKA_RESP_ERR__QUEUE_FULL) ++failed;
        if (failed > 0) break;
        rd_kafka_poll(client, 10);
      }
      if ((++produced & 4'095) == 0) rd_kafka_poll(client, 0);
    }
  }
  if (rd_kafka_flush(client, 120'000) != RD_KAFKA_RESP_ERR_NO_ERROR || failed > 0) {
    std::fprintf(stderr, "%lld records not delivered\n",
                 static_cast<long long>(failed + rd_kafka_outq_len(client)));
    return 1;
  }
  std::printf("{\"produced\":%lld,\"seconds\":%.2f}\n", static_cast<long long>(produced),
              watch.Seconds());
  return 0;
}
