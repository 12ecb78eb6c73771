#include <utility>

#include "sql/parser/interval_text.h"
#include "sql/print/print.h"
#include "sql/print/print_internal.h"

namespace sluice::sql {
namespace {

bool IsPrimary(const Relation& relation) {
  return relation.As<Join>() == nullptr && relation.As<Pivot>() == nullptr &&
         relation.As<Unpivot>() == nullptr && relation.As<LateralView>() == nullptr;
}

const char* JoinText(const Join& join) {
  switch (join.type) {
    case JoinType::kInner: return " JOIN ";
    case JoinType::kLeft: return " LEFT JOIN ";
    case JoinType::kRight: return " RIGHT JOIN ";
    case JoinType::kFull: return " FULL JOIN ";
    case JoinType::kCross: return " CROSS JOIN ";
    case JoinType::kLeftSemi: return " LEFT SEMI JOIN ";
    case JoinType::kLeftAnti: return " LEFT ANTI JOIN ";
  }
  return "";
}

std::string PrintChanges(const ChangesClause& changes) {
  std::string text = " CHANGES";
  const char* by = changes.by_timestamp ? "TIMESTAMP " : "VERSION ";
  if (changes.from) {
    text += std::string(" FROM ") + by + ToSql(*changes.from) +
            (changes.from_exclusive ? " EXCLUSIVE" : "");
  }
  if (changes.to) {
    text +=
        std::string(" TO ") + by + ToSql(*changes.to) + (changes.to_exclusive ? " EXCLUSIVE" : "");
  }
  return text;
}

std::string PrintStreamClauses(const std::vector<Property>& options,
                               const std::optional<Name>& identified_by) {
  std::string text = options.empty() ? "" : " WITH " + PrintProperties(options);
  return identified_by ? text + " IDENTIFIED BY " + PrintName(*identified_by) : text;
}

std::string PrintSample(const TableSample& sample) {
  std::string text = " TABLESAMPLE (";
  if (sample.amount) {
    text +=
        ToSql(*sample.amount) + (sample.kind == TableSample::Kind::kRows ? " ROWS" : " PERCENT");
  } else {
    text += sample.text;
  }
  text += ")";
  return sample.repeatable ? text + " REPEATABLE (" + std::to_string(*sample.repeatable) + ")"
                           : text;
}

struct RelationPrinter {
  std::string operator()(const TableRef& table) const {
    std::string text = (table.stream ? "STREAM " : "") + table.name.ToString();
    if (table.time_travel) {
      text += " " + PrintTimeTravel(*table.time_travel);
    }
    if (table.changes) {
      text += PrintChanges(*table.changes);
    }
    return text + PrintStreamClauses(table.options, table.identified_by);
  }

  std::string operator()(const TableFunction& function) const {
    return std::string(function.lateral ? "LATERAL " : "") + (function.stream ? "STREAM " : "") +
           function.name.ToString() + "(" + PrintArguments(function.arguments) + ")" +
           PrintStreamClauses(function.options, function.identified_by);
  }

  std::string operator()(const SubqueryRelation& subquery) const {
    return (subquery.lateral ? "LATERAL (" : "(") + ToSql(*subquery.query) + ")";
  }

  std::string operator()(const Values& values) const {
    return "VALUES " + Joined(values.rows, ", ", [](const std::vector<Expr>& row) {
             return "(" + PrintExprs(row) + ")";
           });
  }

  std::string operator()(const NestedRelation& nested) const {
    return "(" + ToSql(*nested.inner) + ")";
  }

  std::string operator()(const Join& join) const {
    const std::string left = join.left ? ToSql(*join.left) : "";
    if (join.type == JoinType::kCross && !IsPrimary(*join.right)) {
      return left + ", " + ToSql(*join.right);
    }
    std::string text = left + (join.natural ? " NATURAL" : "") + JoinText(join) + Right(join);
    if (join.on) {
      text += " ON " + ToSql(*join.on);
    } else if (!join.using_columns.empty()) {
      text += " USING (" + PrintNames(join.using_columns) + ")";
    }
    return text;
  }

  static std::string Right(const Join& join) {
    const std::string text = ToSql(*join.right);
    return IsPrimary(*join.right) ? text : "(" + text + ")";
  }

