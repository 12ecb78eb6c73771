#include "state/state_file.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "base/hash128.h"

namespace sluice::state {
namespace {

constexpr size_t kBlockBytes = 1 << 20;
constexpr uint32_t kMagic = 0x54534C53;  // "SLST"

struct Header {
  uint32_t magic = kMagic;
  uint32_t version = 0;
  std::array<char, 8> kind{};
};

struct BlockHead {
  uint32_t size = 0;  // 0 = end mark
  uint32_t reserved = 0;
  uint64_t checksum = 0;
};

Header MakeHeader(std::string_view kind, uint32_t version) {
  SLUICE_CHECK(kind.size() <= 8, "kinds have at most 8 characters");
  Header header;
  header.version = version;
  std::copy(kind.begin(), kind.end(), header.kind.begin());
  return header;
}

uint64_t Checksum(const std::vector<uint8_t>& block, uint64_t chain) {
  return HashBytes128(block.data(), block.size(), chain).low;
}

Status ReadExactly(arrow::io::InputStream* in, void* data, size_t size) {
  auto* target = static_cast<uint8_t*>(data);
  while (size > 0) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t got, in->Read(static_cast<int64_t>(size), target));
    if (got == 0) return StateCorrupt("the file ends early");
    target += got;
    size -= static_cast<size_t>(got);
  }
  return Status::OK();
}

}  // namespace

Result<StateWriter> StateWriter::Make(arrow::io::OutputStream* out, std::string_view kind,
                                      uint32_t version) {
  const Header header = MakeHeader(kind, version);
  SLUICE_RETURN_NOT_OK(out->Write(&header, sizeof(header)));
  StateWriter writer(out);
  writer.block_.reserve(kBlockBytes);
  writer.chain_ = HashBytes128(&header, sizeof(header)).low;
  return writer;
}

Status StateWriter::Write(const void* data, size_t size) {
  const auto* bytes = static_cast<const uint8_t*>(data);
  while (size > 0) {
    const size_t part = std::min(size, kBlockBytes - block_.size());
    block_.insert(block_.end(), bytes, bytes + part);
    bytes += part;
    size -= part;
    if (block_.size() == kBlockBytes) SLUICE_RETURN_NOT_OK(FlushBlock());
  }
  return Status::OK();
}

Status StateWriter::FlushBlock() {
  BlockHead head;
  head.size = static_cast<uint32_t>(block_.size());
  chain_ = head.checksum = Checksum(block_, chain_);
  SLUICE_RETURN_NOT_OK(out_->Write(&head, sizeof(head)));
  SLUICE_RETURN_NOT_OK(out_->Write(block_.data(), static_cast<int64_t>(block_.size())));
  block_.clear();
  return Status::OK();
}

Status StateWriter::Finish() {
  if (!block_.empty()) SLUICE_RETURN_NOT_OK(FlushBlock());
  return FlushBlock();
}

Result<StateReader> StateReader::Make(arrow::io::InputStream* in, std::string_view kind,
                                      uint32_t version) {
  const Header expected = MakeHeader(kind, version);
  Header header;
  SLUICE_RETURN_NOT_OK(ReadExactly(in, &header, sizeof(header)));
  if (std::memcmp(&header, &expected, sizeof(header)) != 0) {
    return StateCorrupt("its header is not that of " + std::string(kind) + " version " +
                        std::to_string(version));
  }
  StateReader reader(in);
  reader.chain_ = HashBytes128(&header, sizeof(header)).low;
  return reader;
}

Status StateReader::NextBlock() {
  if (ended_) return StateCorrupt("the content ends early");
  BlockHead head;
  SLUICE_RETURN_NOT_OK(ReadExactly(in_, &head, sizeof(head)));
  if (head.size > kBlockBytes || head.reserved != 0) return StateCorrupt("a block head is damaged");
  block_.resize(head.size);
  at_ = 0;
  SLUICE_RETURN_NOT_OK(ReadExactly(in_, block_.data(), block_.size()));
  chain_ = Checksum(block_, chain_);
  if (chain_ != head.checksum) return StateCorrupt("a checksum does not match");
  ended_ = head.size == 0;
  return Status::OK();
}

Status StateReader::Read(void* data, size_t size) {
  auto* target = static_cast<uint8_t*>(data);
  while (size > 0) {
    if (at_ == block_.size()) {
      SLUICE_RETURN_NOT_OK(NextBlock());
      if (ended_) return StateCorrupt("the content ends early");
    }
    const size_t part = std::min(size, block_.size() - at_);
    std::memcpy(target, block_.data() + at_, part);
    target += part;
    at_ += part;
    size -= part;
  }
  return Status::OK();
}

Status StateReader::Finish() {
  if (at_ != block_.size()) return StateCorrupt("there is content left over");
  SLUICE_RETURN_NOT_OK(NextBlock());
  return ended_ ? Status::OK() : StateCorrupt("there is content left over");
}

}  // namespace sluice::state
