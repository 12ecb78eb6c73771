#include "delta/protocol/file_statistics.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/util/decimal.h>
#include <parquet/statistics.h>
#include <parquet/types.h>

#include <cmath>
#include <optional>
#include <variant>

#include "delta/protocol/action_json.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/time_text.h"

namespace sluice::delta {
namespace {

constexpr int kMaxCharacters = 32;
constexpr char kLastCharacter[] = "\xF4\x8F\xBF\xBF";  // U+10FFFF

using Value = std::variant<int64_t, double, arrow::Decimal128, std::string>;

struct Bounds {
  Value low;
  Value high;
};

int LeafCount(const arrow::DataType& type) {
  if (type.id() == arrow::Type::EXTENSION)
    return LeafCount(*static_cast<const arrow::ExtensionType&>(type).storage_type());
  if (type.num_fields() == 0) return 1;
  int count = 0;
  for (const auto& field : type.fields()) count += LeafCount(*field->type());
  return count;
}

bool HasBounds(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::STRING:
    case arrow::Type::INT8:
    case arrow::Type::INT16:
    case arrow::Type::INT32:
    case arrow::Type::INT64:
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
    case arrow::Type::DECIMAL128: return true;
    default: return false;
  }
}

template <typename ParquetType>
const parquet::TypedStatistics<ParquetType>& Typed(const parquet::Statistics& statistics) {
  return static_cast<const parquet::TypedStatistics<ParquetType>&>(statistics);
}

std::string_view View(const parquet::ByteArray& bytes) {
  return std::string_view(reinterpret_cast<const char*>(bytes.ptr), bytes.len);
}

std::optional<arrow::Decimal128> ToDecimal(const uint8_t* bytes, int32_t length) {
  const auto value = arrow::Decimal128::FromBigEndian(bytes, length);
  if (!value.ok()) return std::nullopt;
  return *value;
}

/// Bounds of one column chunk in the type they are compared in.
std::optional<Bounds> BoundsOf(const parquet::Statistics& statistics, const arrow::DataType& type) {
  const bool decimal = type.id() == arrow::Type::DECIMAL128;
  const auto whole = [decimal](int64_t low, int64_t high) {
    return decimal ? Bounds{arrow::Decimal128(low), arrow::Decimal128(high)} : Bounds{low, high};
  };
  switch (statistics.physical_type()) {
    case parquet::Type::INT32: {
      const auto& typed = Typed<parquet::Int32Type>(statistics);
      return whole(typed.min(), typed.max());
    }
    case parquet::Type::INT64: {
      const auto& typed = Typed<parquet::Int64Type>(statistics);
      return whole(typed.min(), typed.max());
    }
    case parquet::Type::FLOAT: {
      const auto& typed = Typed<parquet::FloatType>(statistics);
      return Bounds{static_cast<double>(typed.min()), static_cast<double>(typed.max())};
    }
    case parquet::Type::DOUBLE: {
      const auto& typed = Typed<parquet::DoubleType>(statistics);
      return Bounds{typed.min(), typed.max()};
    }
    case parquet::Type::BYTE_ARRAY: {
      const auto& typed = Typed<parquet::ByteArrayType>(statistics);
      return Bounds{std::string(View(typed.min())), std::string(View(typed.max()))};
    }
    case parquet::Type::FIXED_LEN_BYTE_ARRAY: {
      const auto& typed = Typed<parquet::FLBAType>(statistics);
      const int32_t length = statistics.descr()->type_length();
      const auto low = ToDecimal(typed.min().ptr, length);
      const auto high = ToDecimal(typed.max().ptr, length);
      if (!decimal || !low.has_value() || !high.has_value()) return std::nullopt;
      return Bounds{*low, *high};
    }
    default: return std::nullopt;
  }
}

int64_t FloorMillis(int64_t micros) { return micros / 1000 - (micros % 1000 < 0 ? 1 : 0); }
int64_t CeilMillis(int64_t micros) { return micros / 1000 + (micros % 1000 > 0 ? 1 : 0); }

/// The JSON text of a bound; nothing when it cannot be told.
std::optional<std::string> BoundJson(const Value& value, const arrow::DataType& type, bool upper) {
  std::string json;
  switch (type.id()) {
    case arrow::Type::DATE32:
      AppendJsonString(FormatDate(std::get<int64_t>(value)), &json);
      return json;
    case arrow::Type::TIMESTAMP: {
      const int64_t micros = std::get<int64_t>(value);
      std::string text = FormatMillis(upper ? CeilMillis(micros) : FloorMillis(micros));
      if (!static_cast<const arrow::TimestampType&>(type).timezone().empty()) text += 'Z';
      AppendJsonString(text, &json);
      return json;
    }
    case arrow::Type::DECIMAL128:
      return FormatDecimal(std::get<arrow::Decimal128>(value),
                           static_cast<const arrow::Decimal128Type&>(type).scale());
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE: {
      const double number = std::get<double>(value);
      if (std::isnan(number)) return std::nullopt;
      const std::string text = type.id() == arrow::Type::FLOAT
                                   ? FormatFloat(static_cast<float>(number))
                                   : FormatDouble(number);
      if (std::isfinite(number)) return text;
      AppendJsonString(text, &json);
      return json;
    }
    case arrow::Type::STRING: {
      const auto text = TruncateBound(std::get<std::string>(value), upper);
      if (!text.has_value()) return std::nullopt;
      AppendJsonString(*text, &json);
      return json;
    }
    default: return std::to_string(std::get<int64_t>(value));
  }
}

template <typename ArrowArray>
bool AnyNaN(const arrow::Array& array) {
  const auto& typed = static_cast<const ArrowArray&>(array);
  const auto* values = typed.raw_values();
  bool any = false;
  for (int64_t i = 0; i < typed.length(); ++i) any |= values[i] != values[i];
  return any;
}

bool HasNaN(const arrow::Array& array) {
  if (array.type_id() == arrow::Type::DOUBLE) return AnyNaN<arrow::DoubleArray>(array);
  if (array.type_id() == arrow::Type::FLOAT) return AnyNaN<arrow::FloatArray>(array);
  return false;
}

/// Length of the UTF-8 character at `i`; 0 when there is none.
size_t CharacterLength(std::string_view text, size_t i) {
  const auto lead = static_cast<unsigned char>(text[i]);
  size_t length = 1;
  if (lead >= 0xF0 && lead <= 0xF4)
    length = 4;
  else if (lead >= 0xE0 && lead < 0xF0)
    length = 3;
  else if (lead >= 0xC2 && lead < 0xE0)
    length = 2;
  else if (lead >= 0x80)
    return 0;
  if (i + length > text.size()) return 0;
  for (size_t k = 1; k < length; ++k) {
    if ((static_cast<unsigned char>(text[i + k]) & 0xC0) != 0x80) return 0;
  }
  const auto second = length > 1 ? static_cast<unsigned char>(text[i + 1]) : 0;
  if ((lead == 0xE0 && second < 0xA0) || (lead == 0xED && second > 0x9F) ||
      (lead == 0xF0 && second < 0x90) || (lead == 0xF4 && second > 0x8F)) {
    return 0;
  }
  return length;
}

}  // namespace

