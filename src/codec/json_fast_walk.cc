// The part of the fast reader that passes over values: those of fields nobody asked for, which are
// only checked, and those shown as text in STRING columns.
#include <algorithm>
#include <bit>
#include <cmath>

#include "codec/byte_blocks.h"
#include "codec/json_fast_reader.h"
#include "codec/number_text.h"
#include "codec/utf8.h"

namespace sluice::codec {

template <bool kCopy>
bool JsonFastReader::WalkString() {
  const char* begin = at_++;
  uint32_t non_ascii = 0;
  while (at_ < end_) {
    const StringBlock block = LoadStringBlock(at_);
    const uint32_t special = block.special();
    const int run = special == 0 ? static_cast<int>(kBlockSize) : std::countr_zero(special);
    non_ascii |= run == kBlockSize ? block.non_ascii : block.non_ascii & ((uint32_t{1} << run) - 1);
    at_ += run;
    if (special == 0) continue;
    if (at_ >= end_ || static_cast<unsigned char>(*at_) < 0x20) return false;
    if (*at_ == '"') {
      ++at_;
      if (!kCopy) return true;
      const std::string_view text(begin, static_cast<size_t>(at_ - begin));
      const auto is_astral = [](char c) { return static_cast<unsigned char>(c) >= 0xF0; };
      if (non_ascii != 0 &&
          (!IsValidUtf8(text) || std::any_of(text.begin(), text.end(), is_astral)))
        return false;
      scratch_.append(text);
      return true;
    }
    if (at_[1] == 'u') {
      if (kCopy || ParseHex4(at_ + 2) < 0) return false;
      at_ += 6;
    } else {
      if (SimpleEscape(at_[1]) == 0 || (kCopy && at_[1] == '/')) return false;
      at_ += 2;
    }
  }
  return false;
}

template <bool kCopy>
bool JsonFastReader::WalkNumber() {
  Number number;
  if (!ReadNumber(&number)) return false;
  if (!kCopy) return true;
  const std::string_view text(number.begin, static_cast<size_t>(number.end - number.begin));
  if (number.is_integer) {
    scratch_.append(text == "-0" ? "0" : text);
    return true;
  }
  const double value = ParseDouble(text);
  if (!std::isfinite(value)) return false;
  AppendDouble(value, &scratch_);
  return true;
}

template <bool kCopy>
bool JsonFastReader::WalkContainer(char closer, int depth) {
  if (depth > options_.max_nesting_depth) return false;
  if (kCopy) scratch_.push_back(*at_);
  ++at_;
  SkipBlanks();
  if (*at_ == closer) {
    ++at_;
    if (kCopy) scratch_.push_back(closer);
    return true;
  }
  while (true) {
    if (closer == '}') {
      const char* name = at_;
      if (at_ >= end_ || *at_ != '"' || !WalkString<kCopy>() || at_ - name > kMaxNameLength)
        return false;
      SkipBlanks();
      if (*at_++ != ':') return false;
      if (kCopy) scratch_.push_back(':');
      SkipBlanks();
    }
    if (at_ >= end_ || !Walk<kCopy>(depth)) return false;
    SkipBlanks();
    if (at_ >= end_) return false;
    const char c = *at_++;
    if (kCopy) scratch_.push_back(c);
    if (c == closer) return true;
    if (c != ',') return false;
    SkipBlanks();
  }
}

template <bool kCopy>
bool JsonFastReader::Walk(int depth) {
  const char* begin = at_;
  bool ok = false;
  switch (*at_) {
    case '"': return WalkString<kCopy>();
    case '{': return WalkContainer<kCopy>('}', depth + 1);
    case '[': return WalkContainer<kCopy>(']', depth + 1);
    case 't': ok = Literal("true"); break;
    case 'f': ok = Literal("false"); break;
    case 'n': ok = Literal("null"); break;
    default: return WalkNumber<kCopy>();
  }
  if (kCopy && ok) scratch_.append(begin, static_cast<size_t>(at_ - begin));
  return ok;
}

template bool JsonFastReader::Walk<false>(int depth);
template bool JsonFastReader::Walk<true>(int depth);

}  // namespace sluice::codec
