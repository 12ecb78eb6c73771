// A set of row numbers whose copies share nearly all: a change copies one block. Not thread-safe
// while it is being changed.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <vector>

namespace sluice::delta {

class RowMask {
 public:
  bool Has(int64_t row) const {
    const size_t block = BlockOf(row);
    return block < blocks_.size() && blocks_[block] != nullptr &&
           blocks_[block]->test(static_cast<size_t>(row) % kBlockRows);
  }
  /// REQUIRES: !Has(row).
  void Add(int64_t row) {
    const size_t at = BlockOf(row);
    if (at >= blocks_.size()) blocks_.resize(at + 1);
    std::shared_ptr<Block>& block = blocks_[at];
    if (block == nullptr) {
      block = std::make_shared<Block>();
    } else if (block.use_count() > 1) {
      block = std::make_shared<Block>(*block);
    }
    block->set(static_cast<size_t>(row) % kBlockRows);
    ++size_;
  }
  int64_t size() const { return size_; }

 private:
  static constexpr size_t kBlockRows = 1 << 15;
  using Block = std::bitset<kBlockRows>;
  static size_t BlockOf(int64_t row) { return static_cast<size_t>(row) / kBlockRows; }

  std::vector<std::shared_ptr<Block>> blocks_;  // null = none of its rows
  int64_t size_ = 0;
};

}  // namespace sluice::delta
