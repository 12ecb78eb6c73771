#include "delta/log/held_files.h"

#include <algorithm>

#include "base/hash128.h"
#include "base/status.h"

namespace sluice::delta {
namespace {

constexpr uint64_t kRowBits = 32;
constexpr uint64_t kRowMask = (1ULL << kRowBits) - 1;

uint64_t HashOf(std::string_view key) { return HashBytes128(key.data(), key.size()).low; }
/// Of the upper half: the lower one says where to look.
uint64_t TagOf(uint64_t hash) { return hash & ~kRowMask; }

}  // namespace

HeldFiles::Chunk::Chunk(std::shared_ptr<arrow::StructArray> actions) : columns(std::move(actions)) {
  std::string scratch;
  hashes.reserve(static_cast<size_t>(columns.size()));
  for (int64_t row = 0; row < columns.size(); ++row)
    hashes.push_back(HashOf(columns.KeyAt(row, &scratch)));
}

HeldFiles::HeldFiles(std::vector<Chunk> chunks) : chunks_(std::move(chunks)) {
  for (Chunk& chunk : chunks_) {
    chunk.first = num_rows_;
    num_rows_ += chunk.columns.size();
  }
  SLUICE_CHECK(num_rows_ < static_cast<int64_t>(kRowMask), "more files than a table can have");
  size_t slots = 16;
  while (slots < static_cast<size_t>(num_rows_) * 2) slots *= 2;
  slots_.resize(slots);
  std::string scratch;
  for (Chunk& chunk : chunks_) {
    for (size_t i = 0; i < chunk.hashes.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      uint64_t& slot = slots_[SlotOf(chunk.hashes[i], chunk.columns.KeyAt(at, &scratch))];
      if (slot != 0) superseded_.push_back(static_cast<int64_t>(slot & kRowMask) - 1);
      slot = TagOf(chunk.hashes[i]) | static_cast<uint64_t>(chunk.first + at + 1);
    }
    chunk.hashes = {};
  }
}

const HeldFiles::Chunk& HeldFiles::ChunkOf(int64_t row) const {
  const auto next =
      std::upper_bound(chunks_.begin(), chunks_.end(), row,
                       [](int64_t wanted, const Chunk& chunk) { return wanted < chunk.first; });
  return *std::prev(next);
}

size_t HeldFiles::SlotOf(uint64_t hash, std::string_view key) const {
  const size_t mask = slots_.size() - 1;
  std::string scratch;
  size_t at = hash & mask;
  for (; slots_[at] != 0; at = (at + 1) & mask) {
    if ((slots_[at] & ~kRowMask) != TagOf(hash)) continue;
    const int64_t row = static_cast<int64_t>(slots_[at] & kRowMask) - 1;
    const Chunk& chunk = ChunkOf(row);
    if (chunk.columns.KeyAt(row - chunk.first, &scratch) == key) break;
  }
  return at;
}

int64_t HeldFiles::Find(const std::string& key) const {
  return static_cast<int64_t>(slots_[SlotOf(HashOf(key), key)] & kRowMask) - 1;
}

int64_t HeldFiles::SizeAt(int64_t row) const {
  const Chunk& chunk = ChunkOf(row);
  return chunk.columns.SizeAt(row - chunk.first);
}

}  // namespace sluice::delta
