// DuckDB's messages as errors of ours, with Spark's class where there is one. Pure functions.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"

namespace sluice::sql {

/// `what` says what was being done.
/// Whether DuckDB refuses all further work after this error.
bool IsFatalDuckDbError(const std::string& message);
Status DuckDbError(std::string_view what, const std::string& message);

}  // namespace sluice::sql
