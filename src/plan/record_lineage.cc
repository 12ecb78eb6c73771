#include "plan/record_lineage.h"

#include <algorithm>
#include <map>
#include <set>

namespace sluice::plan {
namespace {

/// Column of a table -> column of the topic that it was.
using Lineage = std::map<std::string, std::string>;

class Tracer {
 public:
  explicit Tracer(const AnalyzedPipeline& pipeline) : pipeline_(pipeline) {}

  Lineage OfTable(const std::string& dataset) {
    Lineage all;
    if (!visited_.insert(dataset).second) return all;
    bool first = true;
    for (const AnalyzedFlow& flow : pipeline_.flows) {
      if (flow.definition->target.ToString() != dataset) continue;
      const Lineage own = OfFlow(flow);
      if (first) all = own;
      first = false;
      std::erase_if(all, [&](const auto& column) {
        const auto same = own.find(column.first);
        return same == own.end() || same->second != column.second;
      });
    }
    return all;
  }

 private:
  Lineage OfFlow(const AnalyzedFlow& flow) {
    Lineage columns;
    const StreamProgram& program = flow.program;
    if (flow.execution == Execution::kRecompute || program.source == nullptr) return columns;
    const bool topic = program.source->kind == sql::PlanKind::kTableFunctionScan;
    const Lineage below =
        topic ? Lineage() : OfTable(sql::As<sql::ScanNode>(*program.source).dataset);
    for (size_t i = 0; i < program.output.size(); ++i) {
      if (!program.output[i]->IsColumn()) continue;
      const auto slot = std::find(program.source_slots.begin(), program.source_slots.end(),
                                  program.output[i]->index);
      if (slot == program.source_slots.end()) continue;
      const int read = static_cast<int>(slot - program.source_slots.begin());
      const std::string& source = program.source->schema->field(read)->name();
      const std::string& target = program.output_schema->field(static_cast<int>(i))->name();
      const auto carried = below.find(source);
      if (topic) columns[target] = source;
      if (carried != below.end()) columns[target] = carried->second;
    }
    return columns;
  }

  const AnalyzedPipeline& pipeline_;
  std::set<std::string> visited_;
};

}  // namespace

RecordColumns CarriedRecord(const AnalyzedPipeline& pipeline, const std::string& dataset,
                            const arrow::Schema& schema) {
  const Lineage lineage = Tracer(pipeline).OfTable(dataset);
  const auto find = [&](const std::string& column) {
    for (int i = 0; i < schema.num_fields(); ++i) {
      const auto carried = lineage.find(schema.field(i)->name());
      if (carried != lineage.end() && carried->second == column) return i;
    }
    return -1;
  };
  return {find("value"), find("topic"), find("partition"), find("offset")};
}

}  // namespace sluice::plan
