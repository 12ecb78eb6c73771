// Suggestions for misspelt names. Pure function.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace sluice {

/// The candidate closest to `word` without regard to case, if it is close enough to be a
/// misspelling; else "".
std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice
