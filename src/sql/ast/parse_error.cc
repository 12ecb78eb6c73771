#include "sql/ast/parse_error.h"

#include <map>
#include <memory>
#include <utility>

namespace sluice::sql {
namespace {

/// SQLSTATEs of Spark's error classes. The others are errors of a definition: 42000.
const std::map<std::string_view, std::string_view>& SqlStates() {
  static const auto* const states = new std::map<std::string_view, std::string_view>{
      {"AMBIGUOUS_REFERENCE", "42704"},
      {"AMBIGUOUS_REFERENCE_TO_FIELDS", "42000"},
      {"ARITHMETIC_OVERFLOW", "22003"},
      {"CAST_INVALID_INPUT", "22018"},
      {"CAST_OVERFLOW", "22003"},
      {"CAST_OVERFLOW_IN_TABLE_INSERT", "22003"},
      {"CATALOG_NOT_FOUND", "42P08"},
      {"COLUMN_ALREADY_EXISTS", "42711"},
      {"CREATE_PERMANENT_VIEW_WITHOUT_ALIAS", "0A000"},
      {"CREATE_VIEW_COLUMN_ARITY_MISMATCH", "21S01"},
      {"CREATE_VIEW_WITH_IF_NOT_EXISTS_AND_REPLACE", "42601"},
      {"DATATYPE_MISMATCH", "42K09"},
      {"DECIMAL_PRECISION_EXCEEDS_MAX_PRECISION", "22003"},
      {"DIVIDE_BY_ZERO", "22012"},
      {"DUPLICATE_CLAUSES", "42614"},
      {"EVENT_TIME_IS_NOT_ON_TIMESTAMP_TYPE", "42K09"},
      {"EXCEED_LIMIT_LENGTH", "54006"},
      {"EXCEPT_NON_EXISTENT_COLUMN", "42703"},
      {"EXPECT_PERMANENT_VIEW_NOT_TEMP", "42809"},
      {"EXPECT_TABLE_NOT_VIEW", "42809"},
      {"EXPECT_VIEW_NOT_TABLE", "42809"},
      {"FIELD_NOT_FOUND", "42704"},
      {"GROUP_BY_AGGREGATE", "42903"},
      {"GROUP_BY_POS_OUT_OF_RANGE", "42805"},
      {"INCOMPATIBLE_COLUMN_TYPE", "42825"},
      {"INCOMPATIBLE_DATA_FOR_TABLE", "KD000"},
      {"INCOMPATIBLE_VIEW_SCHEMA_CHANGE", "51024"},
      {"INVALID_CONF_VALUE", "22022"},
      {"INVALID_EXTRACT_BASE_FIELD_TYPE", "42000"},
      {"INVALID_IDENTIFIER", "42602"},
      {"INVALID_INTERVAL_FORMAT", "22006"},
      {"INVALID_LIMIT_LIKE_EXPRESSION", "42K0E"},
      {"INVALID_NUMERIC_LITERAL_RANGE", "22003"},
      {"INVALID_PARAMETER_VALUE", "22023"},
      {"INVALID_SQL_SYNTAX", "42000"},
      {"INVALID_TEMP_OBJ_QUALIFIER", "42602"},
      {"INVALID_TEMP_OBJ_REFERENCE", "42K0F"},
      {"INVALID_TYPED_LITERAL", "42604"},
      {"INVALID_WHERE_CONDITION", "42903"},
      {"MISSING_AGGREGATION", "42803"},
      {"MISSING_CLAUSES_FOR_OPERATION", "42601"},
      {"MISSING_GROUP_BY", "42803"},
      {"MULTIPART_FLOW_NAME_NOT_SUPPORTED", "0A000"},
      {"NESTED_AGGREGATE_FUNCTION", "42607"},
      {"NON_FOLDABLE_ARGUMENT", "42K08"},
      {"NOT_SUPPORTED_YET", "0A000"},
      {"NUM_COLUMNS_MISMATCH", "42826"},
      {"NUM_TABLE_VALUE_ALIASES_MISMATCH", "42826"},
      {"ORDER_BY_POS_OUT_OF_RANGE", "42805"},
      {"PARSE_EMPTY_STATEMENT", "42617"},
      {"PARSE_SYNTAX_ERROR", "42601"},
      {"PIPELINE_DATASET_WITHOUT_FLOW", "0A000"},
      {"PIPELINE_DUPLICATE_IDENTIFIERS", "42710"},
      {"RECURSIVE_VIEW", "42K0H"},
      {"RUN_EMPTY_PIPELINE", "42617"},
      {"SCHEMA_ALREADY_EXISTS", "42P06"},
      {"SCHEMA_NOT_EMPTY", "2BP01"},
      {"SCHEMA_NOT_FOUND", "42704"},
      {"SHOW_COLUMNS_WITH_CONFLICT_NAMESPACE", "42K05"},
      {"TABLE_OR_VIEW_ALREADY_EXISTS", "42P07"},
      {"TABLE_OR_VIEW_NOT_FOUND", "42P01"},
      {"TEMP_TABLE_OR_VIEW_ALREADY_EXISTS", "42P07"},
      {"UNBOUND_SQL_PARAMETER", "42P02"},
      {"UNCLOSED_BRACKETED_COMMENT", "42601"},
      {"UNDEFINED_CONFIGURATION", "42K0I"},
      {"UNRESOLVABLE_TABLE_VALUED_FUNCTION", "42883"},
      {"UNRESOLVED_COLUMN", "42703"},
      {"UNRESOLVED_FIELD", "42703"},
      {"UNRESOLVED_ROUTINE", "42883"},
      {"UNRESOLVED_USING_COLUMN_FOR_JOIN", "42703"},
      {"UNSUPPORTED_DATATYPE", "0A000"},
      {"UNSUPPORTED_FEATURE", "0A000"},
      {"UNSUPPORTED_GENERATOR", "42K0E"},
      {"UNSUPPORTED_PIPELINE_STATEMENT", "0A000"},
      {"UNSUPPORTED_STREAMING_OPERATOR", "0A000"},
      {"UNSUPPORTED_TYPED_LITERAL", "0A000"},
      {"VIEW_EXCEED_MAX_NESTED_DEPTH", "54K00"},
      {"WRONG_COMMAND_FOR_OBJECT_TYPE", "42809"},
      {"WRONG_NUM_ARGS", "42605"},
  };
  return *states;
}

/// The place behind `span` of the file, which begins at `begin`.
LineColumn EndOf(const SourceText& source, Span span, LineColumn begin) {
  for (const char c : source.original().substr(span.offset, span.length)) {
    if (c == '\n') {
      ++begin.line;
      begin.column = 1;
    } else if ((c & 0xC0) != 0x80) {
      ++begin.column;
    }
  }
  return begin;
}

/// An error of ours that remembers its place.
class PlacedErrorDetail : public ErrorDetail {
 public:
  PlacedErrorDetail(std::string_view error_code, std::string hint_text, ErrorPlace error_place)
      : ErrorDetail(std::string(error_code), Retry::kNever, std::move(hint_text)),
        place(std::move(error_place)) {}

