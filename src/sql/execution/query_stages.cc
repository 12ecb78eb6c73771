#include <arrow/array/concatenate.h>
#include <arrow/array/util.h>

#include <algorithm>

#include "batch/select_rows.h"
#include "sql/execution/generate_rows.h"
#include "sql/execution/query_stages_internal.h"

namespace sluice::sql {
namespace {

class ProjectReader : public arrow::RecordBatchReader {
 public:
  ProjectReader(ReaderPtr input, std::shared_ptr<arrow::Schema> schema, TimestampMicros clock)
      : input_(std::move(input)), schema_(std::move(schema)), clock_(clock) {}

  Status Prepare(BoundPtr condition, std::vector<BoundPtr> expressions,
                 const NativeFunctions& functions) {
    if (condition != nullptr) {
      SLUICE_ASSIGN_OR_RETURN(
          condition_, Evaluator::Make(input_->schema(), {std::move(condition)}, {functions}));
    }
    SLUICE_ASSIGN_OR_RETURN(expressions_,
                            Evaluator::Make(input_->schema(), std::move(expressions), {functions}));
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> rows;
      SLUICE_RETURN_NOT_OK(input_->ReadNext(&rows));
      if (rows == nullptr) {
        *out = nullptr;
        return Status::OK();
      }
      if (condition_ != nullptr) {
        SLUICE_ASSIGN_OR_RETURN(auto mask, condition_->Evaluate(*rows, clock_));
        SLUICE_ASSIGN_OR_RETURN(auto indices,
                                TrueIndices(static_cast<const arrow::BooleanArray&>(*mask[0])));
        if (indices->length() == 0) continue;
        if (rows->num_columns() == 0) {
          rows = arrow::RecordBatch::Make(rows->schema(), indices->length(), arrow::ArrayVector{});
        } else {
          SLUICE_ASSIGN_OR_RETURN(rows, TakeRows(rows, indices));
        }
      }
      SLUICE_ASSIGN_OR_RETURN(auto columns, expressions_->Evaluate(*rows, clock_));
      *out = arrow::RecordBatch::Make(schema_, rows->num_rows(), std::move(columns));
      return Status::OK();
    }
  }

 private:
  ReaderPtr input_;
  std::shared_ptr<arrow::Schema> schema_;
  TimestampMicros clock_;
  std::unique_ptr<Evaluator> condition_;
  std::unique_ptr<Evaluator> expressions_;
};

class GenerateReader : public arrow::RecordBatchReader {
 public:
  GenerateReader(ReaderPtr input, std::shared_ptr<const GenerateNode> node,
                 std::unique_ptr<Evaluator> list, TimestampMicros clock)
      : input_(std::move(input)), node_(std::move(node)), list_(std::move(list)), clock_(clock) {}
  std::shared_ptr<arrow::Schema> schema() const override { return node_->schema; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    std::shared_ptr<arrow::RecordBatch> rows;
    do {
      SLUICE_RETURN_NOT_OK(input_->ReadNext(&rows));
      if (rows == nullptr) return Status::OK();
      SLUICE_ASSIGN_OR_RETURN(auto lists, list_->Evaluate(*rows, clock_));
      const GenerateShape shape{node_->spread, node_->positions, node_->outer};
      SLUICE_ASSIGN_OR_RETURN(auto made, GenerateRows(shape, node_->schema, rows, *lists[0]));
      *out = std::move(made.rows);
    } while ((*out)->num_rows() == 0);
    return Status::OK();
  }

 private:
  ReaderPtr input_;
  std::shared_ptr<const GenerateNode> node_;
  std::unique_ptr<Evaluator> list_;
  TimestampMicros clock_;
};

class LimitReader : public arrow::RecordBatchReader {
 public:
  LimitReader(ReaderPtr input, int64_t offset, int64_t limit)
      : input_(std::move(input)), skip_(offset), left_(limit) {}
  std::shared_ptr<arrow::Schema> schema() const override { return input_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    *out = nullptr;
    while (left_ != 0) {
      std::shared_ptr<arrow::RecordBatch> rows;
      SLUICE_RETURN_NOT_OK(input_->ReadNext(&rows));
      if (rows == nullptr) return Status::OK();
      const int64_t skipped = std::min(skip_, rows->num_rows());
      skip_ -= skipped;
      rows = rows->Slice(skipped, left_ < 0 ? rows->num_rows() : left_);
      if (rows->num_rows() == 0) continue;
      if (left_ > 0) left_ -= rows->num_rows();
      *out = std::move(rows);
      return Status::OK();
    }
    return Status::OK();
  }

