// Characters of UTF-8 text. Bytes that are not UTF-8 count as one character each. Pure functions.
#pragma once

#include <cstdint>
#include <string_view>

namespace sluice::sql {

/// Bytes of the character that starts with `lead`.
inline size_t CharBytes(char lead) {
  const auto byte = static_cast<unsigned char>(lead);
  return byte < 0xC0 ? 1 : byte < 0xE0 ? 2 : byte < 0xF0 ? 3 : byte < 0xF8 ? 4 : 1;
}

inline bool IsAscii(std::string_view text) {
  for (const char c : text) {
    if (static_cast<unsigned char>(c) >= 0x80) return false;
  }
  return true;
}

inline int64_t CharCount(std::string_view text) {
  int64_t count = 0;
  for (size_t at = 0; at < text.size(); at += CharBytes(text[at])) ++count;
  return count;
}

/// Byte position of character `index`, or the size when there are fewer.
inline size_t CharOffset(std::string_view text, int64_t index) {
  size_t at = 0;
  while (index > 0 && at < text.size()) {
    at += CharBytes(text[at]);
    --index;
  }
  return at < text.size() ? at : text.size();
}

/// `count` characters from character `from` (from 0).
inline std::string_view CharSlice(std::string_view text, int64_t from, int64_t count) {
  const size_t start = CharOffset(text, from);
  const std::string_view rest = text.substr(start);
  return rest.substr(0, CharOffset(rest, count));
}

}  // namespace sluice::sql
