#include "sql/analysis_error.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace sluice::sql {
namespace {

std::string_view SqlState(std::string_view error_class) {
  static const std::map<std::string_view, std::string_view> states = {
      {"AMBIGUOUS_REFERENCE", "42704"},
      {"DATATYPE_MISMATCH", "42K09"},
      {"DIVIDE_BY_ZERO", "22012"},
      {"FIELD_NOT_FOUND", "42704"},
      {"GROUP_BY_POS_OUT_OF_RANGE", "42805"},
      {"GROUP_BY_AGGREGATE", "42903"},
      {"INVALID_EXTRACT_BASE_FIELD_TYPE", "42000"},
      {"INVALID_WHERE_CONDITION", "42903"},
      {"MISSING_AGGREGATION", "42803"},
      {"MISSING_GROUP_BY", "42803"},
      {"NESTED_AGGREGATE_FUNCTION", "42607"},
      {"NOT_SUPPORTED_YET", "0A000"},
      {"NUM_COLUMNS_MISMATCH", "42826"},
      {"INCOMPATIBLE_COLUMN_TYPE", "42825"},
      {"ORDER_BY_POS_OUT_OF_RANGE", "42805"},
      {"TABLE_OR_VIEW_NOT_FOUND", "42P01"},
      {"UNBOUND_SQL_PARAMETER", "42P02"},
      {"UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883"},
      {"UNRESOLVED_COLUMN", "42703"},
      {"UNRESOLVED_FIELD", "42703"},
      {"UNRESOLVED_ROUTINE", "42883"},
      {"UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703"},
      {"WRONG_NUM_ARGS", "42605"},
      {"INCOMPATIBLE_DATA_FOR_TABLE", "KD000"},
      {"INVALID_PARAMETER_VALUE", "22023"},
      {"COLUMN_ALREADY_EXISTS", "42711"},
      {"INVALID_LIMIT_LIKE_EXPRESSION", "42K0E"},
      {"EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09"},
      {"NON_FOLDABLE_ARGUMENT", "42K08"}};
  const auto found = states.find(error_class.substr(0, error_class.find('.')));
  return found == states.end() ? "42000" : found->second;
}

size_t EditDistance(const std::string& a, const std::string& b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j) row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] == b[j - 1] ? 0 : 1)});
      diagonal = above;
    }
  }
  return row[b.size()];
}

}  // namespace

std::string LowerAscii(std::string_view text) {
  std::string lower(text);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return lower;
}

Status AnalysisError(const SourceText& source, Span span, std::string_view error_class,
                     const std::string& message, const std::string& hint) {
  std::string text =
      fmt::format("[{}] {}. SQLSTATE: {}", error_class, message, SqlState(error_class));
  if (span.length > 0) text += fmt::format(" ({})\n{}", source.Place(span), source.Caret(span));
  return MakeError(error_class, std::move(text), hint);
}

Status NotSupportedYet(const SourceText& source, Span span, const std::string& name) {
  return AnalysisError(source, span, "NOT_SUPPORTED_YET", "not supported yet: " + name);
}

std::vector<std::string> Suggestions(const std::string& name,
                                     const std::vector<std::string>& known) {
  std::vector<std::pair<size_t, std::string>> ranked;
  const std::string lower = LowerAscii(name);
  for (const std::string& candidate : known) {
    const std::string other = LowerAscii(candidate);
    const std::string last =
        other.substr(other.rfind('.') == std::string::npos ? 0 : other.rfind('.') + 1);
    ranked.emplace_back(std::min(EditDistance(lower, other), EditDistance(lower, last)), candidate);
  }
  std::stable_sort(ranked.begin(), ranked.end(),
                   [](const auto& a, const auto& b) { return a.first < b.first; });
  std::vector<std::string> best;
  for (const auto& [distance, candidate] : ranked) {
    if (best.size() == 5) break;
    best.push_back(candidate);
  }
  return best;
}

}  // namespace sluice::sql
