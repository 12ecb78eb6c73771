// VARIANT: parse_json, paths into it, casts from it. A value is kept as canonical JSON text: keys
// in order, numbers without an exponent are decimals, others doubles.
#include <arrow/extension_type.h>
#include <fmt/format.h>

#include <algorithm>
#include <numeric>
#include <set>

#include "codec/number_text.h"
#include "sql/expressions/cast.h"
#include "sql/expressions/cast_text.h"
#include "sql/expressions/json_document.h"
#include "sql/expressions/json_path.h"
#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using Kind = JsonDocument::Kind;
using arrow::Type;

// A number as Spark's variants print it: long and decimal digits plain, doubles as Java does.
std::string CanonicalNumber(const JsonDocument& value) {
  const bool exponent = value.text.find_first_of("eE") != std::string::npos;
  const size_t digits = static_cast<size_t>(std::count_if(
      value.text.begin(), value.text.end(), [](char c) { return c >= '0' && c <= '9'; }));
  if (exponent || digits > 38) {
    std::string text;
    codec::AppendDouble(codec::ParseDouble(value.text), &text);
    return text;
  }
  std::string text = value.text;
  if (text.find('.') == std::string::npos) return text == "-0" ? "0" : text;
  text.erase(text.find_last_not_of('0') + 1);
  if (text.back() == '.') text.pop_back();
  return text == "-0" ? "0" : text;
}

// False when a key repeats.
bool Canonicalize(JsonDocument* value) {
  if (value->kind == Kind::kInteger || value->kind == Kind::kReal)
    value->text = CanonicalNumber(*value);
  for (JsonDocument& item : value->items) {
    if (!Canonicalize(&item)) return false;
  }
  if (value->kind != Kind::kObject) return true;
  std::vector<size_t> order(value->names.size());
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(),
            [&](size_t a, size_t b) { return value->names[a] < value->names[b]; });
  std::vector<std::string> names;
  std::vector<JsonDocument> items;
  for (const size_t i : order) {
    if (!names.empty() && names.back() == value->names[i]) return false;
    names.push_back(value->names[i]);
    items.push_back(std::move(value->items[i]));
  }
  value->names = std::move(names);
  value->items = std::move(items);
  return true;
}

// Compact text in which numbers stand as they are.
void AppendVariant(const JsonDocument& value, std::string* out) {
  if (value.kind == Kind::kInteger || value.kind == Kind::kReal) {
    *out += value.text;
    return;
  }
  if (value.kind != Kind::kArray && value.kind != Kind::kObject) {
    value.AppendTo(out);
    return;
  }
  const bool object = value.kind == Kind::kObject;
  *out += object ? '{' : '[';
  for (size_t i = 0; i < value.items.size(); ++i) {
    if (i > 0) *out += ',';
    if (object) {
      JsonDocument name;
      name.kind = Kind::kString;
      name.text = value.names[i];
      name.AppendTo(out);
      *out += ':';
    }
    AppendVariant(value.items[i], out);
  }
  *out += object ? '}' : ']';
}

Result<std::optional<std::string>> ParseVariant(Text json, bool tried) {
  using Answer = std::optional<std::string>;
  auto document = JsonDocument::Parse(json);
  if (document.has_value() && Canonicalize(&*document)) {
    std::string out;
    AppendVariant(*document, &out);
    return Answer(std::move(out));
  }
  if (tried) return Answer();
  if (document.has_value())
    return MakeError(
        "VARIANT_DUPLICATE_KEY",
        "[VARIANT_DUPLICATE_KEY] failed to build variant because of a duplicate object "
        "key. SQLSTATE: 22023");
  return MakeError("MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION",
                   fmt::format("[MALFORMED_RECORD_IN_PARSING.WITHOUT_SUGGESTION] malformed records "
                               "are detected in record parsing: {}. SQLSTATE: 22023",
                               json.substr(0, 200)));
}

// The texts of a column of variants.
Value StorageOf(const Value& variants) {
  return {static_cast<const arrow::ExtensionArray&>(*variants.array).storage(), variants.constant};
}

using Documents = std::vector<const JsonDocument*>;  // null = SQL NULL

// Builds a column of `type` out of variants; the first that does not convert is an error, or NULL
// when `tried`.
class Caster {
 public:
  explicit Caster(bool tried) : tried_(tried) {}

