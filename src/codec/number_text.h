// Numbers as text, the way Java reads and prints them. Pure functions.
#pragma once

#include <arrow/util/decimal.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::codec {

/// Double.parseDouble / Float.parseFloat of a JSON number: never fails, overflow is an infinity.
double ParseDouble(std::string_view text);
float ParseFloat(std::string_view text);

/// Appends Double.toString / Float.toString (of JDK 19 and later: the shortest digits): "1.0",
/// "1.0E7", "NaN".
void AppendDouble(double value, std::string* out);
void AppendFloat(float value, std::string* out);

/// new BigDecimal(text) rounded half up to `scale`. False when it is no number (forms "1", "-.5",
/// "1.", "1e-3") or has more than `precision` digits afterwards.
bool ParseDecimal(std::string_view text, int32_t precision, int32_t scale, arrow::Decimal128* out);

/// Appends the decimal as BigDecimal.toString prints it ("0.00", "1E-10" below 1E-6).
void AppendDecimal(const arrow::Decimal128& value, int32_t scale, std::string* out);

/// A whole number that fits int64. False on overflow. REQUIRES: optional '-', then digits only.
bool ParseInt64(std::string_view text, int64_t* out);

}  // namespace sluice::codec
