#include "quality/quarantine_row.h"

#include <arrow/builder.h>

#include <optional>

#include "codec/json_writer.h"

namespace sluice::quality {

namespace {

// Text of one row of a string column, plain or dictionary-encoded.
std::optional<std::string_view> TextAt(const arrow::Array* column, int64_t row) {
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  switch (column->type_id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY: return static_cast<const arrow::BinaryArray&>(*column).GetView(row);
    case arrow::Type::LARGE_STRING:
    case arrow::Type::LARGE_BINARY:
      return static_cast<const arrow::LargeBinaryArray&>(*column).GetView(row);
    case arrow::Type::STRING_VIEW:
    case arrow::Type::BINARY_VIEW:
      return static_cast<const arrow::BinaryViewArray&>(*column).GetView(row);
    case arrow::Type::DICTIONARY: {
      const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*column);
      return TextAt(dictionary.dictionary().get(), dictionary.GetValueIndex(row));
    }
    default: return std::nullopt;
  }
}

std::optional<int64_t> WholeAt(const arrow::Array* column, int64_t row) {
  if (column == nullptr || column->IsNull(row)) return std::nullopt;
  switch (column->type_id()) {
    case arrow::Type::INT32: return static_cast<const arrow::Int32Array&>(*column).Value(row);
    case arrow::Type::INT64: return static_cast<const arrow::Int64Array&>(*column).Value(row);
    default: return std::nullopt;
  }
}

// The columns of a source's rows that tell where a row came from; null = the source has none.
struct OriginColumns {
  explicit OriginColumns(const SourceRows* origin) : source(origin) {
    if (origin == nullptr || origin->rows == nullptr) return;
    const auto column = [&](int index) {
      return index < 0 ? nullptr : origin->rows->column(index).get();
    };
    const RecordColumns& record = origin->record;
    value =
        column(record.value >= 0 ? record.value : origin->rows->schema()->GetFieldIndex("value"));
    topic = column(record.topic);
    partition = column(record.partition);
    offset = column(record.offset);
  }

  // What is kept as `raw`: false = NULL.
  Result<bool> Raw(int64_t row, std::string* out) const {
    if (source == nullptr || source->rows == nullptr) return false;
    if (source->record.value >= 0 && value->IsNull(row)) return false;  // a record without a value
    if (const auto text = TextAt(value, row)) {
      out->assign(*text);
      return true;
    }
    SLUICE_RETURN_NOT_OK(codec::AppendRowJson(*source->rows, row, out));
    return true;
  }

  const SourceRows* const source;
  const arrow::Array* value = nullptr;
  const arrow::Array* topic = nullptr;
  const arrow::Array* partition = nullptr;
  const arrow::Array* offset = nullptr;
};

int64_t OriginRow(const Batch& batch, int64_t row) {
  return batch.origin_row == nullptr ? row : batch.origin_row->Value(row);
}

template <typename Builder, typename Value>
Status AppendOptional(const std::optional<Value>& value, Builder* builder) {
  if (!value.has_value()) return builder->AppendNull();
  return builder->Append(static_cast<typename Builder::value_type>(*value));
}

Status AppendOptional(const std::optional<std::string_view>& value, arrow::StringBuilder* builder) {
  return value.has_value() ? builder->Append(*value) : builder->AppendNull();
}

const std::shared_ptr<arrow::DataType>& SourceType() {
  static const std::shared_ptr<arrow::DataType> type = arrow::struct_(
      {arrow::field("kind", arrow::utf8()), arrow::field("name", arrow::utf8()),
       arrow::field("topic", arrow::utf8()), arrow::field("partition", arrow::int32()),
       arrow::field("offset", arrow::int64()), arrow::field("version", arrow::int64())});
  return type;
}

// The columns of quarantine rows under construction.
class QuarantineBuilder {
 public:
  QuarantineBuilder(const Batch& batch, int payload_columns)
      : batch_(batch), origin_(batch.origin.get()), payload_(batch.rows) {
    if (payload_columns < 0 || payload_columns >= batch.rows->num_columns()) return;
    std::vector<int> kept;
    for (int i = 0; i < payload_columns; ++i) kept.push_back(i);
    payload_ = batch.rows->SelectColumns(kept).ValueOrDie();
  }

