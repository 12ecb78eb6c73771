// format_string (printf) and format_number: Java's patterns, those parts of them whose output is
// the same everywhere.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "sql/expressions/cast.h"
#include "sql/expressions/decimal_math.h"
#include "sql/expressions/spark_type.h"
#include "sql/expressions/utf8_text.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;
using arrow::Type;

// One piece of a printf pattern: literal text, or a conversion of argument `index`.
struct Piece {
  std::string text;
  char conversion = 0;
  size_t index = 0;
  std::string flags;
  int width = 0;
  int precision = -1;

  bool Has(char flag) const { return flags.find(flag) != std::string::npos; }
};

Status BadPattern(Text pattern, const std::string& why) {
  return MakeError("NOT_SUPPORTED_YET", fmt::format("not supported yet: the format '{}': {}",
                                                    pattern.substr(0, 100), why));
}

int TakeNumber(Text pattern, size_t* at) {
  int value = 0;
  while (*at < pattern.size() && pattern[*at] >= '0' && pattern[*at] <= '9' && value < 10'000'000)
    value = value * 10 + (pattern[(*at)++] - '0');
  return value;
}

// %[index$][flags][width][.precision]conversion
Result<std::vector<Piece>> ParsePattern(Text pattern, size_t arguments) {
  std::vector<Piece> pieces;
  size_t next = 0;
  std::string text;
  for (size_t at = 0; at < pattern.size(); ++at) {
    if (pattern[at] != '%') {
      text += pattern[at];
      continue;
    }
    Piece piece;
    ++at;
    const size_t start = at;
    const int index = TakeNumber(pattern, &at);
    const bool indexed = at > start && at < pattern.size() && pattern[at] == '$';
    at = indexed ? at + 1 : start;
    while (at < pattern.size() && Text("-+ 0,(#").find(pattern[at]) != Text::npos)
      piece.flags += pattern[at++];
    piece.width = TakeNumber(pattern, &at);
    if (at < pattern.size() && pattern[at] == '.') piece.precision = TakeNumber(pattern, &++at);
    if (at >= pattern.size()) return BadPattern(pattern, "it ends within a conversion");
    piece.conversion = pattern[at];
    if (piece.conversion == '%' || piece.conversion == 'n') {
      if (piece.width > 0 || !piece.flags.empty()) return BadPattern(pattern, "flags of % or n");
      text += piece.conversion == '%' ? '%' : '\n';
      continue;
    }
    if (Text("sSdxXofeEcbB").find(piece.conversion) == Text::npos)
      return BadPattern(pattern, std::string("the conversion ") + piece.conversion);
    piece.index = indexed ? static_cast<size_t>(index) - 1 : next++;
    if (piece.index >= arguments)
      return MakeError("MISSING_FORMAT_ARGUMENT",
                       fmt::format("the format '{}' has more conversions than arguments",
                                   pattern.substr(0, 100)));
    if (piece.width > 10'000 || piece.precision > 10'000)
      return BadPattern(pattern, "a width above 10000");
    piece.text = std::move(text);
    text.clear();
    pieces.push_back(std::move(piece));
  }
  Piece last;
  last.text = std::move(text);
  pieces.push_back(std::move(last));
  return pieces;
}

bool Fits(const Piece& piece, const arrow::DataType& type) {
  switch (piece.conversion) {
    case 's':
    case 'S':
      return piece.flags.find_first_not_of('-') == std::string::npos &&
             (type.id() == Type::STRING || IsNumeric(type) || type.id() == Type::BOOL ||
              type.id() == Type::NA);
    case 'd': return IsIntegral(type) && !piece.Has('#') && piece.precision < 0;
    case 'x':
    case 'X':
    case 'o':
      return IsIntegral(type) && piece.precision < 0 &&
             piece.flags.find_first_not_of("-0") == std::string::npos;
    case 'f':
    case 'e':
    case 'E':
      return (type.id() == Type::DOUBLE || (IsDecimal(type) && piece.conversion == 'f') ||
              type.id() == Type::FLOAT) &&
             !piece.Has('#') && !(piece.conversion != 'f' && piece.Has(','));
    case 'b':
    case 'B':
      return type.id() == Type::BOOL && piece.flags.find_first_not_of('-') == std::string::npos;
    default: return false;
  }
}

