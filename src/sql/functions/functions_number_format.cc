// to_number, to_char: number formats of 9 0 . D , G $ S MI PR. A format is read once when the call
// is typed and checked, then again when its kernel is made.
#include <fmt/format.h>

#include "sql/expressions/analysis_error.h"
#include "sql/expressions/decimal_math.h"
#include "sql/expressions/spark_type.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Decimal128;

// One run of 0s and 9s. `exact`: it begins with 0 before the point, so that many digits stand
// there.
struct Digits {
  size_t count = 0;
  bool exact = false;
};

enum class Mark { kDigits, kPoint, kDollar, kSign, kMinus, kOpen, kClose };

// A mark of the format; of kDigits the runs between thousands separators, left to right.
struct Token {
  Mark mark;
  std::vector<Digits> runs;
};

class NumberFormat {
 public:
  static Result<NumberFormat> Make(Text format);

  int precision() const { return static_cast<int>(before_ + after_); }
  int scale() const { return static_cast<int>(after_); }
  std::optional<Decimal128> Parse(Text input) const;
  std::string Format(const Decimal128& value, int scale) const;

 private:
  Status Check(Text format) const;
  Status AddToken(char c, Text format, size_t* at);

  std::vector<Token> tokens_;
  size_t before_ = 0;  // digits before and after the point
  size_t after_ = 0;
  bool reached_point_ = false;
};

Status BadFormat(const char* subclass, Text format) {
  return MakeError(std::string("INVALID_FORMAT.") + subclass,
                   fmt::format("[INVALID_FORMAT.{}] the format is invalid: '{}'. SQLSTATE: 42601",
                               subclass, format));
}

Status NumberFormat::AddToken(char c, Text format, size_t* at) {
  const bool in_digits = !tokens_.empty() && tokens_.back().mark == Mark::kDigits;
  if (c == '0' || c == '9') {
    Digits run{0, c == '0' && !reached_point_};
    while (*at < format.size() && (format[*at] == '0' || format[*at] == '9')) {
      ++run.count;
      ++*at;
    }
    (reached_point_ ? after_ : before_) += run.count;
    if (!in_digits) tokens_.push_back({Mark::kDigits, {}});
    auto& runs = tokens_.back().runs;
    if (!runs.empty() && runs.back().count == 0) {
      runs.back() = run;
    } else {
      runs.push_back(run);
    }
    return Status::OK();
  }
  ++*at;
  switch (c) {
    case ',':
    case 'G':
      if (!in_digits || reached_point_ || tokens_.back().runs.back().count == 0)
        return BadFormat(reached_point_ ? "THOUSANDS_SEPS_MUST_BEFORE_DEC" : "CONT_THOUSANDS_SEPS",
                         format);
      tokens_.back().runs.push_back({});
      return Status::OK();
    case '.':
    case 'D':
      if (reached_point_) return BadFormat("WRONG_NUM_TOKEN", format);
      reached_point_ = true;
      tokens_.push_back({Mark::kPoint, {}});
      return Status::OK();
    case '$': tokens_.push_back({Mark::kDollar, {}}); return Status::OK();
    case 'S': tokens_.push_back({Mark::kSign, {}}); return Status::OK();
    default: break;
  }
  const bool pair = *at < format.size();
  if (c == 'M' && pair && format[*at] == 'I') {
    ++*at;
    tokens_.push_back({Mark::kMinus, {}});
    return Status::OK();
  }
  if (c == 'P' && pair && format[*at] == 'R') {
    ++*at;
    tokens_.insert(tokens_.begin(), {Mark::kOpen, {}});
    tokens_.push_back({Mark::kClose, {}});
    return Status::OK();
  }
  return BadFormat("UNEXPECTED_TOKEN", format);
}

