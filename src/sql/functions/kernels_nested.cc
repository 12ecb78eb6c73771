// Structs, arrays and maps: making them, and looking into them.
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>

#include "sql/expressions/cast.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/list_builder.h"
#include "sql/expressions/physical_type.h"
#include "sql/expressions/type_coercion.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluation_internal.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;

Result<ArrayPtr> MakeStructArray(const KernelCall& call) {
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  for (const Value& arg : call.args) {
    SLUICE_ASSIGN_OR_RETURN(auto array, Expand(arg, call.rows));
    children.push_back(array->data());
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(call.expression.type, call.rows, {nullptr}, std::move(children)));
}

// The arguments of each row one after another: row r, argument i is at r * args + i.
Result<ArrayPtr> Interleave(const std::vector<Value>& args, size_t first, size_t step,
                            int64_t rows) {
  arrow::ArrayVector arrays;
  std::vector<int64_t> offsets;
  int64_t total = 0;
  for (size_t i = first; i < args.size(); i += step) {
    arrays.push_back(args[i].array);
    offsets.push_back(total);
    total += args[i].array->length();
  }
  SLUICE_ASSIGN_OR_RETURN(auto all, arrow::Concatenate(arrays));
  arrow::UInt32Builder indices;
  SLUICE_RETURN_NOT_OK(indices.Reserve(rows * static_cast<int64_t>(arrays.size())));
  for (int64_t row = 0; row < rows; ++row) {
    for (size_t i = first, k = 0; i < args.size(); i += step, ++k)
      indices.UnsafeAppend(static_cast<uint32_t>(offsets[k] + args[i].At(row)));
  }
  return TakeAt(all, &indices);
}

Result<std::shared_ptr<arrow::Buffer>> EvenOffsets(int64_t rows, int64_t width) {
  arrow::TypedBufferBuilder<int32_t> offsets;
  SLUICE_RETURN_NOT_OK(offsets.Reserve(rows + 1));
  for (int64_t row = 0; row <= rows; ++row) offsets.UnsafeAppend(static_cast<int32_t>(row * width));
  return offsets.Finish();
}

Result<ArrayPtr> MakeArrayOf(const KernelCall& call) {
  const auto width = static_cast<int64_t>(call.args.size());
  SLUICE_ASSIGN_OR_RETURN(auto offsets, EvenOffsets(call.rows, width));
  ArrayPtr items;
  if (width == 0) {
    items = std::make_shared<arrow::NullArray>(0);
  } else {
    SLUICE_ASSIGN_OR_RETURN(items, Interleave(call.args, 0, 1, call.rows));
  }
  return arrow::MakeArray(
      arrow::ArrayData::Make(call.expression.type, call.rows, {nullptr, offsets}, {items->data()}));
}

Result<ArrayPtr> MakeMapOf(const KernelCall& call) {
  const auto width = static_cast<int64_t>(call.args.size() / 2);
  SLUICE_ASSIGN_OR_RETURN(auto keys, Interleave(call.args, 0, 2, call.rows));
  SLUICE_ASSIGN_OR_RETURN(auto values, Interleave(call.args, 1, 2, call.rows));
  for (int64_t row = 0; row < call.rows; ++row)
    SLUICE_RETURN_NOT_OK(CheckKeys(*keys, row * width, (row + 1) * width));
  SLUICE_ASSIGN_OR_RETURN(auto offsets, EvenOffsets(call.rows, width));
  return MapFrom(call.expression.type, call.rows, nullptr, offsets, keys, values);
}

