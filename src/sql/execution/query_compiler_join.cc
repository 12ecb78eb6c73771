// Joins of the query runner.
#include <fmt/format.h>

#include "sql/analysis/query_binder.h"
#include "sql/execution/query_compiler_internal.h"

namespace sluice::sql {
namespace {

// The residual condition of an outer join as SQL: and, or, not and comparisons over parts that use
// one side only; those become columns of that side.
class ResidualLowering {
 public:
  ResidualLowering(int left_columns, int right_columns)
      : left_columns_(left_columns), right_columns_(right_columns) {}

  std::vector<BoundPtr> left;   // more columns of the left side
  std::vector<BoundPtr> right;  // more columns of the right side, over its own positions

  Result<std::string> Lower(const BoundPtr& expression) {
    bool uses_left = false;
    bool uses_right = false;
    for (int column : ReferencedColumns(*expression))
      (column < left_columns_ ? uses_left : uses_right) = true;
    if (!uses_right) {
      left.push_back(expression);
      return ColumnSql(left_columns_ + static_cast<int>(left.size()) - 1, "l");
    }
    if (!uses_left) {
      std::vector<int> positions;
      for (int i = 0; i < left_columns_ + right_columns_; ++i)
        positions.push_back(i - left_columns_);
      right.push_back(RemapColumns(expression, positions));
      return ColumnSql(right_columns_ + static_cast<int>(right.size()) - 1, "r");
    }
    static const std::map<std::string, std::string> operators = {
        {"and", "AND"}, {"or", "OR"}, {"=", "="},   {"<", "<"},
        {"<=", "<="},   {">", ">"},   {">=", ">="}, {"<=>", "IS NOT DISTINCT FROM"}};
    if (expression->IsCall("not")) {
      SLUICE_ASSIGN_OR_RETURN(auto operand, Lower(expression->args[0]));
      return "(NOT " + operand + ")";
    }
    const auto found = operators.find(expression->name);
    if (expression->kind != BoundKind::kCall || found == operators.end()) {
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: the condition " +
                                                ToString(*expression) + " in an outer join");
    }
    SLUICE_ASSIGN_OR_RETURN(auto first, Lower(expression->args[0]));
    SLUICE_ASSIGN_OR_RETURN(auto second, Lower(expression->args[1]));
    return fmt::format("({} {} {})", first, found->second, second);
  }

 private:
  int left_columns_;
  int right_columns_;
};

const char* JoinSql(JoinKind kind) {
  switch (kind) {
    case JoinKind::kInner: return "JOIN";
    case JoinKind::kLeft: return "LEFT JOIN";
    case JoinKind::kRight: return "RIGHT JOIN";
    case JoinKind::kFull: return "FULL JOIN";
    case JoinKind::kLeftSemi: return "SEMI JOIN";
    case JoinKind::kLeftAnti: return "ANTI JOIN";
    case JoinKind::kCross: return "CROSS JOIN";
  }
  return "JOIN";
}

}  // namespace

Result<Fragment> QueryCompiler::BuildJoin(const JoinNode& join) {
  const int left_columns = join.inputs[0]->schema->num_fields();
  const int right_columns = join.inputs[1]->schema->num_fields();
  ResidualLowering residual(left_columns, right_columns);
  std::string on;
  auto both = [&](const std::string& condition) { on += (on.empty() ? "" : " AND ") + condition; };
  for (size_t i = 0; i < join.left_keys.size(); ++i) {
    residual.left.push_back(join.left_keys[i]);
    residual.right.push_back(join.right_keys[i]);
    both(fmt::format("{} {} {}", ColumnSql(left_columns + static_cast<int>(i), "l"),
                     join.null_safe[i] ? "IS NOT DISTINCT FROM" : "=",
                     ColumnSql(right_columns + static_cast<int>(i), "r")));
  }
  const bool filter_above = join.residual != nullptr && join.join == JoinKind::kInner;
  if (join.residual != nullptr && !filter_above) {
    const auto condition = residual.Lower(join.residual);
    if (HasCode(condition.status(), "NOT_SUPPORTED_YET")) return BuildByRowNumbers(join);
    SLUICE_RETURN_NOT_OK(condition.status());
    both(*condition);
  }
  SLUICE_ASSIGN_OR_RETURN(auto left, BuildWith(join.inputs[0], residual.left));
  SLUICE_ASSIGN_OR_RETURN(auto right, BuildWith(join.inputs[1], residual.right));
  Fragment made;
  made.schema = join.schema;
  std::vector<std::string> selected;
  const bool left_only = join.join == JoinKind::kLeftSemi || join.join == JoinKind::kLeftAnti;
  for (int i = 0; i < left_columns; ++i) selected.push_back(ColumnSql(i, "l"));
  for (int i = 0; i < right_columns && !left_only; ++i) selected.push_back(ColumnSql(i, "r"));
  const std::string left_sql = ToSql(std::move(left), &made);
  const std::string right_sql = ToSql(std::move(right), &made);
  const bool cross = on.empty() && (join.join == JoinKind::kInner || join.join == JoinKind::kCross);
  made.sql = fmt::format("SELECT {} FROM {} l {} {} r{}", SelectList(selected), left_sql,
                         cross ? "CROSS JOIN" : JoinSql(join.join), right_sql,
                         cross ? "" : " ON " + (on.empty() ? "true" : on));
  if (selected.empty()) {  // only the number of rows matters
    SLUICE_ASSIGN_OR_RETURN(auto connection, runtime_.Connect());
    for (auto& [name, reader] : made.tables)
      SLUICE_RETURN_NOT_OK(connection->Register(name, std::move(reader)));
    SLUICE_ASSIGN_OR_RETURN(
        auto rows,
        connection->Query(made.sql, arrow::schema({arrow::field("c0", arrow::int32())})));
    SLUICE_ASSIGN_OR_RETURN(
        rows, MakeProjectReader(std::move(rows), nullptr, {}, join.schema, functions_, clock_));
    return FromReader(std::move(rows));
  }
  if (!filter_above) return made;
  SLUICE_ASSIGN_OR_RETURN(auto rows, ToReader(std::move(made)));
  std::vector<BoundPtr> columns;
  for (int i = 0; i < join.schema->num_fields(); ++i)
    columns.push_back(MakeColumn(i, *join.schema->field(i)));
  SLUICE_ASSIGN_OR_RETURN(
      rows, MakeProjectReader(std::move(rows), join.residual, std::move(columns), join.schema,
                              functions_, clock_));
  return FromReader(std::move(rows));
}

}  // namespace sluice::sql
