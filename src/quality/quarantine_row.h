// Rows that leave a flow sideways (broken rule, late) in the form they are kept in: rule names, the
// row as JSON, the raw source value and its position. Thread-safe (pure functions).
#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "batch/batch.h"
#include "flow/epoch.h"

namespace sluice::quality {

/// Rule name of rows that came after the watermark.
inline constexpr std::string_view kLateRule = "_late";

/// rules ARRAY<STRING>, row STRING, raw BINARY, source STRUCT<kind STRING, name STRING, topic
/// STRING, partition INT, offset BIGINT, version BIGINT>, epoch BIGINT, epoch_time TIMESTAMP.
const std::shared_ptr<arrow::Schema>& QuarantineSchema();

/// A row of a batch and the rules it broke.
struct RejectedRow {
  int64_t row = 0;
  std::vector<std::string> rules;
};

/// Builds the quarantine rows of `rejected`. `row` shows the first `payload_columns` columns of the
/// batch (all when negative); `raw` is the origin row's `value` column, else the origin row as
/// JSON; both NULL without origin.
Result<std::shared_ptr<arrow::RecordBatch>> MakeQuarantineRows(
    const flow::EpochContext& epoch, const Batch& batch, int payload_columns,
    const std::vector<RejectedRow>& rejected);

/// The same for late rows: every row of `batch`, with the rule name `_late`.
Result<std::shared_ptr<arrow::RecordBatch>> MakeLateRows(const flow::EpochContext& epoch,
                                                         const Batch& batch,
                                                         int payload_columns = -1);

/// Where row `row` came from, for messages: "topic orders, partition 3, offset 17", "table s.t,
/// version 4 (topic orders, partition 3, offset 17)".
std::string DescribeOrigin(const Batch& batch, int64_t row);

}  // namespace sluice::quality
