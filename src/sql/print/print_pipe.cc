#include <utility>

#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

std::string WithoutLeadingBlank(std::string text) {
  text.erase(0, std::min(text.find_first_not_of(' '), text.size()));
  return text;
}

std::string PrintAssignments(const std::vector<SelectItem>& items) {
  return Joined(items, ", ", [](const SelectItem& item) {
    return PrintNames(item.aliases) + " = " + ToSql(*item.expr);
  });
}

std::string PrintAggregate(const PipeStep& step) {
  std::string text = "AGGREGATE";
  if (!step.items.empty()) {
    text += " " + PrintSelectItems(step.items);
  }
  return step.group_by.empty() ? text : text + " GROUP BY " + PrintSelectItems(step.group_by);
}

// The relation's own text begins with its empty input.
std::string PrintStepRelation(const Relation& relation) {
  if (relation.As<NestedRelation>() != nullptr) {
    Relation sampled;
    sampled.node = TableRef{};
    sampled.sample = relation.sample;
    return WithoutLeadingBlank(ToSql(sampled));
  }
  return WithoutLeadingBlank(ToSql(relation));
}

}  // namespace

std::string PrintPipeStep(const PipeStep& step) {
  switch (step.kind) {
    case PipeStep::Kind::kSelect:
      return (step.distinct ? "SELECT DISTINCT " : "SELECT ") + PrintSelectItems(step.items);
    case PipeStep::Kind::kExtend: return "EXTEND " + PrintSelectItems(step.items);
    case PipeStep::Kind::kSet: return "SET " + PrintAssignments(step.items);
    case PipeStep::Kind::kDrop: return "DROP " + PrintNames(step.names);
    case PipeStep::Kind::kAs: return "AS " + PrintNames(step.names);
    case PipeStep::Kind::kWhere: return "WHERE " + ToSql(*step.condition);
    case PipeStep::Kind::kAggregate: return PrintAggregate(step);
    case PipeStep::Kind::kJoin:
    case PipeStep::Kind::kRelation: return PrintStepRelation(*step.relation);
    case PipeStep::Kind::kSetOperation: return PrintSetOperation(*step.operation);
    case PipeStep::Kind::kOrganize: return WithoutLeadingBlank(PrintOrganization(*step.organize));
  }
  return "";
}

}  // namespace sluice::sql