// [MI | S] [$] digits [. digits] [$] [PR | MI | S], with a digit somewhere.
Status NumberFormat::Check(Text format) const {
  if (format.empty()) return BadFormat("EMPTY", format);
  if (before_ + after_ == 0) return BadFormat("WRONG_NUM_DIGIT", format);
  static const std::vector<std::vector<Mark>> kOrder = {
      {Mark::kOpen},   {Mark::kMinus, Mark::kSign},
      {Mark::kDollar}, {Mark::kDigits},
      {Mark::kPoint},  {Mark::kDigits},
      {Mark::kDollar}, {Mark::kMinus, Mark::kSign, Mark::kClose}};
  size_t at = 0;
  int dollars = 0;
  int signs = 0;
  for (const auto& allowed : kOrder) {
    if (at >= tokens_.size()) break;
    const Mark mark = tokens_[at].mark;
    if (std::find(allowed.begin(), allowed.end(), mark) == allowed.end()) continue;
    dollars += mark == Mark::kDollar ? 1 : 0;
    signs += mark == Mark::kMinus || mark == Mark::kSign ? 1 : 0;
    ++at;
  }
  if (at < tokens_.size()) return BadFormat("UNEXPECTED_TOKEN", format);
  bool digits = false;
  for (const Token& token : tokens_) {
    digits |= token.mark == Mark::kDigits;
    if (token.mark == Mark::kDigits && token.runs.back().count == 0)
      return BadFormat("CONT_THOUSANDS_SEPS", format);
    if (token.mark == Mark::kDollar && digits) return BadFormat("CUR_MUST_BEFORE_DIGIT", format);
  }
  if (dollars > 1 || signs > 1) return BadFormat("WRONG_NUM_TOKEN", format);
  return Status::OK();
}

Result<NumberFormat> NumberFormat::Make(Text format) {
  std::string upper(format);
  for (char& c : upper) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  NumberFormat made;
  for (size_t at = 0; at < upper.size();)
    SLUICE_RETURN_NOT_OK(made.AddToken(upper[at], upper, &at));
  SLUICE_RETURN_NOT_OK(made.Check(upper));
  if (made.precision() > 38) return BadFormat("WRONG_NUM_DIGIT", format);
  return made;
}

bool IsBlank(char c) { return c == ' ' || (c >= '\t' && c <= '\r') || (c >= 0x1C && c <= 0x1F); }

// The digits at the front of `*rest`; false when their groups do not fit the format's.
bool TakeDigits(const Token& token, bool after_point, Text* rest, std::string* digits) {
  std::vector<size_t> groups;  // left to right
  size_t current = 0;
  size_t at = 0;
  for (; at < rest->size(); ++at) {
    const char c = (*rest)[at];
    if (IsBlank(c)) continue;
    if (c >= '0' && c <= '9') {
      *digits += c;
      ++current;
    } else if (c == ',') {
      groups.push_back(current);
      current = 0;
    } else {
      break;
    }
  }
  groups.push_back(current);
  rest->remove_prefix(at);
  if (groups.size() > token.runs.size()) return false;
  // Groups are matched from the right, so that leading ones may be missing.
  for (size_t i = 0; i < token.runs.size(); ++i) {
    const Digits& run = token.runs[token.runs.size() - 1 - i];
    const size_t found = i < groups.size() ? groups[groups.size() - 1 - i] : 0;
    if (run.exact && !after_point ? found != run.count : found > run.count) return false;
  }
  return true;
}

std::optional<Decimal128> NumberFormat::Parse(Text input) const {
  std::string before;
  std::string after;
  bool negative = false;
  bool point = false;
  bool opened = false;
  bool closed = false;
  auto take = [&](char c) {
    if (input.empty() || input.front() != c) return false;
    input.remove_prefix(1);
    return true;
  };
  for (const Token& token : tokens_) {
    switch (token.mark) {
      case Mark::kDigits:
        if (!TakeDigits(token, point, &input, point ? &after : &before)) return std::nullopt;
        break;
      case Mark::kPoint: point |= take('.'); break;
      case Mark::kDollar:
        if (!input.empty() && !take('$')) return std::nullopt;
        break;
      case Mark::kSign:
        if (!take('+') && take('-')) negative = !negative;
        break;
      case Mark::kMinus:
        if (take('-')) negative = !negative;
        break;
      case Mark::kOpen: opened = take('<'); break;
      case Mark::kClose:
        if (!take('>')) break;
        if (!opened) return std::nullopt;
        closed = true;
        negative = !negative;
        break;
    }
  }
  if (!input.empty() || opened != closed || before.size() + after.size() == 0) return std::nullopt;
  if (before.size() > before_ || after.size() > after_) return std::nullopt;
  after.resize(after_, '0');
  const auto number = Decimal128::FromString("0" + before + after);
  if (!number.ok()) return std::nullopt;
  return negative ? Decimal128(-*number) : *number;
}

