// The one way errors travel: Status and Result, with a stable code, a retry class and a hint.
// Values are immutable and may be passed between threads.
#pragma once

#include <arrow/result.h>
#include <arrow/status.h>

#include <memory>
#include <string>
#include <string_view>

namespace sluice {

using Status = arrow::Status;
template <typename T>
using Result = arrow::Result<T>;

/// Whether doing the same again can succeed.
enum class Retry {
  kNever,   // wrong input or a definition error
  kLater,   // lost broker, full disk: the same call may succeed later
  kReplan,  // somebody else moved the table: read it again first
};

/// What a Status of ours carries beside its text. Its code has a page docs/errors/<CODE>.md.
class ErrorDetail : public arrow::StatusDetail {
 public:
  ErrorDetail(std::string error_code, Retry retry_class, std::string hint_text)
      : code(std::move(error_code)), retry(retry_class), hint(std::move(hint_text)) {}
  const char* type_id() const override { return "sluice::ErrorDetail"; }
  std::string ToString() const override;

  const std::string code;
  const Retry retry;
  const std::string hint;
};

/// Makes an error. `code` is stable and in capitals; `message` is lower case without a period,
/// static text first, values last; `hint` says what to do (may be empty).
[[nodiscard]] Status MakeError(std::string_view code, std::string message, std::string hint = "",
                               Retry retry = Retry::kNever);

/// The code of `status`: ours, or one derived from Arrow's class ("IO_ERROR", "INVALID", ...). "OK"
/// when it is ok.
[[nodiscard]] std::string ErrorCode(const Status& status);
[[nodiscard]] std::string ErrorHint(const Status& status);
[[nodiscard]] Retry RetryClass(const Status& status);
[[nodiscard]] inline bool HasCode(const Status& status, std::string_view code) {
  return ErrorCode(status) == code;
}

/// The same error with `context` put before its message ("table silver.events: ...").
[[nodiscard]] Status WithContext(const Status& status, std::string_view context);

namespace internal {
[[noreturn]] void CheckFailed(const char* file, int line, const char* condition,
                              std::string_view message);
}  // namespace internal

}  // namespace sluice

#define SLUICE_CONCAT_INNER(a, b) a##b
#define SLUICE_CONCAT(a, b) SLUICE_CONCAT_INNER(a, b)

#define SLUICE_RETURN_NOT_OK(expression)            \
  do {                                              \
    ::sluice::Status sluice_status_ = (expression); \
    if (!sluice_status_.ok()) [[unlikely]] {        \
      return sluice_status_;                        \
    }                                               \
  } while (false)

#define SLUICE_ASSIGN_OR_RETURN_IMPL(holder, target, expression) \
  auto&& holder = (expression);                                  \
  if (!holder.ok()) [[unlikely]] {                               \
    return holder.status();                                      \
  }                                                              \
  target = std::move(holder).ValueUnsafe()

#define SLUICE_ASSIGN_OR_RETURN(target, expression) \
  SLUICE_ASSIGN_OR_RETURN_IMPL(SLUICE_CONCAT(sluice_result_, __COUNTER__), target, expression)

/// A broken promise of our own: says so and stops the process. Always on. DCHECK: only without
/// NDEBUG.
#define SLUICE_CHECK(condition, message)                                        \
  do {                                                                          \
    if (!(condition)) [[unlikely]] {                                            \
      ::sluice::internal::CheckFailed(__FILE__, __LINE__, #condition, message); \
    }                                                                           \
  } while (false)

#ifdef NDEBUG
#define SLUICE_DCHECK(condition, message) ((void)0)
#else
#define SLUICE_DCHECK(condition, message) SLUICE_CHECK(condition, message)
#endif
