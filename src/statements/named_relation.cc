#include "statements/named_relation.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "base/text.h"
#include "sql/expressions/analysis_error.h"
#include "statements/session.h"
#include "storage/folders.h"

namespace sluice::statements {
namespace {

using Kind = NamedRelation::Kind;

/// `text` against a pattern of '*' and letters, both in lower case: each '*' takes as little as it
/// can, and more when what follows does not fit.
bool Fits(std::string_view text, std::string_view pattern) {
  size_t at = 0;
  size_t next = 0;
  size_t star = std::string_view::npos;
  size_t taken = 0;
  while (at < text.size()) {
    if (next < pattern.size() && pattern[next] == '*') {
      star = next++;
      taken = at;
    } else if (next < pattern.size() && (pattern[next] == text[at] || pattern[next] == '.')) {
      ++next;
      ++at;
    } else if (star != std::string_view::npos) {
      next = star + 1;
      at = ++taken;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', next) == std::string_view::npos;
}

std::string_view Trimmed(std::string_view text) {
  const size_t begin = std::min(text.find_first_not_of(" \t\n"), text.size());
  return text.substr(begin, text.find_last_not_of(" \t\n") + 1 - begin);
}

bool IsAlwaysThere(const StatementContext& context, const std::string& schema) {
  return schema == "default" || schema == LowerAscii(context.session.first_schema());
}

}  // namespace

const plan::ViewDefinition* NamedRelation::view() const {
  if (kind == Kind::kTemporaryView) return temporary;
  return kind == Kind::kView ? &*stored.view : nullptr;
}

bool IsGlobalKey(const std::string& key) {
  return key.starts_with(std::string(plan::kGlobalTemporarySchema) + ".");
}

std::string NameOfKey(const std::string& key) {
  return IsGlobalKey(key) ? key.substr(plan::kGlobalTemporarySchema.size() + 1) : key;
}

plan::ViewStore ViewsOf(const StatementContext& context) {
  return plan::ViewStore(context.storage, context.spec.engine.warehouse);
}

Result<NamedRelation> LookUp(const StatementContext& context, const sql::QualifiedName& name) {
  if (const auto key = plan::TemporaryViewKey(name.Texts())) {
    const auto found = context.session.views().find(*key);
    if (found != context.session.views().end()) {
      NamedRelation relation;
      relation.kind = Kind::kTemporaryView;
      relation.key = *key;
      relation.temporary = &found->second;
      return relation;
    }
  }
  return LookUpStored(context, name);
}

Result<NamedRelation> LookUpStored(const StatementContext& context,
                                   const sql::QualifiedName& name) {
  NamedRelation relation;
  SLUICE_ASSIGN_OR_RETURN(relation.location, Locate(context, name));
  SLUICE_ASSIGN_OR_RETURN(const bool table, context.tables.Exists(relation.location.path));
  if (table) {
    relation.kind = Kind::kTable;
    return relation;
  }
  if (!relation.location.name.has_value()) return relation;
  SLUICE_ASSIGN_OR_RETURN(relation.stored, ViewsOf(context).Read(*relation.location.name));
  if (relation.stored.view.has_value()) relation.kind = Kind::kView;
  return relation;
}

Result<bool> SchemaExists(const StatementContext& context, const std::string& schema) {
  if (IsAlwaysThere(context, schema)) return true;
  const auto definition = context.storage.Stat(SchemaPath(context, schema));
  if (definition.ok()) return true;
  if (!HasCode(definition.status(), "STORAGE_NOT_FOUND")) return definition.status();
  SLUICE_ASSIGN_OR_RETURN(const auto tables, ListTables(context, schema));
  if (!tables.empty()) return true;
  SLUICE_ASSIGN_OR_RETURN(const auto views, ViewsOf(context).List(schema));
  return !views.empty();
}

Result<std::string> ExistingSchema(const StatementContext& context, const sql::ParsedFile& file,
                                   const sql::QualifiedName& name) {
  const auto missing = [&] {
    return sql::AnalysisError(*file.source, name.span, "SCHEMA_NOT_FOUND",
                              "the schema " + name.ToString() + " cannot be found",
                              "SHOW SCHEMAS lists them; CREATE SCHEMA makes one");
  };
  const std::string schema = LowerAscii(name.last());
  const bool elsewhere =
      name.parts.size() > 2 ||
      (name.parts.size() == 2 && !EqualsIgnoreCase(name.parts[0].text, context.spec.catalog));
  if (elsewhere) return missing();
  // Refuses what cannot be the name of a folder.
  SLUICE_RETURN_NOT_OK(catalog::QualifyName({schema, "t"}, context.spec.catalog, schema).status());
  SLUICE_ASSIGN_OR_RETURN(const bool exists, SchemaExists(context, schema));
  if (!exists) return missing();
  return schema;
}

Result<std::vector<std::string>> ListSchemas(const StatementContext& context) {
  SLUICE_ASSIGN_OR_RETURN(const auto folders,
                          storage::ListFolders(context.storage, context.spec.engine.warehouse));
  std::set<std::string> schemas = {"default", LowerAscii(context.session.first_schema())};
  for (const std::string& folder : folders) {
    if (folder.starts_with("_") || folder.starts_with(".")) continue;
    SLUICE_ASSIGN_OR_RETURN(const bool exists, SchemaExists(context, folder));
    if (exists) schemas.insert(folder);
  }
  return std::vector<std::string>(schemas.begin(), schemas.end());
}

Result<std::vector<catalog::TableName>> ListTables(const StatementContext& context,
                                                   const std::string& schema) {
  const std::string folder = context.spec.engine.warehouse + "/" + schema;
  SLUICE_ASSIGN_OR_RETURN(const auto names, storage::ListFolders(context.storage, folder));
  std::vector<catalog::TableName> tables;
  for (const std::string& name : names) {
    if (name.starts_with("_") || name.starts_with(".")) continue;
    // A dropped table leaves its folders.
    SLUICE_ASSIGN_OR_RETURN(const bool exists, context.tables.Exists(folder + "/" + name));
    if (exists) tables.push_back({schema, name});
  }
  return tables;
}

std::string SchemaPath(const StatementContext& context, const std::string& schema) {
  return context.spec.engine.warehouse + "/" + schema + "/_schema.json";
}

Result<std::optional<SchemaDefinition>> ReadSchema(const StatementContext& context,
                                                   const std::string& schema) {
  const std::string path = SchemaPath(context, schema);
  const auto bytes = context.storage.Read(path);
  if (HasCode(bytes.status(), "STORAGE_NOT_FOUND")) return std::nullopt;
  SLUICE_RETURN_NOT_OK(bytes.status());
  SchemaDefinition definition;
  try {
    const auto json = nlohmann::json::parse(*bytes);
    if (json.contains("comment")) definition.comment = json.at("comment").get<std::string>();
    for (const auto& [key, value] : json.at("properties").items())
      definition.properties[key] = value.get<std::string>();
  } catch (const nlohmann::json::exception& error) {
    return MakeError(
        "SCHEMA_DEFINITION_CORRUPT",
        fmt::format("the definition of a schema cannot be read: {}: {}", path, error.what()),
        "delete the file, then create the schema again");
  }
  return definition;
}

std::string ToJson(const SchemaDefinition& schema) {
  nlohmann::json json = {{"format", 1}, {"properties", schema.properties}};
  if (schema.comment.has_value()) json["comment"] = *schema.comment;
  return json.dump(1, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

bool MatchesPattern(const std::string& name, const std::optional<std::string>& pattern) {
  if (!pattern.has_value()) return true;
  const std::string text = LowerAscii(name);
  const std::string patterns = LowerAscii(*pattern);
  for (size_t begin = 0; begin <= patterns.size();) {
    const size_t end = std::min(patterns.find('|', begin), patterns.size());
    if (Fits(text, Trimmed(std::string_view(patterns).substr(begin, end - begin)))) return true;
    begin = end + 1;
  }
  return false;
}

}  // namespace sluice::statements
