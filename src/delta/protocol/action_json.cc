#include "delta/protocol/action_json.h"

#include <nlohmann/json.hpp>

#include <array>

#include "delta/protocol/commit_json.h"

namespace sluice::delta {
namespace {

using Json = nlohmann::json;

// ---- writing: straight into the text, one pass ----

class ObjectWriter {
 public:
  explicit ObjectWriter(std::string* out) : out_(out) { out_->push_back('{'); }
  void Close() { out_->push_back('}'); }

  void Key(std::string_view key) {
    if (!first_) out_->push_back(',');
    first_ = false;
    AppendJsonString(key, out_);
    out_->push_back(':');
  }
  void String(std::string_view key, std::string_view value) {
    Key(key);
    AppendJsonString(value, out_);
  }
  void OptionalString(std::string_view key, const std::optional<std::string>& value) {
    if (value.has_value()) String(key, *value);
  }
  void Int(std::string_view key, int64_t value) {
    Key(key);
    out_->append(std::to_string(value));
  }
  template <typename T>
  void OptionalInt(std::string_view key, const std::optional<T>& value) {
    if (value.has_value()) Int(key, *value);
  }
  void Bool(std::string_view key, bool value) {
    Key(key);
    out_->append(value ? "true" : "false");
  }
  void Raw(std::string_view key, std::string_view json) {
    Key(key);
    out_->append(json);
  }
  void Map(std::string_view key, const StringMap& map) {
    Key(key);
    ObjectWriter object(out_);
    for (const auto& [name, value] : map) object.String(name, value);
    object.Close();
  }
  void Partitions(std::string_view key, const PartitionValues& values) {
    Key(key);
    ObjectWriter object(out_);
    for (const auto& [name, value] : values) {
      if (value.has_value()) {
        object.String(name, *value);
      } else {
        object.Raw(name, "null");
      }
    }
    object.Close();
  }
  void Strings(std::string_view key, const std::vector<std::string>& values) {
    Key(key);
    out_->push_back('[');
    for (size_t i = 0; i < values.size(); ++i) {
      if (i > 0) out_->push_back(',');
      AppendJsonString(values[i], out_);
    }
    out_->push_back(']');
  }
  void DeletionVector(const std::optional<DeletionVectorDescriptor>& vector) {
    if (!vector.has_value()) return;
    Key("deletionVector");
    ObjectWriter object(out_);
    object.String("storageType", std::string_view(&vector->storage_type, 1));
    object.String("pathOrInlineDv", vector->path_or_inline);
    object.OptionalInt("offset", vector->offset);
    object.Int("sizeInBytes", vector->size_in_bytes);
    object.Int("cardinality", vector->cardinality);
    object.Close();
  }

