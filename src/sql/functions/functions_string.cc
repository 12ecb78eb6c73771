// Strings: masks, shapes, pieces, checks. (The oldest ones: kernels_string.cc, kernels_text.cc.)
#include <fmt/format.h>

#include <algorithm>

#include "sql/expressions/utf8_text.h"
#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

// What mask() writes for a kind of character; nothing: the character stays.
using Replacement = std::optional<std::string>;

Result<std::string> MaskText(Text text, const Replacement& upper, const Replacement& lower,
                             const Replacement& digit, const Replacement& other) {
  if (!IsAscii(text))
    return MakeError("NOT_SUPPORTED_YET", "not supported yet: mask of text that is not ASCII");
  std::string out;
  for (const char c : text) {
    const Replacement& by = c >= 'A' && c <= 'Z'   ? upper
                            : c >= 'a' && c <= 'z' ? lower
                            : c >= '0' && c <= '9' ? digit
                                                   : other;
    if (by.has_value()) {
      out += *by;
    } else {
      out += c;
    }
  }
  return out;
}

Result<ArrayPtr> Mask(const KernelCall& call) {
  std::vector<Reader<Text>> readers;
  for (const Value& arg : call.args) readers.emplace_back(arg);
  Writer<Text> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  auto at = [&](size_t i, int64_t row) {
    return readers[i].IsNull(row) ? Replacement() : Replacement(readers[i].Get(row));
  };
  for (int64_t row = 0; row < call.rows; ++row) {
    if (readers[0].IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    SLUICE_RETURN_NOT_OK(
        writer.Set(MaskText(readers[0].Get(row), at(1, row), at(2, row), at(3, row), at(4, row))));
  }
  return writer.Finish();
}

Result<BoundPtr> BindMask(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 5, span));
  const char* defaults[] = {nullptr, "X", "x", "n", nullptr};
  for (size_t i = args.size(); i < 5; ++i) {
    args.push_back(defaults[i] == nullptr ? MakeLiteral(arrow::MakeNullScalar(arrow::utf8()))
                                          : MakeLiteral(arrow::MakeScalar(defaults[i])));
  }
  for (size_t i = 0; i < 5; ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
    if (i == 0) continue;
    if (!args[i]->IsLiteral())
      return binder.Error(args[i]->span, "DATATYPE_MISMATCH.NON_FOLDABLE_INPUT",
                          "the replacements of mask must be constant strings");
    if (args[i]->IsNullLiteral()) continue;
    SLUICE_ASSIGN_OR_RETURN(auto by, binder.ConstantString(name, args[i], span));
    if (CharCount(by) != 1)
      return binder.Error(args[i]->span, "DATATYPE_MISMATCH.INPUT_SIZE_NOT_ONE",
                          "the length of a replacement of mask must be 1");
  }
  return MakeCall(name, std::move(args), arrow::utf8(), true, span);
}

Result<ArrayPtr> Elt(const KernelCall& call) {
  const Reader<int32_t> index(call.args[0]);
  std::vector<Reader<Text>> readers;
  for (size_t i = 1; i < call.args.size(); ++i) readers.emplace_back(call.args[i]);
  Writer<Text> writer(call.expression.type);
  for (int64_t row = 0; row < call.rows; ++row) {
    if (index.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    const int64_t wanted = index.Get(row);
    if (wanted < 1 || wanted > static_cast<int64_t>(readers.size())) {
      return MakeError("INVALID_ARRAY_INDEX",
                       fmt::format("[INVALID_ARRAY_INDEX] the index {} is out of bounds. The array "
                                   "has {} elements. SQLSTATE: 22003",
                                   wanted, readers.size()));
    }
    const auto& reader = readers[static_cast<size_t>(wanted - 1)];
    SLUICE_RETURN_NOT_OK(reader.IsNull(row) ? writer.Null() : writer.Set(reader.Get(row)));
  }
  return writer.Finish();
}

Result<BoundPtr> BindElt(FunctionBinder& binder, const std::string& name, Args args, Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, SIZE_MAX, span));
  SLUICE_ASSIGN_OR_RETURN(args[0], binder.Coerce(args[0], arrow::int32(), name, 1));
  const bool binary = std::all_of(args.begin() + 1, args.end(), [](const BoundPtr& arg) {
    return arg->type->id() == arrow::Type::BINARY;
  });
  for (size_t i = 1; i < args.size(); ++i) {
    if (!binary && args[i]->type->id() == arrow::Type::BINARY) {
      args[i] = MakeCast(args[i], arrow::utf8());
    }
    SLUICE_ASSIGN_OR_RETURN(args[i],
                            binder.Coerce(args[i], binary ? arrow::binary() : arrow::utf8(), name,
                                          static_cast<int>(i) + 1));
  }
  return MakeCall(name, std::move(args), binary ? arrow::binary() : arrow::utf8(), true, span);
}

