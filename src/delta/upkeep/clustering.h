// Clustering columns of a table (liquid clustering): which columns OPTIMIZE lays the rows out by.
// They are kept in a metadata domain, by physical name. Thread-safe but for
// SetClustering (call from any one thread).
#pragma once

#include <arrow/type.h>

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/table.h"

namespace sluice::delta {

using ColumnPath = std::vector<std::string>;

/// The metadata domain.
inline constexpr char kClusteringDomain[] = "delta.clustering";

/// True when the table is clustered, be it by no column for now (CLUSTER BY NONE).
bool IsClustered(const Snapshot& snapshot);
/// By name in the table; empty when it is clustered by none. DELTA_LOG_CORRUPT.
Result<std::vector<ColumnPath>> ClusteringColumns(const Snapshot& snapshot);

/// ALTER TABLE ... CLUSTER BY (columns); no columns = NONE. Files stay as they are: OPTIMIZE lays
/// them out. DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED and what
/// CheckClusteringColumns says.
Result<CommitResult> SetClustering(Table& table, const std::vector<ColumnPath>& columns);

/// DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS (four at most), DELTA_COLUMN_NOT_FOUND_IN_SCHEMA,
/// DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED, DELTA_CLUSTERING_COLUMN_MISSING_STATS.
Status CheckClusteringColumns(const arrow::Schema& schema, const StringMap& configuration,
                              const std::vector<ColumnPath>& columns);
/// The domain for `columns` of `schema` (which has its physical names by now).
DomainMetadata ClusteringDomain(const arrow::Schema& schema,
                                const std::vector<ColumnPath>& columns);

/// The columns, or structs of columns, that files which are written get statistics of.
std::vector<ColumnPath> StatisticsColumns(const arrow::Schema& schema,
                                          const std::vector<std::string>& partition_columns,
                                          const StringMap& configuration);
/// True when files that are written get minima and maxima of the column at `path`.
bool HasStatistics(const arrow::Schema& schema, const std::vector<std::string>& partition_columns,
                   const StringMap& configuration, const ColumnPath& path);
/// ["a","b.c"] as commitInfo and tags show columns.
std::string ColumnsJson(const std::vector<ColumnPath>& columns);

}  // namespace sluice::delta
