// get_json_object, json_tuple, json_array_length, json_object_keys, schema_of_json, to_json.
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <numeric>

#include "codec/json_decoder.h"
#include "codec/json_writer.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/datetime_pattern.h"
#include "sql/expressions/json_document.h"
#include "sql/expressions/json_path.h"
#include "sql/expressions/json_schema.h"
#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/constant_options.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Type;

Result<Kernel> GetJsonObject(const BoundExpression& expression) {
  const auto constant = ConstantText(expression, 1);
  if (constant.has_value()) {
    return Map<Text, Text, Text>(
        [path = JsonPath::Parse(*constant)](Text json, Text) -> std::optional<std::string> {
          const auto document = path ? JsonDocument::Parse(json) : std::nullopt;
          return document ? path->Find(*document) : std::nullopt;
        })(expression);
  }
  return Map<Text, Text, Text>([](Text json, Text text) -> std::optional<std::string> {
    const auto path = JsonPath::Parse(text);
    const auto document = path ? JsonDocument::Parse(json) : std::nullopt;
    return document ? path->Find(*document) : std::nullopt;
  })(expression);
}

// The last field of the name; NULL for a JSON null.
std::optional<std::string> TupleField(Text json, Text name) {
  const auto document = JsonDocument::Parse(json);
  if (!document || document->kind != JsonDocument::Kind::kObject) return std::nullopt;
  for (size_t i = document->items.size(); i-- > 0;) {
    if (document->names[i] != name) continue;
    if (document->items[i].kind == JsonDocument::Kind::kNull) continue;
    return document->items[i].ToText();
  }
  return std::nullopt;
}

std::optional<int32_t> ArrayLength(Text json) {
  const auto document = JsonDocument::Parse(json);
  if (!document || document->kind != JsonDocument::Kind::kArray) return std::nullopt;
  return static_cast<int32_t>(document->items.size());
}

Result<ArrayPtr> ObjectKeys(const KernelCall& call) {
  const Reader<Text> texts(call.args[0]);
  arrow::StringBuilder keys;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const auto document = texts.IsNull(row) ? std::nullopt : JsonDocument::Parse(texts.Get(row));
    const bool present = document && document->kind == JsonDocument::Kind::kObject;
    for (size_t i = 0; present && i < document->names.size(); ++i) {
      SLUICE_RETURN_NOT_OK(keys.Append(document->names[i]));
      picker.Grow(1);
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  SLUICE_ASSIGN_OR_RETURN(auto values, keys.Finish());
  return picker.FinishWith(call.expression.type, values);
}

Result<BoundPtr> BindSchemaOfJson(FunctionBinder& binder, const std::string& name, Args args,
                                  Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
  if (!args[0]->IsLiteral())
    return binder.Error(args[0]->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                        "the text of schema_of_json must be a constant string");
  SLUICE_ASSIGN_OR_RETURN(auto json, binder.ConstantString(name, args[0], span));
  codec::JsonDecoderOptions options;
  if (args.size() == 2) {
    SLUICE_ASSIGN_OR_RETURN(auto given, ConstantOptions(*args[1]));
    SLUICE_ASSIGN_OR_RETURN(options, codec::JsonDecoderOptions::FromMap(given));
  }
  const auto schema = SchemaOfJson(json, options);
  if (!schema.has_value())
    return binder.Unsupported(span, "schema_of_json of a text that is not JSON");
  return MakeLiteral(arrow::MakeScalar(*schema), span);
}

// What to_json is asked to do beyond its defaults.
struct WriterOptions {
  codec::JsonWriterOptions writer;
  std::optional<DatetimePattern> timestamp;
  std::optional<DatetimePattern> timestamp_ntz;
  std::optional<DatetimePattern> date;
  bool sort_keys = false;

  bool changes_values() const { return timestamp || timestamp_ntz || date || sort_keys; }
};

Result<WriterOptions> ReadOptions(const std::map<std::string, std::string>& given) {
  WriterOptions made;
  for (const auto& [key, value] : given) {
    const std::string name = LowerAscii(key);
    const bool on = LowerAscii(value) == "true";
    if (name == "ignorenullfields") {
      made.writer.ignore_null_fields = on;
    } else if (name == "sortkeys") {
      made.sort_keys = on;
    } else if (name == "timestampformat") {
      SLUICE_ASSIGN_OR_RETURN(made.timestamp, DatetimePattern::Make(value));
    } else if (name == "timestampntzformat") {
      SLUICE_ASSIGN_OR_RETURN(made.timestamp_ntz, DatetimePattern::Make(value));
    } else if (name == "dateformat") {
      SLUICE_ASSIGN_OR_RETURN(made.date, DatetimePattern::Make(value));
    } else {
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: the option " + key + " of to_json");
    }
  }
  return made;
}

Result<ArrayPtr> FormatTimes(const arrow::Array& array, const DatetimePattern& pattern) {
  arrow::StringBuilder builder;
  std::string text;
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const int64_t micros = array.type_id() == Type::DATE32
                               ? array.data()->GetValues<int32_t>(1)[row] * int64_t{86'400'000'000}
                               : array.data()->GetValues<int64_t>(1)[row];
    text.clear();
    pattern.Format(micros, &text);
    SLUICE_RETURN_NOT_OK(builder.Append(text));
  }
  return builder.Finish();
}

// Times as texts and fields in order, at every depth.
Result<ArrayPtr> Prepared(const ArrayPtr& array, const WriterOptions& options) {
  const auto& pattern = array->type_id() == Type::DATE32 ? options.date
                        : IsTimestamp(*array->type())    ? options.timestamp
                        : IsTimestampNtz(*array->type()) ? options.timestamp_ntz
                                                         : std::nullopt;
  if (pattern.has_value()) return FormatTimes(*array, *pattern);
  if (array->type_id() == Type::STRUCT) {
    const auto& record = static_cast<const arrow::StructArray&>(*array);
    std::vector<int> order(static_cast<size_t>(record.num_fields()));
    std::iota(order.begin(), order.end(), 0);
    if (options.sort_keys) {
      std::stable_sort(order.begin(), order.end(), [&](int a, int b) {
        return record.type()->field(a)->name() < record.type()->field(b)->name();
      });
    }
    arrow::ArrayVector children;
    arrow::FieldVector fields;
    for (const int i : order) {
      SLUICE_ASSIGN_OR_RETURN(auto child, Prepared(record.field(i), options));
      fields.push_back(arrow::field(record.type()->field(i)->name(), child->type()));
      children.push_back(std::move(child));
    }
    SLUICE_ASSIGN_OR_RETURN(
        auto valid,
        record.null_count() == 0
            ? Result<std::shared_ptr<arrow::Buffer>>(nullptr)
            : arrow::internal::CopyBitmap(arrow::default_memory_pool(), record.null_bitmap_data(),
                                          record.offset(), record.length()));
    return std::make_shared<arrow::StructArray>(arrow::struct_(fields), record.length(), children,
                                                std::move(valid));
  }
  if (array->type_id() == Type::LIST) {
    const auto& list = static_cast<const arrow::ListArray&>(*array);
    SLUICE_ASSIGN_OR_RETURN(auto values, Prepared(list.values(), options));
    auto data = array->data()->Copy();
    data->type = SparkArray(values->type());
    data->child_data = {values->data()};
    return arrow::MakeArray(std::move(data));
  }
  if (array->type_id() == Type::MAP && options.changes_values())
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: to_json of maps with these options");
  return array;
}

// Keys of maps that are not scalars: Spark prints them as rows.
bool HasNestedKeys(const arrow::DataType& type) {
  if (type.id() == Type::MAP &&
      static_cast<const arrow::MapType&>(type).key_type()->num_fields() > 0)
    return true;
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HasNestedKeys(*field->type()); });
}

