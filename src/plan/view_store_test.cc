// Definitions of views on storage: what is written comes back, and of two writers one is told.
#include "plan/view_store.h"

#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "sql/parser/data_type_parser.h"
#include "storage/memory_storage.h"

namespace sluice::plan {
namespace {

ViewDefinition SomeView(const std::string& query) {
  ViewDefinition view;
  view.query = query;
  view.schema = "s";
  view.columns = {
      {"a", "A", arrow::int32(), "the 'key'"},
      {"b c", "b", sql::ParseDataType("struct<`x y`: array<decimal(10,2)>>").ValueOrDie(),
       std::nullopt},
      {"d", "d", sql::ParseDataType("interval day to second").ValueOrDie(), ""}};
  view.comment = "said \"so\"\n";
  view.properties = {{"k", "v"}, {"", "empty"}};
  view.created_ms = 5;
  return view;
}

const catalog::TableName kName{"s", "v"};

TEST(ViewStoreTest, WhatIsWrittenComesBack) {
  storage::MemoryStorage storage(SystemClock());
  const ViewStore store(storage, "/w");
  auto entry = store.Read(kName).ValueOrDie();
  EXPECT_EQ(entry.version, 0);
  EXPECT_FALSE(entry.view.has_value());
  ASSERT_TRUE(store.Write(kName, entry, SomeView("SELECT 1")).ok());
  entry = store.Read(kName).ValueOrDie();
  EXPECT_EQ(entry.version, 1);
  ASSERT_TRUE(entry.view.has_value());
  EXPECT_TRUE(SameView(*entry.view, SomeView("SELECT 1")));
  EXPECT_FALSE(SameView(*entry.view, SomeView("SELECT 2")));
  EXPECT_TRUE(entry.view->columns[1].type->Equals(*SomeView("").columns[1].type));
  EXPECT_EQ(entry.view->columns[2].comment, std::optional<std::string>(""));
  ASSERT_TRUE(store.Write(kName, entry, std::nullopt).ok());
  entry = store.Read(kName).ValueOrDie();
  EXPECT_EQ(entry.version, 2);
  EXPECT_FALSE(entry.view.has_value());
  ASSERT_TRUE(store.Write(kName, entry, SomeView("SELECT 3")).ok());
  EXPECT_EQ(store.Read(kName).ValueOrDie().view->query, "SELECT 3");
}

TEST(ViewStoreTest, OfTwoWritersOneIsTold) {
  storage::MemoryStorage storage(SystemClock());
  const ViewStore one(storage, "/w");
  const ViewStore other(storage, "/w");
  const auto seen = one.Read(kName).ValueOrDie();
  ASSERT_TRUE(one.Write(kName, seen, SomeView("SELECT 1")).ok());
  EXPECT_EQ(ErrorCode(other.Write(kName, seen, SomeView("SELECT 2"))), "VIEW_CHANGED_CONCURRENTLY");
  EXPECT_EQ(ErrorCode(other.Write(kName, seen, std::nullopt)), "VIEW_CHANGED_CONCURRENTLY");
  EXPECT_EQ(one.Read(kName).ValueOrDie().view->query, "SELECT 1");
}

TEST(ViewStoreTest, ALostReplyIsAnsweredByLooking) {
  storage::MemoryStorage storage(SystemClock());
  const ViewStore store(storage, "/w");
  bool after_effect = true;
  storage.SetHook([&](storage::StorageCall call, const std::string&) {
    storage::StorageFault fault;
    if (call == storage::StorageCall::kPutIfAbsent) {
      fault.error = MakeError("STORAGE_IO", "lost", "", Retry::kLater);
      fault.after_effect = after_effect;
    }
    return fault;
  });
  EXPECT_TRUE(store.Write(kName, {}, SomeView("SELECT 1")).ok());
  const auto seen = store.Read(kName).ValueOrDie();
  EXPECT_EQ(seen.version, 1);
  after_effect = false;
  EXPECT_EQ(ErrorCode(store.Write(kName, seen, SomeView("SELECT 2"))), "STORAGE_IO");
  EXPECT_EQ(store.Read(kName).ValueOrDie().view->query, "SELECT 1");
}

TEST(ViewStoreTest, ListsTheViewsThatAreThere) {
  storage::MemoryStorage storage(SystemClock());
  const ViewStore store(storage, "/w");
  for (const char* name : {"b", "a", "gone"})
    ASSERT_TRUE(store.Write({"s", name}, {}, SomeView("SELECT 1")).ok());
  ASSERT_TRUE(store.Write({"other", "x"}, {}, SomeView("SELECT 1")).ok());
  ASSERT_TRUE(store.Write({"s", "gone"}, store.Read({"s", "gone"}).ValueOrDie(), {}).ok());
  const auto names = store.List("s").ValueOrDie();
  ASSERT_EQ(names.size(), 2U);
  EXPECT_EQ(names[0].table, "a");
  EXPECT_EQ(names[1].table, "b");
  EXPECT_TRUE(store.List("nowhere").ValueOrDie().empty());
}

TEST(ViewStoreTest, ADamagedDefinitionIsNoView) {
  storage::MemoryStorage storage(SystemClock());
  const ViewStore store(storage, "/w");
  const std::string path = "/w/s/_views/v/00000000000000000001.json";
  for (const char* bytes : {"", "{", "[]", "{\"format\": 9}", "{\"format\": 1, \"query\": 3}"}) {
    ASSERT_TRUE(storage.Put(path, bytes).ok());
    EXPECT_EQ(ErrorCode(store.Read(kName).status()), "VIEW_DEFINITION_CORRUPT") << bytes;
  }
  // What a writer left that died is not looked at.
  ASSERT_TRUE(storage.Delete(path).ok());
  ASSERT_TRUE(storage.Put("/w/s/_views/v/.00000000000000000001.json.1-2-3.tmp", "{").ok());
  EXPECT_EQ(store.Read(kName).ValueOrDie().version, 0);
}

}  // namespace
}  // namespace sluice::plan
