#include "delta/files/row_rules.h"

#include "delta/commands/dml.h"
#include "delta/log/table_for_test.h"

namespace sluice::delta {
namespace {

using Origin = RowRules::Origin;

std::shared_ptr<arrow::Field> With(const std::shared_ptr<arrow::Field>& field,
                                   const std::vector<std::pair<std::string, std::string>>& keys) {
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  for (const auto& [key, value] : keys) metadata->Append(key, value);
  return field->WithMetadata(std::move(metadata));
}

class RowRulesTest : public ChangedTableTest {
 protected:
  RowRulesTest() {
    expressions_.known["v > 0"] = Condition([](const TestRow& row) -> std::optional<bool> {
      if (!row.v.has_value()) return std::nullopt;
      return *row.v > 0;
    });
    expressions_.known["id * 2"] = Number([](const TestRow& row) -> std::optional<int64_t> {
      if (!row.id.has_value()) return std::nullopt;
      return *row.id * 2;
    });
    expressions_.known["7"] = [](const std::shared_ptr<arrow::RecordBatch>& rows) {
      return arrow::MakeArrayFromScalar(arrow::Int64Scalar(7), rows->num_rows());
    };
  }
  std::shared_ptr<Table> CreateWith(int column,
                                    const std::vector<std::pair<std::string, std::string>>& keys,
                                    StringMap properties = {}) {
    auto fields = TestSchema()->fields();
    fields[static_cast<size_t>(column)] = With(fields[static_cast<size_t>(column)], keys);
    return Create(std::move(properties), {}, arrow::schema(fields));
  }
  Result<std::shared_ptr<arrow::RecordBatch>> Apply(const Table& table,
                                                    const std::shared_ptr<arrow::RecordBatch>& rows,
                                                    Origin origin = Origin::kInserted) {
    SLUICE_ASSIGN_OR_RETURN(const auto rules, RowRules::Make(*table.Current(), &expressions_));
    return rules->Apply(rows, origin);
  }
  static std::shared_ptr<arrow::RecordBatch> Without(
      const std::shared_ptr<arrow::RecordBatch>& rows, const std::string& column) {
    return rows->RemoveColumn(rows->schema()->GetFieldIndex(column)).ValueOrDie();
  }

