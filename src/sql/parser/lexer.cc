#include "sql/parser/lexer.h"

#include <array>
#include <optional>

namespace sluice::sql {
namespace {

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsLetter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsNameByte(char c) {
  return IsLetter(c) || IsDigit(c) || c == '_' || static_cast<unsigned char>(c) >= 0x80;
}

/// Characters beyond ASCII that are blanks (as in Spark's lexer) or look like quotes.
constexpr std::array<std::string_view, 19> kWideBlanks{
    "\xC2\xA0",     "\xE1\x9A\x80", "\xE2\x80\x80", "\xE2\x80\x81", "\xE2\x80\x82",
    "\xE2\x80\x83", "\xE2\x80\x84", "\xE2\x80\x85", "\xE2\x80\x86", "\xE2\x80\x87",
    "\xE2\x80\x88", "\xE2\x80\x89", "\xE2\x80\x8A", "\xE2\x80\x8B", "\xE2\x80\xA8",
    "\xE2\x80\xAF", "\xE2\x81\x9F", "\xE3\x80\x80", "\xEF\xBB\xBF"};
constexpr std::array<std::string_view, 4> kCurlyQuotes{"\xE2\x80\x98", "\xE2\x80\x99",
                                                       "\xE2\x80\x9C", "\xE2\x80\x9D"};

// Longest first. '>>' and '>>>' are put together by the parser, since '>' also closes ARRAY<..>.
constexpr std::array<std::string_view, 42> kSymbols{
    "<=>", "->", "=>", "::", "||", "|>", "==", "!=", "<>", "<=", ">=", "!<", "!>", "<<",
    "(",   ")",  "[",  "]",  "{",  "}",  ",",  ".",  ";",  ":",  "+",  "-",  "*",  "/",
    "%",   "=",  "<",  ">",  "!",  "~",  "&",  "|",  "^",  "?",  "@",  "#",  "$",  "\\"};

void AppendUtf8(uint32_t code, std::string* out) {
  if (code > 0x10FFFF) {
    code = 0xFFFD;
  }
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
    return;
  }
  if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | (code >> 6)));
  } else {
    if (code < 0x10000) {
      out->push_back(static_cast<char>(0xE0 | (code >> 12)));
    } else {
      out->push_back(static_cast<char>(0xF0 | (code >> 18)));
      out->push_back(static_cast<char>(0x80 | ((code >> 12) & 0x3F)));
    }
    out->push_back(static_cast<char>(0x80 | ((code >> 6) & 0x3F)));
  }
  out->push_back(static_cast<char>(0x80 | (code & 0x3F)));
}

