#include <algorithm>
#include <charconv>

#include "codec/json_decoder.h"

namespace sluice::codec {

namespace {

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Status InvalidValue(std::string_view key, std::string_view value, std::string_view hint) {
  return MakeError("JSON_INVALID_OPTION",
                   "invalid value of JSON option: " + std::string(key) + " = " + std::string(value),
                   std::string(hint));
}

Status ReadBool(std::string_view key, std::string_view value, bool* out) {
  const std::string lower = Lower(value);
  if (lower != "true" && lower != "false") return InvalidValue(key, value, "use true or false");
  *out = lower == "true";
  return Status::OK();
}

template <typename T>
Status ReadWhole(std::string_view key, std::string_view value, T* out) {
  const auto result = std::from_chars(value.data(), value.data() + value.size(), *out);
  if (result.ec != std::errc() || result.ptr != value.data() + value.size() || *out <= 0) {
    return InvalidValue(key, value, "use a positive whole number");
  }
  return Status::OK();
}

Status ReadMode(std::string_view value, ParseMode* mode) {
  const std::string lower = Lower(value);
  if (lower == "failfast") {
    *mode = ParseMode::kFailFast;
  } else if (lower == "dropmalformed") {
    return InvalidValue("mode", value, "from_json takes PERMISSIVE or FAILFAST");
  } else {
    *mode = ParseMode::kPermissive;  // what Spark takes any other word for
  }
  return Status::OK();
}

struct BoolOption {
  std::string_view key;
  bool JsonDecoderOptions::*member;
};
constexpr BoolOption kBoolOptions[] = {
    {"allowcomments", &JsonDecoderOptions::allow_comments},
    {"allowunquotedfieldnames", &JsonDecoderOptions::allow_unquoted_field_names},
    {"allowsinglequotes", &JsonDecoderOptions::allow_single_quotes},
    {"allownumericleadingzeros", &JsonDecoderOptions::allow_numeric_leading_zeros},
    {"allownonnumericnumbers", &JsonDecoderOptions::allow_non_numeric_numbers},
    {"allowbackslashescapinganycharacter",
     &JsonDecoderOptions::allow_backslash_escaping_any_character},
    {"allowunquotedcontrolchars", &JsonDecoderOptions::allow_unquoted_control_characters},
};

Status ReadOption(const std::string& key, const std::string& value, JsonDecoderOptions* out) {
  for (const BoolOption& option : kBoolOptions) {
    if (option.key == key) return ReadBool(key, value, &(out->*option.member));
  }
  if (key == "mode") return ReadMode(value, &out->mode);
  if (key == "maxnestingdepth") return ReadWhole(key, value, &out->max_nesting_depth);
  if (key == "maxnumlen") return ReadWhole(key, value, &out->max_number_length);
  if (key == "maxstringlen") return ReadWhole(key, value, &out->max_string_length);
  if (key == "columnnameofcorruptrecord") out->corrupt_record_column = value;
  if (key == "timestampformat") out->timestamp_format = value;
  if (key == "timestampntzformat") out->timestamp_ntz_format = value;
  if (key == "dateformat") out->date_format = value;
  if (key == "timezone") out->time_zone = value;
  if (key == "locale" && Lower(value) != "en-us") {
    return InvalidValue(key, value, "only en-US is supported");
  }
  return Status::OK();
}

}  // namespace

Result<JsonDecoderOptions> JsonDecoderOptions::FromMap(
    const std::map<std::string, std::string>& options, std::string session_time_zone) {
  JsonDecoderOptions out;
  out.time_zone = std::move(session_time_zone);
  for (const auto& [key, value] : options) {
    SLUICE_RETURN_NOT_OK(ReadOption(Lower(key), value, &out));
  }
  return out;
}

}  // namespace sluice::codec
