// Names of tables and where they live: table s.t is the folder <warehouse>/s/t. Plain data.
#pragma once

#include <compare>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::catalog {

/// Lower-cased: names compare without case, as in Spark.
struct TableName {
  std::string schema;
  std::string table;
  auto operator<=>(const TableName&) const = default;
  std::string ToString() const { return schema + "." + table; }
};

/// One, two or three parts (catalog.schema.table; the catalog must be `catalog`). Errors:
/// TABLE_OR_VIEW_NOT_FOUND for another catalog, INVALID_IDENTIFIER for an empty part or one that
/// cannot be a folder name ('/', '..').
Result<TableName> QualifyName(const std::vector<std::string>& parts, const std::string& catalog,
                              const std::string& default_schema);

/// The same for a name as people type it: parts between dots.
Result<TableName> QualifyDottedName(const std::string& name, const std::string& catalog,
                                    const std::string& default_schema);

/// The folder of a table.
std::string TablePath(const std::string& warehouse, const TableName& name);

/// Where a table lies that a statement names: delta.`/path`, or a name of the catalog.
struct TableLocation {
  std::string path;
  std::optional<TableName> name;  // nothing: it is named by its path
};

/// Errors as QualifyName.
Result<TableLocation> LocateTable(const std::vector<std::string>& parts,
                                  const std::string& warehouse, const std::string& catalog,
                                  const std::string& default_schema);

}  // namespace sluice::catalog
