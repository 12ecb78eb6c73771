#include "sql/expressions/java_regex.h"

#include <fmt/format.h>

#include <cctype>

namespace sluice::sql {
namespace {

constexpr std::string_view kLineEnds = R"(\n\r\x{85}\x{2028}\x{2029})";
constexpr std::string_view kEnd = R"((?:\r\n|[\n\r\x{85}\x{2028}\x{2029}])?\z)";

Status Unsupported(std::string_view pattern, std::string_view construct) {
  return MakeError(
      "NOT_SUPPORTED_YET",
      fmt::format("not supported yet: {} in the regular expression '{}'", construct, pattern));
}

class Translator {
 public:
  explicit Translator(std::string_view java) : java_(java) {}

  Result<JavaRegex> Run() {
    while (at_ < java_.size()) {
      const char c = java_[at_];
      if (c == '\\') {
        SLUICE_RETURN_NOT_OK(Escape(false));
      } else if (c == '[') {
        SLUICE_RETURN_NOT_OK(Class());
      } else if (c == '(') {
        SLUICE_RETURN_NOT_OK(Group());
      } else if (c == '.') {
        out_.pattern += fmt::format("[^{}]", kLineEnds);
        ++at_;
      } else if (c == '$') {
        SLUICE_RETURN_NOT_OK(End());
      } else if (c == '*' || c == '+' || c == '?' || c == '{') {
        SLUICE_RETURN_NOT_OK(Quantifier());
      } else {
        out_.pattern += c;
        ++at_;
      }
    }
    return std::move(out_);
  }

 private:
  // $ matches at the end and before a final line end; that is rewritten where nothing can follow
  // it.
  Status End() {
    ++at_;
    if (at_ < java_.size() && java_[at_] != '|' && java_[at_] != ')')
      return Unsupported(java_, "$ inside");
    out_.pattern += kEnd;
    out_.consumes_line_end = true;
    return Status::OK();
  }

  Status Quantifier() {
    if (java_[at_] == '{') {
      const size_t close = java_.find('}', at_);
      if (close == std::string_view::npos)
        return MakeError("INVALID_PARAMETER_VALUE.PATTERN",
                         fmt::format("the regular expression '{}' is invalid", java_));
      out_.pattern += java_.substr(at_, close - at_ + 1);
      at_ = close + 1;
    } else {
      out_.pattern += java_[at_++];
    }
    if (at_ < java_.size() && java_[at_] == '+')
      return Unsupported(java_, "a possessive quantifier");
    return Status::OK();
  }

  Status Group() {
    if (java_.substr(at_, 3) == "(?:") {
      out_.pattern += "(?:";
      at_ += 3;
    } else if (java_.substr(at_, 4) == "(?i)") {
      return Unsupported(java_, "a flag");
    } else if (java_.substr(at_, 2) == "(?") {
      return Unsupported(java_, "look-around, a named group or a flag");
    } else {
      out_.pattern += '(';
      ++out_.groups;
      ++at_;
    }
    return Status::OK();
  }

  Status Escape(bool in_class) {
    if (at_ + 1 >= java_.size())
      return MakeError("INVALID_PARAMETER_VALUE.PATTERN",
                       fmt::format("the regular expression '{}' ends with a backslash", java_));
    const char c = java_[at_ + 1];
    at_ += 2;
    switch (c) {
      case 'd':
      case 'D':
      case 'w':
      case 'W':
      case 't':
      case 'n':
      case 'r':
      case 'f': out_.pattern += {'\\', c}; return Status::OK();
      case 's':
        out_.pattern += in_class ? R"( \t\n\x0B\f\r)" : R"([ \t\n\x0B\f\r])";
        return Status::OK();
      case 'S':
        if (in_class) return Unsupported(java_, "\\S in a class");
        out_.pattern += R"([^ \t\n\x0B\f\r])";
        return Status::OK();
      case 'A':
      case 'z':
        if (in_class) return Unsupported(java_, "an anchor in a class");
        out_.pattern += {'\\', c};
        return Status::OK();
      default: break;
    }
    if (std::isalnum(static_cast<unsigned char>(c)))
      return Unsupported(java_, fmt::format("\\{}", c));
    out_.pattern += {'\\', c};
    return Status::OK();
  }