// Decimal digits of `text` ("-12.345") cut to `places` after the point, half up (or half even).
std::string RoundPlain(std::string text, int places, bool half_even) {
  const bool negative = text[0] == '-';
  if (negative) text.erase(0, 1);
  size_t point = text.find('.');
  if (point == std::string::npos) {
    point = text.size();
    text += '.';
  }
  const size_t wanted = point + 1 + static_cast<size_t>(places);
  if (text.size() <= wanted) {
    text.resize(wanted, '0');
  } else {
    const std::string rest = text.substr(wanted);
    text.resize(wanted);
    const bool half = rest[0] == '5' && rest.find_first_not_of('0', 1) == std::string::npos;
    const char last = text.back() == '.' ? text[text.size() - 2] : text.back();
    const bool up = half && half_even ? (last - '0') % 2 == 1 : rest[0] >= '5';
    size_t at = text.size();
    bool carry = up;
    while (carry && at-- > 0) {
      if (text[at] == '.') continue;
      carry = text[at] == '9';
      text[at] = carry ? '0' : static_cast<char>(text[at] + 1);
    }
    if (carry) text.insert(0, "1");
  }
  if (places == 0) text.pop_back();
  return negative ? "-" + text : text;
}

// Double.toString without an exponent.
std::string PlainDouble(const std::string& java) {
  const size_t e = java.find('E');
  if (e == std::string::npos) return java;
  int exponent = 0;
  std::from_chars(java.data() + e + 1, java.data() + java.size(), exponent);
  std::string digits = java.substr(0, e);
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  const int point = static_cast<int>(digits.find('.')) + exponent;
  digits.erase(digits.find('.'), 1);
  if (point <= 0) {
    digits.insert(0, "0." + std::string(static_cast<size_t>(-point), '0'));
  } else {
    if (digits.size() < static_cast<size_t>(point)) digits.resize(static_cast<size_t>(point), '0');
    digits.insert(static_cast<size_t>(point), ".");
    if (digits.back() == '.') digits += '0';
  }
  return negative ? "-" + digits : digits;
}

void Group(std::string* digits) {
  const size_t point = std::min(digits->find('.'), digits->size());
  const size_t first = (*digits)[0] == '-' ? 1 : 0;
  for (size_t at = point; at > first + 3; at -= 3) digits->insert(at - 3, 1, ',');
}

// Signs, zeros and blanks around the digits of a number.
std::string Dress(const Piece& piece, std::string digits) {
  const bool negative = digits[0] == '-';
  if (negative) digits.erase(0, 1);
  std::string before = negative         ? (piece.Has('(') ? "(" : "-")
                       : piece.Has('+') ? "+"
                       : piece.Has(' ') ? " "
                                        : "";
  const std::string after = negative && piece.Has('(') ? ")" : "";
  const auto width = static_cast<size_t>(piece.width);
  const size_t size = before.size() + digits.size() + after.size();
  if (piece.Has('0') && size < width) digits.insert(0, width - size, '0');
  return before + digits + after;
}

std::string Exponential(double value, int precision) {
  std::string text = fmt::format("{:.{}e}", value, precision);
  return text;
}

Result<std::string> FormatValue(const Piece& piece, const arrow::Array& array, int64_t row) {
  std::string plain;
  if (array.IsNull(row)) {
    plain = piece.conversion == 'b' || piece.conversion == 'B' ? "false" : "null";
  } else if (piece.conversion == 'f' || piece.conversion == 'e' || piece.conversion == 'E') {
    const int places = piece.precision < 0 ? 6 : piece.precision;
    std::string digits;
    AppendText(array, row, &digits);
    const bool finite = digits != "NaN" && digits.find("Infinity") == std::string::npos;
    if (!finite) {
      plain = digits;
    } else if (piece.conversion == 'f') {
      plain = RoundPlain(PlainDouble(digits), places, false);
      if (piece.Has(',')) Group(&plain);
      plain = Dress(piece, plain);
    } else {
      const double value = array.type_id() == Type::FLOAT
                               ? static_cast<const arrow::FloatArray&>(array).Value(row)
                               : static_cast<const arrow::DoubleArray&>(array).Value(row);
      plain = Dress(piece, Exponential(value, places));
    }
  } else if (piece.conversion == 'x' || piece.conversion == 'X' || piece.conversion == 'o') {
    SLUICE_ASSIGN_OR_RETURN(auto scalar, array.GetScalar(row));
    SLUICE_ASSIGN_OR_RETURN(auto wide, scalar->CastTo(arrow::int64()));
    auto bits = static_cast<uint64_t>(static_cast<const arrow::Int64Scalar&>(*wide).value);
    const int width = static_cast<const arrow::FixedWidthType&>(*array.type()).bit_width();
    if (width < 64) bits &= (uint64_t{1} << width) - 1;
    plain = Dress(piece,
                  piece.conversion == 'o' ? fmt::format("{:o}", bits) : fmt::format("{:x}", bits));
  } else {
    AppendText(array, row, &plain);
    if (piece.conversion == 'd') {
      if (piece.Has(',')) Group(&plain);
      plain = Dress(piece, plain);
    } else if (piece.precision >= 0) {
      plain = std::string(CharSlice(plain, 0, piece.precision));
    }
  }
  if (piece.conversion == 'S' || piece.conversion == 'X' || piece.conversion == 'E' ||
      piece.conversion == 'B') {
    if (!IsAscii(plain))
      return MakeError("NOT_SUPPORTED_YET", "not supported yet: %S of text that is not ASCII");
    for (char& c : plain) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  }
  const int64_t missing = piece.width - CharCount(plain);
  if (missing > 0)
    plain.insert(piece.Has('-') ? plain.size() : 0, static_cast<size_t>(missing), ' ');
  return plain;
}

