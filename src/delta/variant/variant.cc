#include "delta/variant/variant.h"

#include <algorithm>

namespace sluice::delta {
namespace {

Status Corrupt(const char* what) {
  return MakeError("DELTA_FILE_CORRUPT", std::string("broken variant value: ") + what,
                   "restore the file from a copy");
}

/// `bytes` little-endian bytes at `at`; nothing beyond the end.
Result<uint64_t> Unsigned(std::string_view text, size_t at, size_t bytes) {
  if (at > text.size() || text.size() - at < bytes) return Corrupt("cut short");
  uint64_t number = 0;
  for (size_t i = 0; i < bytes; ++i)
    number |= static_cast<uint64_t>(static_cast<unsigned char>(text[at + i])) << (8 * i);
  return number;
}

uint8_t Header(std::string_view value) { return static_cast<uint8_t>(value[0]); }

/// Where the parts of an object or array lie.
struct Layout {
  size_t count = 0;
  size_t id_bytes = 0;  // 0 for an array
  size_t offset_bytes = 0;
  size_t ids = 0;      // position of the first field id
  size_t offsets = 0;  // position of the first offset
  size_t values = 0;   // position of the values
};

Result<Layout> LayoutOf(std::string_view value, VariantKind kind) {
  const int bits = Header(value) >> 2;
  Layout layout;
  layout.offset_bytes = static_cast<size_t>(bits & 3) + 1;
  const bool object = kind == VariantKind::kObject;
  if (object) layout.id_bytes = static_cast<size_t>((bits >> 2) & 3) + 1;
  const bool large = ((bits >> (object ? 4 : 2)) & 1) != 0;
  const size_t count_bytes = large ? 4 : 1;
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count, Unsigned(value, 1, count_bytes));
  if (count > value.size()) return Corrupt("more members than bytes");
  layout.count = count;
  layout.ids = 1 + count_bytes;
  layout.offsets = layout.ids + layout.count * layout.id_bytes;
  layout.values = layout.offsets + (layout.count + 1) * layout.offset_bytes;
  if (layout.values > value.size()) return Corrupt("cut short");
  return layout;
}

Result<size_t> PrimitiveLength(std::string_view value) {
  switch (static_cast<VariantPrimitive>(Header(value) >> 2)) {
    case VariantPrimitive::kNull:
    case VariantPrimitive::kTrue:
    case VariantPrimitive::kFalse: return 1;
    case VariantPrimitive::kInt8: return 2;
    case VariantPrimitive::kInt16: return 3;
    case VariantPrimitive::kInt32:
    case VariantPrimitive::kDate:
    case VariantPrimitive::kFloat: return 5;
    case VariantPrimitive::kDecimal4: return 6;
    case VariantPrimitive::kDecimal8: return 10;
    case VariantPrimitive::kDecimal16: return 18;
    case VariantPrimitive::kUuid: return 17;
    case VariantPrimitive::kInt64:
    case VariantPrimitive::kDouble:
    case VariantPrimitive::kTimestamp:
    case VariantPrimitive::kTimestampNtz:
    case VariantPrimitive::kTimeNtz:
    case VariantPrimitive::kTimestampNanos:
    case VariantPrimitive::kTimestampNtzNanos: return 9;
    case VariantPrimitive::kBinary:
    case VariantPrimitive::kString: {
      SLUICE_ASSIGN_OR_RETURN(const uint64_t length, Unsigned(value, 1, 4));
      return 5 + length;
    }
  }
  return Corrupt("unknown type");
}

/// Bytes the value at the start of `value` takes.
Result<size_t> LengthOf(std::string_view value) {
  SLUICE_ASSIGN_OR_RETURN(const VariantKind kind, VariantKindOf(value));
  if (kind == VariantKind::kPrimitive) return PrimitiveLength(value);
  if (kind == VariantKind::kShortString) return 1 + static_cast<size_t>(Header(value) >> 2);
  SLUICE_ASSIGN_OR_RETURN(const Layout layout, LayoutOf(value, kind));
  SLUICE_ASSIGN_OR_RETURN(
      const uint64_t end,
      Unsigned(value, layout.offsets + layout.count * layout.offset_bytes, layout.offset_bytes));
  return layout.values + end;
}

/// The value that starts at member offset number `index`.
Result<std::string_view> Member(std::string_view value, const Layout& layout, size_t index) {
  SLUICE_ASSIGN_OR_RETURN(
      const uint64_t offset,
      Unsigned(value, layout.offsets + index * layout.offset_bytes, layout.offset_bytes));
  if (layout.values + offset >= value.size()) return Corrupt("member outside of its parent");
  const std::string_view rest = value.substr(layout.values + offset);
  SLUICE_ASSIGN_OR_RETURN(const size_t length, LengthOf(rest));
  if (length > rest.size()) return Corrupt("cut short");
  return rest.substr(0, length);
}

void AppendUnsigned(uint64_t number, size_t bytes, std::string* out) {
  for (size_t i = 0; i < bytes; ++i) out->push_back(static_cast<char>((number >> (8 * i)) & 0xFF));
}

size_t BytesFor(uint64_t number) {
  if (number < (1U << 8)) return 1;
  if (number < (1U << 16)) return 2;
  return number < (1U << 24) ? 3 : 4;
}

}  // namespace

