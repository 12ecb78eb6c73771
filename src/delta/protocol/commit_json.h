// The actions of a commit one by one, for readers that do not keep them. Thread-safe (a function).
#pragma once

#include <functional>
#include <string>
#include <string_view>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

enum class CommitContent {
  kAll,
  kWithoutFiles  // no add, remove, cdc: their lines are not even parsed
};

/// As ParseCommitJson (action_json.h), without keeping the actions.
Status VisitCommitJson(std::string_view text, const std::string& origin, CommitContent content,
                       const std::function<void(Action&&)>& visit);

}  // namespace sluice::delta
