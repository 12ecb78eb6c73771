// TABLESAMPLE, drawing as Spark's Bernoulli sampler does.
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>

#include <array>

#include "sql/execution/query_stages_internal.h"
#include "sql/functions/murmur3.h"

namespace sluice::sql {
namespace {

/// Hash of the eight bytes of `value`, the highest first.
uint32_t HashBytes(uint64_t value, uint32_t seed) {
  std::array<char, 8> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<char>(value >> (56 - 8 * i));
  return static_cast<uint32_t>(
      Murmur3::Bytes({bytes.data(), bytes.size()}, static_cast<int32_t>(seed)));
}

/// Marsaglia's xorshift over a hashed seed.
class XorShift {
 public:
  explicit XorShift(int64_t seed) {
    const auto bits = static_cast<uint64_t>(seed);
    const uint32_t low = HashBytes(bits, 0x3c074a61U);
    state_ = static_cast<uint64_t>(HashBytes(bits, low)) << 32 | low;
  }
  double NextDouble() {
    const uint64_t high = Next(26) << 27;
    return static_cast<double>(high + Next(27)) * 0x1.0p-53;
  }

 private:
  uint64_t Next(int bits) {
    state_ ^= state_ << 21;
    state_ ^= state_ >> 35;
    state_ ^= state_ << 4;
    return state_ & ((uint64_t{1} << bits) - 1);
  }
  uint64_t state_;
};

class SampleReader : public arrow::RecordBatchReader {
 public:
  SampleReader(ReaderPtr input, double fraction, int64_t seed)
      : input_(std::move(input)), fraction_(fraction), random_(seed) {}

  std::shared_ptr<arrow::Schema> schema() const override { return input_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    for (;;) {
      std::shared_ptr<arrow::RecordBatch> batch;
      SLUICE_RETURN_NOT_OK(input_->ReadNext(&batch));
      if (batch == nullptr) {
        *out = nullptr;
        return Status::OK();
      }
      arrow::BooleanBuilder kept;
      int64_t count = 0;
      for (int64_t row = 0; row < batch->num_rows(); ++row) {
        const bool keep = random_.NextDouble() < fraction_;
        count += keep ? 1 : 0;
        SLUICE_RETURN_NOT_OK(kept.Append(keep));
      }
      if (count == 0) continue;
      SLUICE_ASSIGN_OR_RETURN(const auto mask, kept.Finish());
      arrow::ArrayVector columns;
      for (const auto& column : batch->columns()) {
        SLUICE_ASSIGN_OR_RETURN(const auto picked, arrow::compute::Filter(column, mask));
        columns.push_back(picked.make_array());
      }
      *out = arrow::RecordBatch::Make(batch->schema(), count, std::move(columns));
      return Status::OK();
    }
  }

 private:
  const ReaderPtr input_;
  const double fraction_;
  XorShift random_;
};

}  // namespace

ReaderPtr MakeSampleReader(ReaderPtr input, double fraction, int64_t seed) {
  return std::make_shared<SampleReader>(std::move(input), fraction, seed);
}

}  // namespace sluice::sql
