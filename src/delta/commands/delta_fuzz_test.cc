// Foreign bytes of Delta tables: log entries, checkpoints, data files, deletion vectors, checksums,
// schemas, statistics, paths, properties. Whatever comes, it is answered with a value or an error;
// what is read and written again is the same.
#include <arrow/api.h>
#include <gtest/gtest.h>

#include "base/fuzz_for_test.h"
#include "delta/commands/table_fixture_for_test.h"
#include "delta/log/log_segment.h"
#include "delta/log/table_state.h"
#include "delta/log/version_checksum.h"
#include "delta/protocol/action_json.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/schema_json.h"
#include "delta/protocol/write_properties.h"
#include "delta/variant/variant.h"

namespace sluice::delta {
namespace {

const std::vector<std::string>& Pieces() {
  static const std::vector<std::string> pieces{"{",
                                               "}",
                                               "[",
                                               "]",
                                               ":",
                                               ",",
                                               "\"",
                                               "\\",
                                               "null",
                                               "-1",
                                               "1e999",
                                               "true",
                                               "\n",
                                               "\xC3",
                                               "\\u0000",
                                               "999999999999999999999",
                                               "\"add\"",
                                               "\"path\"",
                                               "\"size\":",
                                               "\"stats\"",
                                               "%2F",
                                               "..",
                                               "file:",
                                               "deletionVector",
                                               "2147483648",
                                               "-9223372036854775808",
                                               std::string(1, '\0')};
  return pieces;
}

template <typename T>
const T& Pick(const std::vector<T>& items, Random* random) {
  return items[random->Below(items.size())];
}

/// `bytes` with a few of them changed, cut off or put in.
std::string MutateBytes(std::string bytes, Random* random) {
  for (uint64_t edits = 1 + random->Below(8); edits > 0 && !bytes.empty(); --edits) {
    const size_t at = random->Below(bytes.size());
    switch (random->Below(5)) {
      case 0: bytes.resize(at); break;
      case 1: bytes[at] = static_cast<char>(random->Below(256)); break;
      case 2: bytes[at] = static_cast<char>(bytes[at] ^ (1 << random->Below(8))); break;
      case 3: bytes.insert(at, 1 + random->Below(8), static_cast<char>(random->Below(256))); break;
      default: bytes.erase(at, 1 + random->Below(8)); break;
    }
  }
  return bytes;
}

class DeltaFuzzTest : public TableFixture {
 protected:
  /// A table with something of everything; its files by path.
  std::map<std::string, std::string> MakeTable() {
    const auto table = Create({{"delta.enableDeletionVectors", "true"},
                               {"delta.columnMapping.mode", "name"},
                               {"delta.enableRowTracking", "true"}});
    const auto files = Append(*table, {Rows(0, 60, "a"), Rows(60, 5, "b c")});
    Mask(*table, files[0], {1, 5, 17});
    Transaction transaction = table->NewTransaction();
    transaction.SetTxn("app", 7);
    transaction.SetDomainMetadata({"x.y", "{}", false});
    EXPECT_TRUE(transaction.Commit().ok());
    EXPECT_TRUE(table->Checkpoint().ok());
    Append(*table, {Rows(100, 5, "a")});
    std::map<std::string, std::string> all;
    for (const auto& file : storage_.ListRecursive("/t").ValueOrDie())
      all[file.path] = storage_.Read(file.path).ValueOrDie();
    return all;
  }
  void ReadWhatCanBe() {
    (void)TableState::Load(storage_, "/t");
    const auto snapshot = Snapshot::Load(storage_, "/t");
    if (!snapshot.ok()) return;
    ScanOptions options;
    options.predicate = {{"id", CompareOp::kGreater, arrow::MakeScalar(int64_t{3}), {}}};
    const auto scan = Scan::Make(storage_, *snapshot, options);
    if (!scan.ok()) return;
    for (int i = 0; i < 100; ++i) {
      const auto batch = (*scan)->Next();
      if (!batch.ok() || *batch == nullptr) return;
      EXPECT_LT((*batch)->num_rows(), 1 << 20);
    }
  }
};

TEST_F(DeltaFuzzTest, LogEntries) {
  MakeTable();
  std::vector<std::string> seeds;
  for (const auto& file : storage_.List("/t/_delta_log").ValueOrDie()) {
    if (file.path.ends_with(".json")) seeds.push_back(storage_.Read(file.path).ValueOrDie());
  }
  Random random(FuzzSeed(1));
  for (int i = FuzzRuns(4000); i > 0; --i) {
    const auto actions = ParseCommitJson(MutateText(Pick(seeds, &random), Pieces(), &random), "x");
    if (!actions.ok()) continue;
    std::string written;
    for (const Action& action : *actions) AppendActionJson(action, &written);
    const auto again = ParseCommitJson(written, "x");
    ASSERT_TRUE(again.ok()) << again.status() << "\n" << written;
    std::string twice;
    for (const Action& action : *again) AppendActionJson(action, &twice);
    ASSERT_EQ(twice, written);
  }
}

TEST_F(DeltaFuzzTest, FilesOfATable) {
  const auto files = MakeTable();
  std::vector<std::string> paths;
  for (const auto& [path, bytes] : files) paths.push_back(path);
  Random random(FuzzSeed(2));
  for (int i = FuzzRuns(600); i > 0; --i) {
    const std::string& path = Pick(paths, &random);
    const std::string& bytes = files.at(path);
    const bool text = path.ends_with(".json") || path.ends_with(".crc");
    ASSERT_TRUE(
        storage_
            .Put(path, text ? MutateText(bytes, Pieces(), &random) : MutateBytes(bytes, &random))
            .ok());
    ReadWhatCanBe();
    ASSERT_TRUE(storage_.Put(path, bytes).ok());
  }
  EXPECT_EQ(Ids(Snapshot::Load(storage_, "/t").ValueOrDie()).size(), 67U);
}

TEST_F(DeltaFuzzTest, CheckpointsAlone) {
  // Without commits before it a checkpoint is all there is.
  auto files = MakeTable();
  for (auto it = files.begin(); it != files.end();) {
    const auto name = ParseLogFileName(it->first);
    const bool old =
        name.has_value() && name->kind == LogFileName::Kind::kCommit && name->version.value() <= 3;
    if (old) {
      ASSERT_TRUE(storage_.Delete(it->first).ok());
    }
    it = old ? files.erase(it) : std::next(it);
  }
  const std::string path = CheckpointPath("/t", TableVersion(3));
  ASSERT_TRUE(files.contains(path));
  Random random(FuzzSeed(3));
  for (int i = FuzzRuns(400); i > 0; --i) {
    ASSERT_TRUE(storage_.Put(path, MutateBytes(files.at(path), &random)).ok());
    ReadWhatCanBe();
  }
}

TEST_F(DeltaFuzzTest, DeletionVectors) {
  Random random(FuzzSeed(4));
  std::vector<std::string> seeds;
  for (const uint64_t step : {1ULL, 7ULL, 70000ULL, 1ULL << 33}) {
    DeletionVector vector;
    for (uint64_t row = 0; row < 50; ++row) vector.Add(row * step);
    seeds.push_back(vector.Serialize());
  }
  for (int i = FuzzRuns(20000); i > 0; --i) {
    const auto vector = DeletionVector::Deserialize(MutateBytes(Pick(seeds, &random), &random));
    if (!vector.ok() || vector->cardinality() > 100000) continue;
    const auto again = DeletionVector::Deserialize(vector->Serialize());
    ASSERT_TRUE(again.ok()) << again.status();
    ASSERT_EQ(again->ToRows(), vector->ToRows());
  }
}

TEST_F(DeltaFuzzTest, Z85) {
  Random random(FuzzSeed(5));
  for (int i = FuzzRuns(50000); i > 0; --i) {
    std::string bytes(random.Below(40), '\0');
    for (char& c : bytes) c = static_cast<char>(random.Below(256));
    const std::string text = Z85Encode(bytes);
    const auto decoded = Z85Decode(text);
    ASSERT_TRUE(decoded.ok()) << decoded.status();
    ASSERT_EQ(decoded->substr(0, bytes.size()), bytes);
    (void)Z85Decode(MutateBytes(text, &random));
  }
}

TEST_F(DeltaFuzzTest, PathsAndPartitionValues) {
  Random random(FuzzSeed(6));
  const std::vector<std::string> seeds{
      "a b/c%20d/part-0.parquet",   "file:///x/y", "/abs/p", "\xC3\xA9/%",
      "2024-01-31 10:00:00.123456", "-12.50",      "true",   "1e-3"};
  const std::vector<std::shared_ptr<arrow::DataType>> types{
      arrow::int8(),
      arrow::int64(),
      arrow::float64(),
      arrow::decimal128(10, 2),
      arrow::boolean(),
      arrow::date32(),
      arrow::utf8(),
      arrow::timestamp(arrow::TimeUnit::MICRO),
      arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")};
  for (int i = FuzzRuns(30000); i > 0; --i) {
    const std::string text = MutateText(Pick(seeds, &random), Pieces(), &random);
    ASSERT_EQ(DecodePath(EncodePath(text)), text);
    (void)ResolvePath("/t", text);
    (void)HiveFolder(text, text);
    const auto value = PartitionValueFromString(text, Pick(types, &random));
    if (!value.ok() || !(*value)->is_valid) continue;
    const auto written = PartitionValueToString(**value);
    if (!written.ok()) continue;
    const auto again = PartitionValueFromString(*written, (*value)->type);
    ASSERT_TRUE(again.ok()) << text << " -> " << written->value_or("null");
    ASSERT_TRUE((*again)->Equals(**value, arrow::EqualOptions::Defaults().nans_equal(true)))
        << text << " -> " << written->value_or("null");
  }
}

TEST_F(DeltaFuzzTest, Statistics) {
  Random random(FuzzSeed(7));
  const auto schema =
      arrow::schema({arrow::field("a", arrow::int64()),
                     arrow::field("s", arrow::struct_({arrow::field("t", arrow::utf8())})),
                     arrow::field("d", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});
  const Predicate predicate{{"a", CompareOp::kGreater, arrow::MakeScalar(int64_t{5}), {}},
                            {"s.t", CompareOp::kEqual, arrow::MakeScalar("x"), {}},
                            {"d", CompareOp::kIsNotNull, nullptr, {}}};
  const FilePruner pruner(predicate, *schema, {});
  const std::string good =
      R"({"numRecords":3,"minValues":{"a":1,"s":{"t":"a"},"d":"2024-01-01T00:00:00.000Z"},)"
      R"("maxValues":{"a":9,"s":{"t":"z"},"d":"2024-02-01T00:00:00.000Z"},)"
      R"("nullCount":{"a":0,"s":{"t":1},"d":0},"tightBounds":true})";
  AddFile file;
  file.stats = good;
  ASSERT_TRUE(pruner.MayMatch(file));
  for (int i = FuzzRuns(20000); i > 0; --i) {
    file.stats = MutateText(good, Pieces(), &random);
    (void)pruner.MayMatch(file);
  }
}

TEST_F(DeltaFuzzTest, Variants) {
  // Version 1, two names: "a", "bc".
  const std::string names(
      "\x01\x02\x00\x01\x03"
      "abc",
      8);
  const std::string text = EncodeVariantString("long or short");
  const std::string number = EncodeVariantPrimitive(VariantPrimitive::kInt32, {"\x07\0\0\0", 4});
  const std::string value = EncodeVariantObject({{"a", 0, EncodeVariantArray({text, number})},
                                                 {"bc", 1, EncodeVariantObject({{"a", 0, text}})}});
  ASSERT_EQ(VariantToJson(names, value).ValueOrDie(),
            R"({"a":["long or short",7],"bc":{"a":"long or short"}})");
  Random random(FuzzSeed(9));
  for (int i = FuzzRuns(20000); i > 0; --i) {
    const bool in_names = random.OneIn(4);
    (void)VariantToJson(in_names ? MutateBytes(names, &random) : names,
                        in_names ? value : MutateBytes(value, &random));
  }
}

TEST_F(DeltaFuzzTest, SchemasPropertiesChecksums) {
  Random random(FuzzSeed(8));
  MakeTable();
  const auto snapshot = Snapshot::Load(storage_, "/t").ValueOrDie();
  const std::string checksum = VersionChecksum::Of(*snapshot).ToJson();
  for (int i = FuzzRuns(5000); i > 0; --i) {
    const auto schema =
        SchemaFromJson(MutateText(snapshot->metadata().schema_string, Pieces(), &random));
    if (schema.ok()) {
      const auto json = SchemaToJson(**schema);
      if (json.ok()) {
        ASSERT_TRUE(SchemaFromJson(*json).ok()) << *json;
      }
    }
    const auto sums = VersionChecksum::Parse(MutateText(checksum, Pieces(), &random), "x");
    if (sums.ok()) (void)sums->Differences(*snapshot);
    (void)ParseInterval(MutateText("interval 7 days 3 hours", Pieces(), &random));
    const auto columns =
        ParseColumnList(MutateText("a, `b c`.d,e.f", {",", ".", "`", " "}, &random));
    if (columns.ok()) {
      ASSERT_EQ(ParseColumnList(ColumnListText(*columns)).ValueOrDie(), *columns);
    }
  }
}

}  // namespace
}  // namespace sluice::delta
