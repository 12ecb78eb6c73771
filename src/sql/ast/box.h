// Ownership of one AST node: a unique_ptr that copies what it holds, so that trees copy deeply.
#pragma once

#include <memory>
#include <utility>

namespace sluice::sql {

/// Holds at most one T. Copying copies the T. T may be incomplete where only the type is named.
template <typename T>
class Box {
 public:
  Box() = default;
  Box(std::nullptr_t) {}  // NOLINT: a box is written like a pointer
  Box(T value) : held_(std::make_unique<T>(std::move(value))) {}  // NOLINT: as above
  Box(const Box& other) : held_(other.held_ ? std::make_unique<T>(*other.held_) : nullptr) {}
  Box(Box&& other) noexcept = default;
  Box& operator=(const Box& other) {
    if (this != &other) {
      held_ = other.held_ ? std::make_unique<T>(*other.held_) : nullptr;
    }
    return *this;
  }
  Box& operator=(Box&& other) noexcept = default;
  ~Box() = default;

  explicit operator bool() const { return held_ != nullptr; }
  /// REQUIRES: holds a value.
  T& operator*() { return *held_; }
  const T& operator*() const { return *held_; }
  T* operator->() { return held_.get(); }
  const T* operator->() const { return held_.get(); }
  T* get() { return held_.get(); }
  const T* get() const { return held_.get(); }

 private:
  std::unique_ptr<T> held_;
};

}  // namespace sluice::sql
