// rlike, regexp_replace, regexp_extract, split (by RE2 through Arrow), like, ilike.
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "sql/expressions/analysis_error.h"
#include "sql/expressions/java_regex.h"
#include "sql/expressions/kernel.h"
#include "sql/expressions/unicode_case.h"
#include "sql/expressions/utf8_text.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;

Result<ArrayPtr> Call(const std::string& function, const ArrayPtr& array,
                      const arrow::compute::FunctionOptions& options) {
  SLUICE_ASSIGN_OR_RETURN(auto result, arrow::compute::CallFunction(function, {array}, &options));
  return result.make_array();
}

KernelFactory AllNull() {
  return Plain([](const KernelCall& call) -> Result<ArrayPtr> {
    return arrow::MakeArrayOfNull(call.expression.type, call.rows);
  });
}

// RE2's own opinion of the pattern, asked once.
Status Probe(const std::string& pattern) {
  arrow::compute::MatchSubstringOptions options(pattern);
  auto empty = arrow::MakeArrayOfNull(arrow::utf8(), 1);
  auto result = arrow::compute::CallFunction("match_substring_regex", {*empty}, &options);
  if (result.ok()) return Status::OK();
  return MakeError("NOT_SUPPORTED_YET",
                   "not supported yet: the regular expression: " + result.status().message());
}

Result<Kernel> RLike(const BoundExpression& expression) {
  const auto java = ConstantText(expression, 1);
  if (!java.has_value()) return AllNull()(expression);
  if (auto fixed = FixedPattern::Make(*java)) {
    return Kernel([fixed = *fixed](const KernelCall& call) {
      return MapRows<bool, Text>(
          call, [&](Text text) { return fixed.Matches(text); }, std::index_sequence<0>());
    });
  }
  SLUICE_ASSIGN_OR_RETURN(auto regex, TranslateRegex(*java));
  SLUICE_RETURN_NOT_OK(Probe(regex.pattern));
  return Kernel(
      [options = arrow::compute::MatchSubstringOptions(regex.pattern)](const KernelCall& call) {
        return Call("match_substring_regex", call.args[0].array, options);
      });
}

Result<Kernel> RegexpReplace(const BoundExpression& expression) {
  if (expression.args[1]->IsNullLiteral() || expression.args[2]->IsNullLiteral())
    return AllNull()(expression);
  const auto java = ConstantText(expression, 1);
  const auto by = ConstantText(expression, 2);
  if (!by.has_value())
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: regexp_replace with a replacement that is not constant");
  SLUICE_ASSIGN_OR_RETURN(auto regex, TranslateRegex(*java));
  if (regex.consumes_line_end)
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: $ in the pattern of regexp_replace");
  SLUICE_RETURN_NOT_OK(Probe(regex.pattern));
  SLUICE_ASSIGN_OR_RETURN(auto replacement, TranslateReplacement(*by, regex.groups));
  // A pattern that matches the empty text: RE2 and Java step differently after it.
  SLUICE_ASSIGN_OR_RETURN(auto empty, arrow::MakeArrayFromScalar(arrow::StringScalar(""), 1));
  SLUICE_ASSIGN_OR_RETURN(auto matches, Call("match_substring_regex", empty,
                                             arrow::compute::MatchSubstringOptions(regex.pattern)));
  if (static_cast<const arrow::BooleanArray&>(*matches).Value(0)) {
    return MakeError(
        "NOT_SUPPORTED_YET",
        "not supported yet: regexp_replace with a pattern that matches the empty text");
  }
  return Kernel([options = arrow::compute::ReplaceSubstringOptions(regex.pattern, replacement)](
                    const KernelCall& call) {
    return Call("replace_substring_regex", call.args[0].array, options);
  });
}

