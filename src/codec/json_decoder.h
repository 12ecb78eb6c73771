// JSON text -> Arrow, guided by a schema, with the results of Spark's from_json(CAST(value AS
// STRING), schema, options): which values convert, what a malformed document leaves behind, how a
// STRING column shows an object. Place: first step of a bronze-to-silver flow, on the flow's
// thread. One decoder per thread; Clone for others.
#pragma once

#include <arrow/array.h>
#include <arrow/type.h>

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "base/status.h"

namespace sluice::codec {

/// What happens with a document that does not fit (Spark's option "mode").
enum class ParseMode {
  kPermissive,     // fields that fit keep their values, the others are NULL
  kDropMalformed,  // the row's struct is NULL (one output row per input row is kept; the caller
                   // filters)
  kFailFast,       // Decode fails with JSON_MALFORMED_RECORD
};

/// Spark's JSON read options, with Spark's defaults.
struct JsonDecoderOptions {
  ParseMode mode = ParseMode::kPermissive;
  /// Filled only when the schema has it, as STRING.
  std::string corrupt_record_column = "_corrupt_record";
  /// Absent: Spark's default forms (ISO and its shortenings).
  std::optional<std::string> timestamp_format = std::nullopt;
  std::optional<std::string> timestamp_ntz_format = std::nullopt;
  std::optional<std::string> date_format = std::nullopt;
  /// Of times without a zone: the option timeZone, else the session's.
  std::string time_zone = "UTC";
  bool allow_comments = false;
  bool allow_unquoted_field_names = false;
  bool allow_single_quotes = true;
  bool allow_numeric_leading_zeros = false;
  bool allow_non_numeric_numbers = true;
  bool allow_backslash_escaping_any_character = false;
  bool allow_unquoted_control_characters = false;
  int max_nesting_depth = 1000;
  int64_t max_string_length = 20'000'000;
  int max_number_length = 1000;

  /// From the option map of from_json (keys in any case). JSON_INVALID_OPTION for a key or value
  /// Spark would not take in from_json; unknown keys are ignored, as Spark does.
  static Result<JsonDecoderOptions> FromMap(const std::map<std::string, std::string>& options,
                                            std::string session_time_zone = "UTC");
};

/// Arrow types it builds: bool, int8..int64, float, double, decimal128, utf8, binary, date32,
/// timestamp[us] with a zone (TIMESTAMP) or without (TIMESTAMP_NTZ), struct, list, map with utf8
/// keys; all nullable.
class JsonDecoder {
 public:
  /// `struct_type` is the schema given to from_json. `used_type` (may be null = all) is the same
  /// struct without the fields, also nested ones, that the query does not use: the output has
  /// exactly this type. In kPermissive mode without a corrupt record column unused fields are not
  /// converted, hence cannot make a record malformed, which is what Spark's own pruning does.
  /// JSON_UNSUPPORTED_SCHEMA when a type or format cannot be decoded.
  static Result<std::unique_ptr<JsonDecoder>> Make(std::shared_ptr<arrow::DataType> struct_type,
                                                   std::shared_ptr<arrow::DataType> used_type,
                                                   JsonDecoderOptions options);
  virtual ~JsonDecoder() = default;

  /// A decoder of the same schema for another thread. Cheap.
  virtual std::unique_ptr<JsonDecoder> Clone() const = 0;

  /// One struct per document of `documents` (binary, large_binary, utf8, large_utf8). NULL, empty
  /// and blank documents give a NULL struct; malformed ones a struct whose fields are NULL or what
  /// could be read. Never fails on the content of documents except in kFailFast mode;
  /// CODEC_BATCH_TOO_LARGE when a column would pass 2 GiB. `now_micros` is the epoch's clock: Spark
  /// reads "12:30" in a TIMESTAMP column as today's time.
  virtual Result<std::shared_ptr<arrow::StructArray>> Decode(const arrow::Array& documents,
                                                             int64_t now_micros = 0) = 0;

  /// Documents of all calls so far that were malformed (with or without a partial result).
  virtual int64_t malformed_documents() const = 0;
};

}  // namespace sluice::codec
