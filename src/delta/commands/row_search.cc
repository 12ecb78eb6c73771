#include "delta/commands/row_search.h"

#include <arrow/api.h>

#include "delta/columns/assignment.h"
#include "delta/files/parquet_reader.h"
#include "delta/log/row_ids.h"

namespace sluice::delta {

std::vector<std::shared_ptr<const AddFile>> CandidateFiles(const Snapshot& snapshot,
                                                           const Predicate& prunes) {
  const FilePruner pruner(prunes, *snapshot.schema(), snapshot.partition_columns());
  return snapshot.FilesWhere(
      [&](const AddFile& file) { return pruner.empty() || pruner.MayMatch(file); });
}

Result<std::vector<RowAction>> FindRows(storage::Storage& storage,
                                        const std::shared_ptr<const Snapshot>& snapshot,
                                        const AddFile& file, const RowCondition& where,
                                        int32_t update) {
  DataFileReadOptions options;
  options.columns = where.columns;
  options.with_row_index = true;
  SLUICE_ASSIGN_OR_RETURN(const auto reader,
                          DataFileReader::Open(storage, snapshot, file, options));
  std::vector<RowAction> actions;
  while (true) {
    SLUICE_ASSIGN_OR_RETURN(const auto rows, reader->Next());
    if (rows == nullptr) return actions;
    const auto& positions =
        static_cast<const arrow::Int64Array&>(*rows->column(rows->num_columns() - 1));
    SLUICE_ASSIGN_OR_RETURN(const auto padded, PaddedTo(snapshot->schema(), rows));
    SLUICE_ASSIGN_OR_RETURN(const auto holds, Evaluate(where.holds, padded));
    for (int64_t i = 0; i < rows->num_rows(); ++i) {
      if (holds != nullptr && !(holds->IsValid(i) && holds->Value(i))) continue;
      actions.push_back({static_cast<uint64_t>(positions.Value(i)), update, -1});
    }
  }
}

Result<bool> HoldsForFile(const Snapshot& snapshot, const AddFile& file,
                          const RowCondition& where) {
  if (where.holds == nullptr) return true;
  SLUICE_ASSIGN_OR_RETURN(const auto row,
                          PartitionRow(snapshot.schema(), snapshot.partition_columns(), file));
  SLUICE_ASSIGN_OR_RETURN(const auto holds, Evaluate(where.holds, row));
  return holds->IsValid(0) && holds->Value(0);
}

int64_t LiveRecordsOf(const AddFile& file) {
  const int64_t records = RecordsOf(file);
  if (records < 0) return -1;
  return records - (file.deletion_vector.has_value() ? file.deletion_vector->cardinality : 0);
}

}  // namespace sluice::delta
