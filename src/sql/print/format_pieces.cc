#include <algorithm>
#include <set>
#include <utility>

#include "sql/parser/lexer.h"
#include "sql/parser/token_cursor.h"
#include "sql/print/format_pieces_internal.h"

namespace sluice::sql {
namespace {

/// Comments between two tokens. Blanks beyond ASCII are skipped like blanks.
class GapReader {
 public:
  GapReader(std::string_view gap, bool at_start) : gap_(gap), newline_(at_start) {}

  void Read(FormatPiece* piece) {
    while (at_ < gap_.size()) {
      if (gap_.compare(at_, 2, "--") == 0) {
        Comment(piece, LineEnd(), true);
      } else if (gap_.compare(at_, 2, "/*") == 0) {
        Comment(piece, BracketEnd(), false);
      } else {
        if (gap_[at_] == '\n') {
          blank_ = blank_ || (newline_ && at_ > 0);
          newline_ = true;
        }
        ++at_;
      }
    }
    piece->blank_before = blank_;
  }

 private:
  // A backslash before the line end goes on with the comment, as in the lexer.
  size_t LineEnd() const {
    size_t end = at_;
    while (end < gap_.size() && gap_[end] != '\n') {
      end += gap_[end] == '\\' && end + 1 < gap_.size() && gap_[end + 1] == '\n' ? 2 : 1;
    }
    return std::min(end, gap_.size());
  }

  size_t BracketEnd() const {
    int depth = 0;
    size_t end = at_;
    do {
      if (gap_.compare(end, 2, "/*") == 0) {
        ++depth;
        end += 2;
      } else if (gap_.compare(end, 2, "*/") == 0) {
        --depth;
        end += 2;
      } else {
        ++end;
      }
    } while (depth > 0 && end < gap_.size());
    return std::min(end, gap_.size());
  }

  void Comment(FormatPiece* piece, size_t end, bool is_line) {
    std::string_view text = gap_.substr(at_, end - at_);
    while (is_line && !text.empty() &&
           (text.back() == '\r' || text.back() == ' ' || text.back() == '\t')) {
      text.remove_suffix(1);
    }
    piece->comments.push_back({text, is_line, newline_, blank_});
    newline_ = blank_ = false;
    at_ = end;
  }

  const std::string_view gap_;
  size_t at_ = 0;
  bool newline_;
  bool blank_ = false;
};

/// Whether `a` and `b` are written without a blank between them.
class Spacing {
 public:
  Spacing(const std::vector<Token>& tokens, const std::vector<FormatPiece>& pieces)
      : tokens_(tokens), pieces_(pieces) {}

  bool Space(size_t i) {
    const bool space = i > 0 && !TypeBracket(i) && !Tight(i);
    unary_ = Sign(i) && !AfterOperand(i);
    return space;
  }

  /// Of the piece seen last: the '<' that it closes, or 0.
  size_t closed() const { return closed_; }

 private:
  bool Touches(size_t i) const { return tokens_[i - 1].span.end() == tokens_[i].span.offset; }
  bool Symbol(size_t i, std::initializer_list<std::string_view> symbols) const {
    return tokens_[i].kind == TokenKind::kSymbol &&
           std::find(symbols.begin(), symbols.end(), tokens_[i].text) != symbols.end();
  }
  bool Sign(size_t i) const { return Symbol(i, {"-", "+"}); }

  // The < and > of ARRAY<..>, MAP<..>, STRUCT<..>: no blank before them.
  bool TypeBracket(size_t i) {
    closed_ = 0;
    const bool after_type = EqualsIgnoreCase(tokens_[i - 1].text, "ARRAY") ||
                            EqualsIgnoreCase(tokens_[i - 1].text, "MAP") ||
                            EqualsIgnoreCase(tokens_[i - 1].text, "STRUCT");
    if (Symbol(i, {"<"}) && after_type && Touches(i)) {
      types_.push_back(i);
      return true;
    }
    if (Symbol(i, {">"}) && !types_.empty()) {
      closed_ = types_.back();
      types_.pop_back();
      return true;
    }
    return false;
  }

  bool Tight(size_t i) const {
    if (Symbol(i, {",", ";", ")", "]"}) || Symbol(i - 1, {"(", "["})) {
      return true;
    }
    if (!types_.empty() && types_.back() == i - 1) {
      return true;
    }
    if (Symbol(i, {"."}) || Symbol(i - 1, {"."})) {
      const bool number =
          tokens_[i].kind == TokenKind::kNumber || tokens_[i - 1].kind == TokenKind::kNumber;
      return !number || Touches(i);
    }
    if (Symbol(i, {"::"}) || Symbol(i - 1, {"::", "~"})) {
      return true;
    }
    if (unary_) {
      return !Sign(i);
    }
    if (Symbol(i, {"("})) {
      return Touches(i) && !(pieces_[i - 1].keyword && BlankBeforeTuple(pieces_[i - 1].text));
    }
    return Touches(i) && KeepsTouching(i);
  }