// Spark's soundex: one letter and three digits; text that does not begin with a letter stays.
std::string Soundex(Text text) {
  static constexpr char kCodes[] = "01230127022455012623017202";  // 7: passed over
  auto letter = [](char c) -> char {
    if (c >= 'a' && c <= 'z') return static_cast<char>(c - 32);
    return c >= 'A' && c <= 'Z' ? c : '\0';
  };
  if (text.empty() || letter(text[0]) == '\0') return std::string(text);
  std::string out(1, letter(text[0]));
  char last = kCodes[out[0] - 'A'];
  for (size_t i = 1; i < text.size() && out.size() < 4; ++i) {
    const char c = letter(text[i]);
    if (c == '\0') {
      last = '0';
      continue;
    }
    const char code = kCodes[c - 'A'];
    if (code == '7') continue;
    if (code != '0' && code != last) out += code;
    last = code;
  }
  out.resize(4, '0');
  return out;
}

bool LuhnCheck(Text digits) {
  int sum = 0;
  bool twice = false;
  for (auto c = digits.rbegin(); c != digits.rend(); ++c, twice = !twice) {
    if (*c < '0' || *c > '9') return false;
    const int digit = (*c - '0') * (twice ? 2 : 1);
    sum += digit > 9 ? digit - 9 : digit;
  }
  return !digits.empty() && sum % 10 == 0;
}

std::string Quote(Text text) {
  std::string out = "'";
  for (const char c : text) {
    if (c == '\'') out += '\\';
    out += c;
  }
  return out + "'";
}

// Characters (of a binary: bytes) `from` (from 1; below it nothing) to the end or `count` of them.
Text Part(Text text, int64_t from, int64_t count, bool is_binary) {
  const int64_t size = is_binary ? static_cast<int64_t>(text.size()) : CharCount(text);
  int64_t start = from > 0 ? from - 1 : from < 0 ? size + from : 0;
  const int64_t end = std::clamp<int64_t>(start + count, 0, size);
  start = std::clamp<int64_t>(start, 0, size);
  if (start >= end) return {};
  if (is_binary) return text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start));
  return CharSlice(text, start, end - start);
}

Result<Kernel> Overlay(const BoundExpression& expression) {
  const bool is_binary = expression.type->id() == arrow::Type::BINARY;
  return Map<Text, Text, Text, int32_t, int32_t>(
      [is_binary](Text text, Text by, int32_t position, int32_t length) {
        const int64_t replaced = length >= 0 ? length
                                 : is_binary ? static_cast<int64_t>(by.size())
                                             : CharCount(by);
        std::string out(Part(text, 1, int64_t{position} - 1, is_binary));
        out += by;
        out += Part(text, int64_t{position} + replaced, INT32_MAX, is_binary);
        return out;
      })(expression);
}

Result<BoundPtr> BindOverlay(FunctionBinder& binder, const std::string& name, Args args,
                             Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 3, 4, span));
  const bool binary = args[0]->type->id() == arrow::Type::BINARY;
  TypePtr type = binary ? arrow::binary() : arrow::utf8();
  if (args.size() == 3) args.push_back(MakeLiteral(arrow::MakeScalar(int32_t{-1})));
  for (size_t i = 0; i < 4; ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i], binder.Coerce(args[i], i < 2 ? type : arrow::int32(), name,
                                                   static_cast<int>(i) + 1));
  }
  const bool nullable = AnyNullable(args);
  return MakeCall(name, std::move(args), std::move(type), nullable, span);
}

// lpad, rpad of binaries: to `length` bytes.
template <bool kLeft>
std::string PadBytes(Text bytes, int32_t length, Text pad) {
  const auto wanted = static_cast<size_t>(std::max(length, 0));
  if (bytes.size() >= wanted || pad.empty()) return std::string(bytes.substr(0, wanted));
  std::string filling;
  while (filling.size() < wanted - bytes.size()) filling += pad;
  filling.resize(wanted - bytes.size());
  return kLeft ? filling + std::string(bytes) : std::string(bytes) + filling;
}

