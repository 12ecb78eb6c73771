#include "sql/execution/duckdb_runtime.h"

#include <arrow/c/bridge.h>
#include <duckdb.h>
#include <fmt/format.h>

#include <atomic>
#include <list>

#include "base/mutex.h"
#include "sql/execution/duckdb_error.h"
#include "sql/expressions/cast.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {
namespace {

// The C API's handles with their destroy calls.
struct Database {
  duckdb_database handle = nullptr;
  std::atomic<bool> broken = false;  // by an error after which it refuses all work
  ~Database() { duckdb_close(&handle); }

  Status Error(std::string_view what, const std::string& message) {
    if (IsFatalDuckDbError(message)) broken = true;
    return DuckDbError(what, message);
  }
};

class ErrorData {
 public:
  explicit ErrorData(duckdb_error_data data) : data_(data) {}
  ~ErrorData() { duckdb_destroy_error_data(&data_); }
  ErrorData(const ErrorData&) = delete;
  ErrorData& operator=(const ErrorData&) = delete;
  Status ToStatus(std::string_view what, Database& database) const {
    if (data_ == nullptr || !duckdb_error_data_has_error(data_)) return Status::OK();
    return database.Error(what, duckdb_error_data_message(data_));
  }

 private:
  duckdb_error_data data_;
};

bool HoldsVariant(const arrow::DataType& type) {
  return IsVariantType(type) ||
         std::any_of(type.fields().begin(), type.fields().end(),
                     [](const auto& field) { return HoldsVariant(*field->type()); });
}

// `type` with variants as the texts that DuckDB sees of them.
std::shared_ptr<arrow::DataType> WithTexts(const std::shared_ptr<arrow::DataType>& type) {
  const auto plain = [](const std::shared_ptr<arrow::Field>& field) {
    return field->WithType(WithTexts(field->type()));
  };
  switch (type->id()) {
    case arrow::Type::EXTENSION: return IsVariantType(*type) ? arrow::utf8() : type;
    case arrow::Type::LIST: return arrow::list(plain(type->field(0)));
    case arrow::Type::STRUCT: {
      arrow::FieldVector fields;
      for (const auto& field : type->fields()) fields.push_back(plain(field));
      return arrow::struct_(std::move(fields));
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(*type);
      return std::make_shared<arrow::MapType>(plain(map.key_field()), plain(map.item_field()));
    }
    default: return type;
  }
}

// `data` of WithTexts(type) as `type`: both are laid out alike.
std::shared_ptr<arrow::ArrayData> Retyped(const std::shared_ptr<arrow::ArrayData>& data,
                                          const std::shared_ptr<arrow::DataType>& type) {
  auto copy = data->Copy();
  copy->type = type;
  for (size_t i = 0; i < copy->child_data.size(); ++i)
    copy->child_data[i] = Retyped(copy->child_data[i], type->field(static_cast<int>(i))->type());
  return copy;
}

// Rows of one query; keeps its connection alive.
class ResultReader : public arrow::RecordBatchReader {
 public:
  ResultReader(std::shared_ptr<DuckDbConnection> connection, std::shared_ptr<Database> database,
               duckdb_result result, std::shared_ptr<arrow::Schema> wanted)
      : connection_(std::move(connection)),
        database_(std::move(database)),
        result_(result),
        wanted_(std::move(wanted)) {}
  ~ResultReader() override {
    if (options_ != nullptr) duckdb_destroy_arrow_options(&options_);
    duckdb_destroy_result(&result_);
  }
  ResultReader(const ResultReader&) = delete;
  ResultReader& operator=(const ResultReader&) = delete;

