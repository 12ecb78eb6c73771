// DuckDB in the process: one in-memory database, never touching the network or extensions. Only
// this folder's duckdb_*.cc files see its types. The runtime and its connections may be used from
// several threads; a reader from one.
#pragma once

#include <arrow/record_batch.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::sql {

struct DuckDbOptions {
  int threads = 2;
  int64_t memory_bytes = 1LL << 30;
  std::string temp_directory;  // where it may spill; empty = it does not
};

/// One connection with its registered tables. One query at a time.
class DuckDbConnection {
 public:
  virtual ~DuckDbConnection() = default;
  /// Makes `reader` readable once, as a table called `name`.
  virtual Status Register(const std::string& name,
                          std::shared_ptr<arrow::RecordBatchReader> reader) = 0;
  /// Runs `sql` and hands over the connection: it lives as long as the reader. `names_and_types`
  /// are what the columns are converted to. Rows come as they are produced where DuckDB can stream
  /// them.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Query(
      const std::string& sql, std::shared_ptr<arrow::Schema> names_and_types) = 0;
};

class DuckDbRuntime {
 public:
  /// Opens nothing yet: the first Connect does, as opening takes a good part of a second on a busy
  /// machine and most pipelines never need it. After an error that DuckDB does not survive the next
  /// Connect opens another database.
  static std::unique_ptr<DuckDbRuntime> Make(DuckDbOptions options);
  virtual ~DuckDbRuntime() = default;
  virtual Result<std::shared_ptr<DuckDbConnection>> Connect() = 0;
};

/// DuckDB's name of a type: "DECIMAL(18,2)", "STRUCT(\"a\" INTEGER)". NOT_SUPPORTED_YET for one it
/// lacks.
Result<std::string> DuckDbTypeName(const arrow::DataType& type);

}  // namespace sluice::sql
