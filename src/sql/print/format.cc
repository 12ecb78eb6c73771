#include "sql/print/format.h"

#include <algorithm>
#include <set>
#include <string_view>
#include <vector>

#include "sql/ast/parse_error.h"
#include "sql/print/format_pieces_internal.h"
#include "sql/print/print.h"

namespace sluice::sql {
namespace {

constexpr size_t kIndent = 2;

/// Writes pieces; breaks are made when the next piece comes, so that a comment that stands behind
/// the last one stays in its line.
class FormatWriter {
 public:
  void Break(size_t indent) {
    if (!text_.empty()) {
      breaks_ = true;
    }
    indent_ = indent;
  }
  void BlankLine() { blank_ = !text_.empty(); }

  /// Where the next piece begins, if it follows `space`.
  size_t Column(bool space) const { return breaks_ ? indent_ : column_ + (space ? 1 : 0); }

  void Write(const FormatPiece& piece, bool space) {
    for (const FormatComment& comment : piece.comments) {
      Comment(comment);
    }
    if (breaks_) {
      NewLine();
      space = false;
    }
    if (piece.text.empty()) {
      return;
    }
    Append((space && column_ > 0 ? " " : "") + piece.text);
  }

  std::string Finish() {
    if (!text_.empty() && text_.back() != '\n') {
      text_ += '\n';
    }
    return std::move(text_);
  }

 private:
  void NewLine() {
    text_ += '\n';
    if (blank_) {
      text_ += '\n';
    }
    blank_ = breaks_ = false;
    text_.append(indent_, ' ');
    column_ = indent_;
  }

  void Append(std::string_view text) {
    text_ += text;
    const size_t line = text.rfind('\n');
    column_ = line == std::string_view::npos ? column_ + Width(text) : Width(text.substr(line + 1));
  }

  static size_t Width(std::string_view text) {
    return static_cast<size_t>(
        std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
  }

  void Comment(const FormatComment& comment) {
    const bool breaks = breaks_;
    const bool blank = blank_;
    if (comment.own_line && !text_.empty()) {
      blank_ = breaks && (blank || (comment.blank_before && indent_ == 0));
      NewLine();
    } else if (!text_.empty() && column_ > 0) {
      Append(" ");
    }
    Append(comment.text);
    // What comes next goes on where it would have, a line later.
    blank_ = blank && !comment.own_line;
    breaks_ = breaks || comment.is_line || comment.own_line;
  }

  std::string text_;
  size_t column_ = 0;
  size_t indent_ = 0;
  bool breaks_ = false;
  bool blank_ = false;
};

class Layout {
 public:
  explicit Layout(const std::vector<FormatPiece>& pieces) : pieces_(pieces) {}

  std::string Run() {
    bool long_before = false;
    for (size_t begin = 0; begin + 1 < pieces_.size();) {
      size_t end = begin;
      while (end + 1 < pieces_.size() && !pieces_[end].statement_end) {
        ++end;
      }
      const bool fits = FitsIn(begin, end, 0);
      out_.Break(0);
      if (long_before || !fits || pieces_[begin].blank_before || HasBlank(pieces_[begin])) {
        if (begin > 0) {
          out_.BlankLine();
        }
      }
      Sequence(begin, end, 0, true);
      if (pieces_[end].statement_end) {
        out_.Write(pieces_[end++], false);
      }
      long_before = !fits;
      begin = end;
    }
    out_.Break(0);
    FormatPiece last = pieces_.back();
    if (last.comments.empty()) {
      return out_.Finish();
    }
    if (HasBlank(last)) {
      out_.BlankLine();
    }
    out_.Write(last, false);
    return out_.Finish();
  }

 private:
  static bool HasBlank(const FormatPiece& piece) {
    return std::any_of(piece.comments.begin(), piece.comments.end(),
                       [](const FormatComment& comment) { return comment.blank_before; });
  }

  size_t Next(size_t i) const { return std::max(pieces_[i].match, i) + 1; }

