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

/// The names of EXCEPT, and which of them were met.
class Excluded {
 public:
  explicit Excluded(const std::vector<QualifiedName>& names)
      : names_(names), met_(names.size(), false) {}

  /// `qualifier`: what `name` may be qualified with.
  bool Takes(const std::string& name, const std::vector<std::string>& qualifier) {
    bool taken = false;
    for (size_t i = 0; i < names_.size(); ++i) {
      const auto& parts = names_[i].parts;
      const std::vector<Name> written(parts.begin(), parts.end() - 1);
      if (LowerAscii(parts.back().text) != name || !EndsWith(qualifier, written)) continue;
      met_[i] = true;
      taken = true;
    }
    return taken;
  }
  /// The first one not met, or null.
  const QualifiedName* Missed() const {
    const auto missed = std::find(met_.begin(), met_.end(), false);
    return missed == met_.end() ? nullptr : &names_[static_cast<size_t>(missed - met_.begin())];
  }

 private:
  static bool EndsWith(const std::vector<std::string>& qualifier, const std::vector<Name>& end) {
    return end.size() <= qualifier.size() &&
           std::equal(end.rbegin(), end.rend(), qualifier.rbegin(),
                      [](const Name& a, const std::string& b) { return LowerAscii(a.text) == b; });
  }

  const std::vector<QualifiedName>& names_;
  std::vector<bool> met_;
};

/// s.* of a struct column s; nothing when there is none, or a relation has that name.
std::optional<std::vector<BoundPtr>> StarOfStruct(const Scope& scope, const Star& star, Span span,
                                                  Excluded* except) {
  if (star.qualifier.size() != 1) return std::nullopt;
  for (const ScopeColumn& column : scope.columns) {
    if (QualifiedBy(column, star.qualifier)) return std::nullopt;
  }
  for (const ScopeColumn& column : scope.columns) {
    if (column.name != LowerAscii(star.qualifier[0].text) ||
        column.field->type()->id() != arrow::Type::STRUCT)
      continue;
    const BoundPtr of = MakeColumn(column.index, *column.field, span);
    std::vector<BoundPtr> fields;
    for (int i = 0; i < column.field->type()->num_fields(); ++i) {
      if (!except->Takes(LowerAscii(column.field->type()->field(i)->name()), {column.name}))
        fields.push_back(MakeField(of, i, span));
    }
    return fields;
  }
  return std::nullopt;
}

}  // namespace

Result<std::vector<BoundPtr>> BindStar(const QueryBinder& queries, const Scope& scope,
                                       const Star& star, Span span) {
  Excluded except(star.except);
  auto of_struct = StarOfStruct(scope, star, span, &except);
  bool any = of_struct.has_value();
  std::vector<BoundPtr> columns;
  if (any) columns = *std::move(of_struct);
  for (const ScopeColumn& column : scope.columns) {
    if (of_struct.has_value()) break;
    if (star.qualifier.empty() ? !column.in_star : !QualifiedBy(column, star.qualifier)) continue;
    any = true;
    if (!except.Takes(column.name, column.qualifier))
      columns.push_back(MakeColumn(column.index, *column.field, span));
  }
  if (!any && !star.qualifier.empty()) {
    return queries.Error(
        span, "CANNOT_RESOLVE_STAR_EXPAND",
        fmt::format("cannot resolve `{}`.* given input columns", star.qualifier.back().text));
  }
  if (const QualifiedName* missed = except.Missed()) {
    if (missed->parts.size() > 1)
      return queries.Unsupported(missed->span, "a field of a struct in EXCEPT");
    return queries.Error(
        missed->span, "UNRESOLVED_COLUMN.WITHOUT_SUGGESTION",
        fmt::format("the column `{}` of EXCEPT does not exist", LowerAscii(missed->last())));
  }
  return columns;
}

}  // namespace sluice::sql
