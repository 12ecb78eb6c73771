// TABLESAMPLE, drawing as Spark's Bernoulli sampler does.
#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>

#include <array>

#include "sql/query_stages_internal.h"

namespace sluice::sql {
namespace {

uint32_t Rotate(uint32_t value, int bits) { return value << bits | value >> (32 - bits); }

// MurmurHash3 of the eight bytes of `value`, most significant first; blocks are little-endian.
uint32_t HashBytes(uint64_t value, uint32_t seed) {
  std::array<uint8_t, 8> bytes{};
  for (size_t i = 0; i < 8; ++i) bytes[i] = static_cast<uint8_t>(value >> (56 - 8 * i));
  uint32_t hash = seed;
  for (size_t block = 0; block < 8; block += 4) {
    uint32_t k = 0;
    for (size_t i = 0; i < 4; ++i) k |= static_cast<uint32_t>(bytes[block + i]) << (8 * i);
    hash ^= Rotate(k * 0xcc9e2d51U, 15) * 0x1b873593U;
    hash = Rotate(hash, 13) * 5 + 0xe6546b64U;
  }
  hash ^= 8;
  hash ^= hash >> 16;
  hash *= 0x85ebca6bU;
  hash ^= hash >> 13;
  hash *= 0xc2b2ae35U;
  return hash ^ hash >> 16;
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
