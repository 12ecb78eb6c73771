// Character sets and encodings: encode, decode, UTF-8 checks, to_binary, url_encode and its like.
#include <fmt/format.h>

#include "codec/utf8.h"
#include "sql/expressions/analysis_error.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

enum class Charset { kUtf8, kAscii, kLatin1, kUtf16, kUtf16Be, kUtf16Le, kUtf32 };

Result<Charset> CharsetOf(Text name, const char* function) {
  static const std::map<std::string, Charset> charsets = {
      {"utf-8", Charset::kUtf8},        {"us-ascii", Charset::kAscii},
      {"iso-8859-1", Charset::kLatin1}, {"utf-16", Charset::kUtf16},
      {"utf-16be", Charset::kUtf16Be},  {"utf-16le", Charset::kUtf16Le},
      {"utf-32", Charset::kUtf32}};
  const auto found = charsets.find(LowerAscii(name));
  if (found != charsets.end()) return found->second;
  return MakeError("INVALID_PARAMETER_VALUE.CHARSET",
                   fmt::format("[INVALID_PARAMETER_VALUE.CHARSET] the value of parameter `charset` "
                               "in `{}` is invalid: expects one of ISO-8859-1, US-ASCII, UTF-16, "
                               "UTF-16BE, UTF-16LE, UTF-32, UTF-8, but got '{}'. SQLSTATE: 22023",
                               function, name));
}

Status Malformed(const char* function) {
  return MakeError("MALFORMED_CHARACTER_CODING",
                   fmt::format("[MALFORMED_CHARACTER_CODING] invalid value found when performing "
                               "`{}`. SQLSTATE: 22000",
                               function));
}

// The code points of valid UTF-8.
std::vector<uint32_t> CodePoints(Text text) {
  std::vector<uint32_t> points;
  for (size_t at = 0; at < text.size();) {
    const auto lead = static_cast<unsigned char>(text[at]);
    const size_t bytes = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    uint32_t point = bytes == 1 ? lead : lead & (0xFFu >> (bytes + 1));
    for (size_t i = 1; i < bytes && at + i < text.size(); ++i)
      point = point << 6 | (static_cast<unsigned char>(text[at + i]) & 0x3F);
    points.push_back(point);
    at += bytes;
  }
  return points;
}

void AppendUnit(uint32_t unit, bool big, std::string* out) {
  const char high = static_cast<char>(unit >> 8 & 0xFF);
  const char low = static_cast<char>(unit & 0xFF);
  out->push_back(big ? high : low);
  out->push_back(big ? low : high);
}

Result<std::string> Encode(Text text, Text charset_name) {
  SLUICE_ASSIGN_OR_RETURN(const Charset charset, CharsetOf(charset_name, "encode"));
  if (charset == Charset::kUtf8) return std::string(text);
  if (!codec::IsValidUtf8(text)) return Malformed("encode");
  std::string out;
  if (charset == Charset::kUtf16 && !text.empty()) out = "\xFE\xFF";
  for (const uint32_t point : CodePoints(text)) {
    switch (charset) {
      case Charset::kAscii:
      case Charset::kLatin1:
        if (point > (charset == Charset::kAscii ? 0x7Fu : 0xFFu)) return Malformed("encode");
        out.push_back(static_cast<char>(point));
        break;
      case Charset::kUtf32:
        for (int shift = 24; shift >= 0; shift -= 8)
          out.push_back(static_cast<char>(point >> shift & 0xFF));
        break;
      default: {
        const bool big = charset != Charset::kUtf16Le;
        if (point >= 0x10000) {
          AppendUnit(0xD800 + ((point - 0x10000) >> 10), big, &out);
          AppendUnit(0xDC00 + ((point - 0x10000) & 0x3FF), big, &out);
        } else {
          AppendUnit(point, big, &out);
        }
      }
    }
  }
  return out;
}

void AppendPoint(uint32_t point, std::string* out) {
  char bytes[4];
  out->append(bytes, codec::EncodeUtf8(point, bytes));
}

Result<std::string> DecodeUtf16(Text bytes, bool big) {
  std::string out;
  if (bytes.size() % 2 != 0) return Malformed("decode");
  auto unit = [&](size_t at) {
    const auto a = static_cast<unsigned char>(bytes[at]);
    const auto b = static_cast<unsigned char>(bytes[at + 1]);
    return static_cast<uint32_t>(big ? a << 8 | b : b << 8 | a);
  };
  for (size_t at = 0; at < bytes.size(); at += 2) {
    uint32_t point = unit(at);
    if (point >= 0xDC00 && point < 0xE000) return Malformed("decode");
    if (point >= 0xD800 && point < 0xDC00) {
      at += 2;
      if (at >= bytes.size() || unit(at) < 0xDC00 || unit(at) >= 0xE000) return Malformed("decode");
      point = 0x10000 + ((point - 0xD800) << 10) + (unit(at) - 0xDC00);
    }
    AppendPoint(point, &out);
  }
  return out;
}