Result<VariantNames> VariantNames::Parse(std::string_view metadata) {
  if (metadata.empty() || (Header(metadata) & 0x0F) != 1) return Corrupt("metadata version");
  const size_t bytes = static_cast<size_t>(Header(metadata) >> 6) + 1;
  SLUICE_ASSIGN_OR_RETURN(const uint64_t count, Unsigned(metadata, 1, bytes));
  if (count > metadata.size()) return Corrupt("more names than bytes");
  const size_t texts = 1 + bytes * (count + 2);
  VariantNames names;
  names.names_.reserve(count);
  for (uint64_t i = 0; i < count; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t begin, Unsigned(metadata, 1 + bytes * (i + 1), bytes));
    SLUICE_ASSIGN_OR_RETURN(const uint64_t end, Unsigned(metadata, 1 + bytes * (i + 2), bytes));
    if (begin > end || texts + end > metadata.size()) return Corrupt("name outside of metadata");
    names.names_.push_back(metadata.substr(texts + begin, end - begin));
  }
  return names;
}

Result<std::string_view> VariantNames::Name(uint32_t id) const {
  if (id >= names_.size()) return Corrupt("field without a name");
  return names_[id];
}

Result<uint32_t> VariantNames::IdOf(std::string_view name) const {
  const auto found = std::find(names_.begin(), names_.end(), name);
  if (found == names_.end()) return Corrupt("shredded field whose name the metadata lacks");
  return static_cast<uint32_t>(found - names_.begin());
}

Result<VariantKind> VariantKindOf(std::string_view value) {
  if (value.empty()) return Corrupt("no bytes");
  return static_cast<VariantKind>(Header(value) & 3);
}

Result<std::vector<std::pair<uint32_t, std::string_view>>> VariantFields(std::string_view value) {
  SLUICE_ASSIGN_OR_RETURN(const Layout layout, LayoutOf(value, VariantKind::kObject));
  std::vector<std::pair<uint32_t, std::string_view>> fields;
  fields.reserve(layout.count);
  for (size_t i = 0; i < layout.count; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const uint64_t id,
                            Unsigned(value, layout.ids + i * layout.id_bytes, layout.id_bytes));
    SLUICE_ASSIGN_OR_RETURN(const auto member, Member(value, layout, i));
    fields.emplace_back(static_cast<uint32_t>(id), member);
  }
  return fields;
}

Result<std::vector<std::string_view>> VariantElements(std::string_view value) {
  SLUICE_ASSIGN_OR_RETURN(const Layout layout, LayoutOf(value, VariantKind::kArray));
  std::vector<std::string_view> elements;
  elements.reserve(layout.count);
  for (size_t i = 0; i < layout.count; ++i) {
    SLUICE_ASSIGN_OR_RETURN(const auto member, Member(value, layout, i));
    elements.push_back(member);
  }
  return elements;
}

std::string EncodeVariantPrimitive(VariantPrimitive type, std::string_view payload) {
  std::string out(1, static_cast<char>(static_cast<uint8_t>(type) << 2));
  out.append(payload);
  return out;
}

std::string EncodeVariantString(std::string_view text) {
  constexpr size_t kShort = 63;
  std::string out;
  if (text.size() <= kShort) {
    out.push_back(
        static_cast<char>((text.size() << 2) | static_cast<size_t>(VariantKind::kShortString)));
  } else {
    out.push_back(static_cast<char>(static_cast<uint8_t>(VariantPrimitive::kString) << 2));
    AppendUnsigned(text.size(), 4, &out);
  }
  out.append(text);
  return out;
}

std::string EncodeVariantObject(const std::vector<VariantField>& fields) {
  uint64_t bytes = 0;
  uint32_t largest_id = 0;
  for (const VariantField& field : fields) {
    bytes += field.value.size();
    largest_id = std::max(largest_id, field.id);
  }
  const size_t id_bytes = BytesFor(largest_id);
  const size_t offset_bytes = BytesFor(bytes);
  const bool large = fields.size() > 255;
  std::string out;
  out.push_back(static_cast<char>(((offset_bytes - 1) << 2) | ((id_bytes - 1) << 4) |
                                  (large ? 1U << 6 : 0U) |
                                  static_cast<size_t>(VariantKind::kObject)));
  AppendUnsigned(fields.size(), large ? 4 : 1, &out);
  for (const VariantField& field : fields) AppendUnsigned(field.id, id_bytes, &out);
  uint64_t offset = 0;
  for (const VariantField& field : fields) {
    AppendUnsigned(offset, offset_bytes, &out);
    offset += field.value.size();
  }
  AppendUnsigned(offset, offset_bytes, &out);
  for (const VariantField& field : fields) out += field.value;
  return out;
}

std::string EncodeVariantArray(const std::vector<std::string>& elements) {
  uint64_t bytes = 0;
  for (const std::string& element : elements) bytes += element.size();
  const size_t offset_bytes = BytesFor(bytes);
  const bool large = elements.size() > 255;
  std::string out;
  out.push_back(static_cast<char>(((offset_bytes - 1) << 2) | (large ? 1U << 4 : 0U) |
                                  static_cast<size_t>(VariantKind::kArray)));
  AppendUnsigned(elements.size(), large ? 4 : 1, &out);
  uint64_t offset = 0;
  for (const std::string& element : elements) {
    AppendUnsigned(offset, offset_bytes, &out);
    offset += element.size();
  }
  AppendUnsigned(offset, offset_bytes, &out);
  for (const std::string& element : elements) out += element;
  return out;
}

std::string EncodeVariantNames(const std::vector<std::string>& names) {
  uint64_t bytes = 0;
  for (const std::string& name : names) bytes += name.size();
  const size_t offset_bytes = BytesFor(std::max<uint64_t>(bytes, names.size()));
  std::string out(1, static_cast<char>(1U | ((offset_bytes - 1) << 6)));
  AppendUnsigned(names.size(), offset_bytes, &out);
  uint64_t offset = 0;
  for (const std::string& name : names) {
    AppendUnsigned(offset, offset_bytes, &out);
    offset += name.size();
  }
  AppendUnsigned(offset, offset_bytes, &out);
  for (const std::string& name : names) out += name;
  return out;
}

}  // namespace sluice::delta
