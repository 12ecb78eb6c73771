// Pieces of the printer that its files share.
#pragma once

#include <string>
#include <vector>

#include "sql/ast.h"

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

std::string PrintName(const Name& name);
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
/// How an operator is written: "=", "AND", "DIV".
const char* OperatorText(BinaryOp op);

}  // namespace sluice::sql
