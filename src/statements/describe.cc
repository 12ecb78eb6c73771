// DESCRIBE HISTORY, DESCRIBE DETAIL.
#include <limits>

#include "statements/statements_internal.h"
#include "statements/table_rows.h"

namespace sluice::statements {

Result<RowReader> RunDescribe(Job& job, const sql::DescribeStatement& describe) {
  SLUICE_ASSIGN_OR_RETURN(const auto table, OpenTable(job.context, job.file, describe.name));
  if (describe.kind == sql::DescribeStatement::Kind::kHistory) {
    const auto limit = describe.limit.value_or(std::numeric_limits<int64_t>::max());
    SLUICE_ASSIGN_OR_RETURN(const auto versions, table->History(static_cast<size_t>(limit)));
    return HistoryRows(versions);
  }
  SLUICE_ASSIGN_OR_RETURN(const auto location, Locate(job.context, describe.name));
  const std::string name =
      location.name.has_value() ? job.context.spec.catalog + "." + location.name->ToString() : "";
  return DetailRow(*table->Current(), name);
}

}  // namespace sluice::statements
