#include "plan/view_definition.h"

#include <arrow/type.h>

#include <nlohmann/json.hpp>

#include "base/text.h"
#include "plan/column_comment.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::plan {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Status Corrupt(const std::string& what) {
  return MakeError("VIEW_DEFINITION_CORRUPT", "the definition of a view cannot be read: " + what,
                   "create the view again with CREATE OR REPLACE VIEW");
}

Json ToJsonColumn(const ViewColumn& column) {
  Json json = {{"name", column.name},
               {"queryName", column.query_name},
               {"type", sql::SparkTypeSql(*column.type)}};
  if (column.comment.has_value()) json["comment"] = *column.comment;
  return json;
}

Result<ViewColumn> ColumnFromJson(const Json& json) {
  ViewColumn column;
  column.name = json.at("name").get<std::string>();
  column.query_name = json.at("queryName").get<std::string>();
  SLUICE_ASSIGN_OR_RETURN(column.type, sql::ParseDataType(json.at("type").get<std::string>()));
  if (json.contains("comment")) column.comment = json.at("comment").get<std::string>();
  return column;
}

Result<ViewDefinition> FromJson(const Json& json) {
  if (json.at("format").get<int>() != kFormat)
    return Corrupt("its format " + json.at("format").dump() + " is not known");
  ViewDefinition view;
  view.query = json.at("query").get<std::string>();
  view.schema = json.at("schema").get<std::string>();
  view.created_ms = json.at("createdTime").get<int64_t>();
  if (json.contains("comment")) view.comment = json.at("comment").get<std::string>();
  for (const auto& [key, value] : json.at("properties").items())
    view.properties[key] = value.get<std::string>();
  for (const Json& one : json.at("columns")) {
    SLUICE_ASSIGN_OR_RETURN(ViewColumn column, ColumnFromJson(one));
    view.columns.push_back(std::move(column));
  }
  return view;
}

}  // namespace

std::optional<std::string> TemporaryViewKey(const std::vector<std::string>& parts) {
  if (parts.size() == 1) return LowerAscii(parts[0]);
  if (parts.size() == 2 && EqualsIgnoreCase(parts[0], kGlobalTemporarySchema))
    return std::string(kGlobalTemporarySchema) + "." + LowerAscii(parts[1]);
  return std::nullopt;
}

std::vector<ViewColumn> ViewColumnsOf(const arrow::Schema& query) {
  std::vector<ViewColumn> columns;
  for (const auto& field : query.fields())
    columns.push_back({field->name(), field->name(), field->type(), CommentOf(*field)});
  return columns;
}

std::string ToJson(const ViewDefinition& view) {
  Json json = {{"format", kFormat},
               {"query", view.query},
               {"schema", view.schema},
               {"columns", Json::array()}};
  for (const ViewColumn& column : view.columns) json["columns"].push_back(ToJsonColumn(column));
  if (view.comment.has_value()) json["comment"] = *view.comment;
  json["properties"] = Json::object();
  for (const auto& [key, value] : view.properties) json["properties"][key] = value;
  json["createdTime"] = view.created_ms;
  // What is not UTF-8 in a text that came from a terminal is replaced, not thrown at.
  return json.dump(1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<ViewDefinition> ViewFromJson(const std::string& json) {
  try {
    return FromJson(Json::parse(json));
  } catch (const Json::exception& error) {
    return Corrupt(error.what());
  }
}

bool SameView(const ViewDefinition& a, const ViewDefinition& b) {
  ViewDefinition other = b;
  other.created_ms = a.created_ms;
  return ToJson(a) == ToJson(other);
}

}  // namespace sluice::plan
