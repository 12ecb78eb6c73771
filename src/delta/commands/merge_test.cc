#include "delta/commands/merge.h"

#include <set>

#include "base/random.h"
#include "delta/commands/dml.h"
#include "delta/commands/schema_evolution.h"
#include "delta/log/table_for_test.h"

namespace sluice::delta {
namespace {

using Kind = MergeClause::Kind;
constexpr int kSource = 3;  // the source's columns follow the table's

/// ON t.id = s.id, the source with the table's columns.
MergeRequest ById(const TestRows& source) {
  MergeRequest request;
  request.source_schema = TestSchema();
  if (!source.empty()) request.source = {BatchOf(source)};
  request.keys = {{ColumnAt(0), ColumnAt(0), false, "id"}};
  request.text = "t.id = s.id";
  request.columns = std::vector<std::string>{"id", "v"};
  return request;
}

MergeClause UpdateAll(RowFunction condition = nullptr) {
  return {Kind::kUpdate,
          std::move(condition),
          {{{"v"}, ColumnAt(kSource + 1)}, {{"day"}, ColumnAt(kSource + 2)}},
          ""};
}
MergeClause Delete(RowFunction condition = nullptr) {
  return {Kind::kDelete, std::move(condition), {}, ""};
}
MergeClause InsertAll(RowFunction condition = nullptr) {
  return {Kind::kInsert,
          std::move(condition),
          {{{"id"}, ColumnAt(0)}, {{"v"}, ColumnAt(1)}, {{"day"}, ColumnAt(2)}},
          ""};
}

std::optional<bool> IsEven(const std::optional<int64_t>& number) {
  if (!number.has_value()) return std::nullopt;
  return *number % 2 == 0;
}

class MergeTest : public ChangedTableTest {};

TEST_F(MergeTest, UpsertTellsWhatItDid) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}, {2, 20, "a"}, {std::nullopt, 5, "a"}});
  MergeRequest request = ById({{2, 21, "b"}, {3, 30, "b"}, {std::nullopt, 7, "b"}});
  request.matched = {UpdateAll()};
  request.not_matched = {InsertAll()};
  const auto report = MergeRows(*table, request).ValueOrDie();
  // Null keys match nothing: that row of the source is new.
  EXPECT_EQ(Contents(), Texts({{1, 10, "a"},
                               {2, 21, "b"},
                               {3, 30, "b"},
                               {std::nullopt, 5, "a"},
                               {std::nullopt, 7, "b"}}));
  EXPECT_EQ(report.metrics.at("numSourceRows"), 3);
  EXPECT_EQ(report.metrics.at("numTargetRowsInserted"), 2);
  EXPECT_EQ(report.metrics.at("numTargetRowsUpdated"), 1);
  EXPECT_EQ(report.metrics.at("numTargetRowsCopied"), 2);
  EXPECT_EQ(report.metrics.at("numOutputRows"), 5);
  const CommitInfo info = LastCommit(*table);
  EXPECT_EQ(info.operation, "MERGE");
  EXPECT_EQ(info.operation_parameters.at("predicate"), "[\"t.id = s.id\"]");
  EXPECT_EQ(info.operation_parameters.at("matchedPredicates"), "[{\"actionType\":\"update\"}]");
  EXPECT_EQ(info.operation_parameters.at("notMatchedPredicates"), "[{\"actionType\":\"insert\"}]");
  EXPECT_EQ(info.operation_parameters.at("notMatchedBySourcePredicates"), "[]");
}

TEST_F(MergeTest, NullSafeKeysMatchNulls) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}, {std::nullopt, 5, "a"}});
  MergeRequest request = ById({{std::nullopt, 7, "b"}});
  request.keys[0].null_safe = true;
  request.matched = {UpdateAll()};
  ASSERT_TRUE(MergeRows(*table, request).ok());
  EXPECT_EQ(Contents(), Texts({{1, 10, "a"}, {std::nullopt, 7, "b"}}));
}

