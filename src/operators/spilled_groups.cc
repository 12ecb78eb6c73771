#include "operators/spilled_groups.h"

#include <vector>

#include "state/rocks_store.h"
#include "state/state_file.h"

namespace sluice::operators {
namespace {

constexpr char kFileKind[] = "spilled";
constexpr uint32_t kFileVersion = 1;
constexpr size_t kPutGroups = 1024;

/// Gathers entries and puts them into the store some at a time.
class BatchedPut {
 public:
  explicit BatchedPut(state::ColdStore* store) : store_(store) {}

  Status Add(const Hash128& hash, std::string saved) {
    hashes_.push_back(hash);
    saved_.push_back(std::move(saved));
    return hashes_.size() < kPutGroups ? Status::OK() : Flush();
  }
  Status Flush() {
    std::vector<state::ColdEntry> entries;
    for (size_t i = 0; i < hashes_.size(); ++i) entries.push_back({hashes_[i], saved_[i]});
    SLUICE_RETURN_NOT_OK(store_->Put(entries));
    hashes_.clear();
    saved_.clear();
    return Status::OK();
  }

 private:
  state::ColdStore* const store_;
  std::vector<Hash128> hashes_;
  std::vector<std::string> saved_;
};

}  // namespace

Status SpilledGroups::OpenStore() {
  if (store_ != nullptr) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(store_, state::OpenRocksStore(folder_));
  return Status::OK();
}

Status SpilledGroups::Spill(const GroupTable& table) {
  SLUICE_RETURN_NOT_OK(OpenStore());
  BatchedPut put(store_.get());
  state::BytesOutput saved;
  for (uint32_t group = 0; group < table.size(); ++group) {
    saved.Clear();
    SLUICE_RETURN_NOT_OK(table.SaveGroup(group, &saved));
    SLUICE_RETURN_NOT_OK(put.Add(table.hashes()[group], saved.bytes()));
  }
  SLUICE_RETURN_NOT_OK(put.Flush());
  size_ += static_cast<int64_t>(table.size());
  return Status::OK();
}

Status SpilledGroups::Recall(std::span<const Hash128> hashes, GroupTable* table) {
  if (size_ == 0) return Status::OK();
  std::vector<Hash128> wanted;
  for (const Hash128& hash : hashes) {
    if (table->Find(hash) == kNoGroup) wanted.push_back(hash);
  }
  return store_->Find(wanted, [&](const state::ColdEntry& entry) {
    --size_;
    return table->AddSaved(entry.key, entry.value);
  });
}

Status SpilledGroups::Clear() {
  size_ = 0;
  return store_ == nullptr ? Status::OK() : store_->Clear();
}

Status SpilledGroups::Save(const GroupTable& newer, arrow::io::OutputStream* out) const {
  SLUICE_ASSIGN_OR_RETURN(auto writer, state::StateWriter::Make(out, kFileKind, kFileVersion));
  SLUICE_RETURN_NOT_OK(writer.PutBytes(newer.Signature()));
  std::string saved;
  if (size_ > 0) {
    SLUICE_ASSIGN_OR_RETURN(saved, store_->Save());
  }
  SLUICE_RETURN_NOT_OK(writer.PutBytes(saved));
  SLUICE_RETURN_NOT_OK(writer.Put(size_));
  return writer.Finish();
}

Status SpilledGroups::LoadContent(state::StateReader* in, const GroupTable& table) {
  std::string text;
  SLUICE_RETURN_NOT_OK(in->GetBytes(&text));
  if (text != table.Signature()) return state::StateCorrupt("it belongs to another query");
  SLUICE_RETURN_NOT_OK(in->GetBytes(&text));
  int64_t groups = 0;
  SLUICE_RETURN_NOT_OK(in->Get(&groups));
  SLUICE_RETURN_NOT_OK(in->Finish());
  if (text.empty()) return Status::OK();
  if (!enabled()) return state::StateCorrupt("a part of it was spilled to disk");
  SLUICE_RETURN_NOT_OK(OpenStore());
  SLUICE_RETURN_NOT_OK(store_->Load(text));
  size_ = groups;
  return Status::OK();
}

Status SpilledGroups::Load(arrow::io::InputStream* in, const GroupTable& table) {
  SLUICE_RETURN_NOT_OK(Clear());
  SLUICE_ASSIGN_OR_RETURN(auto reader, state::StateReader::Make(in, kFileKind, kFileVersion));
  return LoadContent(&reader, table);
}

}  // namespace sluice::operators
