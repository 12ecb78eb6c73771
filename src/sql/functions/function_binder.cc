#include "sql/functions/function_binder.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/expressions/analysis_error.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"
#include "sql/functions/spark_function_names.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"

namespace sluice::sql {

using Args = std::vector<BoundPtr>;

namespace {

constexpr std::pair<const char*, const char*> kAliases[] = {
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
    {"printf", "format_string"},
    {"position", "locate"},
    {"iff", "if"},
};

// Every call is named after its function; btrim is trim with characters.
constexpr Signature kSignatures[] = {
    {"upper", "s", 's'},
    {"lower", "s", 's'},
    {"char_length", "x", 'i'},
    {"octet_length", "x", 'i'},
    {"bit_length", "x", 'i'},
    {"substring", "xi|i", '0'},
    {"left", "xi", '0'},
    {"right", "si", 's'},
    {"instr", "ss", 'i'},
    {"locate", "ss|i", 'i'},
    {"replace", "ss|s", 's'},
    {"startswith", "xx", 'b'},
    {"endswith", "xx", 'b'},
    {"contains", "xx", 'b'},
    {"split_part", "ssi", 's'},
    {"substring_index", "ssi", 's'},
    {"repeat", "si", 's'},
    {"initcap", "s", 's'},
    {"translate", "sss", 's'},
    {"ascii", "s", 'i'},
    {"chr", "l", 's'},
    {"space", "i", 's'},
    {"base64", "y", 's'},
    {"unbase64", "s", 'y'},
    {"unhex", "s", 'y', true},
    {"md5", "y", 's'},
    {"sha1", "y", 's'},
    {"sha2", "yi", 's', true},
    {"crc32", "y", 'l'},
    {"find_in_set", "ss", 'i'},
    {"exp", "d", 'd'},
    {"expm1", "d", 'd'},
    {"ln", "d", 'd', true},
    {"log2", "d", 'd', true},
    {"log10", "d", 'd', true},
    {"log1p", "d", 'd', true},
    {"log", "d|d", 'd', true},
    {"sqrt", "d", 'd'},
    {"cbrt", "d", 'd'},
    {"power", "dd", 'd'},
    {"sin", "d", 'd'},
    {"cos", "d", 'd'},
    {"tan", "d", 'd'},
    {"asin", "d", 'd'},
    {"acos", "d", 'd'},
    {"atan", "d", 'd'},
    {"atan2", "dd", 'd'},
    {"sinh", "d", 'd'},
    {"cosh", "d", 'd'},
    {"tanh", "d", 'd'},
    {"degrees", "d", 'd'},
    {"radians", "d", 'd'},
    {"signum", "d", 'd'},
    {"rint", "d", 'd'},
    {"hypot", "dd", 'd'},
    {"pi", "", 'd'},
    {"e", "", 'd'},
    {"date_add", "Di", 'D'},
    {"date_sub", "Di", 'D'},
    {"datediff", "DD", 'i'},
    {"add_months", "Di", 'D'},
    {"last_day", "D", 'D'},
    {"next_day", "Ds", 'D', true},
    {"trunc", "Ds", 'D', true},
    {"date_trunc", "sT", 'T', true},
    {"year", "D", 'i'},
    {"quarter", "D", 'i'},
    {"month", "D", 'i'},
    {"day", "D", 'i'},
    {"dayofyear", "D", 'i'},
    {"dayofweek", "D", 'i'},
    {"weekday", "D", 'i'},
    {"weekofyear", "D", 'i'},
    {"dayname", "D", 's'},
    {"monthname", "D", 's'},
    {"hour", "T", 'i'},
    {"minute", "T", 'i'},
    {"second", "T", 'i'},
    {"unix_date", "D", 'i'},
    {"unix_seconds", "T", 'l'},
    {"unix_millis", "T", 'l'},
    {"unix_micros", "T", 'l'},
    {"date_from_unix_date", "i", 'D'},
    {"make_date", "iii", 'D'},
    {"from_unixtime", "l|s", 's', true},
    {"current_timezone", "", 's'},
    {"raise_error", "s", 's', true},
};

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
  // Any number is any other, but where Spark asks for whole numbers by their kind.
  static const std::set<std::string> by_kind = {
      "date_add",     "date_sub",          "element_at",       "try_element_at",
      "[]",           "timestamp_seconds", "timestamp_millis", "timestamp_micros",
      "unix_seconds", "bit_get",           "sequence"};
  if (IsNumeric(*arg->type) && IsNumeric(*type) && !IsDecimal(*type) && !by_kind.contains(function))
    return MakeCast(std::move(arg), type);
  if (!CanCoerce(*arg->type, *type)) {
    return Error(arg->span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
                 fmt::format("cannot resolve \"{}\": parameter {} requires the \"{}\" type, "
                             "however \"{}\" has the type \"{}\"",
                             function, position, SparkTypeSql(*type), ToString(*arg),
                             SparkTypeSql(*arg->type)));
  }
  return MakeCast(std::move(arg), type);
}

Status FunctionBinder::WrongType(const std::string& function, int position,
                                 const std::string& required, const BoundPtr& arg) const {
  return Error(arg->span, "DATATYPE_MISMATCH.UNEXPECTED_INPUT_TYPE",
               fmt::format("cannot resolve \"{}\": parameter {} requires the \"{}\" type, however "
                           "\"{}\" has the type \"{}\"",
                           function, position, required, ToString(*arg), SparkTypeSql(*arg->type)));
}

Status FunctionBinder::Unify(const std::string& function, std::vector<BoundPtr>* args, size_t from,
                             Span span) {
  TypePtr common = arrow::null();
  for (size_t i = from; i < args->size(); ++i) {
    const TypePtr& type = (*args)[i]->type;
    const bool same = common == nullptr || HasSameNames(*common, *type);
    common = common == nullptr || !same ? nullptr : CommonType(common, type);
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
      case 'N': return SparkTimestampNtz();
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
  return MakeCall(signature.name, std::move(args), std::move(result), nullable, span);
}

// TIME is switched off in Spark 4.2: it may be written, to make a timestamp of, but not be a
// result.
Status FunctionBinder::RefuseTime(const std::string& name, const Args& args, Span span) const {
  static const std::set<std::string, std::less<>> functions = {
      "make_time",        "to_time",           "try_to_time",    "time_from_micros",
      "time_from_millis", "time_from_seconds", "time_to_micros", "time_to_millis",
      "time_to_seconds",  "time_trunc",        "time_diff",      "current_time"};
  const bool makes_timestamp = name.find("make_timestamp") != std::string::npos;
  const bool of_time = std::any_of(args.begin(), args.end(), [](const BoundPtr& arg) {
    return arg->type->id() == arrow::Type::TIME64;
  });
  if (!functions.contains(name) && (!of_time || makes_timestamp)) return Status::OK();
  return Error(span, "UNSUPPORTED_TIME_TYPE", "the data type TIME is not supported");
}

Result<BoundPtr> FunctionBinder::Bind(const std::string& written, std::vector<BoundPtr> args,
                                      Span span) {
  const FunctionRegistry& registry = FunctionRegistry::Get();
  const std::string& name = registry.Canonical(written);
  SLUICE_RETURN_NOT_OK(RefuseTime(name, args, span));
  if (const BindFunction* bind = registry.Find(name)) {
    return (*bind)(*this, name, std::move(args), span);
  }
  if (IsSparkFunction(written)) return Unsupported(span, "function " + written);
  const std::string meant = ClosestFunction(written);
  return AnalysisError(
      source_, span, "UNRESOLVED_ROUTINE",
      fmt::format(
          "cannot resolve routine `{}` on search path [`system`.`builtin`, `system`.`session`]",
          written),
      meant.empty() ? "" : "did you mean " + meant + "?");
}

void FunctionBinder::Register(FunctionRegistry* registry) {
  using B = FunctionBinder;
  const std::pair<Special, std::vector<const char*>> families[] = {
      {&B::ArithmeticFunction,
       {"%", "pmod", "try_add", "try_subtract", "try_multiply", "try_divide", "try_mod", "div"}},
      {&B::Alternatives,
       {"coalesce", "if", "nvl2", "nullif", "nullifzero", "zeroifnull", "isnull", "isnotnull",
        "isnan", "nanvl", "equal_null", "when"}},
      {&B::Extremes, {"greatest", "least"}},
      {&B::Concat, {"concat"}},
      {&B::ConcatWs, {"concat_ws"}},
      {&B::Rounding, {"round", "bround", "ceil", "floor"}},
      {&B::SameNumber, {"abs", "negative", "positive"}},
      {&B::Bits,
       {"~", "&", "|", "^", "bit_count", "shiftleft", "shiftright", "shiftrightunsigned"}},
      {&B::Clock, {"current_timestamp", "current_date", "localtimestamp"}},
      {&B::ToTime,
       {"to_date", "to_timestamp", "try_to_timestamp", "try_to_date", "to_timestamp_ntz"}},
      {&B::UnixTime, {"unix_timestamp"}},
      {&B::TimestampFromNumber, {"timestamp_seconds", "timestamp_millis", "timestamp_micros"}},
      {&B::DateFormat, {"date_format"}},
      {&B::Extract, {"date_part"}},
      {&B::TimeWindow, {"window"}},
      {&B::MakeStruct, {"struct", "named_struct"}},
      {&B::MakeArray, {"array"}},
      {&B::MakeMap, {"map", "map_from_arrays"}},
      {&B::Collections,
       {"size", "array_contains", "map_keys", "map_values", "map_contains_key", "array_distinct",
        "array_join", "array_max", "array_min", "array_position", "sort_array", "reverse", "slice",
        "hex"}},
      {&B::ElementAt, {"element_at", "try_element_at", "get"}},
      {&B::FromJson, {"from_json", "to_json"}},
      {&B::TypeOf, {"typeof"}},
      {&B::CastFunction,
       {"string", "int", "bigint", "double", "float", "boolean", "date", "timestamp", "smallint",
        "tinyint", "decimal", "binary"}},
      {&B::Regex, {"rlike", "regexp_replace", "regexp_extract", "split"}},
  };
  for (const auto& [bind, names] : families) {
    for (const char* name : names) {
      registry->Special(name, [bind = bind](FunctionBinder& binder, const std::string& function,
                                            Args args, Span span) {
        return (binder.*bind)(function, std::move(args), span);
      });
    }
  }
}

void RegisterCoreFunctions(FunctionRegistry* registry) {
  for (const auto& [name, canonical] : kAliases) registry->Alias(name, canonical);
  for (const Signature& signature : kSignatures) registry->Typed(signature);
  FunctionBinder::Register(registry);
  for (const char* name : {"+",
                           "-",
                           "*",
                           "/",
                           "%",
                           "div",
                           "pmod",
                           "negative",
                           "abs",
                           "array_item",
                           "element_at",
                           "parse_time",
                           "make_date",
                           "raise_error",
                           "next_day",
                           "map",
                           "map_from_arrays",
                           "ceil",
                           "floor",
                           "round",
                           "bround",
                           "date_add",
                           "date_sub",
                           "add_months",
                           "timestamp_seconds",
                           "timestamp_millis",
                           "chr",
                           "substring_index",
                           "split_part",
                           "unbase64",
                           "slice",
                           "from_json",
                           "time_add_interval",
                           "time_subtract_interval",
                           "repeat"}) {
    registry->CanFail(name);
  }
}

}  // namespace sluice::sql
