// The keys a flow has seen, with the changes of epochs in flight on top: what deduplication
// remembers. In memory up to a limit, above it the committed keys go to RocksDB. One thread at a
// time.
//
// Expiry is in seconds since 1970 (kNeverExpires = kept for ever). A key is forgotten once the
// watermark's second is greater than its expiry, whether or not its memory has been reclaimed yet:
// answers do not depend on sweeping.
#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <limits>
#include <memory>
#include <span>
#include <string>

#include "base/hash128.h"
#include "base/named_type.h"
#include "base/status.h"

namespace sluice::state {

inline constexpr uint32_t kNeverExpires = std::numeric_limits<uint32_t>::max();
/// The expiry of an event time: its second. Before 1970 is 1970, after 2106 never.
uint32_t ExpirySecond(TimestampMicros event_time);

struct KeySetOptions {
  std::string flow_name;  // for messages
  int64_t memory_limit_bytes = 1LL << 30;
  /// Local folder for keys above the limit, emptied when opened: a cache, never the truth. Empty =
  /// no spilling, the limit is an error (STATE_LIMIT_EXCEEDED).
  std::string spill_folder;
};

class KeySet {
 public:
  static Result<std::unique_ptr<KeySet>> Make(KeySetOptions options);
  virtual ~KeySet() = default;

  /// Sets fresh[i] to 1 where keys[i] was not in the set (nor earlier in `keys`) and adds it with
  /// expiry[i], as a change of `epoch`; 0 where it was. Rows with skip[i] != 0 are left alone and
  /// get fresh[i] = 1 (`skip` may be empty). `watermark` is that of the epoch's start.
  virtual Status AddIfAbsent(EpochNumber epoch, TimestampMicros watermark,
                             std::span<const Hash128> keys, std::span<const uint32_t> expiry,
                             std::span<const uint8_t> skip, std::span<uint8_t> fresh) = 0;
  /// The changes of `epoch` (and older ones) stay. `watermark`: nothing older will be asked for
  /// again; expired keys are reclaimed bit by bit.
  virtual Status Commit(EpochNumber epoch, TimestampMicros watermark) = 0;
  /// Undoes the changes of `epoch` and all later ones.
  virtual Status Abort(EpochNumber epoch) = 0;
  virtual void Clear() = 0;

  /// The committed keys, streamed (docs/internals/state.md). Load replaces everything;
  /// STATE_CORRUPT leaves it empty.
  virtual Status Save(arrow::io::OutputStream* out) = 0;
  virtual Status Load(arrow::io::InputStream* in) = 0;

  virtual int64_t num_keys()
      const = 0;  // in memory and spilled, expired ones not yet reclaimed included
  virtual int64_t memory_bytes() const = 0;
};

}  // namespace sluice::state
