// Functions that take lambdas: the elements of all rows are one batch, on which the body is
// evaluated at once; aggregate and array_sort go step by step over all rows together.
#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>

#include <algorithm>
#include <numeric>

#include "sql/expressions/list_builder.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/functions/evaluator.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Rows = std::vector<uint32_t>;

Result<ArrayPtr> Pick(const ArrayPtr& array, const Rows& rows) {
  arrow::UInt32Builder indices;
  SLUICE_RETURN_NOT_OK(indices.AppendValues(rows));
  return TakeAt(array, &indices);
}

// The body of one lambda, ready to run.
class Body {
 public:
  static Result<std::shared_ptr<Body>> Make(const BoundExpression& call, size_t index) {
    const BoundLambda& lambda = call.lambdas[index];
    auto made = std::make_shared<Body>();
    arrow::FieldVector fields;
    for (const auto& type : lambda.parameters)
      fields.push_back(arrow::field("p" + std::to_string(fields.size()), type));
    made->parameters_ = fields.size();
    made->first_captured_ = call.args.size() - static_cast<size_t>(lambda.captured);
    for (size_t i = made->first_captured_; i < call.args.size(); ++i)
      fields.push_back(arrow::field("c" + std::to_string(i), call.args[i]->type));
    made->schema_ = arrow::schema(std::move(fields));
    SLUICE_ASSIGN_OR_RETURN(made->evaluator_, Evaluator::Make(made->schema_, {lambda.body}));
    return made;
  }

  size_t parameters() const { return parameters_; }

  /// The body on `parents.size()` elements: `parameters` are theirs, what is captured comes from
  /// their rows.
  Result<ArrayPtr> Run(const KernelCall& call, const Rows& parents, arrow::ArrayVector parameters) {
    parameters.resize(parameters_);
    const auto count = static_cast<int64_t>(parents.size());
    for (size_t i = first_captured_; i < call.args.size(); ++i) {
      ArrayPtr column;
      if (call.args[i].constant) {
        SLUICE_ASSIGN_OR_RETURN(column, Expand(call.args[i], count));
      } else {
        SLUICE_ASSIGN_OR_RETURN(column, Pick(call.args[i].array, parents));
      }
      parameters.push_back(column->length() == count ? column : column->Slice(0, count));
    }
    const auto batch = arrow::RecordBatch::Make(schema_, count, std::move(parameters));
    SLUICE_ASSIGN_OR_RETURN(auto results, evaluator_->Evaluate(*batch, call.clock));
    return results[0];
  }

 private:
  std::unique_ptr<Evaluator> evaluator_;
  std::shared_ptr<arrow::Schema> schema_;
  size_t parameters_ = 0;
  size_t first_captured_ = 0;
};

// The elements of a column of lists (or maps) as flat rows.
struct Elements {
  Rows parents;
  Rows items;  // positions in the list's values
  Rows index;  // within the row
};

Elements Flatten(const KernelCall& call, const Value& lists) {
  const auto& list = ListOf(lists);
  Elements out;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (lists.IsNull(row)) continue;
    const int64_t at = lists.At(row);
    for (int64_t i = 0; i < list.value_length(at); ++i) {
      out.parents.push_back(static_cast<uint32_t>(row));
      out.items.push_back(static_cast<uint32_t>(list.value_offset(at) + i));
      out.index.push_back(static_cast<uint32_t>(i));
    }
  }
  return out;
}

Result<ArrayPtr> IndexColumn(const Rows& index) {
  arrow::Int32Builder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(index.size())));
  for (const uint32_t i : index) builder.UnsafeAppend(static_cast<int32_t>(i));
  return builder.Finish();
}

// Evaluates the body on all elements of args[0]: (element[, index]) or (key, value).
Result<ArrayPtr> RunOnAll(const KernelCall& call, Body* body, const Elements& elements) {
  arrow::ArrayVector parameters;
  if (call.args[0].array->type_id() == arrow::Type::MAP) {
    SLUICE_ASSIGN_OR_RETURN(auto keys, Pick(MapOf(call.args[0]).keys(), elements.items));
    SLUICE_ASSIGN_OR_RETURN(auto values, Pick(MapOf(call.args[0]).items(), elements.items));
    parameters = {keys, values};
  } else {
    SLUICE_ASSIGN_OR_RETURN(auto items, Pick(ListOf(call.args[0]).values(), elements.items));
    parameters = {items};
    if (body->parameters() == 2) {
      SLUICE_ASSIGN_OR_RETURN(auto index, IndexColumn(elements.index));
      parameters.push_back(index);
    }
  }
  return body->Run(call, elements.parents, std::move(parameters));
}

