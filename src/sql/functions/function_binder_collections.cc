// Functions of FunctionBinder over structs, arrays and maps, and JSON.
#include <fmt/format.h>

#include "sql/expressions/spark_type.h"
#include "sql/functions/function_binder.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

using Args = std::vector<BoundPtr>;

Result<BoundPtr> FunctionBinder::MakeStruct(const std::string& name, Args args, Span span) {
  arrow::FieldVector fields;
  Args values;
  if (name == "named_struct") {
    if (args.size() % 2 != 0)
      return CheckCount(name, args.size(), args.size() + 1, args.size() + 1, span);
    for (size_t i = 0; i < args.size(); i += 2) {
      SLUICE_ASSIGN_OR_RETURN(auto field, ConstantString(name, args[i], span));
      fields.push_back(arrow::field(field, args[i + 1]->type, args[i + 1]->nullable));
      values.push_back(args[i + 1]);
    }
  } else {
    for (size_t i = 0; i < args.size(); ++i) {
      const bool named = args[i]->IsColumn() || args[i]->kind == BoundKind::kField;
      const std::string field = named ? args[i]->name : fmt::format("col{}", i + 1);
      fields.push_back(arrow::field(field, args[i]->type, args[i]->nullable));
      values.push_back(args[i]);
    }
  }
  return MakeCall("struct", std::move(values), arrow::struct_(fields), false, span);
}

Result<BoundPtr> FunctionBinder::MakeArray(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(args.empty() ? Status::OK() : Unify(name, &args, 0, span));
  TypePtr element = args.empty() ? arrow::null() : args[0]->type;
  return MakeCall(name, std::move(args), SparkArray(element), false, span);
}

Result<BoundPtr> FunctionBinder::MakeMap(const std::string& name, Args args, Span span) {
  if (name == "map_from_arrays") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
    if (args[0]->type->id() != arrow::Type::LIST || args[1]->type->id() != arrow::Type::LIST) {
      return Error(span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                   "cannot resolve \"map_from_arrays\": it requires arrays");
    }
    const bool nullable = AnyNullable(args);
    auto type = SparkMap(args[0]->type->field(0)->type(), args[1]->type->field(0)->type());
    return MakeCall(name, std::move(args), std::move(type), nullable, span);
  }
  if (args.size() % 2 != 0)
    return CheckCount(name, args.size(), args.size() + 1, args.size() + 1, span);
  if (args.empty()) return Unsupported(span, "map() without entries");
  Args keys;
  Args values;
  for (size_t i = 0; i < args.size(); i += 2) {
    keys.push_back(args[i]);
    values.push_back(args[i + 1]);
  }
  SLUICE_RETURN_NOT_OK(Unify(name, &keys, 0, span));
  SLUICE_RETURN_NOT_OK(Unify(name, &values, 0, span));
  for (size_t i = 0; i < args.size(); ++i) args[i] = i % 2 == 0 ? keys[i / 2] : values[i / 2];
  auto type = SparkMap(keys[0]->type, values[0]->type);
  return MakeCall(name, std::move(args), std::move(type), false, span);
}

