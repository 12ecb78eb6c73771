#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "batch/select_rows.h"
#include "sql/expressions/cast.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

enum : int8_t { kFalse = 0, kTrue = 1, kUnknown = 2 };

int8_t Truth(const Value& value, int64_t row) {
  const auto& booleans = static_cast<const arrow::BooleanArray&>(*value.array);
  const int64_t at = value.At(row);
  return booleans.IsNull(at) ? kUnknown : booleans.Value(at) ? kTrue : kFalse;
}

// Rows whose value comes from different branches: `source[row]` says from which, `position[row]`
// where in it.
Result<ArrayPtr> Gather(const std::vector<Value>& branches, const std::vector<int32_t>& source,
                        const std::vector<uint32_t>& position) {
  arrow::ArrayVector arrays;
  std::vector<int64_t> offsets;
  int64_t total = 0;
  for (const Value& branch : branches) {
    arrays.push_back(branch.array);
    offsets.push_back(total);
    total += branch.array->length();
  }
  SLUICE_ASSIGN_OR_RETURN(auto all, arrow::Concatenate(arrays));
  arrow::UInt32Builder indices;
  SLUICE_RETURN_NOT_OK(indices.Reserve(static_cast<int64_t>(source.size())));
  for (size_t row = 0; row < source.size(); ++row) {
    if (source[row] < 0) {
      SLUICE_RETURN_NOT_OK(indices.AppendNull());
      continue;
    }
    const auto branch = static_cast<size_t>(source[row]);
    indices.UnsafeAppend(
        static_cast<uint32_t>(offsets[branch] + (branches[branch].constant ? 0 : position[row])));
  }
  SLUICE_ASSIGN_OR_RETURN(auto taken, indices.Finish());
  SLUICE_ASSIGN_OR_RETURN(
      auto result,
      arrow::compute::Take(*all, *taken, arrow::compute::TakeOptions::NoBoundsCheck()));
  return result;
}

/// What failed when `cast` made the value of a column of a table says so.
Status CastFailure(const Status& failed, const BoundExpression& cast) {
  const bool overflow =
      HasCode(failed, "CAST_OVERFLOW") || HasCode(failed, "NUMERIC_VALUE_OUT_OF_RANGE");
  if (cast.name.empty() || !overflow) return failed;
  return MakeError(
      "CAST_OVERFLOW_IN_TABLE_INSERT",
      fmt::format("[CAST_OVERFLOW_IN_TABLE_INSERT] fail to assign a value of \"{}\" "
                  "type to the \"{}\" type column or variable `{}` due to an overflow",
                  SparkTypeSql(*cast.args[0]->type), SparkTypeSql(*cast.type), cast.name),
      "use try_cast on the value to store NULL instead");
}

}  // namespace

Frame::Frame(const arrow::RecordBatch& batch, TimestampMicros clock, size_t nodes)
    : batch_(&batch), rows_(batch.num_rows()), clock_(clock), memo_(nodes) {}

Frame::Frame(Frame* outer, std::shared_ptr<arrow::UInt32Array> indices, size_t nodes)
    : outer_(outer),
      indices_(std::move(indices)),
      rows_(indices_->length()),
      clock_(outer->clock_),
      memo_(nodes) {}

Result<Value> Frame::Eval(const Node& node) {
  if (node.kind == NodeKind::kLiteral) return node.literal;
  if (memo_[node.id].has_value()) return *memo_[node.id];
  // What the frame around this one computed already is selected, not computed again.
  if (outer_ != nullptr && outer_->memo_[node.id].has_value()) {
    Value known = *outer_->memo_[node.id];
    if (!known.constant) {
      SLUICE_ASSIGN_OR_RETURN(known.array,
                              arrow::compute::Take(*known.array, *indices_,
                                                   arrow::compute::TakeOptions::NoBoundsCheck()));
    }
    memo_[node.id] = known;
    return known;
  }
  SLUICE_ASSIGN_OR_RETURN(auto value, Compute(node));
  memo_[node.id] = value;
  return value;
}

Result<Value> Frame::Column(int index) {
  if (outer_ == nullptr) return Value{batch_->column(index), false};
  SLUICE_ASSIGN_OR_RETURN(auto value, outer_->Column(index));
  SLUICE_ASSIGN_OR_RETURN(
      value.array,
      arrow::compute::Take(*value.array, *indices_, arrow::compute::TakeOptions::NoBoundsCheck()));
  return value;
}

Result<Value> Frame::Compute(const Node& node) {
  switch (node.kind) {
    case NodeKind::kLiteral: return node.literal;
    case NodeKind::kColumn: return Column(node.expression->index);
    case NodeKind::kField: return EvalField(node);
    case NodeKind::kAnd: return EvalLogical(node, true);
    case NodeKind::kOr: return EvalLogical(node, false);
    case NodeKind::kCase: return EvalCase(node);
    case NodeKind::kCoalesce: return EvalCoalesce(node);
    case NodeKind::kCast: {
      SLUICE_ASSIGN_OR_RETURN(auto value, Eval(*node.args[0]));
      auto cast = CastArray(value.array, node.expression->type, node.expression->try_mode);
      if (!cast.ok()) return CastFailure(cast.status(), *node.expression);
      value.array = *std::move(cast);
      return value;
    }
    case NodeKind::kKernel:
    case NodeKind::kNative: break;
  }
  return EvalCall(node);
}

