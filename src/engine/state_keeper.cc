#include "engine/state_keeper.h"

#include <arrow/buffer.h>
#include <arrow/io/memory.h>

#include <cstring>
#include <utility>

#include "base/log.h"

namespace sluice::engine {
namespace {

// Section 0 of a state file: int64 numbers, little-endian, and strings with an int64 length before
// them.
class HeaderWriter {
 public:
  void Int(int64_t value) { bytes_.append(reinterpret_cast<const char*>(&value), sizeof(value)); }
  void Text(std::string_view text) {
    Int(static_cast<int64_t>(text.size()));
    bytes_.append(text);
  }
  void AllPositions(const flow::Positions& positions) {
    Int(static_cast<int64_t>(positions.size()));
    for (const auto& [key, value] : positions) {
      Text(key);
      Int(value);
    }
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;
};

class HeaderReader {
 public:
  explicit HeaderReader(const arrow::Buffer& buffer)
      : at_(reinterpret_cast<const char*>(buffer.data())), end_(at_ + buffer.size()) {}
  int64_t Int() {
    int64_t value = 0;
    if (end_ - at_ < static_cast<int64_t>(sizeof(value))) {
      ok_ = false;
      return 0;
    }
    std::memcpy(&value, at_, sizeof(value));
    at_ += sizeof(value);
    return value;
  }
  std::string Text() {
    const int64_t size = Int();
    if (size < 0 || size > end_ - at_) {
      ok_ = false;
      return {};
    }
    std::string text(at_, static_cast<size_t>(size));
    at_ += size;
    return text;
  }
  flow::Positions AllPositions() {
    flow::Positions positions;
    for (int64_t left = Int(); left > 0 && ok_; --left) {
      std::string key = Text();
      positions[std::move(key)] = Int();
    }
    return positions;
  }
  bool ok() const { return ok_; }

 private:
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

std::string EncodeHeader(const StateHeader& header, const std::string& definition,
                         const std::vector<flow::Operator*>& operators) {
  HeaderWriter out;
  out.Text(definition);
  out.Int(header.tag.generation);
  out.Int(header.tag.epoch);
  out.Int(header.tag.version);
  out.Int(header.watermark);
  out.AllPositions(header.positions);
  out.Int(static_cast<int64_t>(header.open.size()));
  for (const auto& epoch : header.open) {
    out.Int(epoch.number.value());
    out.Int(epoch.max_event_time);
    out.AllPositions(epoch.from);
  }
  out.Int(static_cast<int64_t>(operators.size()));
  for (const flow::Operator* op : operators) out.Text(op->name());
  return out.bytes();
}

/// False when the header is not one of a flow with these operators.
bool DecodeHeader(const arrow::Buffer& bytes, const std::string& definition,
                  const std::vector<flow::Operator*>& operators, StateHeader* header) {
  HeaderReader in(bytes);
  if (in.Text() != definition) return false;
  header->tag.generation = in.Int();
  header->tag.epoch = in.Int();
  header->tag.version = in.Int();
  header->watermark = in.Int();
  header->positions = in.AllPositions();
  header->open.clear();
  for (int64_t left = in.Int(); left > 0 && in.ok(); --left) {
    WatermarkTracker::OpenEpoch epoch;
    epoch.number = EpochNumber(in.Int());
    epoch.max_event_time = in.Int();
    epoch.from = in.AllPositions();
    header->open.push_back(std::move(epoch));
  }
  if (in.Int() != static_cast<int64_t>(operators.size())) return false;
  for (const flow::Operator* op : operators) {
    if (in.Text() != op->name()) return false;
  }
  return in.ok();
}

Status ClearAll(const std::vector<flow::Operator*>& operators) {
  for (flow::Operator* op : operators) SLUICE_RETURN_NOT_OK(op->ClearState());
  return Status::OK();
}

}  // namespace

Status StateKeeper::Save(const StateHeader& header, const std::vector<flow::Operator*>& operators) {
  if (store_ == nullptr || pending()) return Status::OK();
  SLUICE_ASSIGN_OR_RETURN(auto file, store_->Create(header.tag));
  SLUICE_ASSIGN_OR_RETURN(arrow::io::OutputStream * out, file->NextSection());
  const std::string head = EncodeHeader(header, definition_, operators);
  SLUICE_RETURN_NOT_OK(out->Write(head.data(), static_cast<int64_t>(head.size())));
  for (flow::Operator* op : operators) {
    SLUICE_ASSIGN_OR_RETURN(out, file->NextSection());
    SLUICE_RETURN_NOT_OK(op->SaveState(out));
  }
  MutexLock lock(mutex_);
  pending_ = std::move(file);
  return Status::OK();
}

bool StateKeeper::pending() {
  MutexLock lock(mutex_);
  return pending_ != nullptr;
}

Status StateKeeper::FinishPending() {
  // The lock is held throughout: two savers of one flow must not delete each other's files.
  MutexLock lock(mutex_);
  if (pending_ == nullptr) return Status::OK();
  const Status status = pending_->Finish();
  pending_.reset();
  SLUICE_RETURN_NOT_OK(status);
  return store_->KeepNewest(kKeep);
}

Status StateKeeper::LoadOne(const state::SnapshotTag& tag,
                            const std::vector<flow::Operator*>& operators, StateHeader* header) {
  SLUICE_ASSIGN_OR_RETURN(const auto sections, store_->Load(tag));
  if (sections.size() != operators.size() + 1 ||
      !DecodeHeader(*sections[0], definition_, operators, header) || header->tag != tag) {
    return MakeError("STATE_CORRUPT", "saved state is of another form of the flow: " + flow_name_);
  }
  for (size_t i = 0; i < operators.size(); ++i) {
    arrow::io::BufferReader in(sections[i + 1]);
    SLUICE_RETURN_NOT_OK(operators[i]->LoadState(&in));
  }
  return Status::OK();
}

Result<std::optional<StateHeader>> StateKeeper::Load(
    const flow::RecoveredFlow& recovered, const std::vector<flow::Operator*>& operators) {
  {
    MutexLock lock(mutex_);
    pending_.reset();
  }
  SLUICE_RETURN_NOT_OK(ClearAll(operators));
  if (store_ == nullptr) return std::nullopt;
  SLUICE_ASSIGN_OR_RETURN(const auto tags, store_->List());
  const int64_t committed = recovered.last_epoch.value_or(EpochNumber(-1)).value();
  for (const state::SnapshotTag& tag : tags) {
    // Of an abandoned branch: after a full refresh, or after the table was restored to an older
    // version.
    if (tag.generation != recovered.generation || tag.epoch > committed) {
      SLUICE_RETURN_NOT_OK(store_->Delete(tag));
    }
  }
  for (const state::SnapshotTag& tag : tags) {
    if (tag.generation != recovered.generation || tag.epoch > committed) continue;
    StateHeader header;
    const Status status = LoadOne(tag, operators, &header);
    if (status.ok()) return header;
    log::Warn("flow {}: saved state of epoch {} is not used: {}", flow_name_, tag.epoch,
              status.message());
    SLUICE_RETURN_NOT_OK(ClearAll(operators));
  }
  return std::nullopt;
}

}  // namespace sluice::engine
