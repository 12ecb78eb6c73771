#include "plan/flow_builder.h"

#include <arrow/scalar.h>

#include <algorithm>
#include <set>

#include "operators/aggregate_operator.h"
#include "operators/dedup_operator.h"
#include "operators/filter_operator.h"
#include "operators/generate_operator.h"
#include "operators/project_operator.h"
#include "operators/sql_row_evaluator.h"
#include "plan/json_decoding.h"
#include "quality/expectation_operator.h"
#include "quality/quarantine_row.h"

namespace sluice::plan {
namespace {

using operators::OutputColumn;
using sql::BoundPtr;

/// The slots a batch carries, in column order.
using Layout = std::vector<int>;

class Builder {
 public:
  Builder(const StreamProgram& program, const FlowBuilderOptions& options)
      : program_(program), options_(options) {}

  Result<BuiltFlow> Run() {
    FindLiveSlots();
    ReadSource();
    for (size_t i = 0; i < program_.steps.size(); ++i) SLUICE_RETURN_NOT_OK(AddStep(i));
    SLUICE_RETURN_NOT_OK(AddOutput());
    return std::move(built_);
  }

 private:
  /// live_[i]: slots that steps i, i+1, ... and the output read, of those that exist before step i.
  void FindLiveSlots() {
    live_.resize(program_.steps.size() + 1);
    for (const BoundPtr& column : program_.output) {
      for (const int slot : sql::ReferencedColumns(*column)) live_.back().insert(slot);
    }
    for (size_t i = program_.steps.size(); i-- > 0;) {
      live_[i] = live_[i + 1];
      for (const int made : program_.steps[i].makes) live_[i].erase(made);
      const std::vector<int> needs = StreamProgram::Needs(program_.steps[i]);
      live_[i].insert(needs.begin(), needs.end());
    }
  }

  void ReadSource() {
    const bool all = program_.shows_source_rows();
    for (size_t i = 0; i < program_.source_slots.size(); ++i) {
      const int slot = program_.source_slots[i];
      if (!all && live_[0].count(slot) == 0) continue;
      built_.source_columns.push_back(static_cast<int>(i));
      layout_.push_back(slot);
    }
    if (layout_.empty() &&
        !program_.source_slots.empty()) {  // count(*): some column carries the number of rows
      built_.source_columns.push_back(0);
      layout_.push_back(program_.source_slots[0]);
    }
  }

  Status AddStep(size_t i) {
    const StreamStep& step = program_.steps[i];
    switch (step.kind) {
      case StepKind::kDecode: return AddDecode(step, i);
      case StepKind::kCompute: return AddCompute(step, i);
      case StepKind::kFilter: return AddFilter(step, i);
      case StepKind::kExpect: return AddExpectations(step, i);
      case StepKind::kWatermark: return AddWatermark(step, i);
      case StepKind::kDedup: return AddDedup(step, i);
      case StepKind::kStaticJoin: return AddStaticJoin(step, i);
      case StepKind::kAggregate: return AddAggregate(step, i);
      case StepKind::kGenerate: return AddGenerate(step, i);
    }
    return Status::OK();
  }

  Status AddDecode(const StreamStep& step, size_t i) {
    operators::DecodeOptions decode;
    decode.input_schema = SchemaOf(layout_);
    decode.input_column = Position(step.input);
    Layout kept;
    for (const int slot : layout_) {
      if (live_[i + 1].count(slot) == 0) continue;
      decode.kept_columns.push_back(Position(slot));
      kept.push_back(slot);
    }
    if (step.whole_struct) {
      decode.decoded_type = std::static_pointer_cast<arrow::StructType>(step.decode_call->type);
      decode.struct_column = Field(step.makes[0])->name();
    } else {
      arrow::FieldVector fields;
      std::vector<std::pair<int, int>>
          ordered;  // field of the schema -> slot: the decoder keeps the schema's order
      for (size_t k = 0; k < step.fields.size(); ++k)
        ordered.emplace_back(step.fields[k], step.makes[k]);
      std::sort(ordered.begin(), ordered.end());
      for (const auto& [field, slot] : ordered)
        fields.push_back(step.decode_call->type->field(field));
      decode.decoded_type = std::static_pointer_cast<arrow::StructType>(arrow::struct_(fields));
      for (const auto& [field, slot] : ordered) kept.push_back(slot);
    }
    if (step.whole_struct) kept.push_back(step.makes[0]);
    SLUICE_ASSIGN_OR_RETURN(decode.decode, MakeJsonDecode(*step.decode_call, decode.decoded_type));
    layout_ = std::move(kept);
    Add(std::make_unique<operators::DecodeOperator>(std::move(decode)));
    return Status::OK();
  }

