// CREATE, ALTER and DROP VIEW: temporary views are the session's, others are kept by the view
// store.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "plan/column_comment.h"
#include "sql/ast/parse_error.h"
#include "sql/expressions/analysis_error.h"
#include "sql/parser/data_type_name.h"
#include "statements/column_fields.h"
#include "statements/named_relation.h"
#include "statements/session.h"
#include "statements/statements_internal.h"

namespace sluice::statements {
namespace {

/// What a view shall be: the parts of CREATE VIEW and ALTER VIEW AS.
struct Wanted {
  std::string key;  // its name in ViewsRead
  bool temporary = false;
  const sql::Query* query = nullptr;
  const std::vector<sql::ColumnDefinition>* columns = nullptr;
};

Status CheckClauses(Job& job, const sql::CreateView& create, sql::Span span) {
  const sql::DatasetOptions& options = create.options;
  const bool of_tables = options.using_format.has_value() || !options.partitioned_by.empty() ||
                         options.clustering != sql::DatasetOptions::Clustering::kUnset ||
                         options.location.has_value() || !options.options.empty() ||
                         options.row_filter.has_value() || options.schedule.has_value() ||
                         options.trigger.has_value() || !options.constraints.empty();
  if (of_tables) return job.NotSupported(span, "a clause of tables in CREATE VIEW");
  if (!options.expectations.empty()) return job.NotSupported(span, "EXPECT outside a pipeline");
  if (options.collation.has_value()) return job.NotSupported(span, "DEFAULT COLLATION");
  for (const sql::ColumnDefinition& column : options.columns) {
    if (column.type.has_value())
      return sql::ErrorAt(*job.file.source, column.span, "PARSE_SYNTAX_ERROR",
                          "the columns of a view have no types: " + column.name.text,
                          "cast in the query");
  }
  if (create.or_replace && create.if_not_exists)
    return sql::ErrorAt(*job.file.source, span, "CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE",
                        "CREATE VIEW with both OR REPLACE and IF NOT EXISTS", "use one of them");
  if (create.temporary && create.if_not_exists)
    return sql::ErrorAt(*job.file.source, span, "PARSE_SYNTAX_ERROR",
                        "a temporary view with IF NOT EXISTS is not allowed", "use OR REPLACE");
  return Status::OK();
}

Status CheckColumns(Job& job, const Wanted& wanted, const arrow::Schema& schema, sql::Span span) {
  const size_t named = wanted.columns->size();
  const auto given = static_cast<size_t>(schema.num_fields());
  if (named > 0 && named != given)
    return sql::AnalysisError(
        *job.file.source, span,
        named > given ? "CREATE_VIEW_COLUMN_ARITY_MISMATCH.NOT_ENOUGH_DATA_COLUMNS"
                      : "CREATE_VIEW_COLUMN_ARITY_MISMATCH.TOO_MANY_DATA_COLUMNS",
        fmt::format("the view names {} columns, its query has {}", named, given));
  std::set<std::string> seen;
  for (size_t i = 0; i < given; ++i) {
    const std::string& name =
        named > 0 ? (*wanted.columns)[i].name.text : schema.field(static_cast<int>(i))->name();
    if (!seen.insert(LowerAscii(name)).second)
      return sql::AnalysisError(*job.file.source, span, "COLUMN_ALREADY_EXISTS",
                                "the column `" + name + "` is there twice",
                                "give the columns other names");
  }
  return Status::OK();
}

/// Whether the name of a column does not depend on how a version writes expressions.
bool HasName(const sql::Expr& expr) {
  if (const auto* cast = expr.As<sql::Cast>())
    return cast->operand->As<sql::ColumnRef>() != nullptr;
  return expr.As<sql::ColumnRef>() != nullptr || expr.As<sql::Star>() != nullptr ||
         expr.As<sql::FieldAccess>() != nullptr || expr.As<sql::Literal>() != nullptr;
}

/// A kept view finds the columns of its query by name: not by one like `(1 + 1)`.
Status CheckNames(Job& job, const Wanted& wanted) {
  if (wanted.temporary) return Status::OK();
  const sql::Query* query = wanted.query;
  while (const auto* nested = std::get_if<sql::NestedQuery>(&query->body)) query = &*nested->query;
  const auto* select = std::get_if<sql::Select>(&query->body);
  if (select == nullptr) return Status::OK();
  for (const sql::SelectItem& item : select->items) {
    if (!item.aliases.empty() || HasName(*item.expr)) continue;
    return sql::AnalysisError(*job.file.source, item.expr->span,
                              "CREATE_PERMANENT_VIEW_WITHOUT_ALIAS",
                              "a column of a view that is kept needs a name", "add AS name");
  }
  return Status::OK();
}

Status CheckReads(Job& job, const Wanted& wanted, const plan::ViewsRead& read, sql::Span span) {
  if (read.all.contains(wanted.key))
    return sql::AnalysisError(*job.file.source, span, "RECURSIVE_VIEW",
                              "the view " + wanted.key + " would read itself");
  if (!wanted.temporary && !read.temporary.empty())
    return sql::AnalysisError(
        *job.file.source, span, "INVALID_TEMP_OBJ_REFERENCE",
        "a view that is kept cannot read the temporary view " + *read.temporary.begin(),
        "make it temporary too, or keep the view that it reads");
  return Status::OK();
}

/// The view as it will be kept, analyzed.
Result<plan::ViewDefinition> Define(Job& job, const Wanted& wanted, sql::Span span) {
  plan::ViewsRead read;
  AdHocOptions options;
  options.views_read = &read;
  SLUICE_ASSIGN_OR_RETURN(const sql::PlanPtr plan,
                          AnalyzeAdHoc(job.context, job.file, *wanted.query, options));
  if (plan->is_streaming) return job.NotSupported(span, "a view over a stream outside a pipeline");
  SLUICE_RETURN_NOT_OK(CheckReads(job, wanted, read, span));
  SLUICE_RETURN_NOT_OK(CheckColumns(job, wanted, *plan->schema, span));
  SLUICE_RETURN_NOT_OK(CheckNames(job, wanted));
  plan::ViewDefinition view;
  view.query = std::string(job.file.source->Slice(wanted.query->span));
  view.schema = job.context.spec.database;
  view.temporary_views.assign(read.temporary.begin(), read.temporary.end());
  view.created_ms = job.clock.NowMicros() / 1000;
  view.columns = plan::ViewColumnsOf(*plan::CommentedSchema(*plan));
  for (size_t i = 0; i < wanted.columns->size(); ++i) {
    view.columns[i].name = (*wanted.columns)[i].name.text;
    if ((*wanted.columns)[i].comment.has_value())
      view.columns[i].comment = (*wanted.columns)[i].comment;
  }
  return view;
}

Result<RowReader> CreateTemporary(Job& job, const sql::CreateView& create, sql::Span span) {
  plan::TemporaryViews& views = job.context.session.views();
  if (create.name.parts.size() != 1)
    return sql::AnalysisError(*job.file.source, create.name.span, "INVALID_TEMP_OBJ_QUALIFIER",
                              "a temporary view has no schema: " + create.name.ToString());
  if (!create.options.properties.empty())
    return sql::ErrorAt(*job.file.source, span, "PARSE_SYNTAX_ERROR",
                        "operation not allowed: TBLPROPERTIES of a temporary view",
                        "leave them out");
  Wanted wanted{LowerAscii(create.name.last()), true, &*create.query, &create.options.columns};
  if (create.global) wanted.key = std::string(plan::kGlobalTemporarySchema) + "." + wanted.key;
  if (views.contains(wanted.key) && !create.or_replace)
    return sql::AnalysisError(*job.file.source, create.name.span,
                              "TEMP_TABLE_OR_VIEW_ALREADY_EXISTS",
                              "the temporary view " + create.name.ToString() + " already exists",
                              "use CREATE OR REPLACE TEMPORARY VIEW");
  SLUICE_ASSIGN_OR_RETURN(plan::ViewDefinition view, Define(job, wanted, span));
  view.comment = create.options.comment;
  views[wanted.key] = std::move(view);
  return NoRows();
}

Status Exists(Job& job, const sql::QualifiedName& name, const char* what) {
  return sql::AnalysisError(*job.file.source, name.span, "TABLE_OR_VIEW_ALREADY_EXISTS",
                            std::string("the ") + what + " " + name.ToString() + " already exists",
                            "drop it first, or use IF NOT EXISTS or CREATE OR REPLACE VIEW");
}

Status NotAView(Job& job, const sql::QualifiedName& name) {
  return sql::AnalysisError(*job.file.source, name.span, "EXPECT_VIEW_NOT_TABLE.NO_ALTERNATIVE",
                            name.ToString() + " is a table, and a view is expected");
}

Status CheckSchema(Job& job, const sql::QualifiedName& name) {
  sql::QualifiedName schema = name;
  schema.parts.pop_back();
  if (schema.parts.empty()) return Status::OK();
  return ExistingSchema(job.context, job.file, schema).status();
}

/// The view that ALTER names.
Result<NamedRelation> ViewToAlter(Job& job, const sql::QualifiedName& name) {
  SLUICE_ASSIGN_OR_RETURN(NamedRelation relation, LookUp(job.context, name));
  if (relation.IsView()) return relation;
  if (relation.kind == NamedRelation::Kind::kTable) return NotAView(job, name);
  return sql::AnalysisError(*job.file.source, name.span, "TABLE_OR_VIEW_NOT_FOUND",
                            "the view " + name.ToString() + " cannot be found",
                            "SHOW VIEWS lists them");
}

Status Replace(Job& job, const NamedRelation& relation, plan::ViewDefinition view) {
  if (relation.kind == NamedRelation::Kind::kTemporaryView) {
    job.context.session.views()[relation.key] = std::move(view);
    return Status::OK();
  }
  return ViewsOf(job.context).Write(*relation.location.name, relation.stored, view);
}

Status Rename(Job& job, const NamedRelation& relation, const sql::QualifiedName& to) {
  if (relation.kind == NamedRelation::Kind::kTemporaryView) {
    plan::TemporaryViews& views = job.context.session.views();
    const std::string key =
        (IsGlobalKey(relation.key) ? std::string(plan::kGlobalTemporarySchema) + "." : "") +
        LowerAscii(to.last());
    if (views.contains(key)) return Exists(job, to, "temporary view");
    auto moved = views.extract(relation.key);
    moved.key() = key;
    views.insert(std::move(moved));
    return Status::OK();
  }
  SLUICE_RETURN_NOT_OK(CheckSchema(job, to));
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation target, LookUpStored(job.context, to));
  if (target.kind != NamedRelation::Kind::kNone) return Exists(job, to, "table or view");
  if (!target.location.name.has_value()) return job.NotSupported(to.span, "a view named by a path");
  const plan::ViewStore store = ViewsOf(job.context);
  // The new name first: a crash between leaves two views, not none.
  SLUICE_RETURN_NOT_OK(store.Write(*target.location.name, target.stored, relation.stored.view));
  return store.Write(*relation.location.name, relation.stored, std::nullopt);
}

}  // namespace

