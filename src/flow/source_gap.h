// What a source could not deliver. A plain value.
#pragma once

#include <cstdint>
#include <string>

namespace sluice::flow {

/// Records that a source no longer had when they were to be read, and was told to pass over.
struct SourceGap {
  std::string partition;  // "<topic>-<n>"
  int64_t from = 0;       // first offset wanted
  int64_t to = 0;         // where reading went on
  int64_t records = 0;    // offsets in between; 0 when the topic was created again: nobody knows
  std::string reason;
};

}  // namespace sluice::flow