Result<ArrayPtr> MapFromArrays(const KernelCall& call) {
  const auto& keys = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const auto& values = static_cast<const arrow::ListArray&>(*call.args[1].array);
  arrow::UInt32Builder key_at;
  arrow::UInt32Builder value_at;
  arrow::TypedBufferBuilder<int32_t> offsets;
  arrow::TypedBufferBuilder<bool> valid;
  SLUICE_RETURN_NOT_OK(offsets.Append(0));
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && !call.args[1].IsNull(row);
    SLUICE_RETURN_NOT_OK(valid.Append(present));
    const int64_t k = call.args[0].At(row);
    const int64_t v = call.args[1].At(row);
    if (present) {
      if (keys.value_length(k) != values.value_length(v)) {
        return MakeError("INVALID_PARAMETER_VALUE",
                         "map_from_arrays: the arrays of keys and values have different lengths");
      }
      SLUICE_RETURN_NOT_OK(
          CheckKeys(*keys.values(), keys.value_offset(k), keys.value_offset(k + 1)));
      for (int32_t i = 0; i < keys.value_length(k); ++i) {
        SLUICE_RETURN_NOT_OK(key_at.Append(static_cast<uint32_t>(keys.value_offset(k) + i)));
        SLUICE_RETURN_NOT_OK(value_at.Append(static_cast<uint32_t>(values.value_offset(v) + i)));
      }
    }
    SLUICE_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(key_at.length())));
  }
  SLUICE_ASSIGN_OR_RETURN(auto key_array, TakeAt(keys.values(), &key_at));
  SLUICE_ASSIGN_OR_RETURN(auto value_array, TakeAt(values.values(), &value_at));
  SLUICE_ASSIGN_OR_RETURN(auto bits, valid.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto ends, offsets.Finish());
  return MapFrom(call.expression.type, call.rows, bits, ends, key_array, value_array);
}

// Calls `found(row, entry)` with the entry of the key, -1 when absent or NULL.
template <typename T, typename Found>
Status FindKeys(const KernelCall& call, Found found) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  const Value key_values{map.keys(), false};
  const Reader<T> keys(key_values);
  const Reader<T> wanted(call.args[1]);
  for (int64_t row = 0; row < call.rows; ++row) {
    int64_t entry = -1;
    if (!call.args[0].IsNull(row) && !wanted.IsNull(row)) {
      const int64_t at = call.args[0].At(row);
      const T key = wanted.Get(row);
      for (int64_t i = map.value_offset(at); i < map.value_offset(at + 1); ++i) {
        if (Compare(keys.Get(i), key) == 0) {
          entry = i;
          break;
        }
      }
    }
    SLUICE_RETURN_NOT_OK(found(row, entry));
  }
  return Status::OK();
}

Result<ArrayPtr> MapValue(const KernelCall& call) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  arrow::UInt32Builder indices;
  SLUICE_RETURN_NOT_OK(indices.Reserve(call.rows));
  Status status = MakeError("NOT_SUPPORTED_YET", "not supported yet: maps with nested keys");
  VisitPhysical(*map.map_type()->key_type(), [&]<typename T>(T) {
    status = FindKeys<T>(call, [&](int64_t, int64_t entry) {
      if (entry < 0) {
        indices.UnsafeAppendNull();
      } else {
        indices.UnsafeAppend(static_cast<uint32_t>(entry));
      }
      return Status::OK();
    });
  });
  SLUICE_RETURN_NOT_OK(status);
  return TakeAt(map.items(), &indices);
}

Result<ArrayPtr> MapContainsKey(const KernelCall& call) {
  arrow::BooleanBuilder builder;
  Status status = MakeError("NOT_SUPPORTED_YET", "not supported yet: maps with nested keys");
  VisitPhysical(*static_cast<const arrow::MapArray&>(*call.args[0].array).map_type()->key_type(),
                [&]<typename T>(T) {
                  status = FindKeys<T>(call, [&](int64_t row, int64_t entry) {
                    return call.args[0].IsNull(row) || call.args[1].IsNull(row)
                               ? builder.AppendNull()
                               : builder.Append(entry >= 0);
                  });
                });
  SLUICE_RETURN_NOT_OK(status);
  return builder.Finish();
}

