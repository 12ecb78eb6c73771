#include "codec/json_tokenizer.h"

#include <algorithm>

#include "codec/utf8.h"

namespace sluice::codec {

namespace {

constexpr int64_t kMaxNameLength = 50'000;
constexpr int kBadBase64 = -1;
constexpr int kPadding = -2;
constexpr int kEndOfBase64 = -3;

bool IsDigit(int c) { return c >= '0' && c <= '9'; }

// Java's identifier characters; everything outside ASCII is taken for a letter.
bool IsIdentifierPart(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return IsDigit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte == '_' ||
         byte == '$' || byte >= 0x7F || byte <= 0x08 || (byte >= 0x0E && byte <= 0x1B);
}

// What may stand in an unquoted field name.
bool IsNamePart(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return IsDigit(byte) || ((byte | 0x20) >= 'a' && (byte | 0x20) <= 'z') || byte >= 0x80 ||
         c == '_' || c == '$' || c == '@' || c == '#' || c == '*' || c == '-' || c == '+';
}

int Base64Bits(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (IsDigit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  if (c == '/') return 63;
  return c == '=' ? kPadding : kBadBase64;
}

// UTF-16 units of UTF-8 text: how the limits count.
int64_t Utf16Length(std::string_view text) {
  int64_t length = 0;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    length += (byte & 0xC0) != 0x80 ? 1 : 0;
    length += byte >= 0xF0 ? 1 : 0;
  }
  return length;
}

}  // namespace

void JsonTokenizer::Reset(std::string_view document) {
  if (!IsValidUtf8(document)) {
    repaired_.clear();
    AppendReplacingMalformed(document, &repaired_);
    document = repaired_;
  }
  at_ = document.data();
  end_ = at_ + document.size();
  token_ = JsonToken::kNone;
  value_after_name_ = JsonToken::kNone;
  string_is_pending_ = false;
  depth_ = 0;
  if (contexts_.empty()) contexts_.resize(16);
  contexts_[0].scope = Scope::kRoot;
  contexts_[0].index = -1;
  contexts_[0].has_name = false;
}

bool JsonTokenizer::Push(Scope scope) {
  ++depth_;
  if (depth_ >= contexts_.size()) contexts_.resize(contexts_.size() * 2);
  top().scope = scope;
  top().index = -1;
  top().has_name = false;
  return depth_ <= static_cast<size_t>(options_.max_nesting_depth);
}

bool JsonTokenizer::AfterName() {
  const JsonToken value = value_after_name_;
  value_after_name_ = JsonToken::kNone;
  if (value == JsonToken::kStartArray && !Push(Scope::kArray)) return false;
  if (value == JsonToken::kStartObject && !Push(Scope::kObject)) return false;
  token_ = value;
  return true;
}

bool JsonTokenizer::CloseScope(char closer) {
  const Scope expected = closer == ']' ? Scope::kArray : Scope::kObject;
  if (top().scope != expected) return false;
  --depth_;
  token_ = closer == ']' ? JsonToken::kEndArray : JsonToken::kEndObject;
  return true;
}

bool JsonTokenizer::Next() {
  if (token_ == JsonToken::kFieldName) return AfterName();
  if (string_is_pending_ && !SkipString()) return false;
  int next = 0;
  if (!SkipBlanks(&next)) return false;
  if (next < 0) {
    if (top().scope != Scope::kRoot) return false;
    token_ = JsonToken::kNone;
    return true;
  }
  if (next == ']' || next == '}') return CloseScope(static_cast<char>(next));
  const bool expects_comma = ++top().index > 0 && top().scope != Scope::kRoot;
  if (expects_comma) {
    if (next != ',' || !SkipBlanks(&next) || next < 0) return false;
  }
  const bool in_object = top().scope == Scope::kObject;
  if (in_object) {
    std::string name;
    name.swap(top().name);  // keeps the memory
    const bool named = ReadName(static_cast<char>(next), &name);
    top().name.swap(name);
    if (!named) return false;
    top().has_name = true;
    token_ = JsonToken::kFieldName;
    if (!SkipColon(&next)) return false;
  }
  JsonToken value = JsonToken::kNone;
  if (!ReadValue(static_cast<char>(next), &value)) return false;
  if (in_object) {
    value_after_name_ = value;
    return true;
  }
  if (value == JsonToken::kStartArray && !Push(Scope::kArray)) return false;
  if (value == JsonToken::kStartObject && !Push(Scope::kObject)) return false;
  token_ = value;
  return true;
}

bool JsonTokenizer::ReadValue(char first, JsonToken* token) {
  switch (first) {
    case '"':
      string_is_pending_ = true;
      *token = JsonToken::kString;
      return true;
    case '[': *token = JsonToken::kStartArray; return true;
    case '{': *token = JsonToken::kStartObject; return true;
    case 't': *token = JsonToken::kTrue; return ReadLiteral("true", 1);
    case 'f': *token = JsonToken::kFalse; return ReadLiteral("false", 1);
    case 'n': *token = JsonToken::kNull; return ReadLiteral("null", 1);
    case '-': return ReadNumber(true, token);
    default: break;
  }
  if (IsDigit(first)) {
    --at_;
    return ReadNumber(false, token);
  }
  return ReadOddValue(first, token);
}

bool JsonTokenizer::IsBlank(char c, bool* error) const {
  const auto byte = static_cast<unsigned char>(c);
  if (byte > 0x20) return false;
  *error = c != ' ' && c != '\t' && c != '\n' && c != '\r';
  return true;
}

// Errors stand behind the whole UTF-16 unit they are about: of an astral character one byte is left
// as its second unit.
void JsonTokenizer::SkipRestOfCharacter(char first) {
  const auto byte = static_cast<unsigned char>(first);
  if (byte < 0xC0) return;
  at_ += byte >= 0xE0 ? 2 : 1;
}

bool JsonTokenizer::SkipBlanks(int* next) {
  while (at_ < end_) {
    const char c = *at_++;
    bool error = false;
    if (IsBlank(c, &error)) {
      if (error) return false;
      continue;
    }
    if (c != '/') {
      *next = static_cast<unsigned char>(c);
      SkipRestOfCharacter(c);
      return true;
    }
    if (!SkipComment()) return false;
  }
  *next = -1;
  return true;
}

bool JsonTokenizer::SkipColon(int* next) {
  if (!SkipBlanks(next) || *next != ':') return false;
  return SkipBlanks(next) && *next >= 0;
}

bool JsonTokenizer::SkipComment() {
  if (!options_.allow_comments || at_ >= end_) return false;
  const char kind = *at_++;
  if (kind != '/' && kind != '*') return false;
  while (at_ < end_) {
    const char c = *at_++;
    bool error = false;
    if (IsBlank(c, &error) && error) return false;
    if (kind == '/' && (c == '\n' || c == '\r')) return true;
    if (kind == '*' && c == '*') {
      if (at_ >= end_) return false;
      if (*at_ == '/') {
        ++at_;
        return true;
      }
    }
  }
  return kind == '/';
}

bool JsonTokenizer::ReadName(char first, std::string* name) {
  name->clear();
  if (first == '"') return ReadQuoted('"', name, kMaxNameLength);
  if (first == '\'' && options_.allow_single_quotes) return ReadQuoted('\'', name, kMaxNameLength);
  if (!options_.allow_unquoted_field_names || !IsNamePart(first)) return false;
  name->push_back(first);
  while (at_ < end_ && IsNamePart(*at_)) name->push_back(*at_++);
  return Utf16Length(*name) <= kMaxNameLength;
}

bool JsonTokenizer::ReadEscape(uint32_t* code_unit, bool* is_unit) {
  *is_unit = false;
  if (at_ >= end_) return false;
  const char c = *at_++;
  switch (c) {
    case 'b': *code_unit = '\b'; return true;
    case 't': *code_unit = '\t'; return true;
    case 'n': *code_unit = '\n'; return true;
    case 'f': *code_unit = '\f'; return true;
    case 'r': *code_unit = '\r'; return true;
    case '"':
    case '/':
    case '\\': *code_unit = static_cast<unsigned char>(c); return true;
    case 'u': break;
    default:
      *code_unit = static_cast<unsigned char>(c);
      if (options_.allow_backslash_escaping_any_character) return true;
      SkipRestOfCharacter(c);
      return c == '\'' && options_.allow_single_quotes;
  }
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) {
    if (at_ >= end_) return false;
    const char digit[4] = {'0', '0', '0', *at_++};
    const int bits = ParseHex4(digit);
    if (bits < 0) {
      SkipRestOfCharacter(digit[3]);
      return false;
    }
    value = (value << 4) | static_cast<uint32_t>(bits);
  }
  *code_unit = value;
  *is_unit = true;
  return true;
}

