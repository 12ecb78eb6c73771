// The tokens of a file as the formatter sees them: each with the comments in front of it, whether
// it is a keyword, what closes it, and whether a blank goes before it.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sql/parser/pipeline_parser.h"
#include "sql/parser/token.h"

namespace sluice::sql {

struct FormatComment {
  std::string_view text;
  bool is_line = false;       // -- .., ends its line
  bool own_line = false;      // nothing but blanks before it
  bool blank_before = false;  // an empty line before it
};

struct FormatPiece {
  std::string text;
  TokenKind kind = TokenKind::kSymbol;
  bool keyword = false;
  bool space = true;          // a blank before it, when on one line with the piece before
  bool blank_before = false;  // an empty line before it
  bool statement_end = false;
  size_t match = 0;  // of '(', '[', CASE and '<' of a type: its end; else 0
  std::vector<FormatComment> comments;

  bool Is(std::string_view word) const { return keyword && text == word; }
  bool IsSymbol(std::string_view symbol) const {
    return kind == TokenKind::kSymbol && text == symbol;
  }
};

/// The pieces of `original`, the last one empty (it holds the comments of the end). `file` was
/// parsed from a text of the same length with the same tokens at the same places.
std::vector<FormatPiece> MakeFormatPieces(const std::string& original, const ParsedFile& file);

}  // namespace sluice::sql