 private:
  std::string* out_;
  bool first_ = true;
};

void WriteBody(const Protocol& protocol, ObjectWriter& object) {
  object.Int("minReaderVersion", protocol.min_reader_version);
  object.Int("minWriterVersion", protocol.min_writer_version);
  if (protocol.reader_features.has_value())
    object.Strings("readerFeatures", *protocol.reader_features);
  if (protocol.writer_features.has_value())
    object.Strings("writerFeatures", *protocol.writer_features);
}

void WriteBody(const Metadata& metadata, ObjectWriter& object) {
  object.String("id", metadata.id);
  object.OptionalString("name", metadata.name);
  object.OptionalString("description", metadata.description);
  std::string format;
  ObjectWriter inner(&format);
  inner.String("provider", metadata.format_provider);
  inner.Map("options", metadata.format_options);
  inner.Close();
  object.Raw("format", format);
  object.String("schemaString", metadata.schema_string);
  object.Strings("partitionColumns", metadata.partition_columns);
  object.Map("configuration", metadata.configuration);
  object.OptionalInt("createdTime", metadata.created_time_ms);
}

void WriteBody(const AddFile& add, ObjectWriter& object) {
  object.String("path", add.path);
  object.Partitions("partitionValues", add.partition_values);
  object.Int("size", add.size);
  object.Int("modificationTime", add.modification_time_ms);
  object.Bool("dataChange", add.data_change);
  if (!add.stats.empty()) object.String("stats", add.stats);
  if (!add.tags.empty()) object.Map("tags", add.tags);
  object.DeletionVector(add.deletion_vector);
  object.OptionalInt("baseRowId", add.base_row_id);
  object.OptionalInt("defaultRowCommitVersion", add.default_row_commit_version);
  object.OptionalString("clusteringProvider", add.clustering_provider);
}

void WriteBody(const RemoveFile& remove, ObjectWriter& object) {
  object.String("path", remove.path);
  object.OptionalInt("deletionTimestamp", remove.deletion_timestamp_ms);
  object.Bool("dataChange", remove.data_change);
  object.Bool("extendedFileMetadata", remove.extended_file_metadata);
  if (remove.extended_file_metadata) object.Partitions("partitionValues", remove.partition_values);
  object.OptionalInt("size", remove.size);
  if (!remove.stats.empty()) object.String("stats", remove.stats);
  if (!remove.tags.empty()) object.Map("tags", remove.tags);
  object.DeletionVector(remove.deletion_vector);
  object.OptionalInt("baseRowId", remove.base_row_id);
  object.OptionalInt("defaultRowCommitVersion", remove.default_row_commit_version);
}

void WriteBody(const AddCdcFile& cdc, ObjectWriter& object) {
  object.String("path", cdc.path);
  object.Partitions("partitionValues", cdc.partition_values);
  object.Int("size", cdc.size);
  object.Bool("dataChange", false);
  if (!cdc.tags.empty()) object.Map("tags", cdc.tags);
}

void WriteBody(const Txn& txn, ObjectWriter& object) {
  object.String("appId", txn.app_id);
  object.Int("version", txn.version);
  object.OptionalInt("lastUpdated", txn.last_updated_ms);
}

void WriteBody(const DomainMetadata& domain, ObjectWriter& object) {
  object.String("domain", domain.domain);
  object.String("configuration", domain.configuration);
  object.Bool("removed", domain.removed);
}

void WriteBody(const CommitInfo& info, ObjectWriter& object) {
  object.OptionalInt("inCommitTimestamp", info.in_commit_timestamp_ms);
  object.OptionalInt("timestamp", info.timestamp_ms);
  object.String("operation", info.operation);
  object.Map("operationParameters", info.operation_parameters);
  object.OptionalInt("readVersion", info.read_version);
  if (!info.isolation_level.empty()) object.String("isolationLevel", info.isolation_level);
  if (info.is_blind_append.has_value()) object.Bool("isBlindAppend", *info.is_blind_append);
  if (!info.operation_metrics.empty()) object.Map("operationMetrics", info.operation_metrics);
  object.OptionalString("userMetadata", info.user_metadata);
  if (!info.engine_info.empty()) object.String("engineInfo", info.engine_info);
  if (!info.txn_id.empty()) object.String("txnId", info.txn_id);
  for (const auto& [key, json] : info.extra) object.Raw(key, json);
}

void WriteBody(const Sidecar& sidecar, ObjectWriter& object) {
  object.String("path", sidecar.path);
  object.Int("sizeInBytes", sidecar.size);
}

const char* NameOf(const Action& action) {
  static constexpr std::array<const char*, std::variant_size_v<Action>> kNames = {
      "protocol", "metaData",       "add",        "remove", "cdc",
      "txn",      "domainMetadata", "commitInfo", "sidecar"};
  return kNames[action.index()];
}

// ---- reading: never throws; what is missing or of another type is left at its default ----

const Json* Find(const Json& object, const char* key) {
  const auto it = object.find(key);
  return it == object.end() || it->is_null() ? nullptr : &*it;
}

std::string Text(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  return value != nullptr && value->is_string() ? value->get_ref<const std::string&>()
                                                : std::string();
}

std::optional<std::string> OptionalText(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->get_ref<const std::string&>();
}

std::optional<int64_t> OptionalInt(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_number()) return std::nullopt;
  return value->get<int64_t>();
}

int64_t Int(const Json& object, const char* key) { return OptionalInt(object, key).value_or(0); }

std::optional<bool> OptionalBool(const Json& object, const char* key) {
  const Json* value = Find(object, key);
  if (value == nullptr || !value->is_boolean()) return std::nullopt;
  return value->get<bool>();
}

std::string PlainText(const Json& value) {
  if (value.is_string()) return value.get_ref<const std::string&>();
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

StringMap ToMap(const Json* object) {
  StringMap map;
  if (object == nullptr || !object->is_object()) return map;
  for (const auto& [key, value] : object->items()) {
    if (!value.is_null()) map.emplace(key, PlainText(value));
  }
  return map;
}

PartitionValues ToPartitions(const Json* object) {
  PartitionValues values;
  if (object == nullptr || !object->is_object()) return values;
  for (const auto& [key, value] : object->items()) {
    values.emplace(key,
                   value.is_null() ? std::nullopt : std::optional<std::string>(PlainText(value)));
  }
  return values;
}

std::optional<std::vector<std::string>> ToStrings(const Json* array) {
  if (array == nullptr || !array->is_array()) return std::nullopt;
  std::vector<std::string> strings;
  for (const Json& value : *array) strings.push_back(PlainText(value));
  return strings;
}

std::optional<DeletionVectorDescriptor> ToDeletionVector(const Json& object) {
  const Json* found = Find(object, "deletionVector");
  if (found == nullptr || !found->is_object()) return std::nullopt;
  DeletionVectorDescriptor vector;
  const std::string type = Text(*found, "storageType");
  vector.storage_type = type.empty() ? '?' : type[0];
  vector.path_or_inline = Text(*found, "pathOrInlineDv");
  if (const auto offset = OptionalInt(*found, "offset"))
    vector.offset = static_cast<int32_t>(*offset);
  vector.size_in_bytes = static_cast<int32_t>(Int(*found, "sizeInBytes"));
  vector.cardinality = Int(*found, "cardinality");
  return vector;
}

Protocol ToProtocol(const Json& body) {
  Protocol protocol;
  protocol.min_reader_version = static_cast<int32_t>(Int(body, "minReaderVersion"));
  protocol.min_writer_version = static_cast<int32_t>(Int(body, "minWriterVersion"));
  protocol.reader_features = ToStrings(Find(body, "readerFeatures"));
  protocol.writer_features = ToStrings(Find(body, "writerFeatures"));
  return protocol;
}

Metadata ToMetadata(const Json& body) {
  Metadata metadata;
  metadata.id = Text(body, "id");
  metadata.name = OptionalText(body, "name");
  metadata.description = OptionalText(body, "description");
  if (const Json* format = Find(body, "format"); format != nullptr && format->is_object()) {
    metadata.format_provider = Text(*format, "provider");
    metadata.format_options = ToMap(Find(*format, "options"));
  }
  metadata.schema_string = Text(body, "schemaString");
  metadata.partition_columns =
      ToStrings(Find(body, "partitionColumns")).value_or(std::vector<std::string>());
  metadata.created_time_ms = OptionalInt(body, "createdTime");
  metadata.configuration = ToMap(Find(body, "configuration"));
  return metadata;
}

AddFile ToAdd(const Json& body) {
  AddFile add;
  add.path = Text(body, "path");
  add.partition_values = ToPartitions(Find(body, "partitionValues"));
  add.size = Int(body, "size");
  add.modification_time_ms = Int(body, "modificationTime");
  add.data_change = OptionalBool(body, "dataChange").value_or(true);
  add.stats = Text(body, "stats");
  add.tags = ToMap(Find(body, "tags"));
  add.deletion_vector = ToDeletionVector(body);
  add.base_row_id = OptionalInt(body, "baseRowId");
  add.default_row_commit_version = OptionalInt(body, "defaultRowCommitVersion");
  add.clustering_provider = OptionalText(body, "clusteringProvider");
  return add;
}

RemoveFile ToRemove(const Json& body) {
  RemoveFile remove;
  remove.path = Text(body, "path");
  remove.deletion_timestamp_ms = OptionalInt(body, "deletionTimestamp");
  remove.data_change = OptionalBool(body, "dataChange").value_or(true);
  remove.extended_file_metadata = OptionalBool(body, "extendedFileMetadata").value_or(false);
  remove.partition_values = ToPartitions(Find(body, "partitionValues"));
  remove.size = OptionalInt(body, "size");
  remove.stats = Text(body, "stats");
  remove.tags = ToMap(Find(body, "tags"));
  remove.deletion_vector = ToDeletionVector(body);
  remove.base_row_id = OptionalInt(body, "baseRowId");
  remove.default_row_commit_version = OptionalInt(body, "defaultRowCommitVersion");
  return remove;
}

CommitInfo ToCommitInfo(const Json& body) {
  CommitInfo info;
  for (const auto& [key, value] : body.items()) {
    if (value.is_null()) continue;
    const bool is_int = value.is_number();
    if (key == "timestamp" && is_int) {
      info.timestamp_ms = value.get<int64_t>();
    } else if (key == "inCommitTimestamp" && is_int) {
      info.in_commit_timestamp_ms = value.get<int64_t>();
    } else if (key == "operation") {
      info.operation = PlainText(value);
    } else if (key == "operationParameters") {
      info.operation_parameters = ToMap(&value);
    } else if (key == "operationMetrics") {
      info.operation_metrics = ToMap(&value);
    } else if (key == "readVersion" && is_int) {
      info.read_version = value.get<int64_t>();
    } else if (key == "isolationLevel") {
      info.isolation_level = PlainText(value);
    } else if (key == "isBlindAppend" && value.is_boolean()) {
      info.is_blind_append = value.get<bool>();
    } else if (key == "engineInfo") {
      info.engine_info = PlainText(value);
    } else if (key == "txnId") {
      info.txn_id = PlainText(value);
    } else if (key == "userMetadata") {
      info.user_metadata = PlainText(value);
    } else {
      info.extra.emplace(key, value.dump(-1, ' ', false, Json::error_handler_t::replace));
    }
  }
  return info;
}

void ToAction(const std::string& name, const Json& body, std::vector<Action>* actions) {
  if (name == "add") {
    actions->emplace_back(ToAdd(body));
  } else if (name == "remove") {
    actions->emplace_back(ToRemove(body));
  } else if (name == "txn") {
    Txn txn{Text(body, "appId"), Int(body, "version"), OptionalInt(body, "lastUpdated")};
    actions->emplace_back(std::move(txn));
  } else if (name == "commitInfo") {
    actions->emplace_back(ToCommitInfo(body));
  } else if (name == "metaData") {
    actions->emplace_back(ToMetadata(body));
  } else if (name == "protocol") {
    actions->emplace_back(ToProtocol(body));
  } else if (name == "domainMetadata") {
    actions->emplace_back(DomainMetadata{Text(body, "domain"), Text(body, "configuration"),
                                         OptionalBool(body, "removed").value_or(false)});
  } else if (name == "cdc") {
    AddCdcFile cdc{Text(body, "path"), ToPartitions(Find(body, "partitionValues")),
                   Int(body, "size"), ToMap(Find(body, "tags"))};
    actions->emplace_back(std::move(cdc));
  } else if (name == "sidecar") {
    actions->emplace_back(Sidecar{Text(body, "path"), Int(body, "sizeInBytes")});
  }
}

/// A line of one action about a file, as all writers known begin it.
bool IsFileLine(std::string_view line) {
  return line.starts_with("{\"add\":") || line.starts_with("{\"remove\":") ||
         line.starts_with("{\"cdc\":");
}

Status Corrupt(const std::string& origin, size_t line) {
  return MakeError(
      "DELTA_LOG_CORRUPT",
      "log file does not hold JSON actions: " + origin + " line " + std::to_string(line),
      "restore the file; a commit is never changed once it is written");
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  static constexpr char kHex[] = "0123456789abcdef";
  out->push_back('"');
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out->append(text, start, i - start);
    start = i + 1;
    switch (c) {
      case '"': out->append("\\\""); break;
      case '\\': out->append("\\\\"); break;
      case '\n': out->append("\\n"); break;
      case '\r': out->append("\\r"); break;
      case '\t': out->append("\\t"); break;
      default:
        out->append("\\u00");
        out->push_back(kHex[c >> 4]);
        out->push_back(kHex[c & 15]);
    }
  }
  out->append(text, start, text.size() - start);
  out->push_back('"');
}

void AppendActionJson(const Action& action, std::string* out) {
  ObjectWriter line(out);
  line.Key(NameOf(action));
  ObjectWriter body(out);
  std::visit([&](const auto& typed) { WriteBody(typed, body); }, action);
  body.Close();
  line.Close();
  out->push_back('\n');
}

Status VisitCommitJson(std::string_view text, const std::string& origin, CommitContent content,
                       const std::function<void(Action&&)>& visit) {
  std::vector<Action> actions;  // of one line
  size_t number = 0;
  while (!text.empty()) {
    ++number;
    const size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (!line.empty() && (line.back() == '\r' || line.back() == ' ')) line.remove_suffix(1);
    if (line.empty() || (content == CommitContent::kWithoutFiles && IsFileLine(line))) continue;
    const Json json = Json::parse(line, nullptr, false);
    if (!json.is_object()) return Corrupt(origin, number);
    actions.clear();
    for (const auto& [name, body] : json.items()) {
      if (body.is_object()) ToAction(name, body, &actions);
    }
    for (Action& action : actions) visit(std::move(action));
  }
  return Status::OK();
}

Result<std::vector<Action>> ParseCommitJson(std::string_view text, const std::string& origin) {
  std::vector<Action> actions;
  SLUICE_RETURN_NOT_OK(VisitCommitJson(text, origin, CommitContent::kAll, [&](Action&& action) {
    actions.push_back(std::move(action));
  }));
  return actions;
}

std::string StringMapToJson(const StringMap& map) {
  std::string out;
  ObjectWriter object(&out);
  for (const auto& [name, value] : map) object.String(name, value);
  object.Close();
  return out;
}

Result<StringMap> StringMapFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, false);
  if (!json.is_object())
    return MakeError("DELTA_LOG_CORRUPT", "not a JSON object: " + std::string(text.substr(0, 80)));
  return ToMap(&json);
}

std::string NamesJson(const std::vector<std::string>& names) {
  std::string json = "[";
  for (const std::string& name : names) {
    if (json.size() > 1) json += ',';
    AppendJsonString(name, &json);
  }
  return json + "]";
}

}  // namespace sluice::delta
