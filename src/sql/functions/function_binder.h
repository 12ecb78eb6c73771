// Binds scalar functions and operators: Spark's name and typed arguments -> a bound call with its
// result type, the arguments converted implicitly. Part of the analyzer.
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "sql/ast/source_text.h"
#include "sql/expressions/bound_expression.h"
#include "sql/expressions/type_coercion.h"

namespace sluice::sql {

class FunctionRegistry;
struct Signature;

class FunctionBinder {
 public:
  /// `source` outlives this.
  explicit FunctionBinder(const SourceText& source) : source_(source) {}

  /// `name` in lower case, as written. UNRESOLVED_ROUTINE for a name Spark does not have,
  /// NOT_SUPPORTED_YET for one the engine lacks.
  Result<BoundPtr> Bind(const std::string& name, std::vector<BoundPtr> args, Span span);
  /// + - * / % div
  Result<BoundPtr> BindArithmetic(const std::string& op, BoundPtr left, BoundPtr right, Span span);
  /// = <> < <= > >= <=>
  Result<BoundPtr> BindComparison(const std::string& op, BoundPtr left, BoundPtr right, Span span);
  /// and, or
  Result<BoundPtr> BindLogical(const std::string& op, BoundPtr left, BoundPtr right, Span span);
  Result<BoundPtr> BindNot(BoundPtr operand, Span span);
  /// when, then, when, then, ..., else (an even number of arguments has no else)
  Result<BoundPtr> BindCase(std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> BindIn(std::vector<BoundPtr> operand_and_values, Span span);
  Result<BoundPtr> BindCast(BoundPtr operand, const TypePtr& type, bool try_mode, Span span);
  /// The VARIANT at `path` ("$['a'][0]") of a VARIANT.
  Result<BoundPtr> BindVariantPath(BoundPtr operand, const std::string& path, Span span);
  Result<BoundPtr> BindSubscript(BoundPtr operand, BoundPtr index, Span span);

  /// `arg` as `type`; DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE when there is no implicit conversion.
  Result<BoundPtr> Coerce(BoundPtr arg, const TypePtr& type, const std::string& function,
                          int position);
  /// All converted to their common type; DATATYPE_MISMATCH.DATA_DIFF_TYPES when there is none.
  Status Unify(const std::string& function, std::vector<BoundPtr>* args, size_t from, Span span);
  Status Error(Span span, std::string_view error_class, const std::string& message) const;
  Status Unsupported(Span span, const std::string& what) const;

  Result<BoundPtr> BindSignature(const std::string& name, const Signature& signature,
                                 std::vector<BoundPtr> args, Span span);
  /// WRONG_NUM_ARGS unless `count` is within [least, most].
  Status CheckCount(const std::string& name, size_t count, size_t least, size_t most,
                    Span span) const;
  /// The text of a constant string argument.
  Result<std::string> ConstantString(const std::string& function, const BoundPtr& arg,
                                     Span span) const;
  /// DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE: argument `position` of `function` must be `required`.
  Status WrongType(const std::string& function, int position, const std::string& required,
                   const BoundPtr& arg) const;
  const SourceText& source() const { return source_; }
  /// Enters the functions that are bound by members of this class.
  static void Register(FunctionRegistry* registry);

 private:
  using Special = Result<BoundPtr> (FunctionBinder::*)(const std::string&, std::vector<BoundPtr>,
                                                       Span);
  Result<BoundPtr> BindDecimalArithmetic(const std::string& op, BoundPtr left, BoundPtr right,
                                         Span span);
  Result<BoundPtr> BindTimeArithmetic(const std::string& op, const BoundPtr& left,
                                      const BoundPtr& right, Span span);
  Status RefuseTime(const std::string& name, const std::vector<BoundPtr>& args, Span span) const;
  Result<int64_t> ConstantMicros(const std::string& function, const BoundPtr& arg, Span span) const;

  Result<BoundPtr> ArithmeticFunction(const std::string& name, std::vector<BoundPtr> args,
                                      Span span);
  Result<BoundPtr> Alternatives(const std::string& name, std::vector<BoundPtr> args,
                                Span span);  // coalesce, if, ...
  Result<BoundPtr> Extremes(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Concat(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> ConcatWs(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Rounding(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> SameNumber(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Bits(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Clock(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> ToTime(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> UnixTime(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> TimestampFromNumber(const std::string& name, std::vector<BoundPtr> args,
                                       Span span);
  Result<BoundPtr> DateFormat(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Extract(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> TimeWindow(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> MakeStruct(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> MakeArray(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> MakeMap(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Collections(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> ElementAt(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> FromJson(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> TypeOf(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> CastFunction(const std::string& name, std::vector<BoundPtr> args, Span span);
  Result<BoundPtr> Regex(const std::string& name, std::vector<BoundPtr> args, Span span);

  const SourceText& source_;
};

bool AnyNullable(const std::vector<BoundPtr>& args);
/// Whether Spark 4 has a scalar or aggregate function of this name (to tell a typo from a gap).
bool IsSparkFunction(const std::string& name);

}  // namespace sluice::sql
