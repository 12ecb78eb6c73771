// Semi-structured values: a variant column is (metadata, value) per row, both in the Parquet
// variant encoding. Here: reading one value, writing one, its JSON text.
// Thread-safe (pure functions, plain values).
//
//   metadata: 1 byte (version 1, bit 4 sorted, bits 6-7 offset bytes - 1), number of names,
//             offsets, names
//   value:    1 byte (bits 0-1: primitive, short string, object, array; bits 2-7 by kind), then the
//             payload: of an object number of fields, field ids, offsets, values; of an array
//             number of elements, offsets, values
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// The field names of one variant's metadata. Views into the bytes it was made of.
class VariantNames {
 public:
  /// DELTA_FILE_CORRUPT.
  static Result<VariantNames> Parse(std::string_view metadata);
  Result<std::string_view> Name(uint32_t id) const;
  /// Id of `name`; DELTA_FILE_CORRUPT when the metadata lacks it.
  Result<uint32_t> IdOf(std::string_view name) const;

 private:
  std::vector<std::string_view> names_;
};

enum class VariantKind { kPrimitive, kShortString, kObject, kArray };
/// Codes of the primitive types, as in the encoding.
enum class VariantPrimitive : uint8_t {
  kNull = 0,
  kTrue = 1,
  kFalse = 2,
  kInt8 = 3,
  kInt16 = 4,
  kInt32 = 5,
  kInt64 = 6,
  kDouble = 7,
  kDecimal4 = 8,
  kDecimal8 = 9,
  kDecimal16 = 10,
  kDate = 11,
  kTimestamp = 12,
  kTimestampNtz = 13,
  kFloat = 14,
  kBinary = 15,
  kString = 16,
  kTimeNtz = 17,
  kTimestampNanos = 18,
  kTimestampNtzNanos = 19,
  kUuid = 20
};

Result<VariantKind> VariantKindOf(std::string_view value);
/// Fields of an object as (id, value), in the order stored. DELTA_FILE_CORRUPT.
Result<std::vector<std::pair<uint32_t, std::string_view>>> VariantFields(std::string_view value);
/// Elements of an array. DELTA_FILE_CORRUPT.
Result<std::vector<std::string_view>> VariantElements(std::string_view value);

// Encoding. Fields are given with their names, sorted by name (bytes).
std::string EncodeVariantPrimitive(VariantPrimitive type, std::string_view payload = {});
std::string EncodeVariantString(std::string_view text);
struct VariantField {
  std::string name;
  uint32_t id = 0;
  std::string value;
};
std::string EncodeVariantObject(const std::vector<VariantField>& fields);
std::string EncodeVariantArray(const std::vector<std::string>& elements);
/// Metadata of a variant whose field ids are the names' positions.
std::string EncodeVariantNames(const std::vector<std::string>& names);

/// A value as a column holds it.
struct EncodedVariant {
  std::string metadata;
  std::string value;
};
/// Objects and arrays within each other, in JSON texts.
inline constexpr int kMaxVariantDepth = 500;
/// Integers take the smallest integer type, other numbers are decimals of up to 38 digits; doubles
/// are those with an exponent, with more digits, and those that end in ".0", as VariantToJson
/// writes them. DELTA_INVALID_VARIANT for what is not JSON or nests too deeply,
/// VARIANT_DUPLICATE_KEY.
Result<EncodedVariant> VariantFromJson(std::string_view json);

/// Compact JSON; decimals without trailing zeros, dates and times quoted in ISO form (UTC), binary
/// in base64. DELTA_FILE_CORRUPT for bytes that are no variant.
Result<std::string> VariantToJson(std::string_view metadata, std::string_view value);

}  // namespace sluice::delta
