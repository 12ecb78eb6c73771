// The features of Delta tables and what this library does with them, as a table of a page: what it
// says of a protocol that has the feature, and how many tables, reads and operations of the corpus
// have it. That these come out as they must is what the other tests check.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdlib>
#include <map>

#include "corpus.h"
#include "corpus_statement.h"
#include "delta/protocol/table_features.h"
#include "storage/local_storage.h"

namespace sluice::delta {
namespace {

struct Line {
  bool readers = false;  // some table of the corpus has it as a reader feature
  int tables = 0;
  int reads = 0;       // compared with the reference, row by row
  int operations = 0;  // replayed and compared, rows or refusal
};

constexpr const char* kBegin = "<!-- features: written by delta_corpus_test -->\n";
constexpr const char* kEnd = "<!-- end of features -->\n";

// Named by the protocol, and in no table of the corpus: whether readers must know it.
const std::map<std::string, bool> kOthers = {{"variantShredding", true},
                                             {"adaptiveMetadata-preview", true},
                                             {"icebergWriterCompatV1", false}};

int ComparedReads(const Json& one) {
  int reads = 0;
  if (one.value("log_only", false)) return 0;
  for (const Json& read : one.value("reads", Json::array())) {
    if (!read.contains("error") && read["status"] != "advisory") ++reads;
  }
  return reads;
}

int ReplayedOperations(const Json& one) {
  if (one.value("ops_role", "") != "replay") return 0;
  int operations = 0;
  for (const Json& operation : one["ops"]) operations += IsReplayed(operation) ? 1 : 0;
  return operations;
}

std::map<std::string, Line> Collect(const Corpus& corpus) {
  std::map<std::string, Line> lines;
  for (const auto& [name, readers] : kOthers) lines[name].readers = readers;
  for (const std::string& name : corpus.names()) {
    const Json one = corpus.Case(name);
    std::map<std::string, bool> features;  // to: is a reader feature
    for (const Json& json : one.value("features", Json::array())) {
      const std::string feature = json.get<std::string>();
      if (feature.starts_with("rf:")) features[feature.substr(3)] = true;
      if (feature.starts_with("wf:")) features.emplace(feature.substr(3), false);
    }
    for (const auto& [feature, readers] : features) {
      Line& line = lines[feature];
      line.readers |= readers;
      ++line.tables;
      line.reads += ComparedReads(one);
      line.operations += ReplayedOperations(one);
    }
  }
  return lines;
}

Protocol ProtocolOf(const std::string& feature, bool readers) {
  Protocol protocol;
  protocol.min_writer_version = 7;
  protocol.writer_features = {feature};
  if (readers) {
    protocol.min_reader_version = 3;
    protocol.reader_features = {feature};
  }
  return protocol;
}

std::string Row(const std::string& feature, const Line& line) {
  const Protocol protocol = ProtocolOf(feature, line.readers);
  const auto schema = arrow::schema({arrow::field("id", arrow::int64())});
  const bool reads = CheckReadable(protocol).ok();
  const bool writes = CheckWritable(protocol, Metadata(), *schema, true).ok();
  std::string read = reads ? "yes" : "refused";
  if (reads && !line.readers) read = "needs nothing";
  return "| `" + feature + "` | " + read + " | " + (writes ? "yes" : "refused") + " | " +
         std::to_string(line.tables) + " | " + std::to_string(line.reads) + " | " +
         std::to_string(line.operations) + " |\n";
}

std::string Table(const std::map<std::string, Line>& lines) {
  std::string table =
      "| feature | read | write | tables | reads | operations |\n|---|---|---|---|---|---|\n";
  for (const auto& [feature, line] : lines) table += Row(feature, line);
  return table;
}

bool IsWhole(const Corpus& corpus) {
  return std::any_of(corpus.names().begin(), corpus.names().end(),
                     [](const std::string& name) { return name.starts_with("golden/"); });
}

TEST(CorpusFeaturesTest, ThePageOfFeaturesIsCurrent) {
  storage::LocalStorage files{storage::LocalStorage::Options{false}};
  const Corpus corpus(files, SLUICE_DELTA_CORPUS);
  if (!IsWhole(corpus)) GTEST_SKIP() << "the public suites are not beside this checkout";
  const std::string table = Table(Collect(corpus));
  const char* root = std::getenv("SLUICE_SOURCE_DIR");
  ASSERT_NE(root, nullptr) << "run by ctest";
  const std::string path = std::string(root) + "/docs/reference/delta.md";
  std::string page = files.Read(path).ValueOrDie();
  const size_t begin = page.find(kBegin);
  const size_t end = page.find(kEnd);
  ASSERT_TRUE(begin != std::string::npos && end != std::string::npos) << path;
  const size_t first = begin + std::string_view(kBegin).size();
  const bool current = page.substr(first, end - first) == table;
  if (!current && std::getenv("SLUICE_WRITE_DOCS") != nullptr) {
    page.replace(first, end - first, table);
    ASSERT_TRUE(files.Put(path, page).ok());
    return;
  }
  EXPECT_TRUE(current) << path << " is not current: run this test with SLUICE_WRITE_DOCS=1; it is\n"
                       << table;
}

}  // namespace
}  // namespace sluice::delta