std::optional<uint32_t> HexDigits(std::string_view text, size_t at, size_t count) {
  if (at + count > text.size()) {
    return std::nullopt;
  }
  uint32_t value = 0;
  for (const char c : text.substr(at, count)) {
    const bool letter = (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    if (!IsDigit(c) && !letter) {
      return std::nullopt;
    }
    value = value * 16 + static_cast<uint32_t>(IsDigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
  }
  return value;
}

/// Decodes \uXXXX (with a following low surrogate) or \UXXXXXXXX at `at`, which is the letter.
/// Returns the bytes consumed after the backslash, 0 if it is none.
size_t UnescapeUnicode(std::string_view text, size_t at, std::string* out) {
  const size_t digits = text[at] == 'u' ? 4 : 8;
  const std::optional<uint32_t> first = HexDigits(text, at + 1, digits);
  if (!first) {
    return 0;
  }
  if (*first >= 0xD800 && *first < 0xDC00 && text.substr(at + 1 + digits, 2) == "\\u") {
    const std::optional<uint32_t> second = HexDigits(text, at + 3 + digits, 4);
    if (second && *second >= 0xDC00 && *second < 0xE000) {
      AppendUtf8(0x10000 + ((*first - 0xD800) << 10) + (*second - 0xDC00), out);
      return 1 + digits + 6;
    }
  }
  AppendUtf8(*first >= 0xD800 && *first < 0xE000 ? 0xFFFD : *first, out);
  return 1 + digits;
}

/// Decodes what follows a backslash at `at`; returns the bytes consumed.
size_t UnescapeOne(std::string_view text, size_t at, std::string* out) {
  const char c = text[at];
  if (c == 'u' || c == 'U') {
    if (const size_t used = UnescapeUnicode(text, at, out); used > 0) {
      return used;
    }
  }
  const auto octal = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '7'; };
  if ((c == '0' || c == '1') && octal(at + 1) && octal(at + 2)) {
    AppendUtf8(
        static_cast<uint32_t>((c - '0') * 64 + (text[at + 1] - '0') * 8 + (text[at + 2] - '0')),
        out);
    return 3;
  }
  switch (c) {
    case '0': out->push_back('\0'); break;
    case 'b': out->push_back('\b'); break;
    case 'n': out->push_back('\n'); break;
    case 'r': out->push_back('\r'); break;
    case 't': out->push_back('\t'); break;
    case 'Z': out->push_back('\x1A'); break;
    case '%': out->append("\\%"); break;
    case '_': out->append("\\_"); break;
    default: out->push_back(c);
  }
  return 1;
}

class Lexer {
 public:
  Lexer(const SourceText& source, std::vector<Span>* hints) : text_(source.text()), hints_(hints) {}

  std::vector<Token> Run() {
    while (SkipBlanks(), at_ < text_.size()) {
      begin_ = at_;
      One();
    }
    begin_ = text_.size();
    Emit(TokenKind::kEnd);
    return std::move(tokens_);
  }

 private:
  bool Starts(std::string_view prefix) const {
    return text_.compare(at_, prefix.size(), prefix) == 0;
  }
  char Ahead(size_t n) const { return at_ + n < text_.size() ? text_[at_ + n] : '\0'; }

  void Emit(TokenKind kind, std::string value = "") {
    const Span span{static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_ - begin_)};
    tokens_.push_back({kind, span, text_.substr(begin_, at_ - begin_), std::move(value)});
  }

  bool SkipWideBlank() {
    if (static_cast<unsigned char>(text_[at_]) < 0x80) {
      return false;
    }
    for (const std::string_view blank : kWideBlanks) {
      if (Starts(blank)) {
        at_ += blank.size();
        return true;
      }
    }
    return false;
  }

  void SkipBlanks() {
    while (at_ < text_.size()) {
      if (std::string_view(" \t\r\n\f\v").find(text_[at_]) != std::string_view::npos) {
        ++at_;
      } else if (Starts("--")) {
        SkipLineComment();
      } else if (Starts("/*")) {
        SkipBracketedComment();
      } else if (!SkipWideBlank()) {
        return;
      }
    }
  }

  // A backslash before the line end goes on with the comment, as in Spark.
  void SkipLineComment() {
    while (at_ < text_.size() && text_[at_] != '\n') {
      at_ += text_[at_] == '\\' && Ahead(1) == '\n' ? 2 : 1;
    }
  }

  void SkipBracketedComment() {
    begin_ = at_;
    int depth = 0;
    while (at_ < text_.size()) {
      if (Starts("/*")) {
        ++depth;
        at_ += 2;
      } else if (Starts("*/")) {
        at_ += 2;
        if (--depth == 0) {
          break;
        }
      } else {
        ++at_;
      }
    }
    if (depth > 0) {
      at_ = begin_ + 2;
      Emit(TokenKind::kInvalid, "this comment is not closed; add */");
      at_ = text_.size();
    } else if (hints_ != nullptr && text_.substr(begin_, 3) == "/*+") {
      hints_->push_back({static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_ - begin_)});
    }
  }

  void One() {
    const char c = text_[at_];
    if (c == '\'' || c == '"') {
      String(false);
    } else if ((c == 'r' || c == 'R') && (Ahead(1) == '\'' || Ahead(1) == '"')) {
      ++at_;
      String(true);
    } else if (c == '`') {
      QuotedName();
    } else if (IsDigit(c) || (c == '.' && IsDigit(Ahead(1)) && !AfterOperand())) {
      NumberOrWord();
    } else if (IsNameByte(c)) {
      Word();
    } else {
      Symbol();
    }
  }

  // `a.1` is a path, ` .1` a number.
  bool AfterOperand() const {
    if (tokens_.empty() || tokens_.back().span.end() != at_) {
      return false;
    }
    const Token& last = tokens_.back();
    return last.kind == TokenKind::kWord || last.kind == TokenKind::kQuotedName ||
           last.text == ")" || last.text == "]";
  }

  void String(bool raw) {
    const char quote = text_[at_++];
    const size_t inside = at_;
    while (at_ < text_.size()) {
      if (text_[at_] == quote) {
        if (!raw && Ahead(1) == quote) {
          at_ += 2;
          continue;
        }
        const std::string_view body = text_.substr(inside, at_ - inside);
        ++at_;
        Emit(TokenKind::kString, raw ? std::string(body) : UnescapeString(body, quote));
        return;
      }
      at_ += !raw && text_[at_] == '\\' ? 2 : 1;
    }
    at_ = inside;
    Emit(TokenKind::kInvalid, "this string is not closed");
    at_ = text_.size();
  }

  void QuotedName() {
    std::string value;
    for (++at_; at_ < text_.size(); ++at_) {
      if (text_[at_] == '`') {
        if (Ahead(1) != '`') {
          ++at_;
          if (value.empty()) {
            Emit(TokenKind::kInvalid, "a name in back quotes is empty");
          } else {
            Emit(TokenKind::kQuotedName, std::move(value));
          }
          return;
        }
        ++at_;
      }
      value.push_back(text_[at_]);
    }
    at_ = begin_ + 1;
    Emit(TokenKind::kInvalid, "this name in back quotes is not closed");
    at_ = text_.size();
  }

  void Digits() {
    while (at_ < text_.size() && IsDigit(text_[at_])) {
      ++at_;
    }
  }

  /// Length of a suffix (L, S, Y, F, D, BD) at the current place, 0 if none.
  size_t SuffixLength() const {
    const auto upper = [&](size_t n) { return static_cast<char>(Ahead(n) & ~0x20); };
    if (upper(0) == 'B' && upper(1) == 'D' && !IsNameByte(Ahead(2))) {
      return 2;
    }
    constexpr std::string_view kSuffixes = "LSYFD";
    return IsLetter(Ahead(0)) && kSuffixes.find(upper(0)) != std::string_view::npos &&
                   !IsNameByte(Ahead(1))
               ? 1
               : 0;
  }

  void NumberOrWord() {
    Digits();
    const size_t integer_end = at_;
    if (Ahead(0) == '.') {
      ++at_;
      Digits();
    }
    if (Ahead(0) == 'e' || Ahead(0) == 'E') {
      const size_t sign = Ahead(1) == '+' || Ahead(1) == '-' ? 1 : 0;
      if (IsDigit(Ahead(1 + sign))) {
        at_ += 1 + sign;
        Digits();
      }
    }
    at_ += SuffixLength();
    if (at_ >= text_.size() || !IsNameByte(text_[at_]) || SkipsToBlank()) {
      Emit(TokenKind::kNumber);
      return;
    }
    // `1.a` is 1, then .a; `1a` is a name.
    at_ = integer_end;
    if (at_ > begin_ && (Ahead(0) == '.')) {
      Emit(TokenKind::kNumber);
      return;
    }
    Word();
  }

  // Whether a wide blank follows, which is no part of a name.
  bool SkipsToBlank() {
    const size_t here = at_;
    const bool blank = SkipWideBlank();
    at_ = here;
    return blank;
  }

  void Word() {
    while (at_ < text_.size() && IsNameByte(text_[at_]) && !SkipsToBlank() && !AtCurlyQuote()) {
      ++at_;
    }
    if (at_ > begin_) {
      Emit(TokenKind::kWord);
      return;
    }
    at_ += 3;
    Emit(TokenKind::kInvalid, "this is a typographic quote; write ' or \"");
  }

  bool AtCurlyQuote() const {
    if (static_cast<unsigned char>(text_[at_]) != 0xE2) {
      return false;
    }
    for (const std::string_view quote : kCurlyQuotes) {
      if (Starts(quote)) {
        return true;
      }
    }
    return false;
  }

  void Symbol() {
    for (const std::string_view symbol : kSymbols) {
      if (Starts(symbol)) {
        at_ += symbol.size();
        Emit(TokenKind::kSymbol);
        return;
      }
    }
    ++at_;
    Emit(TokenKind::kInvalid, "this character means nothing in SQL");
  }

  const std::string_view text_;
  std::vector<Span>* const hints_;
  std::vector<Token> tokens_;
  size_t at_ = 0;
  size_t begin_ = 0;
};

}  // namespace

std::string UnescapeString(std::string_view text, char quote) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size();) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      i += 1 + UnescapeOne(text, i + 1, &out);
    } else {
      const bool doubled = text[i] == quote && i + 1 < text.size() && text[i + 1] == quote;
      out.push_back(text[i]);
      i += doubled ? 2 : 1;
    }
  }
  return out;
}

std::vector<Token> Tokenize(const SourceText& source, std::vector<Span>* hints) {
  return Lexer(source, hints).Run();
}

}  // namespace sluice::sql
