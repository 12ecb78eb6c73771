// Which columns of a table hold what a record of a topic was and where it stood, as flows passed
// them on: what a quarantined row shows beside the table's version. Pure functions.
#pragma once

#include <arrow/type.h>

#include <string>

#include "batch/batch.h"
#include "plan/pipeline_analysis.h"

namespace sluice::plan {

/// Positions in `schema`, some columns of table `dataset` (a name as ScanNode has it). A column
/// counts when every flow into the table passes the same column of a topic on into it, unchanged,
/// through any number of tables of the pipeline. None when the pipeline does not write the table.
RecordColumns CarriedRecord(const AnalyzedPipeline& pipeline, const std::string& dataset,
                            const arrow::Schema& schema);

}  // namespace sluice::plan
