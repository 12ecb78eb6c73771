// What the library asks of whoever can evaluate SQL: tables carry expressions as text (CHECK
// constraints, generated columns, defaults), and DML is given conditions and values. The library
// itself knows neither a parser nor functions.
#pragma once

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <functional>
#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::delta {

/// A column computed from rows, as long as they are. Called from one thread at a time.
using RowFunction = std::function<Result<std::shared_ptr<arrow::Array>>(
    const std::shared_ptr<arrow::RecordBatch>& rows)>;

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
