// Kafka messages -> Arrow rows: only the columns asked for, one copy of each payload. One thread.
#pragma once

#include <arrow/buffer_builder.h>
#include <arrow/record_batch.h>
#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::sources {

/// KafkaSource::FullSchema.
std::shared_ptr<arrow::Schema> KafkaRowSchema(bool include_headers);

/// A column of variable length under construction: bytes, their ends, and nulls once there is one.
class BytesColumn {
 public:
  /// REQUIRES: the bytes of one batch stay below 2 GiB.
  Status Reserve(int64_t rows, int64_t bytes);
  void AppendReserved(const void* data, size_t size) {
    bytes_.UnsafeAppend(data, static_cast<int64_t>(size));
    ends_.UnsafeAppend(static_cast<int32_t>(bytes_.length()));
    if (has_nulls_) valid_.UnsafeAppend(true);
  }
  Status AppendNull();
  int64_t rows() const { return ends_.length(); }
  Result<std::shared_ptr<arrow::Array>> Finish(const std::shared_ptr<arrow::DataType>& type);

 private:
  arrow::BufferBuilder bytes_;
  arrow::TypedBufferBuilder<int32_t> ends_;  // Arrow's offsets without the leading 0
  arrow::TypedBufferBuilder<bool> valid_;    // used once has_nulls_
  bool has_nulls_ = false;
  int64_t last_rows_ = 0;  // of the batch before
  int64_t last_bytes_ = 0;
};

/// A column of fixed width under construction. T is int32_t or int64_t.
template <typename T>
class NumberColumn {
 public:
  Status Reserve(int64_t rows);
  void AppendReserved(T value) {
    values_.UnsafeAppend(value);
    if (has_nulls_) valid_.UnsafeAppend(true);
  }
  Status AppendNull();
  int64_t rows() const { return values_.length(); }
  Result<std::shared_ptr<arrow::Array>> Finish(const std::shared_ptr<arrow::DataType>& type);

 private:
  arrow::TypedBufferBuilder<T> values_;
  arrow::TypedBufferBuilder<bool> valid_;
  bool has_nulls_ = false;
  int64_t last_rows_ = 0;
};

/// Messages of one partition, in order, with their timestamps (milliseconds; -1 = none) and
/// timestamp types.
struct MessageRun {
  const std::string* topic;
  int32_t partition;
  rd_kafka_message_t* const* messages;
  const int64_t* timestamps;
  const int8_t* timestamp_types;  // Spark's: -1 none, 0 create time, 1 log append time
  int64_t size;
  int64_t payload_bytes;  // keys and values together
};

class KafkaRowBuilder {
 public:
  /// `schema`: fields of KafkaSource::FullSchema in any order.
  explicit KafkaRowBuilder(std::shared_ptr<arrow::Schema> schema);
  Status Append(const MessageRun& run);
  int64_t rows() const { return rows_; }
  int64_t payload_bytes() const { return payload_bytes_; }
  /// The rows so far; the builder is empty afterwards.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  enum class Column {
    kKey,
    kValue,
    kTopic,
    kPartition,
    kOffset,
    kTimestamp,
    kTimestampType,
    kHeaders
  };
  Status AppendColumn(Column column, const MessageRun& run);
  Status AppendKeys(const MessageRun& run);
  Status AppendValues(const MessageRun& run);
  Status AppendTimestamps(const MessageRun& run);
  Status AppendHeaders(const MessageRun& run);
  Status AppendHeadersOf(const rd_kafka_headers_t& headers);
  Result<std::shared_ptr<arrow::Array>> FinishColumn(Column column,
                                                     const std::shared_ptr<arrow::DataType>& type);
  Result<std::shared_ptr<arrow::Array>> FinishHeaders(const std::shared_ptr<arrow::DataType>& type);

  const std::shared_ptr<arrow::Schema> schema_;
  std::vector<Column> columns_;
  int64_t rows_ = 0;
  int64_t payload_bytes_ = 0;
  BytesColumn key_;
  BytesColumn value_;
  BytesColumn topic_;
  NumberColumn<int32_t> partition_;
  NumberColumn<int64_t> offset_;
  NumberColumn<int64_t> timestamp_;
  NumberColumn<int32_t> timestamp_type_;
  NumberColumn<int32_t>
      header_ends_;  // per row: end of its headers among all; null = the record has none
  BytesColumn header_key_;
  BytesColumn header_value_;
};

/// Identity of a record: 55 bits over offset, timestamp, key and value.
uint64_t HashRecord(const rd_kafka_message_t& message);

/// What is committed as the fingerprint of a position: the hash of the last record before it and
/// how far before (0 = the record at position - 1; transaction markers in between take offsets
/// too). Positive.
int64_t MakeFingerprint(uint64_t record_hash, int64_t distance);
/// Whether `fingerprint` says where its record is; then `distance` is set.
bool FingerprintDistance(int64_t fingerprint, int64_t* distance);

}  // namespace sluice::sources
