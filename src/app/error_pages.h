// The pages of docs/errors/, compiled into the binary for `sluice explain CODE`. Immutable;
// thread-safe.
#pragma once

#include <optional>
#include <span>
#include <string_view>

namespace sluice::app {

struct ErrorPageEntry {
  std::string_view code;
  std::string_view text;  // Markdown; its first line is "# CODE"
};

/// All pages, sorted by code.
std::span<const ErrorPageEntry> ErrorPages();

/// The page of `code` (capitals do not matter); none when there is no such code.
std::optional<std::string_view> ErrorPage(std::string_view code);

}  // namespace sluice::app
