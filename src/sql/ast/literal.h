// Constants in SQL text, already decoded.
#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

namespace sluice::sql {

enum class IntervalField : uint8_t { kYear, kMonth, kDay, kHour, kMinute, kSecond };

/// An ANSI interval literal: months for YEAR TO MONTH, microseconds for DAY TO SECOND.
struct IntervalValue {
  int64_t months = 0;
  int64_t microseconds = 0;
  IntervalField from = IntervalField::kDay;
  IntervalField to = IntervalField::kSecond;

  bool is_year_month() const { return from <= IntervalField::kMonth; }
};

enum class LiteralKind : uint8_t {
  kNull,
  kBoolean,       // boolean
  kInteger,       // integer; type int8, int16, int32 or int64
  kDecimal,       // text: digits with at most one point and a leading minus; type decimal128(p, s)
  kFloating,      // real; type float32 or float64; text as written
  kString,        // text: the characters
  kBinary,        // text: the bytes
  kDate,          // integer: days since 1970-01-01
  kTimestamp,     // integer: microseconds since the epoch, UTC (a text without zone is read as UTC)
  kTimestampNtz,  // integer: microseconds
  kTime,          // integer: microseconds since midnight
  kInterval,      // interval
};

struct Literal {
  LiteralKind kind = LiteralKind::kNull;
  // arrow::null() for NULL; duration/month_interval for intervals
  std::shared_ptr<arrow::DataType> type;
  bool boolean = false;
  int64_t integer = 0;
  double real = 0;
  std::string text;
  IntervalValue interval;
};

}  // namespace sluice::sql