// Rows of the argument with `counts[row]` items each, in a picker without items.
Status ShapeLike(const KernelCall& call, ListPicker* picker) {
  const auto& list = ListOf(call.args[0]);
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    if (present) picker->Grow(list.value_length(call.args[0].At(row)));
    SLUICE_RETURN_NOT_OK(picker->Row(present));
  }
  return Status::OK();
}

Result<ArrayPtr> Transform(const KernelCall& call, Body* body) {
  SLUICE_ASSIGN_OR_RETURN(auto results, RunOnAll(call, body, Flatten(call, call.args[0])));
  ListPicker picker;
  SLUICE_RETURN_NOT_OK(ShapeLike(call, &picker));
  return picker.FinishWith(call.expression.type, results);
}

// transform_keys, transform_values.
Result<ArrayPtr> TransformMap(const KernelCall& call, Body* body) {
  const Elements elements = Flatten(call, call.args[0]);
  SLUICE_ASSIGN_OR_RETURN(auto results, RunOnAll(call, body, elements));
  const bool to_keys = call.expression.name == "transform_keys";
  const auto& map = MapOf(call.args[0]);
  SLUICE_ASSIGN_OR_RETURN(auto kept, Pick(to_keys ? map.items() : map.keys(), elements.items));
  ListPicker picker;
  int64_t next = 0;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    const int64_t first = next;
    if (present) {
      for (int64_t i = 0; i < map.value_length(call.args[0].At(row)); ++i)
        SLUICE_RETURN_NOT_OK(picker.Item(next++));
    }
    if (to_keys) SLUICE_RETURN_NOT_OK(CheckKeys(*results, first, next));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.FinishMap(call.expression.type, to_keys ? results : kept, to_keys ? kept : results);
}

// filter, map_filter: the elements where the body is TRUE.
Result<ArrayPtr> Filter(const KernelCall& call, Body* body) {
  const Elements elements = Flatten(call, call.args[0]);
  SLUICE_ASSIGN_OR_RETURN(auto results, RunOnAll(call, body, elements));
  const auto& keep = static_cast<const arrow::BooleanArray&>(*results);
  const auto& list = ListOf(call.args[0]);
  ListPicker picker;
  int64_t next = 0;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    const int64_t size = present ? list.value_length(call.args[0].At(row)) : 0;
    for (int64_t i = 0; i < size; ++i, ++next) {
      if (keep.IsValid(next) && keep.Value(next))
        SLUICE_RETURN_NOT_OK(picker.Item(elements.items[static_cast<size_t>(next)]));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  if (call.expression.type->id() == arrow::Type::MAP) {
    const auto& map = MapOf(call.args[0]);
    return picker.FinishMap(call.expression.type, map.keys(), map.items());
  }
  return picker.Finish(call.expression.type, list.values());
}

// exists: TRUE if any, else NULL if any is NULL; forall: FALSE if any, else NULL if any is NULL.
Result<ArrayPtr> Quantify(const KernelCall& call, Body* body) {
  SLUICE_ASSIGN_OR_RETURN(auto results, RunOnAll(call, body, Flatten(call, call.args[0])));
  const auto& holds = static_cast<const arrow::BooleanArray&>(*results);
  const bool deciding = call.expression.name == "exists";
  const auto& list = ListOf(call.args[0]);
  arrow::BooleanBuilder builder;
  int64_t next = 0;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    bool decided = false;
    bool unknown = false;
    const int64_t size = list.value_length(call.args[0].At(row));
    for (int64_t i = 0; i < size; ++i, ++next) {
      unknown |= holds.IsNull(next);
      decided |= holds.IsValid(next) && holds.Value(next) == deciding;
    }
    SLUICE_RETURN_NOT_OK(decided   ? builder.Append(deciding)
                         : unknown ? builder.AppendNull()
                                   : builder.Append(!deciding));
  }
  return builder.Finish();
}