  const ErrorPlace place;
};

}  // namespace

std::string_view SqlStateOf(std::string_view code) {
  const auto found = SqlStates().find(code.substr(0, code.find('.')));
  return found == SqlStates().end() ? std::string_view("42000") : found->second;
}

const ErrorPlace* PlaceOf(const Status& status) {
  const auto* detail =
      status.ok() ? nullptr : dynamic_cast<const PlacedErrorDetail*>(status.detail().get());
  return detail == nullptr ? nullptr : &detail->place;
}

Status PlacedError(const SourceText& source, Span span, std::string_view code, std::string message,
                   std::string text, std::string hint) {
  ErrorPlace place;
  place.file = source.file_name();
  place.offset = source.ToOriginal(span).offset;
  place.begin = source.Locate(span);
  place.end = EndOf(source, source.ToOriginal(span), place.begin);
  place.sql_state = SqlStateOf(code);
  place.message = std::move(message);
  return Status(arrow::StatusCode::Invalid, std::move(text),
                std::make_shared<PlacedErrorDetail>(code, std::move(hint), std::move(place)));
}

Status ErrorAt(const SourceText& source, Span span, std::string_view code, std::string message,
               std::string hint) {
  std::string text = message;
  text.append(". SQLSTATE: ").append(SqlStateOf(code));
  text += " (" + source.Place(span) + ")\n" + source.Caret(span);
  return PlacedError(source, span, code, std::move(message), std::move(text), std::move(hint));
}

}  // namespace sluice::sql
