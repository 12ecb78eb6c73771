#include "sql/parser/token_cursor.h"

#include <algorithm>
#include <charconv>

#include "base/closest_word.h"
#include "sql/ast/parse_error.h"
#include "sql/parser/lexer.h"

namespace sluice::sql {
namespace {

/// Words that a user may have meant where another word stands.
const std::vector<std::string>& ClauseWords() {
  static const std::vector<std::string> words{
      "SELECT",       "DISTINCT",   "FROM",        "WHERE",     "GROUP",      "HAVING",
      "QUALIFY",      "WINDOW",     "ORDER",       "LIMIT",     "OFFSET",     "UNION",
      "INTERSECT",    "EXCEPT",     "JOIN",        "INNER",     "LEFT",       "RIGHT",
      "FULL",         "OUTER",      "CROSS",       "NATURAL",   "USING",      "LATERAL",
      "VALUES",       "WITH",       "CREATE",      "REFRESH",   "PRIVATE",    "STREAMING",
      "MATERIALIZED", "TABLE",      "TEMPORARY",   "VIEW",      "FLOW",       "SINK",
      "STREAM",       "CONSTRAINT", "EXPECT",      "VIOLATION", "QUARANTINE", "DROP",
      "FAIL",         "UPDATE",     "PARTITIONED", "CLUSTER",   "COMMENT",    "TBLPROPERTIES",
      "LOCATION",     "SCHEDULE",   "TRIGGER",     "INSERT",    "APPLY",      "CHANGES",
      "KEYS",         "SEQUENCE",   "COLUMNS",     "STORED",    "TRACK",      "HISTORY",
      "DELETE",       "TRUNCATE",   "WATERMARK",   "DELAY",     "INTERVAL",   "BETWEEN",
      "CASE",         "WHEN",       "THEN",        "ELSE",      "PARTITION",  "OVER",
      "SHOW",         "TABLES",     "DESCRIBE",    "EXPLAIN",   "EXISTS",     "OPTIONS",
      "PIVOT",        "UNPIVOT",    "MERGE",       "MATCHED",   "OPTIMIZE",   "VACUUM",
      "RESTORE",      "ALTER",      "TABLESAMPLE", "RECURSIVE", "CLONE",      "CONVERT"};
  return words;
}

bool IsClauseWord(std::string_view word) {
  const auto& words = ClauseWords();
  return std::any_of(words.begin(), words.end(),
                     [&](const std::string& known) { return EqualsIgnoreCase(known, word); });
}

std::string Shown(const Token& token) {
  constexpr size_t kMaxShown = 40;
  if (token.kind == TokenKind::kEnd) {
    return "end of input";
  }
  const std::string text(token.text.substr(0, kMaxShown));
  return "'" + text + (token.text.size() > kMaxShown ? "...'" : "'");
}

}  // namespace

bool EqualsIgnoreCase(std::string_view a, std::string_view b) {
  const auto upper = [](char c) { return c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c; };
  return a.size() == b.size() && std::equal(a.begin(), a.end(), b.begin(),
                                            [&](char x, char y) { return upper(x) == upper(y); });
}

std::string ToUpper(std::string_view text) {
  std::string result(text);
  for (char& c : result) {
    c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
  }
  return result;
}

TokenCursor::TokenCursor(const SourceText& source) : source_(source) {
  std::vector<Span> hints;
  tokens_ = Tokenize(source, &hints);
  is_keyword_.resize(tokens_.size());
  for (const Span& hint : hints) {
    Warn(hint, "this optimizer hint has no effect");
  }
}

const Token& TokenCursor::Peek(size_t ahead) const {
  return tokens_[std::min(at_ + ahead, tokens_.size() - 1)];
}

Token TokenCursor::Next() {
  const Token token = Peek();
  is_keyword_[at_] = token.kind == TokenKind::kWord;
  if (at_ + 1 < tokens_.size()) {
    ++at_;
  }
  return token;
}

Token TokenCursor::NextAsWritten() {
  const size_t at = at_;
  Token token = Next();
  is_keyword_[at] = false;
  return token;
}

void TokenCursor::Rewind(size_t position) {
  if (!failed()) {
    at_ = position;
  }
}

bool TokenCursor::IsWord(size_t ahead, std::string_view word) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kWord && EqualsIgnoreCase(token.text, word);
}

bool TokenCursor::AtWords(std::initializer_list<const char*> words) const {
  if (expected_at_ != at_) {
    expected_.clear();
    expected_at_ = at_;
  }
  expected_.push_back(*words.begin());
  size_t ahead = 0;
  for (const char* word : words) {
    if (!IsWord(ahead++, word)) {
      return false;
    }
  }
  return true;
}

bool TokenCursor::AtAnyWord(std::initializer_list<const char*> words) const {
  return std::any_of(words.begin(), words.end(), [&](const char* word) { return AtWord(word); });
}

bool TokenCursor::AcceptWords(std::initializer_list<const char*> words) {
  if (!AtWords(words)) {
    return false;
  }
  for (size_t i = 0; i < words.size(); ++i) {
    is_keyword_[at_++] = true;
  }
  return true;
}

void TokenCursor::ExpectWord(const char* word) {
  if (!AcceptWord(word)) {
    FailHere(word);
  }
}

void TokenCursor::ExpectWords(std::initializer_list<const char*> words) {
  for (const char* word : words) {
    ExpectWord(word);
  }
}

bool TokenCursor::AtSymbol(std::string_view symbol, size_t ahead) const {
  const Token& token = Peek(ahead);
  return token.kind == TokenKind::kSymbol && token.text == symbol;
}

bool TokenCursor::AcceptSymbol(std::string_view symbol) {
  if (!AtSymbol(symbol)) {
    return false;
  }
  ++at_;
  return true;
}