Result<std::string> DecodeUtf32(Text bytes) {
  std::string out;
  if (bytes.size() % 4 != 0) return Malformed("decode");
  for (size_t at = 0; at < bytes.size(); at += 4) {
    uint32_t point = 0;
    for (size_t i = 0; i < 4; ++i) point = point << 8 | static_cast<unsigned char>(bytes[at + i]);
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return Malformed("decode");
    AppendPoint(point, &out);
  }
  return out;
}

Result<std::string> Decode(Text bytes, Text charset_name) {
  SLUICE_ASSIGN_OR_RETURN(const Charset charset, CharsetOf(charset_name, "decode"));
  std::string out;
  switch (charset) {
    case Charset::kUtf8:
      if (!codec::IsValidUtf8(bytes)) return Malformed("decode");
      return std::string(bytes);
    case Charset::kAscii:
    case Charset::kLatin1:
      for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        if (charset == Charset::kAscii && byte > 0x7F) return Malformed("decode");
        AppendPoint(byte, &out);
      }
      return out;
    case Charset::kUtf16:
      if (bytes.starts_with("\xFE\xFF")) return DecodeUtf16(bytes.substr(2), true);
      if (bytes.starts_with("\xFF\xFE")) return DecodeUtf16(bytes.substr(2), false);
      return DecodeUtf16(bytes, true);
    case Charset::kUtf16Be: return DecodeUtf16(bytes, true);
    case Charset::kUtf16Le: return DecodeUtf16(bytes, false);
    case Charset::kUtf32: return DecodeUtf32(bytes);
  }
  return out;
}

// decode(bytes, charset), or decode(value, search, result, ..., default) with "<=>".
Result<BoundPtr> BindDecode(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, SIZE_MAX, span));
  if (args.size() == 2) {
    SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::binary(), name, 1));
    SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::utf8(), name, 2));
    const bool nullable = AnyNullable(args);
    return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
  }
  Args cases;
  for (size_t i = 1; i + 1 < args.size(); i += 2) {
    SLUICE_ASSIGN_OR_RETURN(auto same, binder.BindComparison("<=>", args[0], args[i], span));
    cases.push_back(std::move(same));
    cases.push_back(args[i + 1]);
  }
  if (args.size() % 2 == 0) cases.push_back(args.back());
  return binder.BindCase(std::move(cases), span);
}

std::string MakeValid(Text bytes) {
  std::string out;
  codec::AppendReplacingMalformed(bytes, &out);
  return out;
}

Result<Text> ValidateUtf8(Text bytes) {
  if (codec::IsValidUtf8(bytes)) return bytes;
  std::string shown;
  for (const char c : bytes.substr(0, 100))
    shown += fmt::format("\\x{:02X}", static_cast<unsigned char>(c));
  return MakeError("INVALID_UTF8_STRING",
                   fmt::format("[INVALID_UTF8_STRING] invalid UTF8 byte sequence found in string: "
                               "{}. SQLSTATE: 22029",
                               shown));
}

// Strings keep bytes that are not UTF-8: a binary argument is taken as it is.
Result<BoundPtr> BindUtf8(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (args[0]->type->id() == arrow::Type::BINARY) args[0] = MakeCast(args[0], arrow::utf8());
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  const bool nullable = args[0]->nullable || name == "try_validate_utf8";
  return MakeCall(name, std::move(args), name == "is_valid_utf8" ? arrow::boolean() : arrow::utf8(),
                  nullable, span);
}

bool IsUnreserved(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.' || c == '*';
}

// application/x-www-form-urlencoded.
std::string UrlEncode(Text text) {
  std::string out;
  for (const char c : text) {
    if (IsUnreserved(c)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      out += fmt::format("%{:02X}", static_cast<unsigned char>(c));
    }
  }
  return out;
}

std::optional<std::string> UrlDecoded(Text text) {
  std::string out;
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+') {
      out += ' ';
    } else if (text[at] != '%') {
      out += text[at];
    } else {
      if (at + 2 >= text.size()) return std::nullopt;
      int value = 0;
      for (size_t i = 1; i <= 2; ++i) {
        const char c = text[at + i];
        const int digit = c >= '0' && c <= '9'   ? c - '0'
                          : c >= 'a' && c <= 'f' ? c - 'a' + 10
                          : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                                 : -1;
        if (digit < 0) return std::nullopt;
        value = value * 16 + digit;
      }
      out += static_cast<char>(value);
      at += 2;
    }
  }
  std::string valid;
  codec::AppendReplacingMalformed(out, &valid);
  return valid;
}

Result<std::string> UrlDecode(Text text) {
  auto decoded = UrlDecoded(text);
  if (decoded.has_value()) return *std::move(decoded);
  return MakeError("CANNOT_DECODE_URL",
                   fmt::format("[CANNOT_DECODE_URL] the provided URL cannot be decoded: {}. Please "
                               "ensure that the URL is properly formatted and try again. SQLSTATE: "
                               "22546",
                               text.substr(0, 200)));
}

