#include "codec/utf8.h"

#include <simdjson.h>

namespace sluice::codec {

bool IsValidUtf8(std::string_view bytes) {
  return simdjson::validate_utf8(bytes.data(), bytes.size());
}

namespace {

bool IsContinuation(uint8_t byte) { return (byte & 0xC0) == 0x80; }

// Length of the valid sequence at `at`, or minus the length of the malformed part that becomes one
// U+FFFD.
int SequenceLength(const uint8_t* at, size_t left) {
  const uint8_t first = at[0];
  if (first < 0x80) return 1;
  if (first >= 0xC2 && first <= 0xDF) return left >= 2 && IsContinuation(at[1]) ? 2 : -1;
  if (first >= 0xE0 && first <= 0xEF) {
    if (left < 2 || !IsContinuation(at[1]) || (first == 0xE0 && at[1] < 0xA0)) return -1;
    if (left < 3 || !IsContinuation(at[2])) return -2;
    return first == 0xED && at[1] >= 0xA0 ? -3 : 3;
  }
  if (first >= 0xF0 && first <= 0xF4) {
    if (left < 2 || !IsContinuation(at[1])) return -1;
    if ((first == 0xF0 && at[1] < 0x90) || (first == 0xF4 && at[1] > 0x8F)) return -1;
    if (left < 3 || !IsContinuation(at[2])) return -2;
    return left >= 4 && IsContinuation(at[3]) ? 4 : -3;
  }
  return -1;
}

}  // namespace

void AppendReplacingMalformed(std::string_view bytes, std::string* out) {
  const auto* data = reinterpret_cast<const uint8_t*>(bytes.data());
  size_t at = 0;
  while (at < bytes.size()) {
    const int length = SequenceLength(data + at, bytes.size() - at);
    if (length > 0) {
      out->append(bytes.data() + at, static_cast<size_t>(length));
      at += static_cast<size_t>(length);
    } else {
      out->append("\xEF\xBF\xBD");
      at += static_cast<size_t>(-length);
    }
  }
}

void AppendUtf16Unit(uint16_t unit, std::string* out) {
  const size_t size = out->size();
  const bool is_low = unit >= 0xDC00 && unit <= 0xDFFF;
  if (is_low && size >= 3 && static_cast<uint8_t>((*out)[size - 3]) == 0xED) {
    const uint32_t second = static_cast<uint8_t>((*out)[size - 2]);
    const uint32_t third = static_cast<uint8_t>((*out)[size - 1]);
    if (second >= 0xA0 && second <= 0xAF) {
      const uint32_t high = 0xD000 | ((second & 0x3F) << 6) | (third & 0x3F);
      out->resize(size - 3);
      char buffer[4];
      out->append(buffer, EncodeUtf8(0x10000 + ((high - 0xD800) << 10) + (unit - 0xDC00U), buffer));
      return;
    }
  }
  char buffer[4];
  out->append(buffer, EncodeUtf8(unit, buffer));
}

void ReplaceLoneSurrogates(std::string* text) {
  size_t from = text->find('\xED');
  if (from == std::string::npos) return;
  size_t to = from;
  while (from < text->size()) {
    const bool lone = static_cast<uint8_t>((*text)[from]) == 0xED && from + 2 < text->size() &&
                      static_cast<uint8_t>((*text)[from + 1]) >= 0xA0;
    if (lone) {
      (*text)[to++] = '?';
      from += 3;
    } else {
      (*text)[to++] = (*text)[from++];
    }
  }
  text->resize(to);
}

int ParseHex4(const char* digits) {
  int value = 0;
  for (int i = 0; i < 4; ++i) {
    const char c = digits[i];
    int digit = 0;
    if (c >= '0' && c <= '9') {
      digit = c - '0';
    } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
      digit = (c | 0x20) - 'a' + 10;
    } else {
      return -1;
    }
    value = (value << 4) | digit;
  }
  return value;
}

}  // namespace sluice::codec
