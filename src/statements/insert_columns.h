// Which column of a table each value of an INSERT goes to: by position, by a list of columns, by
// name, or by PARTITION (column = value). Part of RunInsert.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "statements/statements_internal.h"

namespace sluice::statements {

/// `PARTITION (column = value)`.
struct StaticPartition {
  std::shared_ptr<arrow::Field> field;
  sql::BoundPtr value;  // a constant of the field's type
};

/// The values that PARTITION gives. NON_PARTITION_COLUMN.
Result<std::vector<StaticPartition>> StaticPartitions(Job& job, const sql::InsertInto& insert,
                                                      const delta::Snapshot& snapshot);

/// The rows of the statement's query as columns of the table: names and types are those they are
/// stored with. With schema evolution columns and fields that the table lacks stay as they are.
Result<sql::PlanPtr> PlanInsertedRows(Job& job, const sql::InsertInto& insert,
                                      const delta::Snapshot& snapshot,
                                      const std::vector<StaticPartition>& partitions);

}  // namespace sluice::statements
