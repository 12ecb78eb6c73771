// Arrays as sets: union, except, intersect, overlap, distinct of values of any type. NULL is an
// element like others; the first of equal ones stays.
#include <unordered_set>

#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Keys = std::unordered_set<std::string>;

// The keys of one row's elements.
Keys KeysOf(const arrow::ListArray& list, int64_t at) {
  Keys keys;
  for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
    std::string key;
    AppendKey(*list.values(), i, &key);
    keys.insert(std::move(key));
  }
  return keys;
}

// The elements of one row that `keep(key)` lets through.
template <typename Keep>
Status PickElements(const arrow::ListArray& list, int64_t at, int64_t begin, ListPicker* picker,
                    Keep keep) {
  std::string key;
  for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
    key.clear();
    AppendKey(*list.values(), i, &key);
    if (keep(key)) SLUICE_RETURN_NOT_OK(picker->Item(begin + i));
  }
  return Status::OK();
}

Result<ArrayPtr> SetOperation(const KernelCall& call) {
  const std::string& name = call.expression.name;
  const auto& left = ListOf(call.args[0]);
  const auto& right = ListOf(call.args[1]);
  SLUICE_ASSIGN_OR_RETURN(auto joined, Join({left.values(), right.values()}));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && !call.args[1].IsNull(row);
    if (present) {
      const int64_t l = call.args[0].At(row);
      const int64_t r = call.args[1].At(row);
      Keys seen;
      auto first = [&](const std::string& key) { return seen.insert(key).second; };
      if (name == "array_union") {
        SLUICE_RETURN_NOT_OK(PickElements(left, l, 0, &picker, first));
        SLUICE_RETURN_NOT_OK(PickElements(right, r, joined.begins[1], &picker, first));
      } else {
        const Keys other = KeysOf(right, r);
        const bool wanted = name == "array_intersect";
        SLUICE_RETURN_NOT_OK(PickElements(left, l, 0, &picker, [&](const std::string& key) {
          return other.contains(key) == wanted && first(key);
        }));
      }
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, joined.values);
}

Result<ArrayPtr> Distinct(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    Keys seen;
    if (present) {
      SLUICE_RETURN_NOT_OK(
          PickElements(list, call.args[0].At(row), 0, &picker,
                       [&](const std::string& key) { return seen.insert(key).second; }));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, list.values());
}

bool HasNull(const arrow::ListArray& list, int64_t at) {
  for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
    if (list.values()->IsNull(i)) return true;
  }
  return false;
}

// TRUE when an element that is not NULL is in both; else NULL when both have elements and one has a
// NULL.
Result<ArrayPtr> Overlap(const KernelCall& call) {
  const auto& left = ListOf(call.args[0]);
  const auto& right = ListOf(call.args[1]);
  arrow::BooleanBuilder builder;
  const std::string null_key(1, '\0');
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row) || call.args[1].IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    const int64_t l = call.args[0].At(row);
    const int64_t r = call.args[1].At(row);
    const Keys a = KeysOf(left, l);
    const Keys b = KeysOf(right, r);
    bool common = false;
    for (const std::string& key : a) common |= key != null_key && b.contains(key);
    const bool unknown = !a.empty() && !b.empty() && (HasNull(left, l) || HasNull(right, r));
    SLUICE_RETURN_NOT_OK(!common && unknown ? builder.AppendNull() : builder.Append(common));
  }
  return builder.Finish();
}

Result<BoundPtr> BindTwoArrays(FunctionBinder& binder, const std::string& name, Args args,
                               Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  for (size_t i = 0; i < 2; ++i) {
    if (args[i]->type->id() != arrow::Type::LIST && args[i]->type->id() != arrow::Type::NA)
      return binder.WrongType(name, static_cast<int>(i) + 1, "ARRAY", args[i]);
  }
  SLUICE_RETURN_NOT_OK(binder.Unify(name, &args, 0, span));
  if (args[0]->type->id() != arrow::Type::LIST) return binder.WrongType(name, 1, "ARRAY", args[0]);
  if (!IsOrderable(*args[0]->type)) return binder.Unsupported(span, name + " of maps");
  TypePtr type = name == "arrays_overlap" ? arrow::boolean() : args[0]->type;
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<BoundPtr> BindDistinct(FunctionBinder& binder, const std::string& name, Args args,
                              Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  if (args[0]->type->id() != arrow::Type::LIST) return binder.WrongType(name, 1, "ARRAY", args[0]);
  if (!IsOrderable(*args[0]->type)) return binder.Unsupported(span, name + " of maps");
  TypePtr type = args[0]->type;
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

}  // namespace

void RegisterArraySetFunctions(FunctionRegistry* registry) {
  for (const char* name : {"array_union", "array_except", "array_intersect"}) {
    registry->Special(name, BindTwoArrays);
    registry->Compute(name, Plain(SetOperation));
  }
  registry->Special("arrays_overlap", BindTwoArrays);
  registry->Compute("arrays_overlap", Plain(Overlap));
  registry->Special("array_distinct", BindDistinct);
  registry->Compute("array_distinct", Plain(Distinct));
}

}  // namespace sluice::sql