TEST_F(MergeTest, SeveralMatchesAreAnErrorUnlessTheyCannotMatter) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}, {2, 20, "a"}});
  const TestRows twice = {{1, 11, "b"}, {1, 12, "b"}};
  const auto merge = [&](const MergeRequest& request) {
    return MergeRows(*table, request).status();
  };
  MergeRequest request = ById(twice);
  request.matched = {UpdateAll()};
  EXPECT_TRUE(HasCode(merge(request), "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"));
  request.matched = {Delete(), UpdateAll()};
  EXPECT_TRUE(HasCode(merge(request), "DELTA_MULTIPLE_SOURCE_ROW_MATCHING_TARGET_ROW_IN_MERGE"));
  EXPECT_EQ(table->Current()->version().value(), 1);
  // Only one of the two changes the row.
  request.matched = {
      UpdateAll(Condition([](const TestRow& row) { return IsEven(row.v); }, kSource))};
  ASSERT_TRUE(merge(request).ok());
  EXPECT_EQ(Contents(), Texts({{1, 12, "b"}, {2, 20, "a"}}));
  request.matched = {Delete()};
  const auto report = MergeRows(*table, request).ValueOrDie();
  EXPECT_EQ(report.metrics.at("numTargetRowsDeleted"), 1);
  EXPECT_EQ(Contents(), Texts({{2, 20, "a"}}));
  // Rows that are only inserted may match as often as they like.
  request.matched = {};
  request.not_matched = {InsertAll()};
  ASSERT_TRUE(merge(ById({{2, 1, "x"}, {2, 2, "x"}})).ok());
}

TEST_F(MergeTest, OnlyFilesWithKeysOfTheSourceAreRead) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  Append(*table, {{1, 10, "a"}, {2, 20, "a"}});
  const std::string gone = table->Current()->Files()[0]->path;
  Append(*table, {{100, 10, "a"}, {200, 20, "a"}});
  ASSERT_TRUE(storage_.Delete("/t/" + gone).ok());
  MergeRequest request = ById({{100, 0, "z"}, {300, 0, "z"}});
  request.matched = {Delete()};
  request.not_matched = {InsertAll()};
  EXPECT_TRUE(MergeRows(*table, request).ok());
  // A source without keys, or without rows, reads nothing at all.
  request = ById({{std::nullopt, 0, "z"}});
  request.matched = {Delete()};
  EXPECT_FALSE(MergeRows(*table, request).ValueOrDie().version.has_value());
  request = ById({});
  request.matched = {Delete()};
  EXPECT_FALSE(MergeRows(*table, request).ValueOrDie().version.has_value());
  request.not_matched_by_source = {Delete()};
  EXPECT_TRUE(HasCode(MergeRows(*table, request).status(), "DELTA_FILE_NOT_FOUND"));
}

TEST_F(MergeTest, WithoutKeysEveryPairIsTried) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}, {2, 20, "a"}, {3, 30, "a"}});
  MergeRequest request = ById({{0, 25, "limit"}});
  request.keys.clear();
  request.condition =
      [](const std::shared_ptr<arrow::RecordBatch>& rows) -> Result<std::shared_ptr<arrow::Array>> {
    arrow::BooleanBuilder builder;
    for (int64_t i = 0; i < rows->num_rows(); ++i)
      SLUICE_RETURN_NOT_OK(builder.Append(*RowAt(*rows, i).v > *RowAt(*rows, i, kSource).v));
    return builder.Finish();
  };
  request.matched = {Delete()};
  request.not_matched = {InsertAll()};
  ASSERT_TRUE(MergeRows(*table, request).ok());
  EXPECT_EQ(Contents(), Texts({{1, 10, "a"}, {2, 20, "a"}}));
}

TEST_F(MergeTest, TheSchemaFollowsTheSource) {
  const auto table = Create();
  Append(*table, {{1, 10, "a"}});
  arrow::FieldVector fields = TestSchema()->fields();
  fields.push_back(arrow::field("extra", arrow::utf8()));
  MergeRequest request = ById({{1, 11, "b"}, {2, 20, "b"}});
  request.new_schema = MergeSchemas(*TestSchema(), *arrow::schema(fields), false).ValueOrDie();
  const RowFunction extra = [](const std::shared_ptr<arrow::RecordBatch>& rows) {
    return arrow::MakeArrayFromScalar(arrow::StringScalar("x"), rows->num_rows());
  };
  // The table has four columns now, the source's follow them.
  request.matched = {{Kind::kUpdate, nullptr, {{{"v"}, ColumnAt(5)}, {{"extra"}, extra}}, ""}};
  request.not_matched = {{Kind::kInsert, nullptr, {{{"id"}, ColumnAt(0)}, {{"extra"}, extra}}, ""}};
  ASSERT_TRUE(MergeRows(*table, request).ok());
  EXPECT_EQ(table->Current()->schema()->num_fields(), 4);
  EXPECT_EQ(Contents(), Texts({{1, 11, "a"}, {2, std::nullopt, std::nullopt}}));
  const auto all = ReadAll(storage_, table->Current()).ValueOrDie();
  EXPECT_EQ(all->GetColumnByName("extra")->null_count(), 0);
}

