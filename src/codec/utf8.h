// UTF-8 as Java sees it: which bytes a Java decoder replaces, and how a lone surrogate leaves it.
// Pure functions. Inside the codec a lone surrogate (from "\ud800") is carried as its three-byte
// generalized form (ED A0..BF xx), which no valid UTF-8 contains.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace sluice::codec {

bool IsValidUtf8(std::string_view bytes);

/// Appends `bytes` with every malformed sequence replaced by U+FFFD, as Java's decoder cuts the
/// sequences.
void AppendReplacingMalformed(std::string_view bytes, std::string* out);

/// Appends code point `unit` (a UTF-16 unit): a low surrogate joins a high one at the end of `out`.
void AppendUtf16Unit(uint16_t unit, std::string* out);

/// Writes the UTF-8 form of `code_point` (not a surrogate) and returns the bytes written, 1 to 4.
inline size_t EncodeUtf8(uint32_t code_point, char* out) {
  if (code_point < 0x80) {
    out[0] = static_cast<char>(code_point);
    return 1;
  }
  if (code_point < 0x800) {
    out[0] = static_cast<char>(0xC0 | (code_point >> 6));
    out[1] = static_cast<char>(0x80 | (code_point & 0x3F));
    return 2;
  }
  if (code_point < 0x10000) {
    out[0] = static_cast<char>(0xE0 | (code_point >> 12));
    out[1] = static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
    out[2] = static_cast<char>(0x80 | (code_point & 0x3F));
    return 3;
  }
  out[0] = static_cast<char>(0xF0 | (code_point >> 18));
  out[1] = static_cast<char>(0x80 | ((code_point >> 12) & 0x3F));
  out[2] = static_cast<char>(0x80 | ((code_point >> 6) & 0x3F));
  out[3] = static_cast<char>(0x80 | (code_point & 0x3F));
  return 4;
}

/// Replaces every lone surrogate in `text` by '?', as Java's encoder does.
void ReplaceLoneSurrogates(std::string* text);

/// Value of four hex digits, or -1.
int ParseHex4(const char* digits);

/// What `c` means after a backslash in JSON; 0 when it does not stand alone there.
inline char SimpleEscape(char c) {
  switch (c) {
    case '"':
    case '\\':
    case '/': return c;
    case 'b': return '\b';
    case 'f': return '\f';
    case 'n': return '\n';
    case 'r': return '\r';
    case 't': return '\t';
    default: return 0;
  }
}

}  // namespace sluice::codec
