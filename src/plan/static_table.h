// The static side of a stream-static join: a bounded query whose result is computed anew when a
// table it reads changed.
#pragma once

#include "base/clock.h"
#include "base/status.h"
#include "delta/log/table.h"
#include "operators/static_join_operator.h"
#include "plan/project_spec.h"
#include "sql/execution/query_runner.h"

namespace sluice::plan {

/// The provider is thread-safe. Tables written by others are looked at once a second. `tables`,
/// `runner` and `clock` outlive the provider.
Result<operators::StaticTableProvider> MakeStaticTable(const sql::PlanPtr& plan,
                                                       const ProjectSpec& spec,
                                                       delta::TableRegistry& tables,
                                                       sql::QueryRunner& runner, Clock& clock);

}  // namespace sluice::plan
