#include "sql/execution/duckdb_error.h"

#include <fmt/format.h>

namespace sluice::sql {
namespace {

bool Has(const std::string& message, std::string_view part) {
  return message.find(part) != std::string::npos;
}

}  // namespace

bool IsFatalDuckDbError(const std::string& message) {
  return Has(message, "INTERNAL Error") || Has(message, "FATAL Error") ||
         Has(message, "has been invalidated");
}

Status DuckDbError(std::string_view what, const std::string& message) {
  // An error of ours that passed through a reader keeps its code: "[CLASS] text".
  if (const size_t open = message.find('['); open != std::string::npos) {
    const size_t close = message.find(']', open);
    const std::string inside =
        close == std::string::npos ? "" : message.substr(open + 1, close - open - 1);
    if (!inside.empty() &&
        inside.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_.0123456789") == std::string::npos) {
      return MakeError(inside, message.substr(open));
    }
  }
  // Or, without a class in its text, in the detail that Arrow adds: ".. Detail: CODE, hint: ..".
  constexpr std::string_view kDetail = ". Detail: ";
  constexpr std::string_view kReader = "get_next failed(): Invalid: ";
  const size_t detail = message.rfind(kDetail);
  const size_t reader = message.find(kReader);
  if (detail != std::string::npos && reader != std::string::npos && reader < detail) {
    const size_t code = detail + kDetail.size();
    const size_t begin = reader + kReader.size();
    return MakeError(message.substr(code, message.find_first_of(",\n", code) - code),
                     message.substr(begin, detail - begin));
  }
  const std::string text = fmt::format("{}: {}", what, message);
  if (Has(message, "Out of Memory")) {
    return MakeError("OUT_OF_MEMORY", text,
                     "raise the memory limit of queries, or give it a directory to spill to",
                     Retry::kLater);
  }
  if (Has(message, "Out of Range") || Has(message, "Conversion Error") ||
      Has(message, "Overflow")) {
    return MakeError("ARITHMETIC_OVERFLOW", "[ARITHMETIC_OVERFLOW] " + text + ". SQLSTATE: 22003");
  }
  if (Has(message, "IO Error")) return MakeError("IO_ERROR", text, "", Retry::kLater);
  return MakeError("QUERY_FAILED", text);
}

}  // namespace sluice::sql
