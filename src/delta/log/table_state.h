// A table at one version without its files: protocol, metadata, transaction identifiers, domains.
// Opens in the time of a few small reads however many files the table has: from the version
// checksum where there is one, else from the small columns of a checkpoint and the commits since.
// A plain value.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/named_type.h"
#include "base/status.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

struct TableState {
  TableVersion version{-1};
  Protocol protocol;
  Metadata metadata;
  std::map<std::string, Txn> txns;
  std::map<std::string, DomainMetadata> domains;
  // Where the version checksum says it.
  std::optional<int64_t> num_files;
  std::optional<int64_t> table_bytes;

  std::optional<int64_t> TxnVersion(const std::string& app_id) const;

  /// The newest version, or `version`. Errors as Snapshot::Load.
  static Result<TableState> Load(storage::Storage& storage, const std::string& table_path,
                                 std::optional<TableVersion> version = std::nullopt);
};

}  // namespace sluice::delta
