#include "codec/json_quote.h"

#include <array>
#include <cstdint>

namespace sluice::codec {

namespace {

constexpr char kHex[] = "0123456789ABCDEF";

void AppendUnicodeEscape(uint32_t unit, std::string* out) {
  const char escape[] = {
      '\\',           'u', kHex[unit >> 12 & 15], kHex[unit >> 8 & 15], kHex[unit >> 4 & 15],
      kHex[unit & 15]};
  out->append(escape, sizeof(escape));
}

void AppendEscape(char c, std::string* out) {
  switch (c) {
    case '"': out->append("\\\""); break;
    case '\\': out->append("\\\\"); break;
    case '\b': out->append("\\b"); break;
    case '\t': out->append("\\t"); break;
    case '\n': out->append("\\n"); break;
    case '\f': out->append("\\f"); break;
    case '\r': out->append("\\r"); break;
    default: AppendUnicodeEscape(static_cast<unsigned char>(c), out); break;
  }
}

uint32_t Bits(char c) { return static_cast<unsigned char>(c) & 0x3FU; }

// Escapes the surrogate or the astral character at `at`; returns its length, 0 when there is none.
size_t AppendSurrogates(std::string_view text, size_t at, std::string* out) {
  const auto first = static_cast<unsigned char>(text[at]);
  if (first == 0xED && at + 2 < text.size() && static_cast<unsigned char>(text[at + 1]) >= 0xA0) {
    AppendUnicodeEscape(0xD000U | Bits(text[at + 1]) << 6 | Bits(text[at + 2]), out);
    return 3;
  }
  if (first >= 0xF0 && at + 3 < text.size()) {
    const uint32_t code = (first & 7U) << 18 | Bits(text[at + 1]) << 12 | Bits(text[at + 2]) << 6 |
                          Bits(text[at + 3]);
    AppendUnicodeEscape(0xD800U + ((code - 0x10000U) >> 10), out);
    AppendUnicodeEscape(0xDC00U + ((code - 0x10000U) & 0x3FFU), out);
    return 4;
  }
  return 0;
}

template <bool kEscapeSurrogates>
void AppendQuotedImpl(std::string_view text, std::string* out) {
  out->push_back('"');
  size_t run = 0;
  size_t at = 0;
  while (at < text.size()) {
    const auto byte = static_cast<unsigned char>(text[at]);
    if (byte < 0x20 || byte == '"' || byte == '\\') {
      out->append(text, run, at - run);
      AppendEscape(text[at], out);
      run = ++at;
    } else if (kEscapeSurrogates && byte >= 0xED) {
      out->append(text, run, at - run);
      run = at;
      const size_t length = AppendSurrogates(text, at, out);
      at += length == 0 ? 1 : length;
      if (length != 0) run = at;
    } else {
      ++at;
    }
  }
  out->append(text, run, at - run);
  out->push_back('"');
}

}  // namespace

void AppendQuoted(std::string_view text, std::string* out) { AppendQuotedImpl<false>(text, out); }
void AppendQuotedEscapingSurrogates(std::string_view text, std::string* out) {
  AppendQuotedImpl<true>(text, out);
}

}  // namespace sluice::codec
