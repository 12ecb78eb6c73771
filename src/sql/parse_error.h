// Errors at a place of the SQL text. The code is Spark's error class; the message names its
// SQLSTATE and the place, and shows the line with carets. The analyzer uses it too.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/source_text.h"

namespace sluice::sql {

/// "MESSAGE. SQLSTATE: 42601 (file.sql:1:8)", then the line and the carets.
Status ErrorAt(const SourceText& source, Span span, std::string_view code, std::string message,
               std::string hint = "");

/// The SQLSTATE of one of Spark's error classes (of its first part: "A.B" is of class "A"); ""
/// when unknown.
std::string_view SqlStateOf(std::string_view code);

/// The candidate closest to `word` without regard to case, if it is close enough to be a
/// misspelling; else "".
std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace sluice::sql
