#include "plan/stream_planner.h"

#include <algorithm>
#include <set>
#include <unordered_map>

namespace sluice::plan {
namespace {

using sql::As;
using sql::BoundPtr;
using sql::PlanKind;
using sql::PlanPtr;

Status NotSupported(const std::string& what, std::string hint = "") {
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: " + what, std::move(hint));
}

/// Walks a linear plan from its followed scan upward. `Walk` returns the node's columns as
/// expressions over slots.
class Planner {
 public:
  explicit Planner(const StreamPlannerOptions& options) : options_(options) {}

  Result<StreamProgram> Run(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan));
    SLUICE_RETURN_NOT_OK(FinishWatermark());
    SLUICE_RETURN_NOT_OK(PlaceExpectations(columns));
    insert_at_ = program_.steps.size();
    for (BoundPtr& column : columns) {
      SLUICE_ASSIGN_OR_RETURN(column, ExtractDecodes(column));
    }
    program_.output = std::move(columns);
    program_.output_schema = plan->schema;
    if (program_.has_aggregate) SLUICE_RETURN_NOT_OK(FindMergeKeys());
    Settle();
    return std::move(program_);
  }

 private:
  Result<std::vector<BoundPtr>> Walk(const PlanPtr& plan) {
    if (options_.is_followed(*plan)) return WalkSource(plan);
    switch (plan->kind) {
      case PlanKind::kProject: return WalkProject(plan);
      case PlanKind::kFilter: return WalkFilter(plan);
      case PlanKind::kWatermark: return WalkWatermark(plan);
      case PlanKind::kGenerate: return WalkGenerate(plan);
      case PlanKind::kDedupFirst: return WalkDedup(plan);
      case PlanKind::kDistinct: return WalkDistinct(plan);
      case PlanKind::kJoin: return WalkJoin(plan);
      case PlanKind::kAggregate: return WalkAggregate(plan);
      case PlanKind::kSetOp:
        return NotSupported("UNION, INTERSECT or EXCEPT of streams",
                            "write one CREATE FLOW per source");
      case PlanKind::kSort: return NotSupported("ORDER BY over a stream");
      case PlanKind::kLimit: return NotSupported("LIMIT over a stream");
      case PlanKind::kWindow:
        return NotSupported(
            "a window function over a stream",
            "QUALIFY row_number() OVER (PARTITION BY keys ORDER BY column) = 1 deduplicates");
      default: return NotSupported("a flow that follows no growing table or stream");
    }
  }

  Result<std::vector<BoundPtr>> WalkSource(const PlanPtr& plan) {
    program_.source = plan;
    std::vector<BoundPtr> columns;
    for (const auto& field : plan->schema->fields()) {
      const int slot = NewSlot(field);
      program_.source_slots.push_back(slot);
      columns.push_back(sql::MakeColumn(slot, *field));
    }
    return columns;
  }

