// fsck over the corpus: a table whose rows the references agree on has no errors; one that lacks a
// file or a commit has.
#include <gtest/gtest.h>

#include <cstdio>
#include <map>

#include "corpus.h"
#include "delta/upkeep/table_check.h"
#include "storage/local_storage.h"

namespace sluice::delta {
namespace {

/// Whether every read of the case is one that must succeed.
bool MustBeSound(const Json& one) {
  if (one.value("log_only", false) || one["reads"].empty()) return false;
  for (const Json& read : one["reads"]) {
    if (read["status"] == "advisory" || read.contains("error")) return false;
  }
  return true;
}

/// Whether the newest version lacks a data file.
bool MustBeMissing(const Json& one) {
  for (const Json& read : one["reads"]) {
    if (read.contains("version") && read["version"].is_null() &&
        read.value("error_kind", "") == "missing-data-file")
      return true;
  }
  return false;
}

/// Tables that can be read and whose log lies: what fsck must say of them.
const std::map<std::string, std::string> kLiars = {{"delta-rs/issue_1374", "statistics"},
                                                   {"kernel-rs/crc-full", "checksum"}};

TEST(CorpusCheckTest, FindsErrorsWhereThereAreAny) {
  storage::LocalStorage files{storage::LocalStorage::Options{false}};
  Corpus corpus(files, SLUICE_DELTA_CORPUS);
  if (corpus.empty()) GTEST_SKIP() << "the conformance corpus is not beside this checkout";
  int sound = 0;
  int missing = 0;
  for (const std::string& name : corpus.names()) {
    const Json one = corpus.Case(name);
    if (!one.contains("reads")) continue;
    if (one.value("placeholder_root", false)) corpus.PlaceRoot(name);
    const bool must_be_sound = MustBeSound(one);
    const bool must_miss = MustBeMissing(one);
    if (!must_be_sound && !must_miss) continue;
    const auto report = CheckTable(files, corpus.TablePath(name));
    ASSERT_TRUE(report.ok()) << name << ": " << report.status();
    const auto liar = kLiars.find(name);
    std::string errors;
    bool missing_file = false;
    bool caught = false;
    for (const Finding& finding : report->findings) {
      missing_file |= finding.check == "missing-file";
      if (liar != kLiars.end() && finding.check == liar->second) {
        caught = true;
      } else if (finding.level == FindingLevel::kError) {
        errors += "\n  " + finding.check + " " + finding.path + ": " + finding.detail;
      }
    }
    EXPECT_EQ(caught, liar != kLiars.end()) << name;
    if (must_be_sound) {
      EXPECT_EQ(errors, "") << name;
      ++sound;
    } else {
      EXPECT_TRUE(missing_file) << name << errors;
      ++missing;
    }
  }
  EXPECT_GT(sound, 100);
  std::printf("fsck: %d tables sound, %d lack files\n", sound, missing);
}

}  // namespace
}  // namespace sluice::delta
