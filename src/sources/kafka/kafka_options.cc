#include "sources/kafka/kafka_options.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <functional>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>
#include <string_view>
#include <unordered_map>

#include "base/closest_word.h"
#include "sources/kafka/kafka_client_properties_internal.h"

namespace sluice::sources {

namespace {

Status Invalid(std::string message, std::string hint = "") {
  return MakeError("KAFKA_INVALID_OPTION", std::move(message), std::move(hint));
}

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())))
    text.remove_prefix(1);
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())))
    text.remove_suffix(1);
  return text;
}

std::vector<std::string> SplitList(std::string_view text) {
  std::vector<std::string> items;
  while (!text.empty()) {
    const size_t comma = std::min(text.find(','), text.size());
    const std::string_view item = Trim(text.substr(0, comma));
    if (!item.empty()) items.emplace_back(item);
    text.remove_prefix(std::min(comma + 1, text.size()));
  }
  return items;
}

Result<int64_t> ParseInteger(const std::string& name, std::string_view value, int64_t lowest) {
  const std::string_view text = Trim(value);
  int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size() || text.empty() || number < lowest) {
    return Invalid("option must be a whole number of at least " + std::to_string(lowest) + ": " +
                   name + "=" + std::string(value));
  }
  return number;
}

Result<bool> ParseBool(const std::string& name, std::string_view value) {
  const std::string text = Lower(Trim(value));
  if (text == "true") return true;
  if (text == "false") return false;
  return Invalid("option must be true or false: " + name + "=" + std::string(value));
}

Result<int32_t> ParsePartition(const std::string& name, std::string_view text) {
  int32_t partition = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), partition);
  if (error != std::errc() || end != text.data() + text.size() || partition < 0) {
    return Invalid("partition is not a number in option " + name + ": \"" + std::string(text) +
                   "\"");
  }
  return partition;
}

using PartitionValues = std::map<std::string, std::map<int32_t, int64_t>>;

// {"topic": {"0": 23, "1": -2}, ...}
Result<PartitionValues> ParsePartitionValues(const std::string& name, const std::string& text,
                                             int64_t lowest) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const std::string hint = R"(write it as {"topicA":{"0":23,"1":-1},"topicB":{"0":-2}})";
  if (!json.is_object() || json.empty())
    return Invalid("option is not JSON of this form: " + name, hint);
  PartitionValues values;
  for (const auto& [topic, by_partition] : json.items()) {
    if (!by_partition.is_object())
      return Invalid("option has no partitions for a topic: " + name + ", " + topic, hint);
    for (const auto& [partition_text, value] : by_partition.items()) {
      SLUICE_ASSIGN_OR_RETURN(const int32_t partition, ParsePartition(name, partition_text));
      if (!value.is_number_integer() || value.get<int64_t>() < lowest) {
        return Invalid("value must be a whole number of at least " + std::to_string(lowest) +
                           " in option " + name + ": " + topic + ", partition " + partition_text,
                       hint);
      }
      values[topic][partition] = value.get<int64_t>();
    }
  }
  return values;
}

Result<std::map<std::string, std::vector<int32_t>>> ParseAssign(const std::string& text) {
  const nlohmann::json json = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  const std::string hint = R"(write it as {"topicA":[0,1],"topicB":[2,4]})";
  if (!json.is_object() || json.empty())
    return Invalid("option is not JSON of this form: assign", hint);
  std::map<std::string, std::vector<int32_t>> assign;
  for (const auto& [topic, partitions] : json.items()) {
    if (!partitions.is_array() || partitions.empty()) {
      return Invalid("option has no list of partitions for a topic: assign, " + topic, hint);
    }
    for (const auto& partition : partitions) {
      if (!partition.is_number_unsigned() || partition.get<uint64_t>() > INT32_MAX) {
        return Invalid("partition is not a number in option assign: " + topic, hint);
      }
      assign[topic].push_back(partition.get<int32_t>());
    }
    std::sort(assign[topic].begin(), assign[topic].end());
    assign[topic].erase(std::unique(assign[topic].begin(), assign[topic].end()),
                        assign[topic].end());
  }
  return assign;
}

/// The options by lower-case name, each with the spelling it was given in; every one must be taken.
class OptionMap {
 public:
  struct Entry {
    std::string spelling;
    std::string value;
    bool taken = false;
  };

  static Result<OptionMap> Make(const std::map<std::string, std::string>& options) {
    OptionMap map;
    for (const auto& [name, value] : options) {
      const auto [at, is_new] = map.entries_.emplace(Lower(name), Entry{name, value, false});
      if (!is_new) return Invalid("option is given twice: " + at->second.spelling + " and " + name);
    }
    return map;
  }

  const Entry* Take(std::string_view name) {
    known_.emplace_back(name);
    const auto found = entries_.find(Lower(name));
    if (found == entries_.end()) return nullptr;
    found->second.taken = true;
    return &found->second;
  }

  std::map<std::string, Entry>& entries() { return entries_; }
  /// Names that were asked for.
  const std::vector<std::string>& known() const { return known_; }

