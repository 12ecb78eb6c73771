#include "delta/files/parquet_export.h"

#include <arrow/io/file.h>
#include <parquet/arrow/writer.h>

#include <cstdio>

namespace sluice::delta {
namespace {

Status WriteAll(arrow::RecordBatchReader* rows, const std::string& path) {
  auto file = arrow::io::FileOutputStream::Open(path);
  if (!file.ok())
    return MakeError("STORAGE_IO", "cannot write file: " + path,
                     "check the folder and permissions");
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::SNAPPY)->build();
  SLUICE_ASSIGN_OR_RETURN(
      auto writer, parquet::arrow::FileWriter::Open(*rows->schema(), arrow::default_memory_pool(),
                                                    *file, properties));
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(rows->ReadNext(&batch));
    if (batch == nullptr) break;
    SLUICE_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
  }
  SLUICE_RETURN_NOT_OK(writer->Close());
  return (*file)->Close();
}

}  // namespace

Status WriteParquetFile(arrow::RecordBatchReader* rows, const std::string& path) {
  const Status status = WriteAll(rows, path);
  if (!status.ok()) std::remove(path.c_str());
  return status;
}

}  // namespace sluice::delta
