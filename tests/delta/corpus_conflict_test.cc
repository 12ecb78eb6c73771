// Transactions against another writer's commit: the outcomes of the corpus' conflict cases.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <cstdio>

#include "corpus.h"
#include "delta/log/log_segment.h"
#include "delta/log/table.h"
#include "delta/protocol/action_json.h"
#include "storage/local_storage.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

std::string Lines(const Json& actions) {
  std::string text;
  for (const Json& action : actions) text += action.dump() + "\n";
  return text;
}

/// "p = 0" -> a predicate; a plain word is a condition on nothing: all files.
Predicate ParsePredicate(const std::string& text) {
  const size_t equals = text.find(" = ");
  if (equals == std::string::npos) return {};
  return {{text.substr(0, equals),
           CompareOp::kEqual,
           arrow::MakeScalar(static_cast<int32_t>(std::stoi(text.substr(equals + 3)))),
           {}}};
}

void Fill(const std::vector<Action>& actions, Transaction* transaction) {
  for (const Action& action : actions) {
    if (const auto* add = std::get_if<AddFile>(&action)) transaction->Add(*add);
    if (const auto* txn = std::get_if<Txn>(&action)) transaction->SetTxn(txn->app_id, txn->version);
    if (const auto* domain = std::get_if<DomainMetadata>(&action))
      transaction->SetDomainMetadata(*domain);
    if (const auto* metadata = std::get_if<Metadata>(&action)) transaction->SetMetadata(*metadata);
    if (const auto* protocol = std::get_if<Protocol>(&action)) transaction->SetProtocol(*protocol);
    if (const auto* remove = std::get_if<RemoveFile>(&action)) {
      for (const auto& file : transaction->read_snapshot()->Files()) {
        if (FileKey(*file) == FileKey(*remove)) transaction->Remove(*file, remove->data_change);
      }
    }
  }
}

TEST(CorpusConflictTest, EndsAsInTheReference) {
  storage::LocalStorage files{storage::LocalStorage::Options{false}};
  const Corpus corpus(files, SLUICE_DELTA_CORPUS);
  if (corpus.empty()) GTEST_SKIP() << "the conformance corpus is not beside this checkout";
  int exact = 0;
  int stricter = 0;
  for (const std::string& name : corpus.names()) {
    if (!name.starts_with("conflicts/")) continue;
    const Json conflict = corpus.Case(name)["conflict"];
    ManualClock clock(1700000000000000);
    storage::MemoryStorage memory(clock);
    int64_t version = 0;
    for (const Json& commit : conflict["base_commits"]) {
      ASSERT_TRUE(
          memory.PutIfAbsent(CommitPath("/t", TableVersion(version++)), Lines(commit)).ok());
    }
    const auto table = Table::Open({memory, clock}, "/t", 1).ValueOrDie();
    Transaction transaction = table->NewTransaction();
    const Json& read = conflict["read"];
    if (read.value("whole", false)) transaction.ReadWholeTable();
    for (const Json& predicate : read.value("predicates", Json::array()))
      transaction.ReadWhere(ParsePredicate(predicate));
    for (const Json& app_id : read.value("app_ids", Json::array())) {
      transaction.RequireTxn(app_id, table->Current()->TxnVersion(app_id));
    }
    Fill(ParseCommitJson(Lines(conflict["losing_actions"]), name).ValueOrDie(), &transaction);
    ASSERT_TRUE(memory
                    .PutIfAbsent(CommitPath("/t", TableVersion(version)),
                                 Lines(conflict["winning_commit"]["actions"]))
                    .ok());
    const auto result = transaction.Commit();
    const bool commits = conflict["expected"]["outcome"] == "commit";
    if (result.ok() == commits) {
      ++exact;
    } else if (commits) {
      ++stricter;
      std::printf("  stricter: %s: %s\n", name.c_str(), result.status().ToString().c_str());
    } else {
      ADD_FAILURE() << name << ": committed, must abort";
    }
    EXPECT_TRUE(!result.ok() || result->version.value() == version + 1) << name;
  }
  std::printf("conflicts: %d as the reference, %d stricter\n", exact, stricter);
}

}  // namespace
}  // namespace sluice::delta
