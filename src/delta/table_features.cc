#include "delta/table_features.h"

#include <algorithm>
#include <array>
#include <string_view>

#include "delta/schema_json.h"

namespace sluice::delta {
namespace {

constexpr int32_t kFeatureReader = 3;
constexpr int32_t kFeatureWriter = 7;

constexpr std::array<std::string_view, 7> kReadable = {
    "columnMapping",       "deletionVectors", "timestampNtz",        "v2Checkpoint",
    "vacuumProtocolCheck", "typeWidening",    "typeWidening-preview"};

// Written by this library, or harmless to writers that only append, remove and rewrite whole rows.
constexpr std::array<std::string_view, 11> kWritable = {
    "appendOnly",     "invariants",           "deletionVectors",   "timestampNtz",
    "domainMetadata", "v2Checkpoint",         "inCommitTimestamp", "vacuumProtocolCheck",
    "typeWidening",   "typeWidening-preview", "clustering"};

template <size_t N>
bool Has(const std::array<std::string_view, N>& names, std::string_view name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

bool AnyField(const arrow::FieldVector& fields,
              const std::function<bool(const arrow::Field&)>& test) {
  return std::any_of(fields.begin(), fields.end(), [&](const std::shared_ptr<arrow::Field>& field) {
    return test(*field) || AnyField(field->type()->fields(), test);
  });
}

bool AnyColumnHas(const arrow::Schema& schema, const std::string& key) {
  return AnyField(schema.fields(),
                  [&](const arrow::Field& field) { return !ColumnMetadata(field, key).empty(); });
}

bool Enabled(const Metadata& metadata, const std::string& key) {
  const auto it = metadata.configuration.find(key);
  return it != metadata.configuration.end() && it->second != "false" && it->second != "none";
}

bool HasCheckConstraints(const Metadata& metadata) {
  const auto it = metadata.configuration.lower_bound("delta.constraints.");
  return it != metadata.configuration.end() && it->first.starts_with("delta.constraints.");
}

Status Refuse(const std::string& feature) {
  return MakeError("DELTA_UNSUPPORTED_WRITER_FEATURE", "cannot write a table that uses " + feature,
                   "write it with another engine, or switch the feature off");
}

Status CheckUsed(const Metadata& metadata, const arrow::Schema& schema) {
  if (AnyColumnHas(schema, "delta.invariants"))
    return Refuse("column invariants (delta.invariants)");
  if (HasCheckConstraints(metadata)) return Refuse("CHECK constraints");
  if (AnyColumnHas(schema, "delta.generationExpression")) return Refuse("generated columns");
  if (AnyColumnHas(schema, "delta.identity.start")) return Refuse("identity columns");
  if (Enabled(metadata, "delta.columnMapping.mode")) return Refuse("column mapping");
  return Status::OK();
}

bool UnusedUnlessChecked(std::string_view feature) {
  // Not rowTracking: where it is listed, every file needs row ids, whether the property is set or
  // not.
  static constexpr std::array<std::string_view, 6> kChecked = {
      "checkConstraints", "changeDataFeed",  "generatedColumns",
      "columnMapping",    "identityColumns", "allowColumnDefaults"};
  return Has(kChecked, feature);
}

/// The features that a protocol without lists stands for.
std::vector<std::string> WriterFeaturesOf(const Protocol& protocol) {
  if (protocol.writer_features.has_value()) return *protocol.writer_features;
  struct Since {
    const char* name;
    int32_t version;
  };
  static constexpr Since kLegacy[] = {
      {"appendOnly", 2},       {"invariants", 2},    {"checkConstraints", 3}, {"changeDataFeed", 4},
      {"generatedColumns", 4}, {"columnMapping", 5}, {"identityColumns", 6}};
  std::vector<std::string> features;
  for (const Since& since : kLegacy) {
    if (protocol.min_writer_version >= since.version) features.emplace_back(since.name);
  }
  return features;
}

std::vector<std::string> ReaderFeaturesOf(const Protocol& protocol) {
  if (protocol.reader_features.has_value()) return *protocol.reader_features;
  if (protocol.min_reader_version >= 2) return {"columnMapping"};
  return {};
}

void Merge(const std::vector<std::string>& more, std::vector<std::string>* features) {
  for (const std::string& name : more) {
    if (std::find(features->begin(), features->end(), name) == features->end())
      features->push_back(name);
  }
}

std::string Join(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

}  // namespace

Status CheckReadable(const Protocol& protocol) {
  if ((protocol.reader_features.has_value() && protocol.min_reader_version != kFeatureReader) ||
      (protocol.writer_features.has_value() && protocol.min_writer_version != kFeatureWriter)) {
    return MakeError("DELTA_LOG_CORRUPT",
                     "protocol action lists features at versions that have none: reader " +
                         std::to_string(protocol.min_reader_version) + ", writer " +
                         std::to_string(protocol.min_writer_version));
  }
  if (protocol.min_reader_version > kFeatureReader || protocol.min_reader_version < 1) {
    return MakeError("DELTA_UNSUPPORTED_READER_FEATURE",
                     "table needs reader version " + std::to_string(protocol.min_reader_version),
                     "upgrade Sluice");
  }
  if (protocol.min_reader_version < kFeatureReader) return Status::OK();
  std::vector<std::string> unknown;
  for (const std::string& feature : protocol.reader_features.value_or(std::vector<std::string>())) {
    if (!Has(kReadable, feature)) unknown.push_back(feature);
  }
  if (unknown.empty()) return Status::OK();
  return MakeError("DELTA_UNSUPPORTED_READER_FEATURE",
                   "cannot read a table with the features: " + Join(unknown),
                   "read it with another engine, or drop the features");
}

Status CheckWritable(const Protocol& protocol, const Metadata& metadata,
                     const arrow::Schema& schema) {
  SLUICE_RETURN_NOT_OK(CheckReadable(protocol));
  if (protocol.min_writer_version > kFeatureWriter) {
    return Refuse("writer version " + std::to_string(protocol.min_writer_version));
  }
  for (const std::string& feature : protocol.writer_features.value_or(std::vector<std::string>())) {
    if (!Has(kWritable, feature) && !UnusedUnlessChecked(feature))
      return Refuse("the feature " + feature);
  }
  if (metadata.format_provider != "parquet")
    return Refuse("the file format " + metadata.format_provider);
  return CheckUsed(metadata, schema);
}

Protocol ProtocolFor(const arrow::Schema& schema, const TableProperties& properties,
                     const StringMap& configuration) {
  std::vector<std::string> reader;
  std::vector<std::string> writer;
  const auto both = [&](const char* name) {
    reader.emplace_back(name);
    writer.emplace_back(name);
  };
  if (properties.enable_deletion_vectors) both("deletionVectors");
  const bool zoneless = AnyField(schema.fields(), [](const arrow::Field& field) {
    return field.type()->id() == arrow::Type::TIMESTAMP &&
           static_cast<const arrow::TimestampType&>(*field.type()).timezone().empty();
  });
  if (zoneless) both("timestampNtz");
  const auto policy = configuration.find("delta.checkpointPolicy");
  if (policy != configuration.end() && policy->second == "v2") both("v2Checkpoint");
  if (properties.enable_in_commit_timestamps) writer.emplace_back("inCommitTimestamp");
  Protocol protocol;
  if (writer.empty()) return protocol;
  writer.insert(writer.begin(), {"appendOnly", "invariants"});
  protocol.min_writer_version = kFeatureWriter;
  protocol.writer_features = std::move(writer);
  if (!reader.empty()) {
    protocol.min_reader_version = kFeatureReader;
    protocol.reader_features = std::move(reader);
  }
  return protocol;
}

Protocol UpgradeProtocol(const Protocol& current, const Protocol& needed) {
  if (!needed.writer_features.has_value()) return current;
  Protocol upgraded = current;
  std::vector<std::string> writer = WriterFeaturesOf(current);
  Merge(WriterFeaturesOf(needed), &writer);
  if (current.writer_features.has_value() && writer.size() == current.writer_features->size())
    return current;
  upgraded.min_writer_version = kFeatureWriter;
  upgraded.writer_features = std::move(writer);
  if (needed.reader_features.has_value() || current.min_reader_version == kFeatureReader) {
    std::vector<std::string> reader = ReaderFeaturesOf(current);
    Merge(ReaderFeaturesOf(needed), &reader);
    upgraded.min_reader_version = kFeatureReader;
    upgraded.reader_features = std::move(reader);
  }
  return upgraded;
}

}  // namespace sluice::delta
