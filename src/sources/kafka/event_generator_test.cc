#include "sources/kafka/event_generator.h"

#include <gtest/gtest.h>

#include <fstream>
#include <nlohmann/json.hpp>
#include <set>

namespace sluice::sources {
namespace {

constexpr TimestampMicros kNow = 1'700'000'000'000'000;

TEST(EventGeneratorTest, SameSeedSameEvents) {
  ManualClock clock(kNow);
  const auto a = EventGenerator::Make({}, clock).ValueOrDie();
  const auto b = EventGenerator::Make({}, clock).ValueOrDie();
  EventGeneratorOptions other_seed;
  other_seed.seed = 8;
  const auto c = EventGenerator::Make(other_seed, clock).ValueOrDie();
  int differ = 0;
  for (int i = 0; i < 5'000; ++i) {
    const GeneratedEvent& event = a->Next();
    ASSERT_EQ(event.value, b->Next().value);
    differ += event.value != c->Next().value ? 1 : 0;
  }
  EXPECT_GT(differ, 4'900);
}

TEST(EventGeneratorTest, SharesAndLedgerAgree) {
  ManualClock clock(kNow);
  const std::string path = testing::TempDir() + "event_ledger.ndjson";
  EventGeneratorOptions options;
  options.ledger_path = path;
  const auto generator = EventGenerator::Make(options, clock).ValueOrDie();
  std::map<EventClass, int64_t> seen;
  std::set<std::string> ids;
  for (int i = 0; i < 100'000; ++i) {
    const GeneratedEvent& event = generator->Next();
    ++seen[event.event_class];
    const auto json = nlohmann::json::parse(event.value, nullptr, false);
    ASSERT_EQ(json.is_discarded() || !json.is_object(), event.event_class == EventClass::kBadJson)
        << event.value;
    const bool is_new = ids.insert(event.key).second;
    ASSERT_EQ(is_new, event.event_class != EventClass::kDuplicate);
    if (event.event_class == EventClass::kBadJson) {
      ASSERT_FALSE(event.value.starts_with("{\"event_id\":\"" + event.key + "\"")) << event.value;
    }
    if (event.event_class == EventClass::kGood) {
      ASSERT_EQ(json["event_id"], event.key);
    }
  }
  EXPECT_EQ(seen, generator->ledger().counts);
  EXPECT_NEAR(static_cast<double>(seen[EventClass::kDuplicate]), 1'000, 150);
  EXPECT_NEAR(static_cast<double>(seen[EventClass::kBadJson]), 500, 120);
  EXPECT_NEAR(static_cast<double>(seen[EventClass::kRuleBreaker]), 667, 120);
  EXPECT_NEAR(static_cast<double>(seen[EventClass::kOutOfTime]), 333, 90);
  EXPECT_NEAR(static_cast<double>(seen[EventClass::kLate]), 1'000, 150);

  ASSERT_TRUE(generator->Flush().ok());
  std::ifstream file(path);
  int64_t lines = 0;
  for (std::string line; std::getline(file, line); ++lines) {
    ASSERT_TRUE(nlohmann::json::accept(line)) << line;
  }
  EXPECT_EQ(lines, 100'000);
}

TEST(EventGeneratorTest, LedgerThatCannotBeWrittenIsAnError) {
  ManualClock clock(kNow);
  EventGeneratorOptions options;
  options.ledger_path = "/nonexistent/ledger";
  EXPECT_FALSE(EventGenerator::Make(options, clock).ok());
}

}  // namespace
}  // namespace sluice::sources
