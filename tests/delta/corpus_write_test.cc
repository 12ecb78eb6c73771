// The writer cases of the corpus: each operation is done on the table as it was before it, and the
// rows, the changes and refusals are compared with the reference's.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdio>
#include <map>
#include <set>

#include "corpus.h"
#include "corpus_statement.h"
#include "delta/files/change_feed.h"
#include "delta/files/scan.h"
#include "delta/log/log_segment.h"
#include "delta/upkeep/table_check.h"
#include "storage/local_storage.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

class CorpusWriteTest : public ::testing::Test {
 protected:
  /// The table of a case at `version`, in `memory`.
  void CopyTable(const std::string& name, int64_t version, storage::MemoryStorage* memory) {
    const std::string root = corpus_.TablePath(name);
    for (const auto& file : files_.ListRecursive(root).ValueOrDie()) {
      const std::string below = file.path.substr(root.size());
      if (below.starts_with("/_delta_log/")) {
        const auto parsed = ParseLogFileName(file.path);
        const bool sidecar = below.find("/_sidecars/") != std::string::npos;
        if (!sidecar && (!parsed.has_value() || parsed->version.value() > version)) continue;
      }
      ASSERT_TRUE(memory->Put("/t" + below, files_.Read(file.path).ValueOrDie()).ok());
    }
  }

