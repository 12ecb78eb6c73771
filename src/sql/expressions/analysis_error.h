// Errors of the analyzer in Spark's form: "[CLASS] message. SQLSTATE: 42703", the place, a caret
// line. Pure functions.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/ast/source_text.h"

namespace sluice::sql {

/// `error_class` is Spark's class, with its subclass ("UNRESOLVED_COLUMN.WITH_SUGGESTION"); it
/// becomes the error code.
Status AnalysisError(const SourceText& source, Span span, std::string_view error_class,
                     const std::string& message, const std::string& hint = "");
/// NOT_SUPPORTED_YET: `name` is a function or a construct that Spark has and the engine lacks.
Status NotSupportedYet(const SourceText& source, Span span, const std::string& name);
/// Up to five of `known` that look most like `name`, closest first.
std::vector<std::string> Suggestions(const std::string& name,
                                     const std::vector<std::string>& known);
std::string LowerAscii(std::string_view text);

}  // namespace sluice::sql
