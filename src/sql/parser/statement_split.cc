#include "sql/parser/statement_split.h"

#include <algorithm>
#include <cctype>

namespace sluice::sql {
namespace {

class Splitter {
 public:
  explicit Splitter(std::string_view text) : text_(text) {}

  std::vector<Span> Run() {
    while (at_ < text_.size()) {
      if (StartsWith("--")) {
        at_ = std::min(text_.find('\n', at_), text_.size());
      } else if (StartsWith("/*")) {
        SkipComment();
      } else if (text_[at_] == '\'' || text_[at_] == '"' || text_[at_] == '`') {
        has_content_ = true;
        SkipQuoted();
      } else if (text_[at_] == ';') {
        End();
        begin_ = ++at_;
      } else {
        has_content_ |= std::isspace(static_cast<unsigned char>(text_[at_])) == 0;
        ++at_;
      }
    }
    End();
    return std::move(spans_);
  }

 private:
  bool StartsWith(std::string_view what) const { return text_.substr(at_, what.size()) == what; }

  // Comments nest.
  void SkipComment() {
    int depth = 0;
    do {
      if (StartsWith("/*")) {
        ++depth;
        at_ += 2;
      } else if (StartsWith("*/")) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < text_.size());
  }

  // A doubled quote closes and opens again. In a raw string r'..' a backslash is a letter.
  void SkipQuoted() {
    const char quote = text_[at_];
    const bool raw = at_ > begin_ && (text_[at_ - 1] == 'r' || text_[at_ - 1] == 'R') &&
                     (at_ == begin_ + 1 || !IsWordByte(text_[at_ - 2]));
    const bool escapes = quote != '`' && !raw;
    for (++at_; at_ < text_.size() && text_[at_] != quote; ++at_) {
      if (escapes && text_[at_] == '\\') ++at_;
    }
    at_ = std::min(at_ + 1, text_.size());
  }

  static bool IsWordByte(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_';
  }

  void End() {
    if (has_content_)
      spans_.push_back({static_cast<uint32_t>(begin_), static_cast<uint32_t>(at_ - begin_)});
    has_content_ = false;
  }

  const std::string_view text_;
  std::vector<Span> spans_;
  size_t at_ = 0;
  size_t begin_ = 0;
  bool has_content_ = false;
};

}  // namespace

std::vector<Span> SplitStatements(std::string_view text) { return Splitter(text).Run(); }

}  // namespace sluice::sql