/// What SQL says a MERGE of `ById` with all clauses does.
struct Model {
  std::map<int64_t, TestRow> rows;
  std::multiset<std::string> changes;

  void Change(const char* change, const TestRow& row) {
    changes.insert(std::string(change) + " " + row.Text());
  }
  void Set(int64_t id, const TestRow& row) {
    Change("update_preimage", rows.at(id));
    Change("update_postimage", row);
    rows[id] = row;
  }
  void Erase(int64_t id) {
    Change("delete", rows.at(id));
    rows.erase(id);
  }
  void Merge(const TestRows& source) {
    std::set<int64_t> seen;
    const auto before = rows;
    for (const TestRow& row : source) {
      seen.insert(*row.id);
      if (!before.contains(*row.id)) {
        if (IsEven(row.v) == true || !row.v.has_value()) {
          rows[*row.id] = row;
          Change("insert", row);
        }
      } else if (IsEven(row.v) == true) {
        Erase(*row.id);
      } else if (row.v.has_value()) {
        Set(*row.id, row);
      }
    }
    for (const auto& [id, row] : before) {
      if (seen.contains(id)) continue;
      if (!row.v.has_value()) {
        TestRow changed = row;
        changed.v = 1;
        Set(id, changed);
      } else if (*row.v % 7 == 0) {
        Erase(id);
      }
    }
  }
};

class DmlPropertyTest : public ChangedTableTest,
                        public ::testing::WithParamInterface<std::tuple<bool, bool, uint64_t>> {
 protected:
  TestRow RandomRow(int64_t id) {
    TestRow row{id, std::nullopt, std::nullopt};
    if (!random_.OneIn(5)) row.v = static_cast<int64_t>(random_.Below(40));
    if (!random_.OneIn(6)) row.day = std::string(1, static_cast<char>('a' + random_.Below(3)));
    return row;
  }
  void Step();
  void AppendStep();
  void DeleteStep();
  void UpdateStep();
  void MergeStep();

  Random random_{std::get<2>(GetParam())};
  std::shared_ptr<Table> table_;
  Model model_;
  std::map<int64_t, int64_t> row_ids_;
  int64_t next_id_ = 0;
};

void DmlPropertyTest::AppendStep() {
  TestRows rows;
  for (uint64_t i = 0; i < 1 + random_.Below(20); ++i) rows.push_back(RandomRow(next_id_++));
  for (const TestRow& row : rows) {
    model_.rows[*row.id] = row;
    model_.Change("insert", row);
  }
  Append(*table_, rows);
}

RowCondition Between(int64_t low, int64_t high) {
  RowCondition condition;
  condition.holds = Condition(
      [low, high](const TestRow& row) { return std::optional(*row.id >= low && *row.id <= high); });
  condition.prunes = {{"id", CompareOp::kGreaterEqual, arrow::MakeScalar(low), {}},
                      {"id", CompareOp::kLessEqual, arrow::MakeScalar(high), {}}};
  condition.columns = std::vector<std::string>{"id"};
  return condition;
}

void DmlPropertyTest::DeleteStep() {
  const auto low = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(next_id_)));
  const int64_t high = low + static_cast<int64_t>(random_.Below(12));
  for (int64_t id = low; id <= high; ++id) {
    if (model_.rows.contains(id)) model_.Erase(id);
  }
  const auto done = DeleteRows(*table_, Between(low, high));
  ASSERT_TRUE(done.ok()) << done.status();
}

