// Arrays taken apart and put together: items are never copied one by one but picked by position.
#include <arrow/compute/api.h>

#include <algorithm>

#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;

bool IsArray(const BoundPtr& arg) { return arg->type->id() == arrow::Type::LIST; }
TypePtr ElementType(const BoundPtr& array) { return array->type->field(0)->type(); }

bool AnyNull(const KernelCall& call, int64_t row) {
  return std::any_of(call.args.begin(), call.args.end(),
                     [&](const Value& arg) { return arg.IsNull(row); });
}

Result<ArrayPtr> ConcatArrays(const KernelCall& call) {
  arrow::ArrayVector values;
  for (const Value& arg : call.args) values.push_back(ListOf(arg).values());
  SLUICE_ASSIGN_OR_RETURN(auto joined, Join(values));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !AnyNull(call, row);
    for (size_t a = 0; present && a < call.args.size(); ++a) {
      const auto& list = ListOf(call.args[a]);
      const int64_t at = call.args[a].At(row);
      for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i)
        SLUICE_RETURN_NOT_OK(picker.Item(joined.begins[a] + i));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, joined.values);
}

Result<ArrayPtr> Flatten(const KernelCall& call) {
  const auto& outer = ListOf(call.args[0]);
  const auto& inner = static_cast<const arrow::ListArray&>(*outer.values());
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const int64_t at = call.args[0].At(row);
    bool present = !call.args[0].IsNull(row);
    for (int64_t i = outer.value_offset(at); present && i < outer.value_offset(at + 1); ++i)
      present = inner.IsValid(i);
    for (int64_t i = outer.value_offset(at); present && i < outer.value_offset(at + 1); ++i) {
      for (int64_t k = inner.value_offset(i); k < inner.value_offset(i + 1); ++k)
        SLUICE_RETURN_NOT_OK(picker.Item(k));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, inner.values());
}

// array_append, array_prepend: the item may be NULL, the array not.
Result<ArrayPtr> AddItem(const KernelCall& call) {
  const bool append = call.expression.name == "array_append";
  const auto& list = ListOf(call.args[0]);
  SLUICE_ASSIGN_OR_RETURN(auto joined, Join({list.values(), call.args[1].array}));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    const int64_t at = call.args[0].At(row);
    const int64_t item = joined.begins[1] + call.args[1].At(row);
    if (present && !append) SLUICE_RETURN_NOT_OK(picker.Item(item));
    for (int64_t i = list.value_offset(at); present && i < list.value_offset(at + 1); ++i)
      SLUICE_RETURN_NOT_OK(picker.Item(i));
    if (present && append) SLUICE_RETURN_NOT_OK(picker.Item(item));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, joined.values);
}

constexpr int64_t kMaxArrayLength = 2147483632;  // as Spark

Status TooLong(const char* function, int64_t length) {
  return MakeError("COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER",
                   std::string("[COLLECTION_SIZE_LIMIT_EXCEEDED.PARAMETER] cannot create an array "
                               "of ") +
                       std::to_string(length) + " elements in `" + function + "`. SQLSTATE: 54000");
}

// The new item stands at `position` (from 1; from the end when negative); gaps are NULL.
Status InsertInto(int64_t first, int64_t size, int64_t position, int64_t item, ListPicker* picker) {
  auto old = [&](int64_t from, int64_t to) -> Status {
    for (int64_t i = from; i < to; ++i) SLUICE_RETURN_NOT_OK(picker->Item(first + i));
    return Status::OK();
  };
  auto gap = [&](int64_t count) -> Status {
    if (count > kMaxArrayLength - size) return TooLong("array_insert", count);
    for (int64_t i = 0; i < count; ++i) SLUICE_RETURN_NOT_OK(picker->NullItem());
    return Status::OK();
  };
  if (position < 0 && -position > size) {
    SLUICE_RETURN_NOT_OK(picker->Item(item));
    SLUICE_RETURN_NOT_OK(gap(-position - size - 1));
    return old(0, size);
  }
  const int64_t at = position < 0 ? position + size + 1 : position - 1;
  SLUICE_RETURN_NOT_OK(old(0, std::min(at, size)));
  SLUICE_RETURN_NOT_OK(gap(std::max<int64_t>(at - size, 0)));
  SLUICE_RETURN_NOT_OK(picker->Item(item));
  return old(std::min(at, size), size);
}

