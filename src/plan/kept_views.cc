#include "plan/kept_views.h"

#include "plan/column_comment.h"

namespace sluice::plan {
namespace {

ViewDefinition DefinitionOf(const AnalyzedDataset& dataset, const FlowDefinition& flow) {
  const DatasetDefinition& definition = *dataset.definition;
  const auto& named = definition.options.columns;
  ViewDefinition view;
  view.query = std::string(flow.site.source->Slice(flow.query.span));
  view.schema = flow.site.default_schema;
  view.comment = definition.options.comment;
  for (const sql::Property& property : definition.options.properties)
    view.properties[property.key] = property.value;
  // A column list is a projection over the query.
  view.columns =
      ViewColumnsOf(*CommentedSchema(named.empty() ? *dataset.view : *dataset.view->input()));
  for (size_t i = 0; i < named.size(); ++i) {
    view.columns[i].name = named[i].name.text;
    if (named[i].comment.has_value()) view.columns[i].comment = named[i].comment;
  }
  return view;
}

}  // namespace

Status KeepViews(const ProjectSpec& spec, const AnalyzedPipeline& pipeline,
                 const PipelineGraph& graph, const ViewStore& store, delta::TableRegistry& tables,
                 TimestampMicros now) {
  for (const AnalyzedDataset& dataset : pipeline.datasets) {
    if (dataset.definition->kind != DatasetKind::kView) continue;
    const catalog::TableName& name = dataset.definition->name;
    SLUICE_ASSIGN_OR_RETURN(const bool table,
                            tables.Exists(catalog::TablePath(spec.engine.warehouse, name)));
    if (table)
      return DefinitionError("EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE", dataset.definition->site,
                             dataset.definition->span,
                             "there is a table where the view shall be: " + name.ToString(),
                             "drop the table, or give the view another name");
    ViewDefinition view = DefinitionOf(dataset, *graph.FlowsInto(name).front());
    SLUICE_ASSIGN_OR_RETURN(const ViewStore::Entry before, store.Read(name));
    if (before.view.has_value() && SameView(*before.view, view)) continue;
    view.created_ms = before.view.has_value() ? before.view->created_ms : now / 1000;
    SLUICE_RETURN_NOT_OK(store.Write(name, before, view));
  }
  return Status::OK();
}

}  // namespace sluice::plan