// A constant format picks the function; try_to_binary is NULL for a format that does not exist.
Result<BoundPtr> BindToBinary(FunctionBinder& binder, const std::string& name, Args args,
                              Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
  const bool tried = name == "try_to_binary";
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  std::string format = "hex";
  if (args.size() == 2) {
    if (args[1]->IsNullLiteral()) return MakeLiteral(arrow::MakeNullScalar(arrow::binary()));
    SLUICE_ASSIGN_OR_RETURN(format, binder.ConstantString(name, args[1], span));
  }
  format = LowerAscii(format);
  if (format == "utf-8" || format == "utf8") return MakeCast(args[0], arrow::binary());
  if (format != "hex" && format != "base64") {
    if (tried) return MakeLiteral(arrow::MakeNullScalar(arrow::binary()), span);
    return binder.Error(span, "DATATYPE_MISMATCH.INVALID_ARG_VALUE",
                        "the format of to_binary must be one of 'hex', 'utf-8', 'utf8' or "
                        "'base64'");
  }
  return MakeCall((tried ? "try_binary_of_" : "binary_of_") + format, {args[0]}, arrow::binary(),
                  true, span);
}

// Decoders of the older functions, strict about what they take.
std::optional<std::string> StrictHex(Text text) {
  std::string out;
  const bool odd = text.size() % 2 == 1;
  int value = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const int digit = c >= '0' && c <= '9'   ? c - '0'
                      : c >= 'a' && c <= 'f' ? c - 'a' + 10
                      : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                             : -1;
    if (digit < 0) return std::nullopt;
    value = value * 16 + digit;
    if ((i % 2 == 1) != odd) {
      out += static_cast<char>(value);
      value = 0;
    }
  }
  return out;
}

// As Spark checks before it decodes: groups of four symbols, '=' only at the end; white space is
// passed over.
std::optional<std::string> StrictBase64(Text text) {
  static constexpr Text kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::string out;
  uint32_t bits = 0;
  size_t symbols = 0;
  size_t padding = 0;
  for (const char c : text) {
    if (c == ' ' || (c >= '\t' && c <= '\r')) continue;
    if (c == '=') {
      ++padding;
      continue;
    }
    const size_t digit = kDigits.find(c);
    if (digit == Text::npos || padding > 0) return std::nullopt;
    bits = bits << 6 | static_cast<uint32_t>(digit);
    ++symbols;
    if (symbols % 4 != 1) out += static_cast<char>(bits >> (8 - symbols % 4 * 2) % 8 & 0xFF);
  }
  const size_t rest = symbols % 4;
  if (rest == 1 || padding > 2 || (padding > 0 && (rest + padding) != 4)) return std::nullopt;
  return out;
}

using Decoder = std::optional<std::string> (*)(Text);

void RegisterBinaryOf(const char* format, Decoder decode, FunctionRegistry* registry) {
  registry->Compute(std::string("try_binary_of_") + format, Map<Text, Text>(decode));
  registry->Compute(
      std::string("binary_of_") + format,
      Map<Text, Text>([decode, format](Text text) -> Result<std::string> {
        auto bytes = decode(text);
        if (bytes.has_value()) return *std::move(bytes);
        return MakeError(
            "CONVERSION_INVALID_INPUT",
            fmt::format("[CONVERSION_INVALID_INPUT] the value '{}' cannot be converted "
                        "to \"BINARY\" because it is not {}. Correct the value, or "
                        "use `try_to_binary`. SQLSTATE: 22018",
                        text.substr(0, 200), format));
      }),
      true);
}

}  // namespace

void RegisterEncodingFunctions(FunctionRegistry* registry) {
  registry->Add({"encode", "ss", 'y'}, Map<Text, Text, Text>(Encode), true);
  registry->Special("decode", BindDecode);
  registry->Compute("decode", Map<Text, Text, Text>(Decode), true);
  for (const char* name :
       {"make_valid_utf8", "is_valid_utf8", "validate_utf8", "try_validate_utf8"})
    registry->Special(name, BindUtf8);
  registry->Compute("make_valid_utf8", Map<Text, Text>(MakeValid));
  registry->Compute("is_valid_utf8", Map<bool, Text>(codec::IsValidUtf8));
  registry->Compute("validate_utf8", Map<Text, Text>(ValidateUtf8), true);
  registry->Compute("try_validate_utf8", Map<Text, Text>([](Text bytes) {
                      return codec::IsValidUtf8(bytes) ? std::optional<Text>(bytes) : std::nullopt;
                    }));
  registry->Add({"url_encode", "s", 's'}, Map<Text, Text>(UrlEncode));
  registry->Add({"url_decode", "s", 's'}, Map<Text, Text>(UrlDecode), true);
  registry->Add({"try_url_decode", "s", 's', true}, Map<Text, Text>(UrlDecoded));
  registry->Special("to_binary", BindToBinary);
  registry->Special("try_to_binary", BindToBinary);
  RegisterBinaryOf("hex", StrictHex, registry);
  RegisterBinaryOf("base64", StrictBase64, registry);
}

}  // namespace sluice::sql
