// Widening the type of a column (delta.enableTypeWidening): which changes the protocol allows, and
// the note of them that readers of old files go by. Thread-safe (pure functions).
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>

#include "base/status.h"

namespace sluice::delta {

/// The metadata of a field that keeps the note.
inline constexpr char kTypeChanges[] = "delta.typeChanges";

/// Whether values of `from` can be read as `to` (another type) in files that stay as they are.
bool MayWiden(const arrow::DataType& from, const arrow::DataType& to);
/// The same for changes that a schema makes by itself when it evolves: within one family of types.
bool MayWidenUnasked(const arrow::DataType& from, const arrow::DataType& to);

/// `field` (of a struct, or top level) with a note in `delta.typeChanges` that what is at `path`
/// below it ("", "element", "key", "value.element", ...) changed its type.
std::shared_ptr<arrow::Field> NoteTypeChange(const std::shared_ptr<arrow::Field>& field,
                                             const std::string& path,
                                             const std::shared_ptr<arrow::DataType>& from,
                                             const std::shared_ptr<arrow::DataType>& to);

}  // namespace sluice::delta