// array[i] (from 0), element_at (from 1 or from the end), get (from 0, NULL outside).
Result<ArrayPtr> ArrayItem(const KernelCall& call) {
  const std::string& name = call.expression.name;
  const bool from_one = name == "element_at" || name == "try_element_at";
  const bool lenient = name == "get" || name == "try_element_at";
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Reader<int32_t> index(call.args[1]);
  arrow::UInt32Builder indices;
  SLUICE_RETURN_NOT_OK(indices.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row) || index.IsNull(row)) {
      indices.UnsafeAppendNull();
      continue;
    }
    const int64_t at = call.args[0].At(row);
    const int64_t length = list.value_length(at);
    int64_t position = index.Get(row);
    if (from_one && position == 0) {
      return MakeError("INVALID_INDEX_OF_ZERO",
                       "[INVALID_INDEX_OF_ZERO] the index 0 is invalid. An index shall be either < "
                       "0 or > 0. SQLSTATE: 22003");
    }
    if (from_one) position = position > 0 ? position - 1 : length + position;
    if (position >= 0 && position < length) {
      indices.UnsafeAppend(static_cast<uint32_t>(list.value_offset(at) + position));
    } else if (lenient) {
      indices.UnsafeAppendNull();
    } else {
      const std::string code =
          from_one ? "INVALID_ARRAY_INDEX_IN_ELEMENT_AT" : "INVALID_ARRAY_INDEX";
      return MakeError(
          code,
          fmt::format(
              "[{}] the index {} is out of bounds. The array has {} elements. SQLSTATE: 22003",
              code, index.Get(row), length),
          "use try_element_at or get to get NULL instead");
    }
  }
  return TakeAt(list.values(), &indices);
}

Result<ArrayPtr> Size(const KernelCall& call) {
  const auto& list =
      static_cast<const arrow::ListArray&>(*call.args[0].array);  // a map is a list of entries
  Writer<int32_t> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    SLUICE_RETURN_NOT_OK(call.args[0].IsNull(row)
                             ? writer.Null()
                             : writer.Set(list.value_length(call.args[0].At(row))));
  }
  return writer.Finish();
}

Result<ArrayPtr> MapPart(const KernelCall& call) {
  const auto& map = static_cast<const arrow::MapArray&>(*call.args[0].array);
  const ArrayPtr& part = call.expression.name == "map_keys" ? map.keys() : map.items();
  auto data = map.data()->Copy();
  data->type = call.expression.type;
  data->child_data = {part->data()};
  return arrow::MakeArray(std::move(data));
}

Result<ArrayPtr> ArrayJoin(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const auto& items = static_cast<const arrow::StringArray&>(*list.values());
  Writer<Text> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  std::optional<Reader<Text>> null_text;
  const Reader<Text> separator(call.args[1]);
  if (call.args.size() == 3) null_text.emplace(call.args[2]);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row) || separator.IsNull(row) ||
        (null_text && null_text->IsNull(row))) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    std::string joined;
    bool first = true;
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
      if (items.IsNull(i) && !null_text) continue;
      if (!first) joined += separator.Get(row);
      joined += items.IsNull(i) ? null_text->Get(row) : items.GetView(i);
      first = false;
    }
    SLUICE_RETURN_NOT_OK(writer.Set(joined));
  }
  return writer.Finish();
}

// Lists whose rows are chosen items of the argument's: `choose(at, &items)` gives their positions.
template <typename Choose>
Result<ArrayPtr> Rearrange(const KernelCall& call, Choose choose) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  arrow::UInt32Builder indices;
  arrow::TypedBufferBuilder<int32_t> offsets;
  arrow::TypedBufferBuilder<bool> valid;
  SLUICE_RETURN_NOT_OK(offsets.Append(0));
  std::vector<uint32_t> items;
  for (int64_t row = 0; row < call.rows; ++row) {
    bool present = true;
    for (const Value& arg : call.args) present &= !arg.IsNull(row);
    SLUICE_RETURN_NOT_OK(valid.Append(present));
    items.clear();
    if (present) SLUICE_RETURN_NOT_OK(choose(row, call.args[0].At(row), &items));
    SLUICE_RETURN_NOT_OK(indices.AppendValues(items));
    SLUICE_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(indices.length())));
  }
  SLUICE_ASSIGN_OR_RETURN(auto values, TakeAt(list.values(), &indices));
  SLUICE_ASSIGN_OR_RETURN(auto bits, valid.Finish());
  SLUICE_ASSIGN_OR_RETURN(auto ends, offsets.Finish());
  return arrow::MakeArray(
      arrow::ArrayData::Make(call.expression.type, call.rows, {bits, ends}, {values->data()}));
}

