#include <arrow/array.h>
#include <arrow/type.h>

#include <algorithm>
#include <cstring>
#include <limits>

#include "base/hash128.h"
#include "sources/kafka/kafka_rows_internal.h"

namespace sluice::sources {

namespace {

constexpr int64_t kUnknownDistance = 255;
constexpr int kPrefetchAhead = 6;

Result<std::shared_ptr<arrow::Buffer>> FinishValidity(arrow::TypedBufferBuilder<bool>* valid,
                                                      bool has_nulls, int64_t* null_count) {
  *null_count = has_nulls ? valid->false_count() : 0;
  if (!has_nulls) return std::shared_ptr<arrow::Buffer>();
  return valid->Finish(/*shrink_to_fit=*/false);
}

}  // namespace

std::shared_ptr<arrow::Schema> KafkaRowSchema(bool include_headers) {
  arrow::FieldVector fields = {
      arrow::field("key", arrow::binary()),
      arrow::field("value", arrow::binary()),
      arrow::field("topic", arrow::utf8()),
      arrow::field("partition", arrow::int32()),
      arrow::field("offset", arrow::int64()),
      arrow::field("timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
      arrow::field("timestampType", arrow::int32())};
  if (include_headers) {
    const auto entry = arrow::struct_(
        {arrow::field("key", arrow::utf8()), arrow::field("value", arrow::binary())});
    fields.push_back(arrow::field("headers", arrow::list(entry)));
  }
  return arrow::schema(std::move(fields));
}

Status BytesColumn::Reserve(int64_t rows, int64_t bytes) {
  // The first reservation of a batch takes what the last batch needed, so that its bytes are not
  // moved again.
  const bool first = ends_.length() == 0;
  SLUICE_RETURN_NOT_OK(bytes_.Reserve(first ? std::max(bytes, last_bytes_) : bytes));
  SLUICE_RETURN_NOT_OK(ends_.Reserve(first ? std::max(rows, last_rows_) : rows));
  return has_nulls_ ? valid_.Reserve(rows) : Status::OK();
}

Status BytesColumn::AppendNull() {
  if (!has_nulls_) {
    SLUICE_RETURN_NOT_OK(valid_.Append(ends_.length(), true));
    SLUICE_RETURN_NOT_OK(valid_.Reserve(ends_.capacity() - ends_.length()));
    has_nulls_ = true;
  }
  valid_.UnsafeAppend(false);
  ends_.UnsafeAppend(static_cast<int32_t>(bytes_.length()));
  return Status::OK();
}

Result<std::shared_ptr<arrow::Array>> BytesColumn::Finish(
    const std::shared_ptr<arrow::DataType>& type) {
  const int64_t length = rows();
  SLUICE_ASSIGN_OR_RETURN(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((length + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* out = reinterpret_cast<int32_t*>(offsets->mutable_data());
  out[0] = 0;
  if (length > 0) std::memcpy(out + 1, ends_.data(), static_cast<size_t>(length) * sizeof(int32_t));
  ends_.Reset();
  last_rows_ = length;
  last_bytes_ = bytes_.length() + bytes_.length() / 16;
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> bytes,
                          bytes_.Finish(/*shrink_to_fit=*/false));
  int64_t null_count = 0;
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> valid,
                          FinishValidity(&valid_, has_nulls_, &null_count));
  has_nulls_ = false;
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, length, {valid, offsets, bytes}, null_count));
}

template <typename T>
Status NumberColumn<T>::Reserve(int64_t rows) {
  SLUICE_RETURN_NOT_OK(values_.Reserve(values_.length() == 0 ? std::max(rows, last_rows_) : rows));
  return has_nulls_ ? valid_.Reserve(rows) : Status::OK();
}

template <typename T>
Status NumberColumn<T>::AppendNull() {
  if (!has_nulls_) {
    SLUICE_RETURN_NOT_OK(valid_.Append(values_.length(), true));
    SLUICE_RETURN_NOT_OK(valid_.Reserve(values_.capacity() - values_.length()));
    has_nulls_ = true;
  }
  valid_.UnsafeAppend(false);
  values_.UnsafeAppend(0);
  return Status::OK();
}

template <typename T>
Result<std::shared_ptr<arrow::Array>> NumberColumn<T>::Finish(
    const std::shared_ptr<arrow::DataType>& type) {
  const int64_t length = rows();
  last_rows_ = length;
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> values,
                          values_.Finish(/*shrink_to_fit=*/false));
  int64_t null_count = 0;
  SLUICE_ASSIGN_OR_RETURN(std::shared_ptr<arrow::Buffer> valid,
                          FinishValidity(&valid_, has_nulls_, &null_count));
  has_nulls_ = false;
  return arrow::MakeArray(arrow::ArrayData::Make(type, length, {valid, values}, null_count));
}

