// Which tables this library may read and write: the protocol's versions and features against what
// is built here. Thread-safe (pure functions).
#pragma once

#include <arrow/type.h>

#include "base/status.h"
#include "delta/action.h"
#include "delta/table_properties.h"

namespace sluice::delta {

/// DELTA_UNSUPPORTED_READER_FEATURE names the features.
Status CheckReadable(const Protocol& protocol);

/// DELTA_UNSUPPORTED_WRITER_FEATURE names the first feature in use that cannot be honoured. A
/// feature that is listed but not used by the table (no such property, no such column) does not
/// stand in the way.
Status CheckWritable(const Protocol& protocol, const Metadata& metadata,
                     const arrow::Schema& schema);

/// The lowest protocol for a new table with these columns and properties.
Protocol ProtocolFor(const arrow::Schema& schema, const TableProperties& properties,
                     const StringMap& configuration);

/// `current` with what `needed` asks for beyond it; equal to `current` when that is nothing.
Protocol UpgradeProtocol(const Protocol& current, const Protocol& needed);

}  // namespace sluice::delta