  Status Class() {
    out_.pattern += '[';
    ++at_;
    if (at_ < java_.size() && java_[at_] == '^') {
      out_.pattern += '^';
      ++at_;
    }
    bool first = true;
    for (; at_ < java_.size(); first = false) {
      const char c = java_[at_];
      if (c == ']' && !first) {
        out_.pattern += ']';
        ++at_;
        return Status::OK();
      }
      if (c == '[') return Unsupported(java_, "a class in a class");
      if (c == ']') return Unsupported(java_, "] first in a class");
      if (java_.substr(at_, 2) == "&&") return Unsupported(java_, "an intersection of classes");
      if (c == '\\') {
        SLUICE_RETURN_NOT_OK(Escape(true));
      } else {
        out_.pattern += c;
        ++at_;
      }
    }
    return MakeError(
        "INVALID_PARAMETER_VALUE.PATTERN",
        fmt::format("the regular expression '{}' has a class that does not end", java_));
  }

  const std::string_view java_;
  size_t at_ = 0;
  JavaRegex out_;
};

}  // namespace

Result<JavaRegex> TranslateRegex(std::string_view java) { return Translator(java).Run(); }

Result<std::string> TranslateReplacement(std::string_view java, int groups) {
  std::string out;
  for (size_t at = 0; at < java.size(); ++at) {
    const char c = java[at];
    if (c == '\\') {
      if (++at >= java.size())
        return MakeError("INVALID_PARAMETER_VALUE", "the replacement ends with a backslash");
      if (java[at] == '\\') out += '\\';
      out += java[at];
    } else if (c == '$') {
      const bool digit =
          at + 1 < java.size() && std::isdigit(static_cast<unsigned char>(java[at + 1]));
      if (!digit || java[at + 1] - '0' > groups)
        return MakeError("NOT_SUPPORTED_YET",
                         fmt::format("not supported yet: the replacement '{}'", java));
      out += {'\\', java[++at]};
    } else {
      out += c;
    }
  }
  return out;
}

std::optional<FixedPattern> FixedPattern::Make(std::string_view java) {
  if (java.size() < 3 || java.front() != '^' || java.back() != '$') return std::nullopt;
  java = java.substr(1, java.size() - 2);
  FixedPattern made;
  size_t at = 0;
  while (at < java.size()) {
    std::bitset<128> set;
    if (java[at] == '[') {
      const size_t close = java.find(']', at);
      if (close == std::string_view::npos || close == at + 1) return std::nullopt;
      const std::string_view inside = java.substr(at + 1, close - at - 1);
      if (inside[0] == '^') return std::nullopt;
      for (size_t i = 0; i < inside.size(); ++i) {
        const auto c = static_cast<unsigned char>(inside[i]);
        if (c >= 128 || c == '\\' || c == '[' || c == '&' || c == '-') return std::nullopt;
        unsigned last = c;
        if (i + 2 < inside.size() && inside[i + 1] == '-') {
          last = static_cast<unsigned char>(inside[i + 2]);
          if (last >= 128 || last < c || last == '\\' || last == '[') return std::nullopt;
          i += 2;
        }
        for (unsigned k = c; k <= last; ++k) set.set(k);
      }
      at = close + 1;
    } else if (java.substr(at, 2) == "\\d") {
      for (unsigned k = '0'; k <= '9'; ++k) set.set(k);
      at += 2;
    } else if (std::isalnum(static_cast<unsigned char>(java[at])) || java[at] == '-' ||
               java[at] == '_' || java[at] == ' ') {
      set.set(static_cast<unsigned char>(java[at++]));
    } else {
      return std::nullopt;
    }
    int count = 1;
    if (at < java.size() && java[at] == '{') {
      const size_t close = java.find('}', at);
      if (close == std::string_view::npos || close - at > 3 || close == at + 1) return std::nullopt;
      count = 0;
      for (size_t i = at + 1; i < close; ++i) {
        if (!std::isdigit(static_cast<unsigned char>(java[i]))) return std::nullopt;
        count = count * 10 + (java[i] - '0');
      }
      at = close + 1;
    }
    if (at < java.size() && (java[at] == '*' || java[at] == '+' || java[at] == '?'))
      return std::nullopt;
    made.positions_.insert(made.positions_.end(), static_cast<size_t>(count), set);
  }
  return made;
}

bool FixedPattern::Matches(std::string_view text) const {
  const size_t size = positions_.size();
  if (text.size() < size) return false;
  for (size_t i = 0; i < size; ++i) {
    const auto c = static_cast<unsigned char>(text[i]);
    if (c >= 128 || !positions_[i][c]) return false;
  }
  // $ also matches before a final line end.
  const std::string_view rest = text.substr(size);
  return rest.empty() || rest == "\n" || rest == "\r" || rest == "\r\n" || rest == "\xC2\x85" ||
         rest == "\xE2\x80\xA8" || rest == "\xE2\x80\xA9";
}

}  // namespace sluice::sql
