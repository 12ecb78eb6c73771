// A pipeline file, or what is typed into `sluice sql`, -> statements. Pure functions, any thread.
#pragma once

#include <memory>
#include <vector>

#include "base/status.h"
#include "sql/ast/pipeline_ast.h"
#include "sql/parser/parser.h"

namespace sluice::sql {

struct ParsedFile {
  std::shared_ptr<const SourceText> source;  // what the spans refer to
  std::vector<Statement> statements;
  std::vector<ParseWarning> warnings;
  std::vector<Span> keywords;  // words that are keywords where they stand, in their order
};

/// All statements of `source`, separated by semicolons. The first error ends it.
Result<ParsedFile> ParseStatements(std::shared_ptr<const SourceText> source);
/// Likewise, but leaves out statements with errors, each of which adds one to `errors`.
ParsedFile ParseStatements(std::shared_ptr<const SourceText> source, std::vector<Status>* errors);

}  // namespace sluice::sql
