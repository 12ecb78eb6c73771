#include "delta/columns/schema_edit.h"

#include <algorithm>
#include <cctype>

namespace sluice::delta {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

bool SameName(const std::string& a, const std::string& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](unsigned char x, unsigned char y) {
    return std::tolower(x) == std::tolower(y);
  });
}

Status NoColumn(const std::vector<std::string>& path) {
  return MakeError("DELTA_SCHEMA_MISMATCH", "the table has no column " + DottedPath(path));
}

using TypeChange = std::function<Result<TypePtr>(const TypePtr&)>;

/// Steps into a list or map: applies `change` to what `step` names of `type`.
Result<TypePtr> EditContainer(const TypePtr& type, const std::string& step,
                              const std::vector<std::string>& path, const TypeChange& change) {
  if (type->id() == arrow::Type::LIST && SameName(step, "element")) {
    SLUICE_ASSIGN_OR_RETURN(auto changed, change(type->field(0)->type()));
    return arrow::list(type->field(0)->WithType(std::move(changed)));
  }
  if (type->id() == arrow::Type::MAP && (SameName(step, "key") || SameName(step, "value"))) {
    const auto& map = static_cast<const arrow::MapType&>(*type);
    const bool key = SameName(step, "key");
    SLUICE_ASSIGN_OR_RETURN(auto changed, change(key ? map.key_type() : map.item_type()));
    return std::make_shared<arrow::MapType>(
        key ? map.key_field()->WithType(changed) : map.key_field(),
        key ? map.item_field() : map.item_field()->WithType(changed));
  }
  return NoColumn(path);
}

class FieldsEditor {
 public:
  FieldsEditor(const std::vector<std::string>& path, const FieldsEdit& edit)
      : path_(path), edit_(edit) {}

  Result<arrow::FieldVector> Fields(arrow::FieldVector fields, size_t depth) const {
    if (depth == path_.size()) return edit_(std::move(fields));
    const int index = FindFieldIndex(fields, path_[depth]);
    if (index < 0) return NoColumn(path_);
    auto& field = fields[static_cast<size_t>(index)];
    SLUICE_ASSIGN_OR_RETURN(auto type, Type(field->type(), depth + 1));
    field = field->WithType(std::move(type));
    return fields;
  }

 private:
  Result<TypePtr> Type(const TypePtr& type, size_t depth) const {
    if (type->id() == arrow::Type::STRUCT) {
      SLUICE_ASSIGN_OR_RETURN(auto fields, Fields(type->fields(), depth));
      return arrow::struct_(std::move(fields));
    }
    if (depth == path_.size()) return NoColumn(path_);
    return EditContainer(type, path_[depth], path_,
                         [&](const TypePtr& held) { return Type(held, depth + 1); });
  }

  const std::vector<std::string>& path_;
  const FieldsEdit& edit_;
};

}  // namespace

Result<arrow::FieldVector> EditFields(const arrow::FieldVector& fields,
                                      const std::vector<std::string>& path,
                                      const FieldsEdit& edit) {
  return FieldsEditor(path, edit).Fields(fields, 0);
}

int FindFieldIndex(const arrow::FieldVector& fields, const std::string& name) {
  for (size_t i = 0; i < fields.size(); ++i) {
    if (SameName(fields[i]->name(), name)) return static_cast<int>(i);
  }
  return -1;
}

arrow::FieldVector FieldsAlong(const arrow::FieldVector& fields,
                               const std::vector<std::string>& path) {
  arrow::FieldVector along;
  for (const std::string& name : path) {
    if (!along.empty() && along.back()->type()->id() != arrow::Type::STRUCT) return {};
    const auto& below = along.empty() ? fields : along.back()->type()->fields();
    const int index = FindFieldIndex(below, name);
    if (index < 0) return {};
    along.push_back(below[static_cast<size_t>(index)]);
  }
  return along;
}

std::shared_ptr<arrow::Field> FindField(const arrow::FieldVector& fields,
                                        const std::vector<std::string>& path) {
  const auto along = FieldsAlong(fields, path);
  return along.empty() ? nullptr : along.back();
}

Result<SplitPath> SplitAtHolder(const arrow::FieldVector& fields,
                                const std::vector<std::string>& path) {
  TypePtr type = arrow::struct_(fields);
  SplitPath split;
  for (size_t i = 0; i < path.size(); ++i) {
    if (type->id() == arrow::Type::STRUCT) {
      const int index = FindFieldIndex(type->fields(), path[i]);
      if (index < 0) return NoColumn(path);
      type = type->field(index)->type();
      split.holder.assign(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(i) + 1);
      split.below.clear();
      continue;
    }
    TypePtr held;
    SLUICE_RETURN_NOT_OK(EditContainer(type, path[i], path, [&](const TypePtr& inner) {
                           held = inner;
                           return Result<TypePtr>(inner);
                         }).status());
    type = std::move(held);
    split.below.push_back(path[i]);
  }
  if (split.holder.empty()) return NoColumn(path);
  return split;
}

Result<TypePtr> EditType(const TypePtr& type, const std::vector<std::string>& below,
                         const TypeChange& change) {
  if (below.empty()) return change(type);
  const std::vector<std::string> rest(below.begin() + 1, below.end());
  return EditContainer(type, below[0], below,
                       [&](const TypePtr& held) { return EditType(held, rest, change); });
}

std::string DottedPath(const std::vector<std::string>& path) {
  std::string text;
  for (const std::string& name : path) text += (text.empty() ? "" : ".") + name;
  return text;
}

}  // namespace sluice::delta