// `c` goes before the blanks at the end.
void AppendBeforeBlanks(char c, std::string* out) {
  size_t at = out->size();
  while (at > 0 && (*out)[at - 1] == ' ') --at;
  out->insert(at, 1, c);
}

// A blank goes before a sign at the end.
void AppendBlank(std::string* out) {
  size_t at = out->size();
  while (at > 0 && ((*out)[at - 1] == '+' || (*out)[at - 1] == '-' || (*out)[at - 1] == '<')) --at;
  out->insert(at, 1, ' ');
}

void DropLonePoint(std::string* out) {
  const size_t at = out->find('.');
  if (at != std::string::npos && (at + 1 == out->size() || (*out)[at + 1] == ' ')) (*out)[at] = ' ';
}

// Writes the digits of one token of the format; `at` is the place in `digits`.
void AppendRuns(const Token& token, const std::string& digits, bool after_point, size_t* at,
                std::string* out) {
  for (size_t r = 0; r < token.runs.size(); ++r) {
    if (r > 0) {
      const bool after_digit = !out->empty() && out->back() >= '0' && out->back() <= '9';
      if (after_digit) {
        *out += ',';
      } else {
        AppendBlank(out);
      }
    }
    for (size_t i = 0; i < token.runs[r].count; ++i) {
      const char c = digits[(*at)++];
      if (c != ' ' || after_point) {
        *out += c;
      } else if (token.runs[r].exact) {
        *out += '0';
      } else {
        AppendBlank(out);
      }
    }
  }
}

std::string NumberFormat::Format(const Decimal128& value, int scale) const {
  const bool negative = value.Sign() < 0 && value != Decimal128(0);
  const std::string plain = FormatDecimal(Decimal128(Decimal128::Abs(value)), scale);
  const size_t dot = plain.find('.');
  std::string before = plain.substr(0, dot);
  std::string after = dot == std::string::npos ? "" : plain.substr(dot + 1);
  before.erase(0, before.find_first_not_of('0'));
  if (before.find_first_not_of('0') == std::string::npos) before.clear();
  after.erase(after.find_last_not_of('0') + 1);
  if (before.size() > before_ || after.size() > after_) {
    before.assign(before_, '#');
    after.assign(after_, '#');
  }
  before.insert(0, before_ - before.size(), ' ');
  after.resize(after_, '0');
  std::string out;
  size_t before_at = 0;
  size_t after_at = 0;
  bool point = false;
  for (const Token& token : tokens_) {
    switch (token.mark) {
      case Mark::kDigits:
        AppendRuns(token, point ? after : before, point, point ? &after_at : &before_at, &out);
        break;
      case Mark::kPoint:
        if (!out.empty() && out.back() == ' ') out.back() = '0';
        out += '.';
        point = true;
        break;
      case Mark::kDollar: out += '$'; break;
      case Mark::kSign:
        DropLonePoint(&out);
        AppendBeforeBlanks(negative ? '-' : '+', &out);
        break;
      case Mark::kMinus:
        if (negative) {
          DropLonePoint(&out);
          AppendBeforeBlanks('-', &out);
        } else {
          out += ' ';
        }
        break;
      case Mark::kOpen:
        if (negative) out += '<';
        break;
      case Mark::kClose:
        DropLonePoint(&out);
        if (negative) {
          AppendBeforeBlanks('>', &out);
        } else {
          out += "  ";
        }
        break;
    }
  }
  DropLonePoint(&out);
  return out.empty() || out == "+" || out == "-" ? "0" : out;
}

