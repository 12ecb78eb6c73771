#include "sql/function_binder_internal.h"

#include <fmt/format.h>

#include "sql/analysis_error.h"
#include "sql/data_type_parser.h"
#include "sql/spark_type.h"

namespace sluice::sql {

// One function whose arguments have fixed types. `params`: one letter each, those after '|' may be
// left out, a final
// '*' repeats the last: s string, y binary, x string or binary, i int, l bigint, d double, b
// boolean, D date, T timestamp, a anything. `result`: such a letter, or 0: the type of the first
// argument.
struct FunctionBinder::Signature {
  const char* canonical;
  const char* params;
  char result;
  bool always_nullable = false;
};

namespace {

const std::map<std::string, std::string>& Canonical() {
  static const std::map<std::string, std::string> names = {
      {"ucase", "upper"},
      {"lcase", "lower"},
      {"character_length", "char_length"},
      {"len", "char_length"},
      {"length", "char_length"},
      {"substr", "substring"},
      {"ceiling", "ceil"},
      {"pow", "power"},
      {"sha", "sha1"},
      {"sign", "signum"},
      {"dateadd", "date_add"},
      {"date_diff", "datediff"},
      {"dayofmonth", "day"},
      {"regexp", "rlike"},
      {"regexp_like", "rlike"},
      {"char", "chr"},
      {"mod", "%"},
      {"cardinality", "size"},
      {"datepart", "date_part"},
      {"extract", "date_part"},
      {"nvl", "coalesce"},
      {"ifnull", "coalesce"},
      {"to_unix_timestamp", "unix_timestamp"},
      {"try_to_timestamp_ltz", "try_to_timestamp"},
      {"to_timestamp_ltz", "to_timestamp"},
      {"random", "rand"},
      {"now", "current_timestamp"},
      {"curdate", "current_date"},
      {"array_size", "size"},
      {"printf", "format_string"},
      {"current_timezone", "current_timezone"},
      {"position", "locate"},
      {"iff", "if"}};
  return names;
}

}  // namespace

bool AnyNullable(const std::vector<BoundPtr>& args) {
  for (const BoundPtr& arg : args) {
    if (arg->nullable) return true;
  }
  return false;
}

Status FunctionBinder::Error(Span span, std::string_view error_class,
                             const std::string& message) const {
  return AnalysisError(source_, span, error_class, message);
}

Status FunctionBinder::Unsupported(Span span, const std::string& what) const {
  return NotSupportedYet(source_, span, what);
}

Status FunctionBinder::CheckCount(const std::string& name, size_t count, size_t least, size_t most,
                                  Span span) const {
  if (count >= least && count <= most) return Status::OK();
  const std::string expected = least == most ? std::to_string(least)
                               : most > 1000 ? fmt::format("> {}", least - 1)
                                             : fmt::format("[{}, {}]", least, most);
  return Error(span, "WRONG_NUM_ARGS.WITHOUT_SUGGESTION",
               fmt::format("the `{}` requires {} parameters but the actual number is {}", name,
                           expected, count));
}

Result<BoundPtr> FunctionBinder::Coerce(BoundPtr arg, const TypePtr& type,
                                        const std::string& function, int position) {
  if (arg->type->Equals(*type)) return arg;
  if (!CanCoerce(*arg->type, *type)) {
    return Error(arg->span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                 fmt::format("cannot resolve \"{}\": parameter {} requires the \"{}\" type, "
                             "however \"{}\" has the type \"{}\"",
                             function, position, SparkTypeSql(*type), ToString(*arg),
                             SparkTypeSql(*arg->type)));
  }
  return MakeCast(std::move(arg), type);
}

Status FunctionBinder::Unify(const std::string& function, std::vector<BoundPtr>* args, size_t from,
                             Span span) {
  TypePtr common = arrow::null();
  for (size_t i = from; i < args->size(); ++i) {
    common = common == nullptr ? nullptr : CommonType(common, (*args)[i]->type);
  }
  if (common == nullptr) {
    std::string types;
    for (size_t i = from; i < args->size(); ++i) {
      types += (types.empty() ? "\"" : ", \"") + SparkTypeSql(*(*args)[i]->type) + "\"";
    }
    return Error(
        span, "DATATYPE_MISMATCH.DATA_DIFF_TYPES",
        fmt::format("cannot resolve \"{}\": input to it should all be the same type, but it's ({})",
                    function, types));
  }
  for (size_t i = from; i < args->size(); ++i) (*args)[i] = MakeCast((*args)[i], common);
  return Status::OK();
}

Result<BoundPtr> FunctionBinder::BindSignature(const std::string& name, const Signature& signature,
                                               std::vector<BoundPtr> args, Span span) {
  const std::string params = signature.params;
  const size_t bar = params.find('|');
  const bool variadic = !params.empty() && params.back() == '*';
  std::string letters;
  for (char c : params) {
    if (c != '|' && c != '*') letters += c;
  }
  const size_t least = bar == std::string::npos ? letters.size() : bar;
  SLUICE_RETURN_NOT_OK(
      CheckCount(name, args.size(), least, variadic ? SIZE_MAX : letters.size(), span));
  auto type_of = [](char letter) -> TypePtr {
    switch (letter) {
      case 's': return arrow::utf8();
      case 'y': return arrow::binary();
      case 'i': return arrow::int32();
      case 'l': return arrow::int64();
      case 'd': return arrow::float64();
      case 'b': return arrow::boolean();
      case 'D': return arrow::date32();
      case 'T': return SparkTimestamp();
      default: return nullptr;
    }
  };
  for (size_t i = 0; i < args.size(); ++i) {
    const char letter = letters[std::min(i, letters.size() - 1)];
    TypePtr wanted = letter == 'x' ? (args[i]->type->id() == arrow::Type::BINARY ? arrow::binary()
                                                                                 : arrow::utf8())
                                   : type_of(letter);
    if (wanted == nullptr) continue;
    const bool interval = args[i]->type->id() == arrow::Type::DURATION ||
                          args[i]->type->id() == arrow::Type::INTERVAL_MONTHS;
    if (interval) return Unsupported(span, name + " of an interval");
    if (letter == 'd' && IsDecimal(*args[i]->type)) {
      args[i] = MakeCast(args[i], wanted);
      continue;
    }
    // A BIGINT where an INT is asked for is refused by Spark; an integer literal that fits is not.
    SLUICE_ASSIGN_OR_RETURN(args[i], Coerce(args[i], wanted, name, static_cast<int>(i) + 1));
  }
  TypePtr result = signature.result == '0' ? args[0]->type : type_of(signature.result);
  const bool nullable = signature.always_nullable || AnyNullable(args);
  return MakeCall(signature.canonical, std::move(args), std::move(result), nullable, span);
}

Result<BoundPtr> FunctionBinder::Bind(const std::string& written, std::vector<BoundPtr> args,
                                      Span span) {
  static const std::map<std::string, Signature> signatures = {
      {"upper", {"upper", "s", 's'}},
      {"lower", {"lower", "s", 's'}},
      {"trim", {"trim", "s", 's'}},
      {"btrim", {"trim", "s|s", 's'}},
      {"ltrim", {"ltrim", "s|s", 's'}},
      {"rtrim", {"rtrim", "s|s", 's'}},
      {"char_length", {"char_length", "x", 'i'}},
      {"octet_length", {"octet_length", "x", 'i'}},
      {"bit_length", {"bit_length", "x", 'i'}},
      {"substring", {"substring", "xi|i", '0'}},
      {"left", {"left", "xi", '0'}},
      {"right", {"right", "si", 's'}},
      {"instr", {"instr", "ss", 'i'}},
      {"locate", {"locate", "ss|i", 'i'}},
      {"replace", {"replace", "ss|s", 's'}},
      {"startswith", {"startswith", "xx", 'b'}},
      {"endswith", {"endswith", "xx", 'b'}},
      {"contains", {"contains", "xx", 'b'}},
      {"split_part", {"split_part", "ssi", 's'}},
      {"substring_index", {"substring_index", "ssi", 's'}},
      {"repeat", {"repeat", "si", 's'}},
      {"initcap", {"initcap", "s", 's'}},
      {"translate", {"translate", "sss", 's'}},
      {"ascii", {"ascii", "s", 'i'}},
      {"chr", {"chr", "l", 's'}},
      {"space", {"space", "i", 's'}},
      {"base64", {"base64", "y", 's'}},
      {"unbase64", {"unbase64", "s", 'y'}},
      {"unhex", {"unhex", "s", 'y', true}},
      {"md5", {"md5", "y", 's'}},
      {"sha1", {"sha1", "y", 's'}},
      {"sha2", {"sha2", "yi", 's', true}},
      {"crc32", {"crc32", "y", 'l'}},
      {"levenshtein", {"levenshtein", "ss", 'i'}},
      {"find_in_set", {"find_in_set", "ss", 'i'}},
      {"like", {"like", "ss", 'b'}},
      {"ilike", {"ilike", "ss", 'b'}},
      {"exp", {"exp", "d", 'd'}},
      {"expm1", {"expm1", "d", 'd'}},
      {"ln", {"ln", "d", 'd', true}},
      {"log2", {"log2", "d", 'd', true}},
      {"log10", {"log10", "d", 'd', true}},
      {"log1p", {"log1p", "d", 'd', true}},
      {"log", {"log", "d|d", 'd', true}},
      {"sqrt", {"sqrt", "d", 'd'}},
      {"cbrt", {"cbrt", "d", 'd'}},
      {"power", {"power", "dd", 'd'}},
      {"sin", {"sin", "d", 'd'}},
      {"cos", {"cos", "d", 'd'}},
      {"tan", {"tan", "d", 'd'}},
      {"asin", {"asin", "d", 'd'}},
      {"acos", {"acos", "d", 'd'}},
      {"atan", {"atan", "d", 'd'}},
      {"atan2", {"atan2", "dd", 'd'}},
      {"sinh", {"sinh", "d", 'd'}},
      {"cosh", {"cosh", "d", 'd'}},
      {"tanh", {"tanh", "d", 'd'}},
      {"degrees", {"degrees", "d", 'd'}},
      {"radians", {"radians", "d", 'd'}},
      {"signum", {"signum", "d", 'd'}},
      {"rint", {"rint", "d", 'd'}},
      {"hypot", {"hypot", "dd", 'd'}},
      {"pi", {"pi", "", 'd'}},
      {"e", {"e", "", 'd'}},
      {"date_add", {"date_add", "Di", 'D'}},
      {"date_sub", {"date_sub", "Di", 'D'}},
      {"datediff", {"datediff", "DD", 'i'}},
      {"add_months", {"add_months", "Di", 'D'}},
      {"last_day", {"last_day", "D", 'D'}},
      {"next_day", {"next_day", "Ds", 'D', true}},
      {"trunc", {"trunc", "Ds", 'D', true}},
      {"date_trunc", {"date_trunc", "sT", 'T', true}},
      {"year", {"year", "D", 'i'}},
      {"quarter", {"quarter", "D", 'i'}},
      {"month", {"month", "D", 'i'}},
      {"day", {"day", "D", 'i'}},
      {"dayofyear", {"dayofyear", "D", 'i'}},
      {"dayofweek", {"dayofweek", "D", 'i'}},
      {"weekday", {"weekday", "D", 'i'}},
      {"weekofyear", {"weekofyear", "D", 'i'}},
      {"dayname", {"dayname", "D", 's'}},
      {"monthname", {"monthname", "D", 's'}},
      {"hour", {"hour", "T", 'i'}},
      {"minute", {"minute", "T", 'i'}},
      {"second", {"second", "T", 'i'}},
      {"unix_date", {"unix_date", "D", 'i'}},
      {"unix_seconds", {"unix_seconds", "T", 'l'}},
      {"unix_millis", {"unix_millis", "T", 'l'}},
      {"unix_micros", {"unix_micros", "T", 'l'}},
      {"date_from_unix_date", {"date_from_unix_date", "i", 'D'}},
      {"make_date", {"make_date", "iii", 'D'}},
      {"from_unixtime", {"from_unixtime", "l|s", 's', true}},
      {"current_timezone", {"current_timezone", "", 's'}},
      {"raise_error", {"raise_error", "s", 's', true}},
  };
  const auto alias = Canonical().find(written);
  const std::string& name = alias == Canonical().end() ? written : alias->second;
  const auto& specials = Specials();
  if (auto special = specials.find(name); special != specials.end()) {
    return (this->*special->second)(name, std::move(args), span);
  }
  if (auto found = signatures.find(name); found != signatures.end()) {
    return BindSignature(written, found->second, std::move(args), span);
  }
  if (IsSparkFunction(written)) return Unsupported(span, "function " + written);
  return Error(
      span, "UNRESOLVED_ROUTINE",
      fmt::format(
          "cannot resolve routine `{}` on search path [`system`.`builtin`, `system`.`session`]",
          written));
}

const std::map<std::string, FunctionBinder::Special>& FunctionBinder::Specials() {
  using B = FunctionBinder;
  static const std::map<std::string, Special> specials = {
      {"%", &B::ArithmeticFunction},
      {"pmod", &B::ArithmeticFunction},
      {"try_add", &B::ArithmeticFunction},
      {"try_subtract", &B::ArithmeticFunction},
      {"try_multiply", &B::ArithmeticFunction},
      {"try_divide", &B::ArithmeticFunction},
      {"try_mod", &B::ArithmeticFunction},
      {"div", &B::ArithmeticFunction},
      {"coalesce", &B::Alternatives},
      {"if", &B::Alternatives},
      {"nvl2", &B::Alternatives},
      {"nullif", &B::Alternatives},
      {"nullifzero", &B::Alternatives},
      {"zeroifnull", &B::Alternatives},
      {"isnull", &B::Alternatives},
      {"isnotnull", &B::Alternatives},
      {"isnan", &B::Alternatives},
      {"nanvl", &B::Alternatives},
      {"equal_null", &B::Alternatives},
      {"when", &B::Alternatives},
      {"greatest", &B::Extremes},
      {"least", &B::Extremes},
      {"concat", &B::Concat},
      {"concat_ws", &B::ConcatWs},
      {"round", &B::Rounding},
      {"bround", &B::Rounding},
      {"ceil", &B::Rounding},
      {"floor", &B::Rounding},
      {"abs", &B::SameNumber},
      {"negative", &B::SameNumber},
      {"positive", &B::SameNumber},
      {"~", &B::Bits},
      {"&", &B::Bits},
      {"|", &B::Bits},
      {"^", &B::Bits},
      {"bit_count", &B::Bits},
      {"shiftleft", &B::Bits},
      {"shiftright", &B::Bits},
      {"shiftrightunsigned", &B::Bits},
      {"current_timestamp", &B::Clock},
      {"current_date", &B::Clock},
      {"localtimestamp", &B::Clock},
      {"to_date", &B::ToTime},
      {"to_timestamp", &B::ToTime},
      {"try_to_timestamp", &B::ToTime},
      {"try_to_date", &B::ToTime},
      {"to_timestamp_ntz", &B::ToTime},
      {"unix_timestamp", &B::UnixTime},
      {"timestamp_seconds", &B::TimestampFromNumber},
      {"timestamp_millis", &B::TimestampFromNumber},
      {"timestamp_micros", &B::TimestampFromNumber},
      {"date_format", &B::DateFormat},
      {"date_part", &B::Extract},
      {"window", &B::TimeWindow},
      {"struct", &B::MakeStruct},
      {"named_struct", &B::MakeStruct},
      {"array", &B::MakeArray},
      {"map", &B::MakeMap},
      {"map_from_arrays", &B::MakeMap},
      {"size", &B::Collections},
      {"array_contains", &B::Collections},
      {"map_keys", &B::Collections},
      {"map_values", &B::Collections},
      {"map_contains_key", &B::Collections},
      {"array_distinct", &B::Collections},
      {"array_join", &B::Collections},
      {"array_max", &B::Collections},
      {"array_min", &B::Collections},
      {"array_position", &B::Collections},
      {"sort_array", &B::Collections},
      {"reverse", &B::Collections},
      {"slice", &B::Collections},
      {"hex", &B::Collections},
      {"element_at", &B::ElementAt},
      {"try_element_at", &B::ElementAt},
      {"get", &B::ElementAt},
      {"from_json", &B::FromJson},
      {"to_json", &B::FromJson},
      {"typeof", &B::TypeOf},
      {"string", &B::CastFunction},
      {"int", &B::CastFunction},
      {"bigint", &B::CastFunction},
      {"double", &B::CastFunction},
      {"float", &B::CastFunction},
      {"boolean", &B::CastFunction},
      {"date", &B::CastFunction},
      {"timestamp", &B::CastFunction},
      {"smallint", &B::CastFunction},
      {"tinyint", &B::CastFunction},
      {"decimal", &B::CastFunction},
      {"binary", &B::CastFunction},
      {"rlike", &B::Regex},
      {"regexp_replace", &B::Regex},
      {"regexp_extract", &B::Regex},
      {"split", &B::Regex},
      {"lpad", &B::Pad},
      {"rpad", &B::Pad}};
  return specials;
}

}  // namespace sluice::sql
