// *, t.*, s.* of a struct, with EXCEPT. Part of the analyzer.
#include <fmt/format.h>

#include <algorithm>

#include "base/text.h"
#include "sql/analysis/query_binder.h"

namespace sluice::sql {
namespace {

bool QualifiedBy(const ScopeColumn& column, const std::vector<Name>& qualifier) {
  if (qualifier.size() > column.qualifier.size()) return false;
  for (size_t i = 0; i < qualifier.size(); ++i) {
    if (column.qualifier[column.qualifier.size() - qualifier.size() + i] !=
        LowerAscii(qualifier[i].text))
      return false;
  }
  return true;
}

/// s.* of a struct column s; nothing when there is none, or a relation has that name.
std::vector<BoundPtr> StarOfStruct(const Scope& scope, const Star& star, Span span) {
  std::vector<BoundPtr> fields;
  if (star.qualifier.size() != 1 || !star.except.empty()) return fields;
  for (const ScopeColumn& column : scope.columns) {
    if (QualifiedBy(column, star.qualifier)) return fields;
  }
  for (const ScopeColumn& column : scope.columns) {
    if (column.name != LowerAscii(star.qualifier[0].text) ||
        column.field->type()->id() != arrow::Type::STRUCT)
      continue;
    const BoundPtr of = MakeColumn(column.index, *column.field, span);
    for (int i = 0; i < column.field->type()->num_fields(); ++i)
      fields.push_back(MakeField(of, i, span));
    return fields;
  }
  return fields;
}

}  // namespace

Result<std::vector<BoundPtr>> BindStar(const QueryBinder& queries, const Scope& scope,
                                       const Star& star, Span span) {
  std::vector<std::string> except;
  for (const QualifiedName& name : star.except) {
    if (name.parts.size() > 1) return queries.Unsupported(span, "EXCEPT of a qualified name");
    except.push_back(LowerAscii(name.last()));
  }
  std::vector<BoundPtr> columns = StarOfStruct(scope, star, span);
  if (!columns.empty()) return columns;
  std::vector<bool> used(except.size(), false);
  bool any = false;
  for (const ScopeColumn& column : scope.columns) {
    if (star.qualifier.empty() ? !column.in_star : !QualifiedBy(column, star.qualifier)) continue;
    any = true;
    const auto excluded = std::find(except.begin(), except.end(), column.name);
    if (excluded != except.end()) {
      used[static_cast<size_t>(excluded - except.begin())] = true;
      continue;
    }
    columns.push_back(MakeColumn(column.index, *column.field, span));
  }
  if (!any && !star.qualifier.empty()) {
    return queries.Error(
        span, "CANNOT_RESOLVE_STAR_EXPAND",
        fmt::format("cannot resolve `{}`.* given input columns", star.qualifier.back().text));
  }
  for (size_t i = 0; i < except.size(); ++i) {
    if (!used[i])
      return queries.Error(span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
                           fmt::format("the column `{}` of EXCEPT does not exist", except[i]));
  }
  return columns;
}

}  // namespace sluice::sql
