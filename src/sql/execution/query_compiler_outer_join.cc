// Outer, semi and anti joins under any condition: an inner join of numbered rows, and the rows
// whose number is not among its.
#include "sql/analysis/decorrelation.h"
#include "sql/analysis/query_binder.h"
#include "sql/execution/query_compiler_internal.h"

namespace sluice::sql {
namespace {

/// `plan` with the number of each row behind its columns.
PlanPtr Numbered(const PlanPtr& plan) {
  auto made = std::make_shared<WindowNode>();
  WindowCall number;
  number.function = "row_number";
  number.type = arrow::int64();
  number.nullable = false;
  made->calls = {std::move(number)};
  arrow::FieldVector fields = plan->schema->fields();
  fields.push_back(arrow::field("__row", arrow::int64(), false));
  made->schema = arrow::schema(std::move(fields));
  made->inputs = {plan};
  return MakeShared(std::move(made));
}

class NumberedJoin {
 public:
  explicit NumberedJoin(const JoinNode& join)
      : join_(join),
        left_(join.inputs[0]->schema->num_fields()),
        right_(join.inputs[1]->schema->num_fields()),
        numbered_left_(Numbered(join.inputs[0])),
        numbered_right_(Numbered(join.inputs[1])),
        matched_(MakeShared(Matched())) {}

  PlanPtr Plan() const {
    switch (join_.join) {
      case JoinKind::kLeftSemi: return LeftRows(JoinKind::kLeftSemi);
      case JoinKind::kLeftAnti: return LeftRows(JoinKind::kLeftAnti);
      case JoinKind::kLeft: return Both({Matching(), LeftAlone()});
      case JoinKind::kRight: return Both({Matching(), RightAlone()});
      default: return Both({Matching(), LeftAlone(), RightAlone()});
    }
  }

 private:
  /// Left columns, the left number, right columns, the right number.
  PlanPtr Matched() const {
    auto inner = std::make_shared<JoinNode>(join_);
    inner->join = JoinKind::kInner;
    inner->inputs = {numbered_left_, numbered_right_};
    inner->residual =
        MoveColumns(join_.residual, [&](int index) { return index < left_ ? index : index + 1; });
    inner->schema = arrow::schema(JoinFields(*inner));
    return inner;
  }

  PlanPtr Matching() const {
    std::vector<BoundPtr> columns;
    for (int i = 0; i < left_ + right_; ++i) {
      const int at = i < left_ ? i : i + 1;
      columns.push_back(MakeColumn(at, *matched_->schema->field(at)));
    }
    return MakeProject(matched_, std::move(columns), join_.schema->fields());
  }

  /// Rows of one side whose number is, or is not, among those that match.
  PlanPtr Rows(const PlanPtr& side, int number, int matched_number, JoinKind kind) const {
    auto join = std::make_shared<JoinNode>();
    join->join = kind;
    join->inputs = {side, matched_};
    join->left_keys = {MakeColumn(number, *side->schema->field(number))};
    join->right_keys = {MakeColumn(matched_number, *matched_->schema->field(matched_number))};
    join->null_safe = {false};
    join->schema = arrow::schema(JoinFields(*join));
    return join;
  }

  PlanPtr LeftRows(JoinKind kind) const {
    const PlanPtr rows = Rows(numbered_left_, left_, left_, kind);
    std::vector<BoundPtr> columns;
    for (int i = 0; i < left_; ++i) columns.push_back(MakeColumn(i, *rows->schema->field(i)));
    return MakeProject(rows, std::move(columns), join_.schema->fields());
  }

  PlanPtr LeftAlone() const {
    return WithNulls(Rows(numbered_left_, left_, left_, JoinKind::kLeftAnti), 0, left_);
  }
  PlanPtr RightAlone() const {
    return WithNulls(Rows(numbered_right_, right_, left_ + 1 + right_, JoinKind::kLeftAnti), left_,
                     right_);
  }

  /// `count` columns of `rows` as those from `from` on, the others NULL.
  PlanPtr WithNulls(const PlanPtr& rows, int from, int count) const {
    std::vector<BoundPtr> columns;
    for (int i = 0; i < left_ + right_; ++i) {
      const bool own = i >= from && i < from + count;
      columns.push_back(own ? MakeColumn(i - from, *rows->schema->field(i - from))
                            : MakeLiteral(arrow::MakeNullScalar(join_.schema->field(i)->type())));
    }
    return MakeProject(rows, std::move(columns), join_.schema->fields());
  }

  PlanPtr Both(const std::vector<PlanPtr>& parts) const {
    PlanPtr all = parts[0];
    for (size_t i = 1; i < parts.size(); ++i) {
      auto made = std::make_shared<SetOpNode>();
      made->schema = join_.schema;
      made->inputs = {all, parts[i]};
      all = std::move(made);
    }
    return all;
  }

  const JoinNode& join_;
  const int left_;
  const int right_;
  const PlanPtr numbered_left_;
  const PlanPtr numbered_right_;
  const PlanPtr matched_;
};

}  // namespace

Result<Fragment> QueryCompiler::BuildByRowNumbers(const JoinNode& join) {
  return Build(NumberedJoin(join).Plan());
}

}  // namespace sluice::sql
