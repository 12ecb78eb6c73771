#include "codec/json_decoder.h"

#include <arrow/array.h>

#include <algorithm>

#include "codec/json_column.h"
#include "codec/json_exact_reader.h"
#include "codec/json_fast_reader.h"
#include "codec/json_node.h"
#include "codec/time_reader.h"

namespace sluice::codec {

namespace {

// What all clones of a decoder share.
struct DecoderPlan {
  JsonDecoderOptions options;
  std::shared_ptr<arrow::DataType>
      read_type;  // struct of the fields that are converted, without the corrupt record
  std::shared_ptr<arrow::DataType> output_type;  // struct that is returned
  int corrupt_column = -1;                       // index in output_type
  JsonNode root;
  std::shared_ptr<const TimeReader> times;
};

bool IsCorruptRecordField(const arrow::Field& field, const JsonDecoderOptions& options) {
  return field.name() == options.corrupt_record_column;
}

// `array` (of `type`) with the fields of `wanted` only, by name and at any depth.
std::shared_ptr<arrow::ArrayData> Prune(const std::shared_ptr<arrow::ArrayData>& data,
                                        const std::shared_ptr<arrow::DataType>& wanted) {
  if (data->type->Equals(*wanted)) return data;
  auto pruned = data->Copy();
  pruned->type = wanted;
  if (wanted->id() != arrow::Type::STRUCT) {
    for (size_t i = 0; i < pruned->child_data.size(); ++i) {
      pruned->child_data[i] =
          Prune(pruned->child_data[i], wanted->field(static_cast<int>(i))->type());
    }
    return pruned;
  }
  const auto& type = static_cast<const arrow::StructType&>(*data->type);
  pruned->child_data.clear();
  for (const auto& field : wanted->fields()) {
    const int index = type.GetFieldIndex(field->name());
    pruned->child_data.push_back(
        Prune(data->child_data[static_cast<size_t>(index)], field->type()));
  }
  return pruned;
}

Status CheckContains(const arrow::DataType& full, const arrow::DataType& used) {
  const auto mismatch = [&] {
    return MakeError("JSON_UNSUPPORTED_SCHEMA", "used type is not part of the schema: " +
                                                    used.ToString() + " of " + full.ToString());
  };
  if (full.id() != used.id()) return mismatch();
  if (full.id() == arrow::Type::STRUCT) {
    const auto& type = static_cast<const arrow::StructType&>(full);
    for (const auto& field : used.fields()) {
      const auto found = type.GetFieldByName(field->name());
      if (found == nullptr) return mismatch();
      SLUICE_RETURN_NOT_OK(CheckContains(*found->type(), *field->type()));
    }
    return Status::OK();
  }
  if (full.num_fields() != used.num_fields()) return mismatch();
  for (int i = 0; i < full.num_fields(); ++i) {
    SLUICE_RETURN_NOT_OK(CheckContains(*full.field(i)->type(), *used.field(i)->type()));
  }
  return full.num_fields() > 0 || full.Equals(used) ? Status::OK() : mismatch();
}

// The documents of an array, whatever its offsets are.
class Documents {
 public:
  static Result<Documents> Of(const arrow::Array& array) {
    Documents out;
    const auto& data = *array.data();
    switch (array.type_id()) {
      case arrow::Type::BINARY:
      case arrow::Type::STRING: out.offsets_ = data.GetValues<int32_t>(1); break;
      case arrow::Type::LARGE_BINARY:
      case arrow::Type::LARGE_STRING: out.large_offsets_ = data.GetValues<int64_t>(1); break;
      default:
        return MakeError("JSON_UNSUPPORTED_SCHEMA",
                         "documents must be BINARY or STRING: " + array.type()->ToString());
    }
    if (data.buffers[2] != nullptr) {
      out.bytes_ = reinterpret_cast<const char*>(data.buffers[2]->data());
      out.size_ = data.buffers[2]->size();
    }
    return out;
  }

