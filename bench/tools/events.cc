// bench_events FILE [SEED]: writes the 1,000,000 benchmark events as lines of JSON. The same seed
// gives the same file on every machine; other seeds give other, disjoint events. Seed 7 is the
// benchmark's file.
#include <cinttypes>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <random>

namespace {

constexpr int kEvents = 1'000'000;
constexpr const char* kTypes[] = {"purchase", "page_view", "login", "logout", "search"};
constexpr const char* kRegions[] = {"us-east", "us-west", "eu-west", "ap-south"};

void WriteEvent(std::FILE* file, int number, uint64_t a, uint64_t b) {
  std::fprintf(
      file,
      "{\"event_id\":\"%08x-%04x-4%03x-a%03x-%012" PRIx64 "\",\"customer_id\":\"%010" PRIu64
      "\",\"event_type\":\"%s\",\"event_time\":\"2024-03-%02dT%02d:%02d:%02d.%03dZ\",",
      static_cast<uint32_t>(a), static_cast<uint32_t>(a >> 32) & 0xFFFFU,
      static_cast<uint32_t>(a >> 48) & 0xFFFU, static_cast<uint32_t>(b) & 0xFFFU, b >> 16,
      a % 1'000'000, kTypes[a % 5], 1 + number / 40'000 % 28, static_cast<int>(b % 24),
      static_cast<int>(b / 24 % 60), static_cast<int>(b / 1'440 % 60), static_cast<int>(b % 1'000));
  std::fprintf(file,
               "\"properties\":{\"region\":\"%s\",\"revenue\":\"%.2f\",\"response_time\":\"%d\","
               "\"page\":\"/products/%d\"}}\n",
               kRegions[b % 4], static_cast<double>(b % 100'000) / 100, static_cast<int>(a % 900),
               static_cast<int>(b % 5'000));
}

}  // namespace

int main(int argc, char** argv) {
  if (argc < 2) {
    std::fputs("usage: bench_events FILE [SEED]\n", stderr);
    return 2;
  }
  std::FILE* file = std::fopen(argv[1], "w");
  if (file == nullptr) {
    std::perror(argv[1]);
    return 1;
  }
  std::mt19937_64 generator(argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 7);
  for (int number = 0; number < kEvents; ++number) {
    const uint64_t a = generator();
    const uint64_t b = generator();
    WriteEvent(file, number, a, b);
  }
  return std::fclose(file) == 0 ? 0 : 1;
}
