// Decimals with Spark's rounding (half up) and limits. Pure functions.
#pragma once

#include <arrow/util/decimal.h>

#include <optional>
#include <string>
#include <string_view>

namespace sluice::sql {

/// `value` of scale `from` at scale `to`, rounded half away from zero; nothing when it has more
/// than `precision` digits.
std::optional<arrow::Decimal128> Rescale(const arrow::Decimal256& value, int from, int to,
                                         int precision);
/// The number in `text` ("-12.5e3", no blanks around) rounded to `scale`. Not a number:
/// `*malformed` is set.
std::optional<arrow::Decimal128> ParseDecimal(std::string_view text, int precision, int scale,
                                              bool* malformed);
/// Plain text, never with an exponent.
std::string FormatDecimal(const arrow::Decimal128& value, int scale);
double DecimalToDouble(const arrow::Decimal128& value, int scale);
/// 10 to the `exponent`, 0 to 76.
const arrow::Decimal256& PowerOfTen(int exponent);

}  // namespace sluice::sql
