#include "flow/operator.h"

namespace sluice::flow {

Status Operator::OnEpochEnd(const EpochContext&, Collector*) { return Status::OK(); }
Status Operator::OnCommit(EpochNumber, TableVersion, TimestampMicros) { return Status::OK(); }
Status Operator::OnAbort(EpochNumber) { return Status::OK(); }
Status Operator::SaveState(arrow::io::OutputStream*) { return Status::OK(); }
Status Operator::LoadState(arrow::io::InputStream*) { return Status::OK(); }
Status Operator::ClearState() { return Status::OK(); }

}  // namespace sluice::flow