  /// Whether [begin, end) can stand in one line that begins at `column`; comments before its first
  /// piece are no part of it.
  bool FitsIn(size_t begin, size_t end, size_t column) const {
    size_t width = column;
    for (size_t i = begin; i < end; ++i) {
      const FormatPiece& piece = pieces_[i];
      if (piece.text.find('\n') != std::string::npos) {
        return false;
      }
      width += piece.text.size() + (i > begin && piece.space ? 1 : 0);
      for (const FormatComment& comment : piece.comments) {
        if (i > begin && (comment.own_line || comment.is_line ||
                          comment.text.find('\n') != std::string_view::npos)) {
          return false;
        }
        width += i > begin ? comment.text.size() + 1 : 0;
      }
      if (width >= kFormatWidth) {
        return false;
      }
    }
    return true;
  }
  bool Fits(size_t begin, size_t end) const {
    return FitsIn(begin, end, out_.Column(pieces_[begin].space));
  }

  void Flat(size_t begin, size_t end) {
    for (size_t i = begin; i < end; ++i) {
      out_.Write(pieces_[i], pieces_[i].space);
    }
  }

  /// `statement`: the clauses of definitions count as well, as nowhere inside parentheses.
  void Sequence(size_t begin, size_t end, size_t indent, bool statement) {
    if (begin >= end) {
      return;
    }
    if (Fits(begin, end)) {
      Flat(begin, end);
      return;
    }
    const std::vector<size_t> clauses = Clauses(begin, end, statement);
    if (clauses.size() > 1 || (clauses.size() == 1 && StartsClause(begin, begin, statement))) {
      for (size_t i = 0; i < clauses.size(); ++i) {
        if (i > 0) {
          out_.Break(indent);
        }
        Clause(clauses[i], i + 1 < clauses.size() ? clauses[i + 1] : end, indent);
      }
      return;
    }
    Body(begin, end, indent, 0);
  }

  // Where the lines of a sequence begin.
  std::vector<size_t> Clauses(size_t begin, size_t end, bool statement) const {
    std::vector<size_t> starts{begin};
    for (size_t i = Next(begin); i < end; i = Next(i)) {
      if (StartsClause(begin, i, statement)) {
        starts.push_back(i);
      }
    }
    return starts;
  }

  static bool IsJoinWord(const FormatPiece& piece) {
    static const std::set<std::string_view> words{"NATURAL", "INNER", "LEFT", "RIGHT", "FULL",
                                                  "OUTER",   "CROSS", "SEMI", "ANTI",  "JOIN"};
    return piece.keyword && words.count(piece.text) != 0;
  }

  bool StartsClause(size_t begin, size_t i, bool statement) const {
    const FormatPiece& piece = pieces_[i];
    if (piece.IsSymbol("|>")) {
      return true;
    }
    if (!piece.keyword) {
      return false;
    }
    static const FormatPiece none;
    const FormatPiece& before = i > begin ? pieces_[i - 1] : none;
    if (before.IsSymbol("|>") || before.Is("AS")) {
      return false;
    }
    return StartsQueryClause(i, before) || (statement && StartsStatementClause(begin, i, before));
  }

  bool StartsQueryClause(size_t i, const FormatPiece& before) const {
    static const std::set<std::string_view> alone{
        "SELECT", "WHERE", "HAVING",    "QUALIFY", "LIMIT", "OFFSET",  "VALUES",
        "UNION",  "WITH",  "INTERSECT", "MINUS",   "PIVOT", "UNPIVOT", "WINDOW"};
    static const std::set<std::string_view> with_by{"GROUP",   "ORDER",      "SORT",
                                                    "CLUSTER", "DISTRIBUTE", "PARTITION"};
    const FormatPiece& piece = pieces_[i];
    const FormatPiece& after = pieces_[i + 1];
    if (IsJoinWord(piece)) {
      return !IsJoinWord(before);
    }
    if (piece.text == "FROM") {
      return !before.Is("DISTINCT") && !before.Is("DELETE") && !before.Is("CHANGES");
    }
    if (piece.text == "EXCEPT") {
      return !before.IsSymbol("*");
    }
    if (with_by.count(piece.text) != 0) {
      return after.Is("BY");
    }
    if (piece.text == "LATERAL") {
      return after.Is("VIEW");
    }
    if (piece.text == "WITH") {
      return !after.IsSymbol("(") && !after.Is("ROW") && !after.Is("SCHEMA");
    }
    return alone.count(piece.text) != 0;
  }

