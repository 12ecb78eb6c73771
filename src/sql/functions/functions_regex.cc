// regexp_count, regexp_extract_all, regexp_instr, regexp_substr, like with an escape character.
#include <arrow/compute/api.h>
#include <fmt/format.h>

#include "sql/expressions/java_regex.h"
#include "sql/expressions/list_builder.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/utf8_text.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

// A pattern that finds its matches one after another: no anchors (they would hold again after the
// text is cut), and it never matches the empty text.
struct Scanner {
  std::string pattern;  // of the text before the match, the match, its groups
  int groups = 0;
};

Status Refused(const std::string& function, const std::string& what) {
  return MakeError("NOT_SUPPORTED_YET", "not supported yet: " + function + " with " + what);
}

// `named`: the group that is wanted, 0 for the whole match, gets a name.
std::string WithNamedGroup(const std::string& pattern, int wanted) {
  std::string out;
  int seen = 0;
  bool in_class = false;
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    out += c;
    if (c == '\\' && at + 1 < pattern.size()) {
      out += pattern[++at];
      continue;
    }
    if (c == '[') in_class = true;
    if (c == ']') in_class = false;
    if (c != '(' || in_class || pattern.compare(at, 2, "(?") == 0) continue;
    out += ++seen == wanted ? "?P<g>" : "?:";
  }
  return out;
}

Result<ArrayPtr> Extract(const ArrayPtr& texts, const std::string& pattern) {
  const arrow::compute::ExtractRegexOptions options(pattern);
  SLUICE_ASSIGN_OR_RETURN(auto found,
                          arrow::compute::CallFunction("extract_regex", {texts}, &options));
  return found.make_array();
}

Result<Scanner> MakeScanner(const BoundExpression& call, int group) {
  const auto java = ConstantText(call, 1);
  if (!java.has_value()) return Refused(call.name, "a pattern that is not constant");
  SLUICE_ASSIGN_OR_RETURN(auto regex, TranslateRegex(*java));
  if (group < 0 || group > regex.groups)
    return MakeError("INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX",
                     fmt::format("[INVALID_PARAMETER_VALUE.REGEX_GROUP_INDEX] expects group index "
                                 "between 0 and {}, but got {}. SQLSTATE: 22023",
                                 regex.groups, group));
  bool in_class = false;
  for (size_t at = 0; at < java->size(); ++at) {
    const char c = (*java)[at];
    if (c == '\\') {
      ++at;
      continue;
    }
    in_class = c == '[' || (in_class && c != ']');
    if (!in_class && (c == '^' || c == '$')) return Refused(call.name, "an anchor in its pattern");
  }
  Scanner made;
  made.groups = regex.groups;
  made.pattern = "(?s:^(?P<b>.*?))(?P<m>" + WithNamedGroup(regex.pattern, group) + ")";
  SLUICE_ASSIGN_OR_RETURN(auto empty, arrow::MakeArrayFromScalar(arrow::StringScalar(""), 1));
  SLUICE_ASSIGN_OR_RETURN(auto matched, Extract(empty, made.pattern));
  if (matched->IsValid(0)) return Refused(call.name, "a pattern that matches the empty text");
  return made;
}

