#include "delta/protocol/action_json.h"

#include <gtest/gtest.h>

#include "delta/protocol/table_features.h"
#include "delta/protocol/table_properties.h"

namespace sluice::delta {
namespace {

std::string RoundTrip(const std::string& line) {
  std::string out;
  for (const Action& action : ParseCommitJson(line, "test").ValueOrDie())
    AppendActionJson(action, &out);
  return out;
}

TEST(ActionJsonTest, RoundTripsEveryAction) {
  const std::string lines[] = {
      R"({"protocol":{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":["deletionVectors"],"writerFeatures":["deletionVectors"]}})",
      R"({"metaData":{"id":"1","name":"n","format":{"provider":"parquet","options":{}},"schemaString":"{\"type\":\"struct\",\"fields\":[]}","partitionColumns":["p"],"configuration":{"a":"b"},"createdTime":5}})",
      R"({"add":{"path":"p=a%20b/x.parquet","partitionValues":{"p":"a b","q":null},"size":9,"modificationTime":8,"dataChange":true,"stats":"{\"numRecords\":1}","tags":{"t":"1"},"deletionVector":{"storageType":"u","pathOrInlineDv":"ab^-aqEH.-t@S}K{vb[*k^","offset":4,"sizeInBytes":40,"cardinality":6},"baseRowId":3,"defaultRowCommitVersion":2,"clusteringProvider":"c"}})",
      R"({"remove":{"path":"x","deletionTimestamp":7,"dataChange":false,"extendedFileMetadata":true,"partitionValues":{},"size":3}})",
      R"({"cdc":{"path":"_change_data/x","partitionValues":{},"size":3,"dataChange":false}})",
      R"({"txn":{"appId":"a\"\\\n\u0001","version":3,"lastUpdated":4}})",
      R"({"domainMetadata":{"domain":"d","configuration":"{}","removed":false}})",
      R"({"commitInfo":{"inCommitTimestamp":6,"timestamp":5,"operation":"WRITE","operationParameters":{"mode":"Append"},"readVersion":1,"isolationLevel":"Serializable","isBlindAppend":true,"operationMetrics":{"numFiles":"1"},"engineInfo":"e","txnId":"t","sluice":{"epoch":3}}})",
  };
  for (const std::string& line : lines) EXPECT_EQ(RoundTrip(line), line + "\n");
}

TEST(ActionJsonTest, ToleratesUnknownAndEmptyButNotBrokenLines) {
  EXPECT_TRUE(ParseCommitJson("", "x").ValueOrDie().empty());
  EXPECT_TRUE(ParseCommitJson("\n{\"checkpointMetadata\":{\"version\":1}}\r\n\n", "x")
                  .ValueOrDie()
                  .empty());
  EXPECT_TRUE(HasCode(ParseCommitJson("{\"add\":{\"path\":", "x").status(), "DELTA_LOG_CORRUPT"));
  EXPECT_TRUE(HasCode(ParseCommitJson("[1]", "x").status(), "DELTA_LOG_CORRUPT"));
  // Fields of another type than the protocol's do not throw.
  const auto odd =
      ParseCommitJson(R"({"add":{"path":5,"size":"x","partitionValues":[1],"stats":{}}})", "x")
          .ValueOrDie();
  EXPECT_EQ(std::get<AddFile>(odd[0]).path, "");
}

TEST(ActionJsonTest, FileKeysOfOnePathAgree) {
  EXPECT_EQ(FileKey("file:///a/b", std::nullopt), FileKey("/a/b", std::nullopt));
  EXPECT_EQ(FileKey("file:/a/b", std::nullopt), "/a/b");
  EXPECT_NE(FileKey("x", std::nullopt),
            FileKey("x", DeletionVectorDescriptor{'i', "abc", {}, 1, 1}));
}

