#include "state/snapshot_store.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>
#include <optional>

#include "base/hash128.h"

namespace sluice::state {
namespace {

constexpr std::string_view kMagic = "SLUICEST";
constexpr int64_t kFormat = 1;
constexpr int64_t kHashedChunk = 1 << 20;  // the hash is chained over chunks of this size
constexpr std::string_view kSuffix = ".state";

Hash128 ChainHash(const Hash128& before, const void* data, size_t size) {
  return HashBytes128(data, size, before.low ^ (before.high << 1));
}

/// Gathers what is written into chunks, which are hashed on their way out.
class HashingStream : public arrow::io::OutputStream {
 public:
  explicit HashingStream(std::shared_ptr<arrow::io::OutputStream> out) : out_(std::move(out)) {
    chunk_.reserve(kHashedChunk);
  }
  using arrow::io::OutputStream::Write;

  Status Write(const void* data, int64_t size) override {
    const char* bytes = static_cast<const char*>(data);
    position_ += size;
    while (size > 0) {
      const int64_t room = kHashedChunk - static_cast<int64_t>(chunk_.size());
      const int64_t part = std::min(room, size);
      chunk_.append(bytes, static_cast<size_t>(part));
      bytes += part;
      size -= part;
      if (static_cast<int64_t>(chunk_.size()) == kHashedChunk) SLUICE_RETURN_NOT_OK(FlushChunk());
    }
    return Status::OK();
  }
  Status FlushChunk() {
    if (chunk_.empty()) return Status::OK();
    hash_ = ChainHash(hash_, chunk_.data(), chunk_.size());
    SLUICE_RETURN_NOT_OK(out_->Write(chunk_.data(), static_cast<int64_t>(chunk_.size())));
    chunk_.clear();
    return Status::OK();
  }
  Status Close() override {
    closed_ = true;
    return out_->Close();
  }
  bool closed() const override { return closed_; }
  Result<int64_t> Tell() const override { return position_; }
  const Hash128& hash() const { return hash_; }

 private:
  std::shared_ptr<arrow::io::OutputStream> out_;
  std::string chunk_;
  Hash128 hash_;
  int64_t position_ = 0;
  bool closed_ = false;
};

class PendingFile : public PendingSnapshot {
 public:
  explicit PendingFile(std::shared_ptr<arrow::io::OutputStream> out)
      : out_(std::move(out)), stream_(out_) {}

  Status Begin() {
    SLUICE_RETURN_NOT_OK(stream_.Write(kMagic.data(), kMagic.size()));
    return WriteInt(kFormat);
  }
  Result<arrow::io::OutputStream*> NextSection() override {
    SLUICE_ASSIGN_OR_RETURN(const int64_t position, stream_.Tell());
    starts_.push_back(position);
    return &stream_;
  }
  Status Finish() override {
    SLUICE_ASSIGN_OR_RETURN(const int64_t end, stream_.Tell());
    for (size_t i = 0; i < starts_.size(); ++i) {
      SLUICE_RETURN_NOT_OK(WriteInt((i + 1 < starts_.size() ? starts_[i + 1] : end) - starts_[i]));
    }
    SLUICE_RETURN_NOT_OK(WriteInt(static_cast<int64_t>(starts_.size())));
    SLUICE_RETURN_NOT_OK(stream_.FlushChunk());
    const Hash128 hash = stream_.hash();
    SLUICE_RETURN_NOT_OK(out_->Write(&hash, sizeof(hash)));
    return stream_.Close();
  }

 private:
  Status WriteInt(int64_t value) { return stream_.Write(&value, sizeof(value)); }

