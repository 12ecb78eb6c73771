// Which tables this library may read and write: the protocol's versions and features against what
// is built here. Thread-safe (pure functions).
#pragma once

#include <arrow/type.h>

#include <string>
#include <vector>

#include "base/status.h"
#include "delta/protocol/action.h"
#include "delta/protocol/table_properties.h"

namespace sluice::delta {

/// DELTA_UNSUPPORTED_READER_FEATURE names the features.
Status CheckReadable(const Protocol& protocol);

/// DELTA_UNSUPPORTED_WRITER_FEATURE names the first feature in use that cannot be honoured. A
/// table whose rows are subject to expressions (CHECK constraints, invariants, generated and
/// identity columns) may be written only when `rules_checked`: by those who evaluated them
/// (row_rules.h).
Status CheckWritable(const Protocol& protocol, const Metadata& metadata,
                     const arrow::Schema& schema, bool rules_checked = false);

/// The features a protocol lists or stands for by its versions: sorted.
std::vector<std::string> SupportedFeatures(const Protocol& protocol);

/// `current` with what these columns and properties (and `delta.feature.<name>=supported`,
/// `delta.minReaderVersion`, `delta.minWriterVersion`) ask for beyond it; equal to `current` when
/// that is nothing. Versions are raised as long as versions can say it, then features are listed.
Protocol ProtocolFor(const arrow::Schema& schema, const TableProperties& properties,
                     const StringMap& configuration, const Protocol& current = {});

/// `protocol` without one feature, in versions as far as versions can say it; equal to `protocol`
/// when it does not have the feature.
Protocol WithoutFeature(const Protocol& protocol, const std::string& feature);

/// `name` as the protocol spells it; an unknown one as it is.
std::string SpelledFeature(const std::string& name);

/// Takes out what speaks of the protocol only: it is not kept in metadata.
void EraseProtocolProperties(StringMap* configuration);

}  // namespace sluice::delta