TEST(TablePropertiesTest, ParsesAndRefuses) {
  const auto properties = ParseTableProperties({{"delta.logRetentionDuration", "interval 2 weeks"},
                                                {"delta.targetFileSize", "64mb"},
                                                {"delta.appendOnly", "TRUE"},
                                                {"free.key", "x"}})
                              .ValueOrDie();
  EXPECT_EQ(properties.log_retention_ms, 14LL * 24 * 3600 * 1000);
  EXPECT_EQ(properties.target_file_size, 64LL << 20);
  EXPECT_TRUE(properties.append_only);
  EXPECT_TRUE(HasCode(ParseTableProperties({{"delta.checkpointInterval", "0"}}).status(),
                      "DELTA_INVALID_PROPERTY"));
  EXPECT_TRUE(HasCode(ParseTableProperties({{"delta.logRetentionDuration", "soon"}}).status(),
                      "DELTA_INVALID_PROPERTY"));
  EXPECT_EQ(UsableTableProperties({{"delta.checkpointInterval", "x"}}).checkpoint_interval, 10);
  EXPECT_EQ(*ParseInterval("interval 1 day 2 hours"), 26LL * 3600 * 1000);
}

TEST(TableFeaturesTest, RefusesWhatItCannotHonour) {
  const arrow::Schema schema(arrow::FieldVector{arrow::field("a", arrow::int64())});
  Protocol protocol;
  EXPECT_TRUE(CheckWritable(protocol, {}, schema).ok());
  protocol.min_writer_version = 4;
  EXPECT_TRUE(CheckWritable(protocol, {}, schema).ok());
  Metadata checked;
  checked.configuration["delta.constraints.c"] = "a > 0";
  EXPECT_TRUE(
      HasCode(CheckWritable(protocol, checked, schema), "DELTA_UNSUPPORTED_WRITER_FEATURE"));
  EXPECT_TRUE(CheckWritable(protocol, checked, schema, /*rules_checked=*/true).ok());
  const Protocol unknown{3, 7, {{"timeMachine"}}, {{"timeMachine"}}};
  EXPECT_TRUE(HasCode(CheckReadable(unknown), "DELTA_UNSUPPORTED_READER_FEATURE"));
  const Protocol variant{3, 7, {{"variantType"}}, {{"variantType"}}};
  EXPECT_TRUE(CheckReadable(variant).ok());
  EXPECT_TRUE(CheckWritable(variant, {}, schema).ok());
  const Protocol foreign{1, 7, {}, {{"icebergCompatV1"}}};
  EXPECT_TRUE(HasCode(CheckWritable(foreign, {}, schema), "DELTA_UNSUPPORTED_WRITER_FEATURE"));
}

TEST(TableFeaturesTest, ProtocolIsRaisedOnlyByWhatIsAskedFor) {
  const arrow::Schema schema(arrow::FieldVector{arrow::field("a", arrow::int64())});
  const auto needed = [&](const StringMap& configuration, const Protocol& current = {}) {
    return ProtocolFor(schema, UsableTableProperties(configuration), configuration, current);
  };
  EXPECT_EQ(needed({{"delta.appendOnly", "true"}, {"free", "x"}}), Protocol{});
  EXPECT_EQ(needed({{"delta.enableChangeDataFeed", "true"}}), (Protocol{1, 4, {}, {}}));
  EXPECT_EQ(needed({{"delta.columnMapping.mode", "name"}}), (Protocol{2, 5, {}, {}}));
  EXPECT_EQ(needed({{"delta.constraints.c", "a > 0"}}, Protocol{1, 4, {}, {}}),
            (Protocol{1, 4, {}, {}}));
  const StringMap vectors{{"delta.enableDeletionVectors", "true"}};
  const Protocol upgraded = needed(vectors, Protocol{1, 3, {}, {}});
  EXPECT_EQ(upgraded.min_reader_version, 3);
  EXPECT_TRUE(upgraded.HasWriterFeature("checkConstraints"));
  EXPECT_TRUE(upgraded.HasReaderFeature("deletionVectors"));
  EXPECT_EQ(needed(vectors, upgraded), upgraded);
  const Protocol tracked = needed({{"delta.enableRowTracking", "true"}});
  EXPECT_EQ(tracked.min_reader_version, 1);
  EXPECT_TRUE(tracked.HasWriterFeature("rowTracking"));
  EXPECT_TRUE(tracked.HasWriterFeature("domainMetadata"));
  EXPECT_TRUE(needed({{"delta.feature.clustering", "supported"}}).HasWriterFeature("clustering"));
}

}  // namespace
}  // namespace sluice::delta