  Result<ArrayPtr> Cast(const Documents& values, const TypePtr& type) {
    if (IsVariantType(*type)) return ToVariant(values, type);
    switch (type->id()) {
      case Type::STRING: return ToText(values);
      case Type::LIST: return ToList(values, type);
      case Type::STRUCT: return ToStruct(values, type);
      case Type::MAP: return ToMap(values, type);
      default: return ToScalar(values, type);
    }
  }

 private:
  static bool IsNull(const JsonDocument* value) {
    return value == nullptr || value->kind == Kind::kNull;
  }

  Status Invalid(const JsonDocument& value, const arrow::DataType& type) const {
    if (tried_) return Status::OK();
    std::string text;
    AppendVariant(value, &text);
    return MakeError(
        "INVALID_VARIANT_CAST",
        fmt::format("[INVALID_VARIANT_CAST] the variant value `{}` cannot be cast into "
                    "`{}`. Please use `try_variant_get` instead. SQLSTATE: 22023",
                    text.substr(0, 200), SparkTypeSql(type)));
  }

  static Result<ArrayPtr> ToVariant(const Documents& values, const TypePtr& type) {
    Writer<Text> writer(type);
    for (const JsonDocument* value : values) {
      std::string text;
      if (value != nullptr) AppendVariant(*value, &text);
      SLUICE_RETURN_NOT_OK(value == nullptr ? writer.Null() : writer.Set(text));
    }
    return writer.Finish();
  }

  static Result<ArrayPtr> ToText(const Documents& values) {
    Writer<Text> writer(arrow::utf8());
    for (const JsonDocument* value : values) {
      std::string text;
      if (!IsNull(value) && value->kind == Kind::kString) text = value->text;
      if (!IsNull(value) && value->kind != Kind::kString) AppendVariant(*value, &text);
      SLUICE_RETURN_NOT_OK(IsNull(value) ? writer.Null() : writer.Set(text));
    }
    return writer.Finish();
  }

  // What CAST of a text makes of the value; nothing for a kind that does not convert to the type.
  static std::optional<std::string> CastText(const JsonDocument& value,
                                             const arrow::DataType& type) {
    const bool number = value.kind == Kind::kInteger || value.kind == Kind::kReal;
    if (value.kind == Kind::kString) return value.text;
    if (type.id() == Type::BOOL) {
      if (number) return codec::ParseDouble(value.text) != 0 ? "true" : "false";
      return value.kind == Kind::kBoolean ? std::optional(value.text) : std::nullopt;
    }
    if (!IsNumeric(type)) return std::nullopt;
    if (value.kind == Kind::kBoolean) return value.text == "true" ? "1" : "0";
    if (!number) return std::nullopt;
    if (!IsIntegral(type)) return value.text;
    const size_t point = value.text.find('.');
    if (point == std::string::npos) return value.text;
    if (value.text.find_first_of("eE") == std::string::npos) {
      std::string whole = value.text.substr(0, point);
      return whole.empty() || whole == "-" ? "0" : whole;
    }
    const double real = std::trunc(codec::ParseDouble(value.text));
    if (!(std::abs(real) < 9.3e18)) return std::nullopt;
    return fmt::format("{:.0f}", real);
  }

  Result<ArrayPtr> ToScalar(const Documents& values, const TypePtr& type) {
    arrow::StringBuilder texts;
    for (const JsonDocument* value : values) {
      const auto text = IsNull(value) ? std::nullopt : CastText(*value, *type);
      SLUICE_RETURN_NOT_OK(text ? texts.Append(*text) : texts.AppendNull());
    }
    SLUICE_ASSIGN_OR_RETURN(auto column, texts.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto result, CastArray(column, type, true));
    for (size_t i = 0; i < values.size(); ++i) {
      if (!IsNull(values[i]) && result->IsNull(static_cast<int64_t>(i)))
        SLUICE_RETURN_NOT_OK(Invalid(*values[i], *type));
    }
    return result;
  }

  Result<ArrayPtr> ToList(const Documents& values, const TypePtr& type) {
    Documents items;
    ListPicker picker;
    for (const JsonDocument* value : values) {
      const bool present = !IsNull(value) && value->kind == Kind::kArray;
      if (!IsNull(value) && !present) SLUICE_RETURN_NOT_OK(Invalid(*value, *type));
      for (size_t i = 0; present && i < value->items.size(); ++i) items.push_back(&value->items[i]);
      if (present) picker.Grow(static_cast<int64_t>(value->items.size()));
      SLUICE_RETURN_NOT_OK(picker.Row(present));
    }
    SLUICE_ASSIGN_OR_RETURN(auto elements, Cast(items, type->field(0)->type()));
    return picker.FinishWith(type, elements);
  }

