#include "delta/files/row_rules.h"

#include <arrow/api.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "delta/columns/adapt_columns.h"
#include "delta/columns/identity_column.h"
#include "delta/protocol/number_text.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {
namespace {

constexpr char kConstraintPrefix[] = "delta.constraints.";
constexpr char kCharKey[] = "__CHAR_VARCHAR_TYPE_STRING";

/// "char(4)", "varchar(10)" -> the number of characters that fit; nothing for other types.
std::optional<int64_t> LengthLimit(const arrow::Field& field) {
  const std::string type = ColumnMetadata(field, kCharKey);
  for (const char* prefix : {"char(", "varchar("}) {
    if (type.starts_with(prefix))
      return LeadingNumber<int64_t>(type.substr(std::string(prefix).size()));
  }
  return std::nullopt;
}

int64_t Characters(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
}

/// The expression of `delta.invariants`: {"expression":{"expression":"x > 3"}}; empty = none.
Result<std::string> InvariantOf(const arrow::Field& field) {
  const std::string text = ColumnMetadata(field, "delta.invariants");
  if (text.empty()) return std::string();
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (json.is_object() && json.contains("expression") && json["expression"].is_object() &&
      json["expression"].contains("expression") && json["expression"]["expression"].is_string()) {
    return json["expression"]["expression"].get<std::string>();
  }
  return MakeError("DELTA_LOG_CORRUPT", "invariant of column " + field.name() + " is broken");
}

Status NeedsExpressions(const std::string& what) {
  return MakeError("DELTA_UNSUPPORTED_WRITER_FEATURE", "cannot write a table that uses " + what,
                   "write it through SQL, which evaluates the expressions of tables");
}

std::string RowText(const arrow::RecordBatch& rows, int64_t row) {
  std::string text;
  for (int i = 0; i < std::min(rows.num_columns(), 20); ++i) {
    const auto value = rows.column(i)->GetScalar(row);
    if (!text.empty()) text += ", ";
    text += rows.schema()->field(i)->name() + " = " +
            (value.ok() ? (*value)->ToString() : std::string("?"));
  }
  return text;
}

Status Violated(const std::string& name, const std::string& text, const arrow::RecordBatch& rows,
                int64_t row) {
  return MakeError("DELTA_VIOLATE_CONSTRAINT_WITH_VALUES",
                   "CHECK constraint " + name + " (" + text +
                       ") is violated by a row with values: " + RowText(rows, row),
                   "filter or correct the rows; a constraint must be TRUE, NULL is a violation");
}

/// The first row whose values differ; -1 = none.
int64_t FirstDifference(const arrow::Array& a, const arrow::Array& b) {
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true);
  if (a.Equals(b, options)) return -1;
  for (int64_t i = 0; i < a.length(); ++i) {
    if (!a.RangeEquals(b, i, i + 1, i, options)) return i;
  }
  return -1;
}

Status CheckLength(const arrow::Array& array, const arrow::Field& field, int64_t limit) {
  if (array.type_id() != arrow::Type::STRING) return Status::OK();
  const auto& text = static_cast<const arrow::StringArray&>(array);
  for (int64_t i = 0; i < text.length(); ++i) {
    if (text.IsNull(i) || text.value_length(i) <= limit) continue;
    std::string_view value = text.GetView(i);
    while (!value.empty() && value.back() == ' ') value.remove_suffix(1);
    if (Characters(value) <= limit) continue;
    return MakeError("DELTA_EXCEED_CHAR_VARCHAR_LIMIT",
                     "text is longer than the type of its column allows: " + field.name() + " " +
                         ColumnMetadata(field, kCharKey) + ", value '" + std::string(value) + "'",
                     "shorten the text, or make the column a STRING");
  }
  return Status::OK();
}

/// `text` with what is beyond `limit` characters gone; CheckLength has seen that it is blanks.
Result<std::shared_ptr<arrow::Array>> TrimmedTo(const std::shared_ptr<arrow::Array>& array,
                                                int64_t limit) {
  if (array->type_id() != arrow::Type::STRING) return array;
  const auto& text = static_cast<const arrow::StringArray&>(*array);
  bool any = false;
  for (int64_t i = 0; i < text.length() && !any; ++i)
    any = text.IsValid(i) && text.value_length(i) > limit && Characters(text.GetView(i)) > limit;
  if (!any) return array;
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < text.length(); ++i) {
    if (text.IsNull(i)) {
      SLUICE_RETURN_NOT_OK(builder.AppendNull());
      continue;
    }
    std::string_view value = text.GetView(i);
    for (int64_t over = Characters(value) - limit; over > 0; --over) value.remove_suffix(1);
    SLUICE_RETURN_NOT_OK(builder.Append(value));
  }
  return builder.Finish();
}

}  // namespace

