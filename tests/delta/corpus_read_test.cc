// Reads the corpus of Delta tables (see its README.md) and compares rows, snapshots, change feeds,
// row ids and rows under predicates with what the reference engines returned. Suites that are not
// beside the checkout are skipped, and say so.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <cstdio>
#include <map>

#include "batch/select_rows.h"
#include "corpus.h"
#include "delta/files/change_feed.h"
#include "delta/files/scan.h"
#include "delta/log/table.h"
#include "delta/protocol/action_json.h"
#include "plan/table_expressions.h"
#include "storage/local_storage.h"

namespace sluice::delta {
namespace {

using Lines = std::vector<std::string>;

class CorpusReadTest : public ::testing::TestWithParam<std::string> {
 protected:
  void CheckRead(const std::string& name, const Json& read);
  void CheckTimeTravel(const std::string& label, const std::string& table, const Json& read);
  void CheckSnapshot(const std::string& name, const Json& expected);

  struct Rows {
    Lines lines;
    std::shared_ptr<arrow::Schema> schema;
  };
  Result<Rows> ReadSnapshot(const std::string& table, const Json& read);
  Result<Rows> ReadChanges(const std::string& table, const Json& read);

  storage::LocalStorage storage_{storage::LocalStorage::Options{false}};
  Corpus corpus_{storage_, SLUICE_DELTA_CORPUS};
  ManualClock clock_{0};
  std::set<std::string> rendered_;
  int passed_ = 0;
  int advisory_ = 0;
  int64_t files_scanned_ = 0;
};

void CorpusReadTest::CheckTimeTravel(const std::string& label, const std::string& table,
                                     const Json& read) {
  const auto opened = Table::Open({storage_, clock_}, table, 1);
  ASSERT_TRUE(opened.ok()) << label;
  const auto version = (*opened)->VersionAt(read["timestamp_ms"].get<int64_t>());
  if (read["status"] == "advisory") {
    ++advisory_;
  } else if (!read.contains("resolved_version")) {
    EXPECT_FALSE(version.ok()) << label;
    ++passed_;
  } else {
    EXPECT_EQ(version.ok() ? version->value() : -1, read["resolved_version"].get<int64_t>())
        << label;
    ++passed_;
  }
}

/// Keeps the rows where `condition` is true and the columns of `select`.
Result<std::shared_ptr<arrow::RecordBatch>> Filtered(
    const std::shared_ptr<arrow::RecordBatch>& rows, const RowFunction& condition,
    const Json& select) {
  SLUICE_ASSIGN_OR_RETURN(const auto mask, condition(rows));
  SLUICE_ASSIGN_OR_RETURN(const auto indices,
                          TrueIndices(static_cast<const arrow::BooleanArray&>(*mask)));
  SLUICE_ASSIGN_OR_RETURN(const auto kept, TakeRows(rows, indices));
  if (!select.is_array()) return kept;
  std::vector<int> columns;
  for (const Json& column : select)
    columns.push_back(rows->schema()->GetFieldIndex(column.get<std::string>()));
  return kept->SelectColumns(columns);
}

Result<CorpusReadTest::Rows> CorpusReadTest::ReadSnapshot(const std::string& table,
                                                          const Json& read) {
  std::optional<TableVersion> version;
  if (read.contains("version") && !read["version"].is_null())
    version = TableVersion(read["version"].get<int64_t>());
  SLUICE_ASSIGN_OR_RETURN(const auto snapshot, Snapshot::Load(storage_, table, version));
  ScanOptions options;
  options.with_row_ids = read.value("rowids", false);
  plan::TableExpressions expressions(clock_);
  delta::RowCondition condition;
  Json select;
  if (read.contains("predicate")) {
    SLUICE_ASSIGN_OR_RETURN(condition,
                            expressions.CompileCondition(read["predicate"], snapshot->schema()));
    options.predicate = condition.prunes;
    if (read.contains("select")) select = read["select"];
  }
  SLUICE_ASSIGN_OR_RETURN(const auto scan, Scan::Make(storage_, snapshot, options));
  if (read.contains("predicate")) files_scanned_ += static_cast<int64_t>(scan->files().size());
  Rows rows{{}, scan->schema()};
  if (select.is_array()) {
    arrow::FieldVector fields;
    for (const Json& column : select)
      fields.push_back(scan->schema()->GetFieldByName(column.get<std::string>()));
    rows.schema = arrow::schema(fields);
  }
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(auto batch, scan->Next());
    if (batch == nullptr) break;
    if (condition.holds) {
      SLUICE_ASSIGN_OR_RETURN(batch, Filtered(batch, condition.holds, select));
    }
    AppendCanonicalRows(*batch, rendered_, &rows.lines);
  }
  return rows;
}

Result<CorpusReadTest::Rows> CorpusReadTest::ReadChanges(const std::string& table,
                                                         const Json& read) {
  SLUICE_ASSIGN_OR_RETURN(const auto opened, Table::Open({storage_, clock_}, table, 1));
  SLUICE_ASSIGN_OR_RETURN(const auto feed,
                          ChangeFeed::Make(*opened, TableVersion(read["cdf"][0].get<int64_t>()),
                                           TableVersion(read["cdf"][1].get<int64_t>())));
  const int time_column = feed->schema()->num_fields() - 1;
  Rows rows;
  SLUICE_ASSIGN_OR_RETURN(rows.schema, feed->schema()->RemoveField(time_column));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(auto batch, feed->Next());
    if (batch == nullptr) break;
    SLUICE_ASSIGN_OR_RETURN(batch, batch->RemoveColumn(time_column));
    AppendCanonicalRows(*batch, rendered_, &rows.lines);
  }
  return rows;
}

