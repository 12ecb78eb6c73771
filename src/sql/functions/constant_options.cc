#include "sql/functions/constant_options.h"

#include <arrow/array.h>

namespace sluice::sql {

Result<std::map<std::string, std::string>> ConstantOptions(const BoundExpression& expression) {
  std::map<std::string, std::string> options;
  auto text = [](const BoundPtr& arg) {
    return arg->IsLiteral() && arg->literal->is_valid && arg->type->id() == arrow::Type::STRING;
  };
  bool constant = expression.IsCall("map");
  for (size_t i = 0; constant && i + 1 < expression.args.size(); i += 2) {
    const BoundPtr& key = expression.args[i];
    const BoundPtr& value = expression.args[i + 1];
    constant = text(key) && text(value);
    if (constant) options[key->literal->ToString()] = value->literal->ToString();
  }
  if (constant) return options;
  const bool is_map = expression.IsLiteral() && expression.literal->is_valid &&
                      expression.type->id() == arrow::Type::MAP;
  if (!is_map)
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: options that are no constants");
  const auto& entries = static_cast<const arrow::StructArray&>(
      *static_cast<const arrow::MapScalar&>(*expression.literal).value);
  for (int64_t i = 0; i < entries.length(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(auto key, entries.field(0)->GetScalar(i));
    SLUICE_ASSIGN_OR_RETURN(auto value, entries.field(1)->GetScalar(i));
    options[key->ToString()] = value->ToString();
  }
  return options;
}

}  // namespace sluice::sql
