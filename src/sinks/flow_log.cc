#include "sinks/flow_log.h"

#include <charconv>
#include <nlohmann/json.hpp>
#include <utility>

#include "delta/protocol/action_json.h"

namespace sluice::sinks {
namespace {

using Json = nlohmann::json;

constexpr std::string_view kReplaySuffix = "/#from";
constexpr std::string_view kFingerprintSuffix = "/#fp";

Json MarkToJson(const flow::EpochMark& mark) {
  Json json = {{"epoch", mark.number.value()}, {"clock", mark.clock}, {"to", mark.to}};
  if (mark.watermark != kNoTimestamp) json["watermark"] = mark.watermark;
  return json;
}

flow::EpochMark MarkFromJson(const Json& json) {
  flow::EpochMark mark;
  mark.number = EpochNumber(json.at("epoch").get<int64_t>());
  mark.clock = json.at("clock").get<int64_t>();
  mark.watermark = json.value("watermark", kNoTimestamp);
  mark.to = json.at("to").get<flow::Positions>();
  return mark;
}

Json SatelliteToJson(const SatelliteFiles& satellite) {
  Json files = Json::array();
  for (const delta::AddFile& file : satellite.files) {
    std::string line;
    delta::AppendActionJson(delta::Action(file), &line);
    files.push_back(Json::parse(line));
  }
  return {{"table", satellite.name},
          {"path", satellite.path},
          {"rows", satellite.rows},
          {"files", std::move(files)}};
}

Result<SatelliteFiles> SatelliteFromJson(const Json& json) {
  SatelliteFiles satellite;
  satellite.name = json.at("table").get<std::string>();
  satellite.path = json.at("path").get<std::string>();
  satellite.rows = json.at("rows").get<int64_t>();
  for (const Json& file : json.at("files")) {
    SLUICE_ASSIGN_OR_RETURN(auto actions, delta::ParseCommitJson(file.dump(), "commitInfo.sluice"));
    for (delta::Action& action : actions) {
      if (auto* add = std::get_if<delta::AddFile>(&action))
        satellite.files.push_back(std::move(*add));
    }
  }
  return satellite;
}

Result<FlowCommit> Decode(const Json& json) {
  FlowCommit commit;
  commit.flow_name = json.at("flow").get<std::string>();
  commit.uuid = json.at("uuid").get<std::string>();
  commit.generation = json.at("generation").get<int64_t>();
  commit.epoch = EpochNumber(json.at("epoch").get<int64_t>());
  commit.clock = json.at("clock").get<int64_t>();
  commit.watermark = json.value("watermark", kNoTimestamp);
  commit.host = json.value("host", "");
  commit.pid = json.value("pid", int64_t{0});
  commit.token = json.value("token", "");
  for (const Json& satellite : json.value("satellites", Json::array())) {
    SLUICE_ASSIGN_OR_RETURN(auto files, SatelliteFromJson(satellite));
    commit.satellites.push_back(std::move(files));
  }
  for (const Json& mark : json.value("merged", Json::array()))
    commit.merged.push_back(MarkFromJson(mark));
  return commit;
}

}  // namespace

std::string UuidProperty(const std::string& flow_name) {
  return "sluice.flow." + flow_name + ".uuid";
}
std::string GenerationProperty(const std::string& flow_name) {
  return "sluice.flow." + flow_name + ".generation";
}

std::string FlowIdentity::Prefix() const {
  return "sluice/" + uuid + "/" + std::to_string(generation);
}

std::optional<FlowIdentity> IdentityIn(const delta::Metadata& metadata,
                                       const std::string& flow_name) {
  const auto uuid = metadata.configuration.find(UuidProperty(flow_name));
  if (uuid == metadata.configuration.end()) return {};
  FlowIdentity identity{flow_name, uuid->second, 0};
  const auto generation = metadata.configuration.find(GenerationProperty(flow_name));
  if (generation != metadata.configuration.end()) {
    const std::string& text = generation->second;
    std::from_chars(text.data(), text.data() + text.size(), identity.generation);
  }
  return identity;
}

flow::RecoveredFlow ReadFlow(const delta::Snapshot& snapshot, const FlowIdentity& identity) {
  flow::RecoveredFlow flow;
  flow.generation = identity.generation;
  flow.version = snapshot.version();
  const std::string prefix = identity.Prefix() + "/";
  const auto& txns = snapshot.txns();
  for (auto it = txns.lower_bound(prefix); it != txns.end() && it->first.starts_with(prefix);
       ++it) {
    std::string_view name(it->first);
    name.remove_prefix(prefix.size());
    const int64_t value = it->second.version;
    if (name == "#epoch") {
      flow.last_epoch = EpochNumber(value);
    } else if (name == "#wm") {
      flow.watermark = value;
    } else if (name == "#from") {
      flow.replay_epoch = EpochNumber(value);
    } else if (name.ends_with(kReplaySuffix)) {
      flow.replay_from.emplace(name.substr(0, name.size() - kReplaySuffix.size()), value);
    } else if (name.ends_with(kFingerprintSuffix)) {
      flow.fingerprints.emplace(name.substr(0, name.size() - kFingerprintSuffix.size()), value);
    } else {
      flow.positions.emplace(name, value);
    }
  }
  return flow;
}

std::string FlowCommitToJson(const FlowCommit& commit) {
  Json json = {{"flow", commit.flow_name},
               {"uuid", commit.uuid},
               {"generation", commit.generation},
               {"epoch", commit.epoch.value()},
               {"clock", commit.clock},
               {"host", commit.host},
               {"pid", commit.pid},
               {"token", commit.token}};
  if (commit.watermark != kNoTimestamp) json["watermark"] = commit.watermark;
  for (const SatelliteFiles& satellite : commit.satellites)
    json["satellites"].push_back(SatelliteToJson(satellite));
  for (const flow::EpochMark& mark : commit.merged) json["merged"].push_back(MarkToJson(mark));
  return json.dump();
}

Result<FlowCommit> FlowCommitFromJson(const std::string& text) {
  // The library reports wrong types by exceptions only.
  try {
    return Decode(Json::parse(text));
  } catch (const Json::exception& error) {
    return MakeError("DELTA_LOG_CORRUPT",
                     std::string("commitInfo.sluice cannot be read: ") + error.what());
  }
}

std::optional<FlowCommit> FlowCommitIn(const delta::CommitInfo& info,
                                       const FlowIdentity& identity) {
  const auto found = info.extra.find(kCommitInfoKey);
  if (found == info.extra.end() || found->second.find(identity.uuid) == std::string::npos)
    return {};
  auto commit = FlowCommitFromJson(found->second);
  if (!commit.ok() || commit->uuid != identity.uuid || commit->generation != identity.generation)
    return {};
  return std::move(commit).ValueUnsafe();
}

}  // namespace sluice::sinks
