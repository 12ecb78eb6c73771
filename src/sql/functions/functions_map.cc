// Maps: joined, turned into entries and back, read from text.
#include <algorithm>

#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

Result<ArrayPtr> MapConcat(const KernelCall& call) {
  arrow::ArrayVector keys;
  arrow::ArrayVector values;
  for (const Value& arg : call.args) {
    keys.push_back(MapOf(arg).keys());
    values.push_back(MapOf(arg).items());
  }
  SLUICE_ASSIGN_OR_RETURN(auto all_keys, Join(keys));
  SLUICE_ASSIGN_OR_RETURN(auto all_values, Join(values));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = std::none_of(call.args.begin(), call.args.end(),
                                      [&](const Value& arg) { return arg.IsNull(row); });
    for (size_t a = 0; present && a < call.args.size(); ++a) {
      const auto& map = MapOf(call.args[a]);
      const int64_t at = call.args[a].At(row);
      for (int64_t i = map.value_offset(at); i < map.value_offset(at + 1); ++i)
        SLUICE_RETURN_NOT_OK(picker.Item(all_keys.begins[a] + i));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  SLUICE_ASSIGN_OR_RETURN(
      auto made, picker.FinishMap(call.expression.type, all_keys.values, all_values.values));
  const auto& map = static_cast<const arrow::MapArray&>(*made);
  for (int64_t row = 0; row < map.length(); ++row)
    SLUICE_RETURN_NOT_OK(CheckKeys(*map.keys(), map.value_offset(row), map.value_offset(row + 1)));
  return made;
}

// A map is a list of entries already.
Result<ArrayPtr> MapEntries(const KernelCall& call) {
  const auto& map = MapOf(call.args[0]);
  auto entries =
      arrow::ArrayData::Make(call.expression.type->field(0)->type(), map.keys()->length(),
                             {nullptr}, {map.keys()->data(), map.items()->data()});
  auto data = map.data()->Copy();
  data->type = call.expression.type;
  data->child_data = {entries};
  return arrow::MakeArray(std::move(data));
}

Result<ArrayPtr> MapFromEntries(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const auto& entries = static_cast<const arrow::StructArray&>(*list.values());
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const int64_t at = call.args[0].At(row);
    bool present = !call.args[0].IsNull(row);
    for (int64_t i = list.value_offset(at); present && i < list.value_offset(at + 1); ++i)
      present = entries.IsValid(i);
    for (int64_t i = list.value_offset(at); present && i < list.value_offset(at + 1); ++i)
      SLUICE_RETURN_NOT_OK(picker.Item(i));
    if (present)
      SLUICE_RETURN_NOT_OK(
          CheckKeys(*entries.field(0), list.value_offset(at), list.value_offset(at + 1)));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.FinishMap(call.expression.type, entries.field(0), entries.field(1));
}

// The parts of `text` between delimiters (one text, not a pattern), trailing empty ones included.
std::vector<Text> SplitBy(Text text, Text delimiter, size_t most) {
  std::vector<Text> parts;
  while (parts.size() + 1 < most) {
    const size_t at = text.find(delimiter);
    if (at == Text::npos) break;
    parts.push_back(text.substr(0, at));
    text.remove_prefix(at + delimiter.size());
  }
  parts.push_back(text);
  return parts;
}

Result<Kernel> StrToMap(const BoundExpression& expression) {
  const auto pair = ConstantText(expression, 1);
  const auto value = ConstantText(expression, 2);
  const bool plain = pair && value && !pair->empty() && !value->empty() &&
                     (*pair + *value).find_first_of("\\^$.|?*+()[]{}") == std::string::npos;
  if (!plain)
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: str_to_map with delimiters that are patterns");
  return Kernel([pair = *pair, value = *value](const KernelCall& call) -> Result<ArrayPtr> {
    const Reader<Text> texts(call.args[0]);
    arrow::StringBuilder keys;
    arrow::StringBuilder values;
    ListPicker picker;
    for (int64_t row = 0; row < call.rows; ++row) {
      const bool present = !texts.IsNull(row);
      if (present) {
        for (const Text entry : SplitBy(texts.Get(row), pair, SIZE_MAX)) {
          const auto sides = SplitBy(entry, value, 2);
          SLUICE_RETURN_NOT_OK(picker.Item(keys.length()));
          SLUICE_RETURN_NOT_OK(keys.Append(sides[0]));
          SLUICE_RETURN_NOT_OK(sides.size() == 2 ? values.Append(sides[1]) : values.AppendNull());
        }
      }
      SLUICE_RETURN_NOT_OK(picker.Row(present));
    }
    SLUICE_ASSIGN_OR_RETURN(auto key_array, keys.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto value_array, values.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto made,
                            picker.FinishMap(call.expression.type, key_array, value_array));
    const auto& map = static_cast<const arrow::MapArray&>(*made);
    for (int64_t row = 0; row < map.length(); ++row)
      SLUICE_RETURN_NOT_OK(
          CheckKeys(*map.keys(), map.value_offset(row), map.value_offset(row + 1)));
    return made;
  });
}

Result<BoundPtr> BindConcat(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  if (args.empty()) return binder.Unsupported(span, "map_concat() without maps");
  for (size_t i = 0; i < args.size(); ++i) {
    if (args[i]->type->id() != arrow::Type::MAP)
      return binder.WrongType(name, static_cast<int>(i) + 1, "MAP", args[i]);
  }
  SLUICE_RETURN_NOT_OK(binder.Unify(name, &args, 0, span));
  TypePtr type = args[0]->type;
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindEntries(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (args[0]->type->id() != arrow::Type::MAP) return binder.WrongType(name, 1, "MAP", args[0]);
  const auto& map = static_cast<const arrow::MapType&>(*args[0]->type);
  TypePtr type = SparkArray(arrow::struct_(
      {arrow::field("key", map.key_type(), false), arrow::field("value", map.item_type())}));
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindFromEntries(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  const bool is_list = args[0]->type->id() == arrow::Type::LIST;
  const TypePtr entry = is_list ? args[0]->type->field(0)->type() : nullptr;
  if (entry == nullptr || entry->id() != arrow::Type::STRUCT || entry->num_fields() != 2)
    return binder.WrongType(name, 1, "ARRAY of pair STRUCT", args[0]);
  TypePtr type = SparkMap(entry->field(0)->type(), entry->field(1)->type());
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> BindStrToMap(FunctionBinder& binder, const std::string& name, Args args,
                              Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 3, span));
  if (args.size() < 2) args.push_back(MakeLiteral(arrow::MakeScalar(",")));
  if (args.size() < 3) args.push_back(MakeLiteral(arrow::MakeScalar(":")));
  for (size_t i = 0; i < 3; ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
  }
  return MakeCall(name, std::move(args), SparkMap(arrow::utf8(), arrow::utf8()), true, span);
}

}  // namespace

void RegisterMapFunctions(FunctionRegistry* registry) {
  registry->Special("map_concat", BindConcat);
  registry->Compute("map_concat", Plain(MapConcat), true);
  registry->Special("map_entries", BindEntries);
  registry->Compute("map_entries", Plain(MapEntries));
  registry->Special("map_from_entries", BindFromEntries);
  registry->Compute("map_from_entries", Plain(MapFromEntries), true);
  registry->Special("str_to_map", BindStrToMap);
  registry->Compute("str_to_map", StrToMap, true);
}

}  // namespace sluice::sql
