// Less usual functions of strings: encodings, hashes, shapes.
#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <vector>

#include "sql/expressions/kernel.h"
#include "sql/expressions/utf8_text.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;
using arrow::Type;

constexpr char kBase64[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string ToBase64(Text bytes) {
  std::string out;
  for (size_t i = 0; i < bytes.size(); i += 3) {
    uint32_t group = 0;
    for (size_t k = 0; k < 3; ++k)
      group = group << 8 | (i + k < bytes.size() ? static_cast<unsigned char>(bytes[i + k]) : 0);
    for (size_t k = 0; k < 4; ++k)
      out += i + k <= bytes.size() ? kBase64[group >> (18 - 6 * k) & 63] : '=';
  }
  return out;
}

Result<std::string> FromBase64(Text text) {
  std::string out;
  uint32_t bits = 0;
  int count = 0;
  size_t symbols = 0;
  for (const char c : text) {
    const char* at = std::find(kBase64, kBase64 + 64, c);
    if (c == '=') continue;
    if (at == kBase64 + 64) continue;  // MIME's rule
    ++symbols;
    bits = bits << 6 | static_cast<uint32_t>(at - kBase64);
    count += 6;
    if (count >= 8) {
      count -= 8;
      out += static_cast<char>(bits >> count & 0xFF);
    }
  }
  if (symbols % 4 == 1)
    return MakeError("CONVERSION_INVALID_INPUT",
                     "[CONVERSION_INVALID_INPUT] the value is not BASE64. SQLSTATE: 22018");
  return out;
}

std::string Hex(Text bytes, bool upper) {
  static constexpr char kUpper[] = "0123456789ABCDEF";
  static constexpr char kLower[] = "0123456789abcdef";
  const char* digits = upper ? kUpper : kLower;
  std::string out;
  for (const char c : bytes)
    out += {digits[static_cast<unsigned char>(c) >> 4], digits[static_cast<unsigned char>(c) & 15]};
  return out;
}

std::optional<std::string> Unhex(Text text) {
  std::string padded = text.size() % 2 == 1 ? "0" + std::string(text) : std::string(text);
  std::string out;
  for (size_t i = 0; i < padded.size(); i += 2) {
    int value = 0;
    for (size_t k = 0; k < 2; ++k) {
      const char c = padded[i + k];
      const int digit = c >= '0' && c <= '9'   ? c - '0'
                        : c >= 'a' && c <= 'f' ? c - 'a' + 10
                        : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                               : -1;
      if (digit < 0) return std::nullopt;
      value = value * 16 + digit;
    }
    out += static_cast<char>(value);
  }
  return out;
}

std::string Digest(Text bytes, const EVP_MD* kind) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  const bool done =
      EVP_Digest(bytes.data(), bytes.size(), digest.data(), &size, kind, nullptr) == 1;
  SLUICE_CHECK(done, "a digest failed");
  return Hex(Text(reinterpret_cast<const char*>(digest.data()), size), false);
}

std::optional<std::string> Sha2(Text bytes, int32_t bits) {
  switch (bits) {
    case 224: return Digest(bytes, EVP_sha224());
    case 0:
    case 256: return Digest(bytes, EVP_sha256());
    case 384: return Digest(bytes, EVP_sha384());
    case 512: return Digest(bytes, EVP_sha512());
    default: return std::nullopt;
  }
}

int64_t Crc32(Text bytes) {
  uint32_t crc = 0xFFFFFFFFu;
  for (const char c : bytes) {
    crc ^= static_cast<unsigned char>(c);
    for (int bit = 0; bit < 8; ++bit) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320u : 0u);
  }
  return static_cast<int64_t>(crc ^ 0xFFFFFFFFu);
}

