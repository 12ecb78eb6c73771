#include "delta/upkeep/table_check.h"

#include <algorithm>

#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/log_segment.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/upkeep/table_summary.h"

namespace sluice::delta {
namespace {

class TableCheckTest : public TableFixture {
 protected:
  TableCheckReport Check(const TableCheckOptions& options = {}) {
    return CheckTable(storage_, "/t", options).ValueOrDie();
  }
  static std::vector<std::string> Checks(const TableCheckReport& report) {
    std::vector<std::string> checks;
    for (const Finding& finding : report.findings)
      checks.push_back(std::string(ToString(finding.level)) + " " + finding.check);
    return checks;
  }
  std::vector<std::string> Checks() { return Checks(Check()); }
  static std::string PathOf(const AddFile& file) { return "/t/" + file.path; }

  /// Writes commit `version` again with every add changed.
  void ChangeAdds(int64_t version, const std::function<void(AddFile*)>& change) {
    const std::string path = CommitPath("/t", TableVersion(version));
    std::string text;
    for (Action& action : ParseCommitJson(storage_.Read(path).ValueOrDie(), path).ValueOrDie()) {
      if (auto* add = std::get_if<AddFile>(&action)) change(add);
      AppendActionJson(action, &text);
    }
    ASSERT_TRUE(storage_.Put(path, text).ok());
  }
};

TEST_F(TableCheckTest, AGoodTableHasNoFindings) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 5, "b")});
  Mask(*table, files[0], {1});
  ASSERT_TRUE(table->Checkpoint().ok());
  Append(*table, {Rows(10, 5, "a")});
  RemoveFiles(*table, {files[1]});
  const auto report = Check();
  EXPECT_EQ(Checks(report), std::vector<std::string>());
  EXPECT_EQ(report.version.value(), 4);
  EXPECT_EQ(report.versions_checked, 5);
  EXPECT_EQ(report.files_checked, 2);
  EXPECT_EQ(report.rows_read, 9);
}

TEST_F(TableCheckTest, FindsMissingDamagedAndOrphanedFiles) {
  const auto table = Create({}, {});
  const auto first = Append(*table, {Rows(0, 5, "a")});
  const auto second = Append(*table, {Rows(5, 5, "a")});
  const auto third = Append(*table, {Rows(10, 5, "a")});
  ASSERT_TRUE(storage_.Delete(PathOf(first[0])).ok());
  std::string bytes = storage_.Read(PathOf(second[0])).ValueOrDie();
  ASSERT_TRUE(storage_.Put(PathOf(second[0]), bytes.substr(0, 100)).ok());
  ASSERT_TRUE(storage_.Put("/t/orphan.parquet", "12345").ok());
  ASSERT_TRUE(storage_.Put("/t/_staging/x", "1").ok());
  const auto report = Check();
  auto checks = Checks(report);
  std::sort(checks.begin(), checks.end());
  EXPECT_EQ(checks, (std::vector<std::string>{"error file-content", "error file-size",
                                              "error missing-file", "info orphaned-file"}));
  EXPECT_EQ(report.orphaned_bytes, 5);
  EXPECT_TRUE(report.HasErrors());
  TableCheckOptions one;
  one.max_findings = 1;
  const auto limited = Check(one);
  EXPECT_EQ(limited.findings.size(), 1U);
  EXPECT_EQ(limited.findings_left_out, 3);
  EXPECT_TRUE(limited.HasErrors());
}

TEST_F(TableCheckTest, FindsStatisticsThatLie) {
  const auto table = Create({}, {"day"});
  Append(*table, {Rows(0, 5, "a")});
  const auto lie = [&](const std::string& from, const std::string& to) {
    ChangeAdds(1, [&](AddFile* add) {
      const size_t at = add->stats.find(from);
      ASSERT_NE(at, std::string::npos) << add->stats;
      add->stats.replace(at, from.size(), to);
    });
    const auto report = Check();
    ChangeAdds(1, [&](AddFile* add) { add->stats.replace(add->stats.find(to), to.size(), from); });
    return report;
  };
  EXPECT_EQ(Checks(), std::vector<std::string>());
  auto report = lie("\"maxValues\":{\"id\":4", "\"maxValues\":{\"id\":3");
  EXPECT_EQ(Checks(report), std::vector<std::string>{"error statistics"});
  EXPECT_NE(report.findings[0].detail.find("column id holds 4"), std::string::npos);
  EXPECT_EQ(Checks(lie("\"numRecords\":5", "\"numRecords\":4")),
            std::vector<std::string>{"error statistics"});
  EXPECT_EQ(Checks(lie("\"text\":\"row 0\"", "\"text\":\"row 1\"")),
            std::vector<std::string>{"error statistics"});
  TableCheckOptions quick;
  quick.read_rows = false;
  EXPECT_EQ(Check(quick).rows_read, 0);
  EXPECT_EQ(Checks(), std::vector<std::string>());
}

