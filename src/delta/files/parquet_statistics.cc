#include <arrow/record_batch.h>

#include "delta/files/parquet_statistics.h"
#include "delta/log/parquet_file.h"

namespace sluice::delta {
namespace {

/// The columns of a file for its statistics: times in other units than the log's get no bounds.
std::shared_ptr<arrow::DataType> Bounded(const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::TIMESTAMP &&
      static_cast<const arrow::TimestampType&>(*type).unit() != arrow::TimeUnit::MICRO)
    return arrow::binary();
  if (type->id() != arrow::Type::STRUCT) return type;
  arrow::FieldVector fields;
  for (const auto& field : type->fields())
    fields.push_back(field->WithType(Bounded(field->type())));
  return arrow::struct_(fields);
}

}  // namespace

Result<std::string> StatisticsOf(parquet::arrow::FileReader* reader, const std::string& path,
                                 int indexed_columns,
                                 const std::optional<FileStatistics::Paths>& chosen) {
  std::shared_ptr<arrow::Schema> schema;
  SLUICE_RETURN_NOT_OK(ParquetError(reader->GetSchema(&schema), path));
  arrow::FieldVector fields;
  for (const auto& field : schema->fields())
    fields.push_back(field->WithType(Bounded(field->type())));
  FileStatistics statistics(arrow::schema(fields), indexed_columns, chosen);
  auto opened = reader->GetRecordBatchReader();
  if (!opened.ok()) return ParquetError(opened.status(), path);
  const auto batches = opened.MoveValueUnsafe();
  while (true) {
    std::shared_ptr<arrow::RecordBatch> batch;
    SLUICE_RETURN_NOT_OK(ParquetError(batches->ReadNext(&batch), path));
    if (batch == nullptr) return statistics.ToJson(*reader->parquet_reader()->metadata());
    statistics.Update(*batch);
  }
}

}  // namespace sluice::delta
