#include "sql/functions/function_registry_internal.h"

#include "sql/functions/interval_binder.h"

namespace sluice::sql {

void FunctionRegistry::Typed(const Signature& signature) {
  entries_[signature.name] = [signature](FunctionBinder& binder, const std::string& written,
                                         std::vector<BoundPtr> args, Span span) {
    return binder.BindSignature(written, signature, std::move(args), span);
  };
}

const std::string& FunctionRegistry::Canonical(const std::string& written) const {
  const auto alias = aliases_.find(written);
  return alias == aliases_.end() ? written : alias->second;
}

const BindFunction* FunctionRegistry::Find(const std::string& canonical) const {
  const auto found = entries_.find(canonical);
  return found == entries_.end() ? nullptr : &found->second;
}

const FunctionRegistry& FunctionRegistry::Get() {
  static const FunctionRegistry registry = [] {
    FunctionRegistry made;
    RegisterArithmeticKernels(made.kernels());
    RegisterComparisonKernels(made.kernels());
    RegisterMathKernels(made.kernels());
    RegisterStringKernels(made.kernels());
    RegisterTextKernels(made.kernels());
    RegisterRegexKernels(made.kernels());
    RegisterTimeKernels(made.kernels());
    RegisterNestedKernels(made.kernels());
    RegisterCoreFunctions(&made);
    RegisterStringFunctions(&made);
    RegisterEncodingFunctions(&made);
    RegisterRegexFunctions(&made);
    RegisterFormatFunctions(&made);
    RegisterNumberFormatFunctions(&made);
    RegisterMathFunctions(&made);
    RegisterHashFunctions(&made);
    RegisterCryptoFunctions(&made);
    RegisterArrayFunctions(&made);
    RegisterArraySetFunctions(&made);
    RegisterMapFunctions(&made);
    RegisterSequenceFunctions(&made);
    RegisterLambdaFunctions(&made);
    RegisterTimeFunctions(&made);
    RegisterTimeMakingFunctions(&made);
    RegisterIntervalFunctions(&made);
    RegisterJsonFunctions(&made);
    RegisterVariantFunctions(&made);
    RegisterCsvFunctions(&made);
    RegisterUrlFunctions(&made);
    RegisterMiscFunctions(&made);
    RegisterAggregateResultFunctions(&made);
    return made;
  }();
  return registry;
}

}  // namespace sluice::sql
