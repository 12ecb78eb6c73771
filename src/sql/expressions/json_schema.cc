#include "sql/expressions/json_schema.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <memory>

#include "codec/number_text.h"
#include "sql/expressions/json_document.h"

namespace sluice::sql {
namespace {

// What is known of a value's type.
struct Inferred {
  enum class Kind { kNull, kBoolean, kBigint, kDecimal, kDouble, kString, kArray, kStruct };
  Kind kind = Kind::kNull;
  size_t digits = 0;                       // of kDecimal
  std::map<std::string, Inferred> fields;  // of kStruct: by name
  std::shared_ptr<Inferred> element;       // of kArray
};

using Kind = Inferred::Kind;

Inferred Of(Kind kind) {
  Inferred made;
  made.kind = kind;
  return made;
}

Inferred Merge(const Inferred& a, const Inferred& b);

Inferred MergeSame(const Inferred& a, const Inferred& b) {
  Inferred made = a;
  made.digits = std::max(a.digits, b.digits);
  if (a.kind == Kind::kArray)
    made.element = std::make_shared<Inferred>(Merge(*a.element, *b.element));
  for (const auto& [name, type] : b.fields) {
    auto [at, added] = made.fields.emplace(name, type);
    if (!added) at->second = Merge(at->second, type);
  }
  return made;
}

Inferred Merge(const Inferred& a, const Inferred& b) {
  if (a.kind == Kind::kNull) return b;
  if (b.kind == Kind::kNull) return a;
  if (a.kind == b.kind) return MergeSame(a, b);
  auto number = [](Kind kind) {
    return kind == Kind::kBigint || kind == Kind::kDecimal || kind == Kind::kDouble;
  };
  if (!number(a.kind) || !number(b.kind)) return Of(Kind::kString);
  if (a.kind == Kind::kDouble || b.kind == Kind::kDouble) return Of(Kind::kDouble);
  Inferred made = Of(Kind::kDecimal);
  made.digits = std::max({a.digits, b.digits, size_t{20}});
  return made;
}

Inferred Infer(const JsonDocument& value) {
  switch (value.kind) {
    case JsonDocument::Kind::kNull: return Of(Kind::kNull);
    case JsonDocument::Kind::kBoolean: return Of(Kind::kBoolean);
    case JsonDocument::Kind::kString: return Of(Kind::kString);
    case JsonDocument::Kind::kReal: return Of(Kind::kDouble);
    case JsonDocument::Kind::kInteger: {
      int64_t number = 0;
      if (codec::ParseInt64(value.text, &number)) return Of(Kind::kBigint);
      Inferred made = Of(Kind::kDecimal);
      made.digits = value.text.size() - (value.text[0] == '-' ? 1 : 0);
      return made.digits > 38 ? Of(Kind::kDouble) : made;
    }
    case JsonDocument::Kind::kArray: {
      Inferred made = Of(Kind::kArray);
      Inferred element;
      for (const JsonDocument& item : value.items) element = Merge(element, Infer(item));
      made.element = std::make_shared<Inferred>(std::move(element));
      return made;
    }
    case JsonDocument::Kind::kObject: break;
  }
  Inferred made = Of(Kind::kStruct);
  for (size_t i = 0; i < value.items.size(); ++i) {
    auto [at, added] = made.fields.emplace(value.names[i], Infer(value.items[i]));
    if (!added) at->second = Merge(at->second, Infer(value.items[i]));
  }
  return made;
}

bool IsPlainName(const std::string& name) {
  return !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
  }) && !(name[0] >= '0' && name[0] <= '9');
}

std::string Quoted(const std::string& name) {
  if (IsPlainName(name)) return name;
  std::string out = "`";
  for (const char c : name) {
    if (c == '`') out += '`';
    out += c;
  }
  return out + "`";
}

void Append(const Inferred& type, std::string* out) {
  switch (type.kind) {
    case Kind::kNull:
    case Kind::kString: *out += "STRING"; return;
    case Kind::kBoolean: *out += "BOOLEAN"; return;
    case Kind::kBigint: *out += "BIGINT"; return;
    case Kind::kDecimal: *out += "DECIMAL(" + std::to_string(type.digits) + ",0)"; return;
    case Kind::kDouble: *out += "DOUBLE"; return;
    case Kind::kArray:
      *out += "ARRAY<";
      Append(*type.element, out);
      *out += ">";
      return;
    case Kind::kStruct: break;
  }
  *out += "STRUCT<";
  bool first = true;
  for (const auto& [name, field] : type.fields) {
    if (!first) *out += ", ";
    first = false;
    *out += Quoted(name) + ": ";
    Append(field, out);
  }
  *out += ">";
}

}  // namespace

std::optional<std::string> SchemaOfJson(std::string_view json,
                                        const codec::JsonDecoderOptions& options) {
  const auto document = JsonDocument::Parse(json, options);
  if (!document.has_value()) return std::nullopt;
  std::string out;
  Append(Infer(*document), &out);
  return out;
}

}  // namespace sluice::sql
