// JSON string literals as Jackson writes them: short escapes, other control characters as \u00XX,
// the rest as it is. Pure functions.
#pragma once

#include <string>
#include <string_view>

namespace sluice::codec {

/// Appends `text` in quotes. Surrogate pairs stay UTF-8.
void AppendQuoted(std::string_view text, std::string* out);
/// As Jackson's UTF-8 generator, which Spark shows objects in STRING columns with: characters
/// outside the BMP and lone surrogates (utf8.h) become \uXXXX.
void AppendQuotedEscapingSurrogates(std::string_view text, std::string* out);

}  // namespace sluice::codec
