// A JSON text as a variant value.
#include <algorithm>
#include <cstring>
#include <limits>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>

#include "delta/protocol/number_text.h"
#include "delta/variant/variant.h"

namespace sluice::delta {
namespace {

constexpr int kMaxDecimalDigits = 38;

template <typename Number>
std::string Bytes(Number number) {
  std::string bytes;
  for (size_t i = 0; i < sizeof(Number); ++i)
    bytes.push_back(static_cast<char>(static_cast<uint64_t>(number) >> (8 * i)));
  return bytes;
}

template <typename Narrow>
bool Fits(int64_t value) {
  return value >= std::numeric_limits<Narrow>::min() && value <= std::numeric_limits<Narrow>::max();
}

std::string EncodeInteger(int64_t value) {
  if (Fits<int8_t>(value))
    return EncodeVariantPrimitive(VariantPrimitive::kInt8, Bytes(static_cast<int8_t>(value)));
  if (Fits<int16_t>(value))
    return EncodeVariantPrimitive(VariantPrimitive::kInt16, Bytes(static_cast<int16_t>(value)));
  if (Fits<int32_t>(value))
    return EncodeVariantPrimitive(VariantPrimitive::kInt32, Bytes(static_cast<int32_t>(value)));
  return EncodeVariantPrimitive(VariantPrimitive::kInt64, Bytes(value));
}

std::string EncodeDouble(double value) {
  uint64_t bits = 0;
  std::memcpy(&bits, &value, sizeof(bits));
  return EncodeVariantPrimitive(VariantPrimitive::kDouble, Bytes(bits));
}

/// Nothing when the number has an exponent, more digits than a decimal, or ".0" for its fraction.
std::optional<std::string> EncodeDecimal(const std::string& text) {
  if (text.find_first_of("eE") != std::string::npos) return std::nullopt;
  const size_t point = text.find('.');
  const int scale = point == std::string::npos ? 0 : static_cast<int>(text.size() - point - 1);
  if (scale == 1 && text.back() == '0') return std::nullopt;
  std::string digits;
  for (const char c : text) {
    if (c >= '0' && c <= '9' && !(digits.empty() && c == '0')) digits.push_back(c);
  }
  const int precision = std::max(static_cast<int>(digits.size()), scale);
  if (precision > kMaxDecimalDigits) return std::nullopt;
  const auto value = ParseDecimal(text, scale);
  if (!value.has_value()) return std::nullopt;
  const std::string scale_byte(1, static_cast<char>(scale));
  if (precision <= 9) {
    const auto narrow = static_cast<int32_t>(value->low_bits());
    return EncodeVariantPrimitive(VariantPrimitive::kDecimal4, scale_byte + Bytes(narrow));
  }
  if (precision <= 18) {
    const auto narrow = static_cast<int64_t>(value->low_bits());
    return EncodeVariantPrimitive(VariantPrimitive::kDecimal8, scale_byte + Bytes(narrow));
  }
  return EncodeVariantPrimitive(VariantPrimitive::kDecimal16,
                                scale_byte + Bytes(value->low_bits()) + Bytes(value->high_bits()));
}

/// Encodes while the parser goes over the text; names get their ids as they turn up.
class Encoder : public nlohmann::json_sax<nlohmann::json> {
 public:
  bool null() override { return Put(EncodeVariantPrimitive(VariantPrimitive::kNull)); }
  bool boolean(bool value) override {
    return Put(EncodeVariantPrimitive(value ? VariantPrimitive::kTrue : VariantPrimitive::kFalse));
  }
  bool number_integer(int64_t value) override { return Put(EncodeInteger(value)); }
  bool number_unsigned(uint64_t value) override {
    if (value <= static_cast<uint64_t>(std::numeric_limits<int64_t>::max()))
      return Put(EncodeInteger(static_cast<int64_t>(value)));
    return Put(*EncodeDecimal(std::to_string(value)));
  }
  bool number_float(double value, const std::string& text) override {
    auto decimal = EncodeDecimal(text);
    return Put(decimal.has_value() ? *std::move(decimal) : EncodeDouble(value));
  }
  bool string(std::string& text) override { return Put(EncodeVariantString(text)); }
  bool binary(nlohmann::json::binary_t&) override { return false; }
  bool start_object(size_t) override { return Open(true); }
  bool start_array(size_t) override { return Open(false); }
  bool key(std::string& name) override {
    open_.back().name = name;
    return true;
  }
  bool end_array() override {
    const std::string value = EncodeVariantArray(open_.back().elements);
    open_.pop_back();
    return Put(value);
  }
  bool end_object() override {
    auto& fields = open_.back().fields;
    std::sort(fields.begin(), fields.end(),
              [](const VariantField& a, const VariantField& b) { return a.name < b.name; });
    for (size_t i = 1; i < fields.size(); ++i) {
      if (fields[i - 1].name != fields[i].name) continue;
      status_ = MakeError("VARIANT_DUPLICATE_KEY",
                          "an object of a variant has two fields of one name: " + fields[i].name);
      return false;
    }
    const std::string value = EncodeVariantObject(fields);
    open_.pop_back();
    return Put(value);
  }
  bool parse_error(size_t, const std::string&, const nlohmann::detail::exception&) override {
    return false;
  }

  Result<EncodedVariant> Finish(bool parsed) const {
    SLUICE_RETURN_NOT_OK(status_);
    if (!parsed) return MakeError("DELTA_INVALID_VARIANT", "a text for a variant is not JSON");
    return EncodedVariant{EncodeVariantNames(names_), value_};
  }

 private:
  struct Parent {
    bool object = false;
    std::string name;  // of the field that comes next
    std::vector<VariantField> fields;
    std::vector<std::string> elements;
  };

  bool Open(bool object) {
    if (open_.size() >= static_cast<size_t>(kMaxVariantDepth)) {
      status_ = MakeError("DELTA_INVALID_VARIANT",
                          "a variant nests deeper than " + std::to_string(kMaxVariantDepth));
      return false;
    }
    open_.push_back({object, "", {}, {}});
    return true;
  }

  bool Put(std::string value) {
    if (open_.empty()) {
      value_ = std::move(value);
    } else if (open_.back().object) {
      Parent& parent = open_.back();
      const auto [known, is_new] = ids_.emplace(parent.name, static_cast<uint32_t>(names_.size()));
      if (is_new) names_.push_back(parent.name);
      parent.fields.push_back({parent.name, known->second, std::move(value)});
    } else {
      open_.back().elements.push_back(std::move(value));
    }
    return true;
  }

  std::vector<Parent> open_;
  std::map<std::string, uint32_t> ids_;
  std::vector<std::string> names_;
  std::string value_;
  Status status_;
};

}  // namespace

Result<EncodedVariant> VariantFromJson(std::string_view json) {
  Encoder encoder;
  const bool parsed = nlohmann::json::sax_parse(json, &encoder);
  return encoder.Finish(parsed);
}

}  // namespace sluice::delta
