// Rows as Spark's toJSON prints them, for comparing with recorded answers. Tests only.
#pragma once

#include <arrow/table.h>

#include <string>
#include <vector>

namespace sluice::sql {

std::vector<std::string> SparkJsonRows(const arrow::Table& table);

}  // namespace sluice::sql
