// The text that is parsed, and where in it (and in the file it came from) something stands.
// Every node of the AST carries a Span; errors turn it into file:line:column and a caret line.
// Immutable.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace sluice::sql {

/// A piece of SourceText::text(): byte offset and length.
struct Span {
  uint32_t offset = 0;
  uint32_t length = 0;

  uint32_t end() const { return offset + length; }
  bool operator==(const Span&) const = default;
};

/// The smallest span that covers both.
Span Cover(Span first, Span last);

/// A place for people: both start at 1; columns count characters (UTF-8), not bytes.
struct LineColumn {
  uint32_t line = 1;
  uint32_t column = 1;
};

/// The text handed to the lexer. Where `${key}` was replaced, it remembers the original, so that
/// places are those of the file the user sees.
class SourceText {
 public:
  /// A part of text() that came, byte for byte, from `original_offset` on (replaced = false), or
  /// that replaced `original_length` bytes there (replaced = true).
  struct Segment {
    uint32_t offset = 0;
    uint32_t original_offset = 0;
    uint32_t original_length = 0;
    bool replaced = false;
  };

  SourceText(std::string file_name, std::string text);
  /// REQUIRES: `segments` is ordered by offset and covers `text`.
  SourceText(std::string file_name, std::string original, std::string text,
             std::vector<Segment> segments);

  /// As the user named it; may be empty (a statement from the command line).
  const std::string& file_name() const { return file_name_; }
  /// What the lexer reads; the offsets of all spans refer to it.
  const std::string& text() const { return text_; }
  const std::string& original() const { return segments_.empty() ? text_ : original_; }

  std::string_view Slice(Span span) const;
  /// The span of the original text that `span` came from.
  Span ToOriginal(Span span) const;
  LineColumn Locate(Span span) const;
  /// "file.sql:3:14", or "line 3:14" where there is no file name.
  std::string Place(Span span) const;
  /// The line of the original where `span` starts and a line of carets under it:
  ///   SELECT a FORM t
  ///            ^^^^
  std::string Caret(Span span) const;

 private:
  uint32_t OriginalOffset(uint32_t offset, bool at_end) const;

  std::string file_name_;
  std::string original_;
  std::string text_;
  std::vector<Segment> segments_;
};

}  // namespace sluice::sql
