// Errors at a place of the SQL text. The code is Spark's error class; the message names its
// SQLSTATE and the place, and shows the line with carets. The analyzer uses it too.
#pragma once

#include <string>
#include <string_view>

#include "base/status.h"
#include "sql/ast/source_text.h"

namespace sluice::sql {

/// Where an error is and what it says without its place: for editors.
struct ErrorPlace {
  std::string file;
  size_t offset = 0;  // in the text of the file
  LineColumn begin;
  LineColumn end;  // behind the last character
  std::string sql_state;
  std::string message;
};

/// The place that `status` was made with, or null; lives as long as the status.
const ErrorPlace* PlaceOf(const Status& status);

/// An error whose whole text is `text`, with its place.
Status PlacedError(const SourceText& source, Span span, std::string_view code, std::string message,
                   std::string text, std::string hint);

/// "MESSAGE. SQLSTATE: 42601 (file.sql:1:8)", then the line and the carets.
Status ErrorAt(const SourceText& source, Span span, std::string_view code, std::string message,
               std::string hint = "");

/// The SQLSTATE of one of Spark's error classes (of its first part: "A.B" is of class "A"); 42000
/// for one that is not Spark's.
std::string_view SqlStateOf(std::string_view code);

}  // namespace sluice::sql
