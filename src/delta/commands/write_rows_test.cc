#include "delta/commands/write_rows.h"

#include <arrow/json/from_string.h>

#include "delta/commands/schema_evolution.h"
#include "delta/log/row_ids.h"
#include "delta/log/table_for_test.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

class WriteRowsTest : public ChangedTableTest {
 protected:
  static Result<WriteReport> Write(Table& table, WriteRequest request,
                                   const std::shared_ptr<arrow::RecordBatch>& rows,
                                   const WriteOptions& options = {}) {
    const auto reader = arrow::RecordBatchReader::Make({rows}, rows->schema()).ValueOrDie();
    request.rows = reader.get();
    return WriteRows(table, request, options);
  }
  static Result<WriteReport> Write(Table& table, WriteMode mode, const TestRows& rows,
                                   const WriteOptions& options = {}) {
    WriteRequest request;
    request.mode = mode;
    return Write(table, std::move(request), BatchOf(rows), options);
  }
  static std::shared_ptr<arrow::RecordBatch> Columns(
      const std::vector<std::pair<std::shared_ptr<arrow::Field>, std::string>>& columns) {
    arrow::FieldVector fields;
    arrow::ArrayVector arrays;
    for (const auto& [field, json] : columns) {
      fields.push_back(field);
      arrays.push_back(arrow::json::ArrayFromJSONString(field->type(), json).ValueOrDie());
    }
    return arrow::RecordBatch::Make(arrow::schema(fields), arrays[0]->length(), arrays);
  }
  std::string TextOf(const std::string& column) {
    const auto all = ReadAll(storage_, Snapshot::Load(storage_, "/t").ValueOrDie()).ValueOrDie();
    return all->GetColumnByName(column)->ToString();
  }
};

TEST_F(WriteRowsTest, AppendIsBlindAndNothingCommitsNothing) {
  const auto table = Create();
  const auto report = Write(*table, WriteMode::kAppend, {{1, 1, "a"}}).ValueOrDie();
  EXPECT_EQ(report.version, TableVersion(1));
  const CommitInfo info = LastCommit(*table);
  EXPECT_EQ(info.operation, "WRITE");
  EXPECT_EQ(info.operation_parameters.at("mode"), "Append");
  EXPECT_EQ(info.operation_metrics.at("numOutputRows"), "1");
  EXPECT_TRUE(*info.is_blind_append);
  EXPECT_FALSE(Write(*table, WriteMode::kAppend, {}).ValueOrDie().version.has_value());
}

TEST_F(WriteRowsTest, OverwriteReplacesAllRows) {
  const auto table = Create({{"delta.enableChangeDataFeed", "true"}}, {"day"});
  Append(*table, {{1, 1, "a"}, {2, 2, "b"}});
  const auto report = Write(*table, WriteMode::kOverwrite, {{3, 3, "a"}}).ValueOrDie();
  EXPECT_EQ(Contents(), Texts({{3, 3, "a"}}));
  EXPECT_EQ(report.metrics.at("numRemovedFiles"), 2);
  EXPECT_EQ(Changes(*table),
            (std::vector<std::string>{"delete 1 1 a", "delete 2 2 b", "insert 3 3 a"}));
  ASSERT_TRUE(Write(*table, WriteMode::kOverwrite, {}).ok());
  EXPECT_TRUE(Contents().empty());
}

TEST_F(WriteRowsTest, DynamicOverwriteReplacesThePartitionsWritten) {
  const auto table = Create({}, {"day"});
  Append(*table, {{1, 1, "a"}, {2, 2, "b"}, {3, 3, std::nullopt}});
  ASSERT_TRUE(
      Write(*table, WriteMode::kDynamicPartitions, {{10, 1, "a"}, {11, 1, std::nullopt}}).ok());
  EXPECT_EQ(Contents(), Texts({{10, 1, "a"}, {2, 2, "b"}, {11, 1, std::nullopt}}));
  EXPECT_EQ(LastCommit(*table).operation_parameters.at("isDynamicPartitionOverwrite"), "true");
}

