// from_csv, to_csv, schema_of_csv: one line of comma-separated values.
#include <fmt/format.h>

#include <map>
#include <utility>

#include "base/calendar.h"
#include "codec/spark_time.h"
#include "codec/time_pattern.h"
#include "sql/expressions/analysis_error.h"
#include "sql/expressions/cast.h"
#include "sql/expressions/cast_text.h"
#include "sql/expressions/datetime_pattern.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/constant_options.h"
#include "sql/functions/evaluation_internal.h"
#include "sql/functions/function_registry_internal.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser.h"
#include "sql/parser/datetime_text.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Type;

struct Options {
  std::string separator = ",";
  std::optional<std::string> timestamp_format;
  std::optional<std::string> date_format;
};

Result<Options> ReadOptions(const BoundExpression& call, size_t index) {
  Options made;
  if (index >= call.args.size()) return made;
  SLUICE_ASSIGN_OR_RETURN(auto given, ConstantOptions(*call.args[index]));
  for (const auto& [key, value] : given) {
    const std::string name = LowerAscii(key);
    if (name == "sep" || name == "delimiter") {
      if (value.size() != 1 || value == "\"" || value == "\\")
        return MakeError("NOT_SUPPORTED_YET", "not supported yet: the separator '" + value + "'");
      made.separator = value;
    } else if (name == "timestampformat") {
      made.timestamp_format = value;
    } else if (name == "dateformat") {
      made.date_format = value;
    } else if (name != "mode" || LowerAscii(value) != "permissive") {
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: the option " + key + " of CSV");
    }
  }
  return made;
}

// The values of one line; a quoted value may hold separators, \" is a quote. Nothing for a quote in
// the middle of things, where parsers disagree.
std::optional<std::vector<std::string>> SplitLine(Text line, char separator) {
  std::vector<std::string> values;
  for (size_t at = 0;;) {
    std::string value;
    if (at < line.size() && line[at] == '"') {
      ++at;
      bool closed = false;
      for (; at < line.size() && !closed; ++at) {
        if (line[at] == '\\' && at + 1 < line.size() && line[at + 1] == '"') {
          value += line[++at];
        } else if (line[at] == '"') {
          closed = true;
        } else {
          value += line[at];
        }
      }
      if (!closed || (at < line.size() && line[at] != separator)) return std::nullopt;
    } else {
      while (at < line.size() && line[at] != separator) {
        if (line[at] == '\n' || line[at] == '\r') return std::nullopt;
        value += line[at++];
      }
    }
    values.push_back(std::move(value));
    if (at >= line.size()) return values;
    ++at;
  }
}

// How a field of one type reads its text. False = malformed.
class FieldReader {
 public:
  static Result<FieldReader> Make(std::shared_ptr<arrow::DataType> type, const Options& options) {
    FieldReader made;
    const bool is_time = type->id() == Type::TIMESTAMP;
    const auto& format = is_time                      ? options.timestamp_format
                         : type->id() == Type::DATE32 ? options.date_format
                                                      : std::optional<std::string>();
    if (format.has_value()) {
      SLUICE_ASSIGN_OR_RETURN(made.pattern_, codec::TimePattern::Make(*format));
    }
    const bool known = type->id() == Type::STRING || IsNumeric(*type) || is_time ||
                       type->id() == Type::BOOL || type->id() == Type::DATE32;
    if (!known)
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: from_csv of a field of type " + SparkTypeName(*type));
    made.type_ = std::move(type);
    return made;
  }

  /// The values as a column; malformed ones are NULL.
  Result<ArrayPtr> Read(const std::vector<std::optional<std::string>>& texts) const {
    arrow::StringBuilder builder;
    for (const auto& text : texts) {
      const bool present = text.has_value() && (!text->empty()) && Fits(*text);
      SLUICE_RETURN_NOT_OK(present ? builder.Append(*text) : builder.AppendNull());
    }
    SLUICE_ASSIGN_OR_RETURN(auto column, builder.Finish());
    if (type_->id() == Type::DATE32 || type_->id() == Type::TIMESTAMP) return Times(*column);
    return CastArray(column, type_, true);
  }

 private:
  // Integers and booleans take no blanks around them, other than casts.
  bool Fits(Text text) const {
    if (IsIntegral(*type_)) return text.find_first_not_of("+-0123456789") == Text::npos;
    if (type_->id() == Type::BOOL) {
      const std::string lower = LowerAscii(text);
      return lower == "true" || lower == "false";
    }
    return true;
  }

