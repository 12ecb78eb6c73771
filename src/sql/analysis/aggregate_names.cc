#include "sql/analysis/aggregate_names.h"

#include <map>
#include <set>

namespace sluice::sql {

std::string CanonicalAggregate(const std::string& name) {
  static const std::map<std::string, std::string> other_spellings = {
      {"mean", "avg"},          {"approx_percentile", "percentile_approx"},
      {"first_value", "first"}, {"any_value", "first"},
      {"last_value", "last"},   {"array_agg", "collect_list"},
      {"every", "bool_and"},    {"some", "bool_or"},
      {"any", "bool_or"},       {"stddev", "stddev_samp"},
      {"std", "stddev_samp"},   {"variance", "var_samp"},
      {"string_agg", "listagg"}};
  static const std::set<std::string> names = {"count",
                                              "sum",
                                              "avg",
                                              "min",
                                              "max",
                                              "percentile_approx",
                                              "approx_count_distinct",
                                              "first",
                                              "last",
                                              "collect_list",
                                              "collect_set",
                                              "bool_and",
                                              "bool_or",
                                              "stddev_samp",
                                              "stddev_pop",
                                              "var_samp",
                                              "var_pop",
                                              "count_if",
                                              "max_by",
                                              "min_by",
                                              "median",
                                              "corr",
                                              "covar_pop",
                                              "covar_samp",
                                              "bit_and",
                                              "bit_or",
                                              "bit_xor",
                                              "regr_avgx",
                                              "regr_avgy",
                                              "regr_count",
                                              "regr_intercept",
                                              "regr_r2",
                                              "regr_slope",
                                              "regr_sxx",
                                              "regr_sxy",
                                              "regr_syy",
                                              "kurtosis",
                                              "skewness",
                                              "percentile",
                                              "percentile_cont",
                                              "percentile_disc",
                                              "mode",
                                              "listagg",
                                              "try_sum",
                                              "try_avg",
                                              "bitmap_construct_agg",
                                              "bitmap_or_agg",
                                              "bitmap_and_agg"};
  const auto other = other_spellings.find(name);
  if (other != other_spellings.end()) return other->second;
  return names.contains(name) ? name : "";
}

std::vector<bool> ListedArguments(const std::string& function, size_t arguments) {
  std::vector<bool> listed(arguments, false);
  if (function == "listagg") {  // value, delimiter, keys ..., order
    for (size_t i = 0; i < arguments; ++i) listed[i] = i != 1 && i + 1 != arguments;
    return listed;
  }
  if ((function == "max_by" || function == "min_by") && arguments == 3) return {true, true, false};
  static const std::set<std::string> of_one = {"skewness",        "bitmap_construct_agg",
                                               "bitmap_or_agg",   "bitmap_and_agg",
                                               "percentile_disc", "percentile_cont"};
  if (function == "percentile") {  // value, percentage[, frequency]
    listed[0] = true;
    if (arguments == 3) listed[2] = true;
    return listed;
  }
  if (!of_one.contains(function)) return {};
  listed[0] = true;
  return listed;
}

bool SkipsNull(const std::string& function, size_t index) {
  if (function == "max_by" || function == "min_by") return index == 1;
  return index == 0;
}

}  // namespace sluice::sql
