#include "operators/aggregates/quantile_sketch.h"

#include <algorithm>
#include <cmath>

namespace sluice::operators {
namespace {

constexpr int64_t kMinExact = 1000;
constexpr int64_t kMaxExact = 100'000;

size_t ExactLimit(int64_t accuracy) {
  return static_cast<size_t>(std::clamp(accuracy, kMinExact, kMaxExact));
}

/// Spark's order: NaN last.
struct Ascending {
  bool operator()(double left, double right) const {
    if (std::isnan(left)) return false;
    return std::isnan(right) || left < right;
  }
};
constexpr Ascending Less;

/// The rank (from 1) asked for among `count` values, as Spark rounds it.
uint64_t RankOf(double percentage, int64_t accuracy, uint64_t count) {
  const double error = 1.0 / static_cast<double>(accuracy);
  if (percentage <= error) return 1;
  if (percentage >= 1 - error) return count;
  const auto rank = static_cast<uint64_t>(std::ceil(percentage * static_cast<double>(count)));
  return std::clamp<uint64_t>(rank, 1, count);
}

}  // namespace

void QuantileSketch::Add(double value, int64_t accuracy) {
  exact_.push_back(value);
  if (exact_.size() > ExactLimit(accuracy)) Fold(accuracy);
}

void QuantileSketch::SortExact() {
  const auto middle = exact_.begin() + static_cast<std::ptrdiff_t>(sorted_);
  std::sort(middle, exact_.end(), Less);
  if (sorted_ != 0) std::inplace_merge(exact_.begin(), middle, exact_.end(), Less);
  sorted_ = exact_.size();
}

void QuantileSketch::Fold(int64_t accuracy) {
  SortExact();
  samples_ = MergeSamples(samples_, AsSamples(exact_));
  exact_.clear();
  sorted_ = 0;
  Compress(accuracy);
}

std::vector<QuantileSketch::Sample> QuantileSketch::AsSamples(const std::vector<double>& sorted) {
  std::vector<Sample> samples;
  samples.reserve(sorted.size());
  for (const double value : sorted) samples.push_back({value, 1, 0});
  return samples;
}

/// A value of one side may have any rank between its neighbours of the other side: its slack grows
/// by what the next one there covers. The sum of covered + slack stays within the sum of both
/// sides' bounds, so the error does too.
std::vector<QuantileSketch::Sample> QuantileSketch::MergeSamples(const std::vector<Sample>& left,
                                                                 const std::vector<Sample>& right) {
  std::vector<Sample> merged;
  merged.reserve(left.size() + right.size());
  size_t l = 0;
  size_t r = 0;
  while (l < left.size() || r < right.size()) {
    const bool take_left =
        r == right.size() || (l < left.size() && !Less(right[r].value, left[l].value));
    const std::vector<Sample>& other = take_left ? right : left;
    const size_t next = take_left ? r : l;  // of the other side, not taken yet
    Sample sample = take_left ? left[l++] : right[r++];
    // Before the other side's smallest value or behind its greatest, both exact, nothing is
    // uncertain.
    if (next > 0 && next < other.size())
      sample.slack += other[next].covered + other[next].slack - 1;
    merged.push_back(sample);
  }
  return merged;
}

void QuantileSketch::Compress(int64_t accuracy) {
  if (samples_.size() < 3) return;
  const auto threshold = static_cast<uint64_t>(2.0 * static_cast<double>(NumSampled()) /
                                               static_cast<double>(accuracy));
  // From the greatest down; the smallest and the greatest stay as they are.
  std::vector<Sample> kept;
  kept.reserve(samples_.size());
  kept.push_back(samples_.back());
  Sample head = samples_[samples_.size() - 2];
  for (size_t i = samples_.size() - 2; i-- > 1;) {
    const Sample& sample = samples_[i];
    if (uint64_t{sample.covered} + head.covered + head.slack < threshold) {
      head.covered += sample.covered;
    } else {
      kept.push_back(head);
      head = sample;
    }
  }
  if (samples_.size() > 2) kept.push_back(head);
  kept.push_back(samples_.front());
  samples_.assign(kept.rbegin(), kept.rend());
}

uint64_t QuantileSketch::NumSampled() const {
  uint64_t count = 0;
  for (const Sample& sample : samples_) count += sample.covered;
  return count;
}

void QuantileSketch::Merge(const QuantileSketch& other, int64_t accuracy) {
  exact_.insert(exact_.end(), other.exact_.begin(), other.exact_.end());
  SortExact();
  if (!other.samples_.empty()) {
    samples_ = samples_.empty() ? other.samples_ : MergeSamples(samples_, other.samples_);
    Compress(accuracy);
  }
  if (exact_.size() > ExactLimit(accuracy)) Fold(accuracy);
}

void QuantileSketch::Query(const std::vector<double>& percentages, int64_t accuracy,
                           std::vector<double>* values) const {
  values->clear();
  if (sorted_ != exact_.size()) {
    QuantileSketch sorted = *this;
    sorted.SortExact();
    return sorted.Query(percentages, accuracy, values);
  }
  if (samples_.empty()) {
    for (const double p : percentages) {
      values->push_back(exact_[RankOf(p, accuracy, exact_.size()) - 1]);
    }
    return;
  }
  const std::vector<Sample> samples = MergeSamples(samples_, AsSamples(exact_));
  uint64_t count = 0;
  uint64_t widest = 0;
  for (const Sample& sample : samples) {
    count += sample.covered;
    widest = std::max<uint64_t>(widest, uint64_t{sample.covered} + sample.slack);
  }
  for (const double p : percentages) {
    const auto rank = static_cast<double>(RankOf(p, accuracy, count));
    const double error = static_cast<double>(widest) / 2;
    double value = samples.back().value;
    double least = 0;  // least possible rank of the sample
    for (const Sample& sample : samples) {
      least += sample.covered;
      if (least + sample.slack - error <= rank && rank <= least + error) {
        value = sample.value;
        break;
      }
    }
    values->push_back(value);
  }
}

Status QuantileSketch::Save(state::StateOutput* out) const {
  SLUICE_RETURN_NOT_OK(out->Put(static_cast<uint32_t>(exact_.size())));
  SLUICE_RETURN_NOT_OK(out->Put(static_cast<uint32_t>(samples_.size())));
  SLUICE_RETURN_NOT_OK(out->Write(exact_.data(), exact_.size() * sizeof(double)));
  return out->Write(samples_.data(), samples_.size() * sizeof(Sample));
}

Status QuantileSketch::Load(state::StateInput* in) {
  uint32_t num_exact = 0;
  uint32_t num_samples = 0;
  SLUICE_RETURN_NOT_OK(in->Get(&num_exact));
  SLUICE_RETURN_NOT_OK(in->Get(&num_samples));
  exact_.resize(num_exact);
  samples_.resize(num_samples);
  SLUICE_RETURN_NOT_OK(in->Read(exact_.data(), exact_.size() * sizeof(double)));
  SLUICE_RETURN_NOT_OK(in->Read(samples_.data(), samples_.size() * sizeof(Sample)));
  sorted_ = 0;
  SortExact();
  return Status::OK();
}

}  // namespace sluice::operators
