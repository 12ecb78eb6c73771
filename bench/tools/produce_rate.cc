// bench_produce_rate BROKERS TOPIC RATE SECONDS PHASE [WARM_UP]: unique events at a fixed rate into
// 4 partitions in turn; event_time = the record's timestamp = the moment of produce, in
// milliseconds. PHASE is the first part of every event_id, except in the WARM_UP seconds that come
// first, where it is 9: until the client is connected, events wait in it.
#include <algorithm>
#include <cstdint>
#include <ctime>
#include <thread>

#include "tool_internal.h"

namespace {

constexpr int kPartitions = 4;
constexpr unsigned kWarmUpPhase = 9;
constexpr size_t kKeySize = 36;
constexpr const char* kTypes[] = {"page_view", "search", "logout", "purchase", "login"};
constexpr const char* kRegions[] = {"us-west", "ap-south", "us-east", "eu-west"};

struct Event {
  char id[64];
  char value[512];
  size_t size;
};

void MakeEvent(unsigned phase, int64_t number, int64_t now_millis, Event* event) {
  const std::time_t seconds = static_cast<std::time_t>(now_millis / 1'000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  char time[32];
  std::strftime(time, sizeof(time), "%Y-%m-%dT%H:%M:%S", &parts);
  const auto n = static_cast<long long>(number);
  std::snprintf(event->id, sizeof(event->id), "%08x-0000-4000-8000-%012llx", phase, n);
  const int size = std::snprintf(event->value, sizeof(event->value),
                                 "{\"event_id\":\"%s\",\"customer_id\":\"%010lld\",\"event_type\":"
                                 "\"%s\",\"event_time\":\"%s.%03dZ\",\"properties\":"
                                 "{\"region\":\"%s\",\"revenue\":\"%lld.%02lld\",\"response_time\":"
                                 "\"%lld\",\"page\":\"/products/%lld\"}}",
                                 event->id, n * 7'919 % 1'000'000, kTypes[n % 5], time,
                                 static_cast<int>(now_millis % 1'000), kRegions[n % 4], n % 999,
                                 n % 100, n % 900, n % 5'000);
  event->size = static_cast<size_t>(size);
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 6) {
    std::fputs("usage: bench_produce_rate BROKERS TOPIC RATE SECONDS PHASE [WARM_UP]\n", stderr);
    return 2;
  }
  rd_kafka_t* client =
      sluice::bench::NewClient(RD_KAFKA_PRODUCER, {{"bootstrap.servers", argv[1]},
                                                   {"linger.ms", "5"},
                                                   {"compression.codec", "lz4"},
                                                   {"queue.buffering.max.messages", "1000000"}});
  const double rate = std::atof(argv[3]);
  const auto warm_up = static_cast<int64_t>(argc > 6 ? rate * std::atof(argv[6]) : 0);
  const auto total = warm_up + static_cast<int64_t>(rate * std::atof(argv[4]));
  const auto phase = static_cast<unsigned>(std::atoi(argv[5]));
  const sluice::bench::Stopwatch watch;
  Event event{};
  for (int64_t number = 0; number < total;) {
    const int64_t due = std::min(static_cast<int64_t>(watch.Seconds() * rate), total);
    const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                            std::chrono::system_clock::now().time_since_epoch())
                            .count();
    for (; number < due; ++number) {
      MakeEvent(number < warm_up ? kWarmUpPhase : phase, number, now, &event);
      while (rd_kafka_producev(client, RD_KAFKA_V_TOPIC(argv[2]),
                               RD_KAFKA_V_PARTITION(static_cast<int32_t>(number % kPartitions)),
                               RD_KAFKA_V_VALUE(event.value, event.size),
                               RD_KAFKA_V_KEY(event.id, kKeySize),
                               RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_TIMESTAMP(now),
                               RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        rd_kafka_poll(client, 5);
      }
    }
    rd_kafka_poll(client, 0);
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  const bool delivered = rd_kafka_flush(client, 30'000) == RD_KAFKA_RESP_ERR_NO_ERROR;
  std::printf("{\"phase\":%u,\"produced\":%lld,\"seconds\":%.2f}\n", phase,
              static_cast<long long>(total - warm_up), watch.Seconds());
  rd_kafka_destroy(client);
  return delivered ? 0 : 1;
}