  std::string operator()(const Pivot& pivot) const {
    const std::string columns = PrintNames(pivot.columns);
    const std::string values = Joined(pivot.values, ", ", [](const Pivot::Value& value) {
      return ToSql(*value.value) + (value.alias ? " AS " + PrintName(*value.alias) : "");
    });
    return Input(pivot.input) + " PIVOT (" + PrintSelectItems(pivot.aggregates) + " FOR " +
           (pivot.columns.size() == 1 ? columns : "(" + columns + ")") + " IN (" + values + "))";
  }

  std::string operator()(const Unpivot& unpivot) const {
    const std::string values = PrintNames(unpivot.values);
    const std::string columns = Joined(unpivot.columns, ", ", [&](const Unpivot::Column& column) {
      const std::string names =
          Joined(column.columns, ", ", [](const QualifiedName& name) { return name.ToString(); });
      return (column.columns.size() == 1 ? names : "(" + names + ")") +
             (column.alias ? " AS " + PrintName(*column.alias) : "");
    });
    return Input(unpivot.input) + " UNPIVOT " + (unpivot.include_nulls ? "INCLUDE NULLS " : "") +
           "(" + (unpivot.values.size() == 1 ? values : "(" + values + ")") + " FOR " +
           PrintName(unpivot.name) + " IN (" + columns + "))";
  }

  std::string operator()(const LateralView& view) const {
    std::string text = Input(view.input) + " LATERAL VIEW " + (view.outer ? "OUTER " : "") +
                       view.generator.name.ToString() + "(" +
                       PrintArguments(view.generator.arguments) + ")";
    if (!view.table.text.empty()) {
      text += " " + PrintName(view.table);
    }
    return view.columns.empty() ? text : text + " AS " + PrintNames(view.columns);
  }

