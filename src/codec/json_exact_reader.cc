#include "codec/json_exact_reader.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "base/calendar.h"
#include "codec/json_quote.h"
#include "codec/number_text.h"
#include "codec/utf8.h"

namespace sluice::codec {

namespace {

constexpr int64_t kDigitsThatFitInt64 = 18;

// The names Spark takes for infinities and NaN, quoted or not. False = none of them.
bool ParseNotANumber(std::string_view text, double* value) {
  if (text == "NaN") {
    *value = std::numeric_limits<double>::quiet_NaN();
  } else if (text == "+INF" || text == "+Infinity" || text == "Infinity") {
    *value = std::numeric_limits<double>::infinity();
  } else if (text == "-INF" || text == "-Infinity") {
    *value = -std::numeric_limits<double>::infinity();
  } else {
    return false;
  }
  return true;
}

bool FitsKind(JsonKind kind, int64_t value) {
  switch (kind) {
    case JsonKind::kInt8: return value >= -128 && value <= 255;  // unsigned bytes wrap, as in Spark
    case JsonKind::kInt16: return value >= INT16_MIN && value <= INT16_MAX;
    case JsonKind::kInt32: return value >= INT32_MIN && value <= INT32_MAX;
    default: return true;
  }
}

}  // namespace

DocumentState JsonExactReader::Read(std::string_view document, int64_t now_micros, JsonValue* row) {
  now_micros_ = now_micros;
  tokenizer_.Reset(document);
  if (!tokenizer_.Next()) return DocumentState::kMalformed;
  if (tokenizer_.token() == JsonToken::kNone) return DocumentState::kEmpty;
  if (tokenizer_.token() != JsonToken::kStartObject) return DocumentState::kMalformed;
  switch (ConvertObject(root_, row)) {
    case Outcome::kOk: return DocumentState::kOk;
    case Outcome::kPartial: return DocumentState::kPartial;
    default: return DocumentState::kMalformed;
  }
}

JsonExactReader::Outcome JsonExactReader::Convert(const JsonNode& node, JsonValue* value) {
  if (tokenizer_.token() == JsonToken::kFieldName && !tokenizer_.Next()) return Outcome::kError;
  const JsonToken token = tokenizer_.token();
  if (token == JsonToken::kNone || token == JsonToken::kNull) return Outcome::kOk;
  const Outcome outcome = ConvertToken(node, token, value);
  if (outcome != Outcome::kError) value->is_null = false;
  return outcome;
}

JsonExactReader::Outcome JsonExactReader::ConvertToken(const JsonNode& node, JsonToken token,
                                                       JsonValue* value) {
  bool ok = false;
  switch (node.kind) {
    case JsonKind::kString: return ConvertToText(token, value);
    case JsonKind::kStruct:
      if (token == JsonToken::kStartObject) return ConvertObject(node, value);
      break;
    case JsonKind::kList:
      if (token == JsonToken::kStartArray) return ConvertArray(node, value);
      break;
    case JsonKind::kMap:
      if (token == JsonToken::kStartObject) return ConvertMap(node, value);
      break;
    case JsonKind::kBool:
      ok = token == JsonToken::kTrue || token == JsonToken::kFalse;
      value->integer = token == JsonToken::kTrue;
      break;
    case JsonKind::kInt8:
    case JsonKind::kInt16:
    case JsonKind::kInt32:
    case JsonKind::kInt64: ok = ConvertInteger(node, token, value); break;
    case JsonKind::kFloat:
    case JsonKind::kDouble: ok = ConvertReal(node, token, value); break;
    case JsonKind::kDecimal: ok = ConvertDecimal(node, token, value); break;
    case JsonKind::kDate:
    case JsonKind::kTimestamp:
    case JsonKind::kTimestampNtz: ok = ConvertTime(node, token, value); break;
    case JsonKind::kBinary:
      return token == JsonToken::kString && tokenizer_.Base64(&value->bytes) ? Outcome::kOk
                                                                             : Outcome::kError;
  }
  if (ok) return Outcome::kOk;
  // A refused string has been read: whether it was empty decides on the message.
  const std::string* text = nullptr;
  if (token == JsonToken::kString && !tokenizer_.Text(&text)) return Outcome::kError;
  return Outcome::kError;
}

JsonExactReader::Outcome JsonExactReader::ConvertObject(const JsonNode& node, JsonValue* value) {
  value->items.assign(node.children.size(), JsonValue());
  bool bad = false;
  while (true) {
    if (!tokenizer_.Next()) return Outcome::kError;
    if (tokenizer_.token() == JsonToken::kNone || tokenizer_.token() == JsonToken::kEndObject)
      break;
    const std::string* name = tokenizer_.current_name();
    const int index = name == nullptr ? -1 : node.Find(*name);
    if (index < 0) {
      if (!tokenizer_.SkipChildren()) return Outcome::kError;
      continue;
    }
    JsonValue field;
    const Outcome outcome = Convert(node.children[static_cast<size_t>(index)], &field);
    bad |= outcome != Outcome::kOk;
    if (outcome == Outcome::kError) {
      if (!tokenizer_.SkipChildren()) return Outcome::kError;
    } else {
      value->items[static_cast<size_t>(index)] = std::move(field);
    }
  }
  return bad ? Outcome::kPartial : Outcome::kOk;
}

JsonExactReader::Outcome JsonExactReader::ConvertArray(const JsonNode& node, JsonValue* value) {
  bool bad = false;
  while (true) {
    if (!tokenizer_.Next()) return Outcome::kError;
    if (tokenizer_.token() == JsonToken::kNone || tokenizer_.token() == JsonToken::kEndArray) break;
    JsonValue item;
    const Outcome outcome = Convert(node.children[0], &item);
    if (outcome == Outcome::kError) return Outcome::kError;
    bad |= outcome == Outcome::kPartial;
    value->items.push_back(std::move(item));
  }
  return bad ? Outcome::kPartial : Outcome::kOk;
}

JsonExactReader::Outcome JsonExactReader::ConvertMap(const JsonNode& node, JsonValue* value) {
  bool partial = false;
  bool lost = false;
  while (true) {
    if (!tokenizer_.Next()) return Outcome::kError;
    if (tokenizer_.token() == JsonToken::kNone || tokenizer_.token() == JsonToken::kEndObject)
      break;
    const std::string* name = tokenizer_.current_name();
    std::string key = name == nullptr ? std::string() : *name;
    ReplaceLoneSurrogates(&key);
    JsonValue item;
    const Outcome outcome = Convert(node.children[0], &item);
    if (outcome == Outcome::kError) {
      lost = true;  // the whole map is NULL then, but it is read to its end
      if (!tokenizer_.SkipChildren()) return Outcome::kError;
      continue;
    }
    partial |= outcome == Outcome::kPartial;
    value->keys.push_back(std::move(key));
    value->items.push_back(std::move(item));
  }
  if (lost) return Outcome::kError;
  return partial ? Outcome::kPartial : Outcome::kOk;
}

bool JsonExactReader::ConvertInteger(const JsonNode& node, JsonToken token, JsonValue* value) {
  const std::string* text = nullptr;
  return token == JsonToken::kInt && tokenizer_.Text(&text) && ParseInt64(*text, &value->integer) &&
         FitsKind(node.kind, value->integer);
}

bool JsonExactReader::ConvertReal(const JsonNode& node, JsonToken token, JsonValue* value) {
  const std::string* text = nullptr;
  if (token == JsonToken::kString) {
    return tokenizer_.Text(&text) && options_.allow_non_numeric_numbers &&
           ParseNotANumber(*text, &value->real);
  }
  if (token != JsonToken::kInt && token != JsonToken::kFloat) return false;
  if (!tokenizer_.Text(&text)) return false;
  if (token == JsonToken::kFloat && tokenizer_.is_not_a_number())
    return ParseNotANumber(*text, &value->real);
  if (token == JsonToken::kInt && tokenizer_.integer_digits() <= kDigitsThatFitInt64) {
    int64_t integer = 0;
    if (!ParseInt64(*text, &integer)) return false;
    value->real =
        node.kind == JsonKind::kFloat ? static_cast<float>(integer) : static_cast<double>(integer);
    return true;
  }
  value->real = node.kind == JsonKind::kFloat ? ParseFloat(*text) : ParseDouble(*text);
  return true;
}

bool JsonExactReader::ConvertDecimal(const JsonNode& node, JsonToken token, JsonValue* value) {
  const std::string* text = nullptr;
  if (token != JsonToken::kString && token != JsonToken::kInt && token != JsonToken::kFloat)
    return false;
  if (!tokenizer_.Text(&text)) return false;
  if (token != JsonToken::kString) {
    return !tokenizer_.is_not_a_number() &&
           ParseDecimal(*text, node.precision, node.scale, &value->decimal);
  }
  std::string digits = *text;
  digits.erase(std::remove(digits.begin(), digits.end(), ','), digits.end());
  return ParseDecimal(digits, node.precision, node.scale, &value->decimal);
}

bool JsonExactReader::ConvertTime(const JsonNode& node, JsonToken token, JsonValue* value) {
  const std::string* text = nullptr;
  if (node.kind == JsonKind::kTimestamp && token == JsonToken::kInt) {
    if (!tokenizer_.Text(&text) || !ParseInt64(*text, &value->integer)) return false;
    value->integer =
        static_cast<int64_t>(static_cast<uint64_t>(value->integer) * uint64_t{kMicrosPerSecond});
    return true;
  }
  if (token != JsonToken::kString || !tokenizer_.Text(&text) || text->empty()) return false;
  if (node.kind == JsonKind::kTimestamp)
    return times_->Timestamp(*text, now_micros_, &value->integer);
  if (node.kind == JsonKind::kTimestampNtz) return times_->TimestampNtz(*text, &value->integer);
  int32_t days = 0;
  const bool ok = times_->Date(*text, &days);
  value->integer = days;
  return ok;
}

JsonExactReader::Outcome JsonExactReader::ConvertToText(JsonToken token, JsonValue* value) {
  if (token == JsonToken::kString) {
    const std::string* text = nullptr;
    if (!tokenizer_.Text(&text)) return Outcome::kError;
    value->bytes = *text;
    ReplaceLoneSurrogates(&value->bytes);
    return Outcome::kOk;
  }
  if (token == JsonToken::kStartObject || token == JsonToken::kStartArray) {
    return CopyContents(&value->bytes) ? Outcome::kOk : Outcome::kError;
  }
  return AppendScalar(token, &value->bytes) ? Outcome::kOk : Outcome::kError;
}

bool JsonExactReader::AppendScalar(JsonToken token, std::string* out) {
  const std::string* text = nullptr;
  switch (token) {
    case JsonToken::kTrue: out->append("true"); return true;
    case JsonToken::kFalse: out->append("false"); return true;
    case JsonToken::kNull: out->append("null"); return true;
    case JsonToken::kString:
      if (!tokenizer_.Text(&text)) return false;
      AppendQuotedEscapingSurrogates(*text, out);
      return true;
    case JsonToken::kInt:
      if (!tokenizer_.Text(&text)) return false;
      out->append(*text == "-0" ? "0" : *text);
      return true;
    case JsonToken::kFloat: {
      if (!tokenizer_.Text(&text)) return false;
      double real = 0;
      if (!tokenizer_.is_not_a_number() || !ParseNotANumber(*text, &real))
        real = ParseDouble(*text);
      if (std::isfinite(real)) {
        AppendDouble(real, out);
        return true;
      }
      out->push_back('"');
      AppendDouble(real, out);
      out->push_back('"');
      return true;
    }
    default: return false;
  }
}

// The current object or array, compact, as Jackson's generator prints it.
bool JsonExactReader::CopyContents(std::string* out) {
  std::string closers;
  bool needs_comma = false;
  bool after_name = false;
  JsonToken token = tokenizer_.token();
  while (true) {
    const bool closes = token == JsonToken::kEndObject || token == JsonToken::kEndArray;
    if (needs_comma && !after_name && !closes) out->push_back(',');
    needs_comma = true;
    after_name = false;
    switch (token) {
      case JsonToken::kStartObject:
      case JsonToken::kStartArray:
        out->push_back(token == JsonToken::kStartObject ? '{' : '[');
        closers.push_back(token == JsonToken::kStartObject ? '}' : ']');
        needs_comma = false;
        break;
      case JsonToken::kEndObject:
      case JsonToken::kEndArray:
        if (closers.back() != (token == JsonToken::kEndObject ? '}' : ']')) return false;
        out->push_back(closers.back());
        closers.pop_back();
        break;
      case JsonToken::kFieldName:
        if (closers.back() != '}') return false;
        AppendQuotedEscapingSurrogates(*tokenizer_.current_name(), out);
        out->push_back(':');
        after_name = true;
        break;
      default:
        if (!AppendScalar(token, out)) return false;
    }
    if (closers.empty()) return true;
    if (!tokenizer_.Next()) return false;
    token = tokenizer_.token();
    if (token == JsonToken::kNone) {
      out->append(closers.rbegin(), closers.rend());
      return true;
    }
  }
}

void AppendJsonValue(const JsonNode& node, const JsonValue& value, JsonColumn* column) {
  if (value.is_null) {
    column->AppendNull();
    return;
  }
  switch (node.kind) {
    case JsonKind::kBool:
    case JsonKind::kInt8: column->Append(static_cast<int8_t>(value.integer)); break;
    case JsonKind::kInt16: column->Append(static_cast<int16_t>(value.integer)); break;
    case JsonKind::kInt32:
    case JsonKind::kDate: column->Append(static_cast<int32_t>(value.integer)); break;
    case JsonKind::kInt64:
    case JsonKind::kTimestamp:
    case JsonKind::kTimestampNtz: column->Append(value.integer); break;
    case JsonKind::kFloat: column->Append(static_cast<float>(value.real)); break;
    case JsonKind::kDouble: column->Append(value.real); break;
    case JsonKind::kDecimal: column->Append(value.decimal.ToBytes()); break;
    case JsonKind::kString:
    case JsonKind::kBinary: column->AppendBytes(value.bytes); break;
    case JsonKind::kStruct:
      for (size_t i = 0; i < node.children.size(); ++i) {
        AppendJsonValue(node.children[i], value.items[i], column->child(i));
      }
      column->AppendStruct();
      break;
    case JsonKind::kList:
      for (const JsonValue& item : value.items)
        AppendJsonValue(node.children[0], item, column->child(0));
      column->AppendList();
      break;
    case JsonKind::kMap:
      for (size_t i = 0; i < value.items.size(); ++i) {
        column->child(0)->AppendBytes(value.keys[i]);
        AppendJsonValue(node.children[0], value.items[i], column->child(1));
      }
      column->AppendList();
      break;
  }
}

}  // namespace sluice::codec