  std::string_view Get(int64_t row) const {
    const int64_t begin = offsets_ != nullptr ? offsets_[row] : large_offsets_[row];
    const int64_t end = offsets_ != nullptr ? offsets_[row + 1] : large_offsets_[row + 1];
    return begin == end ? std::string_view()
                        : std::string_view(bytes_ + begin, static_cast<size_t>(end - begin));
  }
  bool IsPadded(std::string_view document) const {
    return !document.empty() && document.data() - bytes_ + static_cast<int64_t>(document.size()) +
                                        JsonFastReader::kPadding <=
                                    size_;
  }

 private:
  const int32_t* offsets_ = nullptr;
  const int64_t* large_offsets_ = nullptr;
  const char* bytes_ = nullptr;
  int64_t size_ = 0;
};

class SparkJsonDecoder : public JsonDecoder {
 public:
  explicit SparkJsonDecoder(std::shared_ptr<const DecoderPlan> plan)
      : plan_(std::move(plan)),
        fast_(plan_->root, plan_->options, plan_->times),
        exact_(plan_->root, plan_->options, plan_->times),
        column_(plan_->read_type, JsonKind::kStruct),
        corrupt_(arrow::utf8(), JsonKind::kString) {}

  std::unique_ptr<JsonDecoder> Clone() const override {
    return std::make_unique<SparkJsonDecoder>(plan_);
  }
  int64_t malformed_documents() const override { return malformed_; }

  Result<std::shared_ptr<arrow::StructArray>> Decode(const arrow::Array& documents,
                                                     int64_t now_micros) override {
    SLUICE_ASSIGN_OR_RETURN(const Documents views, Documents::Of(documents));
    column_.Reserve(documents.length());
    for (int64_t row = 0; row < documents.length(); ++row) {
      Status status;
      if (documents.IsNull(row)) {
        AppendNullRow();
      } else {
        status = DecodeOne(views, views.Get(row), now_micros);
      }
      if (!status.ok()) {
        Reset();
        return WithContext(status, "document " + std::to_string(row));
      }
    }
    return Finish(documents.length());
  }

 private:
  void AppendNullRow() {
    column_.AppendNull();
    if (plan_->corrupt_column >= 0) corrupt_.AppendNull();
  }

  Status DecodeOne(const Documents& views, std::string_view document, int64_t now_micros) {
    const int64_t rows = column_.rows();
    std::string_view readable = document;
    if (!views.IsPadded(document)) {
      padded_.assign(document);
      padded_.append(static_cast<size_t>(JsonFastReader::kPadding), '\0');
      readable = std::string_view(padded_).substr(0, document.size());
    }
    if (fast_.Read(readable, now_micros, &column_)) [[likely]] {
      if (plan_->corrupt_column >= 0) corrupt_.AppendNull();
      return Status::OK();
    }
    column_.Truncate(rows);
    return DecodeExactly(document, now_micros);
  }

  Status DecodeExactly(std::string_view document, int64_t now_micros) {
    JsonValue row;
    const DocumentState state = exact_.Read(document, now_micros, &row);
    const bool malformed = state == DocumentState::kPartial || state == DocumentState::kMalformed;
    if (state == DocumentState::kEmpty) {
      AppendNullRow();
      return Status::OK();
    }
    malformed_ += malformed ? 1 : 0;
    if (malformed && plan_->options.mode == ParseMode::kFailFast) {
      return MakeError("JSON_MALFORMED_RECORD",
                       "malformed record in FAILFAST mode: " + std::string(document.substr(0, 200)),
                       "set the option mode to PERMISSIVE to get NULLs instead");
    }
    if (malformed && plan_->options.mode == ParseMode::kDropMalformed) {
      AppendNullRow();
      return Status::OK();
    }
    if (state == DocumentState::kMalformed) {
      for (size_t i = 0; i < column_.num_children(); ++i) column_.child(i)->AppendNull();
      column_.AppendStruct();
    } else {
      row.is_null = false;
      AppendJsonValue(plan_->root, row, &column_);
    }
    if (plan_->corrupt_column >= 0) {
      if (malformed) {
        corrupt_.AppendBytes(document);
      } else {
        corrupt_.AppendNull();
      }
    }
    return Status::OK();
  }

