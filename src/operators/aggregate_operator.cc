#include "operators/aggregate_operator.h"

#include <algorithm>

#include "operators/group_table.h"
#include "operators/spilled_groups.h"

namespace sluice::operators {

struct AggregateOperator::EpochDelta {
  EpochNumber epoch;
  std::unique_ptr<GroupTable> groups;
};

namespace {

constexpr size_t kSpareTables = 2;

/// Fills in result types that the planner left open.
Status CompleteSpecs(AggregateOptions* options) {
  for (AggregateSpec& spec : options->aggregates) {
    if (spec.result_type != nullptr) continue;
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const int column : spec.arguments)
      types.push_back(options->input_schema->field(column)->type());
    SLUICE_ASSIGN_OR_RETURN(spec.result_type, ResultType(spec, types));
  }
  return Status::OK();
}

std::shared_ptr<arrow::Schema> OutputSchema(const AggregateOptions& options) {
  arrow::FieldVector fields;
  for (size_t i = 0; i < options.key_columns.size(); ++i) {
    auto field = options.input_schema->field(options.key_columns[i]);
    fields.push_back(options.key_names.empty() ? field : field->WithName(options.key_names[i]));
  }
  for (const AggregateSpec& spec : options.aggregates)
    fields.push_back(arrow::field(spec.name, spec.result_type));
  return arrow::schema(std::move(fields));
}

GroupLayout LayoutOf(const AggregateOptions& options) {
  return {.input_schema = options.input_schema,
          .key_columns = options.key_columns,
          .aggregates = options.aggregates,
          .options = {.max_collected = options.max_collected}};
}

/// "type = 'a', region = NULL": the group that an error is about.
std::string DescribeGroup(const arrow::ArrayVector& keys, const arrow::Schema& schema,
                          int64_t group) {
  std::string text;
  for (size_t i = 0; i < keys.size(); ++i) {
    const auto value = keys[i]->GetScalar(group);
    if (!text.empty()) text += ", ";
    text += schema.field(static_cast<int>(i))->name() + " = " +
            (value.ok() ? (*value)->ToString() : "?");
  }
  return text.empty() ? "of all rows" : text;
}

}  // namespace

AggregateOperator::AggregateOperator(AggregateOptions options,
                                     std::shared_ptr<arrow::Schema> schema)
    : options_(std::move(options)), schema_(std::move(schema)) {}

AggregateOperator::~AggregateOperator() = default;

Result<std::unique_ptr<AggregateOperator>> AggregateOperator::Make(AggregateOptions options) {
  SLUICE_RETURN_NOT_OK(CompleteSpecs(&options));
  auto schema = OutputSchema(options);
  std::unique_ptr<AggregateOperator> made(
      new AggregateOperator(std::move(options), std::move(schema)));
  SLUICE_ASSIGN_OR_RETURN(made->committed_, GroupTable::Make(LayoutOf(made->options_)));
  made->spilled_ = std::make_unique<SpilledGroups>(made->options_.spill_folder);
  return made;
}

Result<AggregateOperator::EpochDelta*> AggregateOperator::DeltaOf(EpochNumber epoch) {
  if (!in_flight_.empty() && in_flight_.back().epoch == epoch) return &in_flight_.back();
  EpochDelta delta{epoch, nullptr};
  if (!spare_.empty()) {
    delta.groups = std::move(spare_.back());
    spare_.pop_back();
  } else {
    SLUICE_ASSIGN_OR_RETURN(delta.groups, GroupTable::Make(LayoutOf(options_)));
  }
  in_flight_.push_back(std::move(delta));
  return &in_flight_.back();
}

void AggregateOperator::Recycle(std::unique_ptr<GroupTable> groups) {
  if (spare_.size() >= kSpareTables) return;
  groups->Clear();
  spare_.push_back(std::move(groups));
}

Status AggregateOperator::ProcessBatch(const flow::EpochContext& epoch, const Batch& batch,
                                       flow::Collector*) {
  if (batch.num_rows() == 0) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(EpochDelta * delta, DeltaOf(epoch.number));
  return delta->groups->Update(*batch.rows);
}

Status AggregateOperator::OnEpochEnd(const flow::EpochContext& epoch, flow::Collector* out) {
  // Without keys there is one row even over nothing.
  if (options_.key_columns.empty() && num_groups() == 0 && in_flight_.empty()) {
    SLUICE_ASSIGN_OR_RETURN(EpochDelta * delta, DeltaOf(epoch.number));
    delta->groups->AddSingleGroup();
  }
  if (in_flight_.empty() || in_flight_.back().epoch != epoch.number) return Status::OK();
  if (!epoch.rebuilding) {
    SLUICE_RETURN_NOT_OK(spilled_->Recall(in_flight_.back().groups->hashes(), committed_.get()));
  }
  SLUICE_RETURN_NOT_OK(CheckLimit());
  if (epoch.rebuilding) return Status::OK();
  return EmitChanged(out);
}