// Calls `found(row, place, match, group)` for each match in each text, in rounds over all rows.
template <typename Found>
Status Scan(const Scanner& scanner, const KernelCall& call, bool with_group, bool first_only,
            Found found) {
  struct Rest {
    int64_t row;
    size_t from;
  };
  const Reader<Text> texts(call.args[0]);
  std::vector<Rest> open;
  for (int64_t row = 0; row < call.rows; ++row) {
    if (!texts.IsNull(row)) open.push_back({row, 0});
  }
  while (!open.empty()) {
    arrow::StringBuilder builder;
    for (const Rest& rest : open)
      SLUICE_RETURN_NOT_OK(builder.Append(texts.Get(rest.row).substr(rest.from)));
    SLUICE_ASSIGN_OR_RETURN(auto rests, builder.Finish());
    SLUICE_ASSIGN_OR_RETURN(auto result, Extract(rests, scanner.pattern));
    const auto& record = static_cast<const arrow::StructArray&>(*result);
    const auto& before = static_cast<const arrow::StringArray&>(*record.GetFieldByName("b"));
    const auto& match = static_cast<const arrow::StringArray&>(*record.GetFieldByName("m"));
    const auto group = record.GetFieldByName(with_group ? "g" : "m");
    const auto& groups = static_cast<const arrow::StringArray&>(*group);
    std::vector<Rest> next;
    for (size_t i = 0; i < open.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      if (record.IsNull(at)) continue;
      const size_t place = open[i].from + before.GetView(at).size();
      SLUICE_RETURN_NOT_OK(found(open[i].row, place, match.GetView(at),
                                 groups.IsNull(at) ? Text() : groups.GetView(at)));
      if (!first_only) next.push_back({open[i].row, place + match.GetView(at).size()});
    }
    open = std::move(next);
  }
  return Status::OK();
}

Result<Kernel> Count(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto scanner, MakeScanner(expression, 0));
  return Kernel([scanner](const KernelCall& call) -> Result<ArrayPtr> {
    std::vector<int32_t> counts(static_cast<size_t>(call.rows), 0);
    SLUICE_RETURN_NOT_OK(Scan(scanner, call, false, false, [&](int64_t row, size_t, Text, Text) {
      ++counts[static_cast<size_t>(row)];
      return Status::OK();
    }));
    Writer<int32_t> writer(call.expression.type);
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    for (int64_t row = 0; row < call.rows; ++row) {
      SLUICE_RETURN_NOT_OK(call.args[0].IsNull(row) ? writer.Null()
                                                    : writer.Set(counts[static_cast<size_t>(row)]));
    }
    return writer.Finish();
  });
}

Result<Kernel> ExtractAll(const BoundExpression& expression) {
  const auto group = ConstantInt(expression, 2);
  if (!group.has_value()) return Refused(expression.name, "a group that is not constant");
  SLUICE_ASSIGN_OR_RETURN(auto scanner, MakeScanner(expression, static_cast<int>(*group)));
  return Kernel([scanner, with_group = *group > 0](const KernelCall& call) -> Result<ArrayPtr> {
    std::vector<std::vector<std::string>> found(static_cast<size_t>(call.rows));
    SLUICE_RETURN_NOT_OK(
        Scan(scanner, call, with_group, false, [&](int64_t row, size_t, Text, Text text) {
          found[static_cast<size_t>(row)].emplace_back(text);
          return Status::OK();
        }));
    arrow::StringBuilder items;
    ListPicker picker;
    for (int64_t row = 0; row < call.rows; ++row) {
      const auto& texts = found[static_cast<size_t>(row)];
      for (const std::string& text : texts) SLUICE_RETURN_NOT_OK(items.Append(text));
      picker.Grow(static_cast<int64_t>(texts.size()));
      SLUICE_RETURN_NOT_OK(picker.Row(!call.args[0].IsNull(row)));
    }
    SLUICE_ASSIGN_OR_RETURN(auto values, items.Finish());
    return picker.FinishWith(call.expression.type, values);
  });
}

// regexp_instr: the place of the first match in characters from 1, 0 for none.
Result<Kernel> Instr(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto scanner, MakeScanner(expression, 0));
  return Kernel([scanner](const KernelCall& call) -> Result<ArrayPtr> {
    const Reader<Text> texts(call.args[0]);
    std::vector<int32_t> places(static_cast<size_t>(call.rows), 0);
    SLUICE_RETURN_NOT_OK(
        Scan(scanner, call, false, true, [&](int64_t row, size_t place, Text, Text) {
          places[static_cast<size_t>(row)] =
              static_cast<int32_t>(CharCount(texts.Get(row).substr(0, place))) + 1;
          return Status::OK();
        }));
    Writer<int32_t> writer(call.expression.type);
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    for (int64_t row = 0; row < call.rows; ++row) {
      SLUICE_RETURN_NOT_OK(texts.IsNull(row) ? writer.Null()
                                             : writer.Set(places[static_cast<size_t>(row)]));
    }
    return writer.Finish();
  });
}