Result<BoundPtr> FunctionBinder::ElementAt(const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 2, span));
  if (args[0]->type->id() == arrow::Type::MAP && name != "get")
    return BindSubscript(args[0], args[1], span);
  if (args[0]->type->id() != arrow::Type::LIST) {
    return Error(span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                 fmt::format("cannot resolve \"{}\": parameter 1 requires ARRAY or MAP, however it "
                             "has the type \"{}\"",
                             name, SparkTypeSql(*args[0]->type)));
  }
  SLUICE_ASSIGN_OR_RETURN(args[1], Coerce(args[1], arrow::int32(), name, 2));
  TypePtr type = args[0]->type->field(0)->type();
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> FunctionBinder::Collections(const std::string& name, Args args, Span span) {
  static const std::map<std::string, std::pair<size_t, size_t>> counts = {
      {"size", {1, 1}},
      {"map_keys", {1, 1}},
      {"map_values", {1, 1}},
      {"array_contains", {2, 2}},
      {"map_contains_key", {2, 2}},
      {"array_distinct", {1, 1}},
      {"array_join", {2, 3}},
      {"array_max", {1, 1}},
      {"array_min", {1, 1}},
      {"array_position", {2, 2}},
      {"sort_array", {1, 2}},
      {"reverse", {1, 1}},
      {"slice", {3, 3}},
      {"hex", {1, 1}}};
  const auto [least, most] = counts.at(name);
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), least, most, span));
  const arrow::Type::type id = args[0]->type->id();
  const bool nullable = AnyNullable(args);
  if (name == "hex") {
    if (IsIntegral(*args[0]->type)) args[0] = MakeCast(args[0], arrow::int64());
    if (id == arrow::Type::STRING) args[0] = MakeCast(args[0], arrow::binary());
    const auto now = args[0]->type->id();
    if (now != arrow::Type::INT64 && now != arrow::Type::BINARY)
      return Unsupported(span, "hex of " + SparkTypeName(*args[0]->type));
    return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
  }
  if (name == "reverse" && id == arrow::Type::BINARY)
    return MakeCall("reverse_bytes", std::move(args), arrow::binary(), nullable, span);
  if (name == "reverse" && id != arrow::Type::LIST) {
    SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], arrow::utf8(), name, 1));
    return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
  }
  const bool wants_map = name == "map_keys" || name == "map_values" || name == "map_contains_key";
  const bool fits = wants_map
                        ? id == arrow::Type::MAP
                        : id == arrow::Type::LIST || (name == "size" && id == arrow::Type::MAP);
  if (!fits) {
    return Error(span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                 fmt::format("cannot resolve \"{}\": parameter 1 requires the \"{}\" type, however "
                             "\"{}\" has the type \"{}\"",
                             name, wants_map ? "MAP" : "ARRAY", ToString(*args[0]),
                             SparkTypeSql(*args[0]->type)));
  }
  if (name == "size") return MakeCall(name, std::move(args), arrow::int32(), nullable, span);
  if (wants_map) {
    const auto& map = static_cast<const arrow::MapType&>(*args[0]->type);
    if (name == "map_contains_key") {
      SLUICE_ASSIGN_OR_RETURN(args[1], Coerce(args[1], map.key_type(), name, 2));
      return MakeCall(name, std::move(args), arrow::boolean(), nullable, span);
    }
    TypePtr type = SparkArray(name == "map_keys" ? map.key_type() : map.item_type());
    return MakeCall(name, std::move(args), std::move(type), nullable, span);
  }
  const TypePtr element = args[0]->type->field(0)->type();
  if (name == "array_contains" || name == "array_position") {
    TypePtr common = CommonType(element, args[1]->type);
    if (common == nullptr) return Coerce(args[1], element, name, 2);
    args[0] = MakeCast(args[0], SparkArray(common));
    args[1] = MakeCast(args[1], common);
    return MakeCall(name, std::move(args),
                    name == "array_contains" ? arrow::boolean() : arrow::int64(), true, span);
  }
  if (name == "array_join") {
    SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], SparkArray(arrow::utf8()), name, 1));
    for (size_t i = 1; i < args.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(args[i],
                              Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
    }
    return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
  }
  if (name == "array_max" || name == "array_min") {
    return MakeCall(name, std::move(args), element, true, span);
  }
  if (name == "sort_array" && args.size() == 2) {
    SLUICE_ASSIGN_OR_RETURN(args[1], Coerce(args[1], arrow::boolean(), name, 2));
  }
  if (name == "slice") {
    for (size_t i = 1; i < 3; ++i) {
      SLUICE_ASSIGN_OR_RETURN(args[i],
                              Coerce(args[i], arrow::int32(), name, static_cast<int>(i) + 1));
    }
  }
  TypePtr type = args[0]->type;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> FunctionBinder::FromJson(const std::string& name, Args args, Span span) {
  if (name == "to_json") {
    SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 1, 2, span));
    if (IsVariantType(*args[0]->type)) {
      if (args.size() > 1) return Unsupported(span, "to_json of a VARIANT with options");
      const bool present = !args[0]->nullable;
      return MakeCall("variant_text", std::move(args), arrow::utf8(), !present, span);
    }
    if (args[0]->type->num_fields() == 0) {
      return Error(span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                   "cannot resolve \"to_json\": parameter 1 requires STRUCT, ARRAY or MAP");
    }
    const bool nullable = args[0]->nullable;
    return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
  }
  SLUICE_RETURN_NOT_OK(CheckCount(name, args.size(), 2, 3, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], Coerce(args[0], arrow::utf8(), name, 1));
  SLUICE_ASSIGN_OR_RETURN(auto ddl, ConstantString(name, args[1], span));
  TypePtr type;
  auto columns = ParseSchema(ddl);
  if (columns.ok()) {
    arrow::FieldVector fields;  // from_json makes every field nullable
    for (const auto& field : (*columns)->fields()) fields.push_back(field->WithNullable(true));
    type = arrow::struct_(fields);
  } else {
    auto parsed = ParseDataType(ddl);
    if (!parsed.ok()) return WithContext(columns.status(), "from_json");
    type = *parsed;
  }
  if (args.size() == 3) {
    const bool is_map = args[2]->IsCall("map");
    for (const BoundPtr& option : args[2]->args) {
      if (!is_map || !option->IsLiteral())
        return Error(span, "INVALID_OPTIONS.NON_MAP_FUNCTION",
                     "must use the `map()` function for options");
    }
    if (!is_map)
      return Error(span, "INVALID_OPTIONS.NON_MAP_FUNCTION",
                   "must use the `map()` function for options");
  }
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

}  // namespace sluice::sql
