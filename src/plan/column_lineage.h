// Which columns the columns of a query come from: directly, and what decides which rows there are.
// Read off the analyzed plan, so views are looked through to the tables they read. Pure functions,
// any thread.
#pragma once

#include <set>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "plan/pipeline_analysis.h"
#include "sql/analysis/logical_plan.h"

namespace sluice::plan {

/// How a column depends on another one. The first three are direct: the value is made of it.
enum class Derivation {
  kIdentity,        // the same value
  kTransformation,  // computed from it, row by row
  kAggregation,     // computed from it over many rows
  kConditional,     // decides which value is taken: conditions of CASE and if
  kFilter,          // WHERE, HAVING, QUALIFY, FILTER, event time of a watermark
  kJoin,            // keys and conditions of a join, IN, EXISTS
  kGroupBy,         // keys of groups, DISTINCT, deduplication
  kSort,            // ORDER BY
  kWindow,          // PARTITION BY and ORDER BY of a window
};

/// "IDENTITY", "TRANSFORMATION", ...
std::string_view DerivationName(Derivation how);
inline bool IsDirect(Derivation how) { return how <= Derivation::kAggregation; }

/// A column of a table, as ScanNode names it, or of a source: "read_kafka(orders)".
struct ColumnOrigin {
  std::string dataset;
  std::string column;
  Derivation how = Derivation::kIdentity;

  bool operator<(const ColumnOrigin& other) const {
    return std::tie(dataset, column, how) < std::tie(other.dataset, other.column, other.how);
  }
  bool operator==(const ColumnOrigin& other) const = default;
};

struct ColumnLineage {
  std::vector<std::set<ColumnOrigin>> columns;  // of the plan's schema, in its order
  std::set<ColumnOrigin> rows;                  // what decides about all rows; indirect
};

/// The lineage of the plan's columns.
ColumnLineage FindColumnLineage(const sql::LogicalPlan& plan);
/// Of a dataset: of the view's query, or of all flows into the table.
ColumnLineage LineageOf(const AnalyzedPipeline& pipeline, const AnalyzedDataset& dataset);
/// Adds what another flow into the same columns depends on.
void Merge(const ColumnLineage& other, ColumnLineage* lineage);

}  // namespace sluice::plan