Result<Value> Frame::EvalField(const Node& node) {
  SLUICE_ASSIGN_OR_RETURN(auto value, Eval(*node.args[0]));
  const auto& record = static_cast<const arrow::StructArray&>(*value.array);
  SLUICE_ASSIGN_OR_RETURN(auto field, record.null_count() == 0
                                          ? Result<ArrayPtr>(record.field(node.expression->index))
                                          : record.GetFlattenedField(node.expression->index));
  return Value{std::move(field), value.constant};
}

Result<Value> Frame::EvalCall(const Node& node) {
  std::vector<Value> args;
  args.reserve(node.args.size());
  bool constant = !node.args.empty();
  for (size_t i = 0; i < node.args.size(); ++i) {
    auto value = Eval(*node.args[i]);
    if (!value.ok()) {
      SLUICE_ASSIGN_OR_RETURN(auto decided, EvalWhereDecided(node, i));
      if (decided.has_value()) return *decided;
      return value.status();
    }
    constant &= value->constant;
    args.push_back(std::move(*value));
  }
  if (node.args.empty()) constant = true;  // current_timestamp(), pi(): one value for all rows
  if (node.kind == NodeKind::kNative) {
    std::vector<ArrayPtr> arrays;
    for (const Value& arg : args) {
      SLUICE_ASSIGN_OR_RETURN(auto array, Expand(arg, rows_));
      arrays.push_back(std::move(array));
    }
    SLUICE_ASSIGN_OR_RETURN(auto array, node.native(*node.expression, arrays, rows_));
    return Value{std::move(array), false};
  }
  const KernelCall call{*node.expression, args, constant ? 1 : rows_, clock_};
  SLUICE_ASSIGN_OR_RETURN(auto array, node.kernel(call));
  return Value{std::move(array), constant};
}

// An operator does not ask for its second operand where the first is NULL, so an error there is
// none; a division asks for the divisor first.
Result<std::optional<Value>> Frame::EvalWhereDecided(const Node& node, size_t failed) {
  static const std::set<std::string> operators = {"+",
                                                  "-",
                                                  "*",
                                                  "/",
                                                  "%",
                                                  "div",
                                                  "pmod",
                                                  "=",
                                                  "<",
                                                  "<=",
                                                  ">",
                                                  ">=",
                                                  "time_add_interval",
                                                  "time_subtract_interval"};
  const std::string& name = node.expression->name;
  if (node.args.size() != 2 || !operators.contains(name)) return std::nullopt;
  const bool divides = name == "/" || name == "%" || name == "div" || name == "pmod";
  const size_t first = divides ? 1 : 0;
  if (failed == first) return std::nullopt;
  const auto value = Eval(*node.args[first]);
  if (!value.ok()) return std::nullopt;
  const auto count = static_cast<size_t>(rows_);
  std::vector<int32_t> source(count, -1);
  std::vector<uint32_t> position(count, 0);
  std::vector<uint32_t> rows;
  for (size_t row = 0; row < count; ++row) {
    if (value->IsNull(static_cast<int64_t>(row))) continue;
    source[row] = 0;
    position[row] = static_cast<uint32_t>(rows.size());
    rows.push_back(static_cast<uint32_t>(row));
  }
  if (rows.size() == count) return std::nullopt;
  if (rows.empty()) {
    SLUICE_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(node.expression->type, rows_));
    return Value{std::move(nulls), false};
  }
  SLUICE_ASSIGN_OR_RETURN(auto result, EvalOn(node, rows));
  SLUICE_ASSIGN_OR_RETURN(auto array, Gather({result}, source, position));
  return Value{std::move(array), false};
}

Result<Value> Frame::EvalOn(const Node& node, const std::vector<uint32_t>& rows) {
  if (static_cast<int64_t>(rows.size()) == rows_) return Eval(node);
  SLUICE_ASSIGN_OR_RETURN(auto indices, MakeIndices(rows));
  Frame selected(this, std::move(indices), memo_.size());
  return selected.Eval(node);
}

