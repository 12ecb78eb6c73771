// A small table (id, v, day) and functions over its rows, for tests of what changes rows. One
// thread.
#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delta/columns/expression.h"
#include "delta/files/change_feed.h"
#include "delta/files/parquet_writer.h"
#include "delta/files/scan.h"
#include "delta/log/table.h"
#include "storage/memory_storage.h"

namespace sluice::delta {

struct TestRow {
  std::optional<int64_t> id;
  std::optional<int64_t> v;
  std::optional<std::string> day;

  std::string Text() const {
    const auto number = [](const std::optional<int64_t>& n) {
      return n.has_value() ? std::to_string(*n) : std::string("null");
    };
    return number(id) + " " + number(v) + " " + day.value_or("null");
  }
};
using TestRows = std::vector<TestRow>;

inline std::shared_ptr<arrow::Schema> TestSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("v", arrow::int64()),
                        arrow::field("day", arrow::utf8())});
}

inline std::shared_ptr<arrow::RecordBatch> BatchOf(const TestRows& rows) {
  arrow::Int64Builder id;
  arrow::Int64Builder v;
  arrow::StringBuilder day;
  for (const TestRow& row : rows) {
    EXPECT_TRUE((row.id ? id.Append(*row.id) : id.AppendNull()).ok());
    EXPECT_TRUE((row.v ? v.Append(*row.v) : v.AppendNull()).ok());
    EXPECT_TRUE((row.day ? day.Append(*row.day) : day.AppendNull()).ok());
  }
  return arrow::RecordBatch::Make(TestSchema(), static_cast<int64_t>(rows.size()),
                                  {*id.Finish(), *v.Finish(), *day.Finish()});
}

/// Row `i` of the three columns of `rows` that begin at `first`.
inline TestRow RowAt(const arrow::RecordBatch& rows, int64_t i, int first = 0) {
  const auto number = [&](int column) -> std::optional<int64_t> {
    const auto& array = static_cast<const arrow::Int64Array&>(*rows.column(first + column));
    if (array.IsNull(i)) return std::nullopt;
    return array.Value(i);
  };
  TestRow row{number(0), number(1), std::nullopt};
  const auto& day = static_cast<const arrow::StringArray&>(*rows.column(first + 2));
  if (day.IsValid(i)) row.day = std::string(day.GetView(i));
  return row;
}

/// `test` on each row; a row it says nothing of is NULL.
template <typename Test>
RowFunction Condition(Test test, int first = 0) {
  return [test, first](const std::shared_ptr<arrow::RecordBatch>& rows)
             -> Result<std::shared_ptr<arrow::Array>> {
    arrow::BooleanBuilder builder;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const std::optional<bool> holds = test(RowAt(*rows, i, first));
      SLUICE_RETURN_NOT_OK(holds.has_value() ? builder.Append(*holds) : builder.AppendNull());
    }
    return builder.Finish();
  };
}

/// A BIGINT computed from each row.
template <typename Value>
RowFunction Number(Value value, int first = 0) {
  return [value, first](const std::shared_ptr<arrow::RecordBatch>& rows)
             -> Result<std::shared_ptr<arrow::Array>> {
    arrow::Int64Builder builder;
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      const std::optional<int64_t> number = value(RowAt(*rows, i, first));
      SLUICE_RETURN_NOT_OK(number.has_value() ? builder.Append(*number) : builder.AppendNull());
    }
    return builder.Finish();
  };
}

/// A column as it is.
inline RowFunction ColumnAt(int column) {
  return [column](const std::shared_ptr<arrow::RecordBatch>& rows)
             -> Result<std::shared_ptr<arrow::Array>> { return rows->column(column); };
}

/// Knows the expressions it is told.
class TestExpressions : public ExpressionCompiler {
 public:
  Result<RowFunction> Compile(const std::string& text, const std::shared_ptr<arrow::Schema>&,
                              const std::shared_ptr<arrow::DataType>&) override {
    const auto it = known.find(text);
    if (it == known.end()) return Status::Invalid("unknown expression ", text);
    return it->second;
  }
  std::map<std::string, RowFunction> known;
};

