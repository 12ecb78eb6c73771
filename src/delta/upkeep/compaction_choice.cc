#include <algorithm>
#include <map>

#include "delta/columns/schema_edit.h"
#include "delta/columns/value_ranges.h"
#include "delta/log/row_ids.h"
#include "delta/upkeep/compaction_choice_internal.h"

namespace sluice::delta {
namespace {

using FilePtr = std::shared_ptr<const AddFile>;

constexpr char kProvider[] = "liquid";
constexpr char kCubeTag[] = "ZCUBE_ID";
constexpr char kCubeColumnsTag[] = "ZCUBE_ZORDER_BY";

bool ManyDeleted(const AddFile& file, double ratio) {
  if (!file.deletion_vector.has_value()) return false;
  const int64_t rows = RecordsOf(file);
  return rows > 0 &&
         static_cast<double>(file.deletion_vector->cardinality) > ratio * static_cast<double>(rows);
}

Status CheckZOrder(const Snapshot& snapshot, const std::vector<ColumnPath>& columns) {
  for (const ColumnPath& column : columns) {
    const auto field = FindField(snapshot.schema()->fields(), column);
    const std::string name = DottedPath(column);
    if (field == nullptr) {
      return MakeError("DELTA_ZORDERING_COLUMN_DOES_NOT_EXIST",
                       "the table has no column to order by: " + name);
    }
    const auto& partitions = snapshot.partition_columns();
    if (column.size() == 1 &&
        std::find(partitions.begin(), partitions.end(), field->name()) != partitions.end()) {
      return MakeError("DELTA_ZORDERING_ON_PARTITION_COLUMN",
                       "rows of a file are equal in a partition column: " + name,
                       "order by the other columns; each partition is ordered by itself");
    }
    if (!OrderedColumn::Has(*field->type()) ||
        !HasStatistics(*snapshot.schema(), partitions, snapshot.metadata().configuration, column)) {
      return MakeError(
          "DELTA_ZORDERING_ON_COLUMN_WITHOUT_STATS",
          "files have no statistics of column " + name + ", so its order would skip none",
          "add it to delta.dataSkippingStatsColumns");
    }
  }
  return Status::OK();
}

/// What a curve is drawn through, if any.
Status ChooseCurve(const Snapshot& snapshot, const CompactionOptions& options,
                   CompactionChoice* choice) {
  SLUICE_ASSIGN_OR_RETURN(choice->columns, ClusteringColumns(snapshot));
  const bool clustered = !choice->columns.empty();
  if (options.kind != CompactionKind::kOptimize) {
    choice->columns.clear();
    choice->spare_clustered = clustered && options.kind != CompactionKind::kPurge;
    return Status::OK();
  }
  if (clustered && !options.z_order_by.empty()) {
    return MakeError("DELTA_CLUSTERING_WITH_ZORDER_BY",
                     "a clustered table has its order already: " + snapshot.table_path(),
                     "run OPTIMIZE without ZORDER BY, or ALTER TABLE ... CLUSTER BY");
  }
  if (clustered && !options.predicate_text.empty()) {
    return MakeError("DELTA_CLUSTERING_WITH_PARTITION_PREDICATE",
                     "a clustered table has no partitions to choose: " + snapshot.table_path(),
                     "run OPTIMIZE without WHERE");
  }
  if (options.full && !clustered) {
    return MakeError("DELTA_OPTIMIZE_FULL_NOT_SUPPORTED",
                     "only clustered tables can be optimized in full: " + snapshot.table_path(),
                     "leave FULL out");
  }
  if (clustered) choice->curve = Curve::kHilbert;
  if (options.z_order_by.empty()) return Status::OK();
  SLUICE_RETURN_NOT_OK(CheckZOrder(snapshot, options.z_order_by));
  choice->columns = options.z_order_by;
  choice->curve = Curve::kMorton;
  return Status::OK();
}

bool IsCandidate(const AddFile& file, const CompactionChoice& choice) {
  if (choice.curve == Curve::kMorton) return true;
  if (choice.only_vectors) return file.deletion_vector.has_value();
  if (choice.spare_clustered && file.clustering_provider == kProvider) return false;
  return file.size < choice.small || ManyDeleted(file, choice.deleted_ratio);
}

bool IsWorth(const FileGroup& group, const CompactionChoice& choice) {
  if (choice.only_vectors) return !group.empty();
  return static_cast<int>(group.size()) >= choice.min_files ||
         std::any_of(group.begin(), group.end(),
                     [&](const FilePtr& file) { return ManyDeleted(*file, choice.deleted_ratio); });
}

/// Packs the files of one partition, smallest first, into groups of about the target size.
void PackPartition(FileGroup files, const CompactionChoice& choice,
                   std::vector<FileGroup>* groups) {
  std::sort(files.begin(), files.end(), [](const FilePtr& a, const FilePtr& b) {
    return a->size != b->size ? a->size < b->size : a->path < b->path;
  });
  FileGroup group;
  int64_t bytes = 0;
  const auto close = [&] {
    if (IsWorth(group, choice)) groups->push_back(std::move(group));
    group.clear();
    bytes = 0;
  };
  for (FilePtr& file : files) {
    if (bytes + file->size > choice.target && !group.empty()) close();
    bytes += file->size;
    group.push_back(std::move(file));
  }
  close();
}

std::optional<std::string> TagOf(const AddFile& file, const char* key) {
  const auto it = file.tags.find(key);
  return it == file.tags.end() ? std::nullopt : std::optional(it->second);
}

/// Files that are not laid out by `columns`, and those of cubes that may still grow.
FileGroup ClusterCandidates(const Snapshot& snapshot, const CompactionChoice& choice,
                            const CompactionOptions& options) {
  struct Cube {
    FileGroup files;
    int64_t bytes = 0;
  };
  const std::string by = ColumnsJson(choice.columns);
  std::map<std::string, Cube> cubes;
  FileGroup candidates;
  for (const FilePtr& file : snapshot.Files()) {
    const auto cube = TagOf(*file, kCubeTag);
    const bool laid_out = file->clustering_provider == kProvider && cube.has_value() &&
                          TagOf(*file, kCubeColumnsTag) == by;
    if (!laid_out || options.full || ManyDeleted(*file, choice.deleted_ratio)) {
      candidates.push_back(file);
    } else {
      cubes[*cube].files.push_back(file);
      cubes[*cube].bytes += file->size;
    }
  }
  std::erase_if(cubes,
                [&](const auto& cube) { return cube.second.bytes >= options.min_cube_bytes; });
  // A single small cube is laid out as well as it can be.
  if (candidates.empty() && cubes.size() < 2) return {};
  for (auto& [id, cube] : cubes)
    candidates.insert(candidates.end(), cube.files.begin(), cube.files.end());
  return candidates;
}

}  // namespace

Result<CompactionChoice> CompactionChoice::Make(const Snapshot& snapshot,
                                                const CompactionOptions& options) {
  // Delta's defaults of spark.databricks.delta.optimize.{maxFileSize,maxDeletedRowsRatio} and of
  // spark.databricks.delta.autoCompact.{maxFileSize,minNumFiles}.
  constexpr int64_t kOptimizeBytes = 1LL << 30;
  constexpr double kOptimizeDeletedRatio = 0.05;
  constexpr int64_t kAutoBytes = 128LL << 20;
  constexpr int kAutoFiles = 50;
  CompactionChoice choice;
  SLUICE_RETURN_NOT_OK(ChooseCurve(snapshot, options, &choice));
  const bool by_property = snapshot.metadata().configuration.contains("delta.targetFileSize");
  const bool background = options.kind == CompactionKind::kBackground;
  const bool automatic = options.kind == CompactionKind::kAuto;
  choice.target =
      background || by_property ? snapshot.properties().target_file_size : kOptimizeBytes;
  if (automatic) choice.target = std::min(snapshot.properties().target_file_size, kAutoBytes);
  if (options.target_file_bytes > 0) choice.target = options.target_file_bytes;
  choice.small = automatic ? choice.target / 2 : choice.target;
  choice.deleted_ratio = kOptimizeDeletedRatio;
  choice.only_vectors = options.kind == CompactionKind::kPurge;
  if (automatic) {
    choice.min_files = kAutoFiles;
    choice.deleted_ratio = 1;  // a file alone is no reason
    choice.max_input_bytes = options.max_input_bytes;
  }
  if (!background) return choice;
  choice.small =
      static_cast<int64_t>(options.small_file_ratio * static_cast<double>(choice.target));
  choice.min_files = std::max(options.min_files, 2);
  choice.deleted_ratio = options.deleted_rows_ratio;
  choice.max_input_bytes = options.max_input_bytes;
  return choice;
}

std::vector<FileGroup> CompactionChoice::Groups(const Snapshot& snapshot,
                                                const CompactionOptions& options) const {
  std::vector<FileGroup> groups;
  if (clusters()) {
    FileGroup all = ClusterCandidates(snapshot, *this, options);
    if (!all.empty()) groups.push_back(std::move(all));
    return groups;
  }
  const FilePruner pruner(options.predicate, *snapshot.schema(), snapshot.partition_columns());
  std::map<PartitionValues, FileGroup> partitions;
  const auto candidates = snapshot.FilesWhere([&](const AddFile& file) {
    return IsCandidate(file, *this) && pruner.PartitionMayMatch(file.partition_values);
  });
  for (const FilePtr& file : candidates) partitions[file->partition_values].push_back(file);
  for (auto& [values, files] : partitions) {
    if (curve.has_value()) {
      groups.push_back(std::move(files));
    } else {
      PackPartition(std::move(files), *this, &groups);
    }
  }
  return groups;
}

void MarkClustered(const std::vector<ColumnPath>& columns, const std::string& cube, AddFile* file) {
  file->clustering_provider = kProvider;
  file->tags[kCubeTag] = cube;
  file->tags[kCubeColumnsTag] = ColumnsJson(columns);
}

}  // namespace sluice::delta