  Status Open() {
    options_ = duckdb_result_get_arrow_options(&result_);
    const idx_t count = duckdb_column_count(&result_);
    std::vector<duckdb_logical_type> types;
    std::vector<const char*> names;
    for (idx_t i = 0; i < count; ++i) {
      types.push_back(duckdb_column_logical_type(&result_, i));
      names.push_back(duckdb_column_name(&result_, i));
    }
    ArrowSchema schema{};
    const ErrorData error(
        duckdb_to_arrow_schema(options_, types.data(), names.data(), count, &schema));
    for (duckdb_logical_type& type : types) duckdb_destroy_logical_type(&type);
    SLUICE_RETURN_NOT_OK(error.ToStatus("schema of a query", *database_));
    SLUICE_ASSIGN_OR_RETURN(produced_, arrow::ImportSchema(&schema));
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return wanted_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    duckdb_data_chunk chunk = duckdb_fetch_chunk(result_);
    if (chunk == nullptr) {
      const char* message = duckdb_result_error(&result_);
      if (message != nullptr && *message != '\0') return database_->Error("query", message);
      *batch = nullptr;
      return Status::OK();
    }
    const auto rows = static_cast<int64_t>(duckdb_data_chunk_get_size(chunk));
    if (rows == 0) {
      duckdb_destroy_data_chunk(&chunk);
      *batch = nullptr;
      return Status::OK();
    }
    ArrowArray array{};
    const ErrorData error(duckdb_data_chunk_to_arrow(options_, chunk, &array));
    duckdb_destroy_data_chunk(&chunk);
    SLUICE_RETURN_NOT_OK(error.ToStatus("rows of a query", *database_));
    SLUICE_ASSIGN_OR_RETURN(auto produced, arrow::ImportRecordBatch(&array, produced_));
    arrow::ArrayVector columns;
    for (int i = 0; i < wanted_->num_fields(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(auto column, Convert(produced->column(i), wanted_->field(i)->type()));
      columns.push_back(std::move(column));
    }
    *batch = arrow::RecordBatch::Make(wanted_, rows, std::move(columns));
    return Status::OK();
  }

 private:
  static Result<std::shared_ptr<arrow::Array>> Convert(
      std::shared_ptr<arrow::Array> column, const std::shared_ptr<arrow::DataType>& type) {
    if (column->type()->Equals(*type)) return column;
    if (type->id() == arrow::Type::NA)
      return std::static_pointer_cast<arrow::Array>(
          std::make_shared<arrow::NullArray>(column->length()));
    if (!HoldsVariant(*type)) return CastArray(column, type, false);
    SLUICE_ASSIGN_OR_RETURN(const auto texts, CastArray(column, WithTexts(type), false));
    return arrow::MakeArray(Retyped(texts->data(), type));
  }

  const std::shared_ptr<DuckDbConnection> connection_;
  const std::shared_ptr<Database> database_;
  duckdb_result result_;
  duckdb_arrow_options options_ = nullptr;
  std::shared_ptr<arrow::Schema> produced_;
  std::shared_ptr<arrow::Schema> wanted_;
};

class ConnectionImpl : public DuckDbConnection,
                       public std::enable_shared_from_this<ConnectionImpl> {
 public:
  explicit ConnectionImpl(std::shared_ptr<Database> database) : database_(std::move(database)) {}
  ~ConnectionImpl() override {
    duckdb_disconnect(&connection_);
    for (ArrowArrayStream& stream : streams_) {
      if (stream.release != nullptr) stream.release(&stream);
    }
  }

  Status Open() {
    if (duckdb_connect(database_->handle, &connection_) != DuckDBSuccess)
      return DuckDbError("connect", "no connection");
    return Status::OK();
  }

  Status Register(const std::string& name,
                  std::shared_ptr<arrow::RecordBatchReader> reader) override {
    streams_.emplace_back();
    SLUICE_RETURN_NOT_OK(arrow::ExportRecordBatchReader(std::move(reader), &streams_.back()));
    const auto stream = reinterpret_cast<duckdb_arrow_stream>(&streams_.back());
    if (duckdb_arrow_scan(connection_, name.c_str(), stream) != DuckDBSuccess) {
      return DuckDbError("register a table", name);
    }
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Query(
      const std::string& sql, std::shared_ptr<arrow::Schema> wanted) override {
    duckdb_prepared_statement statement = nullptr;
    if (duckdb_prepare(connection_, sql.c_str(), &statement) != DuckDBSuccess) {
      Status status = database_->Error("prepare", duckdb_prepare_error(statement));
      duckdb_destroy_prepare(&statement);
      return status;
    }
    duckdb_result result{};
    const bool done = duckdb_execute_prepared_streaming(statement, &result) == DuckDBSuccess;
    duckdb_destroy_prepare(&statement);
    if (!done) {
      Status status = database_->Error("query", duckdb_result_error(&result));
      duckdb_destroy_result(&result);
      return status;
    }
    auto reader =
        std::make_shared<ResultReader>(shared_from_this(), database_, result, std::move(wanted));
    SLUICE_RETURN_NOT_OK(reader->Open());
    return reader;
  }

 private:
  const std::shared_ptr<Database> database_;
  duckdb_connection connection_ = nullptr;
  std::list<ArrowArrayStream> streams_;
};

class RuntimeImpl : public DuckDbRuntime {
 public:
  explicit RuntimeImpl(DuckDbOptions options) : options_(std::move(options)) {}

  Result<std::shared_ptr<DuckDbConnection>> Connect() override {
    SLUICE_ASSIGN_OR_RETURN(auto database, Usable());
    auto connection = std::make_shared<ConnectionImpl>(std::move(database));
    SLUICE_RETURN_NOT_OK(connection->Open());
    return connection;
  }

 private:
  /// A broken database is left to those who still read from it.
  Result<std::shared_ptr<Database>> Usable() {
    const MutexLock lock(mutex_);
    if (database_ == nullptr || database_->broken) {
      auto opened = std::make_shared<Database>();
      SLUICE_RETURN_NOT_OK(Open(opened.get()));
      database_ = std::move(opened);
    }
    return database_;
  }

  Status Open(Database* database) {
    duckdb_config config = nullptr;
    if (duckdb_create_config(&config) != DuckDBSuccess)
      return DuckDbError("open", "no configuration");
    const std::vector<std::pair<std::string, std::string>> settings = {
        {"threads", std::to_string(options_.threads)},
        {"memory_limit", fmt::format("{}B", options_.memory_bytes)},
        {"autoinstall_known_extensions", "false"},
        {"autoload_known_extensions", "false"},
        {"temp_directory", options_.temp_directory}};
    Status status;
    for (const auto& [key, value] : settings) {
      if (duckdb_set_config(config, key.c_str(), value.c_str()) != DuckDBSuccess)
        status = DuckDbError("configure", key);
    }
    char* message = nullptr;
    if (status.ok() &&
        duckdb_open_ext(nullptr, &database->handle, config, &message) != DuckDBSuccess) {
      status = DuckDbError("open", message == nullptr ? "unknown" : message);
      duckdb_free(message);
    }
    duckdb_destroy_config(&config);
    SLUICE_RETURN_NOT_OK(status);
    duckdb_connection connection = nullptr;
    if (duckdb_connect(database->handle, &connection) != DuckDBSuccess)
      return DuckDbError("connect", "no connection");
    // duckdb_arrow_scan announces that it takes projections and filters, but the stream below it
    // knows nothing of them and columns get mixed up: plans are narrowed here, and those optimizers
    // are off. So are those that read an input twice: a stream is there once.
    for (const char* setting :
         {"SET GLOBAL TimeZone = 'UTC'",
          "SET GLOBAL disabled_optimizers = "
          "'unused_columns,filter_pushdown,join_filter_pushdown,top_n,"
          "top_n_window_elimination,late_materialization,window_self_join,common_subplan'",
          "SET GLOBAL enable_external_access = false"}) {
      duckdb_result result{};
      if (duckdb_query(connection, setting, &result) != DuckDBSuccess)
        status = DuckDbError(setting, duckdb_result_error(&result));
      duckdb_destroy_result(&result);
    }
    duckdb_disconnect(&connection);
    return status;
  }

  const DuckDbOptions options_;
  Mutex mutex_;
  std::shared_ptr<Database> database_ GUARDED_BY(mutex_);
};

}  // namespace

std::unique_ptr<DuckDbRuntime> DuckDbRuntime::Make(DuckDbOptions options) {
  return std::make_unique<RuntimeImpl>(std::move(options));
}

Result<std::string> DuckDbTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::BOOL: return "BOOLEAN";
    case arrow::Type::INT8: return "TINYINT";
    case arrow::Type::INT16: return "SMALLINT";
    case arrow::Type::INT32: return "INTEGER";
    case arrow::Type::INT64: return "BIGINT";
    case arrow::Type::FLOAT: return "FLOAT";
    case arrow::Type::DOUBLE: return "DOUBLE";
    case arrow::Type::STRING: return "VARCHAR";
    case arrow::Type::BINARY: return "BLOB";
    case arrow::Type::DATE32: return "DATE";
    case arrow::Type::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty()
                 ? "TIMESTAMP"
                 : "TIMESTAMP WITH TIME ZONE";
    case arrow::Type::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
      return fmt::format("DECIMAL({},{})", decimal.precision(), decimal.scale());
    }
    case arrow::Type::LIST: {
      SLUICE_ASSIGN_OR_RETURN(auto element, DuckDbTypeName(*type.field(0)->type()));
      return element + "[]";
    }
    default:
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: " + type.ToString() + " here");
  }
}

}  // namespace sluice::sql
