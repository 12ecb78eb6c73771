#include "sql/functions/evaluator.h"

#include <arrow/compute/api.h>
#include <fmt/format.h>

#include <algorithm>

#include "sql/expressions/cast.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

// Functions that can raise an error on a row (ANSI): only evaluated where their value is needed.
bool CanFail(const BoundExpression& expression) {
  if (expression.kind == BoundKind::kCast) {
    if (expression.try_mode) return false;
    const arrow::DataType& from = *expression.args[0]->type;
    const arrow::DataType& to = *expression.type;
    if (to.id() == arrow::Type::STRING || from.id() == arrow::Type::NA ||
        from.id() == arrow::Type::BOOL)
      return false;
    const bool widening = IsIntegral(from) && (to.id() == arrow::Type::INT64 || IsFloating(to));
    return !widening;
  }
  if (expression.kind != BoundKind::kCall) return false;
  return FunctionRegistry::Get().Fails(expression.name);
}

bool IsCoreCall(const std::string& name, NodeKind* kind) {
  if (name == "and") return *kind = NodeKind::kAnd, true;
  if (name == "or") return *kind = NodeKind::kOr, true;
  if (name == "case") return *kind = NodeKind::kCase, true;
  if (name == "coalesce") return *kind = NodeKind::kCoalesce, true;
  return false;
}

// Arrow's kernels are registered once per process.
Status InitializeCompute() {
  static const Status status = arrow::compute::Initialize();
  return status;
}

}  // namespace

const KernelMap& Kernels() { return FunctionRegistry::Get().kernels(); }

std::optional<std::string> ConstantText(const BoundExpression& call, size_t index) {
  if (index >= call.args.size() || !call.args[index]->IsLiteral() ||
      !call.args[index]->literal->is_valid)
    return std::nullopt;
  if (call.args[index]->type->id() != arrow::Type::STRING) return std::nullopt;
  return std::string(static_cast<const arrow::StringScalar&>(*call.args[index]->literal).view());
}

std::optional<int64_t> ConstantInt(const BoundExpression& call, size_t index) {
  if (index >= call.args.size() || !call.args[index]->IsLiteral() ||
      !call.args[index]->literal->is_valid)
    return std::nullopt;
  const arrow::Scalar& literal = *call.args[index]->literal;
  if (literal.type->id() == arrow::Type::INT64)
    return static_cast<const arrow::Int64Scalar&>(literal).value;
  if (literal.type->id() == arrow::Type::INT32)
    return static_cast<const arrow::Int32Scalar&>(literal).value;
  return std::nullopt;
}

Result<ArrayPtr> Expand(const Value& value, int64_t rows) {
  if (!value.constant) return value.array;
  if (rows == 1) return value.array;
  if (value.array->IsNull(0)) return arrow::MakeArrayOfNull(value.array->type(), rows);
  SLUICE_ASSIGN_OR_RETURN(auto scalar, value.array->GetScalar(0));
  return arrow::MakeArrayFromScalar(*scalar, rows);
}

struct Evaluator::Impl {
  std::shared_ptr<arrow::Schema> input;
  std::vector<BoundPtr> expressions;
  EvaluatorOptions options;
  std::vector<std::unique_ptr<Node>> nodes;
  std::unordered_map<BoundPtr, const Node*, BoundHash, BoundEquals> known;
  std::vector<const Node*> roots;

  Result<const Node*> Compile(const BoundPtr& expression) {
    if (auto found = known.find(expression); found != known.end()) return found->second;
    auto node = std::make_unique<Node>();
    node->expression = expression;
    node->can_fail = CanFail(*expression);
    SLUICE_RETURN_NOT_OK(Prepare(*expression, node.get()));
    for (const BoundPtr& arg : expression->args) {
      SLUICE_ASSIGN_OR_RETURN(const Node* compiled, Compile(arg));
      node->args.push_back(compiled);
      node->can_fail |= compiled->can_fail;
    }
    node->id = nodes.size();
    const Node* made = node.get();
    nodes.push_back(std::move(node));
    known.emplace(expression, made);
    return made;
  }

