// Framing of saved state: a header, blocks with checksums, an end mark. A torn or altered file is
// found out while it is read, before its content is believed. Drawn in docs/internals/state.md. One
// thread at a time.
#pragma once

#include <arrow/io/interfaces.h>

#include <cstdint>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "state/state_io.h"

namespace sluice::state {

/// Writes values one after another; memory is bounded by one block.
class StateWriter : public StateOutput {
 public:
  /// `kind` (at most 8 characters) and `version` name the layout of the content.
  static Result<StateWriter> Make(arrow::io::OutputStream* out, std::string_view kind,
                                  uint32_t version);

  Status Write(const void* data, size_t size) override;
  /// Writes the end mark. The file is whole only after it.
  Status Finish();

 private:
  explicit StateWriter(arrow::io::OutputStream* out) : out_(out) {}
  Status FlushBlock();

  arrow::io::OutputStream* out_;  // outlives this
  std::vector<uint8_t> block_;
  uint64_t chain_ =
      0;  // checksum of the previous block: seeds the next, so that blocks cannot be swapped
};

/// Reads what StateWriter wrote, no byte further. Every failure is STATE_CORRUPT, except those of
/// the stream itself.
class StateReader : public StateInput {
 public:
  static Result<StateReader> Make(arrow::io::InputStream* in, std::string_view kind,
                                  uint32_t version);

  Status Read(void* data, size_t size) override;
  /// Expects the end mark.
  Status Finish();

 private:
  explicit StateReader(arrow::io::InputStream* in) : in_(in) {}
  Status NextBlock();

  arrow::io::InputStream* in_;  // outlives this
  std::vector<uint8_t> block_;
  size_t at_ = 0;
  bool ended_ = false;
  uint64_t chain_ = 0;
};

}  // namespace sluice::state
