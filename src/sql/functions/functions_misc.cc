// assert_true, bitmap positions, and what else belongs to no family.
#include <fmt/format.h>

#include <bit>

#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

constexpr int64_t kBitsOfBitmap = 4096 * 8;

int64_t BucketNumber(int64_t value) {
  return value > 0 ? 1 + (value - 1) / kBitsOfBitmap : value / kBitsOfBitmap;
}

int64_t BitPosition(int64_t value) {
  if (value > 0) return (value - 1) % kBitsOfBitmap;
  return -(value % kBitsOfBitmap);
}

int64_t BitmapCount(Text bits) {
  int64_t count = 0;
  for (const char c : bits) count += std::popcount(static_cast<unsigned char>(c));
  return count;
}

// NULL where the condition is TRUE, else an error with the message (NULL: one of its own).
Result<ArrayPtr> AssertTrue(const KernelCall& call) {
  const Reader<bool> conditions(call.args[0]);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (!conditions.IsNull(row) && conditions.Get(row)) continue;
    const Reader<Text> messages(call.args[1]);
    return MakeError("USER_RAISED_EXCEPTION",
                     "[USER_RAISED_EXCEPTION] " +
                         (messages.IsNull(row) ? "null" : std::string(messages.Get(row))) +
                         " SQLSTATE: P0001");
  }
  return arrow::MakeArrayOfNull(arrow::null(), call.rows);
}

Result<BoundPtr> BindAssertTrue(FunctionBinder& binder, const std::string& name, Args args,
                                Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::boolean(), name, 1));
  if (args.size() == 1) {
    args.push_back(
        MakeLiteral(arrow::MakeScalar(fmt::format("'{}' is not true!", ToString(*args[0])))));
  }
  SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::utf8(), name, 2));
  return MakeCall(name, std::move(args), arrow::null(), true, span);
}

}  // namespace

void RegisterMiscFunctions(FunctionRegistry* registry) {
  registry->Add({"bitmap_bucket_number", "l", 'l'}, Map<int64_t, int64_t>(BucketNumber));
  registry->Add({"bitmap_bit_position", "l", 'l'}, Map<int64_t, int64_t>(BitPosition));
  registry->Add({"bitmap_count", "y", 'l'}, Map<int64_t, Text>(BitmapCount));
  registry->Special("assert_true", BindAssertTrue);
  registry->Compute("assert_true", Plain(AssertTrue), true);
}

}  // namespace sluice::sql
