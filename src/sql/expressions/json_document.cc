#include "sql/expressions/json_document.h"

#include "codec/json_quote.h"
#include "codec/json_tokenizer.h"
#include "codec/number_text.h"
#include "codec/utf8.h"

namespace sluice::sql {
namespace {

using codec::JsonToken;
using Kind = JsonDocument::Kind;

class Reader {
 public:
  Reader(std::string_view text, const codec::JsonDecoderOptions& options)
      : tokens_(options), deepest_(options.max_nesting_depth) {
    tokens_.Reset(text);
  }

  bool Read(JsonDocument* out) { return tokens_.Next() && Value(out, 0); }

 private:
  bool Text(std::string* out) {
    const std::string* text = nullptr;
    if (!tokens_.Text(&text)) return false;
    *out = *text;
    codec::ReplaceLoneSurrogates(out);
    return true;
  }

  bool Value(JsonDocument* out, int depth) {
    if (depth > deepest_) return false;
    switch (tokens_.token()) {
      case JsonToken::kString: out->kind = Kind::kString; return Text(&out->text);
      case JsonToken::kInt: out->kind = Kind::kInteger; return Text(&out->text);
      case JsonToken::kFloat: out->kind = Kind::kReal; return Text(&out->text);
      case JsonToken::kTrue:
      case JsonToken::kFalse:
        out->kind = Kind::kBoolean;
        out->text = tokens_.token() == JsonToken::kTrue ? "true" : "false";
        return true;
      case JsonToken::kNull: return true;
      case JsonToken::kStartArray: out->kind = Kind::kArray; return Items(out, depth);
      case JsonToken::kStartObject: out->kind = Kind::kObject; return Fields(out, depth);
      default: return false;
    }
  }

  bool Items(JsonDocument* out, int depth) {
    for (;;) {
      if (!tokens_.Next() || tokens_.token() == JsonToken::kNone) return false;
      if (tokens_.token() == JsonToken::kEndArray) return true;
      if (!Value(&out->items.emplace_back(), depth + 1)) return false;
    }
  }

  bool Fields(JsonDocument* out, int depth) {
    for (;;) {
      if (!tokens_.Next() || tokens_.token() == JsonToken::kNone) return false;
      if (tokens_.token() == JsonToken::kEndObject) return true;
      if (tokens_.token() != JsonToken::kFieldName || tokens_.current_name() == nullptr)
        return false;
      out->names.push_back(*tokens_.current_name());
      codec::ReplaceLoneSurrogates(&out->names.back());
      if (!tokens_.Next() || !Value(&out->items.emplace_back(), depth + 1)) return false;
    }
  }

  codec::JsonTokenizer tokens_;
  const int deepest_;
};

}  // namespace

std::optional<JsonDocument> JsonDocument::Parse(std::string_view text,
                                                const codec::JsonDecoderOptions& options) {
  JsonDocument made;
  if (!Reader(text, options).Read(&made)) return std::nullopt;
  return made;
}

void JsonDocument::AppendTo(std::string* out) const {
  switch (kind) {
    case Kind::kNull: *out += "null"; return;
    case Kind::kBoolean:
    case Kind::kInteger: *out += text; return;
    case Kind::kReal: codec::AppendDouble(codec::ParseDouble(text), out); return;
    case Kind::kString: codec::AppendQuoted(text, out); return;
    case Kind::kArray:
    case Kind::kObject: break;
  }
  const bool object = kind == Kind::kObject;
  *out += object ? '{' : '[';
  for (size_t i = 0; i < items.size(); ++i) {
    if (i > 0) *out += ',';
    if (object) {
      codec::AppendQuoted(names[i], out);
      *out += ':';
    }
    items[i].AppendTo(out);
  }
  *out += object ? '}' : ']';
}

std::string JsonDocument::ToText() const {
  if (kind == Kind::kString) return text;
  std::string out;
  AppendTo(&out);
  return out;
}

}  // namespace sluice::sql
