// What the analyzer asks its owner: which relations and table functions there are. Called from the
// analyzing thread.
#pragma once

#include <arrow/type.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "sql/analysis/logical_plan.h"

namespace sluice::sql {

/// A name in FROM. Either a table with a schema, or (views) a plan to put in its place.
struct ResolvedRelation {
  std::string name;  // canonical: what ScanNode::dataset becomes
  std::shared_ptr<arrow::Schema> schema;
  PlanPtr plan;                         // when set, the relation is inlined
  std::optional<int64_t> version = {};  // as ScanNode has them
  std::optional<VersionRange> changes = {};
};

/// A version of a table as a query gives it: its number, or a time at which it was the newest.
struct TableMoment {
  bool by_timestamp = false;
  BoundPtr value;  // a constant: BIGINT, or TIMESTAMP
};

struct ResolvedTableFunction {
  std::shared_ptr<arrow::Schema> schema;
  bool is_streaming = false;  // with STREAM in front, or always
};

class RelationResolver {
 public:
  virtual ~RelationResolver() = default;
  /// `parts` as spelled ("silver", "events"); `stream` = read by STREAM. Nothing = no such relation
  /// (TABLE_OR_VIEW_NOT_FOUND); an error = found, but it cannot be read like that.
  virtual Result<std::optional<ResolvedRelation>> ResolveRelation(
      const std::vector<std::string>& parts, bool stream) = 0;
  /// `function` in lower case, arguments as in TableFunctionNode. Nothing = no such function.
  virtual Result<std::optional<ResolvedTableFunction>> ResolveTableFunction(
      const std::string& function, const std::map<std::string, std::string>& args, bool stream) = 0;
  /// `parts` as it was at `moment`. Nothing = no such relation.
  virtual Result<std::optional<ResolvedRelation>> ResolveVersion(
      const std::vector<std::string>& parts, const TableMoment& moment);
  /// The changes of a table between two versions, both inclusive; `to` null: up to the newest.
  virtual Result<std::optional<ResolvedRelation>> ResolveChanges(
      const std::vector<std::string>& parts, const TableMoment& from, const TableMoment* to);
  /// Names for the suggestions of TABLE_OR_VIEW_NOT_FOUND.
  virtual std::vector<std::string> KnownRelations() { return {}; }
};

/// Columns of read_kafka; `headers` only when asked for.
std::shared_ptr<arrow::Schema> KafkaSchema(bool include_headers);

}  // namespace sluice::sql