void TokenCursor::ExpectSymbol(std::string_view symbol) {
  if (!AcceptSymbol(symbol)) {
    FailHere("'" + std::string(symbol) + "'");
  }
}

bool TokenCursor::AtName(size_t ahead) const {
  const TokenKind kind = Peek(ahead).kind;
  return kind == TokenKind::kWord || kind == TokenKind::kQuotedName;
}

Name TokenCursor::ExpectName(std::string_view what) {
  if (!AtName()) {
    FailHere(what);
    return {};
  }
  Token token = NextAsWritten();
  const bool quoted = token.kind == TokenKind::kQuotedName;
  return {quoted ? std::move(token.value) : std::string(token.text), token.span, quoted};
}

QualifiedName TokenCursor::ExpectQualifiedName(std::string_view what) {
  const size_t begin = at_;
  QualifiedName name;
  if (IsWord(0, "IDENTIFIER") && AtSymbol("(", 1) && AtString(2) && AtSymbol(")", 3)) {
    const Token text = Peek(2);
    at_ += 4;
    const SourceText inner("", text.value);
    TokenCursor cursor(inner);
    name = cursor.ExpectQualifiedName(what);
    if (cursor.failed() || !cursor.AtEnd()) {
      Fail(text.span, "PARSE_SYNTAX_ERROR", "IDENTIFIER is given a text that is no name");
      return {{{}}, {}};
    }
    for (Name& part : name.parts) {
      part.span = text.span;
    }
  } else {
    do {
      name.parts.push_back(ExpectName(what));
    } while (AcceptSymbol("."));
  }
  name.span = SpanSince(begin);
  return name;
}

std::string TokenCursor::ExpectString(std::string_view what) {
  if (!AtString()) {
    FailHere(what);
    return "";
  }
  std::string value = Next().value;
  while (AtString()) {
    value += Next().value;
  }
  return value;
}

int64_t TokenCursor::ExpectInteger(std::string_view what) {
  const std::string_view text = Peek().text;
  int64_t value = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), value);
  if (Peek().kind != TokenKind::kNumber || parsed.ec != std::errc() ||
      parsed.ptr != text.data() + text.size()) {
    FailHere(what);
    return 0;
  }
  Next();
  return value;
}

Span TokenCursor::SpanSince(size_t position) const {
  const Token& first = tokens_[std::min(position, tokens_.size() - 1)];
  if (at_ == 0 || at_ <= position) {
    return {first.span.offset, 0};
  }
  return Cover(first.span, tokens_[at_ - 1].span);
}

void TokenCursor::Fail(Span span, std::string_view code, std::string message, std::string hint) {
  Fail(ErrorAt(source_, span, code, std::move(message), std::move(hint)));
}

void TokenCursor::Fail(const Status& status) {
  if (failed()) {
    return;
  }
  status_ = status;
  failed_at_ = at_;
  at_ = tokens_.size() - 1;
}

Status TokenCursor::Recover() {
  at_ = failed_at_;
  open_cases = 0;
  while (!AtEnd() && !AtSymbol(";")) {
    Next();
  }
  Status status = std::move(status_);
  status_ = Status::OK();
  return status;
}

std::vector<Span> TokenCursor::Keywords() const {
  std::vector<Span> spans;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (is_keyword_[i]) {
      spans.push_back(tokens_[i].span);
    }
  }
  return spans;
}

void TokenCursor::FailHere(std::string_view expected) {
  if (failed()) {
    return;
  }
  const Token& token = Peek();
  if (token.kind == TokenKind::kInvalid) {
    const bool comment = token.text.starts_with("/*");
    Fail(token.span, comment ? "UNCLOSED_BRACKETED_COMMENT" : "PARSE_SYNTAX_ERROR",
         "syntax error at or near " + Shown(token) + ": " + token.value);
    return;
  }
  std::string message = "syntax error at or near " + Shown(token);
  if (!expected.empty()) {
    message.append(": expected ").append(expected);
  }
  Fail(token.span, "PARSE_SYNTAX_ERROR", std::move(message), Suggestion());
}

std::string TokenCursor::Suggestion() const {
  const Token& token = Peek();
  std::string meant;
  std::string_view written = token.text;
  if (token.kind == TokenKind::kWord && expected_at_ == at_) {
    meant = ClosestWord(written, std::vector<std::string>(expected_.begin(), expected_.end()));
  }
  // The word before may have been taken for a name (SELECT a FORM t), or this one for a clause.
  for (size_t back = 0; meant.empty() && back < 2 && back <= at_; ++back) {
    const Token& candidate = tokens_[at_ - back];
    if (candidate.kind == TokenKind::kWord && !IsClauseWord(candidate.text)) {
      written = candidate.text;
      meant = ClosestWord(written, ClauseWords());
    }
  }
  return meant.empty() ? "" : "did you mean " + meant + " instead of " + std::string(written) + "?";
}

void TokenCursor::Warn(Span span, std::string message) {
  warnings_.push_back({std::move(message), span});
}

TokenCursor::Nesting::Nesting(TokenCursor& cursor) : cursor_(cursor) {
  if (++cursor_.depth_ > kMaxDepth) {
    cursor_.Fail(cursor_.Peek().span, "EXCEED_LIMIT_LENGTH",
                 "the statement nests too deeply, levels allowed: " + std::to_string(kMaxDepth),
                 "name parts of it with WITH or in views");
  }
}

void TokenCursor::CountLink() {
  if (++links_ > kMaxLinks) {
    Fail(Peek().span, "EXCEED_LIMIT_LENGTH",
         "the statement has too many operators in chains, allowed: " + std::to_string(kMaxLinks),
         "write IN (..) for long lists of alternatives, or split the query");
  }
}

}  // namespace sluice::sql
