// Realistic shop events for the demo and the kill test: the same seed and clock readings give the
// same events, and a ledger says what was made, to compare the tables with. One thread.
#pragma once

#include <cstdint>
#include <cstdio>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/status.h"

namespace sluice::sources {

enum class EventClass { kGood, kDuplicate, kBadJson, kRuleBreaker, kOutOfTime, kLate };
std::string_view EventClassName(EventClass event_class);

struct EventGeneratorOptions {
  uint64_t seed = 7;
  // Shares in events per 10,000.
  int duplicates = 100;  // an earlier good event again, byte for byte
  int bad_json = 50;     // cut off, not JSON, or empty: no event_id can be read
  // Two thirds kRuleBreaker: customer_id not ten digits, null ids or times; one third kOutOfTime:
  // event_time a month ago or tomorrow.
  int rule_breakers = 100;
  int late = 100;  // a good event, but older than the watermark allows
  int64_t late_by_micros = 15 * 60 * 1'000'000LL;  // at least; up to four times that
  int customers = 5'000;
  std::string
      ledger_path;  // one JSON line an event: seq, class, event_id, event_time; empty = none
};

struct GeneratedEvent {
  EventClass event_class = EventClass::kGood;
  std::string key;    // event_id; of a broken event too, so that it can be found again
  std::string value;  // the payload
  int64_t timestamp_millis = 0;
};

/// What was generated.
struct EventLedger {
  std::map<EventClass, int64_t> counts;
  int64_t total = 0;
  int64_t payload_bytes = 0;
};

/// event_id, customer_id (ten digits), event_type (mixed case, sometimes with spaces around),
/// event_time (within the last two seconds), properties {region, revenue, response_time, page}.
class EventGenerator {
 public:
  /// `clock` outlives the generator. Fails when the ledger file cannot be written.
  static Result<std::unique_ptr<EventGenerator>> Make(EventGeneratorOptions options, Clock& clock);
  ~EventGenerator();
  /// The next event, valid until the next call.
  const GeneratedEvent& Next();
  const EventLedger& ledger() const { return ledger_; }
  /// Writes the ledger file out.
  Status Flush();

 private:
  struct Past {
    std::string key;
    std::string value;
    TimestampMicros event_time;
  };
  EventGenerator(EventGeneratorOptions options, Clock& clock, std::FILE* ledger_file);
  EventClass PickClass();
  void MakeGood(TimestampMicros now);
  void MakeDuplicate(TimestampMicros now);
  void MakeBadJson(TimestampMicros now);
  void MakeRuleBreaker(TimestampMicros now);
  void MakeOutOfTime(TimestampMicros now);
  void MakeLate(TimestampMicros now);
  void MakeEventId();
  void WriteValue(std::string_view event_id, std::string_view customer_id,
                  TimestampMicros event_time);
  void WriteLedger();

  const EventGeneratorOptions options_;
  Clock& clock_;
  Random random_;
  EventLedger ledger_;
  GeneratedEvent event_;
  TimestampMicros event_time_ = 0;  // of event_; kNoTimestamp when it has none
  std::vector<Past> recent_;        // good events that may come again; a ring
  size_t recent_next_ = 0;
  std::FILE* ledger_file_;
};

}  // namespace sluice::sources
