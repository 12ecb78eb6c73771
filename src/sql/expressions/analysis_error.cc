#include "sql/expressions/analysis_error.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/ast/parse_error.h"

namespace sluice::sql {
namespace {

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
      fmt::format("[{}] {}. SQLSTATE: {}", error_class, message, SqlStateOf(error_class));
  if (span.length == 0) return MakeError(error_class, std::move(text), hint);
  text += fmt::format(" ({})\n{}", source.Place(span), source.Caret(span));
  return PlacedError(source, span, error_class, message, std::move(text), hint);
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
