// Spark's type names <-> Arrow types. Pure functions, any thread.
//
//   BOOLEAN bool       TINYINT int8       SMALLINT int16     INT int32        BIGINT int64
//   FLOAT float32      DOUBLE float64     DECIMAL(p,s) decimal128(p,s)
//   STRING utf8        BINARY binary      DATE date32        TIME(6) time64(us)
//   TIMESTAMP timestamp(us, "UTC")        TIMESTAMP_NTZ timestamp(us)
//   ARRAY<T> list<element>    MAP<K,V> map<key, value>       STRUCT<..> struct
//   INTERVAL YEAR TO MONTH month_interval                    INTERVAL DAY TO SECOND duration(us)
//   VOID null          VARIANT: extension type "sluice.variant" over utf8, which holds JSON text
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <string_view>

#include "base/status.h"

namespace sluice::sql {

/// One type: "map<string, array<int>>", "STRUCT<a: INT NOT NULL, b STRING>".
Result<std::shared_ptr<arrow::DataType>> ParseDataType(std::string_view text);
/// A column list: "a STRING, b MAP<STRING,INT> NOT NULL COMMENT 'x'", or one struct<..> type.
Result<std::shared_ptr<arrow::Schema>> ParseSchema(std::string_view text);

/// Either of them, as the schema argument of from_json: a type, else a column list as a struct.
Result<std::shared_ptr<arrow::DataType>> ParseSchemaOrType(std::string_view text);

/// The type of VARIANT columns.
std::shared_ptr<arrow::DataType> VariantType();
bool IsVariantType(const arrow::DataType& type);

}  // namespace sluice::sql
