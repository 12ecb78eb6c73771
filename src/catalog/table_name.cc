#include "catalog/table_name.h"

#include "base/text.h"

namespace sluice::catalog {

Result<TableName> QualifyName(const std::vector<std::string>& parts, const std::string& catalog,
                              const std::string& default_schema) {
  std::string shown;
  for (const std::string& part : parts) shown += (shown.empty() ? "" : ".") + part;
  if (parts.empty() || parts.size() > 3) {
    return MakeError("INVALID_IDENTIFIER", "a table name has one to three parts: " + shown);
  }
  for (const std::string& part : parts) {
    if (part.empty() || part == "." || part == ".." || part.find('/') != std::string::npos ||
        part.front() == '_') {
      return MakeError("INVALID_IDENTIFIER", "not a table name: " + shown,
                       "a name part is not empty, has no '/' and does not begin with '_'");
    }
  }
  if (parts.size() == 3 && !EqualsIgnoreCase(parts[0], catalog)) {
    return MakeError("TABLE_OR_VIEW_NOT_FOUND", "no such catalog: " + parts[0],
                     "the project's catalog is " + catalog);
  }
  return TableName{LowerAscii(parts.size() == 1 ? default_schema : parts[parts.size() - 2]),
                   LowerAscii(parts.back())};
}

Result<TableName> QualifyDottedName(const std::string& name, const std::string& catalog,
                                    const std::string& default_schema) {
  std::vector<std::string> parts;
  for (size_t begin = 0; begin <= name.size();) {
    size_t end = name.find('.', begin);
    if (end == std::string::npos) end = name.size();
    parts.push_back(name.substr(begin, end - begin));
    begin = end + 1;
  }
  return QualifyName(parts, catalog, default_schema);
}

std::string TablePath(const std::string& warehouse, const TableName& name) {
  return warehouse + "/" + name.schema + "/" + name.table;
}

Result<TableLocation> LocateTable(const std::vector<std::string>& parts,
                                  const std::string& warehouse, const std::string& catalog,
                                  const std::string& default_schema) {
  if (parts.size() == 2 && EqualsIgnoreCase(parts[0], "delta"))
    return TableLocation{parts[1], std::nullopt};
  SLUICE_ASSIGN_OR_RETURN(TableName name, QualifyName(parts, catalog, default_schema));
  std::string path = TablePath(warehouse, name);
  return TableLocation{std::move(path), std::move(name)};
}

}  // namespace sluice::catalog