Result<ArrayPtr> ReverseArray(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  return Rearrange(call, [&](int64_t, int64_t at, std::vector<uint32_t>* items) {
    for (int64_t i = list.value_offset(at + 1); i > list.value_offset(at); --i)
      items->push_back(static_cast<uint32_t>(i - 1));
    return Status::OK();
  });
}

Result<ArrayPtr> Slice(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Reader<int32_t> starts(call.args[1]);
  const Reader<int32_t> lengths(call.args[2]);
  return Rearrange(call, [&](int64_t row, int64_t at, std::vector<uint32_t>* items) {
    const int64_t size = list.value_length(at);
    const int64_t start = starts.Get(row);
    const int64_t length = lengths.Get(row);
    if (start == 0)
      return MakeError("INVALID_PARAMETER_VALUE.START",
                       "the start of slice must not be 0: positions count from 1");
    if (length < 0)
      return MakeError("INVALID_PARAMETER_VALUE.LENGTH",
                       "the length of slice must not be negative");
    const int64_t first = start > 0 ? start - 1 : size + start;
    for (int64_t i = first; first >= 0 && i < std::min(size, first + length); ++i)
      items->push_back(static_cast<uint32_t>(list.value_offset(at) + i));
    return Status::OK();
  });
}

template <typename T>
Result<ArrayPtr> SortOrDistinct(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Value values{list.values(), false};
  const Reader<T> reader(values);
  const bool distinct = call.expression.name == "array_distinct";
  auto order = [&](uint32_t a, uint32_t b) {  // NULL before all
    const bool a_null = reader.IsNull(a);
    const bool b_null = reader.IsNull(b);
    return a_null || b_null ? (a_null == b_null ? 0
                               : a_null         ? -1
                                                : 1)
                            : Compare(reader.Get(a), reader.Get(b));
  };
  return Rearrange(call, [&](int64_t row, int64_t at, std::vector<uint32_t>* items) {
    for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
      const auto item = static_cast<uint32_t>(i);
      const bool known = distinct && std::any_of(items->begin(), items->end(), [&](uint32_t other) {
                           return order(item, other) == 0;
                         });
      if (!known) items->push_back(item);
    }
    if (distinct) return Status::OK();
    const bool ascending = call.args.size() < 2 || Reader<bool>(call.args[1]).Get(row);
    std::stable_sort(items->begin(), items->end(), [&](uint32_t a, uint32_t b) {
      return ascending ? order(a, b) < 0 : order(b, a) < 0;
    });
    return Status::OK();
  });
}

template <typename T>
Result<ArrayPtr> Extreme(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Value values{list.values(), false};
  const Reader<T> reader(values);
  const int wanted = call.expression.name == "array_max" ? 1 : -1;
  arrow::UInt32Builder indices;
  for (int64_t row = 0; row < call.rows; ++row) {
    int64_t best = -1;
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at);
         !call.args[0].IsNull(row) && i < list.value_offset(at + 1); ++i) {
      if (!reader.IsNull(i) && (best < 0 || Compare(reader.Get(i), reader.Get(best)) == wanted))
        best = i;
    }
    SLUICE_RETURN_NOT_OK(best < 0 ? indices.AppendNull()
                                  : indices.Append(static_cast<uint32_t>(best)));
  }
  return TakeAt(list.values(), &indices);
}