  static std::string Input(const Box<Relation>& input) { return input ? ToSql(*input) : ""; }
};

std::string PrintGroupingElement(const GroupingElement& element) {
  if (element.kind == GroupingElement::Kind::kExpression) {
    return ToSql(*element.expr);
  }
  const bool sets = element.kind == GroupingElement::Kind::kGroupingSets;
  const char* word = sets                                           ? "GROUPING SETS ("
                     : element.kind == GroupingElement::Kind::kCube ? "CUBE ("
                                                                    : "ROLLUP (";
  return word +
         Joined(element.sets, ", ",
                [&](const std::vector<Expr>& set) {
                  return set.size() == 1 && !sets ? ToSql(set[0]) : "(" + PrintExprs(set) + ")";
                }) +
         ")";
}

std::string PrintSelect(const Select& select) {
  std::string text;
  if (select.from_only) {
    text = "FROM " + ToSql(*select.from);
  } else {
    text = (select.distinct ? "SELECT DISTINCT " : "SELECT ") + PrintSelectItems(select.items);
    text += select.from ? " FROM " + ToSql(*select.from) : "";
  }
  if (select.where) {
    text += " WHERE " + ToSql(*select.where);
  }
  if (select.group_by) {
    text += " GROUP BY " + (select.group_by->all
                                ? std::string("ALL")
                                : Joined(select.group_by->elements, ", ", PrintGroupingElement));
  }
  if (select.having) {
    text += " HAVING " + ToSql(*select.having);
  }
  if (select.qualify) {
    text += " QUALIFY " + ToSql(*select.qualify);
  }
  if (!select.windows.empty()) {
    text += " WINDOW " + Joined(select.windows, ", ", [](const NamedWindow& window) {
              return PrintName(window.name) + " AS " + PrintWindow(window.spec);
            });
  }
  return text;
}

/// An operand of a set operation; one with clauses of its own needs parentheses.
std::string PrintOperand(const Box<Query>& query) {
  if (!query) {
    return "";
  }
  const bool bare =
      query->with.empty() && PrintOrganization(*query).empty() && query->As<PipeQuery>() == nullptr;
  return bare ? ToSql(*query) : "(" + ToSql(*query) + ")";
}

std::string PrintPipeQuery(const PipeQuery& pipe) {
  std::string text = ToSql(*pipe.input);
  for (const PipeStep& step : pipe.steps) {
    text += " |> " + PrintPipeStep(step);
  }
  return text;
}

struct BodyPrinter {
  std::string operator()(const Values& values) const { return RelationPrinter{}(values); }
  std::string operator()(const Select& select) const { return PrintSelect(select); }
  std::string operator()(const TableQuery& table) const { return "TABLE " + table.name.ToString(); }
  std::string operator()(const PipeQuery& pipe) const { return PrintPipeQuery(pipe); }
  std::string operator()(const NestedQuery& nested) const {
    return "(" + ToSql(*nested.query) + ")";
  }
  std::string operator()(const SetOperation& operation) const {
    return PrintSetOperation(operation);
  }
};

}  // namespace

std::string PrintSetOperation(const SetOperation& operation) {
  const char* word = operation.op == SetOperator::kUnion       ? "UNION"
                     : operation.op == SetOperator::kIntersect ? "INTERSECT"
                                                               : "EXCEPT";
  const std::string left = PrintOperand(operation.left);
  return left + (left.empty() ? "" : " ") + word + (operation.all ? " ALL" : "") +
         (operation.by_name ? " BY NAME " : " ") + PrintOperand(operation.right);
}

std::string PrintOrganization(const Query& query) {
  std::string text;
  if (!query.order_by.empty()) {
    text += " ORDER BY " + PrintOrderItems(query.order_by);
  }
  if (!query.cluster_by.empty()) {
    text += " CLUSTER BY " + PrintExprs(query.cluster_by);
  }
  if (!query.distribute_by.empty()) {
    text += " DISTRIBUTE BY " + PrintExprs(query.distribute_by);
  }
  if (!query.sort_by.empty()) {
    text += " SORT BY " + PrintOrderItems(query.sort_by);
  }
  if (query.limit) {
    text += " LIMIT " + ToSql(*query.limit);
  }
  return query.offset ? text + " OFFSET " + ToSql(*query.offset) : text;
}

std::string PrintSelectItems(const std::vector<SelectItem>& items) {
  return Joined(items, ", ", [](const SelectItem& item) {
    const std::string aliases = PrintNames(item.aliases);
    return ToSql(*item.expr) + (item.aliases.empty()       ? ""
                                : item.aliases.size() == 1 ? " AS " + aliases
                                                           : " AS (" + aliases + ")");
  });
}

std::string PrintProperties(const std::vector<Property>& properties) {
  return "(" +
         Joined(properties, ", ",
                [](const Property& property) {
                  return QuoteString(property.key) + " = " + QuoteString(property.value);
                }) +
         ")";
}

std::string ToSql(const Relation& relation) {
  std::string text = std::visit(RelationPrinter{}, relation.node);
  if (relation.sample) {
    text += PrintSample(*relation.sample);
  }
  if (relation.watermark) {
    const Watermark& watermark = *relation.watermark;
    text += " WATERMARK " + ToSql(*watermark.expr) +
            (watermark.alias ? " AS " + PrintName(*watermark.alias) : "") + " DELAY OF INTERVAL " +
            FormatInterval(watermark.delay);
  }
  text += PrintTableAlias(relation.alias);
  return text;
}

std::string PrintTimeTravel(const TimeTravel& travel) {
  return (travel.by_timestamp ? "TIMESTAMP AS OF " : "VERSION AS OF ") + ToSql(*travel.value);
}

std::string PrintTableAlias(const std::optional<TableAlias>& alias) {
  if (!alias) {
    return "";
  }
  const std::string columns = alias->columns.empty() ? "" : " (" + PrintNames(alias->columns) + ")";
  return " AS " + PrintName(alias->name) + columns;
}

std::string PrintWith(bool recursive, const std::vector<CommonTable>& tables) {
  if (tables.empty()) {
    return "";
  }
  const auto print = [](const CommonTable& table) {
    return PrintName(table.name) +
           (table.columns.empty() ? "" : " (" + PrintNames(table.columns) + ")") +
           (table.most_levels.has_value()
                ? " MAX RECURSION LEVEL " + std::to_string(*table.most_levels)
                : "") +
           " AS (" + ToSql(*table.query) + ")";
  };
  return (recursive ? "WITH RECURSIVE " : "WITH ") + Joined(tables, ", ", print) + " ";
}

std::string ToSql(const Query& query) {
  return PrintWith(query.recursive, query.with) + std::visit(BodyPrinter{}, query.body) +
         PrintOrganization(query);
}

}  // namespace sluice::sql
