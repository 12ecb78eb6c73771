#include "app/error_pages.h"

#include <algorithm>
#include <cctype>
#include <string>

namespace sluice::app {

std::optional<std::string_view> ErrorPage(std::string_view code) {
  std::string wanted(code);
  std::transform(wanted.begin(), wanted.end(), wanted.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  const auto pages = ErrorPages();
  const auto at = std::lower_bound(
      pages.begin(), pages.end(), wanted,
      [](const ErrorPageEntry& entry, const std::string& key) { return entry.code < key; });
  if (at == pages.end() || at->code != wanted) return std::nullopt;
  return at->text;
}

}  // namespace sluice::app