TEST_F(WriteRowsTest, ReplaceWhereTakesRowsOfTheConditionOnly) {
  for (const bool vectors : {false, true}) {
    Clear();
    const auto table = Create({{"delta.enableDeletionVectors", vectors ? "true" : "false"},
                               {"delta.enableChangeDataFeed", "true"}});
    Append(*table, {{1, 1, "a"}, {2, 2, "b"}, {3, 3, "c"}});
    WriteRequest request;
    request.mode = WriteMode::kReplaceWhere;
    request.replace_where.holds =
        Condition([](const TestRow& row) { return std::optional(*row.id >= 2); });
    request.replace_where.text = "id >= 2";
    EXPECT_TRUE(HasCode(Write(*table, request, BatchOf({{1, 9, "z"}})).status(),
                        "DELTA_REPLACE_WHERE_MISMATCH"));
    const auto report = Write(*table, request, BatchOf({{7, 9, "z"}})).ValueOrDie();
    EXPECT_EQ(Contents(), Texts({{1, 1, "a"}, {7, 9, "z"}}));
    EXPECT_EQ(report.metrics.at("numDeletedRows"), 2);
    EXPECT_EQ(Changes(*table),
              (std::vector<std::string>{"delete 2 2 b", "delete 3 3 c", "insert 7 9 z"}));
    EXPECT_EQ(LastCommit(*table).operation_parameters.at("predicate"), "id >= 2");
  }
}

TEST_F(WriteRowsTest, ABatchOfAnApplicationIsWrittenOnceAlsoInARace) {
  const auto table = Create();
  const auto other = Table::Open({storage_, clock_}, "/t", 99).ValueOrDie();
  WriteOptions options;
  options.txn = AppTxn{"app", 1};
  ASSERT_TRUE(Write(*table, WriteMode::kAppend, {{1, 1, "a"}}, options).ok());
  EXPECT_TRUE(Write(*other, WriteMode::kAppend, {{1, 1, "a"}}, options).ValueOrDie().skipped);
  // The other writer commits the batch while ours is being read.
  options.txn->version = 2;
  const auto rows = BatchOf({{2, 2, "a"}});
  bool once = false;
  const auto racing = [&]() -> arrow::Result<std::shared_ptr<arrow::RecordBatch>> {
    if (once) return nullptr;
    once = true;
    EXPECT_TRUE(Write(*other, WriteMode::kAppend, {{2, 2, "a"}}, options).ok());
    return rows;
  };
  const auto reader = arrow::RecordBatchReader::MakeFromIterator(
                          arrow::MakeFunctionIterator(racing), rows->schema())
                          .ValueOrDie();
  WriteRequest request;
  request.rows = reader.get();
  EXPECT_TRUE(WriteRows(*table, request, options).ValueOrDie().skipped);
  EXPECT_EQ(Contents(), Texts({{1, 1, "a"}, {2, 2, "a"}}));
}

TEST_F(WriteRowsTest, SchemaIsHeldUnlessAskedToFollow) {
  const auto table = Create();
  const auto nested = arrow::struct_({arrow::field("x", arrow::int32())});
  const auto rows = Columns(
      {{arrow::field("ID", arrow::int32()), "[5]"}, {arrow::field("s", nested), "[{\"x\":1}]"}});
  EXPECT_TRUE(HasCode(Write(*table, WriteRequest(), rows).status(), "DELTA_SCHEMA_MISMATCH"));
  WriteRequest request;
  request.merge_schema = true;
  ASSERT_TRUE(Write(*table, request, rows).ok());
  EXPECT_EQ(table->Current()->schema()->field_names(),
            (std::vector<std::string>{"id", "v", "day", "s"}));
  const auto wider =
      arrow::struct_({arrow::field("y", arrow::utf8()), arrow::field("X", arrow::int32())});
  ASSERT_TRUE(
      Write(*table, request, Columns({{arrow::field("s", wider), "[{\"y\":\"new\",\"X\":2}]"}}))
          .ok());
  const auto& type = *table->Current()->schema()->GetFieldByName("s")->type();
  EXPECT_EQ(type.ToString(), "struct<x: int32, y: string>");
  EXPECT_EQ(Contents().size(), 2U);
  EXPECT_TRUE(HasCode(
      Write(*table, request, Columns({{arrow::field("id", arrow::utf8()), "[\"1\"]"}})).status(),
      "DELTA_FAILED_TO_MERGE_FIELDS"));
}

