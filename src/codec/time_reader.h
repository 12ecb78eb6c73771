// Reads the dates and times of one decoder: Spark's default forms or the patterns of its options,
// and the older forms that Spark falls back to. Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "codec/json_decoder.h"
#include "codec/spark_time.h"
#include "codec/time_pattern.h"

namespace sluice::codec {

class TimeReader {
 public:
  /// JSON_INVALID_OPTION for an unknown time zone or a pattern that is not supported.
  static Result<std::shared_ptr<const TimeReader>> Make(const JsonDecoderOptions& options);

  /// Whether TIMESTAMP is read by the default forms.
  bool default_timestamp() const { return !timestamp_.has_value(); }
  /// `now_micros` gives the date of a text that is only a time.
  bool Timestamp(std::string_view text, int64_t now_micros, int64_t* micros) const;
  bool TimestampNtz(std::string_view text, int64_t* micros) const;
  bool Date(std::string_view text, int32_t* days) const;

 private:
  TimeReader() = default;

  TimeZone zone_;
  std::optional<TimePattern> timestamp_;
  std::optional<TimePattern> timestamp_ntz_;
  std::optional<TimePattern> date_;
};

}  // namespace sluice::codec