// array_contains: TRUE, else NULL if the array has a NULL, else FALSE. array_position: from 1, 0
// when absent.
template <typename T>
Result<ArrayPtr> Find(const KernelCall& call) {
  const auto& list = static_cast<const arrow::ListArray&>(*call.args[0].array);
  const Value values{list.values(), false};
  const Reader<T> reader(values);
  const Reader<T> wanted(call.args[1]);
  const bool contains = call.expression.name == "array_contains";
  arrow::BooleanBuilder found;
  arrow::Int64Builder position;
  for (int64_t row = 0; row < call.rows; ++row) {
    int64_t where = 0;
    bool has_null = false;
    const bool present = !call.args[0].IsNull(row) && !wanted.IsNull(row);
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at); present && where == 0 && i < list.value_offset(at + 1);
         ++i) {
      if (reader.IsNull(i)) {
        has_null = true;
      } else if (Compare(reader.Get(i), wanted.Get(row)) == 0) {
        where = i - list.value_offset(at) + 1;
      }
    }
    if (!contains) {
      SLUICE_RETURN_NOT_OK(present ? position.Append(where) : position.AppendNull());
    } else {
      SLUICE_RETURN_NOT_OK(!present || (where == 0 && has_null) ? found.AppendNull()
                                                                : found.Append(where > 0));
    }
  }
  return contains ? found.Finish() : position.Finish();
}

template <typename Run>
KernelFactory ByElement(Run run) {
  return [run](const BoundExpression& expression) -> Result<Kernel> {
    const arrow::DataType& element = *expression.args[0]->type->field(0)->type();
    if (!VisitPhysical(element, [](auto) {}))
      return MakeError("NOT_SUPPORTED_YET",
                       fmt::format("not supported yet: {} of nested values", expression.name));
    return Kernel([run](const KernelCall& call) -> Result<ArrayPtr> {
      Result<ArrayPtr> result = ArrayPtr();
      VisitPhysical(*call.args[0].array->type()->field(0)->type(),
                    [&]<typename T>(T) { result = run(call, T{}); });
      return result;
    });
  };
}

Result<ArrayPtr> SortKeyOf(const KernelCall& call) {
  const Value& value = call.args[0];
  if (!IsOrderable(*value.array->type()))
    return MakeError("DATATYPE_MISMATCH.INVALID_ORDERING_TYPE",
                     "values of this type have no order: " + value.array->type()->ToString());
  arrow::BinaryBuilder keys;
  std::string key;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (value.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(keys.AppendNull());
      continue;
    }
    key.clear();
    AppendSortKey(*value.array, value.At(row), &key);
    SLUICE_RETURN_NOT_OK(keys.Append(key));
  }
  return keys.Finish();
}

}  // namespace

void RegisterNestedKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["struct"] = Plain(MakeStructArray);
  map["array"] = Plain(MakeArrayOf);
  map["map"] = Plain(MakeMapOf);
  map["map_from_arrays"] = Plain(MapFromArrays);
  map["map_value"] = Plain(MapValue);
  map["map_contains_key"] = Plain(MapContainsKey);
  for (const char* name : {"array_item", "element_at", "try_element_at", "get"})
    map[name] = Plain(ArrayItem);
  map["size"] = Plain(Size);
  map["sort_key"] = Plain(SortKeyOf);
  map["map_keys"] = Plain(MapPart);
  map["map_values"] = Plain(MapPart);
  map["array_join"] = Plain(ArrayJoin);
  map["slice"] = Plain(Slice);
  map["reverse"] = [](const BoundExpression& call) -> Result<Kernel> {
    return call.type->id() == arrow::Type::LIST ? Kernel(ReverseArray) : Kernel(ReverseText);
  };
  map["array_distinct"] =
      ByElement([]<typename T>(const KernelCall& call, T) { return SortOrDistinct<T>(call); });
  map["sort_array"] = map["array_distinct"];
  map["array_max"] =
      ByElement([]<typename T>(const KernelCall& call, T) { return Extreme<T>(call); });
  map["array_min"] = map["array_max"];
  map["array_contains"] =
      ByElement([]<typename T>(const KernelCall& call, T) { return Find<T>(call); });
  map["array_position"] = map["array_contains"];
}

}  // namespace sluice::sql