  Status Prepare(const BoundExpression& expression, Node* node) {
    switch (expression.kind) {
      case BoundKind::kLiteral: {
        node->kind = NodeKind::kLiteral;
        SLUICE_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*expression.literal, 1));
        node->literal = {std::move(array), true};
        return Status::OK();
      }
      case BoundKind::kColumn: {
        node->kind = NodeKind::kColumn;
        const bool known_column = expression.index >= 0 && expression.index < input->num_fields();
        SLUICE_CHECK(known_column, "an expression uses a column outside its input");
        return Status::OK();
      }
      case BoundKind::kField: node->kind = NodeKind::kField; return Status::OK();
      case BoundKind::kCast:
        node->kind = NodeKind::kCast;
        return CheckCastSupported(*expression.args[0]->type, *expression.type);
      case BoundKind::kCall: break;
    }
    if (auto native = options.native_functions.find(expression.name);
        native != options.native_functions.end()) {
      node->kind = NodeKind::kNative;
      node->native = native->second;
      node->can_fail = true;
      return Status::OK();
    }
    if (IsCoreCall(expression.name, &node->kind)) return Status::OK();
    auto factory = Kernels().find(expression.name);
    if (factory == Kernels().end()) {
      return MakeError("NOT_SUPPORTED_YET",
                       fmt::format("not supported yet: function {}", expression.name));
    }
    node->kind = NodeKind::kKernel;
    SLUICE_ASSIGN_OR_RETURN(node->kernel, factory->second(expression));
    return Status::OK();
  }
};

Evaluator::Evaluator(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Evaluator::~Evaluator() = default;

Result<std::unique_ptr<Evaluator>> Evaluator::Make(std::shared_ptr<arrow::Schema> input,
                                                   std::vector<BoundPtr> expressions,
                                                   EvaluatorOptions options) {
  SLUICE_RETURN_NOT_OK(InitializeCompute());
  auto impl = std::make_unique<Impl>();
  impl->input = std::move(input);
  impl->expressions = std::move(expressions);
  impl->options = std::move(options);
  for (const BoundPtr& expression : impl->expressions) {
    SLUICE_ASSIGN_OR_RETURN(const Node* root, impl->Compile(expression));
    impl->roots.push_back(root);
  }
  return std::unique_ptr<Evaluator>(new Evaluator(std::move(impl)));
}

Result<std::vector<ArrayPtr>> Evaluator::Evaluate(const arrow::RecordBatch& batch,
                                                  TimestampMicros clock) {
  Frame frame(batch, clock, impl_->nodes.size());
  std::vector<ArrayPtr> results;
  results.reserve(impl_->roots.size());
  for (const Node* root : impl_->roots) {
    if (batch.num_rows() == 0) {  // nothing is evaluated, so constants raise no errors either
      SLUICE_ASSIGN_OR_RETURN(auto none, arrow::MakeEmptyArray(root->expression->type));
      results.push_back(std::move(none));
      continue;
    }
    SLUICE_ASSIGN_OR_RETURN(auto value, frame.Eval(*root));
    SLUICE_ASSIGN_OR_RETURN(auto array, Expand(value, batch.num_rows()));
    results.push_back(std::move(array));
  }
  return results;
}

Result<std::shared_ptr<arrow::Scalar>> Evaluator::EvaluateConstant(const BoundPtr& expression,
                                                                   TimestampMicros clock) {
  const auto schema = arrow::schema({});
  SLUICE_ASSIGN_OR_RETURN(auto evaluator, Make(schema, {expression}));
  const auto row = arrow::RecordBatch::Make(schema, 1, arrow::ArrayVector{});
  SLUICE_ASSIGN_OR_RETURN(auto arrays, evaluator->Evaluate(*row, clock));
  return arrays[0]->GetScalar(0);
}

Status Evaluator::CheckSupported(const BoundExpression& expression, const NativeFunctions& native) {
  for (const BoundPtr& arg : expression.args) SLUICE_RETURN_NOT_OK(CheckSupported(*arg, native));
  if (expression.kind == BoundKind::kCast)
    return CheckCastSupported(*expression.args[0]->type, *expression.type);
  if (expression.kind != BoundKind::kCall || native.contains(expression.name)) return Status::OK();
  NodeKind kind;
  if (IsCoreCall(expression.name, &kind)) return Status::OK();
  auto factory = Kernels().find(expression.name);
  if (factory != Kernels().end()) return factory->second(expression).status();
  return MakeError("NOT_SUPPORTED_YET",
                   fmt::format("not supported yet: function {}", expression.name));
}

}  // namespace sluice::sql
