// Reads the public corpus of Delta tables (see its README.md) and compares rows, snapshots and
// conflict outcomes with what the reference engines returned. Where the corpus is not beside the
// checkout, the test says so and is skipped.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>

#include "delta/action_json.h"
#include "delta/log_segment.h"
#include "delta/number_text.h"
#include "delta/scan.h"
#include "delta/table.h"
#include "storage/local_storage.h"
#include "storage/memory_storage.h"

namespace sluice::delta {
namespace {

using Json = nlohmann::json;

// ---- rows in the corpus' canonical form ----

Json NumberOf(double value) {
  if (std::isfinite(value)) return value;
  return FormatDouble(value);
}

Json ValueAt(const arrow::Array& array, int64_t row);

Json ListAt(const arrow::ListArray& list, int64_t row) {
  Json items = Json::array();
  for (int64_t i = list.value_offset(row); i < list.value_offset(row + 1); ++i)
    items.push_back(ValueAt(*list.values(), i));
  return items;
}

Json MapAt(const arrow::MapArray& map, int64_t row) {
  std::vector<Json> pairs;
  for (int64_t i = map.value_offset(row); i < map.value_offset(row + 1); ++i) {
    pairs.push_back(Json::array({ValueAt(*map.keys(), i), ValueAt(*map.items(), i)}));
  }
  std::sort(pairs.begin(), pairs.end(),
            [](const Json& a, const Json& b) { return a[0].dump() < b[0].dump(); });
  return Json{{"m", pairs}};
}

std::string Hex(std::string_view bytes) {
  std::string text;
  char two[3];
  for (const char c : bytes) {
    std::snprintf(two, sizeof(two), "%02x", static_cast<unsigned char>(c));
    text += two;
  }
  return text;
}

Json ValueAt(const arrow::Array& array, int64_t row) {
  if (array.IsNull(row)) return nullptr;
  switch (array.type_id()) {
    case arrow::Type::INT8: return static_cast<const arrow::Int8Array&>(array).Value(row);
    case arrow::Type::INT16: return static_cast<const arrow::Int16Array&>(array).Value(row);
    case arrow::Type::INT32: return static_cast<const arrow::Int32Array&>(array).Value(row);
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(array).Value(row);
    case arrow::Type::DATE32: return static_cast<const arrow::Date32Array&>(array).Value(row);
    case arrow::Type::TIMESTAMP: return static_cast<const arrow::TimestampArray&>(array).Value(row);
    case arrow::Type::BOOL: return static_cast<const arrow::BooleanArray&>(array).Value(row);
    case arrow::Type::FLOAT:
      return NumberOf(static_cast<const arrow::FloatArray&>(array).Value(row));
    case arrow::Type::DOUBLE:
      return NumberOf(static_cast<const arrow::DoubleArray&>(array).Value(row));
    case arrow::Type::STRING:
      return std::string(static_cast<const arrow::StringArray&>(array).GetView(row));
    case arrow::Type::BINARY:
      return Json{{"b", Hex(static_cast<const arrow::BinaryArray&>(array).GetView(row))}};
    case arrow::Type::DECIMAL128: {
      const arrow::Decimal128 value(
          static_cast<const arrow::Decimal128Array&>(array).GetValue(row));
      return FormatDecimal(value, static_cast<const arrow::Decimal128Type&>(*array.type()).scale());
    }
    case arrow::Type::LIST: return ListAt(static_cast<const arrow::ListArray&>(array), row);
    case arrow::Type::MAP: return MapAt(static_cast<const arrow::MapArray&>(array), row);
    case arrow::Type::STRUCT: {
      Json fields = Json::array();
      for (const auto& field : static_cast<const arrow::StructArray&>(array).fields())
        fields.push_back(ValueAt(*field, row));
      return fields;
    }
    default: return "unsupported " + array.type()->ToString();
  }
}

/// Floating values that the corpus writes without a point become numbers of the same kind as ours.
Json Normalized(const Json& value, const arrow::DataType& type) {
  if (value.is_null()) return value;
  switch (type.id()) {
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: return value.is_number() ? Json(value.get<double>()) : value;
    case arrow::Type::STRUCT: {
      Json fields = Json::array();
      for (size_t i = 0; i < value.size(); ++i)
        fields.push_back(Normalized(value[i], *type.field(static_cast<int>(i))->type()));
      return fields;
    }
    case arrow::Type::LIST: {
      Json items = Json::array();
      for (const Json& item : value) items.push_back(Normalized(item, *type.field(0)->type()));
      return items;
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      std::vector<Json> pairs;
      for (const Json& pair : value["m"]) {
        pairs.push_back(Json::array(
            {Normalized(pair[0], *map.key_type()), Normalized(pair[1], *map.item_type())}));
      }
      std::sort(pairs.begin(), pairs.end(),
                [](const Json& a, const Json& b) { return a[0].dump() < b[0].dump(); });
      return Json{{"m", pairs}};
    }
    default: return value;
  }
}

Result<std::vector<std::string>> RowsOf(storage::Storage& storage,
                                        const std::shared_ptr<const Snapshot>& snapshot) {
  std::vector<std::string> lines;
  SLUICE_ASSIGN_OR_RETURN(const auto scan, Scan::Make(storage, snapshot));
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto batch, scan->Next());
    if (batch == nullptr) break;
    for (int64_t row = 0; row < batch->num_rows(); ++row) {
      Json values = Json::array();
      for (const auto& column : batch->columns()) values.push_back(ValueAt(*column, row));
      lines.push_back(values.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

std::vector<std::string> ExpectedRows(const std::string& text, const arrow::Schema& schema) {
  std::vector<std::string> lines;
  size_t begin = 0;
  while (begin < text.size()) {
    const size_t end = std::min(text.find('\n', begin), text.size());
    const Json values = Json::parse(text.substr(begin, end - begin));
    Json row = Json::array();
    for (size_t i = 0; i < values.size(); ++i) {
      row.push_back(Normalized(values[i], *schema.field(static_cast<int>(i))->type()));
    }
    lines.push_back(row.dump(-1, ' ', false, Json::error_handler_t::replace));
    begin = end + 1;
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

// ---- the corpus ----

class ConformanceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    root_ = SLUICE_DELTA_CORPUS;
    const auto index = storage_.Read(storage::JoinPath(root_, "index.json"));
    if (!index.ok()) GTEST_SKIP() << "the conformance corpus is not beside this checkout";
    for (const Json& entry : Json::parse(*index)) names_.push_back(entry["case"]);
  }
  Json Case(const std::string& name) {
    return Json::parse(storage_.Read(root_ + "/" + name + "/case.json").ValueOrDie());
  }
  /// Unsupported on purpose, and said so.
  static bool Refused(const Status& status) {
    return HasCode(status, "DELTA_UNSUPPORTED_READER_FEATURE") ||
           HasCode(status, "DELTA_UNSUPPORTED_TYPE");
  }
  static bool ReplaceRoot(const std::string& table, std::string* text) {
    static const std::string kMark = "__TABLE_ROOT__";
    bool changed = false;
    for (size_t at = text->find(kMark); at != std::string::npos; at = text->find(kMark, at)) {
      text->replace(at, kMark.size(), "file://" + table);
      changed = true;
    }
    return changed;
  }
  void PlaceRoot(const std::string& name) {
    const std::string table = root_ + "/" + name + "/delta";
    for (const auto& file : storage_.ListRecursive(table + "/_delta_log").ValueOrDie()) {
      if (!file.path.ends_with(".json")) continue;
      std::string text = storage_.Read(file.path).ValueOrDie();
      if (!ReplaceRoot(table, &text)) continue;
      ASSERT_TRUE(storage_.Put(file.path, text).ok());
    }
  }
  void CheckRead(const std::string& name, const Json& read);
  void CheckTimeTravel(const std::string& label, const std::string& table, const Json& read);
  void CheckSnapshot(const std::string& name, const Json& expected);

  storage::LocalStorage storage_{storage::LocalStorage::Options{false}};
  std::string root_;
  std::vector<std::string> names_;
  int passed_ = 0;
  int advisory_ = 0;
  std::map<std::string, int> skipped_;
};

void ConformanceTest::CheckTimeTravel(const std::string& label, const std::string& table,
                                      const Json& read) {
  ManualClock clock(0);
  const auto opened = Table::Open({storage_, clock}, table, 1);
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

void ConformanceTest::CheckRead(const std::string& name, const Json& read) {
  const std::string label = name + " " + read["id"].get<std::string>();
  const std::string table = root_ + "/" + name + "/delta";
  if (read.contains("timestamp_ms")) return CheckTimeTravel(label, table, read);
  for (const char* kind : {"cdf", "predicate", "rowids"}) {
    if (read.contains(kind)) {
      ++skipped_[kind];
      return;
    }
  }
  std::optional<TableVersion> version;
  if (!read["version"].is_null()) version = TableVersion(read["version"].get<int64_t>());
  const std::string status = read["status"];
  const auto snapshot = Snapshot::Load(storage_, table, version);
  auto rows = snapshot.ok() ? RowsOf(storage_, *snapshot)
                            : Result<std::vector<std::string>>(snapshot.status());
  if (read.contains("error")) {
    if (status == "advisory") {
      ++advisory_;
    } else if (rows.ok()) {
      ADD_FAILURE() << label << ": must fail: " << read["error"].dump().substr(0, 200);
    } else {
      ++passed_;
    }
    return;
  }
  if (!rows.ok()) {
    if (Refused(rows.status())) {
      ++skipped_["refused: " +
                 rows.status().message().substr(rows.status().message().find_last_of(':') + 1)];
    } else if (status == "advisory") {
      ++advisory_;
    } else {
      ADD_FAILURE() << label << ": " << rows.status().ToString();
    }
    return;
  }
  if (!read.contains("ndjson") || !read["ndjson"].get<bool>()) {
    if (static_cast<int64_t>(rows->size()) != read["rows"].get<int64_t>())
      ADD_FAILURE() << label << ": rows " << rows->size();
    ++passed_;
    return;
  }
  const std::string text =
      storage_.Read(root_ + "/" + name + "/" + read["expected"].get<std::string>() + ".ndjson")
          .ValueOrDie();
  const auto expected = ExpectedRows(text, *(*snapshot)->schema());
  if (*rows == expected) {
    ++passed_;
  } else if (status == "advisory") {
    ++advisory_;
  } else {
    std::string difference =
        std::to_string(rows->size()) + " rows, expected " + std::to_string(expected.size());
    for (size_t i = 0; i < std::min(rows->size(), expected.size()); ++i) {
      if ((*rows)[i] == expected[i]) continue;
      difference += "\n  got      " + (*rows)[i].substr(0, 300) + "\n  expected " +
                    expected[i].substr(0, 300);
      break;
    }
    ADD_FAILURE() << label << ": " << difference;
  }
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

void ConformanceTest::CheckSnapshot(const std::string& name, const Json& entry) {
  const std::string table = root_ + "/" + name + "/delta";
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
    if (!Refused(loaded.status())) ADD_FAILURE() << name << ": " << loaded.status().ToString();
    return;
  }
  const Snapshot& snapshot = **loaded;
  std::string text =
      storage_.Read(root_ + "/" + name + "/" + entry["expected"].get<std::string>()).ValueOrDie();
  ReplaceRoot(table, &text);
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

TEST_F(ConformanceTest, ReadsTablesOfOtherEngines) {
  for (const std::string& name : names_) {
    if (name.starts_with("conflicts/")) continue;
    const Json one = Case(name);
    if (one.value("placeholder_root", false)) PlaceRoot(name);
    for (const Json& snapshot : one["snapshots"]) CheckSnapshot(name, snapshot);
    if (one.value("log_only", false)) continue;
    for (const Json& read : one["reads"]) CheckRead(name, read);
  }
  std::printf("conformance: %d passed, %d advisory\n", passed_, advisory_);
  for (const auto& [why, count] : skipped_) std::printf("  skipped %d: %s\n", count, why.c_str());
}

// ---- conflicts ----

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

TEST_F(ConformanceTest, ConflictsEndAsInTheReference) {
  int exact = 0;
  int stricter = 0;
  for (const std::string& name : names_) {
    if (!name.starts_with("conflicts/")) continue;
    const Json conflict = Case(name)["conflict"];
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