  Result<ArrayPtr> ToMap(const Documents& values, const TypePtr& type) {
    const auto& map = static_cast<const arrow::MapType&>(*type);
    if (map.key_type()->id() != Type::STRING)
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: a variant as a map without STRING keys");
    Documents items;
    arrow::StringBuilder keys;
    ListPicker picker;
    for (const JsonDocument* value : values) {
      const bool present = !IsNull(value) && value->kind == Kind::kObject;
      if (!IsNull(value) && !present) SLUICE_RETURN_NOT_OK(Invalid(*value, *type));
      for (size_t i = 0; present && i < value->items.size(); ++i) {
        items.push_back(&value->items[i]);
        SLUICE_RETURN_NOT_OK(keys.Append(value->names[i]));
      }
      if (present) picker.Grow(static_cast<int64_t>(value->items.size()));
      SLUICE_RETURN_NOT_OK(picker.Row(present));
    }
    SLUICE_ASSIGN_OR_RETURN(auto elements, Cast(items, map.item_type()));
    SLUICE_ASSIGN_OR_RETURN(auto names, keys.Finish());
    return picker.FinishMapWith(type, names, elements);
  }

  Result<ArrayPtr> ToStruct(const Documents& values, const TypePtr& type) {
    arrow::TypedBufferBuilder<bool> valid;
    for (const JsonDocument* value : values) {
      const bool present = !IsNull(value) && value->kind == Kind::kObject;
      if (!IsNull(value) && !present) SLUICE_RETURN_NOT_OK(Invalid(*value, *type));
      SLUICE_RETURN_NOT_OK(valid.Append(present));
    }
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (const auto& field : type->fields()) {
      Documents items;
      for (const JsonDocument* value : values) {
        const JsonDocument* found = nullptr;
        for (size_t i = 0; !IsNull(value) && i < value->names.size(); ++i) {
          if (value->names[i] == field->name()) found = &value->items[i];
        }
        items.push_back(found);
      }
      SLUICE_ASSIGN_OR_RETURN(auto child, Cast(items, field->type()));
      children.push_back(child->data());
    }
    SLUICE_ASSIGN_OR_RETURN(auto bits, valid.Finish());
    return arrow::MakeArray(arrow::ArrayData::Make(type, static_cast<int64_t>(values.size()),
                                                   {bits}, std::move(children)));
  }

  const bool tried_;
};

// variant_get(variant, path): the type is the call's.
Result<Kernel> VariantGet(const BoundExpression& expression) {
  const auto text = ConstantText(expression, 1);
  const auto path = text ? JsonPath::Parse(*text) : std::nullopt;
  if (!path.has_value() || !path->IsPlain())
    return MakeError("INVALID_VARIANT_GET_PATH",
                     fmt::format("[INVALID_VARIANT_GET_PATH] the path `{}` is not a valid variant "
                                 "extraction path in `{}`. SQLSTATE: 22023",
                                 text.value_or(""), expression.name));
  const bool tried = expression.name == "try_variant_get";
  return Kernel([path = *path, tried](const KernelCall& call) -> Result<ArrayPtr> {
    const Value texts = StorageOf(call.args[0]);
    const Reader<Text> reader(texts);
    std::vector<JsonDocument> documents(static_cast<size_t>(call.rows));
    Documents found(static_cast<size_t>(call.rows), nullptr);
    for (int64_t row = 0; row < call.rows; ++row) {
      if (reader.IsNull(row)) continue;
      auto parsed = JsonDocument::Parse(reader.Get(row));
      SLUICE_CHECK(parsed.has_value(), "a variant holds a text that is not JSON");
      const auto at = static_cast<size_t>(row);
      documents[at] = *std::move(parsed);
      found[at] = path.Locate(documents[at]);
    }
    return Caster(tried).Cast(found, call.expression.type);
  });
}

