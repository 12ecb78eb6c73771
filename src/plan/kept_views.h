// The views that a project defines with CREATE VIEW, kept in the warehouse so that ad hoc SQL and
// other projects can read them. Done when a run begins; the tables that they read may come later.
#pragma once

#include "delta/log/table.h"
#include "plan/pipeline_analysis.h"
#include "plan/view_store.h"

namespace sluice::plan {

/// Writes the views that are not there, or not like that. EXPECT_VIEW_NOT_TABLE where there is a
/// table.
Status KeepViews(const ProjectSpec& spec, const AnalyzedPipeline& pipeline,
                 const PipelineGraph& graph, const ViewStore& store, delta::TableRegistry& tables,
                 TimestampMicros now);

}  // namespace sluice::plan
