#include "delta/protocol/variant_type.h"

#include <arrow/extension/parquet_variant.h>

namespace sluice::delta {

const std::shared_ptr<arrow::DataType>& VariantType() {
  static const std::shared_ptr<arrow::DataType> kType =
      arrow::extension::variant(arrow::struct_({arrow::field("metadata", arrow::binary(), false),
                                                arrow::field("value", arrow::binary(), false)}));
  return kType;
}

bool IsVariant(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION &&
         static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.parquet.variant";
}

}  // namespace sluice::delta
