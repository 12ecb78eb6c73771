#include "quality/expectation_operator.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "codec/json_writer.h"
#include "quality/quarantine_row.h"

namespace sluice::quality {
namespace {

class Gathered : public flow::Collector {
 public:
  Status Emit(Batch batch) override {
    batches.push_back(std::move(batch));
    return Status::OK();
  }
  Status EmitDeletes(std::shared_ptr<arrow::RecordBatch>) override { return Status::OK(); }
  Status EmitSatellite(const std::string& table,
                       std::shared_ptr<arrow::RecordBatch> rows) override {
    output.satellites[table].push_back(std::move(rows));
    return Status::OK();
  }
  flow::EpochOutput& counters() override { return output; }

  std::vector<Batch> batches;
  flow::EpochOutput output;
};

std::shared_ptr<arrow::Array> Longs(const std::vector<int64_t>& values) {
  arrow::Int64Builder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

// 't' = TRUE, 'f' = FALSE, 'n' = NULL.
std::shared_ptr<arrow::Array> Verdicts(const std::string& text) {
  arrow::BooleanBuilder builder;
  for (const char c : text) {
    EXPECT_TRUE((c == 'n' ? builder.AppendNull() : builder.Append(c == 't')).ok());
  }
  return builder.Finish().ValueOrDie();
}

std::shared_ptr<arrow::Array> Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

constexpr const char* kNames[] = {"warned", "dropped", "quarantined", "failed"};

Batch MakeBatch(const std::vector<std::string>& verdicts) {
  arrow::FieldVector fields = {arrow::field("id", arrow::int64())};
  std::vector<int64_t> ids;
  for (size_t i = 0; i < verdicts[0].size(); ++i) ids.push_back(static_cast<int64_t>(i) * 10);
  arrow::ArrayVector columns = {Longs(ids)};
  for (size_t i = 0; i < verdicts.size(); ++i) {
    fields.push_back(arrow::field(kNames[i], arrow::boolean()));
    columns.push_back(Verdicts(verdicts[i]));
  }
  Batch batch;
  batch.rows = arrow::RecordBatch::Make(arrow::schema(fields), columns[0]->length(), columns);
  return batch;
}

std::unique_ptr<ExpectationOperator> MakeOperator(const Batch& batch) {
  std::vector<EvaluatedExpectation> rules;
  for (int i = 1; i < batch.rows->num_columns(); ++i) {
    Expectation rule{batch.rows->column_name(i), "id IS FINE", static_cast<ViolationAction>(i - 1),
                     i == 3 ? "t_quarantine" : ""};
    rules.push_back({rule, i});
  }
  return ExpectationOperator::Make(rules, batch.rows->schema(), 1).ValueOrDie();
}

std::string Json(const arrow::RecordBatch& rows, int64_t row) {
  std::string text;
  EXPECT_TRUE(codec::AppendRowJson(rows, row, &text).ok());
  return text;
}

constexpr TimestampMicros kClock = 1709294400000000;

TEST(ExpectationOperatorTest, StrongestActionOfARowApplies) {
  // Rows:                     0 fine, 1 warned, 2 dropped, 3 NULL drops, 4 quarantined and dropped
  const Batch batch = MakeBatch({"tftff", "ttfnf", "ttttf"});
  auto op = MakeOperator(batch);
  Gathered out;
  ASSERT_TRUE(op->ProcessBatch({EpochNumber(7), kClock}, batch, &out).ok());
  ASSERT_EQ(out.batches.size(), 1U);
  ASSERT_EQ(out.batches[0].rows->num_columns(), 1);
  ASSERT_EQ(out.batches[0].num_rows(), 2);
  EXPECT_EQ(Json(*out.batches[0].rows, 1), R"({"id":10})");
  EXPECT_EQ(out.output.dropped_rows, 2);
  EXPECT_EQ(out.output.expectations["warned"].failed, 3);
  EXPECT_EQ(out.output.expectations["dropped"].failed, 3);
  EXPECT_EQ(out.output.expectations["dropped"].passed, 2);
  EXPECT_EQ(out.output.expectations["quarantined"].failed, 1);
  ASSERT_EQ(out.output.satellites["t_quarantine"].size(), 1U);
  const auto& rows = *out.output.satellites["t_quarantine"][0];
  ASSERT_EQ(rows.num_rows(), 1);
  EXPECT_TRUE(rows.ValidateFull().ok());
  EXPECT_EQ(Json(rows, 0),
            R"({"rules":["warned","dropped","quarantined"],"row":"{\"id\":40}","source":{},)"
            R"("epoch":7,"epoch_time":"2024-03-01T12:00:00.000Z"})");
}

TEST(ExpectationOperatorTest, RowsThatPassAreNotCopied) {
  const Batch batch = MakeBatch({"ttf", "ttt", "ttt"});
  auto op = MakeOperator(batch);
  Gathered out;
  ASSERT_TRUE(op->ProcessBatch({}, batch, &out).ok());
  ASSERT_EQ(out.batches.size(), 1U);
  EXPECT_EQ(out.batches[0].rows->column(0), batch.rows->column(0));
  EXPECT_TRUE(out.output.satellites.empty());
}

TEST(ExpectationOperatorTest, QuarantineKeepsRawValueAndPosition) {
  Batch batch = MakeBatch({"tt", "tt", "tf"});
  auto origin = std::make_shared<SourceRows>();
  origin->source_name = "orders.*";
  arrow::Int32Builder partitions;
  ASSERT_TRUE(partitions.AppendValues(std::vector<int32_t>{1, 2, 3}).ok());
  origin->rows = arrow::RecordBatch::Make(
      arrow::schema({arrow::field("value", arrow::utf8()), arrow::field("topic", arrow::utf8()),
                     arrow::field("partition", arrow::int32()),
                     arrow::field("offset", arrow::int64())}),
      3,
      {Texts({"r0", "r1", "r2"}), Texts({"a", "b", "c"}), partitions.Finish().ValueOrDie(),
       Longs({5, 6, 7})});
  origin->record = {0, 1, 2, 3};
  batch.origin = origin;
  arrow::UInt32Builder origin_rows;
  ASSERT_TRUE(origin_rows.AppendValues(std::vector<uint32_t>{0, 2}).ok());
  std::shared_ptr<arrow::UInt32Array> indices;
  ASSERT_TRUE(origin_rows.Finish(&indices).ok());
  batch.origin_row = indices;
  auto op = MakeOperator(batch);
  Gathered out;
  ASSERT_TRUE(op->ProcessBatch({EpochNumber(1), kClock}, batch, &out).ok());
  EXPECT_EQ(Json(*out.output.satellites["t_quarantine"][0], 0),
            R"({"rules":["quarantined"],"row":"{\"id\":10}","raw":"cjI=",)"
            R"("source":{"kind":"kafka","name":"orders.*","topic":"c","partition":3,"offset":7},)"
            R"("epoch":1,"epoch_time":"2024-03-01T12:00:00.000Z"})");
  EXPECT_EQ(out.batches[0].origin_row->Value(0), 0U);
}

TEST(QuarantineRowTest, ATableThatCarriesRecordsShowsVersionAndPlace) {
  Batch batch = MakeBatch({"tt"});
  auto origin = std::make_shared<SourceRows>();
  origin->source_name = "s.bronze";
  origin->table_version = TableVersion(4);
  const auto columns =
      arrow::schema({arrow::field("offset", arrow::int64()), arrow::field("body", arrow::utf8()),
                     arrow::field("place", arrow::int64())});
  origin->rows =
      arrow::RecordBatch::Make(columns, 2, {Longs({1, 2}), Texts({"r0", "r1"}), Longs({8, 9})});
  origin->record = {.value = 1, .offset = 2};  // the table's own column `offset` is something else
  batch.origin = origin;
  auto rows = MakeLateRows({EpochNumber(2), kClock}, batch, 1).ValueOrDie();
  EXPECT_EQ(Json(*rows, 1), R"({"rules":["_late"],"row":"{\"id\":10}","raw":"cjE=",)"
                            R"("source":{"kind":"table","name":"s.bronze","offset":9,"version":4},)"
                            R"("epoch":2,"epoch_time":"2024-03-01T12:00:00.000Z"})");
  EXPECT_EQ(DescribeOrigin(batch, 1), "table s.bronze, version 4 (offset 9)");
}

TEST(ExpectationOperatorTest, FailNamesRuleRowAndPosition) {
  Batch batch = MakeBatch({"tt", "ff", "tt", "tn"});
  auto origin = std::make_shared<SourceRows>();
  origin->source_name = "s.t";
  origin->rows = batch.rows;
  origin->table_version = TableVersion(4);
  batch.origin = origin;
  auto op = MakeOperator(batch);
  Gathered out;
  const Status status = op->ProcessBatch({}, batch, &out);
  EXPECT_EQ(ErrorCode(status), "EXPECTATION_FAILED");
  EXPECT_EQ(status.message(),
            "expectation was violated: failed (id IS FINE), row {\"id\":10}, from table s.t, "
            "version 4");
  EXPECT_TRUE(out.batches.empty());
}

TEST(QuarantineRowTest, LateRowsHaveTheirOwnRule) {
  Batch batch = MakeBatch({"tt"});
  auto origin = std::make_shared<SourceRows>();
  origin->source_name = "s.t";
  origin->rows = batch.rows;
  origin->table_version = TableVersion(4);
  batch.origin = origin;
  auto rows = MakeLateRows({EpochNumber(2), kClock}, batch, 1).ValueOrDie();
  ASSERT_EQ(rows->num_rows(), 2);
  EXPECT_TRUE(rows->ValidateFull().ok());
  EXPECT_EQ(Json(*rows, 1),
            R"({"rules":["_late"],"row":"{\"id\":10}","raw":"eyJpZCI6MTAsIndhcm5lZCI6dHJ1ZX0=",)"
            R"("source":{"kind":"table","name":"s.t","version":4},)"
            R"("epoch":2,"epoch_time":"2024-03-01T12:00:00.000Z"})");
}

TEST(ExpectationOperatorTest, DefinitionsAreChecked) {
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  const auto made =
      ExpectationOperator::Make({{{"r", "id > 1", ViolationAction::kDrop, ""}, 0}}, schema, 1);
  EXPECT_EQ(ErrorCode(made.status()), "EXPECTATION_DEFINITION");
}

}  // namespace
}  // namespace sluice::quality