// The k-th elements of all rows that have one are merged into their accumulators at once.
Result<ArrayPtr> Aggregate(const KernelCall& call, Body* merge, Body* finish) {
  const Value& lists = call.args[0];
  const auto& list = ListOf(lists);
  SLUICE_ASSIGN_OR_RETURN(auto accumulators, Expand(call.args[1], call.rows));
  if (accumulators->length() > call.rows) accumulators = accumulators->Slice(0, call.rows);
  Rows active;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (!lists.IsNull(row) && list.value_length(lists.At(row)) > 0)
      active.push_back(static_cast<uint32_t>(row));
  }
  for (int64_t step = 0; !active.empty(); ++step) {
    Rows items;
    for (const uint32_t row : active)
      items.push_back(static_cast<uint32_t>(list.value_offset(lists.At(row)) + step));
    SLUICE_ASSIGN_OR_RETURN(auto elements, Pick(list.values(), items));
    SLUICE_ASSIGN_OR_RETURN(auto current, Pick(accumulators, active));
    SLUICE_ASSIGN_OR_RETURN(auto merged, merge->Run(call, active, {current, elements}));
    SLUICE_ASSIGN_OR_RETURN(auto both, arrow::Concatenate({accumulators, merged}));
    Rows where(static_cast<size_t>(call.rows));
    std::iota(where.begin(), where.end(), 0u);
    for (size_t i = 0; i < active.size(); ++i)
      where[active[i]] = static_cast<uint32_t>(static_cast<size_t>(call.rows) + i);
    SLUICE_ASSIGN_OR_RETURN(accumulators, Pick(both, where));
    std::erase_if(active,
                  [&](uint32_t row) { return list.value_length(lists.At(row)) <= step + 1; });
  }
  if (finish != nullptr) {
    Rows all(static_cast<size_t>(call.rows));
    std::iota(all.begin(), all.end(), 0u);
    SLUICE_ASSIGN_OR_RETURN(accumulators, finish->Run(call, all, {accumulators}));
  }
  arrow::UInt32Builder present;
  for (int64_t row = 0; row < call.rows; ++row) {
    SLUICE_RETURN_NOT_OK(lists.IsNull(row) ? present.AppendNull()
                                           : present.Append(static_cast<uint32_t>(row)));
  }
  return TakeAt(accumulators, &present);
}

// Elements of two columns of lists side by side; the shorter one is filled with NULLs.
Result<ArrayPtr> ZipWith(const KernelCall& call, Body* body) {
  Rows parents;
  arrow::UInt32Builder sides[2];
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && !call.args[1].IsNull(row);
    if (!present) {
      SLUICE_RETURN_NOT_OK(picker.Row(false));
      continue;
    }
    int64_t size = 0;
    for (size_t side = 0; side < 2; ++side) {
      const auto& list = ListOf(call.args[side]);
      size = std::max<int64_t>(size, list.value_length(call.args[side].At(row)));
    }
    for (int64_t i = 0; i < size; ++i) {
      parents.push_back(static_cast<uint32_t>(row));
      for (size_t side = 0; side < 2; ++side) {
        const auto& list = ListOf(call.args[side]);
        const int64_t at = call.args[side].At(row);
        SLUICE_RETURN_NOT_OK(i < list.value_length(at) ? sides[side].Append(static_cast<uint32_t>(
                                                             list.value_offset(at) + i))
                                                       : sides[side].AppendNull());
      }
    }
    picker.Grow(size);
    SLUICE_RETURN_NOT_OK(picker.Row());
  }
  SLUICE_ASSIGN_OR_RETURN(auto left, TakeAt(ListOf(call.args[0]).values(), &sides[0]));
  SLUICE_ASSIGN_OR_RETURN(auto right, TakeAt(ListOf(call.args[1]).values(), &sides[1]));
  SLUICE_ASSIGN_OR_RETURN(auto results, body->Run(call, parents, {left, right}));
  return picker.FinishWith(call.expression.type, results);
}

