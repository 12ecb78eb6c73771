// Everyday functions of strings: case, trimming, pieces, search.
#include <arrow/compute/api.h>

#include <algorithm>

#include "sql/expressions/kernel.h"
#include "sql/expressions/unicode_case.h"
#include "sql/expressions/utf8_text.h"

namespace sluice::sql {
namespace {

using Text = std::string_view;

// ASCII columns in one pass over their bytes; others by Unicode's case mapping.
Result<ArrayPtr> ChangeCase(const KernelCall& call) {
  const bool upper = call.expression.name == "upper";
  const auto& array = static_cast<const arrow::StringArray&>(*call.args[0].array);
  const int64_t rows = array.length();
  const auto first = rows == 0 ? 0 : array.value_offset(0);
  const auto last = rows == 0 ? 0 : array.value_offset(rows);
  const Text all(reinterpret_cast<const char*>(array.raw_data()) + first,
                 static_cast<size_t>(last - first));
  if (!IsAscii(all)) {
    arrow::StringBuilder builder;
    SLUICE_RETURN_NOT_OK(builder.Reserve(rows));
    for (int64_t row = 0; row < rows; ++row) {
      const Text text = array.GetView(row);
      SLUICE_RETURN_NOT_OK(array.IsNull(row) ? builder.AppendNull()
                           : upper           ? builder.Append(ToUpperText(text))
                                             : builder.Append(ToLowerText(text)));
    }
    return builder.Finish();
  }
  SLUICE_ASSIGN_OR_RETURN(auto bytes, arrow::AllocateBuffer(last));
  auto* out = reinterpret_cast<char*>(bytes->mutable_data());
  std::copy_n(reinterpret_cast<const char*>(array.raw_data()), first, out);
  const char low = upper ? 'a' : 'A';
  for (size_t at = 0; at < all.size(); ++at) {
    const char c = all[at];
    const bool letter = static_cast<unsigned char>(c - low) < 26;
    out[static_cast<size_t>(first) + at] = static_cast<char>(letter ? c ^ 0x20 : c);
  }
  auto data = array.data()->Copy();
  data->buffers[2] = std::move(bytes);
  return arrow::MakeArray(std::move(data));
}

Text TrimLeft(Text text) {
  const size_t from = text.find_first_not_of(' ');
  return from == Text::npos ? Text() : text.substr(from);
}
Text TrimRight(Text text) {
  const size_t last = text.find_last_not_of(' ');
  return last == Text::npos ? Text() : text.substr(0, last + 1);
}

bool HasChar(Text set, Text character) {
  for (size_t at = 0; at < set.size(); at += CharBytes(set[at])) {
    if (set.substr(at, CharBytes(set[at])) == character) return true;
  }
  return false;
}

Text TrimChars(Text text, Text set, bool left, bool right) {
  while (left && !text.empty()) {
    const size_t bytes = std::min(CharBytes(text[0]), text.size());
    if (!HasChar(set, text.substr(0, bytes))) break;
    text.remove_prefix(bytes);
  }
  while (right && !text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (static_cast<unsigned char>(text[start]) & 0xC0) == 0x80) --start;
    if (!HasChar(set, text.substr(start))) break;
    text.remove_suffix(text.size() - start);
  }
  return text;
}

KernelFactory Trim(bool left, bool right) {
  return [left, right](const BoundExpression& call) -> Result<Kernel> {
    if (call.args.size() == 1) {
      return Map<Text, Text>([left, right](Text text) {
        if (left) text = TrimLeft(text);
        return right ? TrimRight(text) : text;
      })(call);
    }
    return Map<Text, Text, Text>(
        [left, right](Text text, Text set) { return TrimChars(text, set, left, right); })(call);
  };
}

// Positions count from 1, negative ones from the end, as Spark's substringSQL.
Text Substring(Text text, int64_t position, int64_t length, bool is_binary) {
  if (length <= 0) return {};
  const int64_t count =
      is_binary || IsAscii(text) ? static_cast<int64_t>(text.size()) : CharCount(text);
  int64_t start = position > 0 ? position - 1 : position < 0 ? count + position : 0;
  int64_t end = start + length;
  start = std::clamp<int64_t>(start, 0, count);
  end = std::clamp<int64_t>(end, 0, count);
  if (start >= end) return {};
  if (count == static_cast<int64_t>(text.size()))
    return text.substr(static_cast<size_t>(start), static_cast<size_t>(end - start));
  return CharSlice(text, start, end - start);
}

Result<Kernel> SubstringKernel(const BoundExpression& expression) {
  const bool is_binary = expression.type->id() == arrow::Type::BINARY;
  if (expression.args.size() == 2) {
    return Map<Text, Text, int32_t>([is_binary](Text text, int32_t position) {
      return Substring(text, position, INT32_MAX, is_binary);
    })(expression);
  }
  return Map<Text, Text, int32_t, int32_t>(
      [is_binary](Text text, int32_t position, int32_t length) {
        return Substring(text, position, length, is_binary);
      })(expression);
}

// Characters before byte `at`, counted from 1; 0 = not found.
int32_t CharPosition(Text text, size_t at) {
  return at == Text::npos ? 0 : static_cast<int32_t>(CharCount(text.substr(0, at))) + 1;
}

int32_t Locate(Text part, Text text, int32_t position) {
  if (position < 1) return 0;
  const size_t from = CharOffset(text, position - 1);
  if (CharCount(text) < position - 1) return 0;
  return CharPosition(text, text.find(part, from));
}

std::string Replace(Text text, Text search, Text replacement) {
  if (search.empty()) return std::string(text);
  std::string out;
  size_t from = 0;
  for (size_t at = text.find(search); at != Text::npos; at = text.find(search, from)) {
    out.append(text.substr(from, at - from)).append(replacement);
    from = at + search.size();
  }
  return out.append(text.substr(from));
}

Result<Text> SplitPart(Text text, Text delimiter, int32_t part) {
  if (part == 0)
    return MakeError("INVALID_INDEX_OF_ZERO",
                     "[INVALID_INDEX_OF_ZERO] the index 0 is invalid. An index starts from 1");
  std::vector<Text> pieces;
  size_t from = 0;
  if (!delimiter.empty()) {
    for (size_t at = text.find(delimiter); at != Text::npos; at = text.find(delimiter, from)) {
      pieces.push_back(text.substr(from, at - from));
      from = at + delimiter.size();
    }
  }
  pieces.push_back(text.substr(from));
  const auto count = static_cast<int64_t>(pieces.size());
  const int64_t index = part > 0 ? part - 1 : count + part;
  return index < 0 || index >= count ? Text() : pieces[static_cast<size_t>(index)];
}

Text SubstringIndex(Text text, Text delimiter, int32_t count) {
  if (count == 0 || delimiter.empty()) return {};
  if (count > 0) {
    size_t at = Text::npos;
    size_t from = 0;
    for (int32_t i = 0; i < count; ++i) {
      at = text.find(delimiter, from);
      if (at == Text::npos) return text;
      from = at + 1;
    }
    return text.substr(0, at);
  }
  size_t at = text.size();
  for (int32_t i = 0; i > count; --i) {
    if (at == 0) return text;
    at = text.rfind(delimiter, at - 1);
    if (at == Text::npos) return text;
  }
  return text.substr(at + delimiter.size());
}

template <bool kLeft>
std::string Pad(Text text, int32_t length, Text pad) {
  if (length <= 0) return "";
  const int64_t count = CharCount(text);
  if (count >= length) return std::string(CharSlice(text, 0, length));
  if (pad.empty()) return std::string(text);
  std::string filling;
  const int64_t pad_chars = CharCount(pad);
  int64_t missing = length - count;
  for (; missing >= pad_chars; missing -= pad_chars) filling += pad;
  filling += CharSlice(pad, 0, missing);
  return kLeft ? filling + std::string(text) : std::string(text) + filling;
}

Result<ArrayPtr> Concat(const KernelCall& call) {
  std::vector<Reader<Text>> readers;
  for (const Value& arg : call.args) readers.emplace_back(arg);
  Writer<Text> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  std::string joined;
  for (int64_t row = 0; row < call.rows; ++row) {
    joined.clear();
    bool is_null = false;
    for (const auto& reader : readers) {
      if ((is_null = reader.IsNull(row))) break;
      joined += reader.Get(row);
    }
    SLUICE_RETURN_NOT_OK(is_null ? writer.Null() : writer.Set(joined));
  }
  return writer.Finish();
}

Result<ArrayPtr> ConcatWs(const KernelCall& call) {
  const Reader<Text> separator(call.args[0]);
  Writer<Text> writer(call.expression.type);
  SLUICE_RETURN_NOT_OK(writer.Reserve(call.rows));
  for (int64_t row = 0; row < call.rows; ++row) {
    if (separator.IsNull(row)) {
      SLUICE_RETURN_NOT_OK(writer.Null());
      continue;
    }
    std::string joined;
    bool first = true;
    auto add = [&](Text piece) {
      if (!first) joined += separator.Get(row);
      joined += piece;
      first = false;
    };
    for (size_t i = 1; i < call.args.size(); ++i) {
      const Value& arg = call.args[i];
      if (arg.IsNull(row)) continue;
      if (arg.array->type_id() != arrow::Type::LIST) {
        add(static_cast<const arrow::StringArray&>(*arg.array).GetView(arg.At(row)));
        continue;
      }
      const auto& list = static_cast<const arrow::ListArray&>(*arg.array);
      const auto& items = static_cast<const arrow::StringArray&>(*list.values());
      for (int64_t at = list.value_offset(arg.At(row)); at < list.value_offset(arg.At(row) + 1);
           ++at) {
        if (!items.IsNull(at)) add(items.GetView(at));
      }
    }
    SLUICE_RETURN_NOT_OK(writer.Set(joined));
  }
  return writer.Finish();
}

KernelFactory Length() {
  return [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args[0]->type->id() == arrow::Type::BINARY) {
      return Map<int32_t, Text>([](Text bytes) { return static_cast<int32_t>(bytes.size()); })(
          call);
    }
    return Map<int32_t, Text>([](Text text) { return static_cast<int32_t>(CharCount(text)); })(
        call);
  };
}

}  // namespace