Result<RowReader> RunCreateView(Job& job, const sql::CreateView& create, sql::Span span) {
  SLUICE_RETURN_NOT_OK(CheckClauses(job, create, span));
  if (create.temporary) return CreateTemporary(job, create, span);
  SLUICE_RETURN_NOT_OK(CheckSchema(job, create.name));
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation before, LookUpStored(job.context, create.name));
  if (!before.location.name.has_value())
    return job.NotSupported(create.name.span, "a view named by a path");
  if (before.kind != NamedRelation::Kind::kNone && create.if_not_exists) return NoRows();
  if (before.kind == NamedRelation::Kind::kTable)
    return create.or_replace ? NotAView(job, create.name) : Exists(job, create.name, "table");
  if (before.IsView() && !create.or_replace) return Exists(job, create.name, "view");
  const Wanted wanted{before.location.name->ToString(), false, &*create.query,
                      &create.options.columns};
  SLUICE_ASSIGN_OR_RETURN(plan::ViewDefinition view, Define(job, wanted, span));
  view.comment = create.options.comment;
  for (const auto& [key, value] : PropertiesOf(create.options.properties))
    view.properties[key] = value;
  if (before.IsView() && plan::SameView(*before.view(), view)) return NoRows();
  SLUICE_RETURN_NOT_OK(ViewsOf(job.context).Write(*before.location.name, before.stored, view));
  return NoRows();
}

