// Changes inside a schema at a path of column names. Thread-safe (pure functions).
#pragma once

#include <arrow/type.h>

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"

namespace sluice::delta {

/// What becomes of the fields of a struct (or of the table).
using FieldsEdit = std::function<Result<arrow::FieldVector>(arrow::FieldVector fields)>;

/// `fields` with `edit` applied to those of the struct at `path` (empty = `fields` themselves).
/// Struct fields are found without regard to case; "element", "key", "value" lead into lists and
/// maps. DELTA_SCHEMA_MISMATCH when there is no struct at `path`.
Result<arrow::FieldVector> EditFields(const arrow::FieldVector& fields,
                                      const std::vector<std::string>& path, const FieldsEdit& edit);

/// Index of the field of that name but for case; -1 = none.
int FindFieldIndex(const arrow::FieldVector& fields, const std::string& name);

/// The fields of structs that `path` leads through, found without regard to case; empty when it
/// leads nowhere.
arrow::FieldVector FieldsAlong(const arrow::FieldVector& fields,
                               const std::vector<std::string>& path);
/// The last of them; null when there is none.
std::shared_ptr<arrow::Field> FindField(const arrow::FieldVector& fields,
                                        const std::vector<std::string>& path);

/// `path` split at its last field of a struct: the path up to it (inclusive), and the steps through
/// lists and maps below it. DELTA_SCHEMA_MISMATCH when `path` leads nowhere.
struct SplitPath {
  std::vector<std::string> holder;
  std::vector<std::string> below;
};
Result<SplitPath> SplitAtHolder(const arrow::FieldVector& fields,
                                const std::vector<std::string>& path);

/// `type` with what is `below` it replaced by what `change` makes of it.
Result<std::shared_ptr<arrow::DataType>> EditType(
    const std::shared_ptr<arrow::DataType>& type, const std::vector<std::string>& below,
    const std::function<
        Result<std::shared_ptr<arrow::DataType>>(const std::shared_ptr<arrow::DataType>&)>& change);

/// "a.b.c"
std::string DottedPath(const std::vector<std::string>& path);

}  // namespace sluice::delta