std::optional<std::string> TruncateBound(std::string_view text, bool upper) {
  size_t end = 0;
  int characters = 0;
  while (end < text.size()) {
    const size_t length = CharacterLength(text, end);
    if (length == 0) return std::nullopt;
    // The last character of all cannot be raised: such a text is kept one longer.
    const bool last = text.substr(end, length) == kLastCharacter;
    if (characters >= kMaxCharacters && !(upper && last)) break;
    end += length;
    ++characters;
  }
  std::string bound(text.substr(0, end));
  if (upper && end < text.size()) bound += kLastCharacter;
  return bound;
}

struct FileStatistics::Column {
  std::string name;
  std::shared_ptr<arrow::DataType> type;
  int parquet_column = -1;  // of a leaf with bounds
  int64_t null_count = 0;
  bool has_nan = false;
  bool left_out = false;  // no statistics are wanted
  std::vector<std::unique_ptr<Column>> children;

  using List = std::vector<std::unique_ptr<Column>>;

  /// Lays out the columns of `fields`; `leaf` counts Parquet leaves, `budget` the columns that
  /// still get statistics. `chosen` (null = all) are the paths wanted, `depth` steps of which lead
  /// here.
  static List Make(const arrow::FieldVector& fields, const Paths* chosen, size_t depth, int* leaf,
                   int* budget) {
    List columns;
    for (const auto& field : fields) {
      const int first_leaf = *leaf;
      if (*budget == 0) break;
      auto column = std::make_unique<Column>();
      column->name = field->name();
      column->type = field->type();
      Paths below;
      bool whole = chosen == nullptr;
      for (size_t i = 0; chosen != nullptr && i < chosen->size(); ++i) {
        const auto& path = (*chosen)[i];
        if (path[depth] != field->name()) continue;
        whole = whole || path.size() == depth + 1;
        if (path.size() > depth + 1) below.push_back(path);
      }
      if (field->type()->id() == arrow::Type::STRUCT) {
        column->children =
            Make(field->type()->fields(), whole ? nullptr : &below, depth + 1, leaf, budget);
      } else if (!whole) {
        column->left_out = true;
      } else {
        *budget -= 1;
        if (HasBounds(*field->type())) column->parquet_column = first_leaf;
      }
      *leaf = first_leaf + LeafCount(*field->type());
      columns.push_back(std::move(column));
    }
    return columns;
  }

