#include "delta/upkeep/clustering.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "delta/columns/adapt_columns.h"
#include "delta/columns/column_mapping.h"
#include "delta/columns/schema_edit.h"
#include "delta/columns/value_ranges.h"
#include "delta/files/write_options.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/table_features.h"
#include "delta/protocol/write_properties.h"

namespace sluice::delta {
namespace {

constexpr size_t kMostColumns = 4;

/// Path by name of the column at a physical path; empty when there is none.
ColumnPath LogicalPath(const arrow::Schema& schema, const ColumnPath& physical) {
  ColumnPath path;
  arrow::FieldVector fields = schema.fields();
  for (const std::string& name : physical) {
    const auto it = std::find_if(fields.begin(), fields.end(),
                                 [&](const auto& field) { return PhysicalName(*field) == name; });
    if (it == fields.end()) return {};
    path.push_back((*it)->name());
    fields = arrow::FieldVector((*it)->type()->fields());
  }
  return path;
}

/// Appends the leaves of `fields` until there are `most` of them.
void AppendLeaves(const arrow::FieldVector& fields, ColumnPath* at, size_t most,
                  std::vector<ColumnPath>* leaves) {
  for (const auto& field : fields) {
    if (leaves->size() >= most) return;
    at->push_back(field->name());
    if (field->type()->id() == arrow::Type::STRUCT) {
      AppendLeaves(field->type()->fields(), at, most, leaves);
    } else {
      leaves->push_back(*at);
    }
    at->pop_back();
  }
}

/// True when `path` is `above` or lies below it.
bool IsWithin(const ColumnPath& path, const ColumnPath& above) {
  return above.size() <= path.size() && std::equal(above.begin(), above.end(), path.begin());
}

std::string Dotted(const std::vector<ColumnPath>& columns) {
  std::string text;
  for (const ColumnPath& column : columns) text += (text.empty() ? "" : ",") + DottedPath(column);
  return text;
}

/// `path` as the schema spells it. REQUIRES: it leads somewhere.
ColumnPath Spelled(const arrow::Schema& schema, const ColumnPath& path) {
  ColumnPath spelled;
  for (const auto& field : FieldsAlong(schema.fields(), path)) spelled.push_back(field->name());
  return spelled;
}

}  // namespace

std::vector<ColumnPath> StatisticsColumns(const arrow::Schema& schema,
                                          const std::vector<std::string>& partition_columns,
                                          const StringMap& configuration) {
  std::vector<ColumnPath> columns;
  const auto listed = WritePropertiesOf(configuration).stats_columns;
  if (listed.has_value()) {
    for (const ColumnPath& path : *listed) {
      if (FindField(schema.fields(), path) != nullptr) columns.push_back(Spelled(schema, path));
    }
    return columns;
  }
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (std::find(partition_columns.begin(), partition_columns.end(), field->name()) ==
        partition_columns.end())
      fields.push_back(field);
  }
  const int32_t indexed = UsableTableProperties(configuration).num_indexed_columns;
  ColumnPath at;
  AppendLeaves(fields, &at, indexed < 0 ? SIZE_MAX : static_cast<size_t>(indexed), &columns);
  return columns;
}

bool HasStatistics(const arrow::Schema& schema, const std::vector<std::string>& partition_columns,
                   const StringMap& configuration, const ColumnPath& path) {
  const auto columns = StatisticsColumns(schema, partition_columns, configuration);
  const ColumnPath spelled = Spelled(schema, path);
  return std::any_of(columns.begin(), columns.end(),
                     [&](const ColumnPath& chosen) { return IsWithin(spelled, chosen); });
}

std::string ColumnsJson(const std::vector<ColumnPath>& columns) {
  std::vector<std::string> names;
  for (const ColumnPath& column : columns) names.push_back(DottedPath(column));
  return NamesJson(names);
}

bool IsClustered(const Snapshot& snapshot) {
  return snapshot.protocol().HasWriterFeature("clustering") &&
         snapshot.domain_metadata().contains(kClusteringDomain);
}

