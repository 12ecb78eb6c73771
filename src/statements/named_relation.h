// What a name of ad hoc SQL stands for: a table, a view, a temporary view; and what there is in the
// warehouse: schemas, their tables and views.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "plan/view_store.h"
#include "statements/statement_context.h"

namespace sluice::statements {

struct NamedRelation {
  enum class Kind : uint8_t { kNone, kTable, kView, kTemporaryView };
  Kind kind = Kind::kNone;
  catalog::TableLocation location;  // of tables and views, and where there is nothing
  std::string key;                  // kTemporaryView: of Session::views()
  plan::ViewStore::Entry stored;    // what the view store has at the name
  const plan::ViewDefinition* temporary = nullptr;

  /// The view; null for what is none.
  const plan::ViewDefinition* view() const;
  bool IsView() const { return view() != nullptr; }
};

Result<NamedRelation> LookUp(const StatementContext& context, const sql::QualifiedName& name);
/// Likewise, without the temporary views.
Result<NamedRelation> LookUpStored(const StatementContext& context, const sql::QualifiedName& name);

/// Whether a key of Session::views() is that of a global view, and the name without the schema.
bool IsGlobalKey(const std::string& key);
std::string NameOfKey(const std::string& key);

plan::ViewStore ViewsOf(const StatementContext& context);

/// Whether the schema has a definition, a table or a view; the session's first one, and `default`,
/// always exist.
Result<bool> SchemaExists(const StatementContext& context, const std::string& schema);
/// The schema of `schema`, `catalog.schema`, in lower case. SCHEMA_NOT_FOUND at its place.
Result<std::string> ExistingSchema(const StatementContext& context, const sql::ParsedFile& file,
                                   const sql::QualifiedName& name);
/// In lower case, sorted.
Result<std::vector<std::string>> ListSchemas(const StatementContext& context);
Result<std::vector<catalog::TableName>> ListTables(const StatementContext& context,
                                                   const std::string& schema);

/// What CREATE SCHEMA says of a schema: the file <warehouse>/<schema>/_schema.json.
struct SchemaDefinition {
  std::optional<std::string> comment;
  std::map<std::string, std::string> properties;
};
std::string SchemaPath(const StatementContext& context, const std::string& schema);
/// Nothing when there is no definition: the schema is there because of what is in it, or not.
Result<std::optional<SchemaDefinition>> ReadSchema(const StatementContext& context,
                                                   const std::string& schema);
std::string ToJson(const SchemaDefinition& schema);

/// LIKE of SHOW: alternatives between '|', '*' for anything, without case.
bool MatchesPattern(const std::string& name, const std::optional<std::string>& pattern);

}  // namespace sluice::statements
