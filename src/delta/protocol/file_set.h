// A persistent map from file key to an immutable file action: copies are cheap, a change copies one
// small shard only. So the snapshots of successive versions share nearly everything. Values are
// immutable; a set is not thread-safe while it is being changed.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <utility>

namespace sluice::delta {

template <typename T>
class FileSet {
 public:
  using Value = std::shared_ptr<const T>;

  int64_t size() const { return size_; }

  Value Find(const std::string& key) const {
    const auto& shard = ShardOf(key);
    if (shard == nullptr) return nullptr;
    const auto it = shard->find(key);
    return it == shard->end() ? nullptr : it->second;
  }

  /// Puts `value` in, returning what it replaces (or null).
  Value Put(const std::string& key, Value value) {
    auto& slot = Writable(key)[key];
    if (slot == nullptr) ++size_;
    std::swap(slot, value);
    return value;
  }

  /// Takes `key` out, returning what was there (or null).
  Value Erase(const std::string& key) {
    if (Find(key) == nullptr) return nullptr;
    auto node = Writable(key).extract(key);
    --size_;
    return std::move(node.mapped());
  }

  void ForEach(const std::function<void(const Value&)>& visit) const {
    if (shards_ == nullptr) return;
    for (const auto& shard : *shards_) {
      if (shard == nullptr) continue;
      for (const auto& [key, value] : *shard) visit(value);
    }
  }

 private:
  static constexpr size_t kShards = 512;
  using Map = std::unordered_map<std::string, Value>;
  using Shards = std::array<std::shared_ptr<Map>, kShards>;

  static size_t Index(const std::string& key) {
    return (std::hash<std::string>()(key) >> 7) % kShards;
  }
  const std::shared_ptr<Map>& ShardOf(const std::string& key) const {
    static const std::shared_ptr<Map> kNone;
    return shards_ == nullptr ? kNone : (*shards_)[Index(key)];
  }
  Map& Writable(const std::string& key) {
    if (shards_ == nullptr) {
      shards_ = std::make_shared<Shards>();
    } else if (shards_.use_count() > 1) {
      shards_ = std::make_shared<Shards>(*shards_);
    }
    std::shared_ptr<Map>& shard = (*shards_)[Index(key)];
    if (shard == nullptr) {
      shard = std::make_shared<Map>();
    } else if (shard.use_count() > 1) {
      shard = std::make_shared<Map>(*shard);
    }
    return *shard;
  }

  std::shared_ptr<Shards> shards_;
  int64_t size_ = 0;
};

}  // namespace sluice::delta
