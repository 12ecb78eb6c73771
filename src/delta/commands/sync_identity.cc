// ALTER TABLE ... ALTER COLUMN ... SYNC IDENTITY.
#include <arrow/api.h>

#include <algorithm>

#include "delta/columns/identity_column.h"
#include "delta/commands/alteration_internal.h"
#include "delta/files/scan.h"

namespace sluice::delta {
namespace {

/// The value of the column that lies furthest in the direction it counts; nothing without rows.
Result<std::optional<int64_t>> Furthest(Table& table, const Transaction& transaction,
                                        const std::string& column, bool upwards) {
  ScanOptions options;
  options.columns = {column};
  SLUICE_ASSIGN_OR_RETURN(const auto scan,
                          Scan::Make(table.storage(), transaction.read_snapshot(), options));
  std::optional<int64_t> furthest;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, scan->Next());
    if (rows == nullptr) return furthest;
    const auto& values = static_cast<const arrow::Int64Array&>(*rows->column(0));
    for (int64_t i = 0; i < values.length(); ++i) {
      if (values.IsNull(i)) continue;
      const int64_t value = values.Value(i);
      furthest = !furthest.has_value() ? value
                 : upwards             ? std::max(*furthest, value)
                                       : std::min(*furthest, value);
    }
  }
}

/// The first value that the column counts to at or beyond `value`. ARITHMETIC_OVERFLOW.
Result<int64_t> NextAt(int64_t value, int64_t start, int64_t step) {
  const __int128 distance = static_cast<__int128>(value) - start;
  __int128 steps = distance / step;
  if (steps * step != distance && (distance > 0) == (step > 0)) ++steps;
  const __int128 next = start + steps * step;
  if (next > INT64_MAX || next < INT64_MIN)
    return MakeError("ARITHMETIC_OVERFLOW", "identity column has come to the end of its type");
  return static_cast<int64_t>(next);
}

}  // namespace

Result<CommitResult> SyncIdentity(Table& table, const ColumnPath& path) {
  SLUICE_ASSIGN_OR_RETURN(auto alteration, Alteration::Begin(table));
  const auto field = FindField(alteration.snapshot().schema()->fields(), path);
  std::optional<IdentityColumn> identity;
  if (field != nullptr) {
    SLUICE_ASSIGN_OR_RETURN(identity, IdentityOf(*field));
  }
  if (!identity.has_value() || path.size() != 1) {
    return MakeError("DELTA_IDENTITY_COLUMNS_ALTER_NON_IDENTITY_COLUMN",
                     "SYNC IDENTITY of what is no identity column: " + DottedPath(path));
  }
  auto [start, step, mark] = *identity;
  if (step == 0)
    return MakeError("DELTA_LOG_CORRUPT", "identity column does not count: " + field->name());
  const bool upwards = step > 0;
  SLUICE_ASSIGN_OR_RETURN(const auto furthest,
                          Furthest(table, alteration.transaction(), field->name(), upwards));
  alteration.transaction().ReadWholeTable();
  // A value in front of the start is none that counting comes to.
  if (furthest.has_value() && (upwards ? *furthest >= start : *furthest <= start)) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t next, NextAt(*furthest, start, step));
    const bool beyond = !mark.has_value() || (upwards ? next > *mark : next < *mark);
    if (beyond) mark = next;
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string json, FieldJson(field));
  const auto edit = [&, mark = mark](arrow::FieldVector fields) -> Result<arrow::FieldVector> {
    if (!mark.has_value()) return fields;
    auto& changed = fields[static_cast<size_t>(FindFieldIndex(fields, path.front()))];
    changed = WithHighWaterMark(*changed, *mark);
    return fields;
  };
  SLUICE_RETURN_NOT_OK(alteration.EditColumns({}, edit));
  alteration.transaction().SetExtra("tags", "{\"delta.identity.schemaUpdate\":\"true\"}");
  return alteration.Commit("CHANGE COLUMN", {{"column", json}});
}

}  // namespace sluice::delta
