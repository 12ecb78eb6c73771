// Where the parser stands in the tokens, and its first error. After an error the cursor stands at
// the end: every Accept and At is false, every Expect is silent, so parsing functions need no
// error paths of their own; what they return then is thrown away. One per parse; not thread-safe.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "base/status.h"
#include "sql/ast/name.h"
#include "sql/parser/parser.h"
#include "sql/parser/token.h"

namespace sluice::sql {

class TokenCursor {
 public:
  /// `source` outlives this.
  explicit TokenCursor(const SourceText& source);

  const SourceText& source() const { return source_; }
  const Token& Peek(size_t ahead = 0) const;
  /// Takes a word as a keyword.
  Token Next();
  /// Takes a word that is no keyword: a type, the field of EXTRACT.
  Token NextAsWritten();
  bool AtEnd() const { return Peek().kind == TokenKind::kEnd; }
  size_t position() const { return at_; }
  /// Goes back to a position() taken before. REQUIRES: not failed since.
  void Rewind(size_t position);

  /// Whether the coming words are these (upper case), in this order. Remembered for "expected ..".
  bool AtWords(std::initializer_list<const char*> words) const;
  bool AtWord(const char* word) const { return AtWords({word}); }
  bool AtAnyWord(std::initializer_list<const char*> words) const;
  /// The word `ahead` tokens on, in any case, is `word`.
  bool IsWord(size_t ahead, std::string_view word) const;
  bool AcceptWord(const char* word) { return AcceptWords({word}); }
  bool AcceptWords(std::initializer_list<const char*> words);
  void ExpectWord(const char* word);
  void ExpectWords(std::initializer_list<const char*> words);

  bool AtSymbol(std::string_view symbol, size_t ahead = 0) const;
  bool AcceptSymbol(std::string_view symbol);
  void ExpectSymbol(std::string_view symbol);

  /// A word or a quoted name.
  bool AtName(size_t ahead = 0) const;
  Name ExpectName(std::string_view what);
  /// a.b.c, also IDENTIFIER('a.b.c').
  QualifiedName ExpectQualifiedName(std::string_view what);
  /// One string literal, neighbours put together.
  std::string ExpectString(std::string_view what);
  bool AtString(size_t ahead = 0) const { return Peek(ahead).kind == TokenKind::kString; }
  int64_t ExpectInteger(std::string_view what);

  /// The span from the token at `position` to the last one taken.
  Span SpanSince(size_t position) const;

  /// Records the first error and ends the parse.
  void Fail(Span span, std::string_view code, std::string message, std::string hint = "");
  /// "syntax error at or near 'X': expected WHAT".
  void FailHere(std::string_view expected);
  void Fail(const Status& status);
  bool failed() const { return !status_.ok(); }
  const Status& status() const { return status_; }

  /// REQUIRES: failed(). Forgets the error and goes on behind the next semicolon.
  Status Recover();

  /// The words that were taken as keywords so far, in their order.
  std::vector<Span> Keywords() const;

  void Warn(Span span, std::string message);
  std::vector<ParseWarning> TakeWarnings() { return std::move(warnings_); }

  /// Counts nesting while it lives; too deep is an error.
  class Nesting {
   public:
    explicit Nesting(TokenCursor& cursor);
    ~Nesting() { --cursor_.depth_; }
    Nesting(const Nesting&) = delete;
    Nesting& operator=(const Nesting&) = delete;

   private:
    TokenCursor& cursor_;
  };
  /// Counts one link of a chain (`a + b + c`) that makes the tree higher without nesting.
  void CountLink();

  /// Begins the next statement of a file: each has limits of its own.
  void StartStatement() { links_ = 0; }

  /// CASE expressions that are open: there END is a keyword, elsewhere it may be a column.
  int open_cases = 0;

  /// How deep parentheses, calls and subqueries may nest.
  static constexpr int kMaxDepth = 250;
  /// How many links all the chains of one statement may have together.
  static constexpr int kMaxLinks = 3000;

 private:
  std::string Suggestion() const;

  const SourceText& source_;
  std::vector<Token> tokens_;
  std::vector<bool> is_keyword_;  // of tokens_
  size_t at_ = 0;
  size_t failed_at_ = 0;
  int depth_ = 0;
  int links_ = 0;
  Status status_;
  std::vector<ParseWarning> warnings_;
  mutable std::vector<const char*> expected_;  // words looked for at expected_at_
  mutable size_t expected_at_ = 0;
};

/// Whether two words are the same but for the case of ASCII letters.
bool EqualsIgnoreCase(std::string_view a, std::string_view b);
std::string ToUpper(std::string_view text);

}  // namespace sluice::sql