TEST_F(WriteRowsTest, TypesWidenWhereTheTableAllowsIt) {
  const auto list = arrow::list(arrow::field("element", arrow::int8()));
  const auto schema = arrow::schema({arrow::field("n", arrow::int16()), arrow::field("l", list)});
  for (const bool widens : {false, true}) {
    Clear();
    const auto table =
        Create({{"delta.enableTypeWidening", widens ? "true" : "false"}}, {}, schema);
    WriteRequest request;
    request.merge_schema = true;
    ASSERT_TRUE(
        Write(*table, request, Columns({{schema->field(0), "[1]"}, {schema->field(1), "[[1]]"}}))
            .ok());
    const auto wide_list = arrow::list(arrow::field("element", arrow::int64()));
    const Status written = Write(*table, request,
                                 Columns({{arrow::field("n", arrow::int64()), "[70000]"},
                                          {arrow::field("l", wide_list), "[[70000]]"}}))
                               .status();
    EXPECT_EQ(written.ok(), widens) << written;
    if (!widens) continue;
    const auto& evolved = *table->Current()->schema();
    EXPECT_EQ(*evolved.field(0)->metadata()->Get("delta.typeChanges"),
              R"([{"toType":"long","fromType":"short"}])");
    EXPECT_EQ(*evolved.field(1)->metadata()->Get("delta.typeChanges"),
              R"([{"toType":"long","fromType":"byte","fieldPath":"element"}])");
    EXPECT_NE(TextOf("n").find("70000"), std::string::npos);
    EXPECT_TRUE(table->Current()->protocol().HasReaderFeature("typeWidening"));
  }
}

TEST_F(WriteRowsTest, OverwriteReplacesTheSchema) {
  for (const bool mapped : {false, true}) {
    Clear();
    const auto table = Create({{"delta.columnMapping.mode", mapped ? "name" : "none"}}, {"day"});
    Append(*table, {{1, 1, "a"}});
    WriteRequest request;
    request.mode = WriteMode::kOverwrite;
    request.overwrite_schema = true;
    request.partition_columns = {"p"};
    ASSERT_TRUE(Write(*table, request,
                      Columns({{arrow::field("p", arrow::int32()), "[7]"},
                               {arrow::field("id", arrow::utf8()), "[\"text\"]"}}))
                    .ok());
    EXPECT_EQ(table->Current()->partition_columns(), (std::vector<std::string>{"p"}));
    EXPECT_NE(TextOf("id").find("text"), std::string::npos);
    EXPECT_NE(TextOf("p").find("7"), std::string::npos);
  }
}

TEST_F(WriteRowsTest, MappedTablesWriteNestedFieldsByTheirNames) {
  const auto nested = arrow::struct_({arrow::field("x", arrow::int32())});
  const auto schema = arrow::schema({arrow::field("s", nested)});
  const auto table = Create({{"delta.columnMapping.mode", "name"}}, {}, schema);
  ASSERT_TRUE(Write(*table, WriteRequest(), Columns({{schema->field(0), "[{\"x\":41}]"}})).ok());
  EXPECT_NE(TextOf("s").find("41"), std::string::npos) << TextOf("s");
  const auto file = table->Current()->Files()[0];
  EXPECT_NE(file->stats.find("col-"), std::string::npos) << file->stats;
}