void DmlPropertyTest::UpdateStep() {
  const auto low = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(next_id_)));
  const int64_t high = low + static_cast<int64_t>(random_.Below(12));
  for (int64_t id = low; id <= high; ++id) {
    if (!model_.rows.contains(id)) continue;
    TestRow row = model_.rows.at(id);
    if (row.v.has_value()) *row.v += 1;
    row.day = "u";
    model_.Set(id, row);
  }
  const Assignment v{{"v"}, Number([](const TestRow& row) -> std::optional<int64_t> {
                       if (!row.v.has_value()) return std::nullopt;
                       return *row.v + 1;
                     })};
  const Assignment day{{"day"}, [](const std::shared_ptr<arrow::RecordBatch>& rows) {
                         return arrow::MakeArrayFromScalar(arrow::StringScalar("u"),
                                                           rows->num_rows());
                       }};
  const auto done = UpdateRows(*table_, Between(low, high), {v, day});
  ASSERT_TRUE(done.ok()) << done.status();
}

void DmlPropertyTest::MergeStep() {
  TestRows source;
  std::set<int64_t> ids;
  for (uint64_t i = 0; i < random_.Below(25); ++i) {
    const auto id = static_cast<int64_t>(random_.Below(static_cast<uint64_t>(next_id_ + 10)));
    if (ids.insert(id).second) source.push_back(RandomRow(id));
  }
  next_id_ += 10;
  model_.Merge(source);
  MergeRequest request = ById(source);
  const auto even = [](const TestRow& row) { return IsEven(row.v); };
  const auto known = [](const TestRow& row) { return std::optional(row.v.has_value()); };
  const auto unknown = [](const TestRow& row) { return std::optional(!row.v.has_value()); };
  request.matched = {Delete(Condition(even, kSource)), UpdateAll(Condition(known, kSource))};
  request.not_matched = {InsertAll(Condition(even)), InsertAll(Condition(unknown))};
  const Assignment one{{"v"}, Number([](const TestRow&) { return std::optional<int64_t>(1); })};
  request.not_matched_by_source = {
      {Kind::kUpdate, Condition(unknown), {one}, ""},
      Delete(Condition([](const TestRow& row) { return std::optional(*row.v % 7 == 0); }))};
  const auto done = MergeRows(*table_, request);
  ASSERT_TRUE(done.ok()) << done.status();
}

void DmlPropertyTest::Step() {
  model_.changes.clear();
  const TableVersion before = table_->Current()->version();
  switch (random_.Below(5)) {
    case 0: DeleteStep(); break;
    case 1: UpdateStep(); break;
    case 2: MergeStep(); break;
    default: AppendStep();
  }
  TestRows rows;
  for (const auto& [id, row] : model_.rows) rows.push_back(row);
  ASSERT_EQ(Contents(), Texts(rows));
  std::multiset<std::string> changes;
  if (table_->Current()->version() != before) {
    for (const std::string& change : Changes(*table_)) changes.insert(change);
  }
  ASSERT_EQ(changes, model_.changes);
  for (const auto& [id, ids] : RowIds()) {
    ASSERT_GE(ids.first, 0);
    ASSERT_EQ(row_ids_.try_emplace(id, ids.first).first->second, ids.first) << "row id of " << id;
  }
  // A row that comes back after it was deleted is another one.
  std::erase_if(row_ids_, [&](const auto& entry) { return !model_.rows.contains(entry.first); });
}

TEST_P(DmlPropertyTest, TableChangesAndRowIdsAreAsSqlSays) {
  StringMap properties = {{"delta.enableChangeDataFeed", "true"},
                          {"delta.enableRowTracking", "true"}};
  if (std::get<0>(GetParam())) properties["delta.enableDeletionVectors"] = "true";
  table_ = Create(properties, std::get<1>(GetParam()) ? std::vector<std::string>{"day"}
                                                      : std::vector<std::string>{});
  SCOPED_TRACE("seed " + std::to_string(std::get<2>(GetParam())));
  AppendStep();
  for (int step = 0; step < 18 && !HasFatalFailure(); ++step) Step();
}

INSTANTIATE_TEST_SUITE_P(Seeds, DmlPropertyTest,
                         ::testing::Combine(::testing::Bool(), ::testing::Bool(),
                                            ::testing::Values(1, 2)));

}  // namespace
}  // namespace sluice::delta
