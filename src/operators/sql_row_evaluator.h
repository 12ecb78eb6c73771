// sql::Evaluator as a RowEvaluator: how the planner hands bound expressions to the operators.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <vector>

#include "operators/row_evaluator.h"
#include "sql/functions/evaluator.h"

namespace sluice::operators {

/// A factory of evaluators of `expressions` over batches of schema `input`.
RowEvaluatorFactory SqlEvaluatorFactory(std::shared_ptr<arrow::Schema> input,
                                        std::vector<sql::BoundPtr> expressions,
                                        sql::EvaluatorOptions options = {});

}  // namespace sluice::operators
