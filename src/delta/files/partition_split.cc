#include "delta/files/partition_split.h"

#include <arrow/array.h>
#include <arrow/compute/api_vector.h>

#include <cstring>
#include <unordered_map>

namespace sluice::delta {
namespace {

constexpr int64_t kFewRuns = 16;  // so many slices of a batch are cheaper than a copy

/// True when all values are the same; a cheap test that may miss some such columns.
bool IsConstant(const arrow::Array& array) {
  const int64_t rows = array.length();
  if (array.null_count() == rows) return true;
  if (array.null_count() > 0) return false;
  if (array.type_id() == arrow::Type::STRING) {
    const auto& text = static_cast<const arrow::StringArray&>(array);
    const std::string_view first = text.GetView(0);
    for (int64_t i = 1; i < rows; ++i) {
      if (text.GetView(i) != first) return false;
    }
    return true;
  }
  if (array.type_id() == arrow::Type::BOOL || !arrow::is_fixed_width(array.type_id())) return false;
  const auto width = static_cast<size_t>(array.type()->byte_width());
  const uint8_t* values =
      array.data()->buffers[1]->data() + static_cast<size_t>(array.offset()) * width;
  return std::memcmp(values, values + width, static_cast<size_t>(rows - 1) * width) == 0;
}

/// Folds the values of `key` into `codes`: rows have equal codes when they agree in this and all
/// earlier keys.
Status FoldCodes(const arrow::Array& key, std::vector<int64_t>* codes) {
  SLUICE_ASSIGN_OR_RETURN(const arrow::Datum encoded,
                          arrow::compute::DictionaryEncode(arrow::Datum(key.data())));
  const auto array = encoded.make_array();
  const auto& dictionary = static_cast<const arrow::DictionaryArray&>(*array);
  const auto& indices = static_cast<const arrow::Int32Array&>(*dictionary.indices());
  const int64_t radix = dictionary.dictionary()->length() + 1;
  std::unordered_map<int64_t, int64_t> dense;  // keeps codes small whatever the number of keys
  for (size_t i = 0; i < codes->size(); ++i) {
    const auto row = static_cast<int64_t>(i);
    const int64_t index = indices.IsNull(row) ? radix - 1 : indices.Value(row);
    const int64_t code = (*codes)[i] * radix + index;
    (*codes)[i] = dense.try_emplace(code, static_cast<int64_t>(dense.size())).first->second;
  }
  return Status::OK();
}

std::vector<PartitionGroup> SliceRuns(const std::shared_ptr<arrow::RecordBatch>& rows,
                                      const std::vector<int64_t>& codes) {
  std::vector<PartitionGroup> groups;
  size_t begin = 0;
  for (size_t i = 1; i <= codes.size(); ++i) {
    if (i < codes.size() && codes[i] == codes[begin]) continue;
    const auto first = static_cast<int64_t>(begin);
    groups.push_back(PartitionGroup{first, rows->Slice(first, static_cast<int64_t>(i - begin))});
    begin = i;
  }
  return groups;
}

Result<std::vector<PartitionGroup>> TakeGroups(const std::shared_ptr<arrow::RecordBatch>& rows,
                                               const std::vector<int64_t>& codes) {
  std::vector<arrow::UInt32Builder> indices;
  std::vector<PartitionGroup> groups;
  for (size_t i = 0; i < codes.size(); ++i) {
    const auto code = static_cast<size_t>(codes[i]);
    if (code >= groups.size()) {
      groups.resize(code + 1);
      while (indices.size() <= code) indices.emplace_back();
      groups[code].first_row = static_cast<int64_t>(i);
    }
    SLUICE_RETURN_NOT_OK(indices[code].Append(static_cast<uint32_t>(i)));
  }
  for (size_t code = 0; code < groups.size(); ++code) {
    SLUICE_ASSIGN_OR_RETURN(const auto selected, indices[code].Finish());
    SLUICE_ASSIGN_OR_RETURN(
        const arrow::Datum taken,
        arrow::compute::Take(rows, selected, arrow::compute::TakeOptions::NoBoundsCheck()));
    groups[code].rows = taken.record_batch();
  }
  return groups;
}

}  // namespace

Result<std::vector<PartitionGroup>> SplitByPartition(
    const std::shared_ptr<arrow::RecordBatch>& rows, const arrow::ArrayVector& keys) {
  if (rows->num_rows() == 0) return std::vector<PartitionGroup>();
  std::vector<int64_t> codes;
  for (const auto& key : keys) {
    if (IsConstant(*key)) continue;
    if (codes.empty()) codes.assign(static_cast<size_t>(rows->num_rows()), 0);
    SLUICE_RETURN_NOT_OK(FoldCodes(*key, &codes));
  }
  if (codes.empty()) return std::vector<PartitionGroup>{PartitionGroup{0, rows}};
  int64_t runs = 1;
  for (size_t i = 1; i < codes.size(); ++i) runs += codes[i] != codes[i - 1] ? 1 : 0;
  if (runs <= kFewRuns) return SliceRuns(rows, codes);
  return TakeGroups(rows, codes);
}

}  // namespace sluice::delta
