// Arrow types as Spark names them. Pure functions, any thread.
#pragma once

#include <arrow/type_fwd.h>

#include <string>

namespace sluice::sql {

/// Spark's simpleString: "struct<a:int,b:decimal(10,2)>". Types Spark does not have are named as
/// Arrow names them.
std::string SparkTypeName(const arrow::DataType& type);
/// Spark's sql form: "STRUCT<a: INT, b: DECIMAL(10,2)>".
std::string SparkTypeSql(const arrow::DataType& type);

}  // namespace sluice::sql