  std::shared_ptr<arrow::io::OutputStream> out_;
  HashingStream stream_;
  std::vector<int64_t> starts_;
};

Status Corrupt(const std::string& path, std::string_view what) {
  return MakeError("STATE_CORRUPT", fmt::format("saved state is damaged ({}): {}", what, path),
                   "nothing to do: the state is rebuilt from the table's log and the sources");
}

int64_t ReadInt(const arrow::Buffer& buffer, int64_t at) {
  int64_t value = 0;
  std::memcpy(&value, buffer.data() + at, sizeof(value));
  return value;
}

Result<std::shared_ptr<arrow::Buffer>> ReadFile(storage::Storage& storage,
                                                const std::string& path) {
  SLUICE_ASSIGN_OR_RETURN(auto file, storage.OpenInput(path));
  SLUICE_ASSIGN_OR_RETURN(const int64_t size, file->GetSize());
  return file->ReadAt(0, size);
}

std::optional<SnapshotTag> TagOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  std::string_view name = slash == std::string_view::npos ? path : path.substr(slash + 1);
  if (!name.ends_with(kSuffix)) return {};
  name.remove_suffix(kSuffix.size());
  int64_t numbers[3] = {};
  for (int i = 0; i < 3; ++i) {
    const auto parsed = std::from_chars(name.data(), name.data() + name.size(), numbers[i]);
    if (parsed.ec != std::errc()) return {};
    name.remove_prefix(static_cast<size_t>(parsed.ptr - name.data()));
    if (i < 2) {
      if (name.empty() || name.front() != '-') return {};
      name.remove_prefix(1);
    }
  }
  if (!name.empty()) return {};
  return SnapshotTag{numbers[0], numbers[1], numbers[2]};
}

}  // namespace

std::string SnapshotStore::PathOf(const SnapshotTag& tag) const {
  return storage::JoinPath(
      folder_, fmt::format("{}-{}-{}{}", tag.generation, tag.epoch, tag.version, kSuffix));
}

Result<std::unique_ptr<PendingSnapshot>> SnapshotStore::Create(const SnapshotTag& tag) {
  SLUICE_ASSIGN_OR_RETURN(auto out, storage_.OpenOutput(PathOf(tag)));
  auto pending = std::make_unique<PendingFile>(std::move(out));
  SLUICE_RETURN_NOT_OK(pending->Begin());
  return pending;
}

Result<std::vector<SnapshotTag>> SnapshotStore::List() {
  SLUICE_ASSIGN_OR_RETURN(const auto files, storage_.List(folder_));
  std::vector<SnapshotTag> tags;
  for (const storage::FileInfo& file : files) {
    if (const auto tag = TagOf(file.path)) tags.push_back(*tag);
  }
  std::sort(tags.rbegin(), tags.rend());
  return tags;
}

Result<std::vector<std::shared_ptr<arrow::Buffer>>> SnapshotStore::Load(const SnapshotTag& tag) {
  const std::string path = PathOf(tag);
  SLUICE_ASSIGN_OR_RETURN(const auto file, ReadFile(storage_, path));
  constexpr auto kHashSize = static_cast<int64_t>(sizeof(Hash128));
  constexpr auto kHead = static_cast<int64_t>(kMagic.size() + sizeof(int64_t));
  const int64_t hashed = file->size() - kHashSize;
  if (hashed < kHead + 8) return Corrupt(path, "too short");
  Hash128 hash;
  for (int64_t at = 0; at < hashed; at += kHashedChunk) {
    hash = ChainHash(hash, file->data() + at,
                     static_cast<size_t>(std::min(kHashedChunk, hashed - at)));
  }
  if (std::memcmp(&hash, file->data() + hashed, sizeof(hash)) != 0)
    return Corrupt(path, "hash differs");
  if (std::memcmp(file->data(), kMagic.data(), kMagic.size()) != 0)
    return Corrupt(path, "not a state file");
  if (ReadInt(*file, kMagic.size()) != kFormat) return Corrupt(path, "another format");
  const int64_t count = ReadInt(*file, hashed - 8);
  const int64_t sizes = hashed - 8 - count * 8;
  if (count < 0 || sizes < kHead) return Corrupt(path, "bad section count");
  std::vector<std::shared_ptr<arrow::Buffer>> sections;
  int64_t at = kHead;
  for (int64_t i = 0; i < count; ++i) {
    const int64_t size = ReadInt(*file, sizes + i * 8);
    if (size < 0 || at + size > sizes) return Corrupt(path, "bad section size");
    sections.push_back(arrow::SliceBuffer(file, at, size));
    at += size;
  }
  return sections;
}

Status SnapshotStore::Delete(const SnapshotTag& tag) { return storage_.Delete(PathOf(tag)); }

Status SnapshotStore::KeepNewest(size_t count) {
  SLUICE_ASSIGN_OR_RETURN(const auto tags, List());
  for (size_t i = count; i < tags.size(); ++i) SLUICE_RETURN_NOT_OK(Delete(tags[i]));
  return Status::OK();
}

}  // namespace sluice::state