bool JsonTokenizer::ReadQuoted(char quote, std::string* out, int64_t limit) {
  while (true) {
    const char* run = at_;
    while (at_ < end_ && *at_ != quote && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
      ++at_;
    out->append(run, static_cast<size_t>(at_ - run));
    if (at_ >= end_) return false;
    const char c = *at_++;
    if (c == quote) break;
    if (c != '\\') {
      if (!options_.allow_unquoted_control_characters) return false;
      out->push_back(c);
      continue;
    }
    uint32_t unit = 0;
    bool is_unit = false;
    if (!ReadEscape(&unit, &is_unit)) return false;
    if (is_unit) {
      AppendUtf16Unit(static_cast<uint16_t>(unit), out);
    } else {
      out->push_back(static_cast<char>(unit));
    }
  }
  return static_cast<int64_t>(out->size()) <= limit || Utf16Length(*out) <= limit;
}

bool JsonTokenizer::SkipString() {
  string_is_pending_ = false;
  while (at_ < end_) {
    const char c = *at_++;
    if (c == '"') return true;
    if (c == '\\') {
      uint32_t unit = 0;
      bool is_unit = false;
      if (!ReadEscape(&unit, &is_unit)) return false;
    } else if (static_cast<unsigned char>(c) < 0x20 &&
               !options_.allow_unquoted_control_characters) {
      return false;
    }
  }
  return false;
}

bool JsonTokenizer::Text(const std::string** text) {
  *text = &text_;
  if (token_ != JsonToken::kString || !string_is_pending_) return true;
  string_is_pending_ = false;
  text_.clear();
  return ReadQuoted('"', &text_, options_.max_string_length);
}

bool JsonTokenizer::SkipIdentifier() {
  int length = 0;
  while (at_ < end_ && IsIdentifierPart(*at_) && ++length < 256) ++at_;
  return false;
}

bool JsonTokenizer::ReadLiteral(std::string_view literal, size_t matched) {
  for (size_t i = matched; i < literal.size(); ++i, ++at_) {
    if (at_ >= end_ || *at_ != literal[i]) return SkipIdentifier();
  }
  if (at_ < end_ && static_cast<unsigned char>(*at_) >= '0' && *at_ != ']' && *at_ != '}' &&
      IsIdentifierPart(*at_)) {
    return SkipIdentifier();
  }
  return true;
}

bool JsonTokenizer::SetNotANumber(std::string_view text, JsonToken* token) {
  if (!options_.allow_non_numeric_numbers) return false;
  text_.assign(text);
  is_not_a_number_ = true;
  *token = JsonToken::kFloat;
  return true;
}

bool JsonTokenizer::ReadSignedOddNumber(char next, bool negative, JsonToken* token) {
  if (next != 'I' || at_ >= end_) return false;
  const char second = *at_++;
  if (second == 'N') {
    const std::string_view text = negative ? "-INF" : "+INF";
    return ReadLiteral(text, 3) && SetNotANumber(text, token);
  }
  if (second == 'n') {
    const std::string_view text = negative ? "-Infinity" : "+Infinity";
    return ReadLiteral(text, 3) && SetNotANumber(text, token);
  }
  return false;
}

bool JsonTokenizer::ReadOddValue(char first, JsonToken* token) {
  switch (first) {
    case '\'':
      if (!options_.allow_single_quotes) return false;
      text_.clear();
      *token = JsonToken::kString;
      return ReadQuoted('\'', &text_, options_.max_string_length);
    case 'N': return ReadLiteral("NaN", 1) && SetNotANumber("NaN", token);
    case 'I': return ReadLiteral("Infinity", 1) && SetNotANumber("Infinity", token);
    case '+':
      if (at_ >= end_) return false;
      ++at_;
      return ReadSignedOddNumber(at_[-1], false, token);
    default: break;
  }
  if (IsIdentifierPart(first) && !IsDigit(first)) return SkipIdentifier();
  return false;
}

// Where the reader stands after a bad number differs between its quick and its thorough way
// (`slow`: taken after a leading zero), hence the two positions below.
bool JsonTokenizer::ReadLeadingZeros(bool* slow) {
  *slow = false;
  if (at_ >= end_ || *at_ != '0') return true;
  *slow = true;
  if (at_ + 1 >= end_ || !IsDigit(at_[1])) return true;
  ++at_;
  if (!options_.allow_numeric_leading_zeros) return false;
  while (at_ + 1 < end_ && *at_ == '0' && IsDigit(at_[1])) ++at_;
  return true;
}

bool JsonTokenizer::ReadFraction(bool slow, int64_t* digits) {
  text_.push_back('.');
  const char* start = at_;
  const char* scan = at_;
  while (scan < end_ && IsDigit(*scan)) ++scan;
  *digits = scan - start;
  if (*digits == 0) {
    if (slow && at_ < end_) ++at_;
    return false;
  }
  text_.append(start, static_cast<size_t>(*digits));
  at_ = scan;
  return true;
}

bool JsonTokenizer::ReadExponent(int64_t* digits) {
  text_.push_back('e');
  if (at_ < end_ && (*at_ == '-' || *at_ == '+')) text_.push_back(*at_++);
  const char* start = at_;
  while (at_ < end_ && IsDigit(*at_)) ++at_;
  *digits = at_ - start;
  text_.append(start, static_cast<size_t>(*digits));
  return *digits > 0;
}

bool JsonTokenizer::ReadNumber(bool negative, JsonToken* token) {
  text_.clear();
  is_not_a_number_ = false;
  if (negative) text_.push_back('-');
  if (at_ >= end_) return false;
  if (!IsDigit(*at_)) {
    ++at_;
    return negative && ReadSignedOddNumber(at_[-1], true, token);
  }
  bool slow = false;
  if (!ReadLeadingZeros(&slow)) return false;
  const char* start = at_;
  while (at_ < end_ && IsDigit(*at_)) ++at_;
  integer_digits_ = at_ - start;
  text_.append(start, static_cast<size_t>(integer_digits_));
  *token = JsonToken::kInt;
  // A part that is absent counts as 0 digits in the quick way, as -1 in the thorough one.
  int64_t fraction_digits = slow ? -1 : 0;
  int64_t exponent_digits = slow ? -1 : 0;
  const char* after_integer = at_;
  if (at_ < end_ && *at_ == '.') {
    ++at_;
    *token = JsonToken::kFloat;
    if (!ReadFraction(slow, &fraction_digits)) return false;
  }
  if (at_ < end_ && (*at_ | 0x20) == 'e') {
    ++at_;
    *token = JsonToken::kFloat;
    if (!ReadExponent(&exponent_digits)) {
      at_ = slow ? std::min(at_ + 1, end_) : after_integer + 1;
      return false;
    }
  }
  if (top().scope == Scope::kRoot && at_ < end_) {
    const char c = *at_;
    if (c != ' ' && c != '\t' && c != '\n' && c != '\r') return false;
  }
  const int64_t length = *token == JsonToken::kInt
                             ? integer_digits_
                             : integer_digits_ + fraction_digits + exponent_digits;
  return length <= options_.max_number_length;
}

int JsonTokenizer::Base64CharOfText(int index) {
  while (text_at_ < text_.size()) {
    const char c = text_[text_at_++];
    if (index == 0 && static_cast<unsigned char>(c) <= 0x20) continue;
    const int bits = Base64Bits(c);
    return bits == kPadding && index < 2 ? kBadBase64 : bits;
  }
  return index == 0 ? kEndOfBase64 : kBadBase64;
}

int JsonTokenizer::Base64CharOfDocument(int index, bool after_padding) {
  while (at_ < end_) {
    const char c = *at_++;
    if (index == 0 && static_cast<unsigned char>(c) <= 0x20) continue;
    int bits = Base64Bits(c);
    if (bits == kBadBase64 && c == '"') {
      if (index == 0) return kEndOfBase64;
      if (index >= 2 && !after_padding) --at_;  // the string's end is seen again when it is skipped
      return kBadBase64;
    }
    if (bits == kBadBase64 && c == '\\') {
      uint32_t unit = 0;
      bool is_unit = false;
      if (!ReadEscape(&unit, &is_unit)) return kBadBase64;
      if (unit <= 0x20 && index == 0) continue;
      bits = unit < 0x80 ? Base64Bits(static_cast<char>(unit)) : kBadBase64;
    }
    return bits == kPadding && index < 2 ? kBadBase64 : bits;
  }
  return kBadBase64;
}

bool JsonTokenizer::Base64(std::string* bytes) {
  bytes->clear();
  text_at_ = 0;
  const bool pending = string_is_pending_;
  const auto next = [&](int index, bool after_padding) {
    return pending ? Base64CharOfDocument(index, after_padding) : Base64CharOfText(index);
  };
  while (true) {
    const int first = next(0, false);
    if (first == kEndOfBase64) break;
    const int second = first < 0 ? kBadBase64 : next(1, false);
    const int third = second < 0 ? kBadBase64 : next(2, false);
    if (third == kBadBase64) return false;
    const int fourth = next(3, third == kPadding);
    if (fourth == kBadBase64 || (third == kPadding && fourth != kPadding)) return false;
    bytes->push_back(static_cast<char>((first << 2) | (second >> 4)));
    if (third != kPadding) bytes->push_back(static_cast<char>(((second & 15) << 4) | (third >> 2)));
    if (fourth != kPadding) bytes->push_back(static_cast<char>(((third & 3) << 6) | fourth));
  }
  string_is_pending_ = false;
  return true;
}

const std::string* JsonTokenizer::current_name() const {
  const bool at_start = token_ == JsonToken::kStartObject || token_ == JsonToken::kStartArray;
  const Context& context = at_start && depth_ > 0 ? contexts_[depth_ - 1] : top();
  return context.has_name ? &context.name : nullptr;
}

bool JsonTokenizer::SkipChildren() {
  if (token_ != JsonToken::kStartObject && token_ != JsonToken::kStartArray) return true;
  int64_t open = 1;
  while (open > 0) {
    if (!Next()) return false;
    switch (token_) {
      case JsonToken::kNone:
        if (top().scope != Scope::kRoot) return false;
        return true;
      case JsonToken::kStartObject:
      case JsonToken::kStartArray: ++open; break;
      case JsonToken::kEndObject:
      case JsonToken::kEndArray: --open; break;
      default: break;
    }
  }
  return true;
}

}  // namespace sluice::codec