  Result<std::vector<std::string>> Rows(storage::Storage& storage,
                                        std::shared_ptr<arrow::Schema>* schema) const {
    SLUICE_ASSIGN_OR_RETURN(const auto snapshot, Snapshot::Load(storage, "/t"));
    *schema = snapshot->schema();
    SLUICE_ASSIGN_OR_RETURN(const auto scan, Scan::Make(storage, snapshot));
    std::vector<std::string> lines;
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(const auto rows, scan->Next());
      if (rows == nullptr) break;
      AppendCanonicalRows(*rows, rendered_, &lines);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  Result<std::vector<std::string>> Changes(const Table& table, TableVersion version,
                                           std::shared_ptr<arrow::Schema>* schema) const {
    SLUICE_ASSIGN_OR_RETURN(const auto feed, ChangeFeed::Make(table, version, version));
    const int time_column = feed->schema()->num_fields() - 1;
    SLUICE_ASSIGN_OR_RETURN(*schema, feed->schema()->RemoveField(time_column));
    std::vector<std::string> lines;
    while (true) {
      SLUICE_ASSIGN_OR_RETURN(auto rows, feed->Next());
      if (rows == nullptr) break;
      SLUICE_ASSIGN_OR_RETURN(rows, rows->RemoveColumn(time_column));
      AppendCanonicalRows(*rows, rendered_, &lines);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  /// Whether the version before was vacuumed away where the case goes on.
  static bool LacksFiles(storage::MemoryStorage& memory) {
    TableCheckOptions options;
    options.read_rows = false;
    const auto report = CheckTable(memory, "/t", options).ValueOrDie();
    return std::any_of(report.findings.begin(), report.findings.end(), [](const Finding& finding) {
      return finding.level == FindingLevel::kError &&
             (finding.check == "missing-file" || finding.check == "deletion-vector");
    });
  }

  /// Whether the references disagree on these rows.
  bool IsAdvisory(const std::string& name, const std::string& expected) const {
    const Json one = corpus_.Case(name);
    return std::any_of(one["reads"].begin(), one["reads"].end(), [&](const Json& read) {
      return read["status"] == "advisory" && read.value("expected", "") == expected;
    });
  }

  void Replay(const std::string& name, const Json& operation);
  void Compare(const std::string& label, const std::string& file,
               const Result<std::vector<std::string>>& lines,
               const std::shared_ptr<arrow::Schema>& schema);

  storage::LocalStorage files_{storage::LocalStorage::Options{false}};
  Corpus corpus_{files_, SLUICE_DELTA_CORPUS};
  ManualClock clock_{1800000000000000};
  std::set<std::string> rendered_;  // columns of the case whose rows are texts of JSON
  int done_ = 0;
  int refused_ = 0;
  int vacuumed_ = 0;
  std::map<std::string, int> unknown_;
};

void CorpusWriteTest::Compare(const std::string& label, const std::string& file,
                              const Result<std::vector<std::string>>& lines,
                              const std::shared_ptr<arrow::Schema>& schema) {
  ASSERT_TRUE(lines.ok()) << label << ": " << lines.status();
  const auto text = files_.Read(file);
  if (!text.ok()) return;  // over 5,000 rows: only as Parquet
  const auto difference = Difference(*lines, ExpectedRows(*text, *schema, rendered_));
  EXPECT_FALSE(difference.has_value()) << label << ": " << *difference;
}

void CorpusWriteTest::Replay(const std::string& name, const Json& operation) {
  const std::string kind = operation["kind"];
  const int64_t before = operation["version_before"].get<int64_t>();
  if (before < 0) return;
  const std::string label = name + " " + operation["seq"].dump() + " " +
                            operation.value("sql", operation.value("description", kind));
  storage::MemoryStorage memory(clock_);
  CopyTable(name, before, &memory);
  if (LacksFiles(memory)) {
    ++vacuumed_;
    return;
  }
  const auto opened = Table::Open({memory, clock_}, "/t", 17);
  ASSERT_TRUE(opened.ok()) << label << ": " << opened.status();
  plan::TableExpressions expressions(clock_);
  bool known = true;
  const Status status =
      RunCorpusOperation(files_, corpus_.FolderOf(name), operation, **opened, expressions, &known);
  if (!known) {
    ++unknown_[kind];
    return;
  }
  ++done_;
  if (operation.value("expect_error", false)) {
    EXPECT_FALSE(status.ok()) << label << ": must be refused";
    EXPECT_EQ((*opened)->Current()->version().value(), before) << label;
    return;
  }
  const bool refused = HasCode(status, "DELTA_UNSUPPORTED_WRITER_FEATURE") ||
                       HasCode(status, "DELTA_UNSUPPORTED_TYPE") ||
                       HasCode(status, "DATATYPE_MISMATCH.CAST_WITHOUT_SUGGESTION");
  if (refused) {
    std::printf("  refused: %s: %s\n", name.c_str(), status.message().c_str());
    EXPECT_EQ((*opened)->Current()->version().value(), before) << label;
    ++refused_;
    --done_;
    return;
  }
  ASSERT_TRUE(status.ok()) << label << ": " << status;
  for (const Finding& finding : CheckTable(memory, "/t").ValueOrDie().findings)
    EXPECT_NE(finding.level, FindingLevel::kError)
        << label << ": " << finding.path << ": " << finding.detail;
  std::shared_ptr<arrow::Schema> schema;
  const auto rows = Rows(memory, &schema);
  const std::string folder = corpus_.FolderOf(name) + "/";
  if (operation.contains("expected_after") && !IsAdvisory(name, operation["expected_after"]))
    Compare(label, folder + operation["expected_after"].get<std::string>() + ".ndjson", rows,
            schema);
  const int64_t after = operation["version_after"].get<int64_t>();
  const TableVersion version = (*opened)->Current()->version();
  if (version.value() != after || after == before) return;
  const std::string feed =
      folder + "expected/cdf_" + std::to_string(after) + "_" + std::to_string(after) + ".ndjson";
  if (!files_.Stat(feed).ok()) return;
  const auto changes = Changes(**opened, version, &schema);
  Compare(label + " (changes)", feed, changes, schema);
}

TEST_F(CorpusWriteTest, WritesWhatTheReferenceWrites) {
  if (corpus_.empty()) GTEST_SKIP() << "the conformance corpus is not beside this checkout";
  for (const std::string& name : corpus_.names()) {
    const Json one = corpus_.Case(name);
    if (one.value("ops_role", "") != "replay" || one.value("placeholder_root", false)) continue;
    rendered_.clear();
    for (const Json& read : one["reads"]) {
      for (const Json& column : read.value("json_rendered_columns", Json::array()))
        rendered_.insert(column.get<std::string>());
    }
    for (const Json& operation : one["ops"]) Replay(name, operation);
  }
  std::printf("operations: %d as the reference, %d refused, %d whose table was vacuumed away\n",
              done_, refused_, vacuumed_);
  for (const auto& [kind, count] : unknown_)
    std::printf("  not in this test's forms: %d %s\n", count, kind.c_str());
  // What is refused, and by name: icebergCompat and void columns, binary partitions.
  EXPECT_GE(done_, 224);
  EXPECT_LE(refused_, 11);
}

}  // namespace
}  // namespace sluice::delta
