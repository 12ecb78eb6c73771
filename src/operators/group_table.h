// Groups by key with their accumulators: the committed groups of a view, and the delta of one
// epoch. Group numbers count from 0 in order of first appearance. One thread at a time.
#pragma once

#include <arrow/record_batch.h>

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash128.h"
#include "base/status.h"
#include "operators/aggregates/aggregator.h"
#include "state/row_encoder.h"
#include "state/state_file.h"

namespace sluice::operators {

struct GroupLayout {
  std::shared_ptr<arrow::Schema> input_schema;
  std::vector<int> key_columns;
  std::vector<AggregateSpec> aggregates;  // result types set
  AggregatorOptions options;
};

class GroupTable {
 public:
  static Result<std::unique_ptr<GroupTable>> Make(const GroupLayout& layout);

  /// Adds the rows to their groups.
  Status Update(const arrow::RecordBatch& rows);
  Status Merge(const GroupTable& other);
  /// The group of the empty key: where there are no key columns there is always one group.
  void AddSingleGroup();
  void Clear();

  size_t size() const { return keys_.size(); }
  /// Number of the group with this hash, kNoGroup when absent.
  uint32_t Find(const Hash128& hash) const;
  const std::vector<Hash128>& hashes() const { return hashes_; }
  std::span<const std::string_view> keys() const { return keys_; }
  Result<arrow::ArrayVector> DecodeKeys(std::span<const std::string_view> keys) const {
    return encoder_.Decode(keys);
  }
  const Aggregator& aggregator(size_t i) const { return *aggregators_[i]; }
  int64_t memory_bytes() const;

  /// Key and accumulators of one group, for AddSaved of a table with the same layout.
  Status SaveGroup(uint32_t group, state::StateOutput* out) const;
  /// Adds a saved group that is not in the table. STATE_CORRUPT.
  Status AddSaved(const Hash128& hash, std::string_view saved);

  Status Save(arrow::io::OutputStream* out) const;
  /// Replaces everything. STATE_CORRUPT leaves it empty.
  Status Load(arrow::io::InputStream* in);
  /// What saved accumulators belong to: another query must not read them.
  std::string Signature() const;

 private:
  struct Slot {
    uint32_t tag = 0;
    uint32_t group = 0;  // number + 1, 0 = empty
  };

  GroupTable(GroupLayout layout, state::RowEncoder encoder)
      : layout_(std::move(layout)), encoder_(std::move(encoder)) {}
  uint32_t FindOrAdd(const Hash128& hash, std::string_view key);
  void Rehash(size_t slots);
  std::string_view Store(std::string_view key);
  void ResizeAggregators();
  Status LoadContent(state::StateReader* in);

  const GroupLayout layout_;
  state::RowEncoder encoder_;
  std::vector<std::unique_ptr<Aggregator>> aggregators_;
  std::vector<Slot> slots_;
  std::vector<Hash128> hashes_;         // of each group
  std::vector<std::string_view> keys_;  // of each group, in blocks_
  std::vector<std::unique_ptr<char[]>> blocks_;
  size_t block_used_ = 0;
  size_t block_size_ = 0;
  int64_t block_bytes_ = 0;
  std::vector<uint32_t> row_groups_;  // scratch: the group of each row
};

}  // namespace sluice::operators