  Result<ArrayPtr> Times(const arrow::Array& column) const {
    const auto& texts = static_cast<const arrow::StringArray&>(column);
    const bool is_date = type_->id() == Type::DATE32;
    Writer<int64_t> times(is_date ? arrow::int64() : type_);
    Writer<int32_t> dates(arrow::date32());
    SLUICE_RETURN_NOT_OK(times.Reserve(column.length()));
    SLUICE_RETURN_NOT_OK(dates.Reserve(column.length()));
    for (int64_t row = 0; row < column.length(); ++row) {
      const bool null = texts.IsNull(row);
      if (is_date) {
        SLUICE_RETURN_NOT_OK(dates.Set(null ? std::nullopt : Days(texts.GetView(row))));
      } else {
        SLUICE_RETURN_NOT_OK(times.Set(null ? std::nullopt : Micros(texts.GetView(row))));
      }
    }
    return is_date ? dates.Finish() : times.Finish();
  }

  std::optional<int32_t> Days(Text text) const {
    if (pattern_.has_value()) {
      codec::TimePattern::Parsed parsed;
      if (!pattern_->Parse(text, &parsed) || !std::in_range<int32_t>(parsed.days))
        return std::nullopt;
      return static_cast<int32_t>(parsed.days);
    }
    int32_t days = 0;
    return codec::ParseDate(text, &days) ? std::optional(days) : std::nullopt;
  }

  std::optional<int64_t> Micros(Text text) const {
    int64_t micros = 0;
    if (!pattern_.has_value()) {
      const bool good = IsTimestampNtz(*type_)
                            ? codec::ParseTimestampNtz(text, &micros)
                            : codec::ParseTimestamp(text, codec::TimeZone(), 0, &micros);
      return good ? std::optional(micros) : std::nullopt;
    }
    codec::TimePattern::Parsed parsed;
    if (!pattern_->Parse(text, &parsed)) return std::nullopt;
    if (__builtin_mul_overflow(parsed.days, kMicrosPerDay, &micros) ||
        __builtin_add_overflow(micros, parsed.micros_of_day, &micros))
      return std::nullopt;
    if (!parsed.zone.has_value() || IsTimestampNtz(*type_)) return micros;
    const int64_t seconds = FloorDiv(micros, kMicrosPerSecond);
    const int64_t moved = (parsed.zone->LocalToUtc(seconds) - seconds) * kMicrosPerSecond;
    return __builtin_add_overflow(micros, moved, &micros) ? std::nullopt : std::optional(micros);
  }

  std::shared_ptr<arrow::DataType> type_;
  std::optional<codec::TimePattern> pattern_;
};

Result<Kernel> FromCsv(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto options, ReadOptions(expression, 2));
  std::vector<FieldReader> readers;
  for (const auto& field : expression.type->fields()) {
    SLUICE_ASSIGN_OR_RETURN(auto reader, FieldReader::Make(field->type(), options));
    readers.push_back(std::move(reader));
  }
  return Kernel([options, readers](const KernelCall& call) -> Result<ArrayPtr> {
    const Reader<Text> lines(call.args[0]);
    std::vector<std::vector<std::optional<std::string>>> columns(readers.size());
    arrow::TypedBufferBuilder<bool> valid;
    for (int64_t row = 0; row < call.rows; ++row) {
      std::optional<std::vector<std::string>> values;
      if (!lines.IsNull(row)) {
        values = SplitLine(lines.Get(row), options.separator[0]);
        if (!values.has_value())
          return MakeError("NOT_SUPPORTED_YET",
                           "not supported yet: from_csv of a line with quotes within values");
      }
      SLUICE_RETURN_NOT_OK(valid.Append(values.has_value()));
      for (size_t c = 0; c < columns.size(); ++c) {
        const bool present = values.has_value() && c < values->size();
        columns[c].push_back(present ? std::optional<std::string>((*values)[c]) : std::nullopt);
      }
    }
    std::vector<std::shared_ptr<arrow::ArrayData>> children;
    for (size_t c = 0; c < columns.size(); ++c) {
      SLUICE_ASSIGN_OR_RETURN(auto column, readers[c].Read(columns[c]));
      children.push_back(column->data());
    }
    SLUICE_ASSIGN_OR_RETURN(auto bits, valid.Finish());
    return arrow::MakeArray(
        arrow::ArrayData::Make(call.expression.type, call.rows, {bits}, std::move(children)));
  });
}

Result<BoundPtr> BindFromCsv(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  SLUICE_ASSIGN_OR_RETURN(auto ddl, binder.ConstantString(name, args[1], span));
  arrow::FieldVector fields;
  auto columns = ParseSchema(ddl);
  if (columns.ok()) {
    for (const auto& field : (*columns)->fields()) fields.push_back(field->WithNullable(true));
  } else {
    auto type = ParseDataType(ddl);
    if (!type.ok() || (*type)->id() != Type::STRUCT)
      return WithContext(columns.status(), "from_csv");
    fields = (*type)->fields();
  }
  return MakeCall(name, std::move(args), arrow::struct_(fields), true, span);
}

// A value that must be quoted to be read back.
std::string QuotedValue(const std::string& text, char separator) {
  const bool plain = !text.empty() && text.find(separator) == std::string::npos &&
                     text.find('"') == std::string::npos && text.find('\n') == std::string::npos &&
                     text.find('\r') == std::string::npos;
  if (plain) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '\\';
    out += c;
  }
  return out + "\"";
}

