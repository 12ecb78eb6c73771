#include "sql/execution/duckdb_runtime.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

namespace sluice::sql {
namespace {

const auto kSchema = arrow::schema({arrow::field("c0", arrow::int32())});

/// Fails like a defect of DuckDB.
class BrokenReader : public arrow::RecordBatchReader {
 public:
  std::shared_ptr<arrow::Schema> schema() const override { return kSchema; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>*) override {
    return Status::Invalid("INTERNAL Error: as if by a defect");
  }
};

int64_t RowsOf(DuckDbConnection& connection, const std::string& sql) {
  auto rows = connection.Query(sql, kSchema);
  if (!rows.ok()) return -1;
  const auto table = (*rows)->ToTable();
  return table.ok() ? (*table)->num_rows() : -1;
}

TEST(DuckDbRuntime, OpensAnotherDatabaseAfterAnErrorThatBreaksOne) {
  const auto runtime = DuckDbRuntime::Make({});
  const auto maker = *runtime->Connect();
  ASSERT_EQ(RowsOf(*maker, "CREATE TABLE marker AS SELECT 7 AS c0"), 1);
  const auto reader = *runtime->Connect();
  EXPECT_EQ(RowsOf(*reader, "SELECT c0 FROM marker"), 1);
  // An error of a query leaves the database alone.
  EXPECT_EQ(RowsOf(**runtime->Connect(), "SELECT c0 FROM nowhere"), -1);
  EXPECT_EQ(RowsOf(**runtime->Connect(), "SELECT c0 FROM marker"), 1);

  const auto breaker = *runtime->Connect();
  ASSERT_TRUE(breaker->Register("broken", std::make_shared<BrokenReader>()).ok());
  EXPECT_EQ(RowsOf(*breaker, "SELECT c0 FROM broken"), -1);
  const auto after = *runtime->Connect();
  EXPECT_EQ(RowsOf(*after, "SELECT c0 FROM marker"), -1);
  EXPECT_EQ(RowsOf(*after, "SELECT 1 AS c0"), 1);
  // Whoever reads from the old one goes on.
  EXPECT_EQ(RowsOf(*reader, "SELECT c0 FROM marker"), 1);
}

}  // namespace
}  // namespace sluice::sql