  Result<std::vector<BoundPtr>> WalkProject(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> below, Walk(plan->input()));
    std::vector<BoundPtr> columns;
    for (const BoundPtr& expression : As<sql::ProjectNode>(*plan).expressions) {
      columns.push_back(sql::SubstituteColumns(expression, below));
    }
    return columns;
  }

  Result<std::vector<BoundPtr>> WalkFilter(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    if (program_.has_aggregate) return NotSupported("HAVING in a view that is kept incrementally");
    StreamStep step;
    step.kind = StepKind::kFilter;
    for (const BoundPtr& conjunct : sql::SplitConjuncts(As<sql::FilterNode>(*plan).condition)) {
      SLUICE_ASSIGN_OR_RETURN(BoundPtr condition,
                              ExtractDecodes(sql::SubstituteColumns(conjunct, columns)));
      step.expressions.push_back(std::move(condition));
    }
    Append(std::move(step));
    return columns;
  }

  /// explode and its like: a step that makes rows, whose columns are slots of their own.
  Result<std::vector<BoundPtr>> WalkGenerate(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    if (program_.has_aggregate)
      return NotSupported("a generator in a view that is kept incrementally");
    const auto& node = As<sql::GenerateNode>(*plan);
    StreamStep step;
    step.kind = StepKind::kGenerate;
    SLUICE_ASSIGN_OR_RETURN(BoundPtr list,
                            ExtractDecodes(sql::SubstituteColumns(node.list, columns)));
    step.expressions = {std::move(list)};
    step.generate = {node.spread, node.positions, node.outer};
    const auto inherited = static_cast<int>(columns.size());
    for (int i = inherited; i < plan->schema->num_fields(); ++i) {
      const int slot = NewSlot(plan->schema->field(i));
      step.makes.push_back(slot);
      columns.push_back(SlotColumn(slot));
    }
    Append(std::move(step));
    return columns;
  }

  /// The watermark takes effect right before the first operator with memory: what never reaches it
  /// is not late.
  Result<std::vector<BoundPtr>> WalkWatermark(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    const auto& node = As<sql::WatermarkNode>(*plan);
    if (watermark_.has_value() || stateful_at_.has_value())
      return NotSupported("more than one WATERMARK in a flow");
    watermark_ = Watermark{columns[static_cast<size_t>(node.event_time)], node.delay_micros};
    return columns;
  }

  Status FinishWatermark() {
    watermark_.reset();  // no operator with memory follows: nothing can be late
    return Status::OK();
  }

  /// Marks the place of the first operator with memory and puts the watermark before it. Returns
  /// the event-time slot.
  Result<int> BeginStateful() {
    if (!stateful_at_.has_value()) stateful_at_ = program_.steps.size();
    if (!watermark_.has_value()) return -1;
    StreamStep step;
    step.kind = StepKind::kWatermark;
    SLUICE_ASSIGN_OR_RETURN(step.event_time, Materialize(watermark_->event_time));
    step.delay_micros = watermark_->delay_micros;
    const int slot = step.event_time;
    stateful_at_ = program_.steps.size();
    Append(std::move(step));
    watermark_.reset();
    return slot;
  }

  Result<std::vector<BoundPtr>> WalkDedup(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    const auto& node = As<sql::DedupFirstNode>(*plan);
    StreamStep step;
    step.kind = StepKind::kDedup;
    for (const BoundPtr& key : node.keys) {
      SLUICE_ASSIGN_OR_RETURN(int slot, Materialize(sql::SubstituteColumns(key, columns)));
      step.keys.push_back(slot);
    }
    for (const sql::SortKey& order : node.order) {
      SLUICE_ASSIGN_OR_RETURN(int slot,
                              Materialize(sql::SubstituteColumns(order.expression, columns)));
      step.order.push_back({slot, order.ascending, order.nulls_first});
    }
    return AppendDedup(std::move(step), std::move(columns));
  }

  Result<std::vector<BoundPtr>> WalkDistinct(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    StreamStep step;
    step.kind = StepKind::kDedup;
    for (BoundPtr& column : columns) {
      SLUICE_ASSIGN_OR_RETURN(int slot, Materialize(column));
      step.keys.push_back(slot);
      column = SlotColumn(slot);
    }
    return AppendDedup(std::move(step), std::move(columns));
  }

  Result<std::vector<BoundPtr>> AppendDedup(StreamStep step, std::vector<BoundPtr> columns) {
    if (options_.view) return NotSupported("DISTINCT in a view that is kept incrementally");
    SLUICE_ASSIGN_OR_RETURN(step.event_time, BeginStateful());
    Append(std::move(step));
    return columns;
  }

  Result<std::vector<BoundPtr>> WalkJoin(const PlanPtr& plan) {
    const auto& node = As<sql::JoinNode>(*plan);
    if (options_.view) return NotSupported("a join in a view that is kept incrementally");
    if (plan->inputs[0]->is_streaming && plan->inputs[1]->is_streaming) {
      return NotSupported("a join of two streams", "read one side as a table, without STREAM");
    }
    const bool stream_left = plan->inputs[0]->is_streaming;
    if (!stream_left && node.join != sql::JoinKind::kInner && node.join != sql::JoinKind::kRight) {
      return NotSupported("a stream on the outer side's inner position of a join",
                          "put the stream on the left side");
    }
    if (stream_left && (node.join == sql::JoinKind::kRight || node.join == sql::JoinKind::kFull)) {
      return NotSupported("a RIGHT or FULL join of a stream with a table");
    }
    if (node.left_keys.empty())
      return NotSupported("a join of a stream without an equality between the sides");
    const PlanPtr& stream = plan->inputs[stream_left ? 0 : 1];
    const PlanPtr& table = plan->inputs[stream_left ? 1 : 0];
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(stream));
    StreamStep step;
    step.kind = StepKind::kStaticJoin;
    step.join = node.join == sql::JoinKind::kRight ? sql::JoinKind::kLeft : node.join;
    step.null_safe = node.null_safe;
    for (const BoundPtr& key : stream_left ? node.left_keys : node.right_keys) {
      SLUICE_ASSIGN_OR_RETURN(int slot, Materialize(sql::SubstituteColumns(key, columns)));
      step.keys.push_back(slot);
    }
    std::vector<BoundPtr> table_columns;
    AddStaticSide(table, stream_left ? node.right_keys : node.left_keys, &step, &table_columns);
    std::vector<BoundPtr> both = stream_left ? columns : table_columns;
    const std::vector<BoundPtr>& second = stream_left ? table_columns : columns;
    both.insert(both.end(), second.begin(), second.end());
    if (node.residual != nullptr) {
      SLUICE_ASSIGN_OR_RETURN(step.residual,
                              ExtractDecodes(sql::SubstituteColumns(node.residual, both)));
    }
    Append(std::move(step));
    const bool semi =
        node.join == sql::JoinKind::kLeftSemi || node.join == sql::JoinKind::kLeftAnti;
    return semi ? columns : both;
  }

  /// The static side with its key expressions as further columns where they are not plain columns.
  void AddStaticSide(const PlanPtr& table, const std::vector<BoundPtr>& keys, StreamStep* step,
                     std::vector<BoundPtr>* columns) {
    auto project = std::make_shared<sql::ProjectNode>();
    arrow::FieldVector fields = table->schema->fields();
    for (int i = 0; i < table->schema->num_fields(); ++i) {
      project->expressions.push_back(sql::MakeColumn(i, *table->schema->field(i)));
    }
    for (const BoundPtr& key : keys) {
      if (key->IsColumn()) {
        step->static_keys.push_back(key->index);
        continue;
      }
      step->static_keys.push_back(static_cast<int>(fields.size()));
      fields.push_back(arrow::field("key_" + std::to_string(fields.size()), key->type));
      project->expressions.push_back(key);
    }
    project->schema = arrow::schema(fields);
    project->inputs = {table};
    step->static_plan = project;
    const bool nullable = step->join == sql::JoinKind::kLeft;
    for (int i = 0; i < project->schema->num_fields(); ++i) {
      auto field = project->schema->field(i);
      if (nullable) field = field->WithNullable(true);
      const int slot = NewSlot(field);
      step->makes.push_back(slot);
      if (i < table->schema->num_fields()) columns->push_back(SlotColumn(slot));
    }
    if (step->join == sql::JoinKind::kLeftSemi || step->join == sql::JoinKind::kLeftAnti)
      step->makes.clear();
  }

  Result<std::vector<BoundPtr>> WalkAggregate(const PlanPtr& plan) {
    SLUICE_ASSIGN_OR_RETURN(std::vector<BoundPtr> columns, Walk(plan->input()));
    const auto& node = As<sql::AggregateNode>(*plan);
    if (!options_.view) {
      return NotSupported("an aggregate in a streaming table",
                          "make it a MATERIALIZED VIEW: it is kept incrementally");
    }
    if (program_.has_aggregate)
      return NotSupported("an aggregate over an aggregate kept incrementally");
    StreamStep step;
    step.kind = StepKind::kAggregate;
    for (const BoundPtr& group : node.groups) {
      SLUICE_ASSIGN_OR_RETURN(int slot, Materialize(sql::SubstituteColumns(group, columns)));
      step.keys.push_back(slot);
    }
    for (sql::AggregateCall call : node.calls)
      SLUICE_RETURN_NOT_OK(AddCall(std::move(call), columns, &step));
    std::vector<BoundPtr> made;
    for (const auto& field : plan->schema->fields()) {
      const int slot = NewSlot(field);
      step.makes.push_back(slot);
      made.push_back(SlotColumn(slot));
    }
    for (size_t i = 0; i < step.keys.size(); ++i)
      groups_.push_back({step.makes[i], node.groups[i]->IsCall("window")});
    stateful_at_ = program_.steps.size();
    Append(std::move(step));
    program_.has_aggregate = true;
    return made;
  }

  Status AddCall(sql::AggregateCall call, const std::vector<BoundPtr>& columns, StreamStep* step) {
    std::vector<int> arguments;
    for (BoundPtr& argument : call.args) {
      argument = sql::SubstituteColumns(argument, columns);
      if (argument->IsLiteral() && &argument != &call.args.front()) continue;
      SLUICE_ASSIGN_OR_RETURN(int slot, Materialize(argument));
      arguments.push_back(slot);
    }
    int filter = -1;
    if (call.filter != nullptr) {
      SLUICE_ASSIGN_OR_RETURN(filter, Materialize(sql::SubstituteColumns(call.filter, columns)));
    }
    step->calls.push_back(std::move(call));
    step->call_arguments.push_back(std::move(arguments));
    step->call_filters.push_back(filter);
    return Status::OK();
  }

  /// Rules that need only what exists before the first operator with memory stand before it; the
  /// others at the end.
  Status PlaceExpectations(const std::vector<BoundPtr>& columns) {
    StreamStep early;
    StreamStep late;
    early.kind = late.kind = StepKind::kExpect;
    std::vector<BoundPtr> early_conditions;
    for (const BoundExpectation& rule : options_.expectations) {
      const BoundPtr condition = sql::SubstituteColumns(rule.condition, columns);
      const bool is_early = stateful_at_.has_value() && !program_.has_aggregate &&
                            AvailableBefore(*condition, *stateful_at_);
      StreamStep& step = is_early ? early : late;
      if (!is_early && rule.expectation.action == quality::ViolationAction::kQuarantine &&
          !program_.preserves_rows() && FansOut()) {
        return MakeError("EXPECTATION_NOT_ROW_PRESERVING",
                         "rule " + rule.expectation.name +
                             " cannot quarantine: its rows do not map to single source rows",
                         "use DROP ROW, or check the rule on a table before the aggregate or join");
      }
      step.expectations.push_back({rule.expectation, condition});
    }
    if (!early.expectations.empty())
      SLUICE_RETURN_NOT_OK(InsertExpectations(std::move(early), *stateful_at_));
    if (!late.expectations.empty())
      SLUICE_RETURN_NOT_OK(InsertExpectations(std::move(late), program_.steps.size()));
    return Status::OK();
  }

  bool FansOut() const { return program_.has_aggregate; }

  bool AvailableBefore(const sql::BoundExpression& expression, size_t position) const {
    const std::vector<int> slots = sql::ReferencedColumns(expression);
    return std::all_of(slots.begin(), slots.end(), [&](int slot) {
      for (size_t i = position; i < program_.steps.size(); ++i) {
        const StreamStep& step = program_.steps[i];
        if (step.kind == StepKind::kDecode || step.kind == StepKind::kCompute)
          continue;  // can be done earlier
        if (std::find(step.makes.begin(), step.makes.end(), slot) != step.makes.end()) return false;
      }
      return true;
    });
  }

  Status InsertExpectations(StreamStep step, size_t position) {
    insert_at_ = position;
    for (BoundExpectation& rule : step.expectations) {
      SLUICE_ASSIGN_OR_RETURN(rule.condition, ExtractDecodes(rule.condition));
    }
    program_.steps.insert(program_.steps.begin() + static_cast<ptrdiff_t>(insert_at_),
                          std::move(step));
    return Status::OK();
  }

  /// The output columns that identify a group: each key itself, or the fields of a struct key (of a
  /// window its start: the end follows from it).
  Status FindMergeKeys() {
    for (const Group& group : groups_) {
      if (const int plain = OutputOf(group.slot, -1); plain >= 0) {
        program_.merge_keys.push_back(plain);
        continue;
      }
      const auto& field = program_.slots[static_cast<size_t>(group.slot)];
      const int fields = group.window ? 1 : field->type()->num_fields();
      bool found = field->type()->id() == arrow::Type::STRUCT;
      for (int i = 0; found && i < fields; ++i) {
        const int column = OutputOf(group.slot, i);
        found = column >= 0;
        if (found) program_.merge_keys.push_back(column);
      }
      if (!found)
        return NotSupported("a view kept incrementally whose output lacks the group key " +
                            field->name());
    }
    return Status::OK();
  }

  /// The output column that is the slot (`struct_field` < 0) or a field of it; -1 when there is
  /// none.
  int OutputOf(int slot, int struct_field) const {
    for (size_t i = 0; i < program_.output.size(); ++i) {
      BoundPtr column = program_.output[i];
      if (struct_field >= 0) {
        if (column->kind != sql::BoundKind::kField || column->index != struct_field) continue;
        column = column->args[0];
      }
      if (column->IsColumn() && column->index == slot) return static_cast<int>(i);
    }
    return -1;
  }

  /// The slot of `expression`: computed once, by a step of its own unless it is one already.
  Result<int> Materialize(const BoundPtr& original) {
    SLUICE_ASSIGN_OR_RETURN(BoundPtr expression, ExtractDecodes(original));
    if (expression->IsColumn()) return expression->index;
    const auto found = computed_.find(expression);
    if (found != computed_.end()) return found->second;
    StreamStep step;
    step.kind = StepKind::kCompute;
    const int slot = NewSlot(
        arrow::field("expression_" + std::to_string(program_.slots.size()), expression->type));
    step.makes = {slot};
    step.expressions = {expression};
    if (!program_.steps.empty() && program_.steps.back().kind == StepKind::kCompute &&
        !Uses(*expression, program_.steps.back().makes)) {
      program_.steps.back().makes.push_back(slot);
      program_.steps.back().expressions.push_back(expression);
    } else {
      Append(std::move(step));
    }
    computed_.emplace(expression, slot);
    return slot;
  }

  static bool Uses(const sql::BoundExpression& expression, const std::vector<int>& slots) {
    const std::vector<int> used = sql::ReferencedColumns(expression);
    return std::any_of(used.begin(), used.end(), [&](int slot) {
      return std::find(slots.begin(), slots.end(), slot) != slots.end();
    });
  }

  /// Replaces from_json(x) and its fields by the slots of a decode step.
  Result<BoundPtr> ExtractDecodes(const BoundPtr& expression) {
    Status status;
    std::function<BoundPtr(const BoundPtr&)> rewrite = [&](const BoundPtr& node) -> BoundPtr {
      if (!status.ok()) return node;
      const bool field = node->kind == sql::BoundKind::kField && node->args[0]->IsCall("from_json");
      const BoundPtr call = field ? node->args[0] : node;
      if (call->IsCall("from_json")) {
        auto slot = DecodeSlot(call, field ? node->index : -1, field ? node->name : "json");
        if (slot.ok()) return SlotColumn(*slot);
        status = slot.status();
        return node;
      }
      std::vector<BoundPtr> args;
      bool changed = false;
      for (const BoundPtr& arg : node->args) {
        args.push_back(rewrite(arg));
        changed |= args.back() != arg;
      }
      return changed ? sql::WithArgs(*node, std::move(args)) : node;
    };
    BoundPtr result = rewrite(expression);
    SLUICE_RETURN_NOT_OK(status);
    return result;
  }

  /// The slot of a field of the decoded struct, or of the struct itself (`field` = -1).
  Result<int> DecodeSlot(const BoundPtr& call, int field, const std::string& name) {
    BoundPtr document = call->args[0];
    if (document->kind == sql::BoundKind::kCast && document->type->id() == arrow::Type::STRING &&
        document->args[0]->type->id() == arrow::Type::BINARY) {
      document = document->args[0];  // the decoder reads bytes
    }
    if (call->type->id() != arrow::Type::STRUCT)
      return NotSupported("from_json to another type than STRUCT");
    SLUICE_ASSIGN_OR_RETURN(int input, Materialize(document));
    const bool whole = field < 0;
    for (StreamStep& step : program_.steps) {
      if (step.kind != StepKind::kDecode || step.whole_struct != whole ||
          !sql::Equals(*step.decode_call, *call))
        continue;
      if (whole) return step.makes[0];
      const auto known = std::find(step.fields.begin(), step.fields.end(), field);
      if (known != step.fields.end())
        return step.makes[static_cast<size_t>(known - step.fields.begin())];
      step.fields.push_back(field);
      step.makes.push_back(NewSlot(call->type->field(field)->WithName(name)));
      return step.makes.back();
    }
    StreamStep step;
    step.kind = StepKind::kDecode;
    step.input = input;
    step.decode_call = call;
    step.whole_struct = whole;
    if (!whole) step.fields.push_back(field);
    step.makes.push_back(
        NewSlot(whole ? arrow::field(name, call->type) : call->type->field(field)->WithName(name)));
    const int slot = step.makes[0];
    Append(std::move(step));
    return slot;
  }

  /// Moves decodes and computations in front of the first step that reads what they make: rules may
  /// need them earlier than the query did.
  void Settle() {
    std::set<int> ready(program_.source_slots.begin(), program_.source_slots.end());
    for (size_t i = 0; i < program_.steps.size(); ++i) {
      for (bool moved = true; moved;) {
        moved = false;
        for (const int slot : StreamProgram::Needs(program_.steps[i])) {
          if (ready.count(slot) != 0) continue;
          MoveMaker(slot, i);
          moved = true;
          break;
        }
      }
      ready.insert(program_.steps[i].makes.begin(), program_.steps[i].makes.end());
    }
  }

  /// Takes what makes `slot` out of its later step and puts it at position `to`.
  void MoveMaker(int slot, size_t to) {
    for (size_t i = to + 1; i < program_.steps.size(); ++i) {
      StreamStep& step = program_.steps[i];
      const auto found = std::find(step.makes.begin(), step.makes.end(), slot);
      if (found == step.makes.end()) continue;
      StreamStep maker = step;
      if (step.kind == StepKind::kCompute && step.makes.size() > 1) {
        const auto index = found - step.makes.begin();
        maker.makes = {slot};
        maker.expressions = {step.expressions[static_cast<size_t>(index)]};
        step.makes.erase(found);
        step.expressions.erase(step.expressions.begin() + index);
      } else {
        program_.steps.erase(program_.steps.begin() + static_cast<ptrdiff_t>(i));
      }
      program_.steps.insert(program_.steps.begin() + static_cast<ptrdiff_t>(to), std::move(maker));
      return;
    }
    SLUICE_CHECK(false, "a step of a flow needs a column that nothing makes");
  }

  /// Adds a step at the current place (the end, but for rules).
  void Append(StreamStep step) {
    if (insert_at_ >= program_.steps.size()) {
      program_.steps.push_back(std::move(step));
      insert_at_ = program_.steps.size();
    } else {
      program_.steps.insert(program_.steps.begin() + static_cast<ptrdiff_t>(insert_at_),
                            std::move(step));
      ++insert_at_;
    }
  }

  int NewSlot(const std::shared_ptr<arrow::Field>& field) {
    program_.slots.push_back(field);
    return static_cast<int>(program_.slots.size()) - 1;
  }
  BoundPtr SlotColumn(int slot) const {
    return sql::MakeColumn(slot, *program_.slots[static_cast<size_t>(slot)]);
  }

  struct Watermark {
    BoundPtr event_time;
    int64_t delay_micros;
  };

  struct Group {
    int slot;
    bool window;
  };

  const StreamPlannerOptions& options_;
  StreamProgram program_;
  std::optional<Watermark> watermark_;
  std::optional<size_t>
      stateful_at_;  // position of the first step with memory (its watermark included)
  std::vector<Group> groups_;
  size_t insert_at_ = 0;
  std::unordered_map<BoundPtr, int, sql::BoundHash, sql::BoundEquals> computed_;
};

}  // namespace

Result<StreamProgram> PlanStream(const PlanPtr& plan, const StreamPlannerOptions& options) {
  return Planner(options).Run(plan);
}

}  // namespace sluice::plan