Result<Kernel> ToCsv(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto options, ReadOptions(expression, 1));
  std::optional<DatetimePattern> times;
  std::optional<DatetimePattern> dates;
  if (options.timestamp_format) {
    SLUICE_ASSIGN_OR_RETURN(times, DatetimePattern::Make(*options.timestamp_format));
  }
  if (options.date_format) {
    SLUICE_ASSIGN_OR_RETURN(dates, DatetimePattern::Make(*options.date_format));
  }
  for (const auto& field : expression.args[0]->type->fields()) {
    const auto& type = *field->type();
    const bool known = type.id() == Type::STRING || IsNumeric(type) || type.id() == Type::BOOL ||
                       (IsTimestamp(type) && times) || type.id() == Type::DATE32;
    if (!known)
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: to_csv of a field of type " + SparkTypeName(type));
  }
  const char separator = options.separator[0];
  return Kernel([=](const KernelCall& call) -> Result<ArrayPtr> {
    const auto& record = static_cast<const arrow::StructArray&>(*call.args[0].array);
    Writer<Text> writer(call.expression.type);
    for (int64_t row = 0; row < call.rows; ++row) {
      const int64_t at = call.args[0].At(row);
      if (record.IsNull(at)) {
        SLUICE_RETURN_NOT_OK(writer.Null());
        continue;
      }
      std::string line;
      for (int i = 0; i < record.num_fields(); ++i) {
        if (i > 0) line += separator;
        const arrow::Array& field = *record.field(i);
        if (field.IsNull(at)) continue;
        std::string text;
        if (field.type_id() == Type::TIMESTAMP) {
          times->Format(field.data()->GetValues<int64_t>(1)[at], &text);
        } else if (field.type_id() == Type::DATE32 && dates) {
          dates->Format(field.data()->GetValues<int32_t>(1)[at] * kMicrosPerDay, &text);
        } else {
          AppendText(field, at, &text);
        }
        line += QuotedValue(text, separator);
      }
      SLUICE_RETURN_NOT_OK(writer.Set(line));
    }
    return writer.Finish();
  });
}

// The type of one value: the narrowest of INT, BIGINT, DECIMAL, DOUBLE, DATE, TIMESTAMP, BOOLEAN.
std::string InferredType(const std::string& text) {
  if (text.empty()) return "STRING";
  int32_t days = 0;
  int64_t micros = 0;
  const auto number = [&](const TypePtr& type) {
    const auto array = arrow::MakeArrayFromScalar(arrow::StringScalar(text), 1);
    const auto cast = array.ok() ? CastArray(*array, type, true) : array.status();
    return cast.ok() && (*cast)->IsValid(0);
  };
  const bool digits = text.find_first_not_of("+-0123456789") == std::string::npos;
  if (digits && number(arrow::int32())) return "INT";
  if (digits && number(arrow::int64())) return "BIGINT";
  if (digits && number(arrow::decimal128(38, 0)))
    return fmt::format("DECIMAL({},0)", text.size() - text.find_first_of("0123456789"));
  if (number(arrow::float64())) return "DOUBLE";
  if (text.size() == 10 && codec::ParseDate(text, &days)) return "DATE";
  if (codec::ParseTimestamp(text, codec::TimeZone(), 0, &micros)) return "TIMESTAMP";
  const std::string lower = LowerAscii(text);
  return lower == "true" || lower == "false" ? "BOOLEAN" : "STRING";
}

Result<BoundPtr> BindSchemaOfCsv(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 1, span));
  SLUICE_ASSIGN_OR_RETURN(auto line, binder.ConstantString(name, args[0], span));
  const auto values = SplitLine(line, ',');
  if (!values.has_value()) return binder.Unsupported(span, "schema_of_csv of this line");
  std::string schema;
  for (const std::string& value : *values) {
    schema += fmt::format("{}_c{}: {}", schema.empty() ? "" : ", ", &value - values->data(),
                          InferredType(value));
  }
  return MakeLiteral(arrow::MakeScalar("STRUCT<" + schema + ">"), span);
}

}  // namespace

void RegisterCsvFunctions(FunctionRegistry* registry) {
  registry->Special("from_csv", BindFromCsv);
  registry->Compute("from_csv", FromCsv);
  registry->Special("to_csv",
                    [](FunctionBinder& binder, const std::string& name, Args args,
                       Span span) -> Result<BoundPtr> {
                      SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
                      if (args[0]->type->id() != Type::STRUCT)
                        return binder.WrongType(name, 1, "STRUCT", args[0]);
                      const bool nullable = args[0]->nullable;
                      return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
                    });
  registry->Compute("to_csv", ToCsv);
  registry->Special("schema_of_csv", BindSchemaOfCsv);
}

}  // namespace sluice::sql
