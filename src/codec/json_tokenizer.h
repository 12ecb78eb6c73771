// A pull tokenizer of JSON that takes and refuses what Spark's JSON reader takes and refuses, and
// that stands where that one stands after an error: partial results of malformed documents depend
// on it. Used for documents the fast reader gives up on. One thread.
//
// As there, a field name and the start of its value are one step: Next() on a name has already
// looked at the value. A string is only finished when somebody asks for its text; an unwanted one
// is skipped by the next Next().
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_decoder.h"

namespace sluice::codec {

enum class JsonToken : uint8_t {
  kNone,  // before the first token, at the end, or after an error between a name and its value
  kStartObject,
  kEndObject,
  kStartArray,
  kEndArray,
  kFieldName,
  kString,
  kInt,
  kFloat,
  kTrue,
  kFalse,
  kNull,
};

class JsonTokenizer {
 public:
  /// `options` outlives this.
  explicit JsonTokenizer(const JsonDecoderOptions& options) : options_(options) {}

  /// Starts on a document, which outlives the tokens. Malformed UTF-8 in it reads as U+FFFD.
  void Reset(std::string_view document);

  /// Moves to the next token. False = not JSON; reading may go on as Spark's does.
  [[nodiscard]] bool Next();
  JsonToken token() const { return token_; }

  /// Text of a string (lone surrogates in the form of utf8.h) or the digits of a number. False =
  /// the string is broken.
  [[nodiscard]] bool Text(const std::string** text);
  /// Decodes the current string as base64 with padding. False = it is none.
  [[nodiscard]] bool Base64(std::string* bytes);
  /// Digits before the point of a number.
  int64_t integer_digits() const { return integer_digits_; }
  /// NaN, Infinity and the like, unquoted.
  bool is_not_a_number() const { return is_not_a_number_; }

  /// Name of the field the token belongs to; null outside objects.
  const std::string* current_name() const;
  /// On the start of an object or array: moves to its end. Else nothing.
  [[nodiscard]] bool SkipChildren();

 private:
  enum class Scope : uint8_t { kRoot, kObject, kArray };
  struct Context {
    Scope scope = Scope::kRoot;
    int64_t index = -1;
    bool has_name = false;
    std::string name;
  };

  Context& top() { return contexts_[depth_]; }
  const Context& top() const { return contexts_[depth_]; }
  [[nodiscard]] bool Push(Scope scope);
  [[nodiscard]] bool AfterName();
  [[nodiscard]] bool CloseScope(char closer);
  [[nodiscard]] bool ReadValue(char first, JsonToken* token);

  void SkipRestOfCharacter(char first);
  // Skipping blanks and comments. -1 in `next`: end of the document.
  [[nodiscard]] bool SkipBlanks(int* next);
  [[nodiscard]] bool SkipColon(int* next);
  [[nodiscard]] bool SkipComment();
  [[nodiscard]] bool IsBlank(char c, bool* error) const;

  [[nodiscard]] bool ReadName(char first, std::string* name);
  [[nodiscard]] bool ReadQuoted(char quote, std::string* out, int64_t limit);
  [[nodiscard]] bool SkipString();
  [[nodiscard]] bool ReadEscape(uint32_t* code_unit, bool* is_unit);
  [[nodiscard]] bool ReadLiteral(std::string_view literal, size_t matched);
  [[nodiscard]] bool ReadNumber(bool negative, JsonToken* token);
  [[nodiscard]] bool ReadLeadingZeros(bool* slow);
  [[nodiscard]] bool ReadFraction(bool slow, int64_t* digits);
  [[nodiscard]] bool ReadExponent(int64_t* digits);
  [[nodiscard]] bool ReadSignedOddNumber(char next, bool negative, JsonToken* token);
  [[nodiscard]] bool ReadOddValue(char first, JsonToken* token);
  [[nodiscard]] bool SetNotANumber(std::string_view text, JsonToken* token);
  int Base64CharOfText(int index);
  int Base64CharOfDocument(int index, bool after_padding);
  bool SkipIdentifier();

  const JsonDecoderOptions& options_;
  std::string repaired_;  // the document without malformed UTF-8, when it had some
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  JsonToken token_ = JsonToken::kNone;
  JsonToken value_after_name_ = JsonToken::kNone;
  bool string_is_pending_ = false;
  std::string text_;
  size_t text_at_ = 0;  // while decoding base64 of a finished string
  int64_t integer_digits_ = 0;
  bool is_not_a_number_ = false;
  std::vector<Context> contexts_;  // reused; the live ones are 0..depth_
  size_t depth_ = 0;
};

}  // namespace sluice::codec