// btrim, ltrim, rtrim: binaries count as texts.
BindFunction BindTrim() {
  return [](FunctionBinder& binder, const std::string& name, Args args,
            Span span) -> Result<BoundPtr> {
    SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 1, 2, span));
    for (size_t i = 0; i < args.size(); ++i) {
      if (args[i]->type->id() == arrow::Type::BINARY) args[i] = MakeCast(args[i], arrow::utf8());
      SLUICE_ASSIGN_OR_RETURN(args[i],
                              binder.Coerce(args[i], arrow::utf8(), name, static_cast<int>(i) + 1));
    }
    const bool nullable = AnyNullable(args);
    return MakeCall(name == "btrim" ? "trim" : name, std::move(args), arrow::utf8(), nullable,
                    span);
  };
}

// lpad, rpad: of texts filled with blanks, of binaries with zero bytes.
template <bool kLeft>
void RegisterPad(const char* name, FunctionRegistry* registry) {
  registry->Special(
      name,
      [](FunctionBinder& binder, const std::string& function, Args args,
         Span span) -> Result<BoundPtr> {
        SLUICE_RETURN_NOT_OK(binder.CheckCount(function, args.size(), 2, 3, span));
        const bool binary = args[0]->type->id() == arrow::Type::BINARY &&
                            (args.size() == 2 || args[2]->type->id() == arrow::Type::BINARY);
        TypePtr type = binary ? arrow::binary() : arrow::utf8();
        if (args.size() == 2) {
          args.push_back(binary
                             ? MakeLiteral(std::make_shared<arrow::BinaryScalar>(std::string(1, 0)))
                             : MakeLiteral(arrow::MakeScalar(" ")));
        }
        for (size_t i = 0; i < 3; ++i) {
          if (i != 1 && !binary && args[i]->type->id() == arrow::Type::BINARY)
            args[i] = MakeCast(args[i], arrow::utf8());
          SLUICE_ASSIGN_OR_RETURN(args[i], binder.Coerce(args[i], i == 1 ? arrow::int32() : type,
                                                         function, static_cast<int>(i) + 1));
        }
        const bool nullable = AnyNullable(args);
        return MakeCall(function, std::move(args), std::move(type), nullable, span);
      });
  KernelFactory text = registry->kernels()->at(name);
  registry->Compute(name, [text](const BoundExpression& call) -> Result<Kernel> {
    if (call.type->id() != arrow::Type::BINARY) return text(call);
    return Map<Text, Text, int32_t, Text>(PadBytes<kLeft>)(call);
  });
}

// levenshtein with a threshold: -1 beyond it.
Result<BoundPtr> BindLevenshtein(FunctionBinder& binder, const std::string& name, Args args,
                                 Span span) {
  SLUICE_RETURN_NOT_OK(binder.CheckCount(name, args.size(), 2, 3, span));
  for (size_t i = 0; i < args.size(); ++i) {
    SLUICE_ASSIGN_OR_RETURN(args[i], binder.Coerce(args[i], i < 2 ? arrow::utf8() : arrow::int32(),
                                                   name, static_cast<int>(i) + 1));
  }
  const bool nullable = AnyNullable(args);
  if (args.size() == 2) return MakeCall(name, std::move(args), arrow::int32(), nullable, span);
  const BoundPtr most = args[2];
  args.pop_back();
  const auto distance = MakeCall(name, std::move(args), arrow::int32(), nullable, span);
  SLUICE_ASSIGN_OR_RETURN(auto within, binder.BindComparison("<=", distance, most, span));
  SLUICE_ASSIGN_OR_RETURN(auto beyond, binder.BindComparison(">", distance, most, span));
  return binder.BindCase({within, distance, beyond, MakeLiteral(arrow::MakeScalar(int32_t{-1}))},
                         span);
}

}  // namespace

void RegisterStringFunctions(FunctionRegistry* registry) {
  registry->Special("mask", BindMask);
  registry->Compute("mask", Plain(Mask));
  registry->Special("elt", BindElt);
  registry->Compute("elt", Plain(Elt), true);
  registry->Add({"soundex", "s", 's'}, Map<Text, Text>(Soundex));
  registry->Add({"luhn_check", "s", 'b'}, Map<bool, Text>(LuhnCheck));
  registry->Add({"quote", "s", 's'}, Map<Text, Text>(Quote));
  registry->Special("overlay", BindOverlay);
  registry->Compute("overlay", Overlay);
  registry->Special("levenshtein", BindLevenshtein);
  RegisterPad<true>("lpad", registry);
  RegisterPad<false>("rpad", registry);
  for (const char* name : {"trim", "btrim", "ltrim", "rtrim"}) registry->Special(name, BindTrim());
  registry->Compute("reverse_bytes", Map<Text, Text>([](Text bytes) {
                      return std::string(bytes.rbegin(), bytes.rend());
                    }));
}

}  // namespace sluice::sql