Result<ArrayPtr> ArrayInsert(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const Reader<int32_t> positions(call.args[1]);
  SLUICE_ASSIGN_OR_RETURN(auto joined, Join({list.values(), call.args[2].array}));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && !positions.IsNull(row);
    if (present) {
      if (positions.Get(row) == 0) {
        return MakeError("INVALID_INDEX_OF_ZERO",
                         "[INVALID_INDEX_OF_ZERO] the index 0 is invalid. An index shall be either "
                         "< 0 or > 0. SQLSTATE: 22003");
      }
      const int64_t at = call.args[0].At(row);
      SLUICE_RETURN_NOT_OK(InsertInto(list.value_offset(at), list.value_length(at),
                                      positions.Get(row), joined.begins[1] + call.args[2].At(row),
                                      &picker));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, joined.values);
}

Result<ArrayPtr> ArrayRepeat(const KernelCall& call) {
  const Reader<int32_t> counts(call.args[1]);
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !counts.IsNull(row);
    const int64_t count = present ? counts.Get(row) : 0;
    if (count > kMaxArrayLength) return TooLong("array_repeat", count);
    for (int64_t i = 0; i < count; ++i) SLUICE_RETURN_NOT_OK(picker.Item(call.args[0].At(row)));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, call.args[0].array);
}

// array_remove (equal to the second argument) and array_compact (NULL).
Result<ArrayPtr> WithoutItems(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const arrow::Array& values = *list.values();
  const bool compact = call.args.size() == 1;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !AnyNull(call, row);
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at); present && i < list.value_offset(at + 1); ++i) {
      const bool gone = values.IsNull(i) ? compact
                                         : !compact && CompareValues(values, i, *call.args[1].array,
                                                                     call.args[1].At(row)) == 0;
      if (!gone) SLUICE_RETURN_NOT_OK(picker.Item(i));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, list.values());
}

// Structs of the i-th items of all arrays; a shorter one gives NULLs.
Result<ArrayPtr> ArraysZip(const KernelCall& call) {
  std::vector<arrow::UInt32Builder> items(call.args.size());
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !AnyNull(call, row);
    int64_t size = 0;
    for (size_t a = 0; present && a < call.args.size(); ++a)
      size = std::max<int64_t>(size, ListOf(call.args[a]).value_length(call.args[a].At(row)));
    for (size_t a = 0; a < call.args.size(); ++a) {
      const auto& list = ListOf(call.args[a]);
      const int64_t at = call.args[a].At(row);
      for (int64_t i = 0; i < size; ++i) {
        SLUICE_RETURN_NOT_OK(i < list.value_length(at)
                                 ? items[a].Append(static_cast<uint32_t>(list.value_offset(at) + i))
                                 : items[a].AppendNull());
      }
    }
    picker.Grow(size);
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  std::vector<std::shared_ptr<arrow::ArrayData>> children;
  const int64_t total = picker.size();
  for (size_t a = 0; a < call.args.size(); ++a) {
    SLUICE_ASSIGN_OR_RETURN(auto column, TakeAt(ListOf(call.args[a]).values(), &items[a]));
    children.push_back(column->data());
  }
  auto structs = arrow::MakeArray(arrow::ArrayData::Make(call.expression.type->field(0)->type(),
                                                         total, {nullptr}, std::move(children)));
  return picker.FinishWith(call.expression.type, structs);
}