  template <typename Rules>
  Status Append(int64_t row, const Rules& rules) {
    SLUICE_RETURN_NOT_OK(rules_.Append());
    for (const auto& rule : rules) SLUICE_RETURN_NOT_OK(rule_names_->Append(rule));
    std::string text;
    SLUICE_RETURN_NOT_OK(codec::AppendRowJson(*payload_, row, &text));
    SLUICE_RETURN_NOT_OK(row_.Append(text));
    text.clear();
    const int64_t origin_row = OriginRow(batch_, row);
    SLUICE_ASSIGN_OR_RETURN(const bool has_raw, origin_.Raw(origin_row, &text));
    SLUICE_RETURN_NOT_OK(has_raw ? raw_.Append(text) : raw_.AppendNull());
    return AppendSource(origin_row);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish(const flow::EpochContext& epoch) {
    SLUICE_ASSIGN_OR_RETURN(auto rules, rules_.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto row, row_.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto raw, raw_.Finish());
    arrow::ArrayVector fields(6);
    SLUICE_RETURN_NOT_OK(kind_.Finish(&fields[0]));
    SLUICE_RETURN_NOT_OK(name_.Finish(&fields[1]));
    SLUICE_RETURN_NOT_OK(topic_.Finish(&fields[2]));
    SLUICE_RETURN_NOT_OK(partition_.Finish(&fields[3]));
    SLUICE_RETURN_NOT_OK(offset_.Finish(&fields[4]));
    SLUICE_RETURN_NOT_OK(version_.Finish(&fields[5]));
    const int64_t rows = rules->length();
    auto source = std::make_shared<arrow::StructArray>(SourceType(), rows, std::move(fields));
    SLUICE_ASSIGN_OR_RETURN(
        auto number, arrow::MakeArrayFromScalar(arrow::Int64Scalar(epoch.number.value()), rows));
    const auto& time_type = QuarantineSchema()->field(5)->type();
    SLUICE_ASSIGN_OR_RETURN(auto time, arrow::MakeArrayFromScalar(
                                           arrow::TimestampScalar(epoch.clock, time_type), rows));
    return arrow::RecordBatch::Make(QuarantineSchema(), rows,
                                    {rules, row, raw, source, number, time});
  }

 private:
  Status AppendSource(int64_t origin_row) {
    const SourceRows* source = origin_.source;
    std::optional<std::string_view> kind;
    std::optional<std::string_view> name;
    std::optional<int64_t> version;
    if (source != nullptr) {
      name = source->source_name;
      if (source->table_version.value() >= 0) version = source->table_version.value();
      kind = version.has_value() ? "table" : origin_.topic != nullptr ? "kafka" : "source";
    }
    SLUICE_RETURN_NOT_OK(AppendOptional(kind, &kind_));
    SLUICE_RETURN_NOT_OK(AppendOptional(name, &name_));
    SLUICE_RETURN_NOT_OK(AppendOptional(TextAt(origin_.topic, origin_row), &topic_));
    SLUICE_RETURN_NOT_OK(AppendOptional(WholeAt(origin_.partition, origin_row), &partition_));
    SLUICE_RETURN_NOT_OK(AppendOptional(WholeAt(origin_.offset, origin_row), &offset_));
    return AppendOptional(version, &version_);
  }

  const Batch& batch_;
  const OriginColumns origin_;
  std::shared_ptr<arrow::RecordBatch> payload_;
  std::shared_ptr<arrow::StringBuilder> rule_names_ = std::make_shared<arrow::StringBuilder>();
  arrow::ListBuilder rules_{arrow::default_memory_pool(), rule_names_,
                            QuarantineSchema()->field(0)->type()};
  arrow::StringBuilder row_;
  arrow::BinaryBuilder raw_;
  arrow::StringBuilder kind_;
  arrow::StringBuilder name_;
  arrow::StringBuilder topic_;
  arrow::Int32Builder partition_;
  arrow::Int64Builder offset_;
  arrow::Int64Builder version_;
};

}  // namespace

const std::shared_ptr<arrow::Schema>& QuarantineSchema() {
  static const std::shared_ptr<arrow::Schema> schema =
      arrow::schema({arrow::field("rules", arrow::list(arrow::utf8())),
                     arrow::field("row", arrow::utf8()), arrow::field("raw", arrow::binary()),
                     arrow::field("source", SourceType()), arrow::field("epoch", arrow::int64()),
                     arrow::field("epoch_time", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});
  return schema;
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeQuarantineRows(
    const flow::EpochContext& epoch, const Batch& batch, int payload_columns,
    const std::vector<RejectedRow>& rejected) {
  QuarantineBuilder builder(batch, payload_columns);
  for (const RejectedRow& row : rejected) {
    SLUICE_RETURN_NOT_OK(builder.Append(row.row, row.rules));
  }
  return builder.Finish(epoch);
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeLateRows(const flow::EpochContext& epoch,
                                                         const Batch& batch, int payload_columns) {
  QuarantineBuilder builder(batch, payload_columns);
  const std::vector<std::string_view> rules = {kLateRule};
  for (int64_t row = 0; row < batch.num_rows(); ++row) {
    SLUICE_RETURN_NOT_OK(builder.Append(row, rules));
  }
  return builder.Finish(epoch);
}

std::string DescribeOrigin(const Batch& batch, int64_t row) {
  if (batch.origin == nullptr) return "a computed row";
  const OriginColumns origin(batch.origin.get());
  const int64_t at = OriginRow(batch, row);
  std::string record;
  const auto add = [&](const char* what, const std::string& value) {
    record += (record.empty() ? "" : ", ") + std::string(what) + " " + value;
  };
  if (const auto topic = TextAt(origin.topic, at)) add("topic", std::string(*topic));
  if (const auto partition = WholeAt(origin.partition, at)) {
    add("partition", std::to_string(*partition));
  }
  if (const auto offset = WholeAt(origin.offset, at)) add("offset", std::to_string(*offset));
  const std::string& name = batch.origin->source_name;
  if (batch.origin->table_version.value() < 0) return record.empty() ? "source " + name : record;
  return "table " + name + ", version " + batch.origin->table_version.ToString() +
         (record.empty() ? "" : " (" + record + ")");
}

}  // namespace sluice::quality
