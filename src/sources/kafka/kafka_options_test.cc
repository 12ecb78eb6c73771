#include "sources/kafka/kafka_options.h"

#include <gtest/gtest.h>

namespace sluice::sources {
namespace {

using Options = std::map<std::string, std::string>;

Result<KafkaSourceOptions> Parse(Options options) {
  options.emplace("bootstrapServers", "b1:9092, b2:9092");
  return ParseKafkaOptions("k", options);
}

std::string CodeOf(Options options) { return ErrorCode(Parse(std::move(options)).status()); }

TEST(KafkaOptionsTest, DefaultsAreSparks) {
  const auto options = Parse({{"subscribe", "b, a ,b"}}).ValueOrDie();
  EXPECT_EQ(options.bootstrap_servers, "b1:9092,b2:9092");
  EXPECT_EQ(options.subscribe, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(options.starting.kind, KafkaOffsetSpec::Kind::kLatest);
  EXPECT_TRUE(options.fail_on_data_loss);
  EXPECT_FALSE(options.include_headers);
  EXPECT_EQ(options.group_id, "sluice-k");
}

TEST(KafkaOptionsTest, NamesIgnoreCase) {
  const auto options = Parse({{"SUBSCRIBE", "t"},
                              {"StartingOffsets", "EARLIEST"},
                              {"failondataloss", "False"},
                              {"maxoffsetspertrigger", "1000"},
                              {"INCLUDEHEADERS", "true"},
                              {"Kafka.Group.Id", "lag"}})
                           .ValueOrDie();
  EXPECT_EQ(options.starting.kind, KafkaOffsetSpec::Kind::kEarliest);
  EXPECT_FALSE(options.fail_on_data_loss);
  EXPECT_EQ(options.max_offsets_per_trigger, 1000);
  EXPECT_TRUE(options.include_headers);
  EXPECT_EQ(options.group_id, "lag");
}

TEST(KafkaOptionsTest, OffsetsInJson) {
  const auto options = Parse({{"subscribe", "t,u"},
                              {"startingOffsets", R"({"t":{"0":23,"1":-2},"u":{"0":-1}})"},
                              {"endingOffsets", R"({"t":{"0":50,"1":-1},"u":{"0":7}})"}})
                           .ValueOrDie();
  EXPECT_EQ(options.starting.partitions.at("t").at(1), KafkaOffsetSpec::kEarliestOffset);
  EXPECT_EQ(options.starting.partitions.at("u").at(0), KafkaOffsetSpec::kLatestOffset);
  EXPECT_EQ(options.ending.partitions.at("t").at(0), 50);
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"startingOffsets", "{"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"startingOffsets", R"({"t":{"0":-3}})"}}),
            "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"startingOffsets", R"({"x":{"0":1}})"}}),
            "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"endingOffsets", "earliest"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"endingOffsets", R"({"t":{"0":-2}})"}}),
            "KAFKA_INVALID_OPTION");
}

TEST(KafkaOptionsTest, TimestampsComeBeforeOffsets) {
  auto options =
      Parse({{"subscribe", "t"}, {"startingTimestamp", "1700"}, {"startingOffsets", "latest"}})
          .ValueOrDie();
  EXPECT_EQ(options.starting.kind, KafkaOffsetSpec::Kind::kTimestamp);
  EXPECT_EQ(options.starting.timestamp_millis, 1700);
  options = Parse({{"subscribe", "t"},
                   {"startingOffsetsByTimestamp", R"({"t":{"0":5}})"},
                   {"startingOffsetsByTimestampStrategy", "latest"}})
                .ValueOrDie();
  EXPECT_EQ(options.starting.kind, KafkaOffsetSpec::Kind::kPartitionTimestamps);
  EXPECT_TRUE(options.timestamp_falls_back_to_latest);
}