void RegisterStringKernels(KernelMap* kernels) {
  auto& map = *kernels;
  map["upper"] = Plain(ChangeCase);
  map["lower"] = Plain(ChangeCase);
  map["trim"] = Trim(true, true);
  map["ltrim"] = Trim(true, false);
  map["rtrim"] = Trim(false, true);
  map["substring"] = SubstringKernel;
  map["left"] = [](const BoundExpression& call) -> Result<Kernel> {
    const bool is_binary = call.type->id() == arrow::Type::BINARY;
    return Map<Text, Text, int32_t>([is_binary](Text text, int32_t length) {
      return Substring(text, 1, length, is_binary);
    })(call);
  };
  map["right"] = Map<Text, Text, int32_t>([](Text text, int32_t length) {
    return length <= 0 ? Text() : Substring(text, -length, length, false);
  });
  map["char_length"] = Length();
  map["octet_length"] =
      Map<int32_t, Text>([](Text text) { return static_cast<int32_t>(text.size()); });
  map["bit_length"] =
      Map<int32_t, Text>([](Text text) { return static_cast<int32_t>(text.size() * 8); });
  map["instr"] = Map<int32_t, Text, Text>(
      [](Text text, Text part) { return CharPosition(text, text.find(part)); });
  map["locate"] = [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args.size() == 2)
      return Map<int32_t, Text, Text>([](Text part, Text text) { return Locate(part, text, 1); })(
          call);
    return Map<int32_t, Text, Text, int32_t>(
        [](Text part, Text text, int32_t from) { return Locate(part, text, from); })(call);
  };
  map["replace"] = [](const BoundExpression& call) -> Result<Kernel> {
    if (call.args.size() == 2)
      return Map<Text, Text, Text>(
          [](Text text, Text search) { return Replace(text, search, ""); })(call);
    return Map<Text, Text, Text, Text>(
        [](Text text, Text search, Text by) { return Replace(text, search, by); })(call);
  };
  map["startswith"] =
      Map<bool, Text, Text>([](Text text, Text part) { return text.starts_with(part); });
  map["endswith"] =
      Map<bool, Text, Text>([](Text text, Text part) { return text.ends_with(part); });
  map["contains"] =
      Map<bool, Text, Text>([](Text text, Text part) { return text.find(part) != Text::npos; });
  map["split_part"] = Map<Text, Text, Text, int32_t>(SplitPart);
  map["substring_index"] = Map<Text, Text, Text, int32_t>(SubstringIndex);
  map["lpad"] = Map<Text, Text, int32_t, Text>(Pad<true>);
  map["rpad"] = Map<Text, Text, int32_t, Text>(Pad<false>);
  map["concat"] = Plain(Concat);
  map["concat_ws"] = Plain(ConcatWs);
}

}  // namespace sluice::sql