Result<std::vector<ColumnPath>> ClusteringColumns(const Snapshot& snapshot) {
  std::vector<ColumnPath> columns;
  if (!IsClustered(snapshot)) return columns;
  const std::string& text = snapshot.domain_metadata().at(kClusteringDomain).configuration;
  const auto corrupt = [&] {
    return MakeError("DELTA_LOG_CORRUPT", "metadata domain delta.clustering of " +
                                              snapshot.table_path() + " names no columns: " + text);
  };
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object() || !json.contains("clusteringColumns")) return corrupt();
  for (const auto& path : json["clusteringColumns"]) {
    ColumnPath physical;
    if (!path.is_array()) return corrupt();
    for (const auto& name : path) {
      if (!name.is_string()) return corrupt();
      physical.push_back(name.get<std::string>());
    }
    columns.push_back(LogicalPath(*snapshot.schema(), physical));
    if (columns.back().empty()) return corrupt();
  }
  return columns;
}

DomainMetadata ClusteringDomain(const arrow::Schema& schema,
                                const std::vector<ColumnPath>& columns) {
  nlohmann::json paths = nlohmann::json::array();
  for (const ColumnPath& column : columns) {
    nlohmann::json path = nlohmann::json::array();
    for (const auto& field : FieldsAlong(schema.fields(), column))
      path.push_back(PhysicalName(*field));
    paths.push_back(std::move(path));
  }
  const nlohmann::json json = {{"clusteringColumns", std::move(paths)},
                               {"domainName", kClusteringDomain}};
  return {kClusteringDomain, json.dump(), false};
}

Status CheckClusteringColumns(const arrow::Schema& schema, const StringMap& configuration,
                              const std::vector<ColumnPath>& columns) {
  if (columns.size() > kMostColumns) {
    return MakeError("DELTA_CLUSTER_BY_INVALID_NUM_COLUMNS",
                     "a table is clustered by " + std::to_string(kMostColumns) +
                         " columns at most, not by " + std::to_string(columns.size()),
                     "leave out columns that queries filter by least");
  }
  for (const ColumnPath& column : columns) {
    const auto field = FindField(schema.fields(), column);
    if (field == nullptr) {
      return MakeError("DELTA_COLUMN_NOT_FOUND_IN_SCHEMA",
                       "the table has no column " + DottedPath(column) + " to be clustered by");
    }
    if (!OrderedColumn::Has(*field->type()) || field->type()->id() == arrow::Type::BINARY ||
        field->type()->id() == arrow::Type::BOOL) {
      return MakeError("DELTA_CLUSTERING_COLUMNS_DATATYPE_NOT_SUPPORTED",
                       "files cannot be skipped by column " + DottedPath(column) + " of type " +
                           field->type()->ToString() + ": it cannot be clustered by");
    }
    if (!HasStatistics(schema, {}, configuration, column)) {
      return MakeError("DELTA_CLUSTERING_COLUMN_MISSING_STATS",
                       "files have no statistics of column " + DottedPath(column),
                       "add it to delta.dataSkippingStatsColumns");
    }
  }
  return Status::OK();
}

Result<CommitResult> SetClustering(Table& table, const std::vector<ColumnPath>& columns) {
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, table.Update());
  Transaction transaction = table.NewTransaction(snapshot);
  SLUICE_RETURN_NOT_OK(BeginWrite(WriteOptions(), &transaction).status());
  if (!snapshot->partition_columns().empty()) {
    return MakeError("DELTA_ALTER_TABLE_CLUSTER_BY_ON_PARTITIONED_TABLE_NOT_ALLOWED",
                     "a partitioned table cannot be clustered: " + table.path(),
                     "make a table that is not partitioned, or use OPTIMIZE ... ZORDER BY");
  }
  SLUICE_ASSIGN_OR_RETURN(const auto before, ClusteringColumns(*snapshot));
  SLUICE_RETURN_NOT_OK(
      CheckClusteringColumns(*snapshot->schema(), snapshot->metadata().configuration, columns));
  const Protocol protocol =
      ProtocolFor(*snapshot->schema(), snapshot->properties(),
                  {{"delta.feature.clustering", "supported"}}, snapshot->protocol());
  transaction.SetRulesChecked();
  if (!(protocol == snapshot->protocol())) transaction.SetProtocol(protocol);
  transaction.SetDomainMetadata(ClusteringDomain(*snapshot->schema(), columns));
  transaction.SetOperation("CLUSTER BY", {{"oldClusteringColumns", Dotted(before)},
                                          {"newClusteringColumns", Dotted(columns)}});
  return transaction.Commit();
}

}  // namespace sluice::delta
