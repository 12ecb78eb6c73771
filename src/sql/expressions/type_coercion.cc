#include "sql/expressions/type_coercion.h"

#include <algorithm>
#include <cctype>
#include <cstdlib>

#include "sql/expressions/spark_type.h"

namespace sluice::sql {
namespace {

using arrow::Type;

int NumericRank(Type::type id) {
  switch (id) {
    case Type::INT8: return 1;
    case Type::INT16: return 2;
    case Type::INT32: return 3;
    case Type::INT64: return 4;
    case Type::FLOAT: return 5;
    case Type::DOUBLE: return 6;
    default: return 0;
  }
}

int IntegerDigits(Type::type id) {
  switch (id) {
    case Type::INT8: return 3;
    case Type::INT16: return 5;
    case Type::INT32: return 10;
    default: return 20;
  }
}

bool IsAtomic(const arrow::DataType& type) {
  switch (type.id()) {
    case Type::LIST:
    case Type::MAP:
    case Type::STRUCT:
    case Type::NA:
    case Type::EXTENSION: return false;
    default: return true;
  }
}

bool IsDateTime(const arrow::DataType& type) {
  return type.id() == Type::DATE32 || type.id() == Type::TIMESTAMP;
}

TypePtr WiderDecimal(const arrow::Decimal128Type& left, const arrow::Decimal128Type& right) {
  const int scale = std::max(left.scale(), right.scale());
  const int range = std::max(left.precision() - left.scale(), right.precision() - right.scale());
  // Digits before the point are kept.
  const int lost = std::max(range + scale - 38, 0);
  return std::static_pointer_cast<arrow::DataType>(
      arrow::decimal128(range + scale - lost, std::max(scale - lost, 0)));
}

TypePtr CommonNumeric(const TypePtr& left, const TypePtr& right) {
  if (IsDecimal(*left) || IsDecimal(*right)) {
    if (IsFloating(*left) || IsFloating(*right)) return arrow::float64();
    auto as_decimal = [](const TypePtr& type) {
      if (IsDecimal(*type)) return std::static_pointer_cast<arrow::Decimal128Type>(type);
      return std::static_pointer_cast<arrow::Decimal128Type>(
          arrow::decimal128(IntegerDigits(type->id()), 0));
    };
    return WiderDecimal(*as_decimal(left), *as_decimal(right));
  }
  const TypePtr& wider = NumericRank(left->id()) >= NumericRank(right->id()) ? left : right;
  const TypePtr& other = wider == left ? right : left;
  if (wider->id() == Type::FLOAT && other->id() != Type::FLOAT) return arrow::float64();
  return wider;
}

TypePtr CommonWithString(const TypePtr& other) {
  if (IsIntegral(*other)) return arrow::int64();
  if (IsNumeric(*other)) return arrow::float64();
  if (other->id() == Type::BINARY || other->id() == Type::BOOL || IsDateTime(*other)) return other;
  return nullptr;
}

// Equal but for the names of fields.
bool SameShape(const arrow::DataType& left, const arrow::DataType& right) {
  if (left.num_fields() == 0 || left.id() != right.id()) return left.Equals(right);
  if (left.num_fields() != right.num_fields()) return false;
  for (int i = 0; i < left.num_fields(); ++i) {
    if (!SameShape(*left.field(i)->type(), *right.field(i)->type())) return false;
  }
  return true;
}

TypePtr CommonNested(const TypePtr& left, const TypePtr& right) {
  if (left->id() == Type::LIST) {
    auto element = CommonType(left->field(0)->type(), right->field(0)->type());
    return element == nullptr ? nullptr : SparkArray(element);
  }
  if (left->id() == Type::MAP) {
    const auto& a = static_cast<const arrow::MapType&>(*left);
    const auto& b = static_cast<const arrow::MapType&>(*right);
    auto key = CommonType(a.key_type(), b.key_type());
    auto value = CommonType(a.item_type(), b.item_type());
    return key == nullptr || value == nullptr ? nullptr : SparkMap(key, value);
  }
  if (left->num_fields() != right->num_fields()) return nullptr;
  if (!HasSameNames(*left, *right)) return SameShape(*left, *right) ? left : nullptr;
  arrow::FieldVector fields;
  for (int i = 0; i < left->num_fields(); ++i) {
    auto type = CommonType(left->field(i)->type(), right->field(i)->type());
    if (type == nullptr) return nullptr;
    fields.push_back(arrow::field(left->field(i)->name(), type));
  }
  return arrow::struct_(fields);
}

}  // namespace

bool HasSameNames(const arrow::DataType& left, const arrow::DataType& right) {
  const auto lower = [](std::string name) {
    std::transform(name.begin(), name.end(), name.begin(),
                   [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return name;
  };
  if (left.id() != arrow::Type::STRUCT || right.id() != arrow::Type::STRUCT) return true;
  for (int i = 0; i < std::min(left.num_fields(), right.num_fields()); ++i) {
    if (lower(left.field(i)->name()) != lower(right.field(i)->name())) return false;
  }
  return true;
}

TypePtr CommonType(const TypePtr& left, const TypePtr& right) {
  if (left->Equals(*right)) return left;
  if (left->id() == Type::NA) return right;
  if (right->id() == Type::NA) return left;
  if (IsNumeric(*left) && IsNumeric(*right)) return CommonNumeric(left, right);
  if (IsDateTime(*left) && IsDateTime(*right)) {
    if (IsTimestamp(*left) || IsTimestamp(*right)) return SparkTimestamp();
    return SparkTimestampNtz();
  }
  if (left->id() == Type::STRING) return CommonWithString(right);
  if (right->id() == Type::STRING) return CommonWithString(left);
  if (left->id() == right->id() &&
      (left->id() == Type::LIST || left->id() == Type::MAP || left->id() == Type::STRUCT)) {
    return CommonNested(left, right);
  }
  return nullptr;
}

bool CanCoerce(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (to.id() == Type::STRING) return IsAtomic(from) && from.id() != Type::BINARY;
  if (from.id() == Type::STRING) {
    return IsNumeric(to) || IsDateTime(to) || to.id() == Type::BOOL || to.id() == Type::BINARY;
  }
  if (IsNumeric(from) && IsNumeric(to)) {
    if (IsDecimal(to)) return IsIntegral(from) || IsDecimal(from);
    if (IsDecimal(from)) return IsFloating(to);
    return NumericRank(from.id()) <= NumericRank(to.id());
  }
  if (IsDateTime(from) && IsDateTime(to)) {
    return from.id() == Type::DATE32 || IsTimestampNtz(from) ||
           (IsTimestamp(from) && to.id() == Type::DATE32);
  }
  if (from.id() == to.id() && from.id() == Type::LIST)
    return CanCoerce(*from.field(0)->type(), *to.field(0)->type());
  return false;
}

bool CanCast(const arrow::DataType& from, const arrow::DataType& to) {
  if (from.Equals(to) || from.id() == Type::NA) return true;
  if (from.id() == Type::EXTENSION || to.id() == Type::EXTENSION) return false;
  if (to.id() == Type::STRING) return true;
  if (from.id() == to.id() && from.num_fields() > 0) {
    if (from.id() == Type::STRUCT && from.num_fields() != to.num_fields()) return false;
    if (from.id() == Type::MAP) {
      const auto& a = static_cast<const arrow::MapType&>(from);
      const auto& b = static_cast<const arrow::MapType&>(to);
      return CanCast(*a.key_type(), *b.key_type()) && CanCast(*a.item_type(), *b.item_type());
    }
    for (int i = 0; i < from.num_fields(); ++i) {
      if (!CanCast(*from.field(i)->type(), *to.field(i)->type())) return false;
    }
    return true;
  }
  if (!IsAtomic(from) || !IsAtomic(to)) return false;
  if (from.id() == Type::STRING) return true;
  const bool from_number = IsNumeric(from) || from.id() == Type::BOOL;
  const bool to_number = IsNumeric(to) || to.id() == Type::BOOL;
  if (from_number && to_number) return true;
  if (IsDateTime(from) && IsDateTime(to)) return true;
  if (IsTimestamp(from)) return IsNumeric(to);
  if (IsTimestamp(to)) return IsNumeric(from);
  if (to.id() == Type::BINARY) return IsIntegral(from);
  return false;
}

std::shared_ptr<arrow::Decimal128Type> DecimalFor(const BoundExpression& operand) {
  if (IsDecimal(*operand.type))
    return std::static_pointer_cast<arrow::Decimal128Type>(operand.type);
  int digits = IntegerDigits(operand.type->id());
  if (operand.IsLiteral() && operand.literal->is_valid) {
    std::string text = operand.literal->ToString();
    digits = static_cast<int>(text.size()) - (text[0] == '-' ? 1 : 0);
  }
  return std::static_pointer_cast<arrow::Decimal128Type>(
      arrow::decimal128(std::min(digits, 38), 0));
}

TypePtr AdjustedDecimal(int precision, int scale) {
  if (precision <= 38) return arrow::decimal128(precision, scale);
  const int integer_digits = precision - scale;
  const int kept_scale = std::max(38 - integer_digits, std::min(scale, 6));
  return arrow::decimal128(38, kept_scale);
}

TypePtr BoundedDecimal(int precision, int scale) {
  return arrow::decimal128(std::min(precision, 38), std::min(scale, 38));
}

TypePtr DecimalResult(const std::string& op, const arrow::Decimal128Type& left,
                      const arrow::Decimal128Type& right) {
  const int p1 = left.precision();
  const int s1 = left.scale();
  const int p2 = right.precision();
  const int s2 = right.scale();
  if (op == "+" || op == "-") {
    const int scale = std::max(s1, s2);
    return AdjustedDecimal(std::max(p1 - s1, p2 - s2) + scale + 1, scale);
  }
  if (op == "*") return AdjustedDecimal(p1 + p2 + 1, s1 + s2);
  if (op == "/") {
    const int scale = std::max(6, s1 + p2 + 1);
    return AdjustedDecimal(p1 - s1 + s2 + scale, scale);
  }
  const int scale = std::max(s1, s2);
  return AdjustedDecimal(std::min(p1 - s1, p2 - s2) + scale, scale);
}

}  // namespace sluice::sql
