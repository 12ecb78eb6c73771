// Small operations on text that have one right answer. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sluice {

/// ASCII letters in lower case, other bytes as they are.
inline std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

inline bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  return a.size() == b.size() && LowerAscii(a) == LowerAscii(b);
}

}  // namespace sluice
