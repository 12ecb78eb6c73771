// Deletion vectors: the rows of a data file that are gone, as a 64-bit Roaring bitmap in the
// protocol's portable form. A value; not thread-safe while changed.
//
//   file:   1 byte version (1), then per vector: u32 size (big-endian), size bytes, u32 CRC-32
//   (big-endian) bytes:  u32 magic 1681511377 (little-endian), u64 number of 32-bit bitmaps, per
//   bitmap u32 key, portable Roaring
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"
#include "storage/storage.h"

namespace sluice::delta {

class DeletionVector {
 public:
  DeletionVector();
  ~DeletionVector();
  DeletionVector(DeletionVector&&) noexcept;
  DeletionVector& operator=(DeletionVector&&) noexcept;

  void Add(uint64_t row);
  void AddAll(const std::vector<uint64_t>& rows);
  void Union(const DeletionVector& other);
  bool Contains(uint64_t row) const;
  int64_t cardinality() const;
  /// Rows of [begin, begin + count) that are NOT deleted, relative to begin, ascending.
  void AppendLive(uint64_t begin, uint32_t count, std::vector<uint32_t>* live) const;
  std::vector<uint64_t> ToRows() const;

  /// Portable form, magic included.
  std::string Serialize() const;
  /// DELTA_DELETION_VECTOR_CORRUPT.
  static Result<DeletionVector> Deserialize(std::string_view bytes);

 private:
  struct Bitmaps;
  std::unique_ptr<Bitmaps> bitmaps_;
};

/// Where the file of a vector that is not inline lies. DELTA_DELETION_VECTOR_CORRUPT.
Result<std::string> DeletionVectorPath(const std::string& table_path,
                                       const DeletionVectorDescriptor& descriptor);

/// Reads the vector `descriptor` of a table at `table_path`.
Result<DeletionVector> ReadDeletionVector(storage::Storage& storage, const std::string& table_path,
                                          const DeletionVectorDescriptor& descriptor);

/// Writes vectors into one new file `deletion_vector_<uuid>.bin` of the table (durable on return);
/// a vector of at most `inline_bytes` goes into its descriptor instead. One descriptor per vector,
/// in order.
Result<std::vector<DeletionVectorDescriptor>> WriteDeletionVectors(
    storage::Storage& storage, const std::string& table_path, const std::string& uuid,
    const std::vector<const DeletionVector*>& vectors, size_t inline_bytes = 0);

/// Z85 (ZeroMQ RFC 32). `bytes` is padded with zeros to a multiple of 4.
std::string Z85Encode(std::string_view bytes);
Result<std::string> Z85Decode(std::string_view text);

}  // namespace sluice::delta
