#include "delta/columns/predicate.h"

#include <arrow/compute/cast.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <cmath>

#include "delta/columns/adapt_columns.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/partition_value.h"
#include "delta/protocol/time_text.h"

namespace sluice::delta {
namespace {

using Json = nlohmann::json;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

std::vector<std::string> SplitPath(const std::string& dotted) {
  std::vector<std::string> parts;
  size_t begin = 0;
  while (true) {
    const size_t dot = dotted.find('.', begin);
    parts.push_back(dotted.substr(begin, dot - begin));
    if (dot == std::string::npos) return parts;
    begin = dot + 1;
  }
}

struct Leaf {
  std::vector<std::string> logical;
  std::vector<std::string> physical;
  std::shared_ptr<arrow::DataType> type;
};

std::optional<Leaf> FindLeaf(const arrow::Schema& schema, const std::string& column) {
  // A column whose name has a dot comes first; else the dots lead into structs.
  std::shared_ptr<arrow::Field> field = schema.GetFieldByName(column);
  if (field != nullptr) return Leaf{{column}, {PhysicalName(*field)}, field->type()};
  Leaf leaf;
  leaf.logical = SplitPath(column);
  field = schema.GetFieldByName(leaf.logical[0]);
  for (size_t i = 0; i < leaf.logical.size(); ++i) {
    if (i > 0) {
      if (field->type()->id() != arrow::Type::STRUCT) return std::nullopt;
      field = static_cast<const arrow::StructType&>(*field->type()).GetFieldByName(leaf.logical[i]);
    }
    if (field == nullptr) return std::nullopt;
    leaf.physical.push_back(PhysicalName(*field));
  }
  leaf.type = field->type();
  return leaf;
}

/// `value` in the column's type, only when that loses nothing.
ScalarPtr CastLiteral(const ScalarPtr& value, const std::shared_ptr<arrow::DataType>& type) {
  if (value == nullptr || !value->is_valid) return nullptr;
  if (value->type->Equals(*type)) return value;
  const auto cast = arrow::compute::Cast(arrow::Datum(value), type);
  if (!cast.ok()) return nullptr;
  const auto back = arrow::compute::Cast(*cast, value->type);
  if (!back.ok() || !back->scalar()->Equals(*value)) return nullptr;
  return cast->scalar();
}

template <typename T>
int Order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

/// Spark's order: NaN is above every number.
int OrderDouble(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return Order(std::isnan(a), std::isnan(b));
  return Order(a, b);
}

/// Compares two valid values of one type; nothing for types without order here.
std::optional<int> Compare(const arrow::Scalar& a, const arrow::Scalar& b) {
  switch (a.type->id()) {
    case arrow::Type::STRING:
    case arrow::Type::BINARY:
      return Order(static_cast<const arrow::BaseBinaryScalar&>(a).view(),
                   static_cast<const arrow::BaseBinaryScalar&>(b).view());
    case arrow::Type::INT64:
      return Order(static_cast<const arrow::Int64Scalar&>(a).value,
                   static_cast<const arrow::Int64Scalar&>(b).value);
    case arrow::Type::INT32:
      return Order(static_cast<const arrow::Int32Scalar&>(a).value,
                   static_cast<const arrow::Int32Scalar&>(b).value);
    case arrow::Type::INT16:
      return Order(static_cast<const arrow::Int16Scalar&>(a).value,
                   static_cast<const arrow::Int16Scalar&>(b).value);
    case arrow::Type::INT8:
      return Order(static_cast<const arrow::Int8Scalar&>(a).value,
                   static_cast<const arrow::Int8Scalar&>(b).value);
    case arrow::Type::DATE32:
      return Order(static_cast<const arrow::Date32Scalar&>(a).value,
                   static_cast<const arrow::Date32Scalar&>(b).value);
    case arrow::Type::TIMESTAMP:
      return Order(static_cast<const arrow::TimestampScalar&>(a).value,
                   static_cast<const arrow::TimestampScalar&>(b).value);
    case arrow::Type::BOOL:
      return Order(static_cast<const arrow::BooleanScalar&>(a).value,
                   static_cast<const arrow::BooleanScalar&>(b).value);
    case arrow::Type::DOUBLE:
      return OrderDouble(static_cast<const arrow::DoubleScalar&>(a).value,
                         static_cast<const arrow::DoubleScalar&>(b).value);
    case arrow::Type::FLOAT:
      return OrderDouble(static_cast<const arrow::FloatScalar&>(a).value,
                         static_cast<const arrow::FloatScalar&>(b).value);
    case arrow::Type::DECIMAL128:
      return Order(static_cast<const arrow::Decimal128Scalar&>(a).value,
                   static_cast<const arrow::Decimal128Scalar&>(b).value);
    default: return std::nullopt;
  }
}

/// May any value in [low, high] (null = unknown) satisfy `op value`?
bool RangeMayMatch(CompareOp op, const ScalarPtr& low, const ScalarPtr& high,
                   const arrow::Scalar& value) {
  constexpr int kUnknown = 2;
  const int below =
      low == nullptr ? kUnknown : Compare(*low, value).value_or(kUnknown);  // low against value
  const int above =
      high == nullptr ? kUnknown : Compare(*high, value).value_or(kUnknown);  // high against value
  switch (op) {
    case CompareOp::kEqual: return below != 1 && above != -1;
    case CompareOp::kNotEqual: return below != 0 || above != 0;
    case CompareOp::kLess: return below != 0 && below != 1;
    case CompareOp::kLessEqual: return below != 1;
    case CompareOp::kGreater: return above != 0 && above != -1;
    case CompareOp::kGreaterEqual: return above != -1;
    default: return true;
  }
}

const Json* Descend(const Json& root, const char* section, const std::vector<std::string>& path) {
  auto it = root.find(section);
  const Json* at = it == root.end() ? nullptr : &*it;
  for (const std::string& name : path) {
    if (at == nullptr || !at->is_object()) return nullptr;
    it = at->find(name);
    at = it == at->end() ? nullptr : &*it;
  }
  return at == nullptr || at->is_null() ? nullptr : at;
}

/// A bound from statistics, moved outwards by what its text may have lost. Null = unknown.
ScalarPtr BoundFromJson(const Json* json, const std::shared_ptr<arrow::DataType>& type,
                        bool upper) {
  if (json == nullptr) return nullptr;
  switch (type->id()) {
    case arrow::Type::INT64:
    case arrow::Type::INT32:
    case arrow::Type::INT16:
    case arrow::Type::INT8: {
      if (!json->is_number_integer()) return nullptr;
      const auto cast =
          arrow::compute::Cast(arrow::Datum(arrow::MakeScalar(json->get<int64_t>())), type);
      return cast.ok() ? cast->scalar() : nullptr;
    }
    case arrow::Type::DOUBLE:
    case arrow::Type::FLOAT: {
      std::optional<double> value;
      if (json->is_number()) value = json->get<double>();
      if (json->is_string()) value = ParseDouble(json->get_ref<const std::string&>());
      if (!value.has_value()) return nullptr;
      if (type->id() == arrow::Type::DOUBLE) return arrow::MakeScalar(*value);
      return arrow::MakeScalar(static_cast<float>(*value));
    }
    case arrow::Type::DATE32: {
      const auto days =
          json->is_string() ? ParseDate(json->get_ref<const std::string&>()) : std::nullopt;
      return days.has_value() ? std::make_shared<arrow::Date32Scalar>(*days) : nullptr;
    }
    case arrow::Type::TIMESTAMP: {
      const auto micros =
          json->is_string() ? ParseMicros(json->get_ref<const std::string&>()) : std::nullopt;
      if (!micros.has_value()) return nullptr;
      // Texts have milliseconds and many writers round the maximum down.
      return std::make_shared<arrow::TimestampScalar>(*micros + (upper ? 999 : 0), type);
    }
    case arrow::Type::STRING: {
      if (!json->is_string()) return nullptr;
      return std::make_shared<arrow::StringScalar>(json->get<std::string>());
    }
    default:
      return nullptr;  // decimals lose digits as JSON numbers; binary, booleans have no bounds
  }
}

bool NullsMayMatch(CompareOp op, int64_t nulls, int64_t rows) {
  if (op == CompareOp::kIsNull) return nulls != 0;
  if (op == CompareOp::kIsNotNull) return rows < 0 || nulls < rows;
  return rows < 0 || nulls < 0 || nulls < rows;  // comparisons are never true for null
}

}  // namespace

FilePruner::FilePruner(const Predicate& predicate, const arrow::Schema& schema,
                       const std::vector<std::string>& partition_columns) {
  for (const ColumnPredicate& column : predicate) {
    const auto leaf = FindLeaf(schema, column.column);
    if (!leaf.has_value()) continue;
    Term term{leaf->physical, leaf->type, column.op, {}};
    const bool unary = column.op == CompareOp::kIsNull || column.op == CompareOp::kIsNotNull;
    std::vector<ScalarPtr> literals =
        column.op == CompareOp::kIn ? column.in_list : std::vector<ScalarPtr>{column.value};
    if (unary) literals.clear();
    bool usable = unary || !literals.empty();
    for (const ScalarPtr& literal : literals) {
      term.values.push_back(CastLiteral(literal, leaf->type));
      usable = usable && term.values.back() != nullptr;
    }
    if (!usable) continue;
    const bool partition =
        leaf->logical.size() == 1 && std::find(partition_columns.begin(), partition_columns.end(),
                                               leaf->logical[0]) != partition_columns.end();
    (partition ? partition_terms_ : stats_terms_).push_back(std::move(term));
  }
}

bool FilePruner::PartitionMayMatch(const PartitionValues& values) const {
  for (const Term& term : partition_terms_) {
    const auto it = values.find(term.path[0]);
    if (it == values.end()) continue;
    const auto value = PartitionValueFromString(it->second, term.type);
    if (!value.ok()) continue;
    const bool is_null = !(*value)->is_valid;
    if (!NullsMayMatch(term.op, is_null ? 1 : 0, 1)) return false;
    if (is_null || term.values.empty()) continue;
    const CompareOp op = term.op == CompareOp::kIn ? CompareOp::kEqual : term.op;
    if (std::none_of(term.values.begin(), term.values.end(), [&](const ScalarPtr& wanted) {
          return RangeMayMatch(op, *value, *value, *wanted);
        })) {
      return false;
    }
  }
  return true;
}

bool FilePruner::StatsMayMatch(const std::vector<Term>& terms, const std::string& stats_json) {
  const Json stats = Json::parse(stats_json, nullptr, false);
  if (!stats.is_object()) return true;
  const Json* records = Descend(stats, "numRecords", {});
  const int64_t rows =
      records != nullptr && records->is_number_integer() ? records->get<int64_t>() : -1;
  for (const Term& term : terms) {
    const Json* null_count = Descend(stats, "nullCount", term.path);
    const int64_t nulls =
        null_count != nullptr && null_count->is_number_integer() ? null_count->get<int64_t>() : -1;
    if (!NullsMayMatch(term.op, nulls, rows)) return false;
    if (term.values.empty()) continue;
    const ScalarPtr low = BoundFromJson(Descend(stats, "minValues", term.path), term.type, false);
    const ScalarPtr high = BoundFromJson(Descend(stats, "maxValues", term.path), term.type, true);
    const CompareOp op = term.op == CompareOp::kIn ? CompareOp::kEqual : term.op;
    if (std::none_of(term.values.begin(), term.values.end(), [&](const ScalarPtr& wanted) {
          return RangeMayMatch(op, low, high, *wanted);
        })) {
      return false;
    }
  }
  return true;
}

bool FilePruner::MayMatch(const AddFile& file) const {
  if (!PartitionMayMatch(file.partition_values)) return false;
  return stats_terms_.empty() || file.stats.empty() || StatsMayMatch(stats_terms_, file.stats);
}

}  // namespace sluice::delta
