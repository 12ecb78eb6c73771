#include "plan/json_decoding.h"

#include <arrow/api.h>

#include <map>
#include <mutex>
#include <vector>

#include "codec/json_decoder.h"
#include "sql/functions/constant_options.h"

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

/// from_json(document, schema[, options]).
Result<codec::JsonDecoderOptions> DecoderOptions(const sql::BoundExpression& call) {
  std::map<std::string, std::string> options;
  if (call.args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(options, sql::ConstantOptions(*call.args[2]));
  }
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
