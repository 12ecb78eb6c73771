#include "delta/protocol/write_properties.h"

#include <algorithm>
#include <utility>

namespace sluice::delta {
namespace {

Status Invalid(const std::string& key, const std::string& value, const std::string& wanted) {
  return MakeError("DELTA_INVALID_PROPERTY",
                   "table property has no usable value: " + key + " = '" + value + "'",
                   "give " + wanted);
}

}  // namespace

Result<bool> SetWriteProperty(const std::string& key, const std::string& value,
                              WriteProperties* properties) {
  if (key == "delta.dataSkippingStatsColumns") {
    SLUICE_ASSIGN_OR_RETURN(properties->stats_columns, ParseColumnList(value));
    return true;
  }
  if (key == "delta.autoOptimize.autoCompact" || key == "delta.autoOptimize") {
    // "auto" and "legacy" let the engine choose the size: here it is the target.
    properties->auto_compact = value == "true" || value == "auto" || value == "legacy";
    if (!properties->auto_compact && value != "false") return Invalid(key, value, "true or false");
    return true;
  }
  if (key == "delta.parquet.format.version") {
    if (!value.starts_with("1.") && !value.starts_with("2."))
      return Invalid(key, value, "1.0.0 or 2.12.0");
    properties->parquet_format = value[0] - '0';
    return true;
  }
  return false;
}

WriteProperties WritePropertiesOf(const StringMap& configuration) {
  WriteProperties properties;
  for (const auto& [key, value] : configuration) (void)SetWriteProperty(key, value, &properties);
  return properties;
}

Result<std::vector<std::vector<std::string>>> ParseColumnList(const std::string& text) {
  std::vector<std::vector<std::string>> columns(1);
  std::string name;
  bool quoted = false;
  bool was_quoted = false;
  const auto end_name = [&] {
    if (!was_quoted) {
      const size_t begin = name.find_first_not_of(' ');
      name = begin == std::string::npos
                 ? std::string()
                 : name.substr(begin, name.find_last_not_of(' ') - begin + 1);
    }
    columns.back().push_back(std::exchange(name, {}));
    was_quoted = false;
  };
  for (const char c : text) {
    if (c == '`') {
      if (!quoted) name.clear();
      quoted = !quoted;
      was_quoted = true;
    } else if (!quoted && (c == '.' || c == ',')) {
      end_name();
      if (c == ',') columns.emplace_back();
    } else if (quoted || !was_quoted) {
      name += c;
    }
  }
  end_name();
  for (const auto& column : columns) {
    if (std::any_of(column.begin(), column.end(), [](const auto& part) { return part.empty(); }) ||
        quoted)
      return Invalid("delta.dataSkippingStatsColumns", text, "columns with commas between them");
  }
  return columns;
}

std::string ColumnListText(const std::vector<std::vector<std::string>>& columns) {
  std::string text;
  for (const auto& column : columns) {
    if (!text.empty()) text += ',';
    for (size_t i = 0; i < column.size(); ++i) {
      const bool plain = column[i].find_first_of(" ,.`") == std::string::npos;
      text += (i == 0 ? "" : ".") + (plain ? column[i] : "`" + column[i] + "`");
    }
  }
  return text;
}

}  // namespace sluice::delta