Result<Kernel> RegexpExtract(const BoundExpression& expression) {
  const auto java = ConstantText(expression, 1);
  const auto group = ConstantInt(expression, 2);
  if (!java.has_value() || !group.has_value()) return AllNull()(expression);
  SLUICE_ASSIGN_OR_RETURN(auto regex, TranslateRegex(*java));
  if (regex.consumes_line_end && *group == 0)
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: $ in the pattern of regexp_extract");
  if (*group < 0 || *group > regex.groups) {
    return MakeError(
        "INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
        fmt::format("expects group index between 0 and {}, but got {}", regex.groups, *group));
  }
  // Arrow extracts named groups: only the wanted one gets a name.
  std::string named;
  int seen = 0;
  if (*group == 0) named = "(?P<g>" + regex.pattern + ")";
  bool in_class = false;
  for (size_t at = 0; *group > 0 && at < regex.pattern.size(); ++at) {
    const char c = regex.pattern[at];
    if (c == '\\') {
      named += c;
      named += regex.pattern[++at];
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    named += c;
    if (c != '(' || in_class) continue;
    if (regex.pattern.substr(at, 3) == "(?:") continue;
    if (++seen == *group) {
      named += "?P<g>";
    } else {
      named += "?:";
    }
  }
  SLUICE_RETURN_NOT_OK(Probe(named));
  return Kernel([options = arrow::compute::ExtractRegexOptions(named)](
                    const KernelCall& call) -> Result<ArrayPtr> {
    SLUICE_ASSIGN_OR_RETURN(auto found, Call("extract_regex", call.args[0].array, options));
    const auto& record = static_cast<const arrow::StructArray&>(*found);
    const auto& texts = static_cast<const arrow::StringArray&>(*record.field(0));
    Writer<Text> writer(arrow::utf8());
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    for (int64_t row = 0; row < call.rows; ++row) {
      if (call.args[0].IsNull(row)) {
        SLUICE_RETURN_NOT_OK(writer.Null());
      } else {  // no match is the empty text
        SLUICE_RETURN_NOT_OK(
            writer.Set(record.IsNull(row) || texts.IsNull(row) ? Text() : texts.GetView(row)));
      }
    }
    return writer.Finish();
  });
}

Result<Kernel> Split(const BoundExpression& expression) {
  const auto java = ConstantText(expression, 1);
  const auto limit = ConstantInt(expression, 2);
  if (!java.has_value() || !limit.has_value()) return AllNull()(expression);
  SLUICE_ASSIGN_OR_RETURN(auto regex, TranslateRegex(*java));
  if (regex.consumes_line_end || java->empty())
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: this pattern of split");
  SLUICE_RETURN_NOT_OK(Probe(regex.pattern));
  SLUICE_ASSIGN_OR_RETURN(auto empty, arrow::MakeArrayFromScalar(arrow::StringScalar(""), 1));
  SLUICE_ASSIGN_OR_RETURN(auto matches, Call("match_substring_regex", empty,
                                             arrow::compute::MatchSubstringOptions(regex.pattern)));
  if (static_cast<const arrow::BooleanArray&>(*matches).Value(0)) {
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: split by a pattern that matches the empty text");
  }
  const int64_t splits = *limit > 0 ? *limit - 1 : -1;
  return Kernel([options = arrow::compute::SplitPatternOptions(regex.pattern, splits),
                 splits](const KernelCall& call) -> Result<ArrayPtr> {
    ArrayPtr result;
    if (splits == 0) {  // the whole text as the one element
      const auto& text = call.args[0].array;
      arrow::Int32Builder offsets;
      for (int64_t row = 0; row <= call.rows; ++row)
        SLUICE_RETURN_NOT_OK(offsets.Append(static_cast<int32_t>(row)));
      SLUICE_ASSIGN_OR_RETURN(auto made, offsets.Finish());
      SLUICE_ASSIGN_OR_RETURN(result, arrow::ListArray::FromArrays(*made, *text));
    } else {
      SLUICE_ASSIGN_OR_RETURN(result, Call("split_pattern_regex", call.args[0].array, options));
    }
    auto data = result->data()->Copy();
    data->type = call.expression.type;
    return arrow::MakeArray(std::move(data));
  });
}

// % any text, _ one character, \ takes the next literally.
bool LikeMatches(Text text, Text pattern) {
  size_t t = 0;
  size_t p = 0;
  size_t star = Text::npos;
  size_t resume = 0;
  while (t < text.size()) {
    if (p < pattern.size() && pattern[p] == '%') {
      star = ++p;
      resume = t;
      continue;
    }
    if (p < pattern.size() && pattern[p] == '_') {
      t = std::min(t + CharBytes(text[t]), text.size());
      ++p;
      continue;
    }
    size_t literal = p;
    if (literal < pattern.size() && pattern[literal] == '\\') ++literal;
    if (literal < pattern.size() && pattern[literal] == text[t]) {
      p = literal + 1;
      ++t;
      continue;
    }
    if (star == Text::npos) return false;
    p = star;
    resume = std::min(resume + CharBytes(text[resume]), text.size());
    // To the next place where the text behind the % can begin.
    const bool literal_next =
        p < pattern.size() && pattern[p] != '%' && pattern[p] != '_' && pattern[p] != '\\';
    if (literal_next) resume = text.find(pattern[p], resume);
    if (resume == Text::npos) return false;
    t = resume;
  }
  while (p < pattern.size() && pattern[p] == '%') ++p;
  return p == pattern.size();
}

Status CheckLike(Text pattern) {
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '\\') continue;
    if (++at >= pattern.size() ||
        (pattern[at] != '%' && pattern[at] != '_' && pattern[at] != '\\')) {
      return MakeError(
          "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
          fmt::format(
              "the LIKE pattern '{}' has an escape character before neither '_', '%' nor itself",
              pattern));
    }
  }
  return Status::OK();
}

Result<ArrayPtr> Like(const KernelCall& call) {
  const bool any_case = call.expression.name == "ilike";
  return MapRows<bool, Text, Text>(
      call,
      [&](Text text, Text pattern) -> Result<bool> {
        SLUICE_RETURN_NOT_OK(CheckLike(pattern));
        if (!any_case) return LikeMatches(text, pattern);
        return LikeMatches(ToLowerText(text), ToLowerText(pattern));
      },
      std::index_sequence<0, 1>());
}

}  // namespace

void RegisterRegexKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["rlike"] = RLike;
  map["regexp_replace"] = RegexpReplace;
  map["regexp_extract"] = RegexpExtract;
  map["split"] = Split;
  map["like"] = Plain(Like);
  map["ilike"] = Plain(Like);
}

}  // namespace sluice::sql
