// The files a checkpoint names, by FileKey, in the columns they came in: what a snapshot that was
// read from a checkpoint has of each is some bytes in an array and a slot in an index. Immutable,
// thread-safe.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "delta/log/file_columns.h"

namespace sluice::delta {

class HeldFiles {
 public:
  /// A stretch of rows with the hashes of their keys. Made apart from the others, so that several
  /// threads may.
  struct Chunk {
    explicit Chunk(std::shared_ptr<arrow::StructArray> actions);
    FileColumns columns;
    std::vector<uint64_t> hashes;  // by row; given up by HeldFiles
    int64_t first = 0;             // number of its first row in all; set by HeldFiles
  };

  explicit HeldFiles(std::vector<Chunk> chunks);

  int64_t num_rows() const { return num_rows_; }
  /// Rows that a later row with the same key takes the place of.
  const std::vector<int64_t>& superseded() const { return superseded_; }
  const std::vector<Chunk>& chunks() const { return chunks_; }
  /// -1 = none.
  int64_t Find(const std::string& key) const;
  template <typename File>
  void Read(int64_t row, File* file) const {
    const Chunk& chunk = ChunkOf(row);
    chunk.columns.Read(row - chunk.first, file);
  }
  int64_t SizeAt(int64_t row) const;

 private:
  const Chunk& ChunkOf(int64_t row) const;
  /// The slot of `key`, or the free one where it belongs.
  size_t SlotOf(uint64_t hash, std::string_view key) const;

  std::vector<Chunk> chunks_;
  int64_t num_rows_ = 0;
  std::vector<int64_t> superseded_;
  // Open addressing, at most half full: the upper half of the hash, and row + 1; 0 = free.
  std::vector<uint64_t> slots_;
};

}  // namespace sluice::delta
