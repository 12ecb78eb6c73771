// What the benchmark's programs share: a librdkafka client made from a list of properties, and CPU
// time.
#pragma once

#include <librdkafka/rdkafka.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <initializer_list>
#include <utility>

namespace sluice::bench {

using DeliveryCallback = void (*)(rd_kafka_t*, const rd_kafka_message_t*, void*);

/// A client, or the end of the program with a message. `delivered` may be null.
inline rd_kafka_t* NewClient(rd_kafka_type_t type,
                             std::initializer_list<std::pair<const char*, const char*>> properties,
                             DeliveryCallback delivered = nullptr) {
  char error[512];
  rd_kafka_conf_t* conf = rd_kafka_conf_new();
  for (const auto& [name, value] : properties) {
    if (rd_kafka_conf_set(conf, name, value, error, sizeof(error)) != RD_KAFKA_CONF_OK) {
      std::fprintf(stderr, "%s\n", error);
      std::exit(2);
    }
  }
  if (delivered != nullptr) rd_kafka_conf_set_dr_msg_cb(conf, delivered);
  rd_kafka_t* client = rd_kafka_new(type, conf, error, sizeof(error));
  if (client == nullptr) {
    std::fprintf(stderr, "%s\n", error);
    std::exit(1);
  }
  return client;
}

/// Seconds since the object was made.
class Stopwatch {
 public:
  void Restart() { start_ = std::chrono::steady_clock::now(); }
  double Seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

inline double CpuSeconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& t) {
    return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

inline double PeakRssMb() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

}  // namespace sluice::bench
