#include "operators/group_table.h"

#include <arrow/util/bit_util.h>
#include <arrow/util/bitmap_ops.h>

#include <algorithm>
#include <bit>
#include <cstring>

namespace sluice::operators {
namespace {

constexpr char kFileKind[] = "groups";
constexpr uint32_t kFileVersion = 2;
constexpr int64_t kBlockRows = 1024;
constexpr size_t kKeyBlockBytes = 1 << 16;
constexpr size_t kMinSlots = 64;

uint32_t TagOf(const Hash128& hash) { return static_cast<uint32_t>(hash.high); }

Status And(const arrow::Buffer& bitmap, int64_t offset, int64_t rows,
           std::shared_ptr<arrow::Buffer>* selected) {
  if (*selected == nullptr) {
    SLUICE_ASSIGN_OR_RETURN(*selected, arrow::internal::CopyBitmap(arrow::default_memory_pool(),
                                                                   bitmap.data(), offset, rows));
    return Status::OK();
  }
  arrow::internal::BitmapAnd((*selected)->data(), 0, bitmap.data(), offset, rows, 0,
                             (*selected)->mutable_data());
  return Status::OK();
}

/// Bitmap of the rows that count for `spec`; null when all do.
Result<std::shared_ptr<arrow::Buffer>> SelectedRows(const AggregateSpec& spec,
                                                    const arrow::RecordBatch& rows) {
  std::shared_ptr<arrow::Buffer> selected;
  const auto require_valid = [&](const arrow::Array& array) -> Status {
    if (array.null_count() == 0) return Status::OK();
    if (array.null_bitmap() == nullptr) {  // a column of the null type
      SLUICE_ASSIGN_OR_RETURN(selected, arrow::AllocateEmptyBitmap(rows.num_rows()));
      return Status::OK();
    }
    return And(*array.null_bitmap(), array.offset(), rows.num_rows(), &selected);
  };
  for (const int argument : spec.arguments)
    SLUICE_RETURN_NOT_OK(require_valid(*rows.column(argument)));
  if (spec.filter >= 0) {
    const arrow::Array& filter = *rows.column(spec.filter);
    if (filter.type_id() != arrow::Type::BOOL)
      return MakeError("INTERNAL_ERROR", "FILTER is not a boolean column");
    SLUICE_RETURN_NOT_OK(
        And(*filter.data()->buffers[1], filter.offset(), rows.num_rows(), &selected));
    SLUICE_RETURN_NOT_OK(require_valid(filter));
  }
  return selected;
}

}  // namespace

Result<std::unique_ptr<GroupTable>> GroupTable::Make(const GroupLayout& layout) {
  std::vector<std::shared_ptr<arrow::DataType>> key_types;
  for (const int column : layout.key_columns)
    key_types.push_back(layout.input_schema->field(column)->type());
  SLUICE_ASSIGN_OR_RETURN(auto encoder, state::RowEncoder::Make(std::move(key_types)));
  std::unique_ptr<GroupTable> table(new GroupTable(layout, std::move(encoder)));
  for (const AggregateSpec& spec : layout.aggregates) {
    std::vector<std::shared_ptr<arrow::DataType>> types;
    for (const int column : spec.arguments)
      types.push_back(layout.input_schema->field(column)->type());
    SLUICE_ASSIGN_OR_RETURN(auto aggregator, MakeAggregator(spec, types, layout.options));
    table->aggregators_.push_back(std::move(aggregator));
  }
  table->slots_.resize(kMinSlots);
  return table;
}

std::string_view GroupTable::Store(std::string_view key) {
  if (block_used_ + key.size() > block_size_) {
    block_size_ = std::max(kKeyBlockBytes, key.size());
    blocks_.push_back(std::make_unique<char[]>(block_size_));
    block_bytes_ += static_cast<int64_t>(block_size_);
    block_used_ = 0;
  }
  char* const place = blocks_.empty() ? nullptr : blocks_.back().get() + block_used_;
  if (!key.empty()) std::memcpy(place, key.data(), key.size());
  block_used_ += key.size();
  return {place, key.size()};
}

void GroupTable::Rehash(size_t slots) {
  slots_.assign(slots, Slot{});
  for (size_t group = 0; group < hashes_.size(); ++group) {
    size_t at = hashes_[group].low & (slots - 1);
    while (slots_[at].group != 0) at = (at + 1) & (slots - 1);
    slots_[at] = {TagOf(hashes_[group]), static_cast<uint32_t>(group + 1)};
  }
}

uint32_t GroupTable::Find(const Hash128& hash) const {
  const size_t mask = slots_.size() - 1;
  for (size_t at = hash.low & mask; slots_[at].group != 0; at = (at + 1) & mask) {
    if (slots_[at].tag == TagOf(hash) && hashes_[slots_[at].group - 1] == hash)
      return slots_[at].group - 1;
  }
  return kNoGroup;
}

uint32_t GroupTable::FindOrAdd(const Hash128& hash, std::string_view key) {
  const size_t mask = slots_.size() - 1;
  size_t at = hash.low & mask;
  for (; slots_[at].group != 0; at = (at + 1) & mask) {
    if (slots_[at].tag == TagOf(hash) && hashes_[slots_[at].group - 1] == hash)
      return slots_[at].group - 1;
  }
  const auto group = static_cast<uint32_t>(keys_.size());
  slots_[at] = {TagOf(hash), group + 1};
  hashes_.push_back(hash);
  keys_.push_back(Store(key));
  if (keys_.size() * 2 > slots_.size()) Rehash(slots_.size() * 2);
  return group;
}

void GroupTable::ResizeAggregators() {
  for (auto& aggregator : aggregators_) aggregator->Resize(keys_.size());
}

void GroupTable::AddSingleGroup() {
  FindOrAdd(HashBytes128("", 0), "");
  ResizeAggregators();
}

Status GroupTable::Update(const arrow::RecordBatch& rows) {
  const int64_t num_rows = rows.num_rows();
  arrow::ArrayVector key_columns;
  for (const int column : layout_.key_columns) key_columns.push_back(rows.column(column));
  row_groups_.resize(static_cast<size_t>(num_rows));
  Hash128 hashes[kBlockRows];
  for (int64_t begin = 0; begin < num_rows; begin += kBlockRows) {
    const int64_t end = std::min(num_rows, begin + kBlockRows);
    SLUICE_RETURN_NOT_OK(encoder_.Encode(key_columns, begin, end));
    for (int64_t i = 0; i < end - begin; ++i) {
      const std::string_view key = encoder_.Row(i);
      hashes[i] = HashBytes128(key.data(), key.size());
      __builtin_prefetch(&slots_[hashes[i].low & (slots_.size() - 1)]);
    }
    for (int64_t i = 0; i < end - begin; ++i) {
      row_groups_[static_cast<size_t>(begin + i)] = FindOrAdd(hashes[i], encoder_.Row(i));
    }
  }
  ResizeAggregators();
  AggregateInput input;
  input.num_rows = num_rows;
  input.groups = row_groups_.data();
  for (size_t a = 0; a < aggregators_.size(); ++a) {
    const AggregateSpec& spec = layout_.aggregates[a];
    SLUICE_ASSIGN_OR_RETURN(const auto selected, SelectedRows(spec, rows));
    input.selected = selected == nullptr ? nullptr : selected->data();
    input.arguments.clear();
    for (const int argument : spec.arguments) input.arguments.push_back(rows.column(argument));
    SLUICE_RETURN_NOT_OK(aggregators_[a]->Update(input));
  }
  return Status::OK();
}

Status GroupTable::Merge(const GroupTable& other) {
  std::vector<uint32_t> target_of(other.size());
  for (size_t i = 0; i < other.size(); ++i)
    target_of[i] = FindOrAdd(other.hashes_[i], other.keys_[i]);
  ResizeAggregators();
  for (size_t a = 0; a < aggregators_.size(); ++a) {
    SLUICE_RETURN_NOT_OK(aggregators_[a]->Merge(*other.aggregators_[a], target_of));
  }
  return Status::OK();
}

void GroupTable::Clear() {
  // About as many groups are expected again.
  slots_.assign(std::max(kMinSlots, std::bit_ceil(2 * keys_.size() + 1)), Slot{});
  hashes_.clear();
  keys_.clear();
  blocks_.clear();
  block_used_ = block_size_ = 0;
  block_bytes_ = 0;
  for (auto& aggregator : aggregators_) aggregator->Clear();
}

int64_t GroupTable::memory_bytes() const {
  auto bytes = block_bytes_ + static_cast<int64_t>(slots_.capacity() * sizeof(Slot) +
                                                   hashes_.capacity() * sizeof(Hash128) +
                                                   keys_.capacity() * sizeof(std::string_view));
  for (const auto& aggregator : aggregators_) bytes += aggregator->memory_bytes();
  return bytes;
}

std::string GroupTable::Signature() const {
  std::string text;
  for (const auto& type : encoder_.types()) text += type->ToString() + ",";
  for (const AggregateSpec& spec : layout_.aggregates) {
    text += "|" + std::to_string(static_cast<int>(spec.kind)) + (spec.distinct ? "d" : "") + "(";
    for (const int column : spec.arguments)
      text += layout_.input_schema->field(column)->type()->ToString() + ",";
    text += ")" + spec.result_type->ToString();
    if (spec.kind == AggregateKind::kPercentileApprox) text += std::to_string(spec.accuracy);
  }
  return text;
}

Status GroupTable::SaveGroup(uint32_t group, state::StateOutput* out) const {
  SLUICE_RETURN_NOT_OK(out->PutBytes(keys_[group]));
  for (const auto& aggregator : aggregators_)
    SLUICE_RETURN_NOT_OK(aggregator->SaveGroups(out, group, size_t{group} + 1));
  return Status::OK();
}

Status GroupTable::AddSaved(const Hash128& hash, std::string_view saved) {
  state::BytesInput in(saved);
  std::string key;
  SLUICE_RETURN_NOT_OK(in.GetBytes(&key));
  const size_t before = keys_.size();
  const uint32_t group = FindOrAdd(hash, key);
  if (keys_.size() == before) return state::StateCorrupt("a group stands twice");
  ResizeAggregators();
  for (auto& aggregator : aggregators_)
    SLUICE_RETURN_NOT_OK(aggregator->LoadGroups(&in, group, size_t{group} + 1));
  return in.at_end() ? Status::OK() : state::StateCorrupt("a group has content left over");
}

Status GroupTable::Save(arrow::io::OutputStream* out) const {
  SLUICE_ASSIGN_OR_RETURN(auto writer, state::StateWriter::Make(out, kFileKind, kFileVersion));
  SLUICE_RETURN_NOT_OK(writer.PutBytes(Signature()));
  SLUICE_RETURN_NOT_OK(writer.Put(static_cast<uint64_t>(keys_.size())));
  for (const std::string_view key : keys_) SLUICE_RETURN_NOT_OK(writer.PutBytes(key));
  for (const auto& aggregator : aggregators_) {
    SLUICE_RETURN_NOT_OK(writer.Put(aggregator->tag()));
    SLUICE_RETURN_NOT_OK(aggregator->SaveGroups(&writer, 0, keys_.size()));
  }
  return writer.Finish();
}

Status GroupTable::LoadContent(state::StateReader* in) {
  std::string text;
  uint64_t groups = 0;
  SLUICE_RETURN_NOT_OK(in->GetBytes(&text));
  if (text != Signature()) return state::StateCorrupt("it belongs to another query");
  SLUICE_RETURN_NOT_OK(in->Get(&groups));
  for (uint64_t i = 0; i < groups; ++i) {
    SLUICE_RETURN_NOT_OK(in->GetBytes(&text));
    if (FindOrAdd(HashBytes128(text.data(), text.size()), text) != i)
      return state::StateCorrupt("a group stands twice");
  }
  ResizeAggregators();
  for (auto& aggregator : aggregators_) {
    uint32_t tag = 0;
    SLUICE_RETURN_NOT_OK(in->Get(&tag));
    if (tag != aggregator->tag()) return state::StateCorrupt("an accumulator is of another layout");
    SLUICE_RETURN_NOT_OK(aggregator->LoadGroups(in, 0, groups));
  }
  return in->Finish();
}

Status GroupTable::Load(arrow::io::InputStream* in) {
  Clear();
  SLUICE_ASSIGN_OR_RETURN(auto reader, state::StateReader::Make(in, kFileKind, kFileVersion));
  Status status = LoadContent(&reader);
  if (!status.ok()) Clear();
  return status;
}

}  // namespace sluice::operators
