// Rows as Spark's toJSON prints them, for comparing with recorded answers. Tests only.
#pragma once

#include <arrow/table.h>

#include <string>
#include <vector>

namespace sluice::sql {

/// How many digits of a second are shown: Spark's default cuts off behind milliseconds.
enum class JsonTimes { kMillis, kMicros };

std::vector<std::string> SparkJsonRows(const arrow::Table& table,
                                       JsonTimes times = JsonTimes::kMillis);

}  // namespace sluice::sql
