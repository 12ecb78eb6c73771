// TABLESAMPLE. Part of QueryBinder.
#include <fmt/format.h>

#include <algorithm>

#include "base/random.h"
#include "sql/analysis/query_binder.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/evaluator.h"

namespace sluice::sql {
namespace {

/// x and y of "BUCKET x OUT OF y"; nothing when more is written.
std::optional<std::pair<double, double>> BucketOf(const std::string& text) {
  std::vector<std::string> words;
  for (size_t at = 0; at < text.size();) {
    const size_t begin = text.find_first_not_of(" \t\r\n", at);
    if (begin == std::string::npos) break;
    at = std::min(text.find_first_of(" \t\r\n", begin), text.size());
    words.push_back(text.substr(begin, at - begin));
  }
  const auto number = [&](size_t i) {
    return !words[i].empty() && words[i].size() < 10 &&
           words[i].find_first_not_of("0123456789") == std::string::npos;
  };
  if (words.size() != 5 || !number(1) || !number(4)) return std::nullopt;
  return std::make_pair(std::stod(words[1]), std::stod(words[4]));
}

}  // namespace

Result<PlanPtr> QueryBinder::AddSample(const TableSample& sample, PlanPtr plan, Span span) {
  if (plan->is_streaming) return Unsupported(span, "TABLESAMPLE of a stream");
  if (sample.kind == TableSample::Kind::kRows) {
    SLUICE_ASSIGN_OR_RETURN(const int64_t rows, RowCountOf(*sample.amount));
    return MakeLimit(std::move(plan), rows, 0);
  }
  auto made = std::make_shared<SampleNode>();
  if (sample.kind == TableSample::Kind::kPercent) {
    const Scope empty;
    ExpressionBinder binder(source_, options_, empty, nullptr);
    SLUICE_ASSIGN_OR_RETURN(const BoundPtr bound, binder.Bind(*sample.amount));
    if (!IsNumeric(*bound->type))
      return Error(sample.amount->span, "PARSE_SYNTAX_ERROR", "a percentage is a number");
    SLUICE_ASSIGN_OR_RETURN(const auto percent,
                            Evaluator::EvaluateConstant(MakeCast(bound, arrow::float64()), 0));
    made->fraction = static_cast<const arrow::DoubleScalar&>(*percent).value / 100;
  } else if (sample.kind == TableSample::Kind::kBuckets) {
    const auto bucket = BucketOf(sample.text);
    if (!bucket.has_value())
      return Error(span, "PARSE_SYNTAX_ERROR",
                   "TABLESAMPLE(BUCKET x OUT OF y ON ..) is not supported");
    made->fraction = bucket->first / bucket->second;
  } else {
    return Error(span, "PARSE_SYNTAX_ERROR", "TABLESAMPLE(length in bytes) is not supported");
  }
  constexpr double kRounding = 1e-6;
  if (!(made->fraction >= -kRounding && made->fraction <= 1 + kRounding))
    return Error(
        span, "PARSE_SYNTAX_ERROR",
        fmt::format("the sampling fraction ({}) must be on interval [0, 1]", made->fraction));
  made->seed = sample.repeatable.has_value()
                   ? *sample.repeatable
                   : static_cast<int64_t>(Random::FromSystem().Next() % 1000);
  made->schema = plan->schema;
  made->inputs = {std::move(plan)};
  return made;
}

}  // namespace sluice::sql