Result<RowReader> RunAlterView(Job& job, const sql::AlterTable& alter, sql::Span span) {
  using Kind = sql::AlterAction::Kind;
  const sql::AlterAction& action = alter.action;
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, ViewToAlter(job, alter.name));
  const bool temporary = relation.kind == NamedRelation::Kind::kTemporaryView;
  plan::ViewDefinition view = *relation.view();
  switch (action.kind) {
    case Kind::kSetQuery: {
      const std::vector<sql::ColumnDefinition> none;
      const Wanted wanted{temporary ? relation.key : relation.location.name->ToString(), temporary,
                          &*action.query, &none};
      SLUICE_ASSIGN_OR_RETURN(plan::ViewDefinition changed, Define(job, wanted, span));
      changed.comment = view.comment;
      changed.properties = view.properties;
      changed.created_ms = view.created_ms;
      view = std::move(changed);
      break;
    }
    case Kind::kSetProperties:
      for (const auto& [key, value] : PropertiesOf(action.properties)) view.properties[key] = value;
      break;
    case Kind::kUnsetProperties:
      for (const std::string& key : action.keys) view.properties.erase(key);
      break;
    case Kind::kRename:
      SLUICE_RETURN_NOT_OK(Rename(job, relation, action.new_name));
      return NoRows();
    default: return job.NotSupported(action.span, "this ALTER VIEW");
  }
  SLUICE_RETURN_NOT_OK(Replace(job, relation, std::move(view)));
  return NoRows();
}

Result<RowReader> RunDropView(Job& job, const sql::DropObject& drop) {
  SLUICE_ASSIGN_OR_RETURN(const NamedRelation relation, LookUp(job.context, drop.name));
  if (relation.kind == NamedRelation::Kind::kTemporaryView) {
    job.context.session.views().erase(relation.key);
    return NoRows();
  }
  if (relation.kind == NamedRelation::Kind::kTable)
    return sql::AnalysisError(*job.file.source, drop.name.span, "WRONG_COMMAND_FOR_OBJECT_TYPE",
                              "DROP VIEW of the table " + drop.name.ToString(), "use DROP TABLE");
  if (relation.kind == NamedRelation::Kind::kView) {
    SLUICE_RETURN_NOT_OK(
        ViewsOf(job.context).Write(*relation.location.name, relation.stored, std::nullopt));
    return NoRows();
  }
  if (drop.if_exists) return NoRows();
  return sql::AnalysisError(*job.file.source, drop.name.span, "TABLE_OR_VIEW_NOT_FOUND",
                            "the view " + drop.name.ToString() + " cannot be found",
                            "SHOW VIEWS lists them; or use DROP VIEW IF EXISTS");
}

}  // namespace sluice::statements