// regexp_substr: the first match, NULL for none.
Result<Kernel> Substr(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto scanner, MakeScanner(expression, 0));
  return Kernel([scanner](const KernelCall& call) -> Result<ArrayPtr> {
    std::vector<std::optional<std::string>> matches(static_cast<size_t>(call.rows));
    SLUICE_RETURN_NOT_OK(
        Scan(scanner, call, false, true, [&](int64_t row, size_t, Text match, Text) {
          matches[static_cast<size_t>(row)] = std::string(match);
          return Status::OK();
        }));
    Writer<Text> writer(call.expression.type);
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    for (const auto& match : matches) SLUICE_RETURN_NOT_OK(writer.Set(match));
    return writer.Finish();
  });
}

BindFunction BindScan(size_t least, size_t most, TypePtr type) {
  return [=](FunctionBinder& binder, const std::string& name, Args args,
             Span span) -> Result<BoundPtr> {
    SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), least, most, span));
    for (size_t i = 0; i < args.size(); ++i) {
      SLUICE_ASSIGN_OR_RETURN(args[i],
                              binder.Coerce(args[i], i < 2 ? arrow::utf8() : arrow::int32(), name,
                                            static_cast<int>(i) + 1));
    }
    if (args[1]->IsNullLiteral()) return MakeLiteral(arrow::MakeNullScalar(type), span);
    if (!args[1]->IsLiteral())
      return binder.Unsupported(span, name + " with a pattern that is not constant");
    if (name == "regexp_extract_all" && args.size() == 2)
      args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{1})));
    return MakeCall(name, std::move(args), type, true, span);
  };
}

// like and ilike with an escape character: the pattern is rewritten to escape with a backslash.
Result<BoundPtr> BindLike(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  for (size_t i = 0; i < args.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
  }
  if (args.size() == 3) {
    SLUICE_ASSIGN_OR_RETURN(auto escape, binder.ConstantString(name, args[2], span));
    args.pop_back();
    if (escape != "\\") {
      if (args[1]->IsNullLiteral()) return MakeLiteral(arrow::MakeNullScalar(arrow::boolean()));
      if (!args[1]->IsLiteral() || escape.size() != 1)
        return binder.Unsupported(span, "LIKE with ESCAPE and a pattern that is not constant");
      SLUICE_ASSIGN_OR_RETURN(auto pattern, binder.ConstantString(name, args[1], span));
      std::string rewritten;
      for (size_t at = 0; at < pattern.size(); ++at) {
        if (pattern[at] == escape[0]) {
          const char next = at + 1 < pattern.size() ? pattern[at + 1] : '\0';
          if (next != '%' && next != '_' && next != escape[0])
            return binder.Error(span, "INVALID_FORMAT.ESC_IN_THE_MIDDLE",
                                "the escape character is not allowed to precede this character");
          if (next != escape[0] || next == '\\') rewritten += '\\';
          rewritten += next;
          ++at;
        } else {
          if (pattern[at] == '\\') rewritten += '\\';
          rewritten += pattern[at];
        }
      }
      args[1] = MakeLiteral(arrow::MakeScalar(rewritten), args[1]->span);
    }
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), arrow::boolean(), nullable, span);
}

}  // namespace

void RegisterRegexFunctions(FunctionRegistry* registry) {
  registry->Special("regexp_count", BindScan(2, 2, arrow::int32()));
  registry->Compute("regexp_count", Count);
  registry->Special("regexp_extract_all", BindScan(2, 3, SparkArray(arrow::utf8())));
  registry->Compute("regexp_extract_all", ExtractAll);
  registry->Special("regexp_instr", BindScan(2, 3, arrow::int32()));
  registry->Compute("regexp_instr", Instr);
  registry->Special("regexp_substr", BindScan(2, 2, arrow::utf8()));
  registry->Compute("regexp_substr", Substr);
  registry->Special("like", BindLike);
  registry->Special("ilike", BindLike);
}

}  // namespace sluice::sql
