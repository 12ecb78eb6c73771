#include "codec/json_node.h"

namespace sluice::codec {

Result<JsonNode> JsonNode::Make(const arrow::DataType& type) {
  JsonNode node;
  SLUICE_ASSIGN_OR_RETURN(node.kind, JsonKindOf(type));
  if (node.kind == JsonKind::kDecimal) {
    node.precision = static_cast<const arrow::Decimal128Type&>(type).precision();
    node.scale = static_cast<const arrow::Decimal128Type&>(type).scale();
  }
  std::vector<std::shared_ptr<arrow::DataType>> children;
  if (node.kind == JsonKind::kStruct) {
    for (const auto& field : type.fields()) {
      node.names.push_back(field->name());
      children.push_back(field->type());
    }
  } else if (node.kind == JsonKind::kList) {
    children.push_back(type.field(0)->type());
  } else if (node.kind == JsonKind::kMap) {
    children.push_back(static_cast<const arrow::MapType&>(type).item_type());
  }
  for (const auto& child : children) {
    SLUICE_ASSIGN_OR_RETURN(JsonNode made, Make(*child));
    node.children.push_back(std::move(made));
  }
  return node;
}

int JsonNode::Find(std::string_view name) const {
  for (size_t i = names.size(); i-- > 0;) {
    if (names[i] == name) return static_cast<int>(i);
  }
  return -1;
}

}  // namespace sluice::codec