TEST_F(TableCheckTest, FindsWhatIsWrongWithTheLog) {
  const auto table = Create({}, {});
  for (int i = 0; i < 4; ++i) Append(*table, {Rows(i, 1, "a")});
  ASSERT_TRUE(table->Checkpoint().ok());
  for (int i = 4; i < 6; ++i) Append(*table, {Rows(i, 1, "a")});
  ASSERT_EQ(Checks(), std::vector<std::string>());

  const std::string hint = storage_.Read(LastCheckpointPath("/t")).ValueOrDie();
  ASSERT_TRUE(storage_.Put(LastCheckpointPath("/t"), "{\"version\":99}").ok());
  EXPECT_EQ(Checks(), std::vector<std::string>{"warning last-checkpoint"});
  ASSERT_TRUE(storage_.Put(LastCheckpointPath("/t"), "{\"ver").ok());
  EXPECT_EQ(Checks(), std::vector<std::string>{"warning last-checkpoint"});
  ASSERT_TRUE(storage_.Put(LastCheckpointPath("/t"), hint).ok());

  const std::string checksum = ChecksumPath("/t", TableVersion(5));
  const auto snapshot = table->SnapshotAt(TableVersion(5)).ValueOrDie();
  VersionChecksum sums = VersionChecksum::Of(*snapshot);
  ASSERT_TRUE(storage_.Put(checksum, sums.ToJson()).ok());
  EXPECT_EQ(Checks(), std::vector<std::string>());
  sums.num_files += 1;
  sums.metadata->configuration["delta.appendOnly"] = "true";
  ASSERT_TRUE(storage_.Put(checksum, sums.ToJson()).ok());
  EXPECT_EQ(Checks(), (std::vector<std::string>{"error checksum", "error checksum"}));
  ASSERT_TRUE(storage_.Put(checksum, "{").ok());
  EXPECT_EQ(Checks(), std::vector<std::string>{"warning checksum"});
  ASSERT_TRUE(storage_.Delete(checksum).ok());

  const std::string second = CommitPath("/t", TableVersion(2));
  const std::string text = storage_.Read(second).ValueOrDie();
  ASSERT_TRUE(storage_.Delete(second).ok());
  EXPECT_EQ(Checks()[0], "warning log-gap");
  ASSERT_TRUE(storage_.Put(second, text).ok());
  ASSERT_TRUE(storage_.Delete(CommitPath("/t", TableVersion(5))).ok());
  const auto broken = Check();
  EXPECT_EQ(broken.version.value(), -1);
  EXPECT_EQ(Checks(broken), (std::vector<std::string>{"error log-gap", "error open"}));
  EXPECT_TRUE(HasCode(CheckTable(storage_, "/none").status(), "DELTA_TABLE_NOT_FOUND"));
}

TEST_F(TableCheckTest, FindsACheckpointThatLies) {
  const auto table = Create({}, {});
  const auto files = Append(*table, {Rows(0, 1, "a")});
  Append(*table, {Rows(1, 1, "a")});
  ASSERT_TRUE(table->Checkpoint().ok());
  // The commit gets a file that the checkpoint does not have.
  const auto more = Append(*table, {Rows(2, 1, "a")});
  ChangeAdds(1, [&](AddFile* add) { *add = more[0]; });
  const auto checks = Checks();
  EXPECT_NE(std::find(checks.begin(), checks.end(), "error checkpoint"), checks.end());
}

TEST_F(TableCheckTest, ChecksumsAreReadBackAsWritten) {
  const auto table = Create({{"delta.enableInCommitTimestamps", "true"}});
  Append(*table, {Rows(0, 5, "a")});
  Transaction transaction = table->NewTransaction();
  transaction.SetTxn("app \"1\"", 7);
  transaction.SetDomainMetadata({"x", "{\"a\":1}", false});
  ASSERT_TRUE(transaction.Commit().ok());
  const auto snapshot = table->Current();
  const auto sums =
      VersionChecksum::Parse(VersionChecksum::Of(*snapshot).ToJson(), "x").ValueOrDie();
  EXPECT_EQ(sums.Differences(*snapshot), std::vector<std::string>());
  EXPECT_EQ(sums.num_files, 1);
  EXPECT_EQ(sums.txn_id, snapshot->last_commit_info()->txn_id);
  EXPECT_EQ(sums.in_commit_timestamp_ms, snapshot->last_commit_info()->in_commit_timestamp_ms);
  EXPECT_EQ(sums.Differences(*table->SnapshotAt(TableVersion(0)).ValueOrDie()).size(), 4U);
  EXPECT_TRUE(HasCode(VersionChecksum::Parse("{}", "x").status(), "DELTA_LOG_CORRUPT"));
}

TEST_F(TableCheckTest, SummarizesFilesAndLog) {
  const auto table = Create({{"delta.enableDeletionVectors", "true"}});
  const auto files = Append(*table, {Rows(0, 5, "a"), Rows(5, 3, "b")});
  Mask(*table, files[0], {0, 1});
  ASSERT_TRUE(table->Checkpoint().ok());
  const auto summary = SummarizeFiles(*table->Current());
  EXPECT_EQ(summary.files, 2);
  EXPECT_EQ(summary.rows, 6);
  EXPECT_EQ(summary.partitions, 2);
  EXPECT_EQ(summary.deletion_vectors, 1);
  EXPECT_EQ(summary.deleted_rows, 2);
  EXPECT_EQ(summary.bytes, files[0].size + files[1].size);
  const auto log = SummarizeLog(storage_, "/t").ValueOrDie();
  EXPECT_EQ(log.commits, 3);
  EXPECT_EQ(log.checkpoints, 1);
  EXPECT_EQ(log.newest_checkpoint.value(), 2);
  const auto entries = DescribeLog(storage_, "/t", 2).ValueOrDie();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[0].version.value(), 2);
  EXPECT_EQ(entries[0].files_added, 1);
  EXPECT_EQ(entries[0].files_removed, 1);
  EXPECT_TRUE(entries[0].checkpoint);
  EXPECT_EQ(entries[1].files_added, 2);
  EXPECT_EQ(entries[1].info.operation, "WRITE");
}

}  // namespace
}  // namespace sluice::delta
