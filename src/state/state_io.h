// Values one after another, to and from where saved state is kept. One thread at a time.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/status.h"

namespace sluice::state {

class StateOutput {
 public:
  virtual ~StateOutput() = default;
  virtual Status Write(const void* data, size_t size) = 0;
  template <typename T>
  Status Put(const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Write(&value, sizeof(T));
  }
  /// Length (32 bits) and bytes.
  Status PutBytes(std::string_view bytes);
};

/// Every failure is STATE_CORRUPT, except those of what is read from.
class StateInput {
 public:
  virtual ~StateInput() = default;
  virtual Status Read(void* data, size_t size) = 0;
  template <typename T>
  Status Get(T* value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return Read(value, sizeof(T));
  }
  Status GetBytes(std::string* bytes);
};

/// Into memory.
class BytesOutput : public StateOutput {
 public:
  Status Write(const void* data, size_t size) override {
    bytes_.append(static_cast<const char*>(data), size);
    return Status::OK();
  }
  const std::string& bytes() const { return bytes_; }
  void Clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

/// From memory that outlives it.
class BytesInput : public StateInput {
 public:
  explicit BytesInput(std::string_view bytes) : left_(bytes) {}
  Status Read(void* data, size_t size) override;
  bool at_end() const { return left_.empty(); }

 private:
  std::string_view left_;
};

/// STATE_CORRUPT with what was wrong.
Status StateCorrupt(std::string_view what);

}  // namespace sluice::state
