// How a flow is written into the Delta log of its target (docs/internals/commit.md, "Names"): txn
// identifiers, and the member "sluice" of commitInfo. Pure functions and plain values.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/protocol/action.h"
#include "flow/epoch.h"
#include "flow/sink.h"

namespace sluice::sinks {

/// Property of the target that holds the flow's UUID, or its generation.
std::string UuidProperty(const std::string& flow_name);
std::string GenerationProperty(const std::string& flow_name);

struct FlowIdentity {
  std::string flow_name;
  std::string uuid;
  int64_t generation = 0;

  /// "sluice/<uuid>/<generation>".
  std::string Prefix() const;
  std::string PositionId(const std::string& key) const { return Prefix() + "/" + key; }
  std::string ReplayId(const std::string& key) const { return Prefix() + "/" + key + "/#from"; }
  std::string FingerprintId(const std::string& key) const { return Prefix() + "/" + key + "/#fp"; }
  std::string EpochId() const { return Prefix() + "/#epoch"; }
  std::string WatermarkId() const { return Prefix() + "/#wm"; }
  std::string ReplayEpochId() const { return Prefix() + "/#from"; }
};

/// The flow's identity in a table; nothing when the table does not know the flow.
std::optional<FlowIdentity> IdentityIn(const delta::Metadata& metadata,
                                       const std::string& flow_name);

/// What the txn actions of a snapshot say of the flow.
flow::RecoveredFlow ReadFlow(const delta::Snapshot& snapshot, const FlowIdentity& identity);

/// Files of one satellite that belong to an epoch.
struct SatelliteFiles {
  std::string name;  // as operators emit it
  std::string path;  // of the table
  int64_t rows = 0;
  std::vector<delta::AddFile> files;
};

/// The member "sluice" of an epoch's commitInfo.
struct FlowCommit {
  std::string flow_name;
  std::string uuid;
  int64_t generation = 0;
  EpochNumber epoch;
  TimestampMicros clock = 0;
  TimestampMicros watermark = kNoTimestamp;
  std::string host;
  int64_t pid = 0;
  std::string token;  // of the sink object that wrote it
  std::vector<SatelliteFiles> satellites;
  std::vector<flow::EpochMark> merged;
};

inline constexpr char kCommitInfoKey[] = "sluice";
std::string FlowCommitToJson(const FlowCommit& commit);
Result<FlowCommit> FlowCommitFromJson(const std::string& json);

/// The epoch of `identity` that a commit holds; nothing when it is not one.
std::optional<FlowCommit> FlowCommitIn(const delta::CommitInfo& info, const FlowIdentity& identity);

}  // namespace sluice::sinks