  bool StartsStatementClause(size_t begin, size_t i, const FormatPiece& before) const {
    static const std::set<std::string_view> words{
        "COMMENT",  "TBLPROPERTIES", "OPTIONS", "LOCATION", "SCHEDULE", "TRIGGER",    "KEYS",
        "SEQUENCE", "SYSTEM",        "STORED",  "TRACK",    "IGNORE",   "WHEN",       "ZORDER",
        "AUTO",     "INSERT",        "FLOW",    "SET",      "APPLY",    "PARTITIONED"};
    const FormatPiece& piece = pieces_[i];
    const FormatPiece& after = pieces_[i + 1];
    if (i == begin || before.Is("CREATE") || before.Is("ALTER") || before.Is("ADD") ||
        before.Is("DROP") || before.Is("FLOW") || before.Is("THEN") || before.Is("UPDATE")) {
      return false;
    }
    if (piece.text == "AS") {
      return after.IsSymbol("(") || after.Is("SELECT") || after.Is("WITH") || after.Is("FROM") ||
             after.Is("VALUES") || after.Is("TABLE") || after.Is("INSERT") || after.Is("AUTO") ||
             after.Is("APPLY");
    }
    if (piece.text == "USING") {
      return pieces_[begin].Is("MERGE") || (pieces_[begin].Is("CREATE") && !after.IsSymbol("("));
    }
    if (piece.text == "COLUMNS") {
      return !before.Is("USING") && !before.Is("REPLACE");
    }
    return words.count(piece.text) != 0;
  }

  /// A clause is its words, then a list, a condition or something else.
  void Clause(size_t begin, size_t end, size_t indent) {
    if (Fits(begin, end)) {
      Flat(begin, end);
      return;
    }
    size_t header = pieces_[begin].IsSymbol("|>") || pieces_[begin].Is("AS") ? 2 : 1;
    while (begin + header < end &&
           (pieces_[begin + header].Is("BY") || pieces_[begin + header].Is("DISTINCT") ||
            pieces_[begin + header].Is("RECURSIVE"))) {
      ++header;
    }
    Body(begin, end, indent, std::min(header, end - begin));
  }

  /// [begin, begin + header) stays in the line; what follows is broken at its commas, else at its
  /// ANDs and ORs, else in its parentheses.
  void Body(size_t begin, size_t end, size_t indent, size_t header) {
    const size_t body = begin + header;
    const std::vector<size_t> commas = Split(body, end, true);
    if (!commas.empty()) {
      Items(begin, body, end, indent, commas);
      return;
    }
    const std::vector<size_t> ands = Split(body, end, false);
    size_t from = begin;
    for (const size_t at : ands) {
      Inline(from, at, indent);
      out_.Break(indent + kIndent);
      from = at;
    }
    Inline(from, end, ands.empty() ? indent : indent + kIndent);
  }

  void Items(size_t begin, size_t body, size_t end, size_t indent,
             const std::vector<size_t>& commas) {
    const bool headed = body > begin;
    const size_t inner = headed ? indent + kIndent : indent;
    Flat(begin, body);
    size_t from = body;
    for (size_t i = 0; i <= commas.size(); ++i) {
      const size_t to = i < commas.size() ? commas[i] : end;
      if (headed || i > 0) {
        out_.Break(inner);
      }
      Item(from, to, inner);
      if (to < end) {
        out_.Write(pieces_[to], false);
      }
      from = to + 1;
    }
  }

  void Item(size_t begin, size_t end, size_t indent) {
    if (begin >= end) {
      return;
    }
    if (Fits(begin, end)) {
      Flat(begin, end);
    } else {
      Body(begin, end, indent, 0);
    }
  }

  // The commas, or the ANDs and ORs, that are not inside parentheses.
  std::vector<size_t> Split(size_t begin, size_t end, bool commas) const {
    std::vector<size_t> places;
    bool between = false;
    for (size_t i = begin; i < end; i = Next(i)) {
      const FormatPiece& piece = pieces_[i];
      if (commas) {
        if (piece.IsSymbol(",")) {
          places.push_back(i);
        }
      } else if (piece.Is("BETWEEN")) {
        between = true;
      } else if (piece.Is("AND") && between) {
        between = false;
      } else if (i > begin && (piece.Is("AND") || piece.Is("OR"))) {
        places.push_back(i);
      }
    }
    return places;
  }

