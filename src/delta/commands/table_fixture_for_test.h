// What the tests of tables share: a table (id bigint, text string, day string) in memory under a
// clock that moves when told. For tests; one thread.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <memory>
#include <set>
#include <string>
#include <vector>

#include "delta/files/parquet_writer.h"
#include "delta/files/scan.h"
#include "delta/log/table.h"
#include "delta/protocol/deletion_vector.h"
#include "storage/memory_storage.h"

namespace sluice::delta {

constexpr int64_t kHourMicros = 3600LL * 1000 * 1000;
constexpr int64_t kDayMicros = 24 * kHourMicros;

class TableFixture : public ::testing::Test {
 protected:
  static std::shared_ptr<arrow::RecordBatch> Rows(int64_t first, int64_t count,
                                                  const std::string& day) {
    arrow::Int64Builder id;
    arrow::StringBuilder text;
    arrow::StringBuilder days;
    for (int64_t i = first; i < first + count; ++i) {
      EXPECT_TRUE(id.Append(i).ok());
      EXPECT_TRUE(text.Append("row " + std::to_string(i)).ok());
      EXPECT_TRUE(days.Append(day).ok());
    }
    const auto schema =
        arrow::schema({arrow::field("id", arrow::int64()), arrow::field("text", arrow::utf8()),
                       arrow::field("day", arrow::utf8())});
    return arrow::RecordBatch::Make(schema, count, {*id.Finish(), *text.Finish(), *days.Finish()});
  }

  std::shared_ptr<Table> Create(StringMap properties = {},
                                std::vector<std::string> partitions = {"day"},
                                const std::string& path = "/t") {
    CreateOptions options;
    options.schema = Rows(0, 0, "")->schema();
    options.partition_columns = std::move(partitions);
    options.properties = std::move(properties);
    return Table::Create({storage_, clock_}, path, options, 7).ValueOrDie();
  }
  std::shared_ptr<Table> Reopen(const std::string& path = "/t") {
    return Table::Open({storage_, clock_}, path, 99).ValueOrDie();
  }

  static std::vector<AddFile> WriteFiles(
      Table& table, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    auto writer = DataFileWriter::Make(table, table.Current()).ValueOrDie();
    for (const auto& batch : batches) EXPECT_TRUE(writer->Write(batch).ok());
    return writer->Finish().ValueOrDie();
  }
  /// Appends one version; its files.
  static std::vector<AddFile> Append(
      Table& table, const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    const auto files = WriteFiles(table, batches);
    Transaction transaction = table.NewTransaction();
    transaction.Add(files);
    transaction.SetOperation("WRITE");
    EXPECT_TRUE(transaction.Commit().ok());
    return files;
  }
  static void RemoveFiles(Table& table, const std::vector<AddFile>& files) {
    Transaction transaction = table.NewTransaction();
    for (const AddFile& file : files) transaction.Remove(file);
    EXPECT_TRUE(transaction.Commit().ok());
  }
  /// Masks `rows` (positions) of a live file.
  void Mask(Table& table, const AddFile& file, const std::vector<uint64_t>& rows) {
    DeletionVector vector;
    vector.AddAll(rows);
    const auto written =
        WriteDeletionVectors(storage_, table.path(), table.NewUuid(), {&vector}).ValueOrDie();
    Transaction transaction = table.NewTransaction();
    transaction.SetRulesChecked();
    transaction.SetDeletionVector(file, written[0]);
    EXPECT_TRUE(transaction.Commit().ok());
  }

  std::multiset<int64_t> Ids(const std::shared_ptr<const Snapshot>& snapshot,
                             const ScanOptions& options = {}) {
    std::multiset<int64_t> ids;
    auto scan = Scan::Make(storage_, snapshot, options).ValueOrDie();
    while (true) {
      const auto batch = scan->Next().ValueOrDie();
      if (batch == nullptr) return ids;
      const auto column = std::static_pointer_cast<arrow::Int64Array>(batch->GetColumnByName("id"));
      for (int64_t i = 0; i < column->length(); ++i) ids.insert(column->Value(i));
    }
  }
  bool Exists(const std::string& path) { return storage_.Stat(path).ok(); }

  ManualClock clock_{1700000000000000};
  storage::MemoryStorage storage_{clock_};
};

}  // namespace sluice::delta
