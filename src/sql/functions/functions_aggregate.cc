// The last step of aggregates that are computed from the list of a group's values: kernels called
// agg_<function>. Arguments: the list (of structs where a row has several values), then the
// constants of the call.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <unordered_set>

#include "sql/expressions/list_builder.h"
#include "sql/expressions/value_key.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;

const arrow::StructArray& RowsOf(const arrow::ListArray& list) {
  return static_cast<const arrow::StructArray&>(*list.values());
}

// m3 / m2^1.5 with central moments; NULL without spread.
Result<ArrayPtr> Skewness(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const auto& values = static_cast<const arrow::DoubleArray&>(*list.values());
  arrow::DoubleBuilder builder;
  for (int64_t row = 0; row < call.rows; ++row) {
    double n = 0;
    double mean = 0;
    double m2 = 0;
    double m3 = 0;
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at);
         !call.args[0].IsNull(row) && i < list.value_offset(at + 1); ++i) {
      n += 1;
      const double delta = values.Value(i) - mean;
      const double step = delta / n;
      m3 += delta * step * step * (n - 1) * (n - 2) - 3 * step * m2;
      m2 += delta * step * (n - 1);
      mean += step;
    }
    SLUICE_RETURN_NOT_OK(n == 0 || m2 == 0 ? builder.AppendNull()
                                           : builder.Append(std::sqrt(n) * m3 / std::pow(m2, 1.5)));
  }
  return builder.Finish();
}

// Values of a group in order, each with how often it counts.
struct Weighted {
  std::vector<double> values;
  std::vector<int64_t> ends;  // running total of the counts
};

double ValueAt(const Weighted& group, int64_t position) {
  const auto at = std::upper_bound(group.ends.begin(), group.ends.end(), position);
  return group.values[static_cast<size_t>(at - group.ends.begin())];
}

// Between the two values next to position p * (n - 1).
double Interpolated(const Weighted& group, double percentage) {
  const double position = static_cast<double>(group.ends.back() - 1) * percentage;
  if (position >= static_cast<double>(group.ends.back() - 1)) return group.values.back();
  const auto low = static_cast<int64_t>(std::floor(position));
  const auto high = static_cast<int64_t>(std::ceil(position));
  const double a = ValueAt(group, low);
  const double b = ValueAt(group, high);
  if (low == high || a == b) return a;
  return (static_cast<double>(high) - position) * a + (position - static_cast<double>(low)) * b;
}

double Discrete(const Weighted& group, double percentage) {
  const double wanted = std::ceil(percentage * static_cast<double>(group.ends.back()));
  if (wanted >= static_cast<double>(group.ends.back())) return group.values.back();
  return ValueAt(group, std::max<int64_t>(static_cast<int64_t>(wanted) - 1, 0));
}

Result<Weighted> ReadGroup(const arrow::ListArray& list, int64_t at, bool descending) {
  const bool weighted = list.values()->type_id() == arrow::Type::STRUCT;
  const auto& values =
      static_cast<const arrow::DoubleArray&>(weighted ? *RowsOf(list).field(0) : *list.values());
  std::vector<std::pair<double, int64_t>> rows;
  for (int64_t i = list.value_offset(at); i < list.value_offset(at + 1); ++i) {
    int64_t count = 1;
    if (weighted) {
      const auto& counts = static_cast<const arrow::Int64Array&>(*RowsOf(list).field(1));
      if (counts.IsNull(i)) continue;
      count = counts.Value(i);
      if (count < 0)
        return MakeError("INVALID_PARAMETER_VALUE.PERCENTILE_FREQUENCY",
                         "negative frequencies are not allowed in percentile");
    }
    if (count > 0) rows.emplace_back(values.Value(i), count);
  }
  std::sort(rows.begin(), rows.end(), [&](const auto& a, const auto& b) {
    const bool a_nan = std::isnan(a.first);
    const bool b_nan = std::isnan(b.first);
    const bool less = a_nan || b_nan ? !a_nan && b_nan : a.first < b.first;
    const bool more = a_nan || b_nan ? a_nan && !b_nan : a.first > b.first;
    return descending ? more : less;
  });
  Weighted group;
  int64_t total = 0;
  for (const auto& [value, count] : rows) {
    if (__builtin_add_overflow(total, count, &total))
      return MakeError("ARITHMETIC_OVERFLOW", "the frequencies of percentile overflow");
    group.values.push_back(value);
    group.ends.push_back(total);
  }
  return group;
}