class ChangedTableTest : public ::testing::Test {
 protected:
  std::shared_ptr<Table> Create(StringMap properties = {}, std::vector<std::string> partitions = {},
                                std::shared_ptr<arrow::Schema> schema = TestSchema()) {
    CreateOptions options;
    options.schema = std::move(schema);
    options.properties = std::move(properties);
    options.partition_columns = std::move(partitions);
    auto table = Table::Create({storage_, clock_}, "/t", options, 7);
    EXPECT_TRUE(table.ok()) << table.status();
    return table.ValueOrDie();
  }

  void Clear() {
    for (const auto& file : storage_.ListRecursive("/t").ValueOrDie())
      ASSERT_TRUE(storage_.Delete(file.path).ok());
  }

  static void Append(Table& table, const TestRows& rows) {
    const auto writer = DataFileWriter::Make(table, table.Current()).ValueOrDie();
    ASSERT_TRUE(writer->Write(BatchOf(rows)).ok());
    Transaction transaction = table.NewTransaction();
    transaction.Add(writer->Finish().ValueOrDie());
    transaction.SetRulesChecked();
    const auto committed = transaction.Commit();
    ASSERT_TRUE(committed.ok()) << committed.status();
  }

  /// The rows as texts, sorted; read from storage anew, so that the log is what counts.
  std::vector<std::string> Contents() {
    const auto snapshot = Snapshot::Load(storage_, "/t").ValueOrDie();
    const auto scan = Scan::Make(storage_, snapshot, {}).ValueOrDie();
    std::vector<std::string> rows;
    while (const auto batch = scan->Next().ValueOrDie()) {
      for (int64_t i = 0; i < batch->num_rows(); ++i) rows.push_back(RowAt(*batch, i).Text());
    }
    std::sort(rows.begin(), rows.end());
    return rows;
  }

  static std::vector<std::string> Texts(const TestRows& rows) {
    std::vector<std::string> texts;
    for (const TestRow& row : rows) texts.push_back(row.Text());
    std::sort(texts.begin(), texts.end());
    return texts;
  }

  /// "change row" of the newest version, sorted.
  static std::vector<std::string> Changes(const Table& table) {
    const TableVersion version = table.Current()->version();
    const auto feed = ChangeFeed::Make(table, version, version).ValueOrDie();
    std::vector<std::string> changes;
    while (const auto batch = feed->Next().ValueOrDie()) {
      const auto& type =
          static_cast<const arrow::StringArray&>(*batch->GetColumnByName("_change_type"));
      for (int64_t i = 0; i < batch->num_rows(); ++i)
        changes.push_back(type.GetString(i) + " " + RowAt(*batch, i).Text());
    }
    std::sort(changes.begin(), changes.end());
    return changes;
  }

  /// Row id and version of its last change by id.
  std::map<int64_t, std::pair<int64_t, int64_t>> RowIds() {
    const auto snapshot = Snapshot::Load(storage_, "/t").ValueOrDie();
    ScanOptions options;
    options.with_row_ids = true;
    const auto scan = Scan::Make(storage_, snapshot, options).ValueOrDie();
    std::map<int64_t, std::pair<int64_t, int64_t>> ids;
    while (const auto batch = scan->Next().ValueOrDie()) {
      const auto& id = static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("__row_id"));
      const auto& version =
          static_cast<const arrow::Int64Array&>(*batch->GetColumnByName("__row_commit_version"));
      for (int64_t i = 0; i < batch->num_rows(); ++i)
        ids[*RowAt(*batch, i).id] = {id.IsValid(i) ? id.Value(i) : -1,
                                     version.IsValid(i) ? version.Value(i) : -1};
    }
    return ids;
  }

  static CommitInfo LastCommit(const Table& table) { return *table.Current()->last_commit_info(); }

  ManualClock clock_{1700000000000000};
  storage::MemoryStorage storage_{clock_};
};

}  // namespace sluice::delta
