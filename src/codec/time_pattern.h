// A datetime pattern of Spark (java.time.DateTimeFormatter letters) for reading: "dd/MM/yyyy
// HH:mm:ss[.SSS]". Immutable; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "codec/spark_time.h"

namespace sluice::codec {

class TimePattern {
 public:
  /// Letters y u M L d D H k K h a m s S x X Z V (text in English), 'quoted' text, [optional
  /// sections]. JSON_INVALID_OPTION names what is not supported.
  static Result<TimePattern> Make(std::string_view pattern);

  /// What a text says; absent parts have their defaults (1970-01-01 00:00).
  struct Parsed {
    int64_t days = 0;
    int64_t micros_of_day = 0;
    std::optional<TimeZone> zone;
  };
  /// False when `text` does not match to its end or names no real date.
  bool Parse(std::string_view text, Parsed* out) const;

 private:
  struct Item {
    char letter = 0;  // 0 = literal text, '[' and ']' = optional section
    int count = 0;
    bool adjacent = false;  // digits follow directly: reads exactly `count`
    std::string literal;
  };
  struct Fields;

  bool ParseItems(std::string_view text, size_t from, size_t to, size_t* at, Fields* fields) const;
  static bool ParseItem(const Item& item, std::string_view text, size_t* at, Fields* fields);

  std::vector<Item> items_;
};

}  // namespace sluice::codec
