// The one list of Spark's functions that the engine has: how a call is typed (binding) and what
// computes it (kernel). Each family (functions_<family>.cc) enters its functions here. Built once,
// then immutable: any thread.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "sql/expressions/kernel.h"
#include "sql/functions/function_binder.h"

namespace sluice::sql {

/// Types one call: arguments as they were bound -> a bound call.
using BindFunction = std::function<Result<BoundPtr>(FunctionBinder& binder, const std::string& name,
                                                    std::vector<BoundPtr> args, Span span)>;

/// A function whose arguments have fixed types. `params`: one letter each, those after '|' may be
/// left out, a final '*' repeats the last: s string, y binary, x string or binary, i int, l bigint,
/// d double, b boolean, D date, T timestamp, N timestamp_ntz, a anything. `result`: such a letter,
/// or '0': the type of the first argument.
struct Signature {
  const char* name;
  const char* params;
  char result;
  bool always_nullable = false;
};

class FunctionRegistry {
 public:
  static const FunctionRegistry& Get();

  /// `name` is another spelling of `canonical`.
  void Alias(const std::string& name, const std::string& canonical) { aliases_[name] = canonical; }
  void Typed(const Signature& signature);
  void Special(const std::string& name, BindFunction bind) { entries_[name] = std::move(bind); }
  /// Computes calls of `name`. `can_fail`: a row can raise an error (ANSI), so it is evaluated only
  /// on rows whose value is needed.
  void Compute(const std::string& name, KernelFactory kernel, bool can_fail = false) {
    kernels_[name] = std::move(kernel);
    if (can_fail) failing_.insert(name);
  }
  /// Typed and computed at once.
  void Add(const Signature& signature, KernelFactory kernel, bool can_fail = false) {
    Typed(signature);
    Compute(signature.name, std::move(kernel), can_fail);
  }
  void CanFail(const std::string& name) { failing_.insert(name); }
  KernelMap* kernels() { return &kernels_; }

  /// The canonical name of what is written so.
  const std::string& Canonical(const std::string& written) const;
  /// Null when there is none.
  const BindFunction* Find(const std::string& canonical) const;
  const KernelMap& kernels() const { return kernels_; }
  bool Fails(const std::string& kernel) const { return failing_.contains(kernel); }

 private:
  std::map<std::string, std::string, std::less<>> aliases_;
  std::map<std::string, BindFunction, std::less<>> entries_;
  KernelMap kernels_;
  std::set<std::string, std::less<>> failing_;
};

/// Each family's entries.
void RegisterCoreFunctions(FunctionRegistry* registry);
void RegisterStringFunctions(FunctionRegistry* registry);
void RegisterEncodingFunctions(FunctionRegistry* registry);
void RegisterRegexFunctions(FunctionRegistry* registry);
void RegisterFormatFunctions(FunctionRegistry* registry);
void RegisterNumberFormatFunctions(FunctionRegistry* registry);
void RegisterMathFunctions(FunctionRegistry* registry);
void RegisterHashFunctions(FunctionRegistry* registry);
void RegisterCryptoFunctions(FunctionRegistry* registry);
void RegisterArrayFunctions(FunctionRegistry* registry);
void RegisterArraySetFunctions(FunctionRegistry* registry);
void RegisterSequenceFunctions(FunctionRegistry* registry);
void RegisterMapFunctions(FunctionRegistry* registry);
void RegisterLambdaFunctions(FunctionRegistry* registry);
void RegisterTimeFunctions(FunctionRegistry* registry);
void RegisterTimeMakingFunctions(FunctionRegistry* registry);
void RegisterJsonFunctions(FunctionRegistry* registry);
void RegisterVariantFunctions(FunctionRegistry* registry);
void RegisterCsvFunctions(FunctionRegistry* registry);
void RegisterUrlFunctions(FunctionRegistry* registry);
void RegisterMiscFunctions(FunctionRegistry* registry);
void RegisterAggregateResultFunctions(FunctionRegistry* registry);

}  // namespace sluice::sql
