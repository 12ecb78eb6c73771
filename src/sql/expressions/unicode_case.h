// Upper and lower case of Unicode text as Java has them: with characters that become several (the
// sharp s) and the final sigma. Pure functions.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sql {

/// Bytes that are not UTF-8 stay as they are.
std::string ToUpperText(std::string_view text);
std::string ToLowerText(std::string_view text);

/// The characters first, first + stride, .. last become those at `distance` from them.
struct CaseRange {
  uint32_t first;
  uint32_t last;
  uint32_t stride;
  int32_t distance;
};
struct CaseText {
  uint32_t from;
  std::string_view to;
};
extern const std::vector<CaseRange> kUpperRanges;
extern const std::vector<CaseRange> kLowerRanges;
extern const std::vector<CaseText> kUpperTexts;
extern const std::vector<CaseText> kLowerTexts;

}  // namespace sluice::sql