 private:
  std::vector<std::string> known_;
  std::map<std::string, Entry> entries_;
};

Status ParseTopics(OptionMap& map, KafkaSourceOptions* out) {
  const auto* subscribe = map.Take("subscribe");
  const auto* pattern = map.Take("subscribePattern");
  const auto* assign = map.Take("assign");
  const int given = (subscribe != nullptr) + (pattern != nullptr) + (assign != nullptr);
  if (given != 1) {
    return Invalid(given == 0 ? "no topics given" : "topics are given in more than one way",
                   "set exactly one of subscribe, subscribePattern and assign");
  }
  if (subscribe != nullptr) {
    out->subscribe = SplitList(subscribe->value);
    if (out->subscribe.empty())
      return Invalid("option is empty: subscribe", "name one topic or several, with commas");
    std::sort(out->subscribe.begin(), out->subscribe.end());
    out->subscribe.erase(std::unique(out->subscribe.begin(), out->subscribe.end()),
                         out->subscribe.end());
  } else if (pattern != nullptr) {
    out->subscribe_pattern = Trim(pattern->value);
    if (out->subscribe_pattern.empty()) return Invalid("option is empty: subscribePattern");
    try {
      const std::regex compiled(out->subscribe_pattern);
    } catch (const std::regex_error& error) {
      return Invalid(
          "option is not a regular expression: subscribePattern=" + out->subscribe_pattern,
          error.what());
    }
  } else {
    SLUICE_ASSIGN_OR_RETURN(out->assign, ParseAssign(assign->value));
  }
  return Status::OK();
}

// "earliest", "latest" or offsets in JSON.
Result<KafkaOffsetSpec> ParseOffsets(const std::string& name, const std::string& value,
                                     bool ending) {
  KafkaOffsetSpec spec;
  const std::string word = Lower(Trim(value));
  if (word == "latest") {
    spec.kind = KafkaOffsetSpec::Kind::kLatest;
  } else if (word == "earliest" && !ending) {
    spec.kind = KafkaOffsetSpec::Kind::kEarliest;
  } else if (word == "earliest") {
    return Invalid("reading cannot end at the earliest offsets: " + name,
                   "use latest or offsets in JSON");
  } else {
    spec.kind = KafkaOffsetSpec::Kind::kOffsets;
    const int64_t lowest =
        ending ? KafkaOffsetSpec::kLatestOffset : KafkaOffsetSpec::kEarliestOffset;
    SLUICE_ASSIGN_OR_RETURN(spec.partitions, ParsePartitionValues(name, value, lowest));
  }
  return spec;
}

// Spark's precedence: one timestamp for all, timestamps per partition, offsets.
Status ParseOffsetSpec(OptionMap& map, const std::string& prefix, bool ending,
                       KafkaOffsetSpec* out) {
  const auto* timestamp = map.Take(prefix + "Timestamp");
  const auto* by_timestamp = map.Take(prefix + "OffsetsByTimestamp");
  const auto* offsets = map.Take(prefix + "Offsets");
  if (timestamp != nullptr) {
    out->kind = KafkaOffsetSpec::Kind::kTimestamp;
    SLUICE_ASSIGN_OR_RETURN(out->timestamp_millis,
                            ParseInteger(timestamp->spelling, timestamp->value, 0));
  } else if (by_timestamp != nullptr) {
    out->kind = KafkaOffsetSpec::Kind::kPartitionTimestamps;
    SLUICE_ASSIGN_OR_RETURN(out->partitions,
                            ParsePartitionValues(by_timestamp->spelling, by_timestamp->value, 0));
  } else if (offsets != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(*out, ParseOffsets(offsets->spelling, offsets->value, ending));
  }
  return Status::OK();
}

Status ParseStrategy(OptionMap& map, KafkaSourceOptions* out) {
  const auto* strategy = map.Take("startingOffsetsByTimestampStrategy");
  if (strategy == nullptr) return Status::OK();
  const std::string word = Lower(Trim(strategy->value));
  if (word != "latest" && word != "error") {
    return Invalid("option must be error or latest: " + strategy->spelling + "=" + strategy->value);
  }
  out->timestamp_falls_back_to_latest = word == "latest";
  return Status::OK();
}

// The topics named in a JSON of offsets must be among those read.
Status CheckTopicsMatch(const KafkaSourceOptions& options, const KafkaOffsetSpec& spec,
                        const std::string& name) {
  for (const auto& [topic, partitions] : spec.partitions) {
    bool known = true;
    if (!options.subscribe.empty()) {
      known = std::binary_search(options.subscribe.begin(), options.subscribe.end(), topic);
    } else if (!options.assign.empty()) {
      known = options.assign.count(topic) > 0;
    }
    if (!known) return Invalid("option " + name + " names a topic that is not read: " + topic);
  }
  return Status::OK();
}

