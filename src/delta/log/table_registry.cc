#include "delta/log/table.h"

namespace sluice::delta {
namespace {

std::string Canonical(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

Result<std::shared_ptr<Table>> TableRegistry::Open(const std::string& path) {
  const std::string key = Canonical(path);
  const MutexLock lock(mutex_);
  if (const auto it = tables_.find(key); it != tables_.end()) return it->second;
  SLUICE_ASSIGN_OR_RETURN(auto table, Table::Open(context_, key, random_.Next()));
  tables_[key] = table;
  return table;
}

Result<std::shared_ptr<Table>> TableRegistry::Create(const std::string& path,
                                                     const CreateOptions& options) {
  const std::string key = Canonical(path);
  std::shared_ptr<Table> before;
  uint64_t seed = 0;
  {
    const MutexLock lock(mutex_);
    if (const auto it = tables_.find(key); it != tables_.end()) before = it->second;
    seed = random_.Next();
  }
  // Unlocked: the rows of the first commit may come from other tables.
  SLUICE_ASSIGN_OR_RETURN(auto table, Table::Create(context_, key, options, seed));
  const MutexLock lock(mutex_);
  // Somebody may have opened it the moment it was there.
  if (const auto it = tables_.find(key); it != tables_.end() && it->second != before)
    return it->second;
  tables_[key] = table;
  return table;
}

Result<bool> TableRegistry::Exists(const std::string& path) const {
  return Table::Exists(context_.storage, Canonical(path));
}

void TableRegistry::Forget(const std::string& path) {
  const MutexLock lock(mutex_);
  tables_.erase(Canonical(path));
}

}  // namespace sluice::delta
