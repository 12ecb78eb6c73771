// Columns of CREATE TABLE and ALTER TABLE as Delta keeps them: Arrow fields with Delta's metadata.
#pragma once

#include <arrow/type.h>

#include "statements/statements_internal.h"

namespace sluice::statements {

/// Type, nullability, comment, default, generation, identity, length of CHAR and VARCHAR.
Result<std::shared_ptr<arrow::Field>> FieldOf(Job& job, const sql::ColumnDefinition& column);

/// TBLPROPERTIES, last one wins.
delta::StringMap PropertiesOf(const std::vector<sql::Property>& properties);

}  // namespace sluice::statements