  Status AddCompute(const StreamStep& step, size_t i) {
    operators::ProjectOptions project;
    Layout next = PassOn(live_[i + 1], &project.columns);
    std::vector<BoundPtr> expressions;
    for (size_t k = 0; k < step.makes.size(); ++k) {
      project.columns.push_back(OutputColumn::Compute(Field(step.makes[k]), static_cast<int>(k)));
      expressions.push_back(OverLayout(step.expressions[k]));
      next.push_back(step.makes[k]);
    }
    project.evaluator = Evaluator(std::move(expressions));
    layout_ = std::move(next);
    Add(std::make_unique<operators::ProjectOperator>(std::move(project)));
    return Status::OK();
  }

  Status AddFilter(const StreamStep& step, size_t i) {
    operators::FilterOptions filter;
    filter.input_schema = SchemaOf(layout_);
    std::vector<BoundPtr> predicates;
    for (const BoundPtr& predicate : step.expressions) predicates.push_back(OverLayout(predicate));
    filter.predicates = Evaluator(std::move(predicates));
    layout_ = PassOn(live_[i + 1], &filter.columns);
    Add(std::make_unique<operators::FilterOperator>(std::move(filter)));
    return Status::OK();
  }

  Status AddGenerate(const StreamStep& step, size_t i) {
    operators::GenerateOptions generate;
    generate.input_schema = SchemaOf(layout_);
    generate.list = Evaluator({OverLayout(step.expressions[0])});
    generate.shape = step.generate;
    Layout next;
    for (const int slot : layout_) {
      if (live_[i + 1].count(slot) == 0) continue;
      generate.kept_columns.push_back(Position(slot));
      next.push_back(slot);
    }
    for (const int slot : step.makes) {
      generate.made_columns.push_back(Field(slot));
      next.push_back(slot);
    }
    layout_ = std::move(next);
    Add(std::make_unique<operators::GenerateOperator>(std::move(generate)));
    return Status::OK();
  }

  /// A projection computes the rules' conditions behind the columns that go on.
  Status AddExpectations(const StreamStep& step, size_t i) {
    operators::ProjectOptions project;
    const Layout next = PassOn(live_[i + 1], &project.columns);
    const int payload = static_cast<int>(next.size());
    std::vector<BoundPtr> conditions;
    std::vector<quality::EvaluatedExpectation> rules;
    for (const BoundExpectation& rule : step.expectations) {
      project.columns.push_back(
          OutputColumn::Compute(arrow::field(rule.expectation.name, arrow::boolean()),
                                static_cast<int>(conditions.size())));
      rules.push_back({rule.expectation, payload + static_cast<int>(conditions.size())});
      conditions.push_back(OverLayout(rule.condition));
    }
    project.evaluator = Evaluator(std::move(conditions));
    auto computed = std::make_unique<operators::ProjectOperator>(std::move(project));
    const std::shared_ptr<arrow::Schema> schema = computed->output_schema();
    Add(std::move(computed));
    SLUICE_ASSIGN_OR_RETURN(auto expect,
                            quality::ExpectationOperator::Make(std::move(rules), schema, payload));
    layout_ = next;
    Add(std::move(expect));
    return Status::OK();
  }

  Status AddWatermark(const StreamStep& step, size_t i) {
    KeepOnly(live_[i]);
    operators::WatermarkOptions watermark;
    watermark.input_schema = SchemaOf(layout_);
    watermark.event_time_column = Position(step.event_time);
    watermark.policy = options_.late_policy;
    watermark.late_table = options_.late_table;
    watermark.build_late_rows = [](const flow::EpochContext& epoch, const Batch& late) {
      return quality::MakeLateRows(epoch, late);
    };
    built_.watermark_delay_micros = step.delay_micros;
    Add(std::make_unique<operators::WatermarkOperator>(std::move(watermark)));
    return Status::OK();
  }

  /// Of the i-th step's state.
  std::string SpillFolder(const std::string& what, size_t i) const {
    if (options_.spill_folder.empty()) return "";
    return options_.spill_folder + "/" + what + "-" + std::to_string(i);
  }

  Status AddDedup(const StreamStep& step, size_t i) {
    KeepOnly(live_[i]);
    operators::DedupOptions dedup;
    dedup.input_schema = SchemaOf(layout_);
    for (const int key : step.keys) dedup.key_columns.push_back(Position(key));
    for (const DedupOrder& order : step.order) {
      dedup.order_by.push_back({Position(order.slot), order.ascending, order.nulls_first});
    }
    if (step.event_time >= 0) dedup.event_time_column = Position(step.event_time);
    dedup.state.flow_name = options_.flow_name;
    dedup.state.memory_limit_bytes = options_.state_limit_bytes;
    dedup.state.spill_folder = SpillFolder("keys", i);
    SLUICE_ASSIGN_OR_RETURN(auto made, operators::DedupOperator::Make(std::move(dedup)));
    built_.has_memory = true;
    Add(std::move(made));
    return Status::OK();
  }

