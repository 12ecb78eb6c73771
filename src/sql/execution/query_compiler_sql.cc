// SQL texts of aggregates, select lists and orders for DuckDB. Part of the query runner.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/execution/query_compiler_internal.h"
#include "sql/expressions/spark_type.h"

namespace sluice::sql {

std::string ColumnSql(int index, const std::string& table) {
  return table.empty() ? fmt::format("c{}", index) : fmt::format("{}.c{}", table, index);
}

std::string SelectList(const std::vector<std::string>& expressions) {
  if (expressions.empty()) return "1 AS c0";
  std::string text;
  for (size_t i = 0; i < expressions.size(); ++i) {
    text += fmt::format("{}{} AS c{}", i == 0 ? "" : ", ", expressions[i], i);
  }
  return text;
}

BoundPtr OrderedBy(const BoundPtr& key) {
  if (key->type->num_fields() == 0) return key;
  return MakeCall("sort_key", {key}, arrow::binary(), key->nullable, key->span);
}

std::string OrderSql(const std::vector<std::pair<std::string, const SortKey*>>& keys) {
  std::string text;
  for (const auto& [column, key] : keys) {
    text += fmt::format("{}{} {} NULLS {}", text.empty() ? "" : ", ", column,
                        key->ascending ? "ASC" : "DESC", key->nulls_first ? "FIRST" : "LAST");
  }
  return text;
}

bool IsDecimalAverage(const std::string& function, const arrow::DataType& type) {
  return function == "avg" && IsDecimal(type);
}

namespace {

struct Parts {
  std::string call;
  std::string filter;
};

std::string And(const std::string& left, const std::string& right) {
  return left.empty() ? right : right.empty() ? left : left + " AND " + right;
}

// "0.5", or "[0.25, 0.5]" of an array.
std::string PercentageSql(const arrow::Scalar& percentage) {
  if (percentage.type->id() != arrow::Type::LIST) return percentage.ToString();
  const auto& values = static_cast<const arrow::DoubleArray&>(
      *static_cast<const arrow::ListScalar&>(percentage).value);
  std::string text;
  for (int64_t i = 0; i < values.length(); ++i)
    text += fmt::format("{}{}", i == 0 ? "" : ", ", values.Value(i));
  return "[" + text + "]";
}

// Functions that DuckDB has, by Spark's name: the same but for their spelling.
const std::map<std::string, std::string>& SameInDuckDb() {
  static const std::map<std::string, std::string> names = {{"sum", "sum"},
                                                           {"avg", "avg"},
                                                           {"min", "min"},
                                                           {"max", "max"},
                                                           {"bool_and", "bool_and"},
                                                           {"bool_or", "bool_or"},
                                                           {"stddev_samp", "stddev_samp"},
                                                           {"stddev_pop", "stddev_pop"},
                                                           {"var_samp", "var_samp"},
                                                           {"var_pop", "var_pop"},
                                                           {"median", "median"},
                                                           {"corr", "corr"},
                                                           {"covar_pop", "covar_pop"},
                                                           {"covar_samp", "covar_samp"},
                                                           {"bit_and", "bit_and"},
                                                           {"bit_or", "bit_or"},
                                                           {"bit_xor", "bit_xor"},
                                                           {"row_number", "row_number"},
                                                           {"rank", "rank"},
                                                           {"dense_rank", "dense_rank"},
                                                           {"percent_rank", "percent_rank"},
                                                           {"cume_dist", "cume_dist"},
                                                           {"ntile", "ntile"},
                                                           {"lag", "lag"},
                                                           {"lead", "lead"},
                                                           {"nth_value", "nth_value"},
                                                           {"try_avg", "avg"},
                                                           {"try_sum", "sum"},
                                                           {"kurtosis", "kurtosis_pop"},
                                                           {"regr_avgx", "regr_avgx"},
                                                           {"regr_avgy", "regr_avgy"},
                                                           {"regr_count", "regr_count"},
                                                           {"regr_r2", "regr_r2"},
                                                           {"regr_sxx", "regr_sxx"},
                                                           {"regr_sxy", "regr_sxy"},
                                                           {"regr_syy", "regr_syy"}};
  return names;
}

Result<Parts> Lower(const std::string& f, const std::vector<std::string>& args, bool distinct,
                    bool ignore_nulls, const std::vector<BoundPtr>& bound) {
  const std::string unique = distinct ? "DISTINCT " : "";
  auto present = [&](size_t i) { return args[i] + " IS NOT NULL"; };
  if (f == "count") {
    if (args.empty()) return Parts{"count(*)", ""};
    if (args.size() == 1) return Parts{fmt::format("count({}{})", unique, args[0]), ""};
    Parts parts{
        distinct ? fmt::format("count(DISTINCT row({}))", fmt::join(args, ", ")) : "count(*)", ""};
    for (size_t i = 0; i < args.size(); ++i) parts.filter = And(parts.filter, present(i));
    return parts;
  }
  if (f == "count_if") return Parts{"count(*)", args[0]};
  // Exact, and so within any stated error.
  if (f == "approx_count_distinct") return Parts{fmt::format("count(DISTINCT {})", args[0]), ""};
  if (f == "percentile_approx")
    return Parts{fmt::format("quantile_disc({}, {})", args[0], PercentageSql(*bound[1]->literal)),
                 present(0)};
  if (f == "mode" && args.size() > 1)  // of several the one that comes first in this order
    return Parts{fmt::format("mode({0} ORDER BY {0} {1})", args[0], bound[1]->literal->ToString()),
                 present(0)};
  if (f == "mode") return Parts{fmt::format("mode({})", args[0]), present(0)};
  if (f == "first")
    return ignore_nulls ? Parts{fmt::format("first({})", args[0]), present(0)}
                        : Parts{fmt::format("first({})", args[0]), ""};
  if (f == "last")
    return ignore_nulls ? Parts{fmt::format("last({})", args[0]), present(0)}
                        : Parts{fmt::format("last({})", args[0]), ""};
  if (f == "collect_list") return Parts{fmt::format("list({}{})", unique, args[0]), present(0)};
  if (f == "collect_set") return Parts{fmt::format("list(DISTINCT {})", args[0]), present(0)};
  if (f == "max_by") return Parts{fmt::format("arg_max_null({}, {})", args[0], args[1]), ""};
  if (f == "min_by") return Parts{fmt::format("arg_min_null({}, {})", args[0], args[1]), ""};
  const auto& same = SameInDuckDb();
  const auto found = same.find(f);
  if (found == same.end())
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: aggregate " + f);
  return Parts{fmt::format("{}({}{}{})", found->second, unique, fmt::join(args, ", "),
                           ignore_nulls ? " IGNORE NULLS" : ""),
               ""};
}

}  // namespace

namespace {

bool IsSpread(const std::string& function) {
  static const std::set<std::string> functions = {"stddev_samp", "stddev_pop", "var_samp",
                                                  "var_pop",     "covar_samp", "covar_pop",
                                                  "corr",        "kurtosis"};
  return functions.contains(function);
}

// Variances and the like are NaN where a number is infinite or NaN (DuckDB fails there); where
// their sums could overflow, which number Spark gives is a matter of its order of adding. A
// correlation needs two rows.
std::string SpreadSql(const std::string& function, const std::vector<std::string>& args,
                      bool distinct, const std::string& suffix) {
  // What is squared, or raised to the fourth power, and summed must stay a DOUBLE.
  const bool fourth = function == "kurtosis";
  const char* most = fourth ? "1e75" : "1e150";
  std::vector<std::string> finite;
  std::string odd;
  std::string large;
  for (const std::string& arg : args) {
    odd += fmt::format("{}NOT isfinite({})", odd.empty() ? "" : " OR ", arg);
    large += fmt::format("{}abs({}) >= {}", large.empty() ? "" : " OR ", arg, most);
    finite.push_back(fmt::format("CASE WHEN abs({0}) < {1} THEN {0} END", arg, most));
  }
  std::string present = args[0] + " IS NOT NULL";
  if (args.size() > 1) present += " AND " + args[1] + " IS NOT NULL";
  const bool two_rows = function == "corr" || function.ends_with("_samp");
  return fmt::format(
      "CASE WHEN count(CASE WHEN {0} THEN 1 END){1} <= {2} THEN NULL WHEN coalesce(bool_or({0} AND "
      "({3})){1}, false) THEN CAST('NaN' AS DOUBLE) WHEN coalesce(bool_or({0} AND ({7})){1}, "
      "false) "
      "THEN error('[NOT_SUPPORTED_YET] not supported yet: {8} of numbers of {9} and more. "
      "SQLSTATE: "
      "0A000') ELSE {4}({5}{6}){1} END",
      present, suffix, two_rows ? 1 : 0, odd, fourth ? "kurtosis_pop" : function,
      distinct ? "DISTINCT " : "", fmt::join(finite, ", "), large, function, most);
}

// DuckDB adds decimals in 128 bits, which hold more than the 38 digits that a decimal may have.
std::string WithinDecimal(const std::string& sum, const std::string& function,
                          const arrow::DataType& type) {
  if (!IsDecimal(type)) return sum;
  const auto& decimal = static_cast<const arrow::Decimal128Type&>(type);
  if (decimal.precision() < 38) return sum;
  const int whole = decimal.precision() - decimal.scale();
  std::string most = std::string(static_cast<size_t>(whole), '9');
  if (decimal.scale() > 0) most += "." + std::string(static_cast<size_t>(decimal.scale()), '9');
  const std::string otherwise =
      function == "try_sum" ? "NULL"
                            : "error('[NUMERIC_VALUE_OUT_OF_RANGE] a sum has more than 38 digits. "
                              "SQLSTATE: 22003')";
  return fmt::format("CASE WHEN {0} NOT BETWEEN -{1} AND {1} THEN {2} ELSE {0} END", sum, most,
                     otherwise);
}

// A DOUBLE made of an integer or a decimal.
bool IsFinite(const BoundPtr& argument) {
  return argument->kind == BoundKind::kCast && !IsFloating(*argument->args[0]->type) &&
         argument->args[0]->type->id() != arrow::Type::STRING;
}

}  // namespace

Result<std::string> AggregateSql(const std::string& function, const std::vector<std::string>& args,
                                 bool distinct, bool ignore_nulls, const std::string& filter,
                                 const arrow::DataType& type,
                                 const std::vector<BoundPtr>& bound_args, const std::string& over) {
  if (function == "regr_slope" || function == "regr_intercept") {  // no line through one x
    const std::string suffix = (filter.empty() ? "" : " FILTER (WHERE " + filter + ")") +
                               (over.empty() ? "" : " OVER (" + over + ")");
    return fmt::format("CASE WHEN regr_sxx({0}, {1}){2} > 0 THEN {3}({0}, {1}){2} END", args[0],
                       args[1], suffix, function);
  }
  const bool odd = std::any_of(bound_args.begin(), bound_args.end(),
                               [](const BoundPtr& argument) { return !IsFinite(argument); });
  if (IsSpread(function) && (odd || function == "corr")) {
    return SpreadSql(function, args, distinct,
                     (filter.empty() ? "" : " FILTER (WHERE " + filter + ")") +
                         (over.empty() ? "" : " OVER (" + over + ")"));
  }
  if (!over.empty() && ignore_nulls && (function == "first" || function == "last")) {
    if (!filter.empty())
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: FILTER of " + function + " over a window");
    return fmt::format("{}_value({} IGNORE NULLS) OVER ({})", function, args[0], over);
  }
  SLUICE_ASSIGN_OR_RETURN(auto parts, Lower(function, args, distinct, ignore_nulls, bound_args));
  parts.filter = And(parts.filter, filter);
  std::string text = parts.call;
  if (!parts.filter.empty()) text += " FILTER (WHERE " + parts.filter + ")";
  if (!over.empty()) text += " OVER (" + over + ")";
  if (function == "sum" || function == "try_sum") text = WithinDecimal(text, function, type);
  if (function.starts_with("collect_")) return "coalesce(" + text + ", [])";
  if (function == "try_sum") {
    SLUICE_ASSIGN_OR_RETURN(auto exact, DuckDbTypeName(type));
    return fmt::format("TRY_CAST({} AS {})", text, exact);
  }
  const bool converts = function == "sum" || function == "regr_count" ||
                        function.starts_with("count") || function == "row_number" ||
                        function == "rank" || function == "dense_rank" || function == "ntile";
  if (!converts) return text;
  SLUICE_ASSIGN_OR_RETURN(auto name, DuckDbTypeName(type));
  return fmt::format("CAST({} AS {})", text, name);
}

}  // namespace sluice::sql
