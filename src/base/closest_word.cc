#include "base/closest_word.h"

#include <algorithm>
#include <string_view>

namespace sluice {
namespace {

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Edits (insert, delete, replace, swap of neighbours) between two words, without case.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Upper(a[i - 1]) == Upper(b[j - 1]);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && Upper(a[i - 1]) == Upper(b[j - 2]) &&
          Upper(a[i - 2]) == Upper(b[j - 1])) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

}  // namespace

std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.size() < 3 || word.size() > kLongestWord) {
    return "";
  }
  size_t best = word.size() <= 4 ? 1 : 2;
  std::string found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() < 3 || candidate.size() > kLongestWord) {
      continue;
    }
    const size_t distance = EditDistance(word, candidate);
    if (distance > 0 && (distance < best || (distance == best && found.empty()))) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace sluice
