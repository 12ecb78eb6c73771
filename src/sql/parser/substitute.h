// `${key}` -> configuration value, before lexing. Comments are left alone.
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "base/status.h"
#include "sql/ast/source_text.h"

namespace sluice::sql {

using ConfigurationLookup = std::function<std::optional<std::string>(const std::string& key)>;

/// Replaces every `${key}` (also `${spark:key}`, `${sparkconf:key}`, `${hiveconf:key}`; values may
/// hold `${..}` again, up to 40 deep as in Spark). A key that `lookup` does not know is
/// UNDEFINED_CONFIGURATION at its place.
Result<SourceText> Substitute(std::string file_name, std::string text,
                              const ConfigurationLookup& lookup);

}  // namespace sluice::sql
