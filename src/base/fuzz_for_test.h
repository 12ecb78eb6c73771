// How long fuzz tests run and how they change a text. Tests only.
#pragma once

#include <cstdlib>
#include <string>
#include <vector>

#include "base/random.h"

namespace sluice {

/// SLUICE_FUZZ_RUNS if it is set, else `usual`.
inline int FuzzRuns(int usual) {
  const char* given = std::getenv("SLUICE_FUZZ_RUNS");
  const int runs = given == nullptr ? 0 : std::atoi(given);
  return runs > 0 ? runs : usual;
}

/// Where the random numbers of a run begin: SLUICE_FUZZ_SEED if it is set, else `usual`.
inline uint64_t FuzzSeed(uint64_t usual) {
  const char* given = std::getenv("SLUICE_FUZZ_SEED");
  return given == nullptr ? usual : std::strtoull(given, nullptr, 10);
}

/// `text` with one to six edits: bytes removed, changed, repeated, and `pieces` put in.
inline std::string MutateText(std::string text, const std::vector<std::string>& pieces,
                              Random* random) {
  const uint64_t edits = 1 + random->Below(6);
  for (uint64_t i = 0; i < edits && !text.empty(); ++i) {
    const size_t at = random->Below(text.size());
    switch (random->Below(5)) {
      case 0: text.erase(at, 1 + random->Below(12)); break;
      case 1: text.insert(at, " " + pieces[random->Below(pieces.size())] + " "); break;
      case 2: text[at] = static_cast<char>(random->Below(256)); break;
      case 3: text.insert(at, text.substr(random->Below(text.size()), random->Below(40))); break;
      default: text.insert(at, pieces[random->Below(pieces.size())]); break;
    }
  }
  return text;
}

}  // namespace sluice
