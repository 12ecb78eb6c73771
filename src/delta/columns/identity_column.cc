#include "delta/columns/identity_column.h"

#include <arrow/util/key_value_metadata.h>

#include "delta/protocol/number_text.h"
#include "delta/protocol/schema_json.h"

namespace sluice::delta {

Result<std::optional<IdentityColumn>> IdentityOf(const arrow::Field& field) {
  const auto number = [&](const char* key) {
    return LeadingNumber<int64_t>(ColumnMetadata(field, key));
  };
  const auto start = number(kIdentityStart);
  if (!start.has_value()) return std::optional<IdentityColumn>();
  if (field.type()->id() != arrow::Type::INT64)
    return MakeError("DELTA_LOG_CORRUPT", "identity column is no BIGINT: " + field.name());
  return std::optional(
      IdentityColumn{*start, number(kIdentityStep).value_or(1), number(kHighWaterMark)});
}

std::shared_ptr<arrow::Field> WithHighWaterMark(const arrow::Field& field, int64_t mark) {
  auto metadata = field.metadata()->Copy();
  SLUICE_CHECK(metadata->Set(kHighWaterMark, std::to_string(mark)).ok(),
               "a key of metadata can be set");
  return field.WithMetadata(std::move(metadata));
}

}  // namespace sluice::delta