Result<std::string> Initcap(Text text) {
  if (!IsAscii(text))
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: initcap of text that is not ASCII");
  std::string out(text);
  bool start = true;
  for (char& c : out) {
    if (start && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    if (!start && c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    start = c == ' ';
  }
  return out;
}

std::vector<Text> Characters(Text text) {
  std::vector<Text> characters;
  for (size_t at = 0; at < text.size();) {
    const size_t bytes = std::min(CharBytes(text[at]), text.size() - at);
    characters.push_back(text.substr(at, bytes));
    at += bytes;
  }
  return characters;
}

std::string Translate(Text text, Text from, Text to) {
  const auto search = Characters(from);
  const auto replacement = Characters(to);
  std::string out;
  for (const Text character : Characters(text)) {
    const auto found = std::find(search.begin(), search.end(), character);
    const auto index = static_cast<size_t>(found - search.begin());
    if (found == search.end()) {
      out += character;
    } else if (index < replacement.size()) {
      out += replacement[index];
    }
  }
  return out;
}

int32_t Ascii(Text text) {
  if (text.empty()) return 0;
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = std::min(CharBytes(text[0]), text.size());
  if (bytes == 1) return lead;
  int32_t code = lead & (0xFF >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i)
    code = code << 6 | (static_cast<unsigned char>(text[i]) & 0x3F);
  return code;
}

std::string Chr(int64_t code) {
  if (code < 0) return "";
  const auto low = static_cast<unsigned char>(code & 0xFF);
  if (low < 0x80) return std::string(1, static_cast<char>(low));
  return {static_cast<char>(0xC0 | low >> 6), static_cast<char>(0x80 | (low & 0x3F))};
}

int32_t Levenshtein(Text a, Text b) {
  const auto left = Characters(a);
  const auto right = Characters(b);
  std::vector<int32_t> row(right.size() + 1);
  for (size_t j = 0; j <= right.size(); ++j) row[j] = static_cast<int32_t>(j);
  for (size_t i = 1; i <= left.size(); ++i) {
    int32_t diagonal = row[0];
    row[0] = static_cast<int32_t>(i);
    for (size_t j = 1; j <= right.size(); ++j) {
      const int32_t above = row[j];
      row[j] =
          std::min({above + 1, row[j - 1] + 1, diagonal + (left[i - 1] == right[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[right.size()];
}

int32_t FindInSet(Text word, Text set) {
  if (word.find(',') != Text::npos) return 0;
  int32_t position = 1;
  for (size_t from = 0;; ++position) {
    const size_t comma = set.find(',', from);
    if (set.substr(from, comma == Text::npos ? comma : comma - from) == word) return position;
    if (comma == Text::npos) return 0;
    from = comma + 1;
  }
}

Result<std::string> Repeat(Text text, int32_t times) {
  constexpr int64_t kMaxBytes = 1 << 30;
  if (static_cast<int64_t>(text.size()) * times > kMaxBytes) {
    return MakeError("COLLECTION_SIZE_LIMIT_EXCEEDED",
                     fmt::format("repeat makes a text of more than {} bytes", kMaxBytes));
  }
  std::string out;
  for (int32_t i = 0; i < times; ++i) out += text;
  return out;
}

}  // namespace

Result<ArrayPtr> ReverseText(const KernelCall& call) {
  return MapRows<Text, Text>(
      call,
      [](Text text) {
        std::string out;
        for (const Text character : Characters(text)) out.insert(0, character);
        return out;
      },
      std::index_sequence<0>());
}

void RegisterTextKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["base64"] = Map<Text, Text>(ToBase64);
  map["unbase64"] = Map<Text, Text>(FromBase64);
  map["unhex"] = Map<Text, Text>(Unhex);
  map["hex"] = [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args[0]->type->id() == Type::INT64) {
      return Map<Text, int64_t>(
          [](int64_t value) { return fmt::format("{:X}", static_cast<uint64_t>(value)); })(call);
    }
    return Map<Text, Text>([](Text bytes) { return Hex(bytes, true); })(call);
  };
  map["md5"] = Map<Text, Text>([](Text bytes) { return Digest(bytes, EVP_md5()); });
  map["sha1"] = Map<Text, Text>([](Text bytes) { return Digest(bytes, EVP_sha1()); });
  map["sha2"] = Map<Text, Text, int32_t>(Sha2);
  map["crc32"] = Map<int64_t, Text>(Crc32);
  map["initcap"] = Map<Text, Text>(Initcap);
  map["translate"] = Map<Text, Text, Text, Text>(Translate);
  map["ascii"] = Map<int32_t, Text>(Ascii);
  map["chr"] = Map<Text, int64_t>(Chr);
  map["space"] = Map<Text, int32_t>(
      [](int32_t count) { return std::string(static_cast<size_t>(std::max(count, 0)), ' '); });
  map["repeat"] = Map<Text, Text, int32_t>(Repeat);
  map["levenshtein"] = Map<int32_t, Text, Text>(Levenshtein);
  map["find_in_set"] = Map<int32_t, Text, Text>(FindInSet);
  map["raise_error"] = Map<Text, Text>([](Text message) -> Result<Text> {
    return MakeError("USER_RAISED_EXCEPTION", "[USER_RAISED_EXCEPTION] " + std::string(message));
  });
}

}  // namespace sluice::sql
