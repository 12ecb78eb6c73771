#include "delta/files/change_feed.h"

#include <arrow/api.h>

#include <algorithm>
#include <map>

#include "batch/select_rows.h"
#include "delta/protocol/deletion_vector.h"

namespace sluice::delta {
namespace {

constexpr char kChangeType[] = "_change_type";

bool FeedEnabled(const Metadata& metadata) {
  const auto it = metadata.configuration.find("delta.enableChangeDataFeed");
  return it != metadata.configuration.end() && it->second == "true";
}

AddFile FileOf(const RemoveFile& remove) {
  AddFile file;
  file.path = remove.path;
  file.partition_values = remove.partition_values;
  file.size = remove.size.value_or(0);
  file.deletion_vector = remove.deletion_vector;
  return file;
}

AddFile FileOf(const AddCdcFile& cdc) {
  AddFile file;
  file.path = cdc.path;
  file.partition_values = cdc.partition_values;
  file.size = cdc.size;
  return file;
}

/// Rows of `a` that are not in `b`.
std::vector<uint64_t> Difference(const DeletionVector& a, const DeletionVector& b) {
  std::vector<uint64_t> rows = a.ToRows();
  std::erase_if(rows, [&](uint64_t row) { return b.Contains(row); });
  return rows;
}

}  // namespace

Result<std::unique_ptr<ChangeFeed>> ChangeFeed::Make(const Table& table, TableVersion from,
                                                     std::optional<TableVersion> to,
                                                     const ChangeFeedOptions& options) {
  const TableVersion newest = table.Current()->version();
  const TableVersion last = std::min(to.value_or(newest), newest);
  if (from.value() < 0 || from > last || (to.has_value() && from > *to)) {
    return MakeError("DELTA_CHANGE_FEED_RANGE",
                     "versions " + from.ToString() + " to " + to.value_or(newest).ToString() +
                         " are no range of changes of " + table.path(),
                     "the table is at version " + newest.ToString());
  }
  std::unique_ptr<ChangeFeed> feed(new ChangeFeed(table, options));
  SLUICE_ASSIGN_OR_RETURN(feed->snapshot_, table.SnapshotAt(last));
  feed->next_ = from;
  feed->last_ = last;
  SLUICE_RETURN_NOT_OK(feed->CheckEnabled(from));
  arrow::FieldVector fields = feed->snapshot_->schema()->fields();
  fields.push_back(arrow::field(kChangeType, arrow::utf8()));
  fields.push_back(arrow::field("_commit_version", arrow::int64()));
  fields.push_back(
      arrow::field("_commit_timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")));
  feed->schema_ = arrow::schema(std::move(fields));
  return feed;
}

Status ChangeFeed::CheckEnabled(TableVersion from) const {
  const auto disabled = [&](TableVersion version) {
    return MakeError(
        "DELTA_CHANGE_FEED_DISABLED",
        "changes of version " + version.ToString() + " of " + table_.path() + " were not recorded",
        "set delta.enableChangeDataFeed=true; only later versions have changes");
  };
  SLUICE_ASSIGN_OR_RETURN(const auto first, table_.SnapshotAt(from));
  if (!FeedEnabled(first->metadata())) return disabled(from);
  for (TableVersion version = from.Next(); version <= last_; version = version.Next()) {
    SLUICE_ASSIGN_OR_RETURN(const auto actions, table_.ReadCommit(version));
    for (const Action& action : actions) {
      const auto* metadata = std::get_if<Metadata>(&action);
      if (metadata != nullptr && !FeedEnabled(*metadata)) return disabled(version);
    }
  }
  return Status::OK();
}

Status ChangeFeed::Plan() {
  version_ = next_;
  next_ = next_.Next();
  parts_.clear();
  next_part_ = 0;
  SLUICE_ASSIGN_OR_RETURN(const auto actions, table_.ReadCommit(version_));
  timestamp_ms_ = 0;
  for (const Action& action : actions) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) {
      timestamp_ms_ = info->in_commit_timestamp_ms.value_or(info->timestamp_ms.value_or(0));
    } else if (const auto* cdc = std::get_if<AddCdcFile>(&action)) {
      parts_.push_back({FileOf(*cdc), "", false, {}});
    }
  }
  return parts_.empty() ? PlanFiles(actions) : Status::OK();
}

Status ChangeFeed::PlanFiles(const std::vector<Action>& actions) {
  std::map<std::string, const RemoveFile*> removed;
  for (const Action& action : actions) {
    const auto* remove = std::get_if<RemoveFile>(&action);
    if (remove != nullptr && remove->data_change) removed[remove->path] = remove;
  }
  for (const Action& action : actions) {
    const auto* add = std::get_if<AddFile>(&action);
    if (add == nullptr || !add->data_change) continue;
    const auto it = removed.find(add->path);
    if (it == removed.end()) {
      parts_.push_back({*add, "insert", false, {}});
    } else {
      SLUICE_RETURN_NOT_OK(PlanVectorChange(*add, *it->second));
      removed.erase(it);
    }
  }
  for (const auto& [path, remove] : removed)
    parts_.push_back({FileOf(*remove), "delete", false, {}});
  return Status::OK();
}

