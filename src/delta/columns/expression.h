// What the library asks of whoever can evaluate SQL: tables carry expressions as text (CHECK
// constraints, generated columns, defaults), and DML is given conditions and values. The library
// itself knows neither a parser nor functions.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/predicate.h"

namespace sluice::delta {

/// A column computed from rows, as long as they are. Called from one thread at a time.
using RowFunction = std::function<Result<std::shared_ptr<arrow::Array>>(
    const std::shared_ptr<arrow::RecordBatch>& rows)>;

/// Which rows of a table a statement means.
struct RowCondition {
  /// BOOLEAN, null counts as false, over rows with all columns of the table in their order. Empty =
  /// every row.
  RowFunction holds;
  /// Implied by the condition: where it cannot be TRUE no row is meant. Empty = prunes nothing.
  Predicate prunes;
  /// Columns of the table that `holds` reads; the others may be null in the rows it is given.
  /// nullopt = not known: all are read.
  std::optional<std::vector<std::string>> columns;
  std::string text;  // as the history shows it

  static RowCondition Always() { return {nullptr, {}, std::vector<std::string>(), ""}; }
};

/// `path` = value: a column, or a field of struct columns (an absent struct comes into being, its
/// other fields null).
struct Assignment {
  std::vector<std::string> path;
  RowFunction value;  // of the column's type or castable to it without loss
};

class ExpressionCompiler {
 public:
  virtual ~ExpressionCompiler() = default;
  /// `text` (Spark SQL) over rows with `columns`. The function's array has `type`, into which the
  /// value is converted as an INSERT does; nullptr = the expression's own type.
  virtual Result<RowFunction> Compile(const std::string& text,
                                      const std::shared_ptr<arrow::Schema>& columns,
                                      const std::shared_ptr<arrow::DataType>& type) = 0;
};

}  // namespace sluice::delta
