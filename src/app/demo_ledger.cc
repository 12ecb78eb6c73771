#include "app/demo_ledger.h"

#include <arrow/scalar.h>

#include "app/query.h"

namespace sluice::app {
namespace {

Result<int64_t> CountIn(Project& project, const std::string& table, const std::string& columns,
                        const std::string& condition = "") {
  const auto opened = project.OpenTable(table);
  if (HasCode(opened.status(), "TABLE_OR_VIEW_NOT_FOUND")) return 0;
  SLUICE_RETURN_NOT_OK(opened.status());
  return CountRows(project, "SELECT " + columns + " FROM " + table +
                                (condition.empty() ? "" : " WHERE " + condition));
}

int64_t Of(const plan::ProducedEvents& produced, const char* event_class) {
  const auto found = produced.find(event_class);
  return found == produced.end() ? 0 : found->second;
}

}  // namespace

Result<int64_t> CountRows(Project& project, const std::string& query) {
  SLUICE_ASSIGN_OR_RETURN(auto rows, RunQuery(project, query));
  SLUICE_ASSIGN_OR_RETURN(auto batch, rows->Next());
  SLUICE_ASSIGN_OR_RETURN(auto value, batch->column(0)->GetScalar(0));
  return static_cast<const arrow::Int64Scalar&>(*value).value;
}

Result<DemoCounts> CountDemo(Project& project) {
  const std::string quarantine = "silver_events_quarantine";
  DemoCounts counts;
  SLUICE_ASSIGN_OR_RETURN(counts.bronze, CountIn(project, "bronze_events", "count(*)"));
  SLUICE_ASSIGN_OR_RETURN(counts.silver, CountIn(project, "silver_events", "count(*)"));
  SLUICE_ASSIGN_OR_RETURN(
      counts.late, CountIn(project, quarantine, "count(*)", "array_contains(rules, '_late')"));
  SLUICE_ASSIGN_OR_RETURN(counts.broken, CountIn(project, quarantine, "count(*)",
                                                 "NOT array_contains(rules, '_late')"));
  SLUICE_ASSIGN_OR_RETURN(counts.gold, CountIn(project, "gold_customers",
                                               "CAST(coalesce(sum(event_count), 0) AS BIGINT)"));
  return counts;
}

std::vector<LedgerLine> CompareLedger(const plan::ProducedEvents& produced,
                                      const DemoCounts& before, const DemoCounts& after) {
  int64_t all = 0;
  for (const auto& [event_class, count] : produced) all += count;
  const auto since = [&](int64_t DemoCounts::*member) { return after.*member - before.*member; };
  return {{"records in bronze_events", all, since(&DemoCounts::bronze)},
          {"valid events, in silver_events or late in quarantine",
           Of(produced, "good") + Of(produced, "late"),
           since(&DemoCounts::silver) + since(&DemoCounts::late)},
          {"broken records in quarantine", Of(produced, "bad_json") + Of(produced, "rule_breaker"),
           since(&DemoCounts::broken)},
          {"events of silver_events counted in gold_customers", after.silver, after.gold}};
}

}  // namespace sluice::app