Result<BoundPtr> BindToNumber(FunctionBinder& binder, const std::string& name, Args args,
                              Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  SLUICE_ASSIGN_OR_RETURN(auto text, binder.ConstantString(name, args[1], span));
  auto format = NumberFormat::Make(text);
  if (!format.ok())
    return binder.Error(args[1]->span, ErrorCode(format.status()),
                        "the number format '" + text + "' is invalid");
  TypePtr type = arrow::decimal128(format->precision(), format->scale());
  return MakeCall(name, std::move(args), std::move(type), true, span);
}

Result<Kernel> ToNumber(const BoundExpression& expression) {
  const auto text = ConstantText(expression, 1).value_or("");
  SLUICE_ASSIGN_OR_RETURN(auto format, NumberFormat::Make(text));
  const bool tried = expression.name == "try_to_number";
  return Map<Decimal128, Text>(
      [format, text, tried](Text input) -> Result<std::optional<Decimal128>> {
        auto number = format.Parse(input);
        if (number.has_value() || tried) return number;
        return MakeError("INVALID_FORMAT.MISMATCH_INPUT",
                         fmt::format("[INVALID_FORMAT.MISMATCH_INPUT] the input \"STRING\" '{}' "
                                     "does not match the format '{}'. SQLSTATE: 42601",
                                     input.substr(0, 200), text));
      })(expression);
}

// to_char of numbers; of dates and times it is date_format, of binaries an encoding.
Result<BoundPtr> BindToChar(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  const arrow::DataType& type = *args[0]->type;
  if (type.id() == arrow::Type::DATE32 || type.id() == arrow::Type::TIMESTAMP)
    return binder.Bind("date_format", std::move(args), span);
  if (type.id() == arrow::Type::BINARY) {
    SLUICE_ASSIGN_OR_RETURN(auto format, binder.ConstantString(name, args[1], span));
    format = LowerAscii(format);
    if (format == "base64" || format == "hex") return binder.Bind(format, {args[0]}, span);
    if (format == "utf-8") return binder.Bind("decode", std::move(args), span);
    return binder.Error(args[1]->span, "INVALID_PARAMETER_VALUE.BINARY_FORMAT",
                        "expects one of 'base64', 'hex', 'utf-8', but got '" + format + "'");
  }
  SLUICE_ASSIGN_OR_RETURN(auto text, binder.ConstantString(name, args[1], span));
  auto format = NumberFormat::Make(text);
  if (!format.ok())
    return binder.Error(args[1]->span, ErrorCode(format.status()),
                        "the number format '" + text + "' is invalid");
  if (IsIntegral(type)) {
    args[0] = MakeCast(args[0], DecimalFor(*args[0]));
  } else if (IsFloating(type) || type.id() == arrow::Type::STRING) {
    args[0] = MakeCast(args[0], type.id() == arrow::Type::FLOAT ? arrow::decimal128(14, 7)
                                : IsFloating(type)              ? arrow::decimal128(30, 15)
                                                                : arrow::decimal128(38, 18));
  }
  if (!IsDecimal(*args[0]->type)) return binder.WrongType(name, 1, "DECIMAL", args[0]);
  return MakeCall("to_char", std::move(args), arrow::utf8(), true, span);
}

Result<Kernel> ToChar(const BoundExpression& expression) {
  SLUICE_ASSIGN_OR_RETURN(auto format,
                          NumberFormat::Make(ConstantText(expression, 1).value_or("")));
  const int scale = static_cast<const arrow::Decimal128Type&>(*expression.args[0]->type).scale();
  return Map<Text, Decimal128>(
      [format, scale](const Decimal128& value) { return format.Format(value, scale); })(expression);
}

}  // namespace

void RegisterNumberFormatFunctions(FunctionRegistry* registry) {
  registry->Special("to_number", BindToNumber);
  registry->Special("try_to_number", BindToNumber);
  registry->Compute("to_number", ToNumber, true);
  registry->Compute("try_to_number", ToNumber);
  registry->Special("to_char", BindToChar);
  registry->Alias("to_varchar", "to_char");
  registry->Compute("to_char", ToChar);
}

}  // namespace sluice::sql
