#include "codec/time_reader.h"

#include "base/calendar.h"

namespace sluice::codec {

Result<std::shared_ptr<const TimeReader>> TimeReader::Make(const JsonDecoderOptions& options) {
  std::shared_ptr<TimeReader> reader(new TimeReader());
  const std::optional<TimeZone> zone = TimeZone::Parse(options.time_zone);
  if (!zone.has_value()) {
    return MakeError("JSON_INVALID_OPTION", "unknown time zone: " + options.time_zone,
                     "use a name like Europe/Paris");
  }
  reader->zone_ = *zone;
  if (options.timestamp_format.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(reader->timestamp_, TimePattern::Make(*options.timestamp_format));
  }
  if (options.timestamp_ntz_format.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(reader->timestamp_ntz_,
                            TimePattern::Make(*options.timestamp_ntz_format));
  }
  if (options.date_format.has_value()) {
    SLUICE_ASSIGN_OR_RETURN(reader->date_, TimePattern::Make(*options.date_format));
  }
  return reader;
}

bool TimeReader::Timestamp(std::string_view text, int64_t now_micros, int64_t* micros) const {
  if (timestamp_.has_value()) {
    TimePattern::Parsed parsed;
    if (!timestamp_->Parse(text, &parsed)) return false;
    const int64_t seconds = FloorDiv(parsed.micros_of_day, kMicrosPerSecond);
    const int64_t fraction = parsed.micros_of_day - seconds * kMicrosPerSecond;
    const TimeZone& zone = parsed.zone.has_value() ? *parsed.zone : zone_;
    const int64_t utc = zone.LocalToUtc(parsed.days * kSecondsPerDay + seconds);
    return !__builtin_mul_overflow(utc, kMicrosPerSecond, micros) &&
           !__builtin_add_overflow(*micros, fraction, micros);
  }
  if (ParseTimestamp(text, zone_, now_micros, micros)) return true;
  size_t at = text.find("GMT");
  if (at == std::string_view::npos) return false;
  std::string cleaned(text);
  while ((at = cleaned.find("GMT", at)) != std::string::npos) cleaned.erase(at, 3);
  return ParseTimestamp(cleaned, zone_, now_micros, micros);
}

bool TimeReader::TimestampNtz(std::string_view text, int64_t* micros) const {
  if (!timestamp_ntz_.has_value()) return ParseTimestampNtz(text, micros);
  TimePattern::Parsed parsed;
  if (!timestamp_ntz_->Parse(text, &parsed) || parsed.zone.has_value()) return false;
  return !__builtin_mul_overflow(parsed.days, kSecondsPerDay * kMicrosPerSecond, micros) &&
         !__builtin_add_overflow(*micros, parsed.micros_of_day, micros);
}

bool TimeReader::Date(std::string_view text, int32_t* days) const {
  if (!date_.has_value()) {
    if (ParseDateLenient(text, days)) return true;
    std::string cleaned(text);
    size_t at = 0;
    while ((at = cleaned.find("GMT", at)) != std::string::npos) cleaned.erase(at, 3);
    return cleaned.size() != text.size() && ParseDate(cleaned, days);
  }
  TimePattern::Parsed parsed;
  if (!date_->Parse(text, &parsed) || parsed.days < INT32_MIN || parsed.days > INT32_MAX)
    return false;
  *days = static_cast<int32_t>(parsed.days);
  return true;
}

}  // namespace sluice::codec