/// The groups of the newest delta: each is committed + older deltas + its own.
Status AggregateOperator::EmitChanged(flow::Collector* out) {
  const GroupTable& changed = *in_flight_.back().groups;
  std::vector<const GroupTable*> tables = {committed_.get()};
  for (const EpochDelta& delta : in_flight_) tables.push_back(delta.groups.get());
  std::vector<std::vector<uint32_t>> group_of(tables.size());
  for (size_t t = 0; t < tables.size(); ++t) {
    group_of[t].reserve(changed.size());
    for (const Hash128& hash : changed.hashes()) group_of[t].push_back(tables[t]->Find(hash));
  }
  const auto step = static_cast<size_t>(options_.max_rows_per_batch);
  for (size_t begin = 0; begin < changed.size(); begin += step) {
    const size_t rows = std::min(step, changed.size() - begin);
    SLUICE_ASSIGN_OR_RETURN(arrow::ArrayVector columns,
                            changed.DecodeKeys(changed.keys().subspan(begin, rows)));
    const arrow::ArrayVector keys = columns;
    for (size_t a = 0; a < options_.aggregates.size(); ++a) {
      std::vector<AggregatePart> parts;
      for (size_t t = 0; t < tables.size(); ++t) {
        parts.push_back({&tables[t]->aggregator(a), group_of[t].data() + begin});
      }
      size_t failed_group = 0;
      auto column = changed.aggregator(a).Finish(parts, rows, &failed_group);
      if (!column.ok()) {
        return WithContext(column.status(),
                           "flow " + options_.flow_name + ", " + options_.aggregates[a].name +
                               " of the group " +
                               DescribeGroup(keys, *schema_, static_cast<int64_t>(failed_group)));
      }
      columns.push_back(std::move(column).ValueUnsafe());
    }
    Batch batch{
        .rows = arrow::RecordBatch::Make(schema_, static_cast<int64_t>(rows), std::move(columns)),
        .origin = nullptr,
        .origin_row = nullptr};
    SLUICE_RETURN_NOT_OK(out->Emit(std::move(batch)));
  }
  return Status::OK();
}

Status AggregateOperator::CheckLimit() const {
  const int64_t bytes = GroupBytes();
  if (bytes <= options_.state_limit_bytes) return Status::OK();
  return MakeError(
      "STATE_LIMIT_EXCEEDED",
      "groups of the flow need more memory than allowed: flow " + options_.flow_name + ", limit " +
          std::to_string(options_.state_limit_bytes) + " bytes, needed " + std::to_string(bytes) +
          ", groups " + std::to_string(num_groups()),
      "raise the state memory limit, group by fewer columns or use approximate functions");
}

Status AggregateOperator::OnCommit(EpochNumber epoch, TableVersion, TimestampMicros) {
  while (!in_flight_.empty() && in_flight_.front().epoch <= epoch) {
    auto groups = std::move(in_flight_.front().groups);
    in_flight_.pop_front();
    SLUICE_RETURN_NOT_OK(spilled_->Recall(groups->hashes(), committed_.get()));
    SLUICE_RETURN_NOT_OK(committed_->Merge(*groups));
    Recycle(std::move(groups));
    if (spilled_->enabled() && committed_->memory_bytes() > options_.state_limit_bytes / 2) {
      SLUICE_RETURN_NOT_OK(spilled_->Spill(*committed_));
      SLUICE_ASSIGN_OR_RETURN(committed_, GroupTable::Make(LayoutOf(options_)));
    }
  }
  return Status::OK();
}

Status AggregateOperator::OnAbort(EpochNumber epoch) {
  while (!in_flight_.empty() && in_flight_.back().epoch >= epoch) {
    Recycle(std::move(in_flight_.back().groups));
    in_flight_.pop_back();
  }
  return Status::OK();
}

Status AggregateOperator::SaveState(arrow::io::OutputStream* out) {
  SLUICE_RETURN_NOT_OK(committed_->Save(out));
  return spilled_->Save(*committed_, out);
}

Status AggregateOperator::LoadState(arrow::io::InputStream* in) {
  SLUICE_RETURN_NOT_OK(ClearState());
  Status status = committed_->Load(in);
  if (status.ok()) status = spilled_->Load(in, *committed_);
  if (status.ok()) return status;
  SLUICE_RETURN_NOT_OK(ClearState());
  return status;
}

Status AggregateOperator::ClearState() {
  in_flight_.clear();
  committed_->Clear();
  return spilled_->Clear();
}

int64_t AggregateOperator::StateBytes() const { return GroupBytes() + spilled_->memory_bytes(); }

int64_t AggregateOperator::GroupBytes() const {
  int64_t bytes = committed_->memory_bytes();
  for (const EpochDelta& delta : in_flight_) bytes += delta.groups->memory_bytes();
  return bytes;
}

int64_t AggregateOperator::num_groups() const {
  return static_cast<int64_t>(committed_->size()) + spilled_->size();
}

}  // namespace sluice::operators
