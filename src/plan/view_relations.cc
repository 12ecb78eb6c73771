// Views in queries: the query of a view is analyzed where its name stands. Part of RelationCatalog.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "plan/column_comment.h"
#include "plan/relation_catalog.h"
#include "sql/expressions/type_coercion.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/parser.h"

namespace sluice::plan {
namespace {

using Relation = std::optional<sql::ResolvedRelation>;

constexpr int kViewsInViewsMax = 100;  // as in Spark

/// The positions in `schema` of the columns that the query of a view calls `name`.
std::vector<int> PositionsOf(const arrow::Schema& schema, const std::string& name) {
  std::vector<int> positions;
  for (int i = 0; i < schema.num_fields(); ++i) {
    if (EqualsIgnoreCase(schema.field(i)->name(), name)) positions.push_back(i);
  }
  return positions;
}

/// `plan` under the columns of `view`: a query that gives more, or in another order, shows the
/// same.
Result<sql::PlanPtr> WithColumnsOf(const ViewDefinition& view, const std::string& name,
                                   const sql::PlanPtr& plan) {
  auto project = std::make_shared<sql::ProjectNode>();
  arrow::FieldVector fields;
  std::map<std::string, size_t> used;
  for (const ViewColumn& column : view.columns) {
    const std::string key = LowerAscii(column.query_name);
    const std::vector<int> positions = PositionsOf(*plan->schema, key);
    const auto wanted = static_cast<size_t>(std::count_if(
        view.columns.begin(), view.columns.end(),
        [&](const ViewColumn& other) { return EqualsIgnoreCase(other.query_name, key); }));
    if (positions.size() != wanted)
      return MakeError(
          "INCOMPATIBLE_VIEW_SCHEMA_CHANGE",
          fmt::format("the view {} needs {} columns `{}` of its query, which now gives {}", name,
                      wanted, column.query_name, positions.size()),
          "create the view again with CREATE OR REPLACE VIEW");
    const int position = positions[used[key]++];
    const arrow::Field& source = *plan->schema->field(position);
    sql::BoundPtr value = sql::MakeColumn(position, source);
    if (!source.type()->Equals(*column.type)) {
      if (!sql::CanCast(*source.type(), *column.type))
        return MakeError("DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION",
                         fmt::format("the column `{}` of the view {} was of the type \"{}\"; its "
                                     "query now gives \"{}\"",
                                     column.name, name, sql::SparkTypeSql(*column.type),
                                     sql::SparkTypeSql(*source.type())),
                         "create the view again with CREATE OR REPLACE VIEW");
      value = sql::MakeCast(value, column.type);
    }
    project->expressions.push_back(std::move(value));
    fields.push_back(
        WithComment(*source.WithName(column.name)->WithType(column.type), column.comment));
  }
  project->schema = arrow::schema(std::move(fields));
  project->inputs = {plan};
  project->is_streaming = plan->is_streaming;
  return sql::PlanPtr(std::move(project));
}

}  // namespace

const ViewDefinition* RelationCatalog::FindTemporary(const std::string& key) const {
  if (views_.temporary == nullptr) return nullptr;
  // In the query of a view a name means what it meant when the view was made.
  const auto means = [&](const ViewDefinition& view) {
    return std::find(view.temporary_views.begin(), view.temporary_views.end(), key) !=
           view.temporary_views.end();
  };
  if (inside_ != nullptr && !means(*inside_)) return nullptr;
  const auto found = views_.temporary->find(key);
  return found == views_.temporary->end() ? nullptr : &found->second;
}

Result<Relation> RelationCatalog::ResolveTemporary(const std::vector<std::string>& parts,
                                                   bool stream) {
  const auto key = TemporaryViewKey(parts);
  const ViewDefinition* view = key.has_value() ? FindTemporary(*key) : nullptr;
  if (view == nullptr) return Relation();
  read_.temporary.insert(*key);
  return PutInPlace(*key, *view, stream);
}

Result<Relation> RelationCatalog::ResolveStored(const catalog::TableName& name, bool stream) {
  if (views_.stored == nullptr) return Relation();
  SLUICE_ASSIGN_OR_RETURN(const ViewStore::Entry entry, views_.stored->Read(name));
  if (!entry.view.has_value()) return Relation();
  return PutInPlace(name.ToString(), *entry.view, stream);
}

Result<Relation> RelationCatalog::PutInPlace(const std::string& name, const ViewDefinition& view,
                                             bool stream) {
  if (stream)
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: a view as a stream: " + name,
                     "read it without STREAM, or name the table that it reads");
  if (depth_ >= kViewsInViewsMax)
    return MakeError("VIEW_EXCEED_MAX_NESTED_DEPTH",
                     fmt::format("the view {} is in more than {} views", name, kViewsInViewsMax),
                     "do the views read each other in a circle?");
  const sql::SourceText source("view " + name, view.query);
  SLUICE_ASSIGN_OR_RETURN(const sql::Query query, sql::ParseQuery(source));
  RelationCatalog inner(spec_, tables_, datasets_, view.schema, views_, variants_);
  inner.inside_ = &view;
  inner.depth_ = depth_ + 1;
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                          sql::Analyzer(inner, source, views_.analyzer).AnalyzeQuery(query));
  read_.all.insert(name);
  read_.all.insert(inner.read_.all.begin(), inner.read_.all.end());
  SLUICE_ASSIGN_OR_RETURN(sql::PlanPtr shown, WithColumnsOf(view, name, plan));
  return Relation(sql::ResolvedRelation{name, shown->schema, shown});
}

}  // namespace sluice::plan
