// from_json as the engine runs it: natively, by the JSON codec, on any number of threads.
#pragma once

#include <memory>

#include "base/status.h"
#include "operators/decode_operator.h"
#include "sql/expressions/bound_expression.h"
#include "sql/functions/evaluator.h"

namespace sluice::plan {

/// A thread-safe decode function for the bound call from_json(document, ...); `used_type` is the
/// call's struct without the fields that are not used. Errors: JSON_INVALID_OPTION,
/// JSON_UNSUPPORTED_SCHEMA, NOT_SUPPORTED_YET for options that are not constants.
Result<operators::Decode> MakeJsonDecode(const sql::BoundExpression& call,
                                         std::shared_ptr<arrow::DataType> used_type);

/// from_json for expressions that are not decoded by a step of their own (ad hoc SQL, recomputed
/// views).
sql::NativeFunctions JsonFunctions();

}  // namespace sluice::plan