  void Update(const arrow::Array& array) {
    if (left_out) return;
    if (type->id() != arrow::Type::STRUCT) {
      null_count += array.null_count();
      if (!has_nan) has_nan = HasNaN(array);
      return;
    }
    const auto& parent = static_cast<const arrow::StructArray&>(array);
    for (size_t i = 0; i < children.size(); ++i) {
      const auto child = parent.GetFlattenedField(static_cast<int>(i));
      if (child.ok()) children[i]->Update(**child);
    }
  }

  /// Lowest or highest value over all row groups as JSON.
  std::optional<std::string> Bound(const parquet::FileMetaData& footer, bool upper) const {
    if (parquet_column < 0 || (upper && has_nan)) return std::nullopt;
    std::optional<Value> best;
    for (int group = 0; group < footer.num_row_groups(); ++group) {
      const auto statistics = footer.RowGroup(group)->ColumnChunk(parquet_column)->statistics();
      if (statistics == nullptr) return std::nullopt;
      if (!statistics->HasMinMax()) {
        if (statistics->num_values() == 0) continue;
        return std::nullopt;
      }
      auto bounds = BoundsOf(*statistics, *type);
      if (!bounds.has_value()) return std::nullopt;
      Value& mine = upper ? bounds->high : bounds->low;
      if (!best.has_value() || (upper ? *best < mine : mine < *best)) best = std::move(mine);
    }
    if (!best.has_value()) return std::nullopt;
    return BoundJson(*best, *type, upper);
  }
};

namespace {

/// Writes {"a":..,"s":{"b":..}} for a tree of columns, leaving out what `leaf` has nothing to say
/// of.
template <typename Columns, typename Leaf>
void WriteTree(const Columns& columns, const Leaf& leaf, std::string* out) {
  out->push_back('{');
  bool first = true;
  for (const auto& column : columns) {
    std::optional<std::string> json;
    if (column->children.empty()) {
      json = leaf(*column);
    } else {
      std::string inner;
      WriteTree(column->children, leaf, &inner);
      if (inner != "{}") json = std::move(inner);
    }
    if (!json.has_value()) continue;
    if (!first) out->push_back(',');
    first = false;
    AppendJsonString(column->name, out);
    out->push_back(':');
    out->append(*json);
  }
  out->push_back('}');
}

}  // namespace

FileStatistics::FileStatistics(const std::shared_ptr<arrow::Schema>& file_schema,
                               int indexed_columns, const std::optional<Paths>& chosen) {
  int leaf = 0;
  int budget = indexed_columns < 0 || chosen.has_value() ? INT32_MAX : indexed_columns;
  columns_ = Column::Make(file_schema->fields(), chosen.has_value() ? &*chosen : nullptr, 0, &leaf,
                          &budget);
}

FileStatistics::~FileStatistics() = default;

void FileStatistics::Update(const arrow::RecordBatch& rows) {
  num_rows_ += rows.num_rows();
  for (size_t i = 0; i < columns_.size(); ++i)
    columns_[i]->Update(*rows.column(static_cast<int>(i)));
}

std::string FileStatistics::ToJson(const parquet::FileMetaData& footer) const {
  std::string json = "{\"numRecords\":" + std::to_string(num_rows_) + ",\"minValues\":";
  const auto bound = [&](bool upper) {
    return [&footer, upper](const Column& column) { return column.Bound(footer, upper); };
  };
  WriteTree(columns_, bound(false), &json);
  json += ",\"maxValues\":";
  WriteTree(columns_, bound(true), &json);
  json += ",\"nullCount\":";
  WriteTree(
      columns_,
      [](const Column& column) {
        return column.left_out ? std::nullopt
                               : std::optional<std::string>(std::to_string(column.null_count));
      },
      &json);
  json += '}';
  return json;
}

}  // namespace sluice::delta
