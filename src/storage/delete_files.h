// Deleting many files: the one place to use a bulk request where a store has one. Thread-safe (a
// function).
#pragma once

#include <string>
#include <vector>

#include "base/status.h"
#include "storage/storage.h"

namespace sluice {
class Workers;
}

namespace sluice::storage {

/// Deletes `paths`, on the threads of `workers` and the caller's (nullptr: the caller's alone). A
/// file that is not there counts as deleted. Goes on after an error and returns the first one;
/// `deleted` (may be null) counts what is gone.
Status DeleteFiles(Storage& storage, const std::vector<std::string>& paths, Workers* workers,
                   int64_t* deleted);

}  // namespace sluice::storage
