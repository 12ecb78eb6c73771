#include <arrow/array.h>
#include <arrow/util/compression.h>

#include <unordered_set>

#include "base/hash128.h"
#include "delta/files/column_encoding_internal.h"

namespace sluice::delta {
namespace {

constexpr int64_t kSampleRows = 2048;
constexpr int64_t kTooFewRows = 64;  // a sample below this says nothing

using Builder = parquet::WriterProperties::Builder;

/// Distinct values among the first rows of a flat column.
int64_t CountDistinct(const arrow::Array& array, int64_t rows) {
  std::unordered_set<uint64_t> seen;
  const auto insert = [&](const void* data, size_t size) {
    seen.insert(HashBytes128(data, size).low);
  };
  if (arrow::is_base_binary_like(array.type_id()) &&
      !arrow::is_large_binary_like(array.type_id())) {
    const auto& binary = static_cast<const arrow::BinaryArray&>(array);
    for (int64_t i = 0; i < rows; ++i) {
      if (binary.IsNull(i)) continue;
      const std::string_view value = binary.GetView(i);
      insert(value.data(), value.size());
    }
    return static_cast<int64_t>(seen.size());
  }
  const auto width = static_cast<size_t>(array.type()->byte_width());
  const uint8_t* values =
      array.data()->buffers[1]->data() + static_cast<size_t>(array.offset()) * width;
  for (int64_t i = 0; i < rows; ++i) {
    if (!array.IsNull(i)) insert(values + static_cast<size_t>(i) * width, width);
  }
  return static_cast<int64_t>(seen.size());
}

bool IsInteger(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::INT64:
    case arrow::Type::INT32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DATE32: return true;
    default: return false;
  }
}

void ChooseFlat(const arrow::Array& array, const std::string& path, bool first_format,
                Builder* builder) {
  const arrow::DataType& type = *array.type();
  if (type.id() == arrow::Type::BINARY) builder->disable_statistics(path);
  if (type.id() == arrow::Type::BOOL || array.data()->buffers.size() < 2) return;
  const int64_t rows = std::min(array.length(), kSampleRows);
  const int64_t values = rows - array.Slice(0, rows)->null_count();
  if (values < kTooFewRows) return;
  const int64_t distinct = CountDistinct(array, rows);
  if (IsInteger(type) && distinct > values / 16) {
    builder->disable_dictionary(path);
    if (!first_format) builder->encoding(path, parquet::Encoding::DELTA_BINARY_PACKED);
  } else if (distinct > values / 2) {
    builder->disable_dictionary(path);
  }
}

void Choose(const arrow::Array& array, const std::string& path, bool first_format,
            Builder* builder) {
  switch (array.type_id()) {
    case arrow::Type::STRUCT: {
      const auto& parent = static_cast<const arrow::StructArray&>(array);
      for (int i = 0; i < parent.num_fields(); ++i) {
        Choose(*parent.field(i), path + "." + parent.struct_type()->field(i)->name(), first_format,
               builder);
      }
      return;
    }
    case arrow::Type::LIST: {
      const auto& list = static_cast<const arrow::ListArray&>(array);
      const auto values = list.values()->Slice(list.value_offset(0));
      return Choose(*values, path + ".list.element", first_format, builder);
    }
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapArray&>(array);
      Choose(*map.keys()->Slice(map.value_offset(0)), path + ".key_value.key", first_format,
             builder);
      return Choose(*map.items()->Slice(map.value_offset(0)), path + ".key_value.value",
                    first_format, builder);
    }
    default: ChooseFlat(array, path, first_format, builder);
  }
}

}  // namespace

Result<parquet::Compression::type> CodecOf(const std::string& name) {
  if (name == "snappy") return parquet::Compression::SNAPPY;
  if (name == "zstd") return parquet::Compression::ZSTD;
  if (name == "gzip") return parquet::Compression::GZIP;
  if (name == "lz4" || name == "lz4_raw") return parquet::Compression::LZ4;
  if (name == "none" || name == "uncompressed") return parquet::Compression::UNCOMPRESSED;
  return MakeError("DELTA_INVALID_PROPERTY", "unknown compression codec: " + name,
                   "use snappy, zstd, gzip, lz4_raw or uncompressed");
}

Result<std::shared_ptr<parquet::WriterProperties>> ChooseEncodings(
    const arrow::RecordBatch& first_rows, const std::string& codec, int64_t max_row_group_rows,
    int32_t format) {
  SLUICE_ASSIGN_OR_RETURN(const auto compression, CodecOf(codec));
  Builder builder;
  builder.compression(compression);
  builder.max_row_group_length(max_row_group_rows);
  builder.enable_store_decimal_as_integer();
  builder.created_by("Sluice 0.1.0");
  if (format == 1) builder.version(parquet::ParquetVersion::PARQUET_1_0);
  if (format == 2) builder.data_page_version(parquet::ParquetDataPageVersion::V2);
  for (int i = 0; i < first_rows.num_columns(); ++i) {
    Choose(*first_rows.column(i), first_rows.schema()->field(i)->name(), format == 1, &builder);
  }
  return builder.build();
}

}  // namespace sluice::delta
