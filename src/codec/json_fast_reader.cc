#include "codec/json_fast_reader.h"

#include <algorithm>
#include <bit>
#include <charconv>

#include "base/calendar.h"
#include "codec/byte_blocks.h"
#include "codec/number_text.h"
#include "codec/utf8.h"

namespace sluice::codec {

namespace {

constexpr size_t kMaxShapes = 256;
constexpr int64_t kMaxNumberLength = 300;
constexpr int kMaxExactDigits = 18;

constexpr double kPowersOfTen[] = {1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                   1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                   1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
constexpr uint64_t kWholePowers[] = {1ULL,
                                     10ULL,
                                     100ULL,
                                     1000ULL,
                                     10000ULL,
                                     100000ULL,
                                     1000000ULL,
                                     10000000ULL,
                                     100000000ULL,
                                     1000000000ULL,
                                     10000000000ULL,
                                     100000000000ULL,
                                     1000000000000ULL,
                                     10000000000000ULL,
                                     100000000000000ULL,
                                     1000000000000000ULL,
                                     10000000000000000ULL,
                                     100000000000000000ULL,
                                     1000000000000000000ULL};

bool IsDigit(char c) { return static_cast<unsigned char>(c - '0') <= 9; }

int Base64Bits(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (IsDigit(c)) return c - '0' + 52;
  if (c == '+') return 62;
  return c == '/' ? 63 : -1;
}

}  // namespace

JsonFastReader::JsonFastReader(const JsonNode& root, const JsonDecoderOptions& options,
                               std::shared_ptr<const TimeReader> times)
    : root_(MakeNode(root)),
      options_(options),
      times_(std::move(times)),
      default_timestamp_(times_->default_timestamp()) {}

JsonFastReader::Node JsonFastReader::MakeNode(const JsonNode& schema) {
  Node node;
  node.schema = &schema;
  node.seen.assign(schema.names.size(), 0);
  for (const JsonNode& child : schema.children) node.children.push_back(MakeNode(child));
  return node;
}

bool JsonFastReader::Read(std::string_view document, int64_t now_micros, JsonColumn* column) {
  while (!document.empty() && static_cast<unsigned char>(document.back()) <= ' ')
    document.remove_suffix(1);
  // Ending in '}' stops every scan of digits and blanks inside the document.
  if (document.empty() || document.back() != '}') return false;
  if (static_cast<int64_t>(document.size()) > options_.max_string_length) return false;
  at_ = document.data();
  end_ = at_ + document.size();
  now_micros_ = now_micros;
  SkipBlanks();
  if (*at_ != '{') return false;
  ++at_;
  return ReadObject(&root_, column, 1) && at_ <= end_;
}

bool JsonFastReader::Matches(const KeyShape& shape, const char* at) {
  if ((EqualBytes(at, shape.text) & shape.mask) != shape.mask) return false;
  return shape.length <= kBlockSize ||
         std::memcmp(at + kBlockSize, shape.text + kBlockSize, shape.length - kBlockSize) == 0;
}

// Puts what was read where it is expected next time: names seen before only move the position.
void JsonFastReader::Learn(Node* node, size_t* position, const char* begin, size_t length,
                           int32_t field) {
  // Readable bytes behind the document limit what Matches may look at.
  if (length > std::min<size_t>(KeyShape::kCapacity, kPadding)) return;
  auto& shapes = node->shapes;
  for (size_t i = 0; i < shapes.size(); ++i) {
    if (shapes[i].length == length && std::memcmp(shapes[i].text, begin, length) == 0) {
      *position = i + 1;
      return;
    }
  }
  KeyShape shape;
  std::memset(shape.text, 0, sizeof(shape.text));
  std::memcpy(shape.text, begin, length);
  shape.length = static_cast<uint32_t>(length);
  shape.mask = length >= 32 ? ~uint32_t{0} : (uint32_t{1} << length) - 1;
  shape.field = field;
  *position = std::min(*position, shapes.size());
  if (shapes.size() < kMaxShapes) {
    shapes.insert(shapes.begin() + static_cast<std::ptrdiff_t>(*position), shape);
  } else {
    *position = std::min(*position, shapes.size() - 1);
    shapes[*position] = shape;
  }
  ++*position;
}

bool JsonFastReader::NextField(Node* node, size_t* position, bool first, int32_t* field,
                               bool* done) {
  if (at_ >= end_) return false;
  if (*position < node->shapes.size()) {
    const KeyShape& shape = node->shapes[*position];
    if (Matches(shape, at_) && (shape.text[0] != ',') == first) [[likely]] {
      at_ += shape.length;
      *field = shape.field;
      ++*position;
      return at_ < end_;
    }
  }
  const char* begin = at_;
  SkipBlanks();
  if (*at_ == '}') {
    ++at_;
    *done = true;
    return true;
  }
  if (!first) {
    if (*at_ != ',') return false;
    ++at_;
    SkipBlanks();
  }
  if (*at_ != '"') return false;
  const char* name = ++at_;
  while (at_ < end_ && *at_ != '"' && *at_ != '\\' && static_cast<unsigned char>(*at_) >= 0x20)
    ++at_;
  if (at_ >= end_ || *at_ != '"' || at_ - name > kMaxNameLength) return false;
  *field = node->schema->Find(std::string_view(name, static_cast<size_t>(at_ - name)));
  ++at_;
  SkipBlanks();
  if (*at_ != ':') return false;
  ++at_;
  SkipBlanks();
  // A shape starts with its comma, or with the name of a first field; blanks before them are not
  // worth remembering.
  if (first ? *begin == '"' : *begin == ',')
    Learn(node, position, begin, static_cast<size_t>(at_ - begin), *field);
  return at_ < end_;
}

bool JsonFastReader::ReadObject(Node* node, JsonColumn* column, int depth) {
  const uint64_t number = ++node->object_number;
  size_t position = 0;
  size_t count = 0;
  bool first = true;
  while (true) {
    int32_t field = -1;
    bool done = false;
    if (!NextField(node, &position, first, &field, &done)) return false;
    if (done) break;
    first = false;
    if (field < 0) {
      if (!Walk<false>(depth)) return false;
      continue;
    }
    const auto index = static_cast<size_t>(field);
    if (node->seen[index] == number) return false;  // a field given twice
    node->seen[index] = number;
    ++count;
    if (!ReadValue(&node->children[index], column->child(index), depth)) return false;
  }
  if (count < node->seen.size()) {
    for (size_t i = 0; i < node->seen.size(); ++i) {
      if (node->seen[i] != number) column->child(i)->AppendNull();
    }
  }
  column->AppendStruct();
  return true;
}

bool JsonFastReader::ReadValue(Node* node, JsonColumn* column, int depth) {
  const JsonNode& schema = *node->schema;
  switch (schema.kind) {
    case JsonKind::kString: return ReadText(column, depth);
    case JsonKind::kInt8:
    case JsonKind::kInt16:
    case JsonKind::kInt32:
    case JsonKind::kInt64: return ReadInteger(schema.kind, column);
    case JsonKind::kFloat:
    case JsonKind::kDouble: return ReadReal(schema.kind, column);
    case JsonKind::kDecimal: return ReadDecimal(schema, column);
    case JsonKind::kDate:
    case JsonKind::kTimestamp:
    case JsonKind::kTimestampNtz: return ReadTime(schema.kind, column);
    case JsonKind::kBinary: return ReadBinary(column);
    case JsonKind::kBool:
      if (*at_ == 't') return Literal("true") && (column->Append<uint8_t>(1), true);
      if (*at_ == 'f') return Literal("false") && (column->Append<uint8_t>(0), true);
      return ReadNull(column);
    case JsonKind::kStruct:
      if (*at_ != '{') return ReadNull(column);
      ++at_;
      return depth < options_.max_nesting_depth && ReadObject(node, column, depth + 1);
    case JsonKind::kList: return ReadList(node, column, depth + 1);
    case JsonKind::kMap: return ReadMap(node, column, depth + 1);
  }
  return false;
}

bool JsonFastReader::Literal(std::string_view literal) {
  if (std::memcmp(at_, literal.data(), literal.size()) != 0) return false;
  at_ += literal.size();
  return true;
}

bool JsonFastReader::ReadNull(JsonColumn* column) {
  if (*at_ != 'n' || !Literal("null")) return false;
  column->AppendNull();
  return true;
}

bool JsonFastReader::ReadList(Node* node, JsonColumn* column, int depth) {
  if (*at_ != '[') return ReadNull(column);
  if (depth > options_.max_nesting_depth) return false;
  ++at_;
  SkipBlanks();
  if (*at_ == ']') {
    ++at_;
    column->AppendList();
    return true;
  }
  while (true) {
    if (at_ >= end_ || !ReadValue(&node->children[0], column->child(0), depth)) return false;
    SkipBlanks();
    if (at_ >= end_) return false;
    const char c = *at_++;
    if (c == ']') break;
    if (c != ',') return false;
    SkipBlanks();
  }
  column->AppendList();
  return true;
}

bool JsonFastReader::ReadMap(Node* node, JsonColumn* column, int depth) {
  if (*at_ != '{') return ReadNull(column);
  if (depth > options_.max_nesting_depth) return false;
  ++at_;
  SkipBlanks();
  if (*at_ == '}') {
    ++at_;
    column->AppendList();
    return true;
  }
  while (true) {
    const char* name = at_;
    if (at_ >= end_ || *at_ != '"' || !ReadString(column->child(0)) || at_ - name > kMaxNameLength)
      return false;
    SkipBlanks();
    if (*at_ != ':') return false;
    ++at_;
    SkipBlanks();
    if (at_ >= end_ || !ReadValue(&node->children[0], column->child(1), depth)) return false;
    SkipBlanks();
    if (at_ >= end_) return false;
    const char c = *at_++;
    if (c == '}') break;
    if (c != ',') return false;
    SkipBlanks();
  }
  column->AppendList();
  return true;
}

bool JsonFastReader::ReadExactDigits(Number* number) {
  // REQUIRES: the grammar of [begin, end) was checked.
  const char* at = number->begin + (number->negative ? 1 : 0);
  uint64_t mantissa = 0;
  int digits = 0;
  int scale = 0;
  bool fraction = false;
  for (; at < number->end; ++at) {
    if (*at == '.') {
      fraction = true;
    } else if (!IsDigit(*at)) {
      return false;
    } else {
      mantissa = mantissa * 10 + static_cast<uint64_t>(*at - '0');
      digits += mantissa != 0 ? 1 : 0;
      scale += fraction ? 1 : 0;
      if (digits > kMaxExactDigits) return false;
    }
  }
  number->mantissa = mantissa;
  number->scale = scale;
  return true;
}

bool JsonFastReader::ReadNumber(Number* number) {
  number->begin = at_;
  number->negative = *at_ == '-';
  at_ += number->negative ? 1 : 0;
  if (!IsDigit(*at_)) return false;
  const bool zero = *at_ == '0';
  ++at_;
  if (zero && IsDigit(*at_)) return false;
  while (IsDigit(*at_)) ++at_;
  if (*at_ == '.') {
    number->is_integer = false;
    ++at_;
    if (!IsDigit(*at_)) return false;
    while (IsDigit(*at_)) ++at_;
  }
  if ((*at_ | 0x20) == 'e') {
    number->is_integer = false;
    ++at_;
    if (*at_ == '+' || *at_ == '-') ++at_;
    if (!IsDigit(*at_)) return false;
    while (IsDigit(*at_)) ++at_;
  }
  number->end = at_;
  return at_ - number->begin <= kMaxNumberLength;
}

bool JsonFastReader::ReadInteger(JsonKind kind, JsonColumn* column) {
  const bool negative = *at_ == '-';
  const char* digits = at_ + (negative ? 1 : 0);
  if (!IsDigit(*digits)) return ReadNull(column);
  const char* at = digits;
  uint64_t magnitude = 0;
  while (IsDigit(*at)) magnitude = magnitude * 10 + static_cast<uint64_t>(*at++ - '0');
  if (at - digits > kMaxExactDigits || (*digits == '0' && at - digits > 1)) return false;
  if (*at == '.' || (*at | 0x20) == 'e') return false;
  at_ = at;
  const int64_t value =
      negative ? -static_cast<int64_t>(magnitude) : static_cast<int64_t>(magnitude);
  switch (kind) {
    case JsonKind::kInt8:
      column->Append(static_cast<int8_t>(value));
      return value >= INT8_MIN && value <= UINT8_MAX;
    case JsonKind::kInt16:
      column->Append(static_cast<int16_t>(value));
      return value >= INT16_MIN && value <= INT16_MAX;
    case JsonKind::kInt32:
      column->Append(static_cast<int32_t>(value));
      return value >= INT32_MIN && value <= INT32_MAX;
    default: column->Append(value); return true;
  }
}

bool JsonFastReader::ReadReal(JsonKind kind, JsonColumn* column) {
  if (*at_ == 'n') return ReadNull(column);
  Number number;
  if (!ReadNumber(&number)) return false;
  const std::string_view text(number.begin, static_cast<size_t>(number.end - number.begin));
  const bool exact = ReadExactDigits(&number);
  if (exact && number.is_integer) {
    const auto whole = static_cast<int64_t>(number.mantissa);
    const int64_t value = number.negative ? -whole : whole;
    if (kind == JsonKind::kFloat) {
      column->Append(static_cast<float>(value));
    } else {
      column->Append(static_cast<double>(value));
    }
    return true;
  }
  if (kind == JsonKind::kFloat) {
    column->Append(ParseFloat(text));
    return true;
  }
  // Both the mantissa and the power are exact doubles: one correctly rounded division gives the
  // right value.
  if (exact && number.mantissa < (uint64_t{1} << 53) && number.scale <= 22) {
    const double value = static_cast<double>(number.mantissa) / kPowersOfTen[number.scale];
    column->Append(number.negative ? -value : value);
  } else {
    column->Append(ParseDouble(text));
  }
  return true;
}

bool JsonFastReader::ReadDecimal(const JsonNode& schema, JsonColumn* column) {
  if (*at_ == 'n') return ReadNull(column);
  const bool quoted = *at_ == '"';
  at_ += quoted ? 1 : 0;
  Number number;
  if (!ReadNumber(&number)) return false;
  if (quoted && *at_++ != '"') return false;
  if (ReadExactDigits(&number) && schema.scale - number.scale <= kMaxExactDigits &&
      number.scale - schema.scale <= kMaxExactDigits) {
    __int128 value = static_cast<__int128>(number.mantissa);
    if (number.scale <= schema.scale) {
      value *= static_cast<__int128>(kWholePowers[schema.scale - number.scale]);
    } else {
      const uint64_t divisor = kWholePowers[number.scale - schema.scale];
      value = static_cast<__int128>(number.mantissa / divisor +
                                    (number.mantissa % divisor >= divisor / 2 ? 1 : 0));
    }
    const int low = std::min(schema.precision, kMaxExactDigits);
    const __int128 limit =
        static_cast<__int128>(kWholePowers[low]) *
        static_cast<__int128>(kWholePowers[std::min(schema.precision - low, kMaxExactDigits)]);
    if (value >= limit) return false;
    column->Append(number.negative ? -value : value);
    return true;
  }
  arrow::Decimal128 value;
  const std::string_view text(number.begin, static_cast<size_t>(number.end - number.begin));
  if (!ParseDecimal(text, schema.precision, schema.scale, &value)) return false;
  column->Append(value.ToBytes());
  return true;
}

bool JsonFastReader::PlainString(std::string_view* text) {
  const char* begin = ++at_;
  while (at_ < end_) {
    const StringBlock block = LoadStringBlock(at_);
    const uint32_t special = block.special() | block.non_ascii;
    if (special == 0) {
      at_ += kBlockSize;
      continue;
    }
    at_ += std::countr_zero(special);
    if (*at_ != '"' || at_ >= end_) return false;
    *text = std::string_view(begin, static_cast<size_t>(at_ - begin));
    ++at_;
    return true;
  }
  return false;
}

bool JsonFastReader::ReadTime(JsonKind kind, JsonColumn* column) {
  if (*at_ != '"') {
    if (kind != JsonKind::kTimestamp || *at_ == 'n') return ReadNull(column);
    Number number;
    if (!ReadNumber(&number) || !number.is_integer || !ReadExactDigits(&number)) return false;
    const uint64_t micros = number.mantissa * uint64_t{kMicrosPerSecond};  // wraps, as Spark's
    column->Append(static_cast<int64_t>(number.negative ? -micros : micros));
    return true;
  }
  std::string_view text;
  if (!PlainString(&text) || text.empty()) return false;
  int64_t micros = 0;
  int32_t days = 0;
  switch (kind) {
    case JsonKind::kTimestamp:
      if ((!default_timestamp_ ||
           !ParseIsoTimestampFast(text.data(), text.data() + text.size(), &micros)) &&
          !times_->Timestamp(text, now_micros_, &micros)) {
        return false;
      }
      column->Append(micros);
      return true;
    case JsonKind::kTimestampNtz:
      if (!times_->TimestampNtz(text, &micros)) return false;
      column->Append(micros);
      return true;
    default:
      if (!times_->Date(text, &days)) return false;
      column->Append(days);
      return true;
  }
}

bool JsonFastReader::ReadBinary(JsonColumn* column) {
  if (*at_ != '"') return ReadNull(column);
  std::string_view text;
  if (!PlainString(&text) || text.size() % 4 != 0) return false;
  char* out = column->PrepareBytes(static_cast<int64_t>(text.size()));
  int64_t size = 0;
  for (size_t at = 0; at < text.size(); at += 4) {
    const bool last = at + 4 == text.size();
    const int padding = last && text[at + 3] == '=' ? (text[at + 2] == '=' ? 2 : 1) : 0;
    uint32_t bits = 0;
    for (size_t i = 0; i < 4; ++i) {
      const int six = static_cast<int>(i) >= 4 - padding ? 0 : Base64Bits(text[at + i]);
      if (six < 0) return false;
      bits = bits << 6 | static_cast<uint32_t>(six);
    }
    for (int i = 0; i < 3 - padding; ++i) out[size++] = static_cast<char>(bits >> (16 - 8 * i));
  }
  column->CommitBytes(size);
  return true;
}

bool JsonFastReader::ReadText(JsonColumn* column, int depth) {
  if (*at_ == '"') return ReadString(column);
  if (*at_ == 'n') return ReadNull(column);
  scratch_.clear();
  if (!Walk<true>(depth)) return false;
  column->AppendBytes(scratch_);
  return true;
}

bool JsonFastReader::ReadString(JsonColumn* column) {
  const char* begin = at_ + 1;
  char* out = column->PrepareBytes(end_ - begin);
  const StringBlock block = LoadStringBlock(begin);
  const uint32_t special = block.special() | block.non_ascii;
  if ((special & (~special + 1)) & block.quotes) [[likely]] {  // the first one is the closing quote
    const int length = std::countr_zero(special);
    std::memcpy(out, begin, kBlockSize);
    column->CommitBytes(length);
    at_ = begin + length + 1;
    return at_ < end_;
  }
  return ReadEscapedString(column);
}

bool JsonFastReader::ReadEscapedString(JsonColumn* column) {
  const char* from = at_ + 1;
  char* const begin = column->PrepareBytes(end_ - from);
  char* out = begin;
  uint32_t non_ascii = 0;
  while (from < end_) {
    const StringBlock block = LoadStringBlock(from);
    const uint32_t special = block.special();
    const int run = special == 0 ? static_cast<int>(kBlockSize) : std::countr_zero(special);
    // The run stays inside the document, or the document is refused at the end of it.
    std::memcpy(out, from, kBlockSize);
    non_ascii |= run == kBlockSize ? block.non_ascii : block.non_ascii & ((uint32_t{1} << run) - 1);
    from += run;
    out += run;
    if (special == 0) continue;
    if (from >= end_ || static_cast<unsigned char>(*from) < 0x20) return false;
    if (*from == '"') {
      const auto size = static_cast<size_t>(out - begin);
      if (non_ascii != 0 && !IsValidUtf8(std::string_view(begin, size))) return false;
      column->CommitBytes(static_cast<int64_t>(size));
      at_ = from + 1;
      return true;
    }
    if (from[1] != 'u') {
      *out = SimpleEscape(from[1]);
      if (*out++ == 0) return false;
      from += 2;
      continue;
    }
    int unit = ParseHex4(from + 2);
    if (unit < 0 || (unit >= 0xDC00 && unit <= 0xDFFF)) return false;
    from += 6;
    if (unit >= 0xD800 && unit <= 0xDBFF) {
      const int low = from[0] == '\\' && from[1] == 'u' ? ParseHex4(from + 2) : -1;
      if (low < 0xDC00 || low > 0xDFFF) return false;
      unit = 0x10000 + ((unit - 0xD800) << 10) + (low - 0xDC00);
      from += 6;
    }
    out += EncodeUtf8(static_cast<uint32_t>(unit), out);
  }
  return false;
}

}  // namespace sluice::codec