Result<BoundPtr> BindVariantGet(FunctionBinder& binder, const std::string& name, Args args,
                                Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  if (!IsVariantType(*args[0]->type)) return binder.WrongType(name, 1, "VARIANT", args[0]);
  SLUICE_ASSIGN_OR_RETURN(auto path, binder.ConstantString(name, args[1], span));
  const auto parsed = JsonPath::Parse(path);
  if (!parsed.has_value() || !parsed->IsPlain())
    return binder.Error(args[1]->span, "INVALID_VARIANT_GET_PATH",
                        "the path `" + path + "` is not a valid variant extraction path");
  TypePtr type = VariantType();
  if (args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(auto ddl, binder.ConstantString(name, args[2], span));
    auto wanted = ParseDataType(ddl);
    if (!wanted.ok()) return WithContext(wanted.status(), name);
    type = *wanted;
    args.pop_back();
  }
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> BindParseJson(FunctionBinder& binder, const std::string& name, Args args,
                               Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  const bool nullable = args[0]->nullable || name == "try_parse_json";
  return MakeCall(name, std::move(args), VariantType(), nullable, span);
}

BindFunction BindTest() {
  return [](FunctionBinder& binder, const std::string& name, Args args,
            Span span) -> Result<BoundPtr> {
    SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
    if (!IsVariantType(*args[0]->type)) return binder.WrongType(name, 1, "VARIANT", args[0]);
    const bool nullable = name == "is_valid_variant" && args[0]->nullable;
    return MakeCall(name, std::move(args), arrow::boolean(), nullable, span);
  };
}

// is_variant_null: a JSON null, not an SQL NULL. is_valid_variant: always, for what parse_json
// made.
Result<ArrayPtr> TestVariant(const KernelCall& call) {
  const bool for_null = call.expression.name == "is_variant_null";
  const Value texts = StorageOf(call.args[0]);
  const Reader<Text> reader(texts);
  arrow::BooleanBuilder builder;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (reader.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(for_null ? builder.Append(false) : builder.AppendNull());
    } else {
      SLUICE_RETURN_NOT_OK(builder.Append(!for_null || reader.Get(row) == "null"));
    }
  }
  return builder.Finish();
}

// to_json of a variant.
Result<ArrayPtr> VariantText(const KernelCall& call) {
  const Value texts = StorageOf(call.args[0]);
  const Reader<Text> reader(texts);
  arrow::StringBuilder builder;
  for (int64_t row = 0; row < call.rows; ++row) {
    SLUICE_RETURN_NOT_OK(reader.IsNull(row) ? builder.AppendNull()
                                            : builder.Append(reader.Get(row)));
  }
  return builder.Finish();
}

// variant_explode: array<struct<pos, key, value>> of an array's items or an object's fields.
Result<ArrayPtr> VariantEntries(const KernelCall& call) {
  const Value texts = StorageOf(call.args[0]);
  const Reader<Text> reader(texts);
  arrow::Int32Builder positions;
  arrow::StringBuilder keys;
  const auto& entry = call.expression.type->field(0)->type();
  Writer<Text> values(entry->field(2)->type());
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto document = reader.IsNull(row) ? std::nullopt : JsonDocument::Parse(reader.Get(row));
    const size_t count = document ? document->items.size() : 0;
    for (size_t i = 0; i < count; ++i) {
      SLUICE_RETURN_NOT_OK(positions.Append(static_cast<int32_t>(i)));
      SLUICE_RETURN_NOT_OK(document->kind == Kind::kObject ? keys.Append(document->names[i])
                                                           : keys.AppendNull());
      std::string text;
      AppendVariant(document->items[i], &text);
      SLUICE_RETURN_NOT_OK(values.Set(text));
    }
    picker.Grow(static_cast<int64_t>(count));
    SLUICE_RETURN_NOT_OK(picker.Row());
  }
  const int64_t total = picker.size();
  SLUICE_ASSIGN_OR_RETURN(auto position_array, positions.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto key_array, keys.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto value_array, values.Finish());
  auto structs = arrow::MakeArray(arrow::ArrayData::Make(
      entry, total, {nullptr}, {position_array->data(), key_array->data(), value_array->data()}));
  return picker.FinishWith(call.expression.type, structs);
}

KernelFactory Parse(bool tried) {
  return Map<Text, Text>([tried](Text json) { return ParseVariant(json, tried); });
}

}  // namespace

void RegisterVariantFunctions(FunctionRegistry* registry) {
  registry->Special("parse_json", BindParseJson);
  registry->Compute("parse_json", Parse(false), true);
  registry->Special("try_parse_json", BindParseJson);
  registry->Compute("try_parse_json", Parse(true));
  registry->Special("variant_get", BindVariantGet);
  registry->Compute("variant_get", VariantGet, true);
  registry->Special("try_variant_get", BindVariantGet);
  registry->Compute("try_variant_get", VariantGet);
  for (const char* name : {"is_variant_null", "is_valid_variant"}) {
    registry->Special(name, BindTest());
    registry->Compute(name, Plain(TestVariant));
  }
  registry->Compute("variant_entries", Plain(VariantEntries));
  registry->Compute("variant_text", Plain(VariantText));
}

}  // namespace sluice::sql
