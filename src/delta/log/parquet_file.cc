#include "delta/log/parquet_file.h"

#include <parquet/exception.h>
#include <parquet/file_reader.h>

namespace sluice::delta {

Status ParquetError(const Status& status, const std::string& path) {
  if (status.ok() || status.detail() != nullptr) return status;
  return MakeError("DELTA_FILE_CORRUPT",
                   "cannot read Parquet file " + path + ": " + status.message(),
                   "restore the file from a copy");
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(
    storage::Storage& storage, const std::string& path, int64_t batch_rows,
    std::shared_ptr<parquet::FileMetaData> metadata) {
  auto input = storage.OpenInput(path);
  if (!input.ok()) {
    if (!HasCode(input.status(), "STORAGE_NOT_FOUND")) return input.status();
    return MakeError("DELTA_FILE_NOT_FOUND",
                     "a file that the table's log names is missing: " + path,
                     "it was deleted by hand or by VACUUM; restore it or read another version");
  }
  parquet::ArrowReaderProperties properties(/*use_threads=*/false);
  properties.set_batch_size(batch_rows);
  properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  properties.set_pre_buffer(false);
  parquet::arrow::FileReaderBuilder builder;
  try {
    SLUICE_RETURN_NOT_OK(ParquetError(
        builder.Open(input.MoveValueUnsafe(), parquet::default_reader_properties(), metadata),
        path));
    builder.properties(properties);
    auto reader = builder.Build();
    if (!reader.ok()) return ParquetError(reader.status(), path);
    return reader.MoveValueUnsafe();
  } catch (const parquet::ParquetException& error) {
    return ParquetError(Status::IOError(error.what()), path);
  }
}

}  // namespace sluice::delta