  TestExpressions expressions_;
};

TEST_F(RowRulesTest, ConstraintsMustBeTrue) {
  const auto table = Create({{"delta.constraints.pos", "v > 0"}});
  EXPECT_TRUE(Apply(*table, BatchOf({{1, 1, "a"}})).ok());
  for (const std::optional<int64_t> v : {std::optional<int64_t>(0), std::optional<int64_t>()}) {
    const Status status = Apply(*table, BatchOf({{1, 1, "a"}, {2, v, "b"}})).status();
    EXPECT_TRUE(HasCode(status, "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES")) << status;
    EXPECT_NE(status.message().find("id = 2"), std::string::npos) << status;
  }
  EXPECT_TRUE(HasCode(RowRules::Make(*table->Current(), nullptr).status(),
                      "DELTA_UNSUPPORTED_WRITER_FEATURE"));
}

TEST_F(RowRulesTest, UpdatesMeetTheConstraintsAndWriteNothingElse) {
  const auto table = Create({{"delta.constraints.pos", "v > 0"}});
  Append(*table, {{1, 1, "a"}});
  const Assignment v{{"v"}, Number([](const TestRow& row) { return std::optional(*row.v - 1); })};
  WriteOptions options;
  options.expressions = &expressions_;
  const auto files = storage_.ListRecursive("/t").ValueOrDie().size();
  EXPECT_TRUE(HasCode(UpdateRows(*table, RowCondition::Always(), {v}, options).status(),
                      "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"));
  EXPECT_EQ(storage_.ListRecursive("/t").ValueOrDie().size(), files);
}

TEST_F(RowRulesTest, InvariantsAreConstraints) {
  const auto table =
      CreateWith(1, {{"delta.invariants", R"("{\"expression\":{\"expression\":\"v > 0\"}}")"}});
  EXPECT_TRUE(HasCode(Apply(*table, BatchOf({{1, 0, "a"}})).status(),
                      "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"));
}

TEST_F(RowRulesTest, GeneratedColumnsAreFilledOrChecked) {
  const auto table = CreateWith(1, {{"delta.generationExpression", "\"id * 2\""}});
  const auto filled = Apply(*table, Without(BatchOf({{4, 0, "a"}}), "v")).ValueOrDie();
  EXPECT_EQ(RowAt(*filled, 0).v, 8);
  EXPECT_TRUE(Apply(*table, BatchOf({{4, 8, "a"}})).ok());
  EXPECT_TRUE(HasCode(Apply(*table, BatchOf({{4, 9, "a"}})).status(),
                      "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"));
}

TEST_F(RowRulesTest, UpdateComputesGeneratedColumnsAnew) {
  const auto table = CreateWith(1, {{"delta.generationExpression", "\"id * 2\""}});
  Append(*table, {{4, 8, "a"}, {5, 10, "a"}});
  const Assignment id{{"id"},
                      Number([](const TestRow& row) { return std::optional(*row.id + 100); })};
  WriteOptions options;
  options.expressions = &expressions_;
  ASSERT_TRUE(UpdateRows(*table, RowCondition::Always(), {id}, options).ok());
  EXPECT_EQ(Contents(), Texts({{104, 208, "a"}, {105, 210, "a"}}));
}

TEST_F(RowRulesTest, DefaultsFillOnlyWhatIsMissing) {
  const auto table = CreateWith(1, {{"CURRENT_DEFAULT", "\"7\""}},
                                {{"delta.feature.allowColumnDefaults", "supported"}});
  EXPECT_EQ(RowAt(*Apply(*table, Without(BatchOf({{4, 0, "a"}}), "v")).ValueOrDie(), 0).v, 7);
  EXPECT_EQ(RowAt(*Apply(*table, BatchOf({{4, std::nullopt, "a"}})).ValueOrDie(), 0).v,
            std::nullopt);
}

TEST_F(RowRulesTest, IdentityColumnsCountOn) {
  const auto table = CreateWith(0, {{"delta.identity.start", "10"},
                                    {"delta.identity.step", "-5"},
                                    {"delta.identity.allowExplicitInsert", "false"}});
  const auto rules = RowRules::Make(*table->Current(), nullptr).ValueOrDie();
  EXPECT_EQ(rules->SchemaAfter(), nullptr);
  const auto rows = Without(BatchOf({{0, 1, "a"}, {0, 2, "b"}}), "id");
  const auto first = rules->Apply(rows, Origin::kInserted).ValueOrDie();
  EXPECT_EQ(RowAt(*first, 0).id, 10);
  EXPECT_EQ(RowAt(*first, 1).id, 5);
  EXPECT_EQ(RowAt(*rules->Apply(rows, Origin::kInserted).ValueOrDie(), 1).id, -5);
  EXPECT_EQ(*rules->SchemaAfter()->field(0)->metadata()->Get("delta.identity.highWaterMark"), "-5");
  EXPECT_TRUE(HasCode(rules->Apply(BatchOf({{1, 1, "a"}}), Origin::kInserted).status(),
                      "DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED"));
  EXPECT_TRUE(HasCode(rules->CheckAssignable("id"), "DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED"));
  EXPECT_TRUE(rules->CheckAssignable("v").ok());
}

TEST_F(RowRulesTest, TextsFitTheirType) {
  const auto table = CreateWith(2, {{"__CHAR_VARCHAR_TYPE_STRING", "\"varchar(2)\""}});
  EXPECT_TRUE(Apply(*table, BatchOf({{1, 1, "\xC3\xA9\xC3\xA9"}, {1, 1, std::nullopt}})).ok());
  EXPECT_EQ(RowAt(*Apply(*table, BatchOf({{1, 1, "ab   "}})).ValueOrDie(), 0).day, "ab");
  EXPECT_TRUE(
      HasCode(Apply(*table, BatchOf({{1, 1, "abc"}})).status(), "DELTA_EXCEED_CHAR_VARCHAR_LIMIT"));
}

}  // namespace
}  // namespace sluice::delta
