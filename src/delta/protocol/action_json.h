// Actions <-> the JSON lines of `_delta_log/<version>.json`. Thread-safe (pure functions).
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"

namespace sluice::delta {

/// Appends one line with its line feed.
void AppendActionJson(const Action& action, std::string* out);

/// All actions of a commit. Unknown actions and keys are skipped; an empty text is an empty commit.
/// DELTA_LOG_CORRUPT names `origin` and the line.
Result<std::vector<Action>> ParseCommitJson(std::string_view text, const std::string& origin);

/// {"a":"b"} <-> map; for `extra` values and tests.
std::string StringMapToJson(const StringMap& map);
Result<StringMap> StringMapFromJson(std::string_view text);

/// ["a","b"], as commitInfo shows lists.
std::string NamesJson(const std::vector<std::string>& names);

/// Appends `text` as a JSON string with its quotes.
void AppendJsonString(std::string_view text, std::string* out);

}  // namespace sluice::delta
