#include "base/status.h"

#include <cstdio>
#include <cstdlib>

namespace sluice {

std::string ErrorDetail::ToString() const { return hint.empty() ? code : code + ", hint: " + hint; }

Status MakeError(std::string_view code, std::string message, std::string hint, Retry retry) {
  auto detail = std::make_shared<ErrorDetail>(std::string(code), retry, std::move(hint));
  return Status(arrow::StatusCode::Invalid, std::move(message), std::move(detail));
}

namespace {
const ErrorDetail* DetailOf(const Status& status) {
  return status.ok() ? nullptr : dynamic_cast<const ErrorDetail*>(status.detail().get());
}
}  // namespace

std::string ErrorCode(const Status& status) {
  if (status.ok()) return "OK";
  if (const ErrorDetail* detail = DetailOf(status)) return detail->code;
  switch (status.code()) {
    case arrow::StatusCode::IOError: return "IO_ERROR";
    case arrow::StatusCode::OutOfMemory: return "OUT_OF_MEMORY";
    case arrow::StatusCode::NotImplemented: return "UNSUPPORTED_FEATURE";
    case arrow::StatusCode::Invalid: return "INVALID";
    case arrow::StatusCode::Cancelled: return "CANCELLED";
    default: return "INTERNAL_ERROR";
  }
}

std::string ErrorHint(const Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  return detail == nullptr ? std::string() : detail->hint;
}

Retry RetryClass(const Status& status) {
  const ErrorDetail* detail = DetailOf(status);
  if (detail != nullptr) return detail->retry;
  return status.IsIOError() ? Retry::kLater : Retry::kNever;
}

Status WithContext(const Status& status, std::string_view context) {
  if (status.ok()) return status;
  return Status(status.code(), std::string(context) + ": " + status.message(), status.detail());
}

namespace internal {
void CheckFailed(const char* file, int line, const char* condition, std::string_view message) {
  std::fprintf(stderr, "FATAL %s:%d: check failed: %s: %.*s\n", file, line, condition,
               static_cast<int>(message.size()), message.data());
  std::abort();
}
}  // namespace internal

}  // namespace sluice
