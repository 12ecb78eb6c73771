#include "plan/stream_program.h"

#include <algorithm>
#include <set>

namespace sluice::plan {

std::vector<int> StreamProgram::Needs(const StreamStep& step) {
  std::set<int> needs;
  auto add = [&](const sql::BoundPtr& expression) {
    if (expression == nullptr) return;
    for (const int slot : sql::ReferencedColumns(*expression)) needs.insert(slot);
  };
  for (const auto& expression : step.expressions) add(expression);
  for (const auto& rule : step.expectations) add(rule.condition);
  for (const int key : step.keys) needs.insert(key);
  for (const DedupOrder& order : step.order) needs.insert(order.slot);
  for (const auto& arguments : step.call_arguments)
    needs.insert(arguments.begin(), arguments.end());
  for (const int filter : step.call_filters) needs.insert(filter);
  add(step.residual);
  needs.insert(step.input);
  needs.insert(step.event_time);
  needs.erase(-1);
  for (const int made : step.makes) needs.erase(made);  // a residual names the static columns too
  return {needs.begin(), needs.end()};
}

bool StreamProgram::preserves_rows() const {
  return std::none_of(steps.begin(), steps.end(), [](const StreamStep& step) {
    return step.kind == StepKind::kAggregate || step.kind == StepKind::kStaticJoin;
  });
}

bool StreamProgram::shows_source_rows() const {
  return std::any_of(steps.begin(), steps.end(), [](const StreamStep& step) {
    if (step.kind == StepKind::kWatermark) return true;
    return std::any_of(step.expectations.begin(), step.expectations.end(),
                       [](const BoundExpectation& rule) {
                         return rule.expectation.action >= quality::ViolationAction::kQuarantine;
                       });
  });
}

}  // namespace sluice::plan