// Three-valued logic; the right side is evaluated only where the left does not decide, when it can
// fail.
Result<Value> Frame::EvalLogical(const Node& node, bool is_and) {
  SLUICE_ASSIGN_OR_RETURN(auto left, Eval(*node.args[0]));
  const int8_t deciding = is_and ? kFalse : kTrue;
  const int64_t left_rows = left.constant ? 1 : rows_;
  std::vector<uint32_t> undecided;
  bool all_undecided = true;
  for (int64_t row = 0; row < left_rows; ++row) {
    if (Truth(left, row) == deciding) {
      all_undecided = false;
    } else {
      undecided.push_back(static_cast<uint32_t>(row));
    }
  }
  if (undecided.empty()) return left;
  const bool whole = left.constant || all_undecided || !node.args[1]->can_fail;
  SLUICE_ASSIGN_OR_RETURN(auto right,
                          whole ? Eval(*node.args[1]) : EvalOn(*node.args[1], undecided));
  const bool constant = left.constant && right.constant;
  const int64_t rows = constant ? 1 : rows_;
  arrow::BooleanBuilder builder;
  SLUICE_RETURN_NOT_OK(builder.Reserve(rows));
  int64_t next = 0;
  for (int64_t row = 0; row < rows; ++row) {
    const int8_t a = Truth(left, row);
    if (a == deciding) {
      builder.UnsafeAppend(!is_and);
      continue;
    }
    const int8_t b = Truth(right, whole ? row : next++);
    if (b == deciding) {
      builder.UnsafeAppend(!is_and);
    } else if (a == kUnknown || b == kUnknown) {
      builder.UnsafeAppendNull();
    } else {
      builder.UnsafeAppend(is_and);
    }
  }
  SLUICE_ASSIGN_OR_RETURN(auto array, builder.Finish());
  return Value{std::move(array), constant};
}

Result<Value> Frame::EvalCase(const Node& node) {
  const auto count = static_cast<size_t>(rows_);
  std::vector<int32_t> source(count, -1);
  std::vector<uint32_t> position(count, 0);
  std::vector<Value> branches;
  std::vector<uint32_t> open(count);
  for (size_t row = 0; row < count; ++row) open[row] = static_cast<uint32_t>(row);
  auto assign = [&](const Node& result, const std::vector<uint32_t>& rows) -> Status {
    if (rows.empty()) return Status::OK();
    const bool whole = !result.can_fail;
    SLUICE_ASSIGN_OR_RETURN(auto value, whole ? Eval(result) : EvalOn(result, rows));
    for (size_t i = 0; i < rows.size(); ++i) {
      source[rows[i]] = static_cast<int32_t>(branches.size());
      position[rows[i]] = whole ? rows[i] : static_cast<uint32_t>(i);
    }
    branches.push_back(std::move(value));
    return Status::OK();
  };
  for (size_t i = 0; i + 1 < node.args.size() && !open.empty(); i += 2) {
    const Node& condition = *node.args[i];
    const bool whole = !condition.can_fail || open.size() == count;
    SLUICE_ASSIGN_OR_RETURN(auto holds, whole ? Eval(condition) : EvalOn(condition, open));
    std::vector<uint32_t> taken;
    std::vector<uint32_t> rest;
    for (size_t row = 0; row < open.size(); ++row) {
      const bool yes = Truth(holds, whole ? open[row] : static_cast<int64_t>(row)) == kTrue;
      (yes ? taken : rest).push_back(open[row]);
    }
    SLUICE_RETURN_NOT_OK(assign(*node.args[i + 1], taken));
    open = std::move(rest);
  }
  if (node.args.size() % 2 == 1) SLUICE_RETURN_NOT_OK(assign(*node.args.back(), open));
  if (branches.empty()) {
    SLUICE_ASSIGN_OR_RETURN(auto nulls, arrow::MakeArrayOfNull(node.expression->type, rows_));
    return Value{std::move(nulls), false};
  }
  SLUICE_ASSIGN_OR_RETURN(auto array, Gather(branches, source, position));
  return Value{std::move(array), false};
}

Result<Value> Frame::EvalCoalesce(const Node& node) {
  SLUICE_ASSIGN_OR_RETURN(auto first, Eval(*node.args[0]));
  if (first.array->null_count() == 0) return first;
  const auto count = static_cast<size_t>(rows_);
  std::vector<int32_t> source(count, -1);
  std::vector<uint32_t> position(count, 0);
  std::vector<Value> branches = {first};
  std::vector<uint32_t> open;
  for (size_t row = 0; row < count; ++row) {
    position[row] = static_cast<uint32_t>(row);
    if (first.IsNull(static_cast<int64_t>(row))) {
      open.push_back(static_cast<uint32_t>(row));
    } else {
      source[row] = 0;
    }
  }
  for (size_t i = 1; i < node.args.size() && !open.empty(); ++i) {
    const bool whole = !node.args[i]->can_fail;
    SLUICE_ASSIGN_OR_RETURN(auto value, whole ? Eval(*node.args[i]) : EvalOn(*node.args[i], open));
    std::vector<uint32_t> rest;
    for (size_t k = 0; k < open.size(); ++k) {
      const uint32_t at = whole ? open[k] : static_cast<uint32_t>(k);
      if (value.IsNull(at)) {
        rest.push_back(open[k]);
        continue;
      }
      source[open[k]] = static_cast<int32_t>(branches.size());
      position[open[k]] = at;
    }
    branches.push_back(std::move(value));
    open = std::move(rest);
  }
  SLUICE_ASSIGN_OR_RETURN(auto array, Gather(branches, source, position));
  return Value{std::move(array), false};
}

}  // namespace sluice::sql