struct RowRules::Column {
  std::shared_ptr<arrow::Field> field;
  std::string generation;  // text; empty = not generated
  RowFunction generate;    // over the table's columns
  RowFunction default_of;  // over a column of row numbers
  std::optional<int64_t> length_limit;

  std::optional<IdentityColumn> identity;
  bool explicit_allowed = false;
  bool numbered = false;  // values were given
};

RowRules::~RowRules() = default;

Result<std::unique_ptr<RowRules>> RowRules::Make(const Snapshot& snapshot,
                                                 ExpressionCompiler* expressions) {
  std::unique_ptr<RowRules> rules(new RowRules());
  rules->schema_ = snapshot.schema();
  rules->columns_.resize(static_cast<size_t>(rules->schema_->num_fields()));
  for (int i = 0; i < rules->schema_->num_fields(); ++i)
    SLUICE_RETURN_NOT_OK(rules->CompileColumn(i, expressions));
  SLUICE_RETURN_NOT_OK(rules->CompileChecks(snapshot.metadata(), expressions));
  return rules;
}

Status RowRules::CompileColumn(int index, ExpressionCompiler* expressions) {
  Column& column = columns_[static_cast<size_t>(index)];
  column.field = schema_->field(index);
  const arrow::Field& field = *column.field;
  column.generation = ColumnMetadata(field, "delta.generationExpression");
  if (!column.generation.empty()) {
    if (expressions == nullptr) return NeedsExpressions("generated columns");
    SLUICE_ASSIGN_OR_RETURN(column.generate,
                            expressions->Compile(column.generation, schema_, field.type()));
  }
  const std::string default_text = ColumnMetadata(field, "CURRENT_DEFAULT");
  if (!default_text.empty()) {
    if (expressions == nullptr) return NeedsExpressions("column defaults");
    const auto rows = arrow::schema({arrow::field("__row", arrow::int64())});
    SLUICE_ASSIGN_OR_RETURN(column.default_of,
                            expressions->Compile(default_text, rows, field.type()));
  }
  SLUICE_ASSIGN_OR_RETURN(const std::string invariant, InvariantOf(field));
  if (!invariant.empty()) {
    if (expressions == nullptr) return NeedsExpressions("column invariants (delta.invariants)");
    Check check{"of column " + field.name(), invariant, nullptr};
    SLUICE_ASSIGN_OR_RETURN(check.holds,
                            expressions->Compile(invariant, schema_, arrow::boolean()));
    checks_.push_back(std::move(check));
  }
  column.length_limit = LengthLimit(field);
  SLUICE_ASSIGN_OR_RETURN(column.identity, IdentityOf(field));
  column.explicit_allowed = ColumnMetadata(field, "delta.identity.allowExplicitInsert") == "true";
  return Status::OK();
}

