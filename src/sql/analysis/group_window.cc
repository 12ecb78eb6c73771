// Time windows of GROUP BY.
#include "sql/analysis/query_binder.h"
#include "sql/analysis/select_binder_internal.h"
#include "sql/expressions/analysis_error.h"

namespace sluice::sql {

Result<BoundPtr> BindGroupWindow(ExpressionBinder* binder, const GroupBy& group_by) {
  BoundPtr window;
  for (const GroupingElement& element : group_by.elements) {
    const auto* call = element.expr ? element.expr->As<FunctionCall>() : nullptr;
    if (call == nullptr) continue;
    const std::string name = LowerAscii(call->name.last());
    if (name == "session_window")
      return binder->functions().Unsupported(element.span, "function session_window");
    if (name != "window" || window != nullptr) continue;
    SLUICE_ASSIGN_OR_RETURN(window, binder->Bind(*element.expr));
  }
  return window;
}

BoundPtr HasTimeOfWindow(const std::vector<BoundPtr>& expressions) {
  BoundPtr condition;
  for (const BoundPtr& expression : expressions) {
    Any(*expression, [&](const BoundExpression& node) {
      if (condition == nullptr && node.IsCall("window") && node.args[0]->nullable)
        condition = MakeCall("isnotnull", {node.args[0]}, arrow::boolean(), false, node.span);
      return false;
    });
  }
  return condition;
}

}  // namespace sluice::sql
