// Arrow schema <-> Delta's schemaString. Column metadata is kept as Arrow field metadata: key ->
// JSON text of the value. Types: string=utf8, binary, boolean, byte..long=int8..int64, float,
// double, date=date32, decimal(p,s)=decimal128, timestamp=timestamp(us, "UTC"),
// timestamp_ntz=timestamp(us), struct, array=list(element), map, variant=VariantType(), void=null.
#pragma once

#include <arrow/type.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace sluice::delta {

/// DELTA_UNSUPPORTED_TYPE for a type that has no Arrow form here, DELTA_LOG_CORRUPT for bad JSON.
Result<std::shared_ptr<arrow::Schema>> SchemaFromJson(std::string_view json);

/// Accepts what SchemaFromJson makes, and near relatives (large_utf8, dictionary, time zones, other
/// units), which become the Delta type they are stored as. DELTA_UNSUPPORTED_TYPE otherwise.
Result<std::string> SchemaToJson(const arrow::Schema& schema);

/// The schema a table returns for rows of `schema`: relatives replaced by the types listed above.
Result<std::shared_ptr<arrow::Schema>> TableSchemaOf(const arrow::Schema& schema);
Result<std::shared_ptr<arrow::DataType>> TableTypeOf(const std::shared_ptr<arrow::DataType>& type);

/// Value of a column metadata key as plain text (a JSON string is unquoted); empty when absent.
std::string ColumnMetadata(const arrow::Field& field, const std::string& key);

}  // namespace sluice::delta
