#include "plan/json_decoding.h"

#include <arrow/api.h>

#include <map>
#include <mutex>
#include <vector>

#include "codec/json_decoder.h"

namespace sluice::plan {
namespace {

/// Idle decoders of one schema: each is used by one thread at a time.
class DecoderPool {
 public:
  explicit DecoderPool(std::unique_ptr<codec::JsonDecoder> first) {
    idle_.push_back(std::move(first));
  }

  Result<std::shared_ptr<arrow::StructArray>> Decode(const arrow::Array& documents) {
    std::unique_ptr<codec::JsonDecoder> decoder = Take();
    auto decoded = decoder->Decode(documents);
    const std::lock_guard<std::mutex> lock(mutex_);
    idle_.push_back(std::move(decoder));
    return decoded;
  }

 private:
  std::unique_ptr<codec::JsonDecoder> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (idle_.size() == 1) return idle_.front()->Clone();  // the last one stays to be cloned from
    auto decoder = std::move(idle_.back());
    idle_.pop_back();
    return decoder;
  }

  std::mutex mutex_;
  std::vector<std::unique_ptr<codec::JsonDecoder>> idle_;
};

Result<std::string> ConstantText(const sql::BoundExpression& expression) {
  if (expression.IsLiteral() && expression.literal->is_valid) return expression.literal->ToString();
  return MakeError("NOT_SUPPORTED_YET",
                   "not supported yet: an option of from_json that is no constant");
}

/// Entries of a constant map: a map literal, or map('k', 'v', ...).
Status ReadOptions(const sql::BoundExpression& expression,
                   std::map<std::string, std::string>* options) {
  if (expression.IsCall("map")) {
    for (size_t i = 0; i + 1 < expression.args.size(); i += 2) {
      SLUICE_ASSIGN_OR_RETURN(std::string key, ConstantText(*expression.args[i]));
      SLUICE_ASSIGN_OR_RETURN((*options)[key], ConstantText(*expression.args[i + 1]));
    }
    return Status::OK();
  }
  if (expression.IsLiteral() && expression.type->id() == arrow::Type::MAP &&
      expression.literal->is_valid) {
    const auto& entries = static_cast<const arrow::StructArray&>(
        *static_cast<const arrow::MapScalar&>(*expression.literal).value);
    for (int64_t i = 0; i < entries.length(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto key, entries.field(0)->GetScalar(i));
      SLUICE_ASSIGN_OR_RETURN(auto value, entries.field(1)->GetScalar(i));
      (*options)[key->ToString()] = value->ToString();
    }
    return Status::OK();
  }
  if (expression.IsLiteral() && expression.type->id() == arrow::Type::STRING)
    return Status::OK();  // the schema
  return MakeError("NOT_SUPPORTED_YET",
                   "not supported yet: options of from_json that are no constants");
}

Result<codec::JsonDecoderOptions> DecoderOptions(const sql::BoundExpression& call) {
  std::map<std::string, std::string> options;
  for (size_t i = 1; i < call.args.size(); ++i)
    SLUICE_RETURN_NOT_OK(ReadOptions(*call.args[i], &options));
  return codec::JsonDecoderOptions::FromMap(options);
}

}  // namespace

Result<operators::Decode> MakeJsonDecode(const sql::BoundExpression& call,
                                         std::shared_ptr<arrow::DataType> used_type) {
  SLUICE_ASSIGN_OR_RETURN(codec::JsonDecoderOptions options, DecoderOptions(call));
  SLUICE_ASSIGN_OR_RETURN(auto decoder,
                          codec::JsonDecoder::Make(call.type, std::move(used_type), options));
  auto pool = std::make_shared<DecoderPool>(std::move(decoder));
  return operators::Decode(
      [pool](const std::shared_ptr<arrow::Array>& documents) { return pool->Decode(*documents); });
}

sql::NativeFunctions JsonFunctions() {
  struct Cache {
    std::mutex mutex;
    std::unordered_map<const sql::BoundExpression*, operators::Decode> decoders;
  };
  auto cache = std::make_shared<Cache>();
  sql::NativeFunctions functions;
  functions["from_json"] = [cache](const sql::BoundExpression& call,
                                   const std::vector<std::shared_ptr<arrow::Array>>& args,
                                   int64_t) -> Result<std::shared_ptr<arrow::Array>> {
    operators::Decode decode;
    {
      const std::lock_guard<std::mutex> lock(cache->mutex);
      auto found = cache->decoders.find(&call);
      if (found == cache->decoders.end()) {
        SLUICE_ASSIGN_OR_RETURN(operators::Decode made, MakeJsonDecode(call, call.type));
        found = cache->decoders.emplace(&call, std::move(made)).first;
      }
      decode = found->second;
    }
    return decode(args[0]);
  };
  return functions;
}

}  // namespace sluice::plan
