// The `add` or `remove` column of a checkpoint as Arrow has it: rows become actions when somebody
// asks for them. Thread-safe (immutable).
#pragma once

#include <arrow/array.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "delta/protocol/action.h"

namespace sluice::delta {

class FileColumns {
 public:
  /// Finds the fields of `actions`, any of which may be missing (or of a type that it should not
  /// have): it reads as null then.
  explicit FileColumns(std::shared_ptr<arrow::StructArray> actions);

  /// Rows that hold an action.
  int64_t size() const;
  /// Reads the action of `row` (0 .. size() - 1) over whatever `file` was: its memory is reused.
  void Read(int64_t row, AddFile* file) const;
  void Read(int64_t row, RemoveFile* file) const;
  /// FileKey of the action; `scratch` holds it where it is not in the column as it stands.
  std::string_view KeyAt(int64_t row, std::string* scratch) const;
  /// Size of the file in bytes; 0 = unknown.
  int64_t SizeAt(int64_t row) const { return size_.At(PositionOf(row)).value_or(0); }
  /// When a removed file was removed; 0 = unknown.
  int64_t DeletionTimestampAt(int64_t row) const {
    return deletion_timestamp_.At(PositionOf(row)).value_or(0);
  }
  const std::shared_ptr<arrow::StructArray>& array() const { return actions_; }
  /// Where in array() the action of `row` is.
  int64_t PositionOf(int64_t row) const {
    return rows_.empty() ? row : rows_[static_cast<size_t>(row)];
  }

 private:
  class Texts {
   public:
    explicit Texts(const arrow::Array* array) : array_(array) {}
    std::optional<std::string_view> At(int64_t row) const;
    void Read(int64_t row, std::string* text) const;

   private:
    const arrow::Array* array_;  // null = none
  };
  class Ints {
   public:
    explicit Ints(const arrow::Array* array) : array_(array) {}
    std::optional<int64_t> At(int64_t row) const;

   private:
    const arrow::Array* array_;
  };
  class Flags {
   public:
    explicit Flags(const arrow::Array* array);
    bool At(int64_t row, bool otherwise) const;

   private:
    const arrow::BooleanArray* array_;
  };
  class Maps {
   public:
    explicit Maps(const arrow::Array* array);
    void Read(int64_t row, PartitionValues* values) const;
    void Read(int64_t row, StringMap* values) const;

   private:
    const arrow::MapArray* array_;
    Texts keys_;
    Texts items_;
  };
  class Vectors {
   public:
    explicit Vectors(const arrow::Array* array);
    std::optional<DeletionVectorDescriptor> At(int64_t row) const;

   private:
    const arrow::StructArray* array_;
    Texts type_;
    Texts path_;
    Ints offset_;
    Ints bytes_;
    Ints cardinality_;
  };

  std::shared_ptr<arrow::StructArray> actions_;
  std::vector<int32_t> rows_;  // those that are not null; empty = all
  Texts path_;
  Maps partition_values_;
  Ints size_;
  Ints modification_time_;
  Ints deletion_timestamp_;
  Flags data_change_;
  Flags extended_file_metadata_;
  Texts stats_;
  Maps tags_;
  Vectors deletion_vector_;
  Ints base_row_id_;
  Ints default_row_commit_version_;
  Texts clustering_provider_;
};

}  // namespace sluice::delta
