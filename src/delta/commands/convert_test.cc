#include "delta/commands/convert.h"

#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>

#include "base/workers.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/upkeep/table_check.h"

namespace sluice::delta {
namespace {

class ConvertTest : public TableFixture {
 protected:
  void PutParquet(const std::string& path, const std::shared_ptr<arrow::RecordBatch>& rows,
                  bool int96 = false) {
    const auto sink = arrow::io::BufferOutputStream::Create().ValueOrDie();
    auto properties = parquet::ArrowWriterProperties::Builder();
    if (int96) properties.enable_deprecated_int96_timestamps();
    ASSERT_TRUE(parquet::arrow::WriteTable(*arrow::Table::FromRecordBatches({rows}).ValueOrDie(),
                                           arrow::default_memory_pool(), sink, 1000,
                                           parquet::default_writer_properties(), properties.build())
                    .ok());
    ASSERT_TRUE(storage_.Put(path, std::string_view(*sink->Finish().ValueOrDie())).ok());
  }
  static std::shared_ptr<arrow::RecordBatch> Plain(int64_t first, int64_t count) {
    return Rows(first, count, "")->SelectColumns({0, 1}).ValueOrDie();
  }
  Result<WriteReport> Convert(const ConvertOptions& options = {}) {
    return ConvertParquet({storage_, clock_}, "/p/", options, random_);
  }
  static std::shared_ptr<arrow::Schema> PartitionedBy(
      const std::shared_ptr<arrow::DataType>& type) {
    return arrow::schema({arrow::field("day", type)});
  }
  Random random_{11};
};

TEST_F(ConvertTest, NamesTheFilesOfAFolder) {
  PutParquet("/p/a.parquet", Plain(0, 5));
  PutParquet("/p/sub/b c.parquet", Plain(5, 5));
  PutParquet("/p/_temporary/x.parquet", Plain(100, 5));
  ASSERT_TRUE(storage_.Put("/p/_SUCCESS", "").ok());
  ASSERT_TRUE(storage_.Put("/p/readme.txt", "x").ok());
  Workers workers(2);
  ConvertOptions options;
  options.workers = &workers;
  EXPECT_EQ(Convert(options)->metrics.at("numConvertedFiles"), 2);
  const auto table = Reopen("/p");
  EXPECT_EQ(Ids(table->Current()).size(), 10U);
  EXPECT_EQ(table->History(1).ValueOrDie()[0].info.operation, "CONVERT");
  for (const auto& file : table->Current()->Files())
    EXPECT_NE(file->stats.find("\"maxValues\":{\"id\":"), std::string::npos) << file->stats;
  EXPECT_FALSE(CheckTable(storage_, "/p").ValueOrDie().HasErrors());
  EXPECT_FALSE(Convert()->version.has_value());  // it is a table already
  Append(*table, {Plain(20, 1)});
  EXPECT_EQ(Ids(table->Current()).size(), 11U);
}

TEST_F(ConvertTest, ReadsPartitionsFromFolders) {
  PutParquet("/p/day=2024-01-01/a.parquet", Plain(0, 5));
  PutParquet("/p/day=__HIVE_DEFAULT_PARTITION__/b.parquet", Plain(5, 2));
  EXPECT_TRUE(HasCode(Convert().status(), "DELTA_CONVERT_PARTITIONS"));
  ConvertOptions options;
  options.partition_schema = PartitionedBy(arrow::int32());
  EXPECT_TRUE(HasCode(Convert(options).status(), "DELTA_CONVERT_PARTITIONS"));
  options.partition_schema = PartitionedBy(arrow::date32());
  options.collect_statistics = false;
  ASSERT_TRUE(Convert(options).ok());
  const auto all = ReadAll(storage_, Reopen("/p")->Current()).ValueOrDie();
  EXPECT_EQ(all->schema()->field(2)->type()->id(), arrow::Type::DATE32);
  EXPECT_EQ(all->GetColumnByName("day")->null_count(), 2);
  EXPECT_EQ(Reopen("/p")->Current()->Files()[0]->stats, "");
}

TEST_F(ConvertTest, DecodesEscapedPartitionValues) {
  PutParquet("/p/day=a%2Fb%25/a.parquet", Plain(0, 5));
  ConvertOptions options;
  options.partition_schema = PartitionedBy(arrow::utf8());
  ASSERT_TRUE(Convert(options).ok());
  const auto snapshot = Reopen("/p")->Current();
  EXPECT_EQ(*snapshot->Files()[0]->partition_values.at("day"), "a/b%");
  EXPECT_EQ(Ids(snapshot).size(), 5U);
}

TEST_F(ConvertTest, PutsSchemasTogetherAndRefusesTypesThatDiffer) {
  PutParquet("/p/a.parquet", Plain(0, 5));
  PutParquet("/p/b.parquet", Rows(5, 5, "x")->SelectColumns({0, 2}).ValueOrDie());
  ASSERT_TRUE(Convert().ok());
  const auto all = ReadAll(storage_, Reopen("/p")->Current()).ValueOrDie();
  EXPECT_EQ(all->num_columns(), 3);
  EXPECT_EQ(all->GetColumnByName("day")->null_count(), 5);

  const auto texts = Rows(0, 1, "x")->SelectColumns({1}).ValueOrDie();
  PutParquet("/q/a.parquet", Plain(0, 5));
  PutParquet("/q/b.parquet",
             arrow::RecordBatch::Make(arrow::schema({arrow::field("id", arrow::utf8())}), 1,
                                      texts->columns()));
  EXPECT_TRUE(HasCode(ConvertParquet({storage_, clock_}, "/q", {}, random_).status(),
                      "DELTA_SCHEMA_MISMATCH"));
  EXPECT_TRUE(HasCode(ConvertParquet({storage_, clock_}, "/none", {}, random_).status(),
                      "DELTA_CONVERT_NO_FILES"));
}

TEST_F(ConvertTest, TimesKeepTheirMeaning) {
  const auto times = [](arrow::TimeUnit::type unit, const std::string& zone, int64_t value) {
    arrow::TimestampBuilder builder(arrow::timestamp(unit, zone), arrow::default_memory_pool());
    EXPECT_TRUE(builder.Append(value).ok());
    return arrow::RecordBatch::Make(
        arrow::schema({arrow::field("at", arrow::timestamp(unit, zone))}), 1, {*builder.Finish()});
  };
  PutParquet("/p/a.parquet", times(arrow::TimeUnit::NANO, "", 1700000000123456000), true);
  PutParquet("/p/b.parquet", times(arrow::TimeUnit::MILLI, "UTC", 1700000000123));
  ASSERT_TRUE(Convert().ok());
  const auto snapshot = Reopen("/p")->Current();
  EXPECT_TRUE(snapshot->schema()->field(0)->type()->Equals(
      arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  const auto all = ReadAll(storage_, snapshot).ValueOrDie();
  std::set<int64_t> values;
  for (const auto& chunk : all->column(0)->chunks())
    values.insert(std::static_pointer_cast<arrow::TimestampArray>(chunk)->Value(0));
  EXPECT_EQ(values, (std::set<int64_t>{1700000000123000, 1700000000123456}));
  EXPECT_FALSE(CheckTable(storage_, "/p").ValueOrDie().HasErrors());
}

}  // namespace
}  // namespace sluice::delta