// percentile, percentile_cont, percentile_disc: one percentage or an array of them.
Result<ArrayPtr> Percentile(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const arrow::Array& wanted = *call.args[1].array;
  const bool many = wanted.type_id() == arrow::Type::LIST;
  const auto& percentages = static_cast<const arrow::DoubleArray&>(
      many ? *static_cast<const arrow::ListArray&>(wanted).values() : wanted);
  const bool descending =
      call.args.size() > 2 && static_cast<const arrow::BooleanArray&>(*call.args[2].array).Value(0);
  const bool discrete = call.expression.name == "agg_percentile_disc";
  arrow::DoubleBuilder results;
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    Weighted group;
    if (!call.args[0].IsNull(row)) {
      SLUICE_ASSIGN_OR_RETURN(group, ReadGroup(list, call.args[0].At(row), descending));
    }
    const bool present = !group.values.empty();
    for (int64_t p = 0; p < percentages.length() && (present || !many); ++p) {
      const double percentage = percentages.Value(p);
      SLUICE_RETURN_NOT_OK(!present   ? results.AppendNull()
                           : discrete ? results.Append(Discrete(group, percentage))
                                      : results.Append(Interpolated(group, percentage)));
      picker.Grow(1);
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  SLUICE_ASSIGN_OR_RETURN(auto values, results.Finish());
  return many ? picker.FinishWith(call.expression.type, values) : values;
}

// Positions of a group's rows in the order of `letters`: a/d a key, in capitals NULLs first. Keys
// are the fields from `first_key` on.
std::vector<int64_t> Ordered(const arrow::ListArray& list, int64_t at, Text letters,
                             int first_key) {
  std::vector<int64_t> rows(static_cast<size_t>(list.value_length(at)));
  std::iota(rows.begin(), rows.end(), list.value_offset(at));
  std::stable_sort(rows.begin(), rows.end(), [&](int64_t a, int64_t b) {
    for (size_t k = 0; k < letters.size(); ++k) {
      const arrow::Array& key = *RowsOf(list).field(first_key + static_cast<int>(k));
      const bool nulls_first = letters[k] == 'A' || letters[k] == 'D';
      const bool ascending = letters[k] == 'A' || letters[k] == 'a';
      if (key.IsNull(a) || key.IsNull(b)) {
        if (key.IsNull(a) == key.IsNull(b)) continue;
        return key.IsNull(a) == nulls_first;
      }
      const int order = CompareValues(key, a, key, b);
      if (order != 0) return ascending ? order < 0 : order > 0;
    }
    return false;
  });
  return rows;
}

// listagg: values of the group one after another; NULL for a group without values. The order ends
// with '!' for DISTINCT.
Result<ArrayPtr> ListAgg(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const bool structs = list.values()->type_id() == arrow::Type::STRUCT;
  const auto& texts =
      static_cast<const arrow::BinaryArray&>(structs ? *RowsOf(list).field(0) : *list.values());
  const Text delimiter = static_cast<const arrow::BinaryArray&>(*call.args[1].array).GetView(0);
  Text letters = static_cast<const arrow::StringArray&>(*call.args[2].array).GetView(0);
  const bool distinct = letters.ends_with('!');
  if (distinct) letters.remove_suffix(1);
  Writer<Text> writer(call.expression.type);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (call.args[0].IsNull(row) || list.value_length(call.args[0].At(row)) == 0) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    std::string joined;
    std::unordered_set<Text> seen;
    bool first = true;
    for (const int64_t i : Ordered(list, call.args[0].At(row), letters, 1)) {
      const Text text = texts.GetView(i);
      if (distinct && !seen.insert(text).second) continue;
      if (!first) joined += delimiter;
      joined += text;
      first = false;
    }
    SLUICE_RETURN_NOT_OK(writer.Set(joined));
  }
  return writer.Finish();
}

