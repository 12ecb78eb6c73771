// Spark's datetime patterns ('yyyy-MM-dd HH:mm:ss'), compiled once: formats and parses timestamps
// in UTC. The subset whose meaning is the same as in java.time: y M d H h m s S a E D Q u-free
// letters, quoted text, [optional] parts when parsing is refused. Immutable, any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"

namespace sluice::sql {

class DatetimePattern {
 public:
  /// NOT_SUPPORTED_YET for letters or widths outside the subset.
  static Result<DatetimePattern> Make(std::string_view pattern);

  void Format(int64_t micros, std::string* out) const;
  /// Whether Parse can be used: only numeric fields of year, month, day and time, and month names.
  bool CanParse() const { return can_parse_; }
  /// Microseconds, or nothing when `text` does not match the whole pattern.
  std::optional<int64_t> Parse(std::string_view text) const;

 private:
  struct Part {
    char letter = 0;  // 0: literal text
    int width = 0;
    std::string text;
  };
  void FormatPart(const Part& part, int64_t days, int64_t micros_of_day, std::string* out) const;

  std::vector<Part> parts_;
  bool can_parse_ = true;
};

}  // namespace sluice::sql
