#include "plan/table_references.h"

#include <algorithm>

#include "base/text.h"
#include "sql/analysis/ast_walk.h"

namespace sluice::plan {
namespace {

/// The parts of a name between dots.
std::vector<std::string> SplitName(const std::string& name) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= name.size();) {
    const size_t end = std::min(name.find('.', begin), name.size());
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return parts;
}

class ReferenceFinder {
 public:
  ReferenceFinder(const std::string& catalog, const std::string& schema)
      : catalog_(catalog), schema_(schema) {}

  void Walk(const sql::Query& query) {
    const size_t outer = common_tables_.size();
    for (const sql::CommonTable& table : query.with) {
      if (query.recursive) common_tables_.push_back(table.name.text);
      Walk(*table.query);
      if (!query.recursive) common_tables_.push_back(table.name.text);
    }
    std::visit([this](const auto& body) { WalkBody(body); }, query.body);
    for (const sql::OrderItem& item : query.order_by) Walk(*item.expr);
    common_tables_.resize(outer);
  }

  Result<std::vector<TableReference>> Finish() {
    SLUICE_RETURN_NOT_OK(status_);
    return std::move(found_);
  }

 private:
  void WalkBody(const sql::Values& values) {
    for (const auto& row : values.rows) {
      for (const sql::Expr& expr : row) Walk(expr);
    }
  }
  void WalkBody(const sql::Select& select) {
    if (select.from) Walk(*select.from);
    for (const sql::SelectItem& item : select.items) Walk(*item.expr);
    for (const auto* expr : {&select.where, &select.having, &select.qualify}) {
      if (*expr) Walk(**expr);
    }
  }
  void WalkBody(const sql::SetOperation& operation) {
    if (operation.left) Walk(*operation.left);
    if (operation.right) Walk(*operation.right);
  }
  void WalkBody(const sql::TableQuery& table) { Add(table.name, false); }
  void WalkBody(const sql::PipeQuery& pipe) {
    Walk(*pipe.input);
    for (const sql::PipeStep& step : pipe.steps) {
      for (const sql::SelectItem& item : step.items) Walk(*item.expr);
      if (step.condition) Walk(*step.condition);
      if (step.relation) Walk(*step.relation);
      if (step.operation) WalkBody(*step.operation);
      if (step.organize) Walk(*step.organize);
    }
  }
  void WalkBody(const sql::NestedQuery& nested) { Walk(*nested.query); }

  void Walk(const sql::Relation& relation) {
    std::visit([this](const auto& node) { WalkRelation(node); }, relation.node);
  }
  void WalkRelation(const sql::TableRef& table) { Add(table.name, table.stream); }
  void WalkRelation(const sql::TableFunction& function) {
    const auto* name =
        function.arguments.empty() ? nullptr : function.arguments[0].value->As<sql::Literal>();
    if (EqualsIgnoreCase(function.name.last(), "table_changes") && name != nullptr &&
        name->kind == sql::LiteralKind::kString) {
      sql::QualifiedName table;
      for (const std::string& part : SplitName(name->text))
        table.parts.push_back({part, {}, false});
      table.span = function.arguments[0].value->span;
      Add(table, false);
    }
    for (const sql::Argument& argument : function.arguments) Walk(*argument.value);
  }
  void WalkRelation(const sql::SubqueryRelation& subquery) { Walk(*subquery.query); }
  void WalkRelation(const sql::Values& values) { WalkBody(values); }
  void WalkRelation(const sql::NestedRelation& nested) { Walk(*nested.inner); }
  void WalkRelation(const sql::Join& join) {
    if (join.left) Walk(*join.left);
    Walk(*join.right);
    if (join.on) Walk(*join.on);
  }
  void WalkRelation(const sql::Pivot& pivot) {
    if (pivot.input) Walk(*pivot.input);
  }
  void WalkRelation(const sql::Unpivot& unpivot) {
    if (unpivot.input) Walk(*unpivot.input);
  }
  void WalkRelation(const sql::LateralView& view) {
    if (view.input) Walk(*view.input);
  }

  void Walk(const sql::Expr& expr) {
    sql::VisitTree(expr, [this](const sql::Expr& node) {
      if (const sql::Query* query = sql::SubqueryOf(node)) Walk(*query);
      return true;
    });
  }

  void Add(const sql::QualifiedName& name, bool stream) {
    if (name.parts.size() == 2 && EqualsIgnoreCase(name.parts[0].text, "delta")) return;
    const bool common =
        name.parts.size() == 1 &&
        std::any_of(common_tables_.begin(), common_tables_.end(),
                    [&](const std::string& table) { return EqualsIgnoreCase(table, name.last()); });
    if (common) return;
    std::vector<std::string> parts = name.Texts();
    if (parts.size() > 1 && EqualsIgnoreCase(parts.front(), "live")) parts.erase(parts.begin());
    auto qualified = catalog::QualifyName(parts, catalog_, schema_);
    if (!qualified.ok()) {
      if (status_.ok()) status_ = qualified.status();
      return;
    }
    found_.push_back({*qualified, stream, name.span});
  }

  const std::string& catalog_;
  const std::string& schema_;
  std::vector<std::string> common_tables_;
  std::vector<TableReference> found_;
  Status status_;
};

}  // namespace

Result<std::vector<TableReference>> FindTableReferences(const sql::Query& query,
                                                        const std::string& catalog,
                                                        const std::string& default_schema) {
  ReferenceFinder finder(catalog, default_schema);
  finder.Walk(query);
  return finder.Finish();
}

}  // namespace sluice::plan