void CorpusReadTest::CheckRead(const std::string& name, const Json& read) {
  const std::string label = name + " " + read["id"].get<std::string>();
  const std::string table = corpus_.TablePath(name);
  if (read.contains("timestamp_ms")) return CheckTimeTravel(label, table, read);
  rendered_.clear();
  for (const Json& column : read.value("json_rendered_columns", Json::array()))
    rendered_.insert(column.get<std::string>());
  auto rows = read.contains("cdf") ? ReadChanges(table, read) : ReadSnapshot(table, read);
  if (read["status"] == "advisory") {
    ++advisory_;
    return;
  }
  ++passed_;
  if (read.contains("error")) {
    EXPECT_FALSE(rows.ok()) << label << ": must fail: " << read["error"].dump().substr(0, 200);
    return;
  }
  ASSERT_TRUE(rows.ok()) << label << ": " << rows.status().ToString();
  std::sort(rows->lines.begin(), rows->lines.end());
  if (!read.value("ndjson", false)) {
    EXPECT_EQ(static_cast<int64_t>(rows->lines.size()), read["rows"].get<int64_t>()) << label;
    return;
  }
  const std::string text = corpus_.Text(name, read["expected"].get<std::string>() + ".ndjson");
  const auto difference = Difference(rows->lines, ExpectedRows(text, *rows->schema, rendered_));
  EXPECT_FALSE(difference.has_value()) << label << ": " << *difference;
}

std::set<std::string> Names(const Json& array) {
  std::set<std::string> names;
  if (array.is_array()) {
    for (const Json& name : array) names.insert(name.get<std::string>());
  }
  return names;
}

std::set<std::string> Names(const std::optional<std::vector<std::string>>& list) {
  return list.has_value() ? std::set<std::string>(list->begin(), list->end())
                          : std::set<std::string>();
}

