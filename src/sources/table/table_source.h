// Reads a Delta table as a stream of appends: first its rows at one version, then what each later
// version added; from the hot hand-off when the writer is in this process and not too far ahead,
// else from the table: same rows either way. Positions: "<id>/version" = next version to read;
// "<id>/index" = next file (in path order) of the initial snapshot, which is that of version - 1;
// -1 or absent when it was read. Threads as flow/source.h says.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "delta/log/table.h"
#include "flow/hand_off.h"
#include "flow/source.h"

namespace sluice::sources {

struct TableSourceOptions {
  std::string id;  // stable name in positions; the table's name
  std::string table_path;
  /// Columns to deliver, by name, with their types; missing ones of older rows are null.
  std::shared_ptr<arrow::Schema> schema;
  /// In `schema`: columns that the table's flows carry through from a topic.
  RecordColumns record;
  /// Updates and deletes are passed over instead of DELTA_SOURCE_TABLE_CHANGED.
  bool skip_change_commits = false;
  /// Reads versions from this one on, without an initial snapshot; nullopt = from the snapshot that
  /// is newest at the start.
  std::optional<TableVersion> starting_version;
  int64_t poll_interval_micros =
      100'000;  // how often foreign commits are looked for while the hand-off is quiet
};

class TableSource : public flow::Source {
 public:
  /// `tables` and `clock` outlive the source; `hand_off` is that of the table, null when no flow
  /// here writes it. The table need not exist yet: until then there is nothing to read.
  static Result<std::unique_ptr<TableSource>> Make(TableSourceOptions options,
                                                   delta::TableRegistry& tables,
                                                   std::shared_ptr<flow::HandOff> hand_off,
                                                   Clock& clock);
  ~TableSource() override;

  const std::string& id() const override;
  const std::shared_ptr<arrow::Schema>& schema() const override;
  Status Open(const flow::Positions& committed,
              const std::map<std::string, int64_t>& fingerprints) override;
  Status PinEnd() override;
  Result<bool> AtEnd() override;
  Result<flow::SourceBatch> PollBatch(const flow::PollLimits& limits) override;
  Status Rewind(const flow::Positions& positions) override;
  void OnProcessed(const flow::Positions& positions) override;
  void OnCommitted(const flow::Positions&) override {}
  flow::SourceLag Lag() override;
  void Stop() override;
  Status Close() override;

  /// Batches taken from the hand-off, and rows read back from files.
  int64_t hot_versions() const;
  int64_t cold_rows() const;

 private:
  class Impl;
  explicit TableSource(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace sluice::sources