  void Inline(size_t begin, size_t end, size_t indent) {
    for (size_t i = begin; i < end;) {
      const FormatPiece& piece = pieces_[i];
      const size_t close = piece.match;
      if (close == 0 || close >= end || piece.text == "<") {
        out_.Write(piece, piece.space);
        ++i;
      } else if (close == i + 1 || Fits(i, std::min(close + 2, end))) {
        Flat(i, close + 1);
        i = close + 1;
      } else {
        Group(i, close, indent);
        i = close + 1;
      }
    }
  }

  void Group(size_t open, size_t close, size_t indent) {
    out_.Write(pieces_[open], pieces_[open].space);
    if (pieces_[open].Is("CASE")) {
      Branches(open + 1, close, indent + kIndent);
    } else {
      out_.Break(indent + kIndent);
      Sequence(open + 1, close, indent + kIndent, false);
    }
    out_.Break(indent);
    out_.Write(pieces_[close], pieces_[close].space);
  }

  // [operand] WHEN .. THEN .. ELSE ..
  void Branches(size_t begin, size_t end, size_t indent) {
    size_t from = begin;
    for (size_t i = begin; i <= end; i = Next(i)) {
      if (i < end && !pieces_[i].Is("WHEN") && !pieces_[i].Is("ELSE")) {
        continue;
      }
      Inline(from, i, indent);
      if (i < end) {
        out_.Break(indent);
      }
      from = i;
    }
  }

  const std::vector<FormatPiece>& pieces_;
  FormatWriter out_;
};

/// `${key}` as a name or number of the same length, so that the text parses and tokens keep their
/// places.
std::string Mask(std::string text, const std::set<size_t>& numbers) {
  for (size_t at = 0; (at = text.find("${", at)) != std::string::npos;) {
    const size_t close = text.find_first_of("}\n", at);
    if (close == std::string::npos || text[close] == '\n') {
      at += 2;
      continue;
    }
    const bool number = numbers.count(at) != 0;
    std::fill(text.begin() + static_cast<std::ptrdiff_t>(at),
              text.begin() + static_cast<std::ptrdiff_t>(close + 1), number ? '0' : 'x');
    text[close] = number ? '1' : 'x';
    at = close + 1;
  }
  return text;
}

/// Parses the file as on disk. A variable is read as a name; where that is an error, as a number.
Result<ParsedFile> ParseMasked(const std::string& file_name, const std::string& text) {
  std::set<size_t> numbers;
  while (true) {
    auto parsed = ParseStatements(std::make_shared<SourceText>(file_name, Mask(text, numbers)));
    const ErrorPlace* place = parsed.ok() ? nullptr : PlaceOf(parsed.status());
    if (place == nullptr) {
      return parsed;
    }
    const size_t at = text.rfind("${", place->offset);
    const bool inside = at != std::string::npos && text.find('}', at) != std::string::npos &&
                        text.find('}', at) >= place->offset;
    if (!inside || !numbers.insert(at).second) {
      return parsed;
    }
  }
}

bool SameStatements(const ParsedFile& a, const ParsedFile& b) {
  return std::equal(
      a.statements.begin(), a.statements.end(), b.statements.begin(), b.statements.end(),
      [](const Statement& left, const Statement& right) { return ToSql(left) == ToSql(right); });
}

}  // namespace

Result<std::string> FormatSql(const std::string& file_name, const std::string& text) {
  SLUICE_ASSIGN_OR_RETURN(ParsedFile parsed, ParseMasked(file_name, text));
  std::string formatted = Layout(MakeFormatPieces(text, parsed)).Run();
  const auto again = ParseMasked(file_name, formatted);
  if (!again.ok() || !SameStatements(parsed, *again)) {
    return MakeError("INTERNAL_ERROR", "formatting would change the statements of " + file_name,
                     "please report this with the file");
  }
  return formatted;
}

}  // namespace sluice::sql
