// A view as it is kept: the text of its query, what names without a schema mean in it, and the
// columns it had when it was made. Plain data; reading and writing are pure functions.
#pragma once

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::plan {

struct ViewColumn {
  std::string name;
  std::string query_name;  // what the query calls it
  std::shared_ptr<arrow::DataType> type;
  std::optional<std::string> comment;
};

struct ViewDefinition {
  std::string query;   // as it was written
  std::string schema;  // of names without one
  std::vector<ViewColumn> columns;
  std::optional<std::string> comment;
  std::map<std::string, std::string> properties;
  /// The temporary views that the query means, by key of TemporaryViews; only a temporary view
  /// has any.
  std::vector<std::string> temporary_views;
  int64_t created_ms = 0;
};

/// Views that last as long as a session, by name in lower case; "global_temp.name" the global ones.
using TemporaryViews = std::map<std::string, ViewDefinition>;

inline constexpr std::string_view kGlobalTemporarySchema = "global_temp";

/// The key of a name that may be one of a temporary view: `v`, `global_temp.v`. Nothing: it cannot.
std::optional<std::string> TemporaryViewKey(const std::vector<std::string>& parts);

/// The columns of a query as those of a view over it, with their comments.
std::vector<ViewColumn> ViewColumnsOf(const arrow::Schema& query);

/// The JSON that docs/decisions/0006-views.md describes. VIEW_DEFINITION_CORRUPT.
std::string ToJson(const ViewDefinition& view);
Result<ViewDefinition> ViewFromJson(const std::string& json);

/// Whether both show the same: all but the time they were made at.
bool SameView(const ViewDefinition& a, const ViewDefinition& b);

}  // namespace sluice::plan
