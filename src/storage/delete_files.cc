#include "storage/delete_files.h"

#include <algorithm>
#include <atomic>

#include "base/workers.h"

namespace sluice::storage {
namespace {

constexpr size_t kFilesPerTask = 64;  // one task of a worker: a local disk deletes them in a ms

}  // namespace

Status DeleteFiles(Storage& storage, const std::vector<std::string>& paths, Workers* workers,
                   int64_t* deleted) {
  std::atomic<int64_t> gone{0};
  const auto task = [&](size_t index) {
    Status first;
    const size_t end = std::min(paths.size(), (index + 1) * kFilesPerTask);
    for (size_t i = index * kFilesPerTask; i < end; ++i) {
      Status status = storage.Delete(paths[i]);
      if (status.ok()) {
        gone.fetch_add(1);
      } else if (first.ok()) {
        first = std::move(status);
      }
    }
    return first;
  };
  const size_t tasks = (paths.size() + kFilesPerTask - 1) / kFilesPerTask;
  Status first;
  if (workers != nullptr) {
    first = workers->Run(tasks, task);
  } else {
    for (size_t i = 0; i < tasks; ++i) {
      Status status = task(i);
      if (first.ok()) first = std::move(status);
    }
  }
  if (deleted != nullptr) *deleted = gone.load();
  return first;
}

}  // namespace sluice::storage