  // Where a blank could change the meaning, or what is usual depends on it.
  bool KeepsTouching(size_t i) const {
    if (Symbol(i, {":", "[", "{", "}", "$", "@", "#", "\\"}) ||
        Symbol(i - 1, {":", "{", "}", "$", "@", "#", "\\", "!", "?"})) {
      return true;
    }
    if (Symbol(i, {"<", ">", "=", "!"}) && Symbol(i - 1, {"<", ">", "=", "!"})) {
      return true;
    }
    const bool word = tokens_[i - 1].kind == TokenKind::kWord;
    return (word && tokens_[i].kind == TokenKind::kString) ||
           (tokens_[i - 1].kind == TokenKind::kNumber && tokens_[i].kind == TokenKind::kWord);
  }

  static bool BlankBeforeTuple(const std::string& word) {
    static const std::set<std::string> kept{"STREAM",     "TABLE",  "ROLLUP", "CUBE", "SETS",
                                            "IDENTIFIER", "EXISTS", "CAST",   "TRIM", "EXTRACT"};
    return kept.count(word) == 0;
  }

  // What stands before: a value, so that a sign is an operator between two.
  bool AfterOperand(size_t i) const {
    if (i == 0) {
      return false;
    }
    const Token& before = tokens_[i - 1];
    if (before.kind == TokenKind::kSymbol) {
      return Symbol(i - 1, {")", "]", "?"});
    }
    if (before.kind != TokenKind::kWord) {
      return true;
    }
    static const std::set<std::string> values{
        "END",   "NULL", "TRUE", "FALSE", "YEAR",  "YEARS",  "MONTH",   "MONTHS", "WEEK",
        "WEEKS", "DAY",  "DAYS", "HOUR",  "HOURS", "MINUTE", "MINUTES", "SECOND", "SECONDS"};
    return pieces_[i - 1].keyword ? values.count(pieces_[i - 1].text) != 0
                                  : !EqualsIgnoreCase(before.text, "INTERVAL");
  }

  const std::vector<Token>& tokens_;
  const std::vector<FormatPiece>& pieces_;
  std::vector<size_t> types_;
  bool unary_ = false;
  size_t closed_ = 0;
};

/// Statements whose text is taken as it stands: SET k = anything, and what is not parsed further.
bool IsVerbatim(const Statement& statement) {
  return statement.As<SetConfiguration>() != nullptr ||
         statement.As<ResetConfiguration>() != nullptr ||
         statement.As<UnsupportedStatement>() != nullptr;
}

class PieceMaker {
 public:
  PieceMaker(const std::string& original, const ParsedFile& file)
      : original_(original), file_(file), tokens_(Tokenize(*file.source)) {
    MergeVerbatim();
  }

  std::vector<FormatPiece> Make() {
    pieces_.resize(tokens_.size());
    size_t keyword = 0;
    Spacing spacing(tokens_, pieces_);
    size_t gap = 0;
    for (size_t i = 0; i < tokens_.size(); ++i) {
      const Token& token = tokens_[i];
      FormatPiece& piece = pieces_[i];
      piece.kind = token.kind;
      piece.text = original_.substr(token.span.offset, token.span.length);
      while (keyword < file_.keywords.size() &&
             file_.keywords[keyword].offset < token.span.offset) {
        ++keyword;
      }
      piece.keyword = keyword < file_.keywords.size() && file_.keywords[keyword] == token.span;
      if (piece.keyword) {
        piece.text = ToUpper(piece.text);
      }
      piece.statement_end = piece.IsSymbol(";");
      piece.space = spacing.Space(i);
      Match(i, spacing.closed());
      GapReader(std::string_view(original_).substr(gap, token.span.offset - gap), i == 0)
          .Read(&piece);
      gap = token.span.end();
    }
    return std::move(pieces_);
  }

 private:
  // All tokens of a verbatim statement become one.
  void MergeVerbatim() {
    std::vector<Token> merged;
    size_t at = 0;
    for (const Statement& statement : file_.statements) {
      if (!IsVerbatim(statement)) {
        continue;
      }
      while (at < tokens_.size() && tokens_[at].span.offset < statement.span.offset) {
        merged.push_back(tokens_[at++]);
      }
      Token whole;
      whole.kind = TokenKind::kString;
      whole.span = statement.span;
      merged.push_back(whole);
      while (at < tokens_.size() && tokens_[at].kind != TokenKind::kEnd &&
             tokens_[at].span.offset < statement.span.end()) {
        ++at;
      }
    }
    merged.insert(merged.end(), tokens_.begin() + static_cast<std::ptrdiff_t>(at), tokens_.end());
    tokens_ = std::move(merged);
  }

  void Match(size_t i, size_t type_bracket) {
    FormatPiece& piece = pieces_[i];
    if (type_bracket > 0) {
      pieces_[type_bracket].match = i;
    } else if (piece.IsSymbol("(") || piece.IsSymbol("[") || piece.Is("CASE")) {
      open_.push_back(i);
    } else if ((piece.IsSymbol(")") || piece.IsSymbol("]") || piece.Is("END")) && !open_.empty()) {
      pieces_[open_.back()].match = i;
      open_.pop_back();
    } else if (piece.statement_end) {
      open_.clear();
    }
  }

  const std::string& original_;
  const ParsedFile& file_;
  std::vector<Token> tokens_;
  std::vector<FormatPiece> pieces_;
  std::vector<size_t> open_;
};

}  // namespace

std::vector<FormatPiece> MakeFormatPieces(const std::string& original, const ParsedFile& file) {
  return PieceMaker(original, file).Make();
}

}  // namespace sluice::sql
