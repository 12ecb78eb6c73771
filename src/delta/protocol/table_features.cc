#include "delta/protocol/table_features.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

constexpr int32_t kFeatureReader = 3;
constexpr int32_t kFeatureWriter = 7;

constexpr std::array<std::string_view, 11> kReadable = {"columnMapping",
                                                        "deletionVectors",
                                                        "timestampNtz",
                                                        "v2Checkpoint",
                                                        "vacuumProtocolCheck",
                                                        "typeWidening",
                                                        "typeWidening-preview",
                                                        "variantType",
                                                        "variantType-preview",
                                                        "variantShredding",
                                                        "variantShredding-preview"};

// Written by this library, or harmless to writers that only append, remove and rewrite whole rows.
constexpr std::array<std::string_view, 24> kWritable = {
    "appendOnly",     "invariants",           "deletionVectors",      "timestampNtz",
    "domainMetadata", "v2Checkpoint",         "inCommitTimestamp",    "vacuumProtocolCheck",
    "typeWidening",   "typeWidening-preview", "clustering",           "checkConstraints",
    "changeDataFeed", "generatedColumns",     "columnMapping",        "identityColumns",
    "rowTracking",    "allowColumnDefaults",  "checkpointProtection", "materializePartitionColumns",
    "variantType",    "variantType-preview",  "variantShredding",     "variantShredding-preview"};

/// Features and the versions that stand for them where a protocol lists none (0 = no version does).
struct Feature {
  std::string_view name;
  bool readers_too;
  int32_t legacy_reader;
  int32_t legacy_writer;
};
constexpr Feature kFeatures[] = {
    {"appendOnly", false, 1, 2},
    {"invariants", false, 1, 2},
    {"checkConstraints", false, 1, 3},
    {"changeDataFeed", false, 1, 4},
    {"generatedColumns", false, 1, 4},
    {"columnMapping", true, 2, 5},
    {"identityColumns", false, 1, 6},
    {"deletionVectors", true, 0, 0},
    {"timestampNtz", true, 0, 0},
    {"v2Checkpoint", true, 0, 0},
    {"vacuumProtocolCheck", true, 0, 0},
    {"typeWidening", true, 0, 0},
    {"variantType", true, 0, 0},
    {"variantShredding", true, 0, 0},
    {"typeWidening-preview", true, 0, 0},
    {"variantType-preview", true, 0, 0},
    {"variantShredding-preview", true, 0, 0},
};

const Feature* FindFeature(std::string_view name) {
  for (const Feature& feature : kFeatures) {
    if (feature.name == name) return &feature;
  }
  return nullptr;
}