Status ChangeFeed::PlanVectorChange(const AddFile& added, const RemoveFile& removed) {
  DeletionVector before;
  DeletionVector after;
  const auto read = [&](const std::optional<DeletionVectorDescriptor>& descriptor,
                        DeletionVector* vector) -> Status {
    if (!descriptor.has_value()) return Status::OK();
    SLUICE_ASSIGN_OR_RETURN(*vector,
                            ReadDeletionVector(table_.storage(), table_.path(), *descriptor));
    return Status::OK();
  };
  SLUICE_RETURN_NOT_OK(read(removed.deletion_vector, &before));
  SLUICE_RETURN_NOT_OK(read(added.deletion_vector, &after));
  AddFile file = added;
  file.deletion_vector.reset();
  auto deleted = Difference(after, before);
  auto inserted = Difference(before, after);
  if (!deleted.empty()) parts_.push_back({file, "delete", true, std::move(deleted)});
  if (!inserted.empty()) parts_.push_back({file, "insert", true, std::move(inserted)});
  return Status::OK();
}

Status ChangeFeed::OpenNext() {
  while (next_part_ == parts_.size()) {
    if (next_ > last_) return Status::OK();
    SLUICE_RETURN_NOT_OK(Plan());
  }
  DataFileReadOptions options;
  options.batch_rows = options_.batch_rows;
  const Part& part = parts_[next_part_++];
  if (part.change[0] == '\0') options.extra_fields = {arrow::field(kChangeType, arrow::utf8())};
  options.with_row_index = part.only_listed;
  SLUICE_ASSIGN_OR_RETURN(reader_,
                          DataFileReader::Open(table_.storage(), snapshot_, part.file, options));
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> ChangeFeed::Next() {
  while (true) {
    if (reader_ == nullptr) {
      SLUICE_RETURN_NOT_OK(OpenNext());
      if (reader_ == nullptr) return std::shared_ptr<arrow::RecordBatch>();
    }
    SLUICE_ASSIGN_OR_RETURN(auto rows, reader_->Next());
    if (rows == nullptr) {
      reader_.reset();
      continue;
    }
    if (parts_[next_part_ - 1].only_listed) {
      SLUICE_ASSIGN_OR_RETURN(rows, Listed(rows));
      if (rows->num_rows() == 0) continue;
    }
    return Finish(rows);
  }
}

Result<std::shared_ptr<arrow::RecordBatch>> ChangeFeed::Listed(
    const std::shared_ptr<arrow::RecordBatch>& rows) {
  const auto& wanted = parts_[next_part_ - 1].rows;
  const int index_column = rows->num_columns() - 1;
  const auto& index = static_cast<const arrow::Int64Array&>(*rows->column(index_column));
  const auto first = static_cast<uint64_t>(index.Value(0));
  const auto end = first + static_cast<uint64_t>(rows->num_rows());
  std::vector<uint32_t> kept;
  for (auto it = std::lower_bound(wanted.begin(), wanted.end(), first);
       it != wanted.end() && *it < end; ++it) {
    kept.push_back(static_cast<uint32_t>(*it - first));
  }
  SLUICE_ASSIGN_OR_RETURN(const auto without, rows->RemoveColumn(index_column));
  SLUICE_ASSIGN_OR_RETURN(const auto indices, MakeIndices(kept));
  return TakeRows(without, indices);
}

Result<std::shared_ptr<arrow::RecordBatch>> ChangeFeed::Finish(
    const std::shared_ptr<arrow::RecordBatch>& rows) const {
  arrow::ArrayVector columns = rows->columns();
  const char* change = parts_[next_part_ - 1].change;
  const auto constant = [&](const std::shared_ptr<arrow::Scalar>& value) -> Status {
    SLUICE_ASSIGN_OR_RETURN(auto array, arrow::MakeArrayFromScalar(*value, rows->num_rows()));
    columns.push_back(std::move(array));
    return Status::OK();
  };
  if (change[0] != '\0')
    SLUICE_RETURN_NOT_OK(constant(std::make_shared<arrow::StringScalar>(change)));
  SLUICE_RETURN_NOT_OK(constant(std::make_shared<arrow::Int64Scalar>(version_.value())));
  const auto& time_type = schema_->field(schema_->num_fields() - 1)->type();
  SLUICE_RETURN_NOT_OK(
      constant(std::make_shared<arrow::TimestampScalar>(timestamp_ms_ * 1000, time_type)));
  return arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(columns));
}

}  // namespace sluice::delta
