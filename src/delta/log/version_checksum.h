// Version checksums: `<version>.crc` beside a commit says what the table is at that version, so
// that a reader can check its replay and need not replay where the sums are enough. Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/named_type.h"
#include "base/status.h"
#include "delta/log/snapshot.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

std::string ChecksumPath(const std::string& table_path, TableVersion version);

struct VersionChecksum {
  std::optional<std::string> txn_id;  // of the commit it belongs to
  int64_t table_bytes = 0;
  int64_t num_files = 0;
  std::optional<int64_t> in_commit_timestamp_ms;
  std::optional<std::vector<Txn>> txns;  // nothing = the file does not say
  std::optional<std::vector<DomainMetadata>> domains;
  std::optional<Metadata> metadata;
  std::optional<Protocol> protocol;

  static VersionChecksum Of(const Snapshot& snapshot);
  /// The text of the file. Transaction identifiers and domains are left out above `kMaxListed`.
  std::string ToJson() const;
  /// DELTA_LOG_CORRUPT names `origin`.
  static Result<VersionChecksum> Parse(const std::string& text, const std::string& origin);
  /// What it says otherwise than `snapshot` of the same version; empty = they agree.
  std::vector<std::string> Differences(const Snapshot& snapshot) const;

  static constexpr size_t kMaxListed = 1000;
};

/// Writes the checksum of a version. Readers do without it: an error is no
/// error of the commit.
void WriteChecksum(storage::Storage& storage, const Snapshot& snapshot);

}  // namespace sluice::delta