  void Reset() {
    column_.Truncate(0);
    corrupt_.Truncate(0);
  }

  Result<std::shared_ptr<arrow::StructArray>> Finish(int64_t rows) {
    if (column_.too_large() || corrupt_.too_large()) {
      (void)column_.Finish();
      (void)corrupt_.Finish();
      return MakeError("CODEC_BATCH_TOO_LARGE", "a decoded column would exceed 2 GiB in one batch",
                       "lower the number of rows or bytes read at once");
    }
    auto data = column_.Finish()->data()->Copy();
    const auto& read_type = static_cast<const arrow::StructType&>(*plan_->read_type);
    auto children = std::move(data->child_data);
    data->child_data.clear();
    for (int i = 0; i < plan_->output_type->num_fields(); ++i) {
      const auto& field = plan_->output_type->field(i);
      if (i == plan_->corrupt_column) {
        data->child_data.push_back(corrupt_.Finish()->data());
      } else {
        const int from = read_type.GetFieldIndex(field->name());
        data->child_data.push_back(Prune(children[static_cast<size_t>(from)], field->type()));
      }
    }
    data->type = plan_->output_type;
    data->length = rows;
    return std::static_pointer_cast<arrow::StructArray>(arrow::MakeArray(data));
  }

  const std::shared_ptr<const DecoderPlan> plan_;
  JsonFastReader fast_;
  JsonExactReader exact_;
  JsonColumn column_;
  JsonColumn corrupt_;
  std::string padded_;
  int64_t malformed_ = 0;
};

Status CheckNames(const arrow::DataType& type) {
  std::vector<std::string> names;
  for (const auto& field : type.fields()) names.push_back(field->name());
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return Status::OK();
  return MakeError("JSON_UNSUPPORTED_SCHEMA", "field name is given twice: " + *twice);
}

}  // namespace

Result<std::unique_ptr<JsonDecoder>> JsonDecoder::Make(std::shared_ptr<arrow::DataType> struct_type,
                                                       std::shared_ptr<arrow::DataType> used_type,
                                                       JsonDecoderOptions options) {
  if (struct_type->id() != arrow::Type::STRUCT) {
    return MakeError("JSON_UNSUPPORTED_SCHEMA",
                     "schema must be a STRUCT: " + struct_type->ToString());
  }
  SLUICE_RETURN_NOT_OK(CheckNames(*struct_type));
  if (used_type == nullptr) used_type = struct_type;
  SLUICE_RETURN_NOT_OK(CheckContains(*struct_type, *used_type));
  auto plan = std::make_shared<DecoderPlan>();
  plan->output_type = used_type;
  for (int i = 0; i < used_type->num_fields(); ++i) {
    if (!IsCorruptRecordField(*used_type->field(i), options)) continue;
    if (used_type->field(i)->type()->id() != arrow::Type::STRING) {
      return MakeError("JSON_UNSUPPORTED_SCHEMA", "the corrupt record column must be a STRING: " +
                                                      used_type->field(i)->ToString());
    }
    plan->corrupt_column = i;
  }
  const bool needs_all = options.mode != ParseMode::kPermissive || plan->corrupt_column >= 0;
  arrow::FieldVector read_fields;
  for (const auto& field : (needs_all ? struct_type : used_type)->fields()) {
    if (!IsCorruptRecordField(*field, options)) read_fields.push_back(field);
  }
  plan->read_type = arrow::struct_(read_fields);
  SLUICE_ASSIGN_OR_RETURN(plan->root, JsonNode::Make(*plan->read_type));
  SLUICE_ASSIGN_OR_RETURN(plan->times, TimeReader::Make(options));
  plan->options = std::move(options);
  return std::make_unique<SparkJsonDecoder>(std::move(plan));
}

}  // namespace sluice::codec
