// The files (or tombstones) of a snapshot: those of the checkpoint it was read from stay columns;
// what commits changed since lies over them as objects. Copies share nearly everything. Immutable
// ones may be read by several threads; one that is being changed has one owner.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/status.h"
#include "delta/log/held_files.h"
#include "delta/log/row_mask.h"
#include "delta/protocol/file_set.h"

namespace sluice::delta {

template <typename File>
class SnapshotFiles {
 public:
  using Value = std::shared_ptr<const File>;

  /// The files of a checkpoint. REQUIRES: size() == 0.
  void Begin(std::shared_ptr<const HeldFiles> held) {
    held_ = std::move(held);
    for (const int64_t row : held_->superseded()) gone_.Add(row);
    LetGo();
  }

  int64_t size() const {
    return changed_.size() + (held_ == nullptr ? 0 : held_->num_rows() - gone_.size());
  }
  bool Contains(const std::string& key) const {
    return changed_.Find(key) != nullptr || LiveRow(key) >= 0;
  }
  /// By FileKey; null when there is none.
  Value Find(const std::string& key) const {
    if (Value found = changed_.Find(key)) return found;
    const int64_t row = LiveRow(key);
    return row < 0 ? nullptr : Make(row);
  }
  /// Puts `value` in, returning what it replaces (or null).
  Value Put(const std::string& key, Value value) {
    Value replaced = EraseHeld(key);
    Value other = changed_.Put(key, std::move(value));
    return replaced != nullptr ? replaced : other;
  }
  /// Takes `key` out, returning what was there (or null).
  Value Erase(const std::string& key) {
    if (Value erased = changed_.Erase(key)) return erased;
    return EraseHeld(key);
  }

  /// Takes out those that `keep` says no to.
  void Keep(const std::function<bool(const File&)>& keep) {
    if (held_ != nullptr) {
      File file;
      for (const HeldFiles::Chunk& chunk : held_->chunks()) {
        for (int64_t row = 0; row < chunk.columns.size(); ++row) {
          if (gone_.Has(chunk.first + row)) continue;
          chunk.columns.Read(row, &file);
          if (!keep(file)) gone_.Add(chunk.first + row);
        }
      }
    }
    LetGo();
    std::vector<std::string> erased;
    changed_.ForEach([&](const Value& value) {
      if (!keep(*value)) erased.push_back(FileKey(*value));
    });
    for (const std::string& key : erased) changed_.Erase(key);
  }

  /// Visits every file; the reference is good during the call only.
  void ForEach(const std::function<void(const File&)>& visit) const {
    File file;
    ForEachHeld([&](const FileColumns& columns, int64_t row) {
      columns.Read(row, &file);
      visit(file);
    });
    changed_.ForEach([&](const Value& value) { visit(*value); });
  }
  /// Those that `keep` says yes to.
  std::vector<Value> Where(const std::function<bool(const File&)>& keep) const {
    std::vector<Value> files;
    File file;
    ForEachHeld([&](const FileColumns& columns, int64_t row) {
      columns.Read(row, &file);
      if (keep(file)) files.push_back(std::make_shared<const File>(file));
    });
    changed_.ForEach([&](const Value& value) {
      if (keep(*value)) files.push_back(value);
    });
    return files;
  }
  /// The files of the checkpoint that are still there, where they lie.
  template <typename Visit>
  void ForEachHeld(const Visit& visit) const {
    if (held_ == nullptr) return;
    for (const HeldFiles::Chunk& chunk : held_->chunks()) {
      for (int64_t row = 0; row < chunk.columns.size(); ++row) {
        if (!gone_.Has(chunk.first + row)) visit(chunk.columns, row);
      }
    }
  }
  /// The same by stretches: `visit(columns, rows)` returns Status.
  template <typename Visit>
  Status VisitHeld(const Visit& visit) const {
    if (held_ == nullptr) return Status::OK();
    std::vector<int64_t> rows;
    for (const HeldFiles::Chunk& chunk : held_->chunks()) {
      rows.clear();
      for (int64_t row = 0; row < chunk.columns.size(); ++row) {
        if (!gone_.Has(chunk.first + row)) rows.push_back(row);
      }
      if (!rows.empty()) SLUICE_RETURN_NOT_OK(visit(chunk.columns, rows));
    }
    return Status::OK();
  }
  /// The files that came after the checkpoint.
  const FileSet<File>& changed() const { return changed_; }

 private:
  /// The row of a file of the checkpoint that is still there; -1 = none.
  int64_t LiveRow(const std::string& key) const {
    const int64_t row = held_ == nullptr ? -1 : held_->Find(key);
    return row >= 0 && gone_.Has(row) ? -1 : row;
  }
  Value Make(int64_t row) const {
    auto file = std::make_shared<File>();
    held_->Read(row, file.get());
    return file;
  }
  Value EraseHeld(const std::string& key) {
    const int64_t row = LiveRow(key);
    if (row < 0) return nullptr;
    Value erased = Make(row);
    gone_.Add(row);
    LetGo();
    return erased;
  }
  /// Drops columns of which nothing is left.
  void LetGo() {
    if (held_ == nullptr || gone_.size() < held_->num_rows()) return;
    held_.reset();
    gone_ = RowMask();
  }

  FileSet<File> changed_;
  std::shared_ptr<const HeldFiles> held_;  // null = none
  RowMask gone_;                           // rows of held_ that are no longer there
};

}  // namespace sluice::delta
