// Names and types as the user wrote them.
#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "sql/ast/source_text.h"

namespace sluice::sql {

/// One part of a name as written, back quotes removed. Case is kept; names are compared without
/// case.
struct Name {
  std::string text;
  Span span;
  bool quoted = false;
};

/// `catalog.schema.table`, `delta.`/path``: one part or more.
struct QualifiedName {
  std::vector<Name> parts;
  Span span;

  const std::string& last() const { return parts.back().text; }
  /// The parts without what quotes them.
  std::vector<std::string> Texts() const {
    std::vector<std::string> texts;
    for (const Name& part : parts) texts.push_back(part.text);
    return texts;
  }
  /// The parts joined by dots; a part that needs back quotes has them.
  std::string ToString() const;
};

/// A type as written. `type` is the Arrow type it maps to (data_type_parser.h); VARCHAR(n),
/// CHAR(n) and collations map to utf8 and keep their spelling only in `sql`.
struct TypeName {
  Span span;
  std::shared_ptr<arrow::DataType> type;
  std::string sql;  // canonical, upper case: "ARRAY<INT>"
};

}  // namespace sluice::sql
