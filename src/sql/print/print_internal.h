// Pieces of the printer that its files share.
#pragma once

#include <string>
#include <vector>

#include "sql/ast/ast.h"
#include "sql/ast/dataset_ast.h"
#include "sql/ast/quote.h"  // IWYU pragma: export
#include "sql/ast/table_ast.h"

namespace sluice::sql {

/// The texts of `items` with `separator` between them.
template <typename T, typename Print>
std::string Joined(const std::vector<T>& items, const char* separator, Print print) {
  std::string text;
  for (size_t i = 0; i < items.size(); ++i) {
    text += (i == 0 ? "" : separator) + print(items[i]);
  }
  return text;
}

std::string PrintNames(const std::vector<Name>& names);
std::string PrintExprs(const std::vector<Expr>& exprs);
std::string PrintOrderItems(const std::vector<OrderItem>& items);
std::string PrintWindow(const WindowSpec& spec);
std::string PrintArguments(const std::vector<Argument>& arguments);
std::string PrintSelectItems(const std::vector<SelectItem>& items);
std::string PrintProperties(const std::vector<Property>& properties);
std::string PrintLiteral(const Literal& literal);
/// ORDER BY, LIMIT and so on, with a leading blank; "" if there are none.
std::string PrintOrganization(const Query& query);
/// With what operands it has.
std::string PrintSetOperation(const SetOperation& operation);
/// Without the leading |>.
std::string PrintPipeStep(const PipeStep& step);
std::string PrintQualifiedNames(const std::vector<QualifiedName>& names);
std::string PrintKey(const KeyConstraint& key);
/// With the name, and what follows it (" INT NOT NULL ..").
std::string PrintColumn(const ColumnDefinition& column);
std::string PrintColumnType(const ColumnDefinition& column);
std::string PrintClustering(DatasetOptions::Clustering clustering,
                            const std::vector<QualifiedName>& columns);
std::string PrintSchedule(const Schedule& schedule);
std::string PrintTrigger(const TriggerOnUpdate& trigger);
std::string PrintRowFilter(const RowFilter& filter);
/// The column list and the clauses, with a leading blank; "" if there are none.
std::string PrintOptions(const DatasetOptions& options);
/// [BY NAME] [REPLACE ..] query, with a leading blank.
std::string PrintInsertRows(const InsertFlow& insert);
/// PARTITION (a = 1, b), with a leading blank; "" if there is none.
std::string PrintPartition(const std::vector<Expr>& partition);
std::string PrintWith(bool recursive, const std::vector<CommonTable>& tables);
/// AS t (a, b), with a leading blank; "" if there is none.
std::string PrintTableAlias(const std::optional<TableAlias>& alias);
/// VERSION AS OF .., TIMESTAMP AS OF ..
std::string PrintTimeTravel(const TimeTravel& travel);

/// The statements of table_ast.h.
struct TablePrinter {
  std::string operator()(const CreateTable& table) const;
  std::string operator()(const AlterTable& alter) const;
  std::string operator()(const DropObject& drop) const;
  std::string operator()(const InsertInto& insert) const;
  std::string operator()(const UpdateTable& update) const;
  std::string operator()(const DeleteFrom& remove) const;
  std::string operator()(const MergeInto& merge) const;
  std::string operator()(const TruncateTable& truncate) const;
  std::string operator()(const OptimizeTable& optimize) const;
  std::string operator()(const AnalyzeTable& analyze) const;
  std::string operator()(const VacuumTable& vacuum) const;
  std::string operator()(const RestoreTable& restore) const;
  std::string operator()(const ConvertToDelta& convert) const;
  std::string operator()(const ReorgTable& reorg) const;
  std::string operator()(const GenerateManifest& generate) const;
  std::string operator()(const RefreshObject& refresh) const;
  std::string operator()(const CreateSchema& schema) const;
  std::string operator()(const CommentOn& comment) const;
};

/// How an operator is written: "=", "AND", "DIV".
const char* OperatorText(BinaryOp op);

}  // namespace sluice::sql
