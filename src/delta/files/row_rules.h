// What a table demands of rows before they are written: defaults, generated and identity columns
// fill what is missing; NOT NULL, CHECK constraints, invariants, lengths of CHAR and VARCHAR are
// checked. One owner.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/columns/expression.h"
#include "delta/log/snapshot.h"

namespace sluice::delta {

class RowRules {
 public:
  enum class Origin {
    kInserted,  // new rows
    kChanged,   // rows of the table with new values: nothing is missing but generated columns
  };

  /// The rules of the table at `snapshot`. DELTA_UNSUPPORTED_WRITER_FEATURE when it has some that
  /// need `expressions` and that is null. `expressions` outlives this.
  static Result<std::unique_ptr<RowRules>> Make(const Snapshot& snapshot,
                                                ExpressionCompiler* expressions);
  ~RowRules();

  /// `rows` (columns by name, some may be missing) with the columns of the table in its order and
  /// types. A missing column gets its generated value, its default, or null; a generated one that
  /// is given must have its value. DELTA_NOT_NULL_VIOLATION, DELTA_VIOLATE_CONSTRAINT_WITH_VALUES,
  /// DELTA_EXCEED_CHAR_VARCHAR_LIMIT, DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED,
  /// DELTA_SCHEMA_MISMATCH.
  Result<std::shared_ptr<arrow::RecordBatch>> Apply(const std::shared_ptr<arrow::RecordBatch>& rows,
                                                    Origin origin);

  /// `rows` of the table with `column` gone when it is generated and not among `assigned`: Apply
  /// computes it anew.
  Result<std::shared_ptr<arrow::RecordBatch>> WithoutGenerated(
      const std::shared_ptr<arrow::RecordBatch>& rows,
      const std::vector<std::string>& assigned) const;

  /// DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED for an identity column.
  Status CheckAssignable(const std::string& column) const;

  /// The table's schema with the numbers identity columns have come to; null when none was given.
  std::shared_ptr<arrow::Schema> SchemaAfter() const;

 private:
  struct Column;
  struct Check {
    std::string name;
    std::string text;
    RowFunction holds;
  };
  RowRules() = default;
  Status CompileColumn(int index, ExpressionCompiler* expressions);
  Status CompileChecks(const Metadata& metadata, ExpressionCompiler* expressions);
  Result<std::shared_ptr<arrow::Array>> Missing(Column& column, int64_t rows);
  Status Generate(std::vector<bool> given, std::shared_ptr<arrow::RecordBatch>* rows) const;
  Status CheckAll(const std::shared_ptr<arrow::RecordBatch>& rows) const;

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;  // as the schema
  std::vector<Check> checks_;
};

}  // namespace sluice::delta
