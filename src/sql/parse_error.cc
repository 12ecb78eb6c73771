#include "sql/parse_error.h"

#include <algorithm>
#include <array>
#include <utility>

namespace sluice::sql {
namespace {

constexpr std::array<std::pair<std::string_view, std::string_view>, 26> kSqlStates{{
    {"AMBIGUOUS_REFERENCE", "42704"},
    {"COLUMN_ALREADY_EXISTS", "42711"},
    {"DATATYPE_MISMATCH", "42K09"},
    {"DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003"},
    {"DUPLICATE_CLAUSES", "42614"},
    {"EXCEED_LIMIT_LENGTH", "54006"},
    {"INVALID_IDENTIFIER", "42602"},
    {"INVALID_INTERVAL_FORMAT", "22006"},
    {"INVALID_NUMERIC_LITERAL_RANGE", "22003"},
    {"INVALID_SQL_SYNTAX", "42000"},
    {"INVALID_TYPED_LITERAL", "42604"},
    {"MISSING_CLAUSES_FOR_OPERATION", "42601"},
    {"MISSING_GROUP_BY", "42803"},
    {"MISSING_AGGREGATION", "42803"},
    {"NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826"},
    {"PARSE_EMPTY_STATEMENT", "42617"},
    {"PARSE_SYNTAX_ERROR", "42601"},
    {"TABLE_OR_VIEW_NOT_FOUND", "42P01"},
    {"UNCLOSED_BRACKETED_COMMENT", "42601"},
    {"UNDEFINED_CONFIGURATION", "42K0I"},
    {"UNRESOLVED_COLUMN", "42703"},
    {"UNRESOLVED_ROUTINE", "42883"},
    {"UNSUPPORTED_DATATYPE", "0A000"},
    {"UNSUPPORTED_FEATURE", "0A000"},
    {"UNSUPPORTED_TYPED_LITERAL", "0A000"},
    {"WRONG_NUM_ARGS", "42605"},
}};

char Upper(char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c; }

/// Edits (insert, delete, replace, swap of neighbours) between two words, without case.
size_t EditDistance(std::string_view a, std::string_view b) {
  std::vector<size_t> before(b.size() + 1), last(b.size() + 1), current(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) {
    last[j] = j;
  }
  for (size_t i = 1; i <= a.size(); ++i) {
    current[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = Upper(a[i - 1]) == Upper(b[j - 1]);
      current[j] = std::min({last[j] + 1, current[j - 1] + 1, last[j - 1] + (same ? 0 : 1)});
      if (i > 1 && j > 1 && Upper(a[i - 1]) == Upper(b[j - 2]) &&
          Upper(a[i - 2]) == Upper(b[j - 1])) {
        current[j] = std::min(current[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, current);
  }
  return last[b.size()];
}

}  // namespace

std::string_view SqlStateOf(std::string_view code) {
  const std::string_view error_class = code.substr(0, code.find('.'));
  const auto* found = std::find_if(kSqlStates.begin(), kSqlStates.end(),
                                   [&](const auto& entry) { return entry.first == error_class; });
  return found == kSqlStates.end() ? std::string_view() : found->second;
}

Status ErrorAt(const SourceText& source, Span span, std::string_view code, std::string message,
               std::string hint) {
  const std::string_view state = SqlStateOf(code);
  if (!state.empty()) {
    message.append(". SQLSTATE: ").append(state);
  }
  message += " (" + source.Place(span) + ")\n" + source.Caret(span);
  return MakeError(code, std::move(message), std::move(hint));
}

std::string ClosestWord(std::string_view word, const std::vector<std::string>& candidates) {
  constexpr size_t kLongestWord = 64;
  if (word.size() < 3 || word.size() > kLongestWord) {
    return "";
  }
  size_t best = word.size() <= 4 ? 1 : 2;
  std::string found;
  for (const std::string& candidate : candidates) {
    if (candidate.size() < 3 || candidate.size() > kLongestWord) {
      continue;
    }
    const size_t distance = EditDistance(word, candidate);
    if (distance > 0 && (distance < best || (distance == best && found.empty()))) {
      best = distance;
      found = candidate;
    }
  }
  return found;
}

}  // namespace sluice::sql