Status ParseServers(OptionMap& map, KafkaSourceOptions* out) {
  const auto* kafka_name = map.Take("kafka.bootstrap.servers");
  const auto* lakeflow_name = map.Take("bootstrapServers");
  if (kafka_name != nullptr && lakeflow_name != nullptr &&
      Trim(kafka_name->value) != Trim(lakeflow_name->value)) {
    return Invalid("options contradict each other: kafka.bootstrap.servers and bootstrapServers",
                   "set only one");
  }
  const auto* given = kafka_name != nullptr ? kafka_name : lakeflow_name;
  if (given == nullptr || Trim(given->value).empty()) {
    return Invalid("no broker given",
                   "set bootstrapServers (or kafka.bootstrap.servers) to HOST:PORT[,HOST:PORT...]");
  }
  for (const std::string& server : SplitList(given->value)) {
    if (!out->bootstrap_servers.empty()) out->bootstrap_servers += ",";
    out->bootstrap_servers += server;
  }
  return Status::OK();
}

Status ParseLimits(OptionMap& map, KafkaSourceOptions* out) {
  if (const auto* given = map.Take("maxOffsetsPerTrigger")) {
    SLUICE_ASSIGN_OR_RETURN(out->max_offsets_per_trigger,
                            ParseInteger(given->spelling, given->value, 1));
  }
  if (const auto* given = map.Take("failOnDataLoss")) {
    SLUICE_ASSIGN_OR_RETURN(out->fail_on_data_loss, ParseBool(given->spelling, given->value));
  }
  if (const auto* given = map.Take("includeHeaders")) {
    SLUICE_ASSIGN_OR_RETURN(out->include_headers, ParseBool(given->spelling, given->value));
  }
  if (const auto* given = map.Take("connectTimeoutMs")) {
    SLUICE_ASSIGN_OR_RETURN(out->connect_timeout_millis,
                            ParseInteger(given->spelling, given->value, 1));
  }
  if (const auto* given = map.Take("prefetchBytes")) {
    SLUICE_ASSIGN_OR_RETURN(out->queue_bytes, ParseInteger(given->spelling, given->value, 1 << 20));
  }
  if (const auto* given = map.Take("maxPartitionSkewMs")) {
    SLUICE_ASSIGN_OR_RETURN(out->alignment_millis, ParseInteger(given->spelling, given->value, 1));
  }
  return Status::OK();
}

// Options that tune how Spark spreads work over executors: checked for form, without effect on one
// machine.
Status TakeWithoutEffect(OptionMap& map) {
  for (const char* name :
       {"minPartitions", "maxRecordsPerPartition", "fetchOffset.numRetries",
        "fetchOffset.retryIntervalMs", "kafkaConsumer.pollTimeoutMs", "minOffsetsPerTrigger"}) {
    if (const auto* given = map.Take(name)) {
      SLUICE_RETURN_NOT_OK(ParseInteger(given->spelling, given->value, 0).status());
    }
  }
  for (const char* name : {"maxTriggerDelay", "groupIdPrefix"}) map.Take(name);
  return Status::OK();
}

}  // namespace

Result<KafkaSourceOptions> ParseKafkaOptions(const std::string& id,
                                             const std::map<std::string, std::string>& options) {
  SLUICE_ASSIGN_OR_RETURN(OptionMap map, OptionMap::Make(options));
  KafkaSourceOptions out;
  out.id = id;
  SLUICE_RETURN_NOT_OK(ParseServers(map, &out));
  SLUICE_RETURN_NOT_OK(ParseTopics(map, &out));
  SLUICE_RETURN_NOT_OK(ParseOffsetSpec(map, "starting", /*ending=*/false, &out.starting));
  SLUICE_RETURN_NOT_OK(ParseOffsetSpec(map, "ending", /*ending=*/true, &out.ending));
  SLUICE_RETURN_NOT_OK(ParseStrategy(map, &out));
  SLUICE_RETURN_NOT_OK(CheckTopicsMatch(out, out.starting, "startingOffsets"));
  SLUICE_RETURN_NOT_OK(CheckTopicsMatch(out, out.ending, "endingOffsets"));
  SLUICE_RETURN_NOT_OK(ParseLimits(map, &out));
  SLUICE_RETURN_NOT_OK(TakeWithoutEffect(map));
  const auto* group = map.Take("kafka.group.id");
  out.group_id = group == nullptr ? "sluice-" + id : std::string(Trim(group->value));

  std::map<std::string, std::string> java;
  for (const auto& [name, entry] : map.entries()) {
    if (entry.taken) continue;
    if (name.rfind("kafka.", 0) != 0) {
      const std::string meant = ClosestWord(entry.spelling, map.known());
      return Invalid("option is not known: " + entry.spelling,
                     meant.empty() ? "options of the Kafka client start with \"kafka.\"; see "
                                     "docs/reference for the others"
                                   : "did you mean " + meant + "?");
    }
    java[name.substr(6)] = entry.value;
  }
  SLUICE_ASSIGN_OR_RETURN(out.client, TranslateClientProperties(java));
  return out;
}

}  // namespace sluice::sources
