#include <algorithm>

#include "delta/columns/adapt_columns.h"
#include "delta/upkeep/hidden_names_internal.h"

namespace sluice::delta {

HiddenNames::HiddenNames(const Snapshot& snapshot) {
  for (const std::string& column : snapshot.partition_columns()) {
    prefixes_.push_back(column + "=");
    const auto field = snapshot.schema()->GetFieldByName(column);
    if (field != nullptr) prefixes_.push_back(PhysicalName(*field) + "=");
  }
}

bool HiddenNames::Hides(std::string_view path) const {
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    if (HidesOne(path.substr(0, slash))) return true;
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return false;
}

bool HiddenNames::HidesOne(std::string_view name) const {
  if (!name.starts_with('.') && !name.starts_with('_')) return false;
  if (name.starts_with("_delta_index") || name.starts_with("_change_data")) return false;
  return std::none_of(prefixes_.begin(), prefixes_.end(),
                      [&](const std::string& prefix) { return name.starts_with(prefix); });
}

}  // namespace sluice::delta