TEST(KafkaOptionsTest, ContradictionsAndUnknownNames) {
  EXPECT_EQ(CodeOf({}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"assign", R"({"t":[0]})"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"Subscribe", "u"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.bootstrap.servers", "other:1"}}),
            "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"startingOffset", "latest"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"maxOffsetsPerTrigger", "0"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"failOnDataLoss", "maybe"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribePattern", "t["}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.auto.offset.reset", "earliest"}}),
            "KAFKA_INVALID_OPTION");
  EXPECT_EQ(ErrorCode(ParseKafkaOptions("k", {{"subscribe", "t"}}).status()),
            "KAFKA_INVALID_OPTION");
}

TEST(KafkaOptionsTest, Assign) {
  const auto options = Parse({{"assign", R"({"t":[2,0,2],"u":[1]})"}}).ValueOrDie();
  EXPECT_EQ(options.assign.at("t"), (std::vector<int32_t>{0, 2}));
  EXPECT_EQ(CodeOf({{"assign", R"({"t":[-1]})"}}), "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"assign", R"({"t":["a"]})"}}), "KAFKA_INVALID_OPTION");
}

TEST(KafkaOptionsTest, JaasBecomesUserAndPassword) {
  const std::string jaas =
      "kafkashaded.org.apache.kafka.common.security.plain.PlainLoginModule required "
      "username=\"$ConnectionString\" "
      "password=\"Endpoint=sb://x/;Key=\\\"a=\\\";\";";
  auto options = Parse({{"subscribe", "t"},
                        {"kafka.security.protocol", "SASL_SSL"},
                        {"kafka.sasl.jaas.config", jaas}})
                     .ValueOrDie();
  EXPECT_EQ(options.client.at("security.protocol"), "SASL_SSL");
  EXPECT_EQ(options.client.at("sasl.mechanisms"), "PLAIN");
  EXPECT_EQ(options.client.at("sasl.username"), "$ConnectionString");
  EXPECT_EQ(options.client.at("sasl.password"), "Endpoint=sb://x/;Key=\"a=\";");
  const std::string scram =
      "org.apache.kafka.common.security.scram.ScramLoginModule required username='u' password='p';";
  options = Parse({{"subscribe", "t"},
                   {"kafka.sasl.mechanism", "SCRAM-SHA-512"},
                   {"kafka.sasl.jaas.config", scram}})
                .ValueOrDie();
  EXPECT_EQ(options.client.at("sasl.mechanisms"), "SCRAM-SHA-512");
  EXPECT_EQ(options.client.at("sasl.username"), "u");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.sasl.jaas.config", scram}}),
            "KAFKA_INVALID_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.sasl.jaas.config", "Krb5LoginModule required;"}}),
            "KAFKA_UNSUPPORTED_OPTION");
}

TEST(KafkaOptionsTest, StoresAndJavaNames) {
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.ssl.truststore.location", "/x.jks"}}),
            "KAFKA_UNSUPPORTED_OPTION");
  EXPECT_EQ(CodeOf({{"subscribe", "t"}, {"kafka.ssl.keystore.location", "/x.jks"}}),
            "KAFKA_UNSUPPORTED_OPTION");
  const auto options = Parse({{"subscribe", "t"},
                              {"kafka.ssl.truststore.location", "/ca.pem"},
                              {"kafka.ssl.truststore.type", "PEM"},
                              {"kafka.ssl.endpoint.identification.algorithm", ""},
                              {"kafka.max.poll.records", "5"},
                              {"kafka.metadata.max.age.ms", "700"}})
                           .ValueOrDie();
  EXPECT_EQ(options.client.at("ssl.ca.location"), "/ca.pem");
  EXPECT_EQ(options.client.at("ssl.endpoint.identification.algorithm"), "none");
  EXPECT_EQ(options.client.at("topic.metadata.refresh.interval.ms"), "700");
  EXPECT_EQ(options.client.count("max.poll.records"), 0U);
}

}  // namespace
}  // namespace sluice::sources