TEST_F(WriteRowsTest, StatisticsAreThoseOfTheColumnsChosen) {
  const auto nested =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("y.z", arrow::int32())});
  const auto schema = arrow::schema({arrow::field("a", arrow::int32()), arrow::field("s", nested),
                                     arrow::field("b", arrow::int32())});
  const auto table = Create({{"delta.dataSkippingStatsColumns", "b, s.`y.z`"}}, {}, schema);
  ASSERT_TRUE(Write(*table, WriteRequest(),
                    Columns({{schema->field(0), "[1]"},
                             {schema->field(1), "[{\"x\":2,\"y.z\":3}]"},
                             {schema->field(2), "[4]"}}))
                  .ok());
  const std::string bounds = R"({"s":{"y.z":3},"b":4})";
  EXPECT_EQ(table->Current()->Files()[0]->stats, R"({"numRecords":1,"minValues":)" + bounds +
                                                     R"(,"maxValues":)" + bounds +
                                                     R"(,"nullCount":{"s":{"y.z":0},"b":0}})");
}

TEST_F(WriteRowsTest, IdentityColumnsGoOnWhereTheyWere) {
  auto fields = TestSchema()->fields();
  auto metadata = std::make_shared<arrow::KeyValueMetadata>();
  metadata->Append("delta.identity.start", "1");
  metadata->Append("delta.identity.step", "1");
  metadata->Append("delta.identity.allowExplicitInsert", "false");
  fields[0] = fields[0]->WithMetadata(metadata);
  const auto table = Create({}, {}, arrow::schema(fields));
  const auto rows = BatchOf({{0, 1, "a"}, {0, 2, "b"}})->RemoveColumn(0).ValueOrDie();
  ASSERT_TRUE(Write(*table, WriteRequest(), rows).ok());
  ASSERT_TRUE(Write(*table, WriteRequest(), rows).ok());
  EXPECT_EQ(Contents(), Texts({{1, 1, "a"}, {2, 2, "b"}, {3, 1, "a"}, {4, 2, "b"}}));
}

TEST_F(WriteRowsTest, ATableAppearsWithItsRowsOrNotAtAll) {
  TableRegistry tables(storage_, clock_, 5);
  const auto create = [&](const TestRows& rows, const std::string& constraint) {
    CreateOptions options;
    options.partition_columns = {"day"};
    options.properties = {{"delta.enableRowTracking", "true"}};
    if (!constraint.empty()) options.properties["delta.constraints.c"] = constraint;
    const auto batch = BatchOf(rows);
    const auto reader = arrow::RecordBatchReader::Make({batch}, batch->schema()).ValueOrDie();
    TestExpressions expressions;
    expressions.known["v > 0"] =
        Condition([](const TestRow& row) { return std::optional(*row.v > 0); });
    WriteOptions write;
    write.expressions = &expressions;
    return CreateTableAs(tables, "/t", options, reader.get(), write).status();
  };
  EXPECT_TRUE(
      HasCode(create({{1, 1, "a"}, {2, 0, "b"}}, "v > 0"), "DELTA_VIOLATE_CONSTRAINT_WITH_VALUES"));
  EXPECT_TRUE(storage_.ListRecursive("/t").ValueOrDie().empty());
  const Status created = create({{1, 1, "a"}, {2, 2, "b"}}, "v > 0");
  ASSERT_TRUE(created.ok()) << created;
  EXPECT_EQ(Contents(), Texts({{1, 1, "a"}, {2, 2, "b"}}));
  EXPECT_EQ(tables.Open("/t").ValueOrDie()->Current()->version(), TableVersion(0));
  const size_t files = storage_.ListRecursive("/t").ValueOrDie().size();
  EXPECT_TRUE(HasCode(create({{3, 3, "a"}}, ""), "DELTA_TABLE_EXISTS"));
  EXPECT_EQ(storage_.ListRecursive("/t").ValueOrDie().size(), files);
  const auto info = tables.Open("/t").ValueOrDie()->Current()->last_commit_info();
  EXPECT_EQ(info->operation, "CREATE TABLE AS SELECT");
  EXPECT_EQ(info->operation_metrics.at("numOutputRows"), "2");
}

}  // namespace
}  // namespace sluice::delta