Result<Kernel> FormatString(const BoundExpression& expression) {
  const auto pattern = ConstantText(expression, 0);
  if (!pattern.has_value())
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: format_string with a format that is not constant");
  SLUICE_ASSIGN_OR_RETURN(auto pieces, ParsePattern(*pattern, expression.args.size() - 1));
  for (const Piece& piece : pieces) {
    if (piece.conversion != 0 && !Fits(piece, *expression.args[piece.index + 1]->type))
      return BadPattern(*pattern, std::string("%") + piece.conversion + " of this type");
  }
  return Kernel([pieces](const KernelCall& call) -> Result<ArrayPtr> {
    Writer<Text> writer(call.expression.type);
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    std::string out;
    for (int64_t row = 0; row < call.rows; ++row) {
      out.clear();
      for (const Piece& piece : pieces) {
        out += piece.text;
        if (piece.conversion == 0) continue;
        const Value& arg = call.args[piece.index + 1];
        SLUICE_ASSIGN_OR_RETURN(auto value, FormatValue(piece, *arg.array, arg.At(row)));
        out += value;
      }
      SLUICE_RETURN_NOT_OK(writer.Set(out));
    }
    return writer.Finish();
  });
}

Result<BoundPtr> BindFormatString(FunctionBinder& binder, const std::string& name, Args args,
                                  Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, SIZE_MAX, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::utf8(), name, 1));
  const bool nullable = args[0]->nullable;
  return MakeCall(name, std::move(args), arrow::utf8(), nullable, span);
}

// How many digits a DecimalFormat pattern asks for.
struct Places {
  int least_whole = 1;
  int least = 0;
  int most = 0;
  bool grouped = true;
};

// "#,##0.00", "##########.###": digits only.
Result<Places> PlacesOf(Text pattern) {
  Places places{0, 0, 0, false};
  const size_t point = pattern.find('.');
  const Text whole = pattern.substr(0, point);
  const Text fraction = point == Text::npos ? Text() : pattern.substr(point + 1);
  const size_t comma = whole.rfind(',');
  places.grouped = comma != Text::npos;
  const bool odd_groups = places.grouped && whole.size() - comma != 4;
  bool zero = false;
  for (const char c : whole) {
    if (c == ',') continue;
    if ((c != '#' && c != '0') || (zero && c == '#') || odd_groups)
      return BadPattern(pattern, "this number pattern");
    zero |= c == '0';
    places.least_whole += c == '0' ? 1 : 0;
  }
  bool optional = false;
  for (const char c : fraction) {
    if ((c != '#' && c != '0') || (optional && c == '0'))
      return BadPattern(pattern, "this number pattern");
    optional |= c == '#';
    places.least += c == '0' ? 1 : 0;
    ++places.most;
  }
  return places;
}

// The digits of Double.toString without an exponent, where `most` places hold all of them: no more
// digits of the value are written than those, however large it is.
std::optional<std::string> ShortestPlain(double value, int most) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof(buffer), std::abs(value),
                                 std::chars_format::scientific);
  const Text text(buffer, static_cast<size_t>(end.ptr - buffer));
  const size_t e = text.find('e');
  int exponent = 0;
  std::from_chars(text.data() + e + (text[e + 1] == '+' ? 2 : 1), end.ptr, exponent);
  std::string digits(text.substr(0, e));
  std::erase(digits, '.');
  const int after = static_cast<int>(digits.size()) - 1 - exponent;
  if (after > most) return std::nullopt;
  if (exponent < 0) digits.insert(0, static_cast<size_t>(-exponent), '0');
  digits.append(static_cast<size_t>(std::max(most - after, 0)), '0');
  const size_t whole = static_cast<size_t>(std::max(exponent, 0)) + 1;
  if (most > 0) digits.insert(whole, 1, '.');
  return std::signbit(value) ? "-" + digits : digits;
}

