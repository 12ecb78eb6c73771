// What a flow has consumed: for each partition of each of its sources the next position to read.
// In the target's Delta log each entry is one txn action (docs/internals/commit.md).
#pragma once

#include <cstdint>
#include <map>
#include <string>

namespace sluice::flow {

/// Key: "<source id>/<partition>". Kafka: partition = "<topic>-<n>", value = next offset. Delta
/// table: partition "version", value = next version to read, and "index" = next file while the
/// initial snapshot is read.
using Positions = std::map<std::string, int64_t>;

}  // namespace sluice::flow
