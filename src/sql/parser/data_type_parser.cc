#include "sql/parser/data_type_parser.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/key_value_metadata.h>

#include <array>
#include <utility>

#include "base/closest_word.h"
#include "sql/ast/parse_error.h"
#include "sql/parser/data_type_name.h"
#include "sql/parser/data_type_parser_internal.h"

namespace sluice::sql {
namespace {

using DataTypePtr = std::shared_ptr<arrow::DataType>;

constexpr std::string_view kVariantName = "sluice.variant";

class VariantExtension : public arrow::ExtensionType {
 public:
  VariantExtension() : arrow::ExtensionType(arrow::utf8()) {}
  std::string extension_name() const override { return std::string(kVariantName); }
  std::string ToString(bool /*show_metadata*/) const override { return "variant"; }
  bool ExtensionEquals(const arrow::ExtensionType& other) const override {
    return other.extension_name() == kVariantName;
  }
  std::shared_ptr<arrow::Array> MakeArray(std::shared_ptr<arrow::ArrayData> data) const override {
    return std::make_shared<arrow::ExtensionArray>(std::move(data));
  }
  Result<DataTypePtr> Deserialize(DataTypePtr /*storage*/,
                                  const std::string& /*serialized*/) const override {
    return VariantType();
  }
  std::string Serialize() const override { return ""; }
};

struct SimpleType {
  std::string_view name;
  DataTypePtr (*make)();
};

DataTypePtr MakeTimestamp() { return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"); }
DataTypePtr MakeTimestampNtz() { return arrow::timestamp(arrow::TimeUnit::MICRO); }
DataTypePtr MakeInt8() { return arrow::int8(); }
DataTypePtr MakeInt16() { return arrow::int16(); }
DataTypePtr MakeInt32() { return arrow::int32(); }
DataTypePtr MakeInt64() { return arrow::int64(); }
DataTypePtr MakeFloat() { return arrow::float32(); }
DataTypePtr MakeDouble() { return arrow::float64(); }

constexpr std::array<SimpleType, 21> kSimpleTypes{{
    {"BOOLEAN", [] { return arrow::boolean(); }},
    {"TINYINT", MakeInt8},
    {"BYTE", MakeInt8},
    {"SMALLINT", MakeInt16},
    {"SHORT", MakeInt16},
    {"INT", MakeInt32},
    {"INTEGER", MakeInt32},
    {"BIGINT", MakeInt64},
    {"LONG", MakeInt64},
    {"FLOAT", MakeFloat},
    {"REAL", MakeFloat},
    {"DOUBLE", MakeDouble},
    {"DATE", [] { return arrow::date32(); }},
    {"TIMESTAMP_LTZ", MakeTimestamp},
    {"TIMESTAMP_NTZ", MakeTimestampNtz},
    {"BINARY", [] { return arrow::binary(); }},
    {"VOID", [] { return arrow::null(); }},
    {"NULL", [] { return arrow::null(); }},
    {"VARIANT", VariantType},
    {"JSON", nullptr},
    {"OBJECT", nullptr},
}};

class TypeParser {
 public:
  explicit TypeParser(TokenCursor& cursor) : cursor_(cursor) {}

  DataTypePtr Type() {
    TokenCursor::Nesting nesting(cursor_);
    const size_t begin = cursor_.position();
    if (cursor_.Peek().kind != TokenKind::kWord) {
      cursor_.FailHere("a data type");
      return arrow::null();
    }
    const std::string name = ToUpper(cursor_.NextAsWritten().text);
    if (DataTypePtr type = Nested(name)) {
      return type;
    }
    if (DataTypePtr type = Parametrised(name)) {
      return type;
    }
    for (const SimpleType& simple : kSimpleTypes) {
      if (simple.name == name && simple.make != nullptr) {
        return simple.make();
      }
    }
    Unknown(name, begin);
    return arrow::null();
  }

  std::shared_ptr<arrow::Field> Field() {
    const Name name = cursor_.ExpectName("a field name");
    cursor_.AcceptSymbol(":");
    DataTypePtr type = Type();
    bool nullable = true;
    if (cursor_.AcceptWord("NOT")) {
      cursor_.ExpectWord("NULL");
      nullable = false;
    }
    std::shared_ptr<arrow::KeyValueMetadata> metadata;
    if (cursor_.AcceptWord("COMMENT")) {
      metadata = arrow::key_value_metadata({"comment"}, {cursor_.ExpectString("a comment")});
    }
    return arrow::field(name.text, std::move(type), nullable, std::move(metadata));
  }

  arrow::FieldVector Fields() {
    arrow::FieldVector fields;
    do {
      fields.push_back(Field());
    } while (cursor_.AcceptSymbol(","));
    return fields;
  }

 private:
  DataTypePtr Nested(const std::string& name) {
    if (name == "STRUCT" && cursor_.AcceptSymbol("<>")) {
      return arrow::struct_(arrow::FieldVector{});
    }
    if (!cursor_.AtSymbol("<") || (name != "ARRAY" && name != "MAP" && name != "STRUCT")) {
      return nullptr;
    }
    cursor_.ExpectSymbol("<");
    DataTypePtr result;
    if (name == "ARRAY") {
      result = arrow::list(arrow::field("element", Type()));
    } else if (name == "MAP") {
      DataTypePtr key = Type();
      cursor_.ExpectSymbol(",");
      result = arrow::map(std::move(key), Type());
    } else {
      result = arrow::struct_(cursor_.AtSymbol(">") ? arrow::FieldVector{} : Fields());
    }
    cursor_.ExpectSymbol(">");
    return result;
  }

  DataTypePtr Parametrised(const std::string& name) {
    if (name == "DECIMAL" || name == "DEC" || name == "NUMERIC") {
      return Decimal();
    }
    if (name == "STRING" || name == "VARCHAR" || name == "CHAR" || name == "CHARACTER") {
      if (name != "STRING" && cursor_.AcceptSymbol("(")) {
        cursor_.ExpectInteger("a length");
        cursor_.ExpectSymbol(")");
      }
      if (cursor_.AcceptWord("COLLATE")) {
        cursor_.ExpectQualifiedName("a collation");
      }
      return arrow::utf8();
    }
    if (name == "TIMESTAMP") {
      return Timestamp();
    }
    if (name == "TIME") {
      if (cursor_.AcceptSymbol("(")) {
        cursor_.ExpectInteger("a precision");
        cursor_.ExpectSymbol(")");
      }
      return arrow::time64(arrow::TimeUnit::MICRO);
    }
    return name == "INTERVAL" ? Interval() : nullptr;
  }

  DataTypePtr Timestamp() {
    const bool without = cursor_.AcceptWords({"WITHOUT", "TIME", "ZONE"});
    if (!without && !cursor_.AcceptWords({"WITH", "LOCAL", "TIME", "ZONE"})) {
      cursor_.AcceptWords({"WITH", "TIME", "ZONE"});
    }
    return without ? MakeTimestampNtz() : MakeTimestamp();
  }

  DataTypePtr Decimal() {
    constexpr int64_t kMaxPrecision = 38;
    int64_t precision = 10;
    int64_t scale = 0;
    const size_t begin = cursor_.position();
    if (cursor_.AcceptSymbol("(")) {
      precision = cursor_.ExpectInteger("a precision");
      if (cursor_.AcceptSymbol(",")) {
        scale = cursor_.ExpectInteger("a scale");
      }
      cursor_.ExpectSymbol(")");
    }
    if (precision < 1 || precision > kMaxPrecision || scale > precision) {
      cursor_.Fail(cursor_.SpanSince(begin), "DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION",
                   "a decimal has 1 to 38 digits, and at most that many after the point");
      return arrow::null();
    }
    return arrow::decimal128(static_cast<int32_t>(precision), static_cast<int32_t>(scale));
  }

  DataTypePtr Interval() {
    if (!cursor_.AtAnyWord({"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"})) {
      return arrow::month_day_nano_interval();
    }
    const IntervalField from = ExpectIntervalField(cursor_);
    if (cursor_.AcceptWord("TO")) {
      ExpectIntervalField(cursor_);
    }
    if (from <= IntervalField::kMonth) {
      return arrow::month_interval();
    }
    return arrow::duration(arrow::TimeUnit::MICRO);
  }

  void Unknown(const std::string& name, size_t begin) {
    std::vector<std::string> known{"STRING", "DECIMAL", "TIMESTAMP", "ARRAY", "MAP", "STRUCT"};
    for (const SimpleType& simple : kSimpleTypes) {
      known.emplace_back(simple.name);
    }
    const std::string meant = ClosestWord(name, known);
    const bool incomplete = name == "ARRAY" || name == "MAP" || name == "STRUCT";
    cursor_.Fail(cursor_.SpanSince(begin), "UNSUPPORTED_DATATYPE",
                 incomplete ? "this type needs its elements in <..>: " + name
                            : "unsupported data type: " + name,
                 meant.empty() ? "" : "did you mean " + meant + "?");
  }

  TokenCursor& cursor_;
};

template <typename Parse>
auto ParseWhole(std::string_view text, Parse parse)
    -> Result<decltype(parse(std::declval<TypeParser&>()))> {
  const SourceText source("", std::string(text));
  TokenCursor cursor(source);
  TypeParser parser(cursor);
  auto result = parse(parser);
  if (!cursor.AtEnd()) {
    cursor.FailHere("the end of the type");
  }
  SLUICE_RETURN_NOT_OK(cursor.status());
  return result;
}

}  // namespace

TypeName ExpectTypeName(TokenCursor& cursor) {
  const size_t begin = cursor.position();
  TypeName result;
  result.type = TypeParser(cursor).Type();
  result.span = cursor.SpanSince(begin);
  if (cursor.failed()) {
    return result;
  }
  // Types that Arrow does not tell apart keep their spelling.
  result.sql = SparkTypeSql(*result.type);
  const bool plain_string = result.sql == "STRING" && result.span.length == 6;
  const bool interval = result.sql.starts_with("INTERVAL");
  if ((result.sql == "STRING" && !plain_string) || interval) {
    result.sql = ToUpper(cursor.source().Slice(result.span));
  }
  return result;
}

IntervalField ExpectIntervalField(TokenCursor& cursor) {
  constexpr std::array<const char*, 6> kNames{"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
  constexpr std::array<const char*, 6> kPlurals{"YEARS", "MONTHS",  "DAYS",
                                                "HOURS", "MINUTES", "SECONDS"};
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (cursor.AcceptWord(kNames[i]) || cursor.AcceptWord(kPlurals[i])) {
      return static_cast<IntervalField>(i);
    }
  }
  cursor.FailHere("YEAR, MONTH, DAY, HOUR, MINUTE or SECOND");
  return IntervalField::kDay;
}

Result<DataTypePtr> ParseDataType(std::string_view text) {
  return ParseWhole(text, [](TypeParser& parser) { return parser.Type(); });
}

Result<std::shared_ptr<arrow::Schema>> ParseSchema(std::string_view text) {
  SLUICE_ASSIGN_OR_RETURN(const DataTypePtr type, ParseSchemaOrType(text));
  if (type->id() != arrow::Type::STRUCT) {
    return MakeError("PARSE_SYNTAX_ERROR",
                     "a column list is needed here, got " + SparkTypeName(*type),
                     "write it as `name TYPE, name TYPE`");
  }
  return arrow::schema(type->fields());
}

Result<DataTypePtr> ParseSchemaOrType(std::string_view text) {
  Result<DataTypePtr> type = ParseDataType(text);
  if (type.ok()) {
    return type;
  }
  auto fields = ParseWhole(text, [](TypeParser& parser) { return parser.Fields(); });
  if (fields.ok()) {
    return arrow::struct_(*fields);
  }
  // `STRUCT<..` and the like were meant as a type.
  return text.find('<') < text.find(' ') ? type.status() : fields.status();
}

DataTypePtr VariantType() {
  static const DataTypePtr type = std::make_shared<VariantExtension>();
  return type;
}

bool IsVariantType(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION &&
         static_cast<const arrow::ExtensionType&>(type).extension_name() == kVariantName;
}

}  // namespace sluice::sql