void CorpusReadTest::CheckSnapshot(const std::string& name, const Json& entry) {
  const std::string table = corpus_.TablePath(name);
  std::optional<TableVersion> version;
  if (!entry["version"].is_null()) version = TableVersion(entry["version"].get<int64_t>());
  const auto loaded = Snapshot::Load(storage_, table, version);
  if (entry.contains("error")) {
    // A checkpoint without any commit is refused by one reference and read by the other.
    if (loaded.ok() && name == "gen/ckpt_only") {
      ++advisory_;
      return;
    }
    if (loaded.ok())
      ADD_FAILURE() << name << ": snapshot must fail: " << entry["error"].dump().substr(0, 200);
    return;
  }
  if (!loaded.ok()) {
    ADD_FAILURE() << name << ": " << loaded.status().ToString();
    return;
  }
  const Snapshot& snapshot = **loaded;
  std::string text = corpus_.Text(name, entry["expected"]);
  Corpus::ReplaceRoot(table, &text);
  const Json expected = Json::parse(text);
  EXPECT_EQ(snapshot.version().value(), expected["version"].get<int64_t>()) << name;
  const Json& protocol = expected["protocol"];
  EXPECT_EQ(snapshot.protocol().min_reader_version, protocol["minReaderVersion"].get<int>())
      << name;
  EXPECT_EQ(snapshot.protocol().min_writer_version, protocol["minWriterVersion"].get<int>())
      << name;
  if (protocol.contains("writerFeatures")) {
    EXPECT_EQ(Names(snapshot.protocol().writer_features), Names(protocol["writerFeatures"]))
        << name;
  }
  const Json& metadata = expected["metadata"];
  EXPECT_EQ(snapshot.metadata().id, metadata.value("id", "")) << name;
  const auto schema_of = [](const std::string& json) {
    return json.empty() ? Json() : Json::parse(json);
  };
  EXPECT_EQ(schema_of(snapshot.metadata().schema_string),
            schema_of(metadata.value("schemaString", "")))
      << name;
  EXPECT_EQ(Json(snapshot.metadata().partition_columns),
            metadata.value("partitionColumns", Json::array()))
      << name;
  EXPECT_EQ(Json(snapshot.metadata().configuration),
            metadata.value("configuration", Json::object()))
      << name;
  std::set<std::string> mine;
  std::set<std::string> theirs;
  for (const auto& file : snapshot.Files()) mine.insert(FileKey(*file));
  for (const Json& file : expected["files"]) {
    Json line{{"add", file}};
    const auto parsed = ParseCommitJson(line.dump(), name).ValueOrDie();
    theirs.insert(FileKey(std::get<AddFile>(parsed[0])));
  }
  EXPECT_EQ(mine, theirs) << name;
  std::map<std::string, int64_t> txns;
  for (const auto& [app_id, txn] : snapshot.txns()) txns[app_id] = txn.version;
  Json expected_txns = Json::object();
  for (const auto& [app_id, txn] : expected["txns"].items()) {
    expected_txns[app_id] = txn.is_object() ? txn["version"] : txn;
  }
  EXPECT_EQ(Json(txns), txns.empty() && expected_txns.empty() ? Json(txns) : expected_txns) << name;
  EXPECT_EQ(snapshot.domain_metadata().size(), expected["domainMetadata"].size()) << name;
  ++passed_;
}

TEST_P(CorpusReadTest, ReturnsWhatTheReferenceReturns) {
  for (const std::string& name : corpus_.names()) {
    if (!name.starts_with(GetParam() + "/")) continue;
    const Json one = corpus_.Case(name);
    if (one.value("placeholder_root", false)) corpus_.PlaceRoot(name);
    for (const Json& snapshot : one["snapshots"]) CheckSnapshot(name, snapshot);
    if (one.value("log_only", false)) continue;
    for (const Json& read : one["reads"]) CheckRead(name, read);
  }
  if (passed_ == 0) GTEST_SKIP() << "suite " << GetParam() << " is not beside this checkout";
  std::printf("%s: %d as the reference, %d advisory, %lld files read under predicates\n",
              GetParam().c_str(), passed_, advisory_, static_cast<long long>(files_scanned_));
}

INSTANTIATE_TEST_SUITE_P(Suites, CorpusReadTest,
                         ::testing::Values("gen", "golden", "spark", "kernel-java", "kernel-rs",
                                           "delta-rs", "dat-0.0.3"),
                         [](const auto& suite) {
                           std::string name = suite.param;
                           std::erase_if(name, [](char c) { return !std::isalnum(c); });
                           return name;
                         });

}  // namespace
}  // namespace sluice::delta
