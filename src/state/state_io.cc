#include "state/state_io.h"

#include <algorithm>
#include <cstring>
#include <limits>

namespace sluice::state {
namespace {

constexpr size_t kGrowBytes = 1 << 20;

}  // namespace

Status StateCorrupt(std::string_view what) {
  return MakeError("STATE_CORRUPT", "saved state cannot be used: " + std::string(what),
                   "nothing to do: the state is rebuilt from the flow's sources");
}

Status StateOutput::PutBytes(std::string_view bytes) {
  SLUICE_CHECK(bytes.size() <= std::numeric_limits<uint32_t>::max(),
               "a saved value is below 4 GiB");
  SLUICE_RETURN_NOT_OK(Put(static_cast<uint32_t>(bytes.size())));
  return Write(bytes.data(), bytes.size());
}

Status StateInput::GetBytes(std::string* bytes) {
  uint32_t size = 0;
  SLUICE_RETURN_NOT_OK(Get(&size));
  bytes->clear();
  // Grows with what is really there: a wrong length must not allocate gigabytes.
  while (bytes->size() < size) {
    const size_t part = std::min<size_t>(size - bytes->size(), kGrowBytes);
    const size_t old = bytes->size();
    bytes->resize(old + part);
    SLUICE_RETURN_NOT_OK(Read(bytes->data() + old, part));
  }
  return Status::OK();
}

Status BytesInput::Read(void* data, size_t size) {
  if (size > left_.size()) return StateCorrupt("the content ends early");
  if (size > 0) std::memcpy(data, left_.data(), size);
  left_.remove_prefix(size);
  return Status::OK();
}

}  // namespace sluice::state
