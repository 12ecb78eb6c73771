// A variant value as JSON text.
#include <arrow/util/base64.h>
#include <arrow/util/decimal.h>

#include <charconv>
#include <cmath>
#include <cstring>

#include "delta/protocol/action_json.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/time_text.h"
#include "delta/variant/variant.h"

namespace sluice::delta {
namespace {

template <typename T>
T Number(std::string_view payload) {
  T number{};
  std::memcpy(&number, payload.data(), sizeof(T));
  return number;
}

/// The shortest digits that read back the same, from 0.001 to 10 million plain, else as "1.0E10":
/// as Java prints numbers.
template <typename Real>
std::string Floating(Real value) {
  if (!std::isfinite(value)) return "\"" + FormatDouble(static_cast<double>(value)) + "\"";
  char digits[64];
  const Real size = std::abs(value);
  const bool plain = size == 0 || (size >= Real(1e-3) && size < Real(1e7));
  const auto written =
      std::to_chars(digits, digits + sizeof(digits), value,
                    plain ? std::chars_format::fixed : std::chars_format::scientific);
  std::string text(digits, written.ptr);
  if (plain) return text.find('.') == std::string::npos ? text + ".0" : text;
  const size_t e = text.find('e');
  std::string mantissa = text.substr(0, e);
  if (mantissa.find('.') == std::string::npos) mantissa += ".0";
  const std::string sign = text[e + 1] == '-' ? "-" : "";
  const size_t first = std::min(text.find_first_not_of('0', e + 2), text.size() - 1);
  return mantissa + "E" + sign + text.substr(first);
}

std::string Decimal(std::string_view payload) {
  const int scale = static_cast<unsigned char>(payload[0]);
  const std::string_view digits = payload.substr(1);
  arrow::Decimal128 value;
  if (digits.size() == 4) {
    value = arrow::Decimal128(Number<int32_t>(digits));
  } else if (digits.size() == 8) {
    value = arrow::Decimal128(Number<int64_t>(digits));
  } else {
    value = arrow::Decimal128(Number<int64_t>(digits.substr(8)), Number<uint64_t>(digits));
  }
  std::string text = FormatDecimal(value, scale);
  if (text.find('.') == std::string::npos) return text;
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return text;
}

/// Date, blank, time; the fraction without trailing zeros.
std::string Timestamp(int64_t micros, const char* zone) {
  std::string text = FormatMicros(micros, ' ');
  while (text.back() == '0') text.pop_back();
  if (text.back() == '.') text.pop_back();
  return "\"" + text + zone + "\"";
}

std::string Uuid(std::string_view bytes) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string text = "\"";
  for (size_t i = 0; i < bytes.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) text.push_back('-');
    const auto byte = static_cast<unsigned char>(bytes[i]);
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text + "\"";
}

int64_t MicrosOfNanos(int64_t nanos) {
  return nanos >= 0 ? nanos / 1000 : -((-nanos + 999) / 1000);
}

/// `value` is as long as its type says (checked when it was taken out of its parent).
Status AppendPrimitive(std::string_view value, std::string* out) {
  const auto type = static_cast<VariantPrimitive>(static_cast<unsigned char>(value[0]) >> 2);
  const std::string_view payload = value.substr(1);
  switch (type) {
    case VariantPrimitive::kNull: out->append("null"); break;
    case VariantPrimitive::kTrue: out->append("true"); break;
    case VariantPrimitive::kFalse: out->append("false"); break;
    case VariantPrimitive::kInt8: out->append(std::to_string(Number<int8_t>(payload))); break;
    case VariantPrimitive::kInt16: out->append(std::to_string(Number<int16_t>(payload))); break;
    case VariantPrimitive::kInt32: out->append(std::to_string(Number<int32_t>(payload))); break;
    case VariantPrimitive::kInt64: out->append(std::to_string(Number<int64_t>(payload))); break;
    case VariantPrimitive::kDouble: out->append(Floating(Number<double>(payload))); break;
    case VariantPrimitive::kFloat: out->append(Floating(Number<float>(payload))); break;
    case VariantPrimitive::kDecimal4:
    case VariantPrimitive::kDecimal8:
    case VariantPrimitive::kDecimal16: out->append(Decimal(payload)); break;
    case VariantPrimitive::kDate:
      out->append("\"" + FormatDate(Number<int32_t>(payload)) + "\"");
      break;
    case VariantPrimitive::kTimestamp:
      out->append(Timestamp(Number<int64_t>(payload), "+00:00"));
      break;
    case VariantPrimitive::kTimestampNtz:
      out->append(Timestamp(Number<int64_t>(payload), ""));
      break;
    case VariantPrimitive::kTimestampNanos:
      out->append(Timestamp(MicrosOfNanos(Number<int64_t>(payload)), "+00:00"));
      break;
    case VariantPrimitive::kTimestampNtzNanos:
      out->append(Timestamp(MicrosOfNanos(Number<int64_t>(payload)), ""));
      break;
    case VariantPrimitive::kTimeNtz:
      out->append("\"" + FormatMicros(Number<int64_t>(payload), ' ').substr(11) + "\"");
      break;
    case VariantPrimitive::kBinary:
      out->append("\"" + arrow::util::base64_encode(payload.substr(4)) + "\"");
      break;
    case VariantPrimitive::kString: AppendJsonString(payload.substr(4), out); break;
    case VariantPrimitive::kUuid: out->append(Uuid(payload)); break;
  }
  return Status::OK();
}

Status AppendValue(const VariantNames& names, std::string_view value, int depth, std::string* out) {
  if (depth > kMaxVariantDepth)
    return MakeError("DELTA_FILE_CORRUPT", "broken variant value: nested too deeply");
  SLUICE_ASSIGN_OR_RETURN(const VariantKind kind, VariantKindOf(value));
  switch (kind) {
    case VariantKind::kPrimitive: return AppendPrimitive(value, out);
    case VariantKind::kShortString: AppendJsonString(value.substr(1), out); return Status::OK();
    case VariantKind::kObject: {
      SLUICE_ASSIGN_OR_RETURN(const auto fields, VariantFields(value));
      out->push_back('{');
      for (size_t i = 0; i < fields.size(); ++i) {
        if (i > 0) out->push_back(',');
        SLUICE_ASSIGN_OR_RETURN(const auto name, names.Name(fields[i].first));
        AppendJsonString(name, out);
        out->push_back(':');
        SLUICE_RETURN_NOT_OK(AppendValue(names, fields[i].second, depth + 1, out));
      }
      out->push_back('}');
      return Status::OK();
    }
    case VariantKind::kArray: {
      SLUICE_ASSIGN_OR_RETURN(const auto elements, VariantElements(value));
      out->push_back('[');
      for (size_t i = 0; i < elements.size(); ++i) {
        if (i > 0) out->push_back(',');
        SLUICE_RETURN_NOT_OK(AppendValue(names, elements[i], depth + 1, out));
      }
      out->push_back(']');
      return Status::OK();
    }
  }
  return Status::OK();
}

}  // namespace

Result<std::string> VariantToJson(std::string_view metadata, std::string_view value) {
  SLUICE_ASSIGN_OR_RETURN(const VariantNames names, VariantNames::Parse(metadata));
  // The outermost value gets the same check of its length as the ones inside: by a parent.
  const std::string parent = EncodeVariantArray({std::string(value)});
  SLUICE_ASSIGN_OR_RETURN(const auto checked, VariantElements(parent));
  std::string out;
  SLUICE_RETURN_NOT_OK(AppendValue(names, checked[0], 0, &out));
  return out;
}

}  // namespace sluice::delta