// The keys of both maps, the first's before the second's; the body gets (key, value1, value2).
Result<ArrayPtr> MapZipWith(const KernelCall& call, Body* body) {
  const auto& left = MapOf(call.args[0]);
  const auto& right = MapOf(call.args[1]);
  SLUICE_ASSIGN_OR_RETURN(auto keys, Join({left.keys(), right.keys()}));
  Rows parents;
  Rows key_at;
  arrow::UInt32Builder first;
  arrow::UInt32Builder second;
  ListPicker picker;
  std::string key;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && !call.args[1].IsNull(row);
    if (present) {
      std::map<std::string, int64_t> of_right;
      const int64_t l = call.args[0].At(row);
      const int64_t r = call.args[1].At(row);
      for (int64_t i = right.value_offset(r); i < right.value_offset(r + 1); ++i) {
        key.clear();
        AppendKey(*right.keys(), i, &key);
        of_right[key] = i;
      }
      for (int64_t i = left.value_offset(l); i < left.value_offset(l + 1); ++i) {
        key.clear();
        AppendKey(*left.keys(), i, &key);
        const auto found = of_right.find(key);
        parents.push_back(static_cast<uint32_t>(row));
        key_at.push_back(static_cast<uint32_t>(i));
        SLUICE_RETURN_NOT_OK(first.Append(static_cast<uint32_t>(i)));
        SLUICE_RETURN_NOT_OK(found == of_right.end()
                                 ? second.AppendNull()
                                 : second.Append(static_cast<uint32_t>(found->second)));
        if (found != of_right.end()) found->second = -1;
      }
      for (int64_t i = right.value_offset(r); i < right.value_offset(r + 1); ++i) {
        key.clear();
        AppendKey(*right.keys(), i, &key);
        if (of_right[key] < 0) continue;
        parents.push_back(static_cast<uint32_t>(row));
        key_at.push_back(static_cast<uint32_t>(keys.begins[1] + i));
        SLUICE_RETURN_NOT_OK(first.AppendNull());
        SLUICE_RETURN_NOT_OK(second.Append(static_cast<uint32_t>(i)));
      }
    }
    picker.Grow(static_cast<int64_t>(parents.size()) - picker.size());
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  SLUICE_ASSIGN_OR_RETURN(auto key_column, Pick(keys.values, key_at));
  SLUICE_ASSIGN_OR_RETURN(auto left_values, TakeAt(left.items(), &first));
  SLUICE_ASSIGN_OR_RETURN(auto right_values, TakeAt(right.items(), &second));
  SLUICE_ASSIGN_OR_RETURN(auto results,
                          body->Run(call, parents, {key_column, left_values, right_values}));
  return picker.FinishMapWith(call.expression.type, key_column, results);
}

// One merge of two sorted runs of a row: [left, middle) and [right, end) into `out`.
struct Merge {
  size_t row, left, middle, right, end, out;
};

// A stable merge sort of all rows together: each step compares one pair of every merge under way.
class Sorter {
 public:
  Sorter(const KernelCall& call, Body* compare, Elements elements)
      : call_(call), compare_(compare), elements_(std::move(elements)), sorted_(elements_.items) {}

  Result<Rows> Sort() {
    std::vector<std::pair<size_t, size_t>> rows;
    for (size_t i = 0; i < sorted_.size();) {
      size_t end = i;
      while (end < sorted_.size() && elements_.parents[end] == elements_.parents[i]) ++end;
      rows.emplace_back(i, end);
      i = end;
    }
    bool more = true;
    for (size_t width = 1; more; width *= 2) {
      more = false;
      merges_.clear();
      for (const auto& [begin, end] : rows) {
        more |= end - begin > width * 2;
        for (size_t at = begin; at + width < end; at += width * 2) {
          const size_t middle = at + width;
          merges_.push_back(
              {elements_.parents[at], at, middle, middle, std::min(middle + width, end), at});
        }
      }
      SLUICE_RETURN_NOT_OK(Level());
    }
    return std::move(sorted_);
  }

 private:
  Status Level() {
    Rows next = sorted_;
    while (!merges_.empty()) {
      Rows parents;
      Rows left;
      Rows right;
      for (const Merge& merge : merges_) {
        parents.push_back(static_cast<uint32_t>(merge.row));
        left.push_back(sorted_[merge.left]);
        right.push_back(sorted_[merge.right]);
      }
      const ArrayPtr& values = ListOf(call_.args[0]).values();
      SLUICE_ASSIGN_OR_RETURN(auto a, Pick(values, left));
      SLUICE_ASSIGN_OR_RETURN(auto b, Pick(values, right));
      SLUICE_ASSIGN_OR_RETURN(auto orders, compare_->Run(call_, parents, {a, b}));
      const auto& order = static_cast<const arrow::Int32Array&>(*orders);
      size_t kept = 0;
      for (size_t i = 0; i < merges_.size(); ++i) {
        if (order.IsNull(static_cast<int64_t>(i)))
          return MakeError("COMPARATOR_RETURNS_NULL",
                           "[COMPARATOR_RETURNS_NULL] the comparator of array_sort has returned "
                           "NULL. SQLSTATE: 22004");
        Merge merge = merges_[i];
        const bool take_left = order.Value(static_cast<int64_t>(i)) <= 0;
        next[merge.out++] = sorted_[take_left ? merge.left++ : merge.right++];
        if (merge.left < merge.middle && merge.right < merge.end) {
          merges_[kept++] = merge;
          continue;
        }
        while (merge.left < merge.middle) next[merge.out++] = sorted_[merge.left++];
        while (merge.right < merge.end) next[merge.out++] = sorted_[merge.right++];
      }
      merges_.resize(kept);
    }
    sorted_ = std::move(next);
    return Status::OK();
  }

