#include "sql/expressions/unicode_case.h"

#include <algorithm>

#include "codec/utf8.h"
#include "sql/expressions/utf8_text.h"

namespace sluice::sql {
namespace {

constexpr uint32_t kCapitalSigma = 0x3A3;

struct Character {
  uint32_t code = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character at the front of `text`, which is not empty.
Character First(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text[0]);
  const size_t bytes = CharBytes(text[0]);
  if (lead < 0x80) return {lead, 1, true};
  if (bytes == 1 || bytes > text.size()) return {};
  uint32_t code = lead & (0xFFu >> (bytes + 1));
  for (size_t i = 1; i < bytes; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0) != 0x80) return {};
    code = code << 6 | (byte & 0x3Fu);
  }
  return {code, bytes, true};
}

void Append(uint32_t code, std::string* out) {
  char bytes[4];
  out->append(bytes, codec::EncodeUtf8(code, bytes));
}

uint32_t Changed(uint32_t code, const std::vector<CaseRange>& ranges) {
  auto range = std::upper_bound(ranges.begin(), ranges.end(), code,
                                [](uint32_t c, const CaseRange& r) { return c < r.first; });
  if (range == ranges.begin()) return code;
  --range;
  const bool inside = code <= range->last && (code - range->first) % range->stride == 0;
  return inside ? static_cast<uint32_t>(static_cast<int32_t>(code) + range->distance) : code;
}

const CaseText* TextOf(uint32_t code, const std::vector<CaseText>& texts) {
  const auto found = std::lower_bound(texts.begin(), texts.end(), code,
                                      [](const CaseText& t, uint32_t c) { return t.from < c; });
  return found != texts.end() && found->from == code ? &*found : nullptr;
}

bool IsCased(uint32_t code) {
  if (code < 0x80) return (code | 0x20) - 'a' < 26;
  return Changed(code, kUpperRanges) != code || Changed(code, kLowerRanges) != code ||
         TextOf(code, kUpperTexts) != nullptr;
}

// Marks and points that do not end a word.
bool IsIgnorable(uint32_t code) {
  if (code >= 0x2B0 && code <= 0x36F) return true;
  switch (code) {
    case '\'':
    case '.':
    case ':':
    case '^':
    case '`':
    case 0xA8:
    case 0xAD:
    case 0xAF:
    case 0xB4:
    case 0xB7:
    case 0xB8:
    case 0x2018:
    case 0x2019:
    case 0x2024:
    case 0x2027: return true;
    default: return code >= 0x200B && code <= 0x200F;
  }
}

// A sigma is final behind a letter and not before one.
bool IsFinal(std::string_view before, std::string_view after) {
  while (!before.empty()) {
    size_t start = before.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(before[start]) & 0xC0) == 0x80) --start;
    const Character last = First(before.substr(start));
    before = before.substr(0, start);
    if (IsIgnorable(last.code)) continue;
    if (!IsCased(last.code)) return false;
    while (!after.empty()) {
      const Character next = First(after);
      if (!IsIgnorable(next.code)) return !IsCased(next.code);
      after.remove_prefix(next.bytes);
    }
    return true;
  }
  return false;
}

std::string Change(std::string_view text, bool upper) {
  const auto& ranges = upper ? kUpperRanges : kLowerRanges;
  const auto& texts = upper ? kUpperTexts : kLowerTexts;
  const char low = upper ? 'a' : 'A';
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) < 0x80) {
      out += static_cast<unsigned char>(c - low) < 26 ? static_cast<char>(c ^ 0x20) : c;
      ++at;
      continue;
    }
    const Character character = First(text.substr(at));
    const std::string_view rest = text.substr(at + character.bytes);
    if (!character.valid) {
      out += c;
    } else if (const CaseText* several = TextOf(character.code, texts)) {
      out += several->to;
    } else if (!upper && character.code == kCapitalSigma && IsFinal(text.substr(0, at), rest)) {
      out += "\u03C2";
    } else {
      Append(Changed(character.code, ranges), &out);
    }
    at += character.bytes;
  }
  return out;
}

}  // namespace

std::string ToUpperText(std::string_view text) { return Change(text, true); }
std::string ToLowerText(std::string_view text) { return Change(text, false); }

}  // namespace sluice::sql