Result<Kernel> ToJson(const BoundExpression& expression) {
  if (HasNestedKeys(*expression.args[0]->type))
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: to_json of maps with nested keys");
  WriterOptions options;
  if (expression.args.size() == 2) {
    SLUICE_ASSIGN_OR_RETURN(auto given, ConstantOptions(*expression.args[1]));
    SLUICE_ASSIGN_OR_RETURN(options, ReadOptions(given));
  }
  return Kernel([options](const KernelCall& call) -> Result<ArrayPtr> {
    ArrayPtr values = call.args[0].array;
    if (options.changes_values()) {
      SLUICE_ASSIGN_OR_RETURN(values, Prepared(values, options));
    }
    SLUICE_ASSIGN_OR_RETURN(auto texts, codec::ValuesToJson(*values, options.writer));
    return ArrayPtr(texts);
  });
}

// from_json by the decoder; whoever evaluates may bring a faster one of its own.
Result<Kernel> FromJson(const BoundExpression& expression) {
  if (expression.type->id() != Type::STRUCT)
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: from_json with a schema that is no struct");
  std::map<std::string, std::string> given;
  if (expression.args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(given, ConstantOptions(*expression.args[2]));
  }
  SLUICE_ASSIGN_OR_RETURN(auto options, codec::JsonDecoderOptions::FromMap(given));
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<codec::JsonDecoder> decoder,
                          codec::JsonDecoder::Make(expression.type, nullptr, std::move(options)));
  return Kernel([decoder](const KernelCall& call) -> Result<ArrayPtr> {
    SLUICE_ASSIGN_OR_RETURN(auto documents, Expand(call.args[0], call.rows));
    SLUICE_ASSIGN_OR_RETURN(auto decoded, decoder->Decode(*documents, call.clock));
    return ArrayPtr(decoded);
  });
}

}  // namespace

void RegisterJsonFunctions(FunctionRegistry* registry) {
  registry->Add({"get_json_object", "ss", 's', true}, GetJsonObject);
  registry->Compute("json_tuple_field", Map<Text, Text, Text>(TupleField));
  registry->Add({"json_array_length", "s", 'i', true}, Map<int32_t, Text>(ArrayLength));
  registry->Special("json_object_keys",
                    [](FunctionBinder& binder, const std::string& name, Args args,
                       Span span) -> Result<BoundPtr> {
                      SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
                      SLUICE_ASSIGN_OR_RETURN(args[0],
                                              binder.Coerce(args[0], arrow::utf8(), name, 1));
                      return MakeCall(name, std::move(args), SparkArray(arrow::utf8()), true, span);
                    });
  registry->Compute("json_object_keys", Plain(ObjectKeys));
  registry->Special("schema_of_json", BindSchemaOfJson);
  registry->Compute("to_json", ToJson);
  registry->Compute("from_json", FromJson, true);
}

}  // namespace sluice::sql