  Status AddStaticJoin(const StreamStep& step, size_t i) {
    std::set<int> needed = live_[i];
    KeepOnly(needed);
    operators::StaticJoinOptions join;
    join.stream_schema = SchemaOf(layout_);
    join.static_schema = step.static_plan->schema;
    switch (step.join) {
      case sql::JoinKind::kInner: join.kind = operators::StaticJoinKind::kInner; break;
      case sql::JoinKind::kLeft: join.kind = operators::StaticJoinKind::kLeft; break;
      case sql::JoinKind::kLeftSemi: join.kind = operators::StaticJoinKind::kSemi; break;
      case sql::JoinKind::kLeftAnti: join.kind = operators::StaticJoinKind::kAnti; break;
      default:
        return MakeError("NOT_SUPPORTED_YET",
                         "not supported yet: this kind of join of a stream with a table");
    }
    for (const int key : step.keys) join.stream_keys.push_back(Position(key));
    join.static_keys = step.static_keys;
    join.null_safe = step.null_safe;
    SLUICE_ASSIGN_OR_RETURN(join.provider, options_.make_static_table(step.static_plan));
    layout_.insert(layout_.end(), step.makes.begin(), step.makes.end());
    if (step.residual != nullptr) join.residual = Evaluator({OverLayout(step.residual)});
    SLUICE_ASSIGN_OR_RETURN(auto made, operators::StaticJoinOperator::Make(std::move(join)));
    Add(std::move(made));
    return Status::OK();
  }

  Status AddAggregate(const StreamStep& step, size_t i) {
    KeepOnly(live_[i]);
    operators::AggregateOptions aggregate;
    aggregate.flow_name = options_.flow_name;
    aggregate.input_schema = SchemaOf(layout_);
    aggregate.max_collected = options_.max_collected;
    aggregate.state_limit_bytes = options_.state_limit_bytes;
    aggregate.spill_folder = SpillFolder("groups", i);
    for (size_t k = 0; k < step.keys.size(); ++k) {
      aggregate.key_columns.push_back(Position(step.keys[k]));
      aggregate.key_names.push_back(Field(step.makes[k])->name());
    }
    for (size_t k = 0; k < step.calls.size(); ++k) {
      SLUICE_ASSIGN_OR_RETURN(operators::AggregateSpec spec, MakeSpec(step, k));
      aggregate.aggregates.push_back(std::move(spec));
    }
    SLUICE_ASSIGN_OR_RETURN(auto made, operators::AggregateOperator::Make(std::move(aggregate)));
    layout_ = step.makes;
    built_.has_memory = true;
    built_.bounded_memory = false;
    Add(std::move(made));
    return Status::OK();
  }

  Result<operators::AggregateSpec> MakeSpec(const StreamStep& step, size_t k) {
    const sql::AggregateCall& call = step.calls[k];
    const auto kind = operators::AggregateKindOf(call.function, !call.args.empty());
    if (!kind.has_value()) {
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: aggregate " + call.function +
                                                " in a view that is kept incrementally");
    }
    operators::AggregateSpec spec;
    spec.kind = *kind;
    spec.name = Field(step.makes[step.keys.size() + k])->name();
    for (const int argument : step.call_arguments[k]) spec.arguments.push_back(Position(argument));
    spec.distinct = call.distinct;
    if (step.call_filters[k] >= 0) spec.filter = Position(step.call_filters[k]);
    spec.result_type = call.type;
    SLUICE_RETURN_NOT_OK(ReadParameters(call, &spec));
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const int argument : step.call_arguments[k]) types.push_back(Field(argument)->type());
    std::string reason;
    if (!operators::IsMergeable(spec, types, &reason)) {
      return MakeError("NOT_SUPPORTED_YET",
                       "not kept incrementally: " + call.function + ": " + reason);
    }
    return spec;
  }