 private:
  ReaderPtr input_;
  int64_t skip_;
  int64_t left_;  // below 0: all
};

class ConcatReader : public arrow::RecordBatchReader {
 public:
  ConcatReader(ReaderPtr first, ReaderPtr second, std::shared_ptr<arrow::Schema> schema)
      : inputs_{std::move(first), std::move(second)}, schema_(std::move(schema)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    for (; at_ < 2; ++at_) {
      std::shared_ptr<arrow::RecordBatch> rows;
      SLUICE_RETURN_NOT_OK(inputs_[at_]->ReadNext(&rows));
      if (rows == nullptr) continue;
      *out = arrow::RecordBatch::Make(schema_, rows->num_rows(), rows->columns());
      return Status::OK();
    }
    *out = nullptr;
    return Status::OK();
  }

 private:
  ReaderPtr inputs_[2];
  std::shared_ptr<arrow::Schema> schema_;
  size_t at_ = 0;
};

class RenamingReader : public arrow::RecordBatchReader {
 public:
  RenamingReader(ReaderPtr input, std::shared_ptr<arrow::Schema> schema)
      : input_(std::move(input)), schema_(std::move(schema)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    std::shared_ptr<arrow::RecordBatch> rows;
    SLUICE_RETURN_NOT_OK(input_->ReadNext(&rows));
    *out = rows == nullptr ? nullptr
                           : arrow::RecordBatch::Make(schema_, rows->num_rows(), rows->columns());
    return Status::OK();
  }

 private:
  ReaderPtr input_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<ReaderPtr> MakeProjectReader(ReaderPtr input, BoundPtr condition,
                                    std::vector<BoundPtr> expressions,
                                    std::shared_ptr<arrow::Schema> schema,
                                    const NativeFunctions& functions, TimestampMicros clock) {
  auto reader = std::make_shared<ProjectReader>(std::move(input), std::move(schema), clock);
  SLUICE_RETURN_NOT_OK(reader->Prepare(std::move(condition), std::move(expressions), functions));
  return reader;
}

Result<ReaderPtr> MakeGenerateReader(ReaderPtr input, std::shared_ptr<const GenerateNode> node,
                                     const NativeFunctions& functions, TimestampMicros clock) {
  SLUICE_ASSIGN_OR_RETURN(auto list, Evaluator::Make(input->schema(), {node->list}, {functions}));
  return ReaderPtr(
      std::make_shared<GenerateReader>(std::move(input), std::move(node), std::move(list), clock));
}

ReaderPtr MakeLimitReader(ReaderPtr input, int64_t offset, int64_t limit) {
  return std::make_shared<LimitReader>(std::move(input), offset, limit);
}

ReaderPtr MakeConcatReader(ReaderPtr first, ReaderPtr second,
                           std::shared_ptr<arrow::Schema> schema) {
  return std::make_shared<ConcatReader>(std::move(first), std::move(second), std::move(schema));
}

ReaderPtr MakeRenamingReader(ReaderPtr input, std::shared_ptr<arrow::Schema> schema) {
  return std::make_shared<RenamingReader>(std::move(input), std::move(schema));
}

Result<ReaderPtr> MakeValuesReader(const ValuesNode& values, TimestampMicros clock) {
  const auto rows = static_cast<int64_t>(values.rows.size());
  arrow::ArrayVector columns;
  for (int c = 0; c < values.schema->num_fields(); ++c) {
    arrow::ArrayVector cells;
    for (const auto& row : values.rows) {
      SLUICE_ASSIGN_OR_RETURN(auto scalar,
                              Evaluator::EvaluateConstant(row[static_cast<size_t>(c)], clock));
      SLUICE_ASSIGN_OR_RETURN(auto cell, arrow::MakeArrayFromScalar(*scalar, 1));
      cells.push_back(std::move(cell));
    }
    SLUICE_ASSIGN_OR_RETURN(auto column, arrow::Concatenate(cells));
    columns.push_back(std::move(column));
  }
  auto batch = arrow::RecordBatch::Make(values.schema, rows, std::move(columns));
  return arrow::RecordBatchReader::Make({std::move(batch)}, values.schema);
}

}  // namespace sluice::sql