std::string FormatNumber(const arrow::Array& array, int64_t row, const Places& places) {
  std::string plain;
  if (array.type_id() == Type::DOUBLE || array.type_id() == Type::FLOAT) {
    const double value = array.type_id() == Type::FLOAT
                             ? static_cast<const arrow::FloatArray&>(array).Value(row)
                             : static_cast<const arrow::DoubleArray&>(array).Value(row);
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "\xE2\x88\x9E" : "-\xE2\x88\x9E";
    const auto shortest = ShortestPlain(value, places.most);
    // Half even on the exact value.
    plain = shortest ? *shortest : fmt::format("{:.{}f}", value, places.most);
  } else {
    AppendText(array, row, &plain);
    plain = RoundPlain(plain, places.most, true);
  }
  const bool negative = plain[0] == '-';
  if (negative) plain.erase(0, 1);
  size_t point = plain.find('.');
  if (point != std::string::npos) {
    const size_t least = point + 1 + static_cast<size_t>(places.least);
    while (plain.size() > least && plain.back() == '0') plain.pop_back();
    if (plain.back() == '.') plain.pop_back();
  }
  point = std::min(plain.find('.'), plain.size());
  if (places.least_whole == 0 && point == 1 && plain[0] == '0' && plain.size() > 1)
    plain.erase(0, 1);
  const size_t whole = std::min(plain.find('.'), plain.size());
  if (whole < static_cast<size_t>(places.least_whole))
    plain.insert(0, static_cast<size_t>(places.least_whole) - whole, '0');
  if (places.grouped) Group(&plain);
  return negative ? "-" + plain : plain;
}

Result<Kernel> FormatNumberKernel(const BoundExpression& expression) {
  std::optional<Places> fixed;
  if (expression.args[1]->type->id() == Type::STRING) {
    SLUICE_ASSIGN_OR_RETURN(fixed, PlacesOf(ConstantText(expression, 1).value_or("")));
  }
  return Kernel([fixed](const KernelCall& call) -> Result<ArrayPtr> {
    Writer<Text> writer(call.expression.type);
    SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
    for (int64_t row = 0; row < call.rows; ++row) {
      const Value& number = call.args[0];
      const Value& places = call.args[1];
      bool present = !number.IsNull(row) && !places.IsNull(row);
      Places wanted = fixed.value_or(Places());
      if (present && !fixed) {
        const int32_t count =
            static_cast<const arrow::Int32Array&>(*places.array).Value(places.At(row));
        present = count >= 0;
        if (count > 340)
          return MakeError("NOT_SUPPORTED_YET",
                           "not supported yet: format_number with more than 340 digits");
        wanted.least = wanted.most = count;
      }
      SLUICE_RETURN_NOT_OK(present ? writer.Set(FormatNumber(*number.array, number.At(row), wanted))
                                   : writer.Null());
    }
    return writer.Finish();
  });
}

Result<BoundPtr> BindFormatNumber(FunctionBinder& binder, const std::string& name, Args args,
                                  Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 2, span));
  if (args[0]->type->id() == Type::STRING) args[0] = MakeCast(args[0], arrow::float64());
  if (!IsNumeric(*args[0]->type)) return binder.WrongType(name, 1, "NUMERIC", args[0]);
  if (args[1]->type->id() == Type::STRING) {
    SLUICE_RETURN_NOT_OK(binder.ConstantString(name, args[1], span).status());
  } else {
    SLUICE_ASSIGN_OR_RETURN(args[1], binder.Coerce(args[1], arrow::int32(), name, 2));
  }
  return MakeCall(name, std::move(args), arrow::utf8(), true, span);
}

}  // namespace

void RegisterFormatFunctions(FunctionRegistry* registry) {
  registry->Special("format_string", BindFormatString);
  registry->Compute("format_string", FormatString);
  registry->Special("format_number", BindFormatNumber);
  registry->Compute("format_number", FormatNumberKernel);
}

}  // namespace sluice::sql