KafkaRowBuilder::KafkaRowBuilder(std::shared_ptr<arrow::Schema> schema)
    : schema_(std::move(schema)) {
  static const std::map<std::string, Column> kByName = {{"key", Column::kKey},
                                                        {"value", Column::kValue},
                                                        {"topic", Column::kTopic},
                                                        {"partition", Column::kPartition},
                                                        {"offset", Column::kOffset},
                                                        {"timestamp", Column::kTimestamp},
                                                        {"timestampType", Column::kTimestampType},
                                                        {"headers", Column::kHeaders}};
  for (const auto& field : schema_->fields()) columns_.push_back(kByName.at(field->name()));
}

Status KafkaRowBuilder::Append(const MessageRun& run) {
  for (const Column column : columns_) SLUICE_RETURN_NOT_OK(AppendColumn(column, run));
  rows_ += run.size;
  payload_bytes_ += run.payload_bytes;
  return Status::OK();
}

Status KafkaRowBuilder::AppendColumn(Column column, const MessageRun& run) {
  switch (column) {
    case Column::kKey: return AppendKeys(run);
    case Column::kValue: return AppendValues(run);
    case Column::kTopic:
      SLUICE_RETURN_NOT_OK(
          topic_.Reserve(run.size, run.size * static_cast<int64_t>(run.topic->size())));
      for (int64_t i = 0; i < run.size; ++i)
        topic_.AppendReserved(run.topic->data(), run.topic->size());
      return Status::OK();
    case Column::kPartition:
      SLUICE_RETURN_NOT_OK(partition_.Reserve(run.size));
      for (int64_t i = 0; i < run.size; ++i) partition_.AppendReserved(run.partition);
      return Status::OK();
    case Column::kOffset:
      SLUICE_RETURN_NOT_OK(offset_.Reserve(run.size));
      for (int64_t i = 0; i < run.size; ++i) offset_.AppendReserved(run.messages[i]->offset);
      return Status::OK();
    case Column::kTimestamp: return AppendTimestamps(run);
    case Column::kTimestampType:
      SLUICE_RETURN_NOT_OK(timestamp_type_.Reserve(run.size));
      for (int64_t i = 0; i < run.size; ++i) timestamp_type_.AppendReserved(run.timestamp_types[i]);
      return Status::OK();
    case Column::kHeaders: return AppendHeaders(run);
  }
  return Status::OK();
}

Status KafkaRowBuilder::AppendKeys(const MessageRun& run) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < run.size; ++i) bytes += static_cast<int64_t>(run.messages[i]->key_len);
  SLUICE_RETURN_NOT_OK(key_.Reserve(run.size, bytes));
  for (int64_t i = 0; i < run.size; ++i) {
    const rd_kafka_message_t& message = *run.messages[i];
    if (message.key != nullptr) {
      key_.AppendReserved(message.key, message.key_len);
    } else {
      SLUICE_RETURN_NOT_OK(key_.AppendNull());
    }
  }
  return Status::OK();
}

Status KafkaRowBuilder::AppendValues(const MessageRun& run) {
  int64_t bytes = 0;
  for (int64_t i = 0; i < run.size; ++i) bytes += static_cast<int64_t>(run.messages[i]->len);
  SLUICE_RETURN_NOT_OK(value_.Reserve(run.size, bytes));
  for (int64_t i = 0; i < run.size; ++i) {
    if (i + kPrefetchAhead < run.size)
      __builtin_prefetch(run.messages[i + kPrefetchAhead]->payload);
    const rd_kafka_message_t& message = *run.messages[i];
    if (message.payload != nullptr) {
      value_.AppendReserved(message.payload, message.len);
    } else {
      SLUICE_RETURN_NOT_OK(value_.AppendNull());
    }
  }
  return Status::OK();
}