// The array and an item brought to one type.
Status WithItem(FunctionBinder* binder, const std::string& name, Args* args, size_t item) {
  if (!IsArray((*args)[0])) return binder->WrongType(name, 1, "ARRAY", (*args)[0]);
  TypePtr common = CommonType(ElementType((*args)[0]), (*args)[item]->type);
  if (common == nullptr) {
    return binder->Error(
        (*args)[item]->span, "DATATYPE_MISMATCH.ARRAY_FUNCTION_DIFF_TYPES",
        "cannot resolve \"" + name + "\": the array and the element must have the same type");
  }
  (*args)[0] = MakeCast((*args)[0], SparkArray(common));
  (*args)[item] = MakeCast((*args)[item], common);
  return Status::OK();
}

Result<BoundPtr> BindAddItem(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  SLUICE_RETURN_NOT_OK(WithItem(&binder, name, &args, 1));
  TypePtr type = args[0]->type;
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindRemove(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  SLUICE_RETURN_NOT_OK(WithItem(&binder, name, &args, 1));
  if (!IsOrderable(*args[0]->type)) return binder.WrongType(name, 1, "ARRAY", args[0]);
  TypePtr type = args[0]->type;
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> BindInsert(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 3, 3, span));
  SLUICE_RETURN_NOT_OK(WithItem(&binder, name, &args, 2));
  SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int32(), name, 2));
  TypePtr type = args[0]->type;
  const bool nullable = args[0]->nullable || args[1]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindRepeat(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int32(), name, 2));
  TypePtr type = SparkArray(args[0]->type);
  const bool nullable = args[1]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindFlatten(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (!IsArray(args[0]) || ElementType(args[0])->id() != arrow::Type::LIST)
    return binder.WrongType(name, 1, "ARRAY OF ARRAY", args[0]);
  TypePtr type = ElementType(args[0]);
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> BindCompact(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (!IsArray(args[0])) return binder.WrongType(name, 1, "ARRAY", args[0]);
  TypePtr type = args[0]->type;
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

Result<BoundPtr> BindZip(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < args.size(); ++i) {
    if (!IsArray(args[i])) return binder.WrongType(name, static_cast<int>(i) + 1, "ARRAY", args[i]);
    const bool named = args[i]->IsColumn() || args[i]->kind == BoundKind::kField;
    fields.push_back(arrow::field(named ? args[i]->name : std::to_string(i), ElementType(args[i])));
  }
  if (args.empty()) return binder.Unsupported(span, "arrays_zip() without arrays");
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), SparkArray(arrow::struct_(fields)), nullable, span);
}

// element_at and its like return NULL of a NULL index; array_size is size of arrays only.
Result<BoundPtr> BindArraySize(FunctionBinder& binder, const std::string& name, Args args,
                               Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (!IsArray(args[0])) return binder.WrongType(name, 1, "ARRAY", args[0]);
  const bool nullable = args[0]->nullable;
  return MakeCall("size", std::move(args), arrow::int32(), nullable, span);
}

}  // namespace

void RegisterArrayFunctions(FunctionRegistry* registry) {
  registry->Compute("concat_arrays", Plain(ConcatArrays));
  registry->Special("flatten", BindFlatten);
  registry->Compute("flatten", Plain(Flatten));
  for (const char* name : {"array_append", "array_prepend"}) {
    registry->Special(name, BindAddItem);
    registry->Compute(name, Plain(AddItem));
  }
  registry->Special("array_insert", BindInsert);
  registry->Compute("array_insert", Plain(ArrayInsert), true);
  registry->Special("array_repeat", BindRepeat);
  registry->Compute("array_repeat", Plain(ArrayRepeat), true);
  registry->Special("array_remove", BindRemove);
  registry->Compute("array_remove", Plain(WithoutItems));
  registry->Special("array_compact", BindCompact);
  registry->Compute("array_compact", Plain(WithoutItems));
  registry->Special("arrays_zip", BindZip);
  registry->Compute("arrays_zip", Plain(ArraysZip));
  registry->Special("array_size", BindArraySize);
}

}  // namespace sluice::sql