// max_by(x, y, n), min_by(x, y, n).
Result<ArrayPtr> BestOf(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const bool largest = call.expression.name == "agg_max_by";
  const auto most =
      static_cast<size_t>(static_cast<const arrow::Int64Array&>(*call.args[1].array).Value(0));
  ListPicker picker;
  for (int64_t row = 0; row < call.rows; ++row) {
    const bool present = !call.args[0].IsNull(row) && list.value_length(call.args[0].At(row)) > 0;
    if (present) {
      auto rows = Ordered(list, call.args[0].At(row), largest ? "d" : "a", 1);
      rows.resize(std::min(rows.size(), most));
      for (const int64_t i : rows) SLUICE_RETURN_NOT_OK(picker.Item(i));
    }
    SLUICE_RETURN_NOT_OK(picker.Row(present));
  }
  return picker.Finish(call.expression.type, RowsOf(list).field(0));
}

constexpr size_t kBitmapBytes = 4096;

Result<ArrayPtr> BitmapOfPositions(const KernelCall& call) {
  const auto& list = ListOf(call.args[0]);
  const auto& positions = static_cast<const arrow::Int64Array&>(*list.values());
  Writer<Text> writer(call.expression.type);
  for (int64_t row = 0; row < call.rows; ++row) {
    std::string bits(kBitmapBytes, '\0');
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at);
         !call.args[0].IsNull(row) && i < list.value_offset(at + 1); ++i) {
      const int64_t position = positions.Value(i);
      if (position < 0 || position >= static_cast<int64_t>(kBitmapBytes * 8))
        return MakeError("INVALID_BITMAP_POSITION",
                         "[INVALID_BITMAP_POSITION] the 0-indexed bitmap position " +
                             std::to_string(position) +
                             " is out of bounds. The bitmap has 32768 bits. SQLSTATE: 22003");
      char& byte = bits[static_cast<size_t>(position / 8)];
      byte = static_cast<char>(byte | 1 << position % 8);
    }
    SLUICE_RETURN_NOT_OK(writer.Set(bits));
  }
  return writer.Finish();
}

Result<ArrayPtr> CombineBitmaps(const KernelCall& call) {
  const bool both = call.expression.name == "agg_bitmap_and_agg";
  const auto& list = ListOf(call.args[0]);
  const auto& bitmaps = static_cast<const arrow::BinaryArray&>(*list.values());
  Writer<Text> writer(call.expression.type);
  for (int64_t row = 0; row < call.rows; ++row) {
    std::string bits(kBitmapBytes, both ? '\xFF' : '\0');
    const int64_t at = call.args[0].At(row);
    for (int64_t i = list.value_offset(at);
         !call.args[0].IsNull(row) && i < list.value_offset(at + 1); ++i) {
      const Text other = bitmaps.GetView(i);
      for (size_t byte = 0; byte < kBitmapBytes; ++byte) {
        const char more = byte < other.size() ? other[byte] : '\0';
        bits[byte] = static_cast<char>(both ? bits[byte] & more : bits[byte] | more);
      }
    }
    SLUICE_RETURN_NOT_OK(writer.Set(bits));
  }
  return writer.Finish();
}

}  // namespace

void RegisterAggregateResultFunctions(FunctionRegistry* registry) {
  registry->Compute("agg_skewness", Plain(Skewness));
  for (const char* name : {"agg_percentile", "agg_percentile_cont", "agg_percentile_disc"})
    registry->Compute(name, Plain(Percentile), true);
  registry->Compute("agg_listagg", Plain(ListAgg));
  registry->Compute("agg_max_by", Plain(BestOf));
  registry->Compute("agg_min_by", Plain(BestOf));
  registry->Compute("agg_bitmap_construct_agg", Plain(BitmapOfPositions), true);
  registry->Compute("agg_bitmap_or_agg", Plain(CombineBitmaps));
  registry->Compute("agg_bitmap_and_agg", Plain(CombineBitmaps));
}

}  // namespace sluice::sql