Status KafkaRowBuilder::AppendTimestamps(const MessageRun& run) {
  SLUICE_RETURN_NOT_OK(timestamp_.Reserve(run.size));
  for (int64_t i = 0; i < run.size; ++i) {
    if (run.timestamps[i] >= 0) {
      timestamp_.AppendReserved(run.timestamps[i] * 1'000);
    } else {
      SLUICE_RETURN_NOT_OK(timestamp_.AppendNull());
    }
  }
  return Status::OK();
}

Status KafkaRowBuilder::AppendHeadersOf(const rd_kafka_headers_t& headers) {
  const char* name = nullptr;
  const void* value = nullptr;
  size_t size = 0;
  for (size_t index = 0; rd_kafka_header_get_all(&headers, index, &name, &value, &size) == 0;
       ++index) {
    const size_t name_size = std::strlen(name);
    SLUICE_RETURN_NOT_OK(header_key_.Reserve(1, static_cast<int64_t>(name_size)));
    header_key_.AppendReserved(name, name_size);
    SLUICE_RETURN_NOT_OK(header_value_.Reserve(1, static_cast<int64_t>(size)));
    if (value != nullptr) {
      header_value_.AppendReserved(value, size);
    } else {
      SLUICE_RETURN_NOT_OK(header_value_.AppendNull());
    }
  }
  return Status::OK();
}

Status KafkaRowBuilder::AppendHeaders(const MessageRun& run) {
  SLUICE_RETURN_NOT_OK(header_ends_.Reserve(run.size));
  for (int64_t i = 0; i < run.size; ++i) {
    rd_kafka_headers_t* headers = nullptr;
    const rd_kafka_resp_err_t error = rd_kafka_message_headers(run.messages[i], &headers);
    if (error != RD_KAFKA_RESP_ERR_NO_ERROR || headers == nullptr ||
        rd_kafka_header_cnt(headers) == 0) {
      SLUICE_RETURN_NOT_OK(header_ends_.AppendNull());
      continue;
    }
    SLUICE_RETURN_NOT_OK(AppendHeadersOf(*headers));
    header_ends_.AppendReserved(static_cast<int32_t>(header_key_.rows()));
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> KafkaRowBuilder::Finish() {
  std::vector<std::shared_ptr<arrow::Array>> arrays;
  for (size_t i = 0; i < columns_.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(auto array,
                            FinishColumn(columns_[i], schema_->field(static_cast<int>(i))->type()));
    arrays.push_back(std::move(array));
  }
  const int64_t rows = rows_;
  rows_ = 0;
  payload_bytes_ = 0;
  return arrow::RecordBatch::Make(schema_, rows, std::move(arrays));
}

Result<std::shared_ptr<arrow::Array>> KafkaRowBuilder::FinishColumn(
    Column column, const std::shared_ptr<arrow::DataType>& type) {
  switch (column) {
    case Column::kKey: return key_.Finish(type);
    case Column::kValue: return value_.Finish(type);
    case Column::kTopic: return topic_.Finish(type);
    case Column::kPartition: return partition_.Finish(type);
    case Column::kOffset: return offset_.Finish(type);
    case Column::kTimestamp: return timestamp_.Finish(type);
    case Column::kTimestampType: return timestamp_type_.Finish(type);
    case Column::kHeaders: break;
  }
  return FinishHeaders(type);
}

Result<std::shared_ptr<arrow::Array>> KafkaRowBuilder::FinishHeaders(
    const std::shared_ptr<arrow::DataType>& type) {
  const auto& list = static_cast<const arrow::ListType&>(*type);
  const auto& entry = list.value_type();
  SLUICE_ASSIGN_OR_RETURN(auto keys, header_key_.Finish(entry->field(0)->type()));
  SLUICE_ASSIGN_OR_RETURN(auto values, header_value_.Finish(entry->field(1)->type()));
  const int64_t entries = keys->length();
  auto structs =
      arrow::ArrayData::Make(entry, entries, {nullptr}, {keys->data(), values->data()}, 0);
  SLUICE_ASSIGN_OR_RETURN(auto ends, header_ends_.Finish(arrow::int32()));
  const int64_t length = ends->length();
  SLUICE_ASSIGN_OR_RETURN(
      std::shared_ptr<arrow::Buffer> offsets,
      arrow::AllocateBuffer((length + 1) * static_cast<int64_t>(sizeof(int32_t))));
  auto* out = reinterpret_cast<int32_t*>(offsets->mutable_data());
  const auto& by_row = static_cast<const arrow::Int32Array&>(*ends);
  out[0] = 0;
  for (int64_t i = 0; i < length; ++i) out[i + 1] = by_row.IsNull(i) ? out[i] : by_row.Value(i);
  return arrow::MakeArray(arrow::ArrayData::Make(type, length, {ends->data()->buffers[0], offsets},
                                                 {structs}, ends->null_count()));
}

uint64_t HashRecord(const rd_kafka_message_t& message) {
  const int64_t place[4] = {message.offset, rd_kafka_message_timestamp(&message, nullptr),
                            message.key == nullptr ? -1 : static_cast<int64_t>(message.key_len),
                            message.payload == nullptr ? -1 : static_cast<int64_t>(message.len)};
  uint64_t hash = HashBytes128(place, sizeof(place)).low;
  if (message.key != nullptr) hash = HashBytes128(message.key, message.key_len, hash).low;
  if (message.payload != nullptr) hash = HashBytes128(message.payload, message.len, hash).low;
  return hash >> 9;
}

int64_t MakeFingerprint(uint64_t record_hash, int64_t distance) {
  const int64_t place = distance >= 0 && distance < kUnknownDistance ? distance : kUnknownDistance;
  return static_cast<int64_t>(record_hash << 8 | static_cast<uint64_t>(place));
}

bool FingerprintDistance(int64_t fingerprint, int64_t* distance) {
  *distance = fingerprint & 0xFF;
  return *distance != kUnknownDistance;
}

}  // namespace sluice::sources
