#include "sources/kafka/event_generator.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <iterator>

namespace sluice::sources {

namespace {

constexpr int64_t kSecond = 1'000'000;
constexpr int64_t kDay = 24 * 3'600 * kSecond;
constexpr size_t kRecentEvents = 512;

// As clients send them: mostly clean, sometimes in another case or with spaces around.
constexpr std::array<std::string_view, 12> kEventTypes = {
    "purchase",  "page_view", "login", "logout",   "search",    "purchase",
    "page_view", "Page_View", "LOGIN", " search ", "purchase ", " logout"};
constexpr std::array<std::string_view, 4> kRegions = {"us-east", "us-west", "eu-west", "ap-south"};
constexpr std::array<std::string_view, 5> kBrokenCustomers = {"12345", "customer-77", "",
                                                              "12345678901", "00000 1234"};
constexpr std::string_view kNull = "\xFF";  // stands for JSON's null in WriteValue

// "2024-03-01T07:08:09.123Z"
void AppendTime(TimestampMicros micros, std::string* out) {
  const std::time_t seconds = static_cast<std::time_t>(micros / kSecond);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  fmt::format_to(std::back_inserter(*out), "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z",
                 parts.tm_year + 1900, parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min,
                 parts.tm_sec, micros / 1'000 % 1'000);
}

void AppendText(std::string_view name, std::string_view text, std::string* out) {
  if (text == kNull) {
    fmt::format_to(std::back_inserter(*out), "\"{}\":null,", name);
  } else {
    fmt::format_to(std::back_inserter(*out), "\"{}\":\"{}\",", name, text);
  }
}

}  // namespace

std::string_view EventClassName(EventClass event_class) {
  switch (event_class) {
    case EventClass::kGood: return "good";
    case EventClass::kDuplicate: return "duplicate";
    case EventClass::kBadJson: return "bad_json";
    case EventClass::kRuleBreaker: return "rule_breaker";
    case EventClass::kOutOfTime: return "out_of_time";
    case EventClass::kLate: return "late";
  }
  return "";
}

Result<std::unique_ptr<EventGenerator>> EventGenerator::Make(EventGeneratorOptions options,
                                                             Clock& clock) {
  std::FILE* file = nullptr;
  if (!options.ledger_path.empty()) {
    file = std::fopen(options.ledger_path.c_str(), "w");
    if (file == nullptr)
      return Status::IOError("cannot write the ledger: ", options.ledger_path, ": ",
                             std::strerror(errno));
  }
  return std::unique_ptr<EventGenerator>(new EventGenerator(std::move(options), clock, file));
}

EventGenerator::EventGenerator(EventGeneratorOptions options, Clock& clock, std::FILE* ledger_file)
    : options_(std::move(options)),
      clock_(clock),
      random_(options_.seed),
      ledger_file_(ledger_file) {
  recent_.reserve(kRecentEvents);
}

EventGenerator::~EventGenerator() {
  if (ledger_file_ != nullptr) std::fclose(ledger_file_);
}

Status EventGenerator::Flush() {
  if (ledger_file_ == nullptr) return Status::OK();
  if (std::fflush(ledger_file_) != 0 || std::ferror(ledger_file_) != 0) {
    return Status::IOError("cannot write the ledger: ", options_.ledger_path);
  }
  return Status::OK();
}

EventClass EventGenerator::PickClass() {
  int drawn = static_cast<int>(random_.Below(10'000));
  if ((drawn -= options_.duplicates) < 0)
    return recent_.empty() ? EventClass::kGood : EventClass::kDuplicate;
  if ((drawn -= options_.bad_json) < 0) return EventClass::kBadJson;
  if ((drawn -= options_.rule_breakers) < 0) {
    return drawn % 3 == 0 ? EventClass::kOutOfTime : EventClass::kRuleBreaker;
  }
  if ((drawn -= options_.late) < 0) return EventClass::kLate;
  return EventClass::kGood;
}

const GeneratedEvent& EventGenerator::Next() {
  const TimestampMicros now = clock_.NowMicros();
  event_.event_class = PickClass();
  event_.timestamp_millis = now / 1'000;
  switch (event_.event_class) {
    case EventClass::kGood: MakeGood(now); break;
    case EventClass::kDuplicate: MakeDuplicate(now); break;
    case EventClass::kBadJson: MakeBadJson(now); break;
    case EventClass::kRuleBreaker: MakeRuleBreaker(now); break;
    case EventClass::kOutOfTime: MakeOutOfTime(now); break;
    case EventClass::kLate: MakeLate(now); break;
  }
  ++ledger_.counts[event_.event_class];
  ++ledger_.total;
  ledger_.payload_bytes += static_cast<int64_t>(event_.key.size() + event_.value.size());
  if (ledger_file_ != nullptr) WriteLedger();
  return event_;
}

void EventGenerator::MakeEventId() { event_.key = random_.Uuid(); }

void EventGenerator::WriteValue(std::string_view event_id, std::string_view customer_id,
                                TimestampMicros event_time) {
  event_time_ = event_time;
  std::string& out = event_.value;
  out.clear();
  out += '{';
  AppendText("event_id", event_id, &out);
  AppendText("customer_id", customer_id, &out);
  AppendText("event_type", kEventTypes[random_.Below(kEventTypes.size())], &out);
  if (event_time == kNoTimestamp) {
    out += "\"event_time\":null,";
  } else {
    out += "\"event_time\":\"";
    AppendTime(event_time, &out);
    out += "\",";
  }
  fmt::format_to(std::back_inserter(out),
                 "\"properties\":{{\"region\":\"{}\",\"revenue\":\"{}.{:02}\",\"response_time\":\"{"
                 "}\",\"page\":\"/products/{}\"}}}}",
                 kRegions[random_.Below(kRegions.size())], random_.Below(1'000), random_.Below(100),
                 5 + random_.Below(900), random_.Below(5'000));
}

void EventGenerator::MakeGood(TimestampMicros now) {
  MakeEventId();
  const std::string customer =
      fmt::format("{:010}", random_.Below(static_cast<uint64_t>(options_.customers)) * 7'919);
  WriteValue(event_.key, customer, now - static_cast<int64_t>(random_.Below(2 * kSecond)));
  if (recent_.size() < kRecentEvents) {
    recent_.push_back({event_.key, event_.value, event_time_});
  } else {
    recent_[recent_next_++ % kRecentEvents] = {event_.key, event_.value, event_time_};
  }
}

void EventGenerator::MakeDuplicate(TimestampMicros) {
  const Past& past = recent_[random_.Below(recent_.size())];
  event_.key = past.key;
  event_.value = past.value;
  event_time_ = past.event_time;
}

void EventGenerator::MakeBadJson(TimestampMicros now) {
  MakeEventId();
  WriteValue(event_.key, "0000000001", now);
  event_time_ = kNoTimestamp;
  // No reader finds an event_id in any of them, however lenient it is.
  switch (random_.Below(5)) {
    case 0: event_.value.resize(1 + random_.Below(40)); break;  // cut off within the first field
    case 1: event_.value = "not json at all " + event_.key; break;
    case 2: event_.value.clear(); break;
    case 3: event_.value = "\xFF\xFE"; break;
    default: event_.value.insert(0, "\"{"); break;  // a quote and a brace too many
  }
}

void EventGenerator::MakeRuleBreaker(TimestampMicros now) {
  MakeEventId();
  const int64_t recent = now - static_cast<int64_t>(random_.Below(2 * kSecond));
  constexpr std::string_view kCustomer = "0000000042";
  switch (random_.Below(4)) {
    case 0: WriteValue(event_.key, kNull, recent); break;
    case 1: WriteValue(kNull, kCustomer, recent); break;
    case 2: WriteValue(event_.key, kCustomer, kNoTimestamp); break;
    default:
      WriteValue(event_.key, kBrokenCustomers[random_.Below(kBrokenCustomers.size())], recent);
      break;
  }
}

void EventGenerator::MakeOutOfTime(TimestampMicros now) {
  MakeEventId();
  const bool old = random_.Below(2) == 0;
  WriteValue(event_.key, "0000000042",
             old ? now - 31 * kDay - static_cast<int64_t>(random_.Below(kDay)) : now + kDay);
}

void EventGenerator::MakeLate(TimestampMicros now) {
  MakeEventId();
  const std::string customer =
      fmt::format("{:010}", random_.Below(static_cast<uint64_t>(options_.customers)) * 7'919);
  const int64_t behind =
      options_.late_by_micros +
      static_cast<int64_t>(random_.Below(3 * static_cast<uint64_t>(options_.late_by_micros)));
  WriteValue(event_.key, customer, now - behind);
}

void EventGenerator::WriteLedger() {
  std::string line = fmt::format(
      "{{\"seq\":{},\"class\":\"{}\",\"event_id\":\"{}\",\"event_time\":", ledger_.total - 1,
      EventClassName(event_.event_class), event_.key);
  if (event_time_ == kNoTimestamp) {
    line += "null}\n";
  } else {
    line += '"';
    AppendTime(event_time_, &line);
    line += "\"}\n";
  }
  std::fwrite(line.data(), 1, line.size(), ledger_file_);
}

}  // namespace sluice::sources