Status RowRules::CompileChecks(const Metadata& metadata, ExpressionCompiler* expressions) {
  for (auto it = metadata.configuration.lower_bound(kConstraintPrefix);
       it != metadata.configuration.end() && it->first.starts_with(kConstraintPrefix); ++it) {
    if (expressions == nullptr) return NeedsExpressions("CHECK constraints");
    Check check{it->first.substr(sizeof(kConstraintPrefix) - 1), it->second, nullptr};
    SLUICE_ASSIGN_OR_RETURN(check.holds,
                            expressions->Compile(check.text, schema_, arrow::boolean()));
    checks_.push_back(std::move(check));
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::Array>> RowRules::Missing(Column& column, int64_t rows) {
  if (column.default_of != nullptr || column.identity) {
    arrow::Int64Builder builder;
    SLUICE_RETURN_NOT_OK(builder.Reserve(rows));
    for (int64_t i = 0; i < rows; ++i) {
      if (!column.identity) {
        builder.UnsafeAppend(i);
        continue;
      }
      auto& [start, step, mark] = *column.identity;
      int64_t next = start;
      if (mark.has_value() && __builtin_add_overflow(*mark, step, &next)) {
        return MakeError(
            "ARITHMETIC_OVERFLOW",
            "identity column has come to the end of its type: " + column.field->name());
      }
      mark = next;
      column.numbered = true;
      builder.UnsafeAppend(next);
    }
    SLUICE_ASSIGN_OR_RETURN(auto numbers, builder.Finish());
    if (column.identity) return numbers;
    const auto schema = arrow::schema({arrow::field("__row", arrow::int64())});
    return column.default_of(arrow::RecordBatch::Make(schema, rows, {std::move(numbers)}));
  }
  return arrow::MakeArrayOfNull(column.field->type(), rows);
}

Result<std::shared_ptr<arrow::RecordBatch>> RowRules::Apply(
    const std::shared_ptr<arrow::RecordBatch>& rows, Origin origin) {
  auto complete = rows;
  std::vector<bool> given;
  for (Column& column : columns_) {
    const int index = rows->schema()->GetFieldIndex(column.field->name());
    given.push_back(index >= 0);
    if (index < 0) {
      SLUICE_ASSIGN_OR_RETURN(auto filled, Missing(column, rows->num_rows()));
      SLUICE_ASSIGN_OR_RETURN(
          complete, complete->AddColumn(complete->num_columns(), column.field, std::move(filled)));
    } else if (column.identity && !column.explicit_allowed && origin == Origin::kInserted) {
      return MakeError("DELTA_IDENTITY_COLUMNS_EXPLICIT_INSERT_NOT_SUPPORTED",
                       "identity column is always generated: " + column.field->name(),
                       "leave the column out of the INSERT");
    }
  }
  for (const Column& column : columns_) {
    if (!column.length_limit.has_value()) continue;
    const int index = complete->schema()->GetFieldIndex(column.field->name());
    SLUICE_RETURN_NOT_OK(
        CheckLength(*complete->column(index), *column.field, *column.length_limit));
    SLUICE_ASSIGN_OR_RETURN(auto fitting, TrimmedTo(complete->column(index), *column.length_limit));
    SLUICE_ASSIGN_OR_RETURN(complete,
                            complete->SetColumn(index, complete->schema()->field(index), fitting));
  }
  // Generated columns may be NOT NULL: they are checked once they have their values.
  SLUICE_RETURN_NOT_OK(Generate(std::move(given), &complete));
  SLUICE_ASSIGN_OR_RETURN(complete, AdaptRows(complete, schema_));
  SLUICE_RETURN_NOT_OK(CheckAll(complete));
  return complete;
}

Status RowRules::Generate(std::vector<bool> given,
                          std::shared_ptr<arrow::RecordBatch>* rows) const {
  const bool any = std::any_of(columns_.begin(), columns_.end(),
                               [](const Column& column) { return column.generate != nullptr; });
  if (!any) return Status::OK();
  arrow::FieldVector nullable;
  for (const auto& field : schema_->fields()) nullable.push_back(field->WithNullable(true));
  SLUICE_ASSIGN_OR_RETURN(auto base, AdaptRows(*rows, arrow::schema(std::move(nullable))));
  arrow::ArrayVector columns = base->columns();
  for (size_t i = 0; i < columns_.size(); ++i) {
    const Column& column = columns_[i];
    if (column.generate == nullptr) continue;
    SLUICE_ASSIGN_OR_RETURN(auto value, column.generate(base));
    SLUICE_ASSIGN_OR_RETURN(
        value, AdaptArray(value, column.field->type(), column.field->name(), FieldNames::kLogical));
    if (given[i]) {
      const int64_t row = FirstDifference(*columns[i], *value);
      if (row >= 0) {
        return Violated("Generated Column", column.field->name() + " <=> " + column.generation,
                        *base, row);
      }
    }
    columns[i] = std::move(value);
  }
  *rows = arrow::RecordBatch::Make(schema_, base->num_rows(), std::move(columns));
  return Status::OK();
}

Status RowRules::CheckAll(const std::shared_ptr<arrow::RecordBatch>& rows) const {
  if (rows->num_rows() == 0) return Status::OK();
  for (const Check& check : checks_) {
    SLUICE_ASSIGN_OR_RETURN(const auto array, check.holds(rows));
    const auto& holds = static_cast<const arrow::BooleanArray&>(*array);
    if (holds.true_count() == rows->num_rows()) continue;
    int64_t row = 0;
    while (holds.IsValid(row) && holds.Value(row)) ++row;
    return Violated(check.name, check.text, *rows, row);
  }
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> RowRules::WithoutGenerated(
    const std::shared_ptr<arrow::RecordBatch>& rows,
    const std::vector<std::string>& assigned) const {
  auto kept = rows;
  for (const Column& column : columns_) {
    if (column.generate == nullptr) continue;
    const std::string& name = column.field->name();
    const int index = kept->schema()->GetFieldIndex(name);
    if (index < 0 || std::find(assigned.begin(), assigned.end(), name) != assigned.end()) continue;
    SLUICE_ASSIGN_OR_RETURN(kept, kept->RemoveColumn(index));
  }
  return kept;
}

Status RowRules::CheckAssignable(const std::string& name) const {
  for (const Column& column : columns_) {
    if (column.identity && column.field->name() == name) {
      return MakeError("DELTA_IDENTITY_COLUMNS_UPDATE_NOT_SUPPORTED",
                       "identity column cannot be updated: " + name, "leave the column out");
    }
  }
  return Status::OK();
}

std::shared_ptr<arrow::Schema> RowRules::SchemaAfter() const {
  arrow::FieldVector fields;
  bool any = false;
  for (const Column& column : columns_) {
    fields.push_back(column.field);
    if (!column.numbered) continue;
    any = true;
    fields.back() = WithHighWaterMark(*column.field, *column.identity->high_water_mark);
  }
  return any ? arrow::schema(std::move(fields)) : nullptr;
}

}  // namespace sluice::delta