  const KernelCall& call_;
  Body* compare_;
  const Elements elements_;
  Rows sorted_;
  std::vector<Merge> merges_;
};

Result<ArrayPtr> SortBy(const KernelCall& call, Body* compare) {
  SLUICE_ASSIGN_OR_RETURN(auto sorted, Sorter(call, compare, Flatten(call, call.args[0])).Sort());
  ListPicker picker;
  SLUICE_RETURN_NOT_OK(ShapeLike(call, &picker));
  SLUICE_ASSIGN_OR_RETURN(auto items, Pick(ListOf(call.args[0]).values(), sorted));
  return picker.FinishWith(call.expression.type, items);
}

// array_sort without a comparator: ascending, NULLs last.
Result<ArrayPtr> SortAscending(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const arrow::Array& values = *list.values();
  ListPicker picker;
  std::vector<int64_t> items;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row);
    const int64_t at = call.args[0].At(row);
    items.resize(present ? static_cast<size_t>(list.value_length(at)) : 0);
    std::iota(items.begin(), items.end(), present ? list.value_offset(at) : 0);
    std::stable_sort(items.begin(), items.end(), [&](int64_t a, int64_t b) {
      if (values.IsNull(a) || values.IsNull(b)) return values.IsNull(b) && values.IsValid(a);
      return CompareValues(values, a, values, b) < 0;
    });
    for (const int64_t item : items) SLUICE_RETURN_NOT_OK(picker.Item(item));
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, list.values());
}

KernelFactory WithBody(Result<ArrayPtr> (*run)(const KernelCall&, Body*)) {
  return [run](const BoundExpression& expression) -> Result<Kernel> {
    SLUICE_ASSIGN_OR_RETURN(auto body, Body::Make(expression, 0));
    return Kernel([run, body](const KernelCall& call) { return run(call, body.get()); });
  };
}

Result<Kernel> MakeAggregate(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto merge, Body::Make(expression, 0));
  std::shared_ptr<Body> finish;
  if (expression.lambdas.size() > 1) {
    SLUICE_ASSIGN_OR_RETURN(finish, Body::Make(expression, 1));
  }
  return Kernel([merge, finish](const KernelCall& call) {
    return Aggregate(call, merge.get(), finish.get());
  });
}

Result<Kernel> MakeArraySort(const BoundExpression& expression) {
  if (expression.lambdas.empty()) return Kernel(SortAscending);
  return WithBody(SortBy)(expression);
}

}  // namespace

void RegisterLambdaFunctions(FunctionRegistry* registry) {
  registry->Compute("transform", WithBody(Transform), true);
  registry->Compute("transform_keys", WithBody(TransformMap), true);
  registry->Compute("transform_values", WithBody(TransformMap), true);
  registry->Compute("filter", WithBody(Filter), true);
  registry->Compute("map_filter", WithBody(Filter), true);
  registry->Compute("exists", WithBody(Quantify), true);
  registry->Compute("forall", WithBody(Quantify), true);
  registry->Compute("zip_with", WithBody(ZipWith), true);
  registry->Compute("map_zip_with", WithBody(MapZipWith), true);
  registry->Compute("aggregate", MakeAggregate, true);
  registry->Compute("array_sort", MakeArraySort, true);
  registry->Special("array_sort",
                    [](FunctionBinder& binder, const std::string& name, std::vector<BoundPtr> args,
                       Span span) -> Result<BoundPtr> {
                      SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
                      if (args[0]->type->id() != arrow::Type::LIST)
                        return binder.WrongType(name, 1, "ARRAY", args[0]);
                      if (!IsOrderable(*args[0]->type) || args.size() == 2)
                        return binder.WrongType(name, static_cast<int>(args.size()), "ARRAY",
                                                args.back());
                      TypePtr type = args[0]->type;
                      const bool nullable = args[0]->nullable;
                      return MakeCall(name, std::move(args), std::move(type), nullable, span);
                    });
}

}  // namespace sluice::sql