template <typename Names>
bool Has(const Names& names, std::string_view name) {
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

/// What only those may write who evaluate expressions.
Status CheckRules(const Metadata& metadata, const arrow::Schema& schema) {
  if (AnyColumnHas(schema, "delta.invariants"))
    return Refuse("column invariants (delta.invariants)");
  if (HasCheckConstraints(metadata)) return Refuse("CHECK constraints");
  if (AnyColumnHas(schema, "delta.generationExpression")) return Refuse("generated columns");
  if (AnyColumnHas(schema, "delta.identity.start")) return Refuse("identity columns");
  return Status::OK();
}

Status CheckTypes(const arrow::Schema& schema) {
  const bool untyped = AnyField(schema.fields(), [](const arrow::Field& field) {
    return field.type()->id() == arrow::Type::NA;
  });
  if (untyped) {
    return MakeError("DELTA_UNSUPPORTED_TYPE", "cannot write a column without a type (void)",
                     "cast the column to the type it shall have");
  }
  return Status::OK();
}

/// The features that a protocol without lists stands for.
std::vector<std::string> WriterFeaturesOf(const Protocol& protocol) {
  if (protocol.writer_features.has_value()) return *protocol.writer_features;
  std::vector<std::string> features;
  for (const Feature& feature : kFeatures) {
    if (feature.legacy_writer > 0 && protocol.min_writer_version >= feature.legacy_writer)
      features.emplace_back(feature.name);
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
                     const arrow::Schema& schema, bool rules_checked) {
  SLUICE_RETURN_NOT_OK(CheckReadable(protocol));
  if (protocol.min_writer_version > kFeatureWriter) {
    return Refuse("writer version " + std::to_string(protocol.min_writer_version));
  }
  for (const std::string& feature : protocol.writer_features.value_or(std::vector<std::string>())) {
    if (!Has(kWritable, feature)) return Refuse("the feature " + feature);
  }
  if (metadata.format_provider != "parquet")
    return Refuse("the file format " + metadata.format_provider);
  SLUICE_RETURN_NOT_OK(CheckTypes(schema));
  return rules_checked ? Status::OK() : CheckRules(metadata, schema);
}

std::string SpelledFeature(const std::string& name) {
  const auto same = [&](std::string_view known) {
    return std::equal(known.begin(), known.end(), name.begin(), name.end(), [](char a, char b) {
      return std::tolower(static_cast<unsigned char>(a)) ==
             std::tolower(static_cast<unsigned char>(b));
    });
  };
  for (const std::string_view known : kWritable) {
    if (same(known)) return std::string(known);
  }
  for (const std::string_view known : kReadable) {
    if (same(known)) return std::string(known);
  }
  return name;
}

namespace {

/// The version that property `key` asks for; `otherwise` when it does not.
int32_t AskedVersion(const StringMap& configuration, const char* key, int32_t otherwise) {
  const auto it = configuration.find(key);
  if (it == configuration.end()) return otherwise;
  int32_t version = otherwise;
  (void)std::from_chars(it->second.data(), it->second.data() + it->second.size(), version);
  return std::max(version, otherwise);
}

/// The features these columns and properties ask for, beyond appendOnly and invariants.
std::vector<std::string> AskedFeatures(const arrow::Schema& schema,
                                       const TableProperties& properties,
                                       const StringMap& configuration,
                                       const std::vector<std::string>& present) {
  static constexpr std::string_view kByName = "delta.feature.";
  Metadata metadata;
  metadata.configuration = configuration;
  std::vector<std::string> asked;
  const auto ask = [&](bool wanted, const char* name) {
    if (wanted) asked.emplace_back(name);
  };
  const auto policy = configuration.find("delta.checkpointPolicy");
  const bool row_tracking = Enabled(metadata, "delta.enableRowTracking");
  ask(properties.enable_deletion_vectors, "deletionVectors");
  ask(AnyField(schema.fields(),
               [](const arrow::Field& field) {
                 return field.type()->id() == arrow::Type::TIMESTAMP &&
                        static_cast<const arrow::TimestampType&>(*field.type()).timezone().empty();
               }),
      "timestampNtz");
  const bool variants = AnyField(schema.fields(), [](const arrow::Field& field) {
    return field.type()->id() == arrow::Type::EXTENSION;
  });
  ask(variants && !Has(present, "variantType-preview"), "variantType");
  ask(Enabled(metadata, "delta.enableVariantShredding") && !Has(present, "variantShredding"),
      "variantShredding-preview");
  ask(policy != configuration.end() && policy->second == "v2", "v2Checkpoint");
  ask(properties.enable_in_commit_timestamps, "inCommitTimestamp");
  ask(HasCheckConstraints(metadata), "checkConstraints");
  ask(Enabled(metadata, "delta.enableChangeDataFeed"), "changeDataFeed");
  ask(AnyColumnHas(schema, "delta.generationExpression"), "generatedColumns");
  ask(Enabled(metadata, "delta.columnMapping.mode"), "columnMapping");
  ask(AnyColumnHas(schema, "delta.identity.start"), "identityColumns");
  ask(row_tracking, "rowTracking");
  ask(Enabled(metadata, "delta.enableTypeWidening"), "typeWidening");
  ask(AnyColumnHas(schema, "CURRENT_DEFAULT"), "allowColumnDefaults");
  for (auto it = configuration.lower_bound(std::string(kByName));
       it != configuration.end() && it->first.starts_with(kByName); ++it) {
    if (it->second == "supported" || it->second == "enabled")
      asked.push_back(SpelledFeature(it->first.substr(kByName.size())));
  }
  const auto needs_domains = [](const std::string& name) {
    return name == "rowTracking" || name == "clustering";
  };
  ask(std::any_of(asked.begin(), asked.end(), needs_domains), "domainMetadata");
  return asked;
}

/// `current` raised to the versions that properties ask for. A protocol with features gets those
/// that the versions stand for.
Protocol WithVersions(const Protocol& current, const StringMap& configuration) {
  Protocol asked;
  asked.min_reader_version = AskedVersion(configuration, "delta.minReaderVersion", 1);
  asked.min_writer_version = AskedVersion(configuration, "delta.minWriterVersion", 1);
  Protocol raised = current;
  if (asked.min_writer_version < kFeatureWriter && asked.min_reader_version < kFeatureReader &&
      current.min_writer_version < kFeatureWriter) {
    raised.min_reader_version = std::max(current.min_reader_version, asked.min_reader_version);
    raised.min_writer_version = std::max(current.min_writer_version, asked.min_writer_version);
    return raised;
  }
  std::vector<std::string> writer = WriterFeaturesOf(current);
  std::vector<std::string> reader = ReaderFeaturesOf(current);
  if (asked.min_writer_version < kFeatureWriter) Merge(WriterFeaturesOf(asked), &writer);
  if (asked.min_reader_version < kFeatureReader) Merge(ReaderFeaturesOf(asked), &reader);
  raised.min_writer_version = kFeatureWriter;
  raised.writer_features = std::move(writer);
  if (!reader.empty() || asked.min_reader_version == kFeatureReader ||
      current.min_reader_version == kFeatureReader) {
    raised.min_reader_version = kFeatureReader;
    raised.reader_features = std::move(reader);
  }
  return raised;
}

bool HasVersionOfItsOwn(const std::string& name) {
  const Feature* feature = FindFeature(name);
  return feature != nullptr && feature->legacy_writer > 0;
}

}  // namespace

Protocol ProtocolFor(const arrow::Schema& schema, const TableProperties& properties,
                     const StringMap& configuration, const Protocol& present) {
  const std::vector<std::string> asked =
      AskedFeatures(schema, properties, configuration, WriterFeaturesOf(present));
  const Protocol current = WithVersions(present, configuration);
  std::vector<std::string> writer = WriterFeaturesOf(current);
  const size_t before = writer.size();
  Merge(asked, &writer);
  if (writer.size() == before) return current;
  Protocol upgraded = current;
  const bool by_version = current.min_writer_version < kFeatureWriter &&
                          std::all_of(asked.begin(), asked.end(), HasVersionOfItsOwn);
  if (by_version) {
    for (const std::string& name : asked) {
      const Feature* feature = FindFeature(name);
      upgraded.min_reader_version = std::max(upgraded.min_reader_version, feature->legacy_reader);
      upgraded.min_writer_version = std::max(upgraded.min_writer_version, feature->legacy_writer);
    }
    return upgraded;
  }
  std::vector<std::string> reader = ReaderFeaturesOf(current);
  for (const std::string& name : asked) {
    const Feature* feature = FindFeature(name);
    if (feature != nullptr && feature->readers_too) Merge({name}, &reader);
  }
  upgraded.min_writer_version = kFeatureWriter;
  upgraded.writer_features = std::move(writer);
  if (!reader.empty()) {
    upgraded.min_reader_version = kFeatureReader;
    upgraded.reader_features = std::move(reader);
  }
  return upgraded;
}

Protocol WithoutFeature(const Protocol& protocol, const std::string& feature) {
  std::vector<std::string> writer = WriterFeaturesOf(protocol);
  std::vector<std::string> reader = ReaderFeaturesOf(protocol);
  const auto erased = std::erase(writer, feature) + std::erase(reader, feature);
  if (erased == 0) return protocol;
  // The versions whose features are exactly those left, if there are such.
  for (int32_t version = 2; version < kFeatureWriter; ++version) {
    Protocol plain;
    plain.min_writer_version = version;
    plain.min_reader_version = version >= 5 ? 2 : 1;
    std::vector<std::string> features = WriterFeaturesOf(plain);
    if (reader == ReaderFeaturesOf(plain) &&
        std::is_permutation(features.begin(), features.end(), writer.begin(), writer.end()))
      return plain;
  }
  Protocol left;
  left.min_writer_version = kFeatureWriter;
  left.writer_features = std::move(writer);
  if (!reader.empty()) {
    left.min_reader_version = kFeatureReader;
    left.reader_features = std::move(reader);
  }
  return left;
}

void EraseProtocolProperties(StringMap* configuration) {
  std::erase_if(*configuration, [](const auto& entry) {
    return entry.first.starts_with("delta.feature.") || entry.first == "delta.minReaderVersion" ||
           entry.first == "delta.minWriterVersion";
  });
}

std::vector<std::string> SupportedFeatures(const Protocol& protocol) {
  std::vector<std::string> features = WriterFeaturesOf(protocol);
  Merge(ReaderFeaturesOf(protocol), &features);
  std::sort(features.begin(), features.end());
  features.erase(std::unique(features.begin(), features.end()), features.end());
  return features;
}

}  // namespace sluice::delta
