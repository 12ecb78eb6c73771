// The hot path of JSON decoding: one pass over a document, values straight into columns, field
// names predicted from the documents before. Takes plain, correct documents whose values fit;
// anything else is left to JsonExactReader, so a document it takes must read the same there. One
// thread.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "codec/json_decoder.h"
#include "codec/json_node.h"
#include "codec/time_reader.h"

namespace sluice::codec {

class JsonFastReader {
 public:
  /// Bytes behind a document that must be readable (their values do not matter).
  static constexpr int64_t kPadding = 64;
  /// Longer names are left to the exact reader, which knows the limit.
  static constexpr int64_t kMaxNameLength = 1000;

  /// `root` (a struct) and `options` outlive this.
  JsonFastReader(const JsonNode& root, const JsonDecoderOptions& options,
                 std::shared_ptr<const TimeReader> times);

  /// True: a row was appended to `column`, a struct. False: the document needs the exact reader;
  /// what was appended is to be cut off.
  bool Read(std::string_view document, int64_t now_micros, JsonColumn* column);

 private:
  // What stood between two values: `,"name":` with its blanks, and the field it named.
  struct KeyShape {
    static constexpr size_t kCapacity = 96;
    char text[kCapacity];
    uint32_t mask = 0;  // of the bytes of `text` among the first 32
    uint32_t length = 0;
    int32_t field = -1;
  };
  // A node with its memory of the documents before.
  struct Node {
    const JsonNode* schema = nullptr;
    std::vector<Node> children;
    std::vector<KeyShape> shapes;
    std::vector<uint64_t> seen;  // per field: number of the object it was last seen in
    uint64_t object_number = 0;
  };

  static Node MakeNode(const JsonNode& schema);
  static void Learn(Node* node, size_t* position, const char* begin, size_t length, int32_t field);
  static bool Matches(const KeyShape& shape, const char* at);

  bool ReadObject(Node* node, JsonColumn* column, int depth);
  // Moves to the value of the next field; `done` = the object is closed.
  bool NextField(Node* node, size_t* position, bool first, int32_t* field, bool* done);
  bool ReadValue(Node* node, JsonColumn* column, int depth);
  bool ReadList(Node* node, JsonColumn* column, int depth);
  bool ReadMap(Node* node, JsonColumn* column, int depth);
  bool ReadNull(JsonColumn* column);
  bool ReadInteger(JsonKind kind, JsonColumn* column);
  bool ReadReal(JsonKind kind, JsonColumn* column);
  bool ReadDecimal(const JsonNode& schema, JsonColumn* column);
  bool ReadTime(JsonKind kind, JsonColumn* column);
  bool ReadBinary(JsonColumn* column);
  bool ReadText(JsonColumn* column, int depth);
  bool ReadString(JsonColumn* column);
  bool ReadEscapedString(JsonColumn* column);
  // The inside of a string without escapes; moves behind it.
  bool PlainString(std::string_view* text);

  struct Number {
    const char* begin = nullptr;
    const char* end = nullptr;
    bool negative = false;
    bool is_integer = true;
    bool exact = false;     // mantissa and scale say it all: value = mantissa / 10^scale
    uint64_t mantissa = 0;  // at most 18 digits
    int scale = 0;
  };
  bool ReadNumber(Number* number);
  bool ReadExactDigits(Number* number);

  // Passes over any value and checks it; with kCopy appends it, compact, to scratch_.
  template <bool kCopy>
  bool Walk(int depth);
  template <bool kCopy>
  bool WalkString();
  template <bool kCopy>
  bool WalkContainer(char closer, int depth);
  template <bool kCopy>
  bool WalkNumber();

  bool Literal(std::string_view literal);
  void SkipBlanks() {
    while (static_cast<unsigned char>(*at_) <= ' ' && at_ < end_ &&
           (*at_ == ' ' || *at_ == '\n' || *at_ == '\r' || *at_ == '\t')) {
      ++at_;
    }
  }

  Node root_;
  const JsonDecoderOptions& options_;
  const std::shared_ptr<const TimeReader> times_;
  const bool default_timestamp_;
  const char* at_ = nullptr;
  const char* end_ = nullptr;
  int64_t now_micros_ = 0;
  std::string scratch_;
};

}  // namespace sluice::codec
