#include "delta/log/version_checksum.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "delta/log/log_segment.h"
#include "delta/protocol/action_json.h"

namespace sluice::delta {
namespace {

using Json = nlohmann::json;

/// The inner object of an action's line: {"add":{...}}\n -> {...}.
std::string BodyOf(const Action& action) {
  std::string line;
  AppendActionJson(action, &line);
  const size_t begin = line.find(':') + 1;
  return line.substr(begin, line.find_last_of('}') - begin);
}

template <typename T>
std::string ArrayOf(const std::vector<T>& actions) {
  std::string json = "[";
  for (const T& action : actions) {
    if (json.size() > 1) json += ',';
    json += BodyOf(action);
  }
  return json + "]";
}

/// `body` read as the action `name`; nothing when it is none.
template <typename T>
std::optional<T> ReadAs(const char* name, const Json& body) {
  if (!body.is_object()) return std::nullopt;
  const auto actions = ParseCommitJson(
      Json{{name, body}}.dump(-1, ' ', false, Json::error_handler_t::replace), name);
  if (!actions.ok() || actions->size() != 1) return std::nullopt;
  const T* action = std::get_if<T>(&actions->front());
  return action == nullptr ? std::nullopt : std::optional<T>(*action);
}

template <typename T>
std::optional<std::vector<T>> ReadListAs(const char* name, const Json& list) {
  if (!list.is_array()) return std::nullopt;
  std::vector<T> actions;
  for (const Json& body : list) {
    auto action = ReadAs<T>(name, body);
    if (!action.has_value()) return std::nullopt;
    actions.push_back(std::move(*action));
  }
  return actions;
}

std::set<std::string> AsSet(const std::optional<std::vector<std::string>>& names) {
  return names.has_value() ? std::set<std::string>(names->begin(), names->end())
                           : std::set<std::string>();
}

bool Same(const Protocol& a, const Protocol& b) {
  return a.min_reader_version == b.min_reader_version &&
         a.min_writer_version == b.min_writer_version &&
         AsSet(a.reader_features) == AsSet(b.reader_features) &&
         AsSet(a.writer_features) == AsSet(b.writer_features);
}

bool Same(const Metadata& a, const Metadata& b) {
  return a.id == b.id && a.configuration == b.configuration &&
         a.partition_columns == b.partition_columns &&
         Json::parse(a.schema_string, nullptr, false) ==
             Json::parse(b.schema_string, nullptr, false);
}

bool SameTxns(const std::vector<Txn>& listed, const std::map<std::string, Txn>& live) {
  std::map<std::string, int64_t> theirs;
  for (const Txn& txn : listed) theirs[txn.app_id] = txn.version;
  return theirs.size() == live.size() &&
         std::all_of(live.begin(), live.end(), [&](const auto& entry) {
           const auto it = theirs.find(entry.first);
           return it != theirs.end() && it->second == entry.second.version;
         });
}

bool SameDomains(const std::vector<DomainMetadata>& listed,
                 const std::map<std::string, DomainMetadata>& live) {
  std::map<std::string, std::string> theirs;
  for (const DomainMetadata& domain : listed) {
    if (!domain.removed) theirs[domain.domain] = domain.configuration;
  }
  std::map<std::string, std::string> ours;
  for (const auto& [name, domain] : live) {
    if (!domain.removed) ours[name] = domain.configuration;
  }
  return theirs == ours;
}

}  // namespace

std::string ChecksumPath(const std::string& table_path, TableVersion version) {
  const std::string commit = CommitPath(table_path, version);
  return commit.substr(0, commit.size() - std::string_view("json").size()) + "crc";
}

VersionChecksum VersionChecksum::Of(const Snapshot& snapshot) {
  VersionChecksum sums;
  if (const auto& info = snapshot.last_commit_info(); info != nullptr) {
    if (!info->txn_id.empty()) sums.txn_id = info->txn_id;
    sums.in_commit_timestamp_ms = info->in_commit_timestamp_ms;
  }
  sums.table_bytes = snapshot.total_bytes();
  sums.num_files = snapshot.num_files();
  if (snapshot.txns().size() <= kMaxListed) {
    sums.txns.emplace();
    for (const auto& [app_id, txn] : snapshot.txns()) sums.txns->push_back(txn);
  }
  if (snapshot.domain_metadata().size() <= kMaxListed) {
    sums.domains.emplace();
    for (const auto& [name, domain] : snapshot.domain_metadata()) {
      if (!domain.removed) sums.domains->push_back(domain);
    }
  }
  sums.metadata = snapshot.metadata();
  sums.protocol = snapshot.protocol();
  return sums;
}

std::string VersionChecksum::ToJson() const {
  std::string json = "{";
  const auto member = [&json](const char* key, const std::string& value) {
    if (json.size() > 1) json += ',';
    json += std::string("\"") + key + "\":" + value;
  };
  if (txn_id.has_value()) {
    std::string text;
    AppendJsonString(*txn_id, &text);
    member("txnId", text);
  }
  member("tableSizeBytes", std::to_string(table_bytes));
  member("numFiles", std::to_string(num_files));
  member("numMetadata", "1");
  member("numProtocol", "1");
  if (in_commit_timestamp_ms.has_value())
    member("inCommitTimestampOpt", std::to_string(*in_commit_timestamp_ms));
  if (txns.has_value()) member("setTransactions", ArrayOf(*txns));
  if (domains.has_value()) member("domainMetadata", ArrayOf(*domains));
  if (metadata.has_value()) member("metadata", BodyOf(*metadata));
  if (protocol.has_value()) member("protocol", BodyOf(*protocol));
  return json + "}\n";
}

void WriteChecksum(storage::Storage& storage, const Snapshot& snapshot) {
  const std::string path = ChecksumPath(snapshot.table_path(), snapshot.version());
  const Status put = storage.Put(path, VersionChecksum::Of(snapshot).ToJson());
  if (!put.ok()) log::Debug("no checksum {}: {}", path, put.message());
}

Result<VersionChecksum> VersionChecksum::Parse(const std::string& text, const std::string& origin) {
  const Json json = Json::parse(text, nullptr, false);
  const auto number = [&json](const char* key) -> std::optional<int64_t> {
    const auto it = json.find(key);
    return it != json.end() && it->is_number_integer() ? std::optional(it->get<int64_t>())
                                                       : std::nullopt;
  };
  if (!json.is_object() || !number("tableSizeBytes") || !number("numFiles"))
    return MakeError("DELTA_LOG_CORRUPT", "not a version checksum: " + origin);
  VersionChecksum sums;
  const auto value = [&json](const char* key) {
    const auto it = json.find(key);
    return it == json.end() ? Json() : *it;
  };
  const Json id = value("txnId");
  if (id.is_string()) sums.txn_id = id.get<std::string>();
  sums.table_bytes = *number("tableSizeBytes");
  sums.num_files = *number("numFiles");
  sums.in_commit_timestamp_ms = number("inCommitTimestampOpt");
  sums.txns = ReadListAs<Txn>("txn", value("setTransactions"));
  sums.domains = ReadListAs<DomainMetadata>("domainMetadata", value("domainMetadata"));
  sums.metadata = ReadAs<Metadata>("metaData", value("metadata"));
  sums.protocol = ReadAs<Protocol>("protocol", value("protocol"));
  return sums;
}

std::vector<std::string> VersionChecksum::Differences(const Snapshot& snapshot) const {
  std::vector<std::string> differences;
  const auto compare = [&differences](const char* what, int64_t says, int64_t is) {
    if (says == is) return;
    differences.push_back(std::string(what) + " " + std::to_string(says) + ", the log has " +
                          std::to_string(is));
  };
  compare("tableSizeBytes", table_bytes, snapshot.total_bytes());
  compare("numFiles", num_files, snapshot.num_files());
  if (protocol.has_value() && !Same(*protocol, snapshot.protocol()))
    differences.emplace_back("protocol differs from the log's");
  if (metadata.has_value() && !Same(*metadata, snapshot.metadata()))
    differences.emplace_back("metadata differs from the log's");
  if (txns.has_value() && !SameTxns(*txns, snapshot.txns()))
    differences.emplace_back("setTransactions differ from the log's");
  if (domains.has_value() && !SameDomains(*domains, snapshot.domain_metadata()))
    differences.emplace_back("domainMetadata differs from the log's");
  return differences;
}

}  // namespace sluice::delta