  /// Constants behind the value: percentile_approx(x, p | array(p, ...) [, accuracy]),
  /// approx_count_distinct(x [, sd]).
  static Status ReadParameters(const sql::AggregateCall& call, operators::AggregateSpec* spec) {
    auto number = [](const arrow::Scalar& scalar) -> Result<double> {
      if (scalar.type->id() == arrow::Type::DECIMAL128) {
        const auto& type = static_cast<const arrow::Decimal128Type&>(*scalar.type);
        return static_cast<const arrow::Decimal128Scalar&>(scalar).value.ToDouble(type.scale());
      }
      SLUICE_ASSIGN_OR_RETURN(auto cast, scalar.CastTo(arrow::float64()));
      return static_cast<const arrow::DoubleScalar&>(*cast).value;
    };
    if (spec->kind == operators::AggregateKind::kPercentileApprox && call.args.size() > 1) {
      const auto& percentage = call.args[1]->literal;
      if (percentage->type->id() == arrow::Type::LIST) {
        const auto& values = static_cast<const arrow::ListScalar&>(*percentage).value;
        for (int64_t i = 0; i < values->length(); ++i) {
          SLUICE_ASSIGN_OR_RETURN(auto value, values->GetScalar(i));
          SLUICE_ASSIGN_OR_RETURN(double one, number(*value));
          spec->percentages.push_back(one);
        }
        spec->percentages_is_array = true;
      } else {
        SLUICE_ASSIGN_OR_RETURN(double one, number(*percentage));
        spec->percentages.push_back(one);
      }
      if (call.args.size() > 2) {
        SLUICE_ASSIGN_OR_RETURN(double accuracy, number(*call.args[2]->literal));
        spec->accuracy = static_cast<int64_t>(accuracy);
      }
    }
    if (spec->kind == operators::AggregateKind::kApproxCountDistinct && call.args.size() > 1) {
      SLUICE_ASSIGN_OR_RETURN(spec->relative_sd, number(*call.args[1]->literal));
    }
    return Status::OK();
  }

  Status AddOutput() {
    operators::ProjectOptions project;
    std::vector<BoundPtr> expressions;
    for (size_t i = 0; i < program_.output.size(); ++i) {
      const BoundPtr& column = program_.output[i];
      const auto& field = program_.output_schema->field(static_cast<int>(i));
      if (column->IsColumn()) {
        project.columns.push_back(OutputColumn::PassOn(field, Position(column->index)));
      } else {
        project.columns.push_back(
            OutputColumn::Compute(field, static_cast<int>(expressions.size())));
        expressions.push_back(OverLayout(column));
      }
    }
    if (!expressions.empty()) project.evaluator = Evaluator(std::move(expressions));
    Add(std::make_unique<operators::ProjectOperator>(std::move(project)));
    return Status::OK();
  }

  /// A projection without copies that lets go of what nobody needs, before an operator that copies
  /// rows.
  void KeepOnly(const std::set<int>& slots) {
    operators::ProjectOptions project;
    const Layout next = PassOn(slots, &project.columns);
    if (next.size() == layout_.size()) return;
    layout_ = next;
    Add(std::make_unique<operators::ProjectOperator>(std::move(project)));
  }

  /// The columns of `slots` that the batch has, passed on; at least one, so that the number of rows
  /// is known.
  Layout PassOn(const std::set<int>& slots, std::vector<OutputColumn>* columns) const {
    Layout next;
    for (const int slot : layout_) {
      if (slots.count(slot) != 0) next.push_back(slot);
    }
    if (next.empty() && !layout_.empty()) next.push_back(layout_.front());
    for (const int slot : next)
      columns->push_back(OutputColumn::PassOn(Field(slot), Position(slot)));
    return next;
  }

  operators::RowEvaluatorFactory Evaluator(std::vector<BoundPtr> expressions) const {
    sql::EvaluatorOptions evaluator;
    evaluator.native_functions = JsonFunctions();
    return operators::SqlEvaluatorFactory(SchemaOf(layout_), std::move(expressions),
                                          std::move(evaluator));
  }

  BoundPtr OverLayout(const BoundPtr& expression) const {
    std::vector<int> positions(program_.slots.size(), -1);
    for (size_t i = 0; i < layout_.size(); ++i)
      positions[static_cast<size_t>(layout_[i])] = static_cast<int>(i);
    return sql::RemapColumns(expression, positions);
  }
  int Position(int slot) const {
    const auto found = std::find(layout_.begin(), layout_.end(), slot);
    SLUICE_CHECK(found != layout_.end(), "a step reads a column that the batch does not carry");
    return static_cast<int>(found - layout_.begin());
  }
  const std::shared_ptr<arrow::Field>& Field(int slot) const {
    return program_.slots[static_cast<size_t>(slot)];
  }
  std::shared_ptr<arrow::Schema> SchemaOf(const Layout& layout) const {
    arrow::FieldVector fields;
    for (const int slot : layout) fields.push_back(Field(slot));
    return arrow::schema(fields);
  }
  void Add(std::unique_ptr<flow::Operator> made) { built_.operators.push_back(std::move(made)); }

  const StreamProgram& program_;
  const FlowBuilderOptions& options_;
  std::vector<std::set<int>> live_;
  Layout layout_;
  BuiltFlow built_;
};

}  // namespace

Result<BuiltFlow> BuildFlow(const StreamProgram& program, const FlowBuilderOptions& options) {
  return Builder(program, options).Run();
}

}  // namespace sluice::plan
