#include "sql/parser/substitute.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "sql/ast/parse_error.h"

namespace sluice::sql {
namespace {

constexpr int kMaxNesting = 40;

/// The key inside `${..}` without the prefixes that Spark knows.
std::string BareKey(std::string key) {
  for (const std::string_view prefix : {"spark:", "sparkconf:", "hiveconf:"}) {
    if (key.starts_with(prefix)) {
      return key.substr(prefix.size());
    }
  }
  return key;
}

/// Copies the text, replacing variables; remembers where every piece came from.
class Substitution {
 public:
  Substitution(const SourceText& source, const ConfigurationLookup& lookup)
      : source_(source), in_(source.text()), lookup_(lookup) {}

  Status Run() {
    while (at_ < in_.size()) {
      if (in_.compare(at_, 2, "${") == 0) {
        SLUICE_RETURN_NOT_OK(Variable());
      } else if (in_.compare(at_, 2, "--") == 0) {
        at_ = std::min(in_.find('\n', at_), in_.size());
      } else if (in_.compare(at_, 2, "/*") == 0) {
        SkipComment();
      } else if (in_[at_] == '\'' || in_[at_] == '"' || in_[at_] == '`') {
        SLUICE_RETURN_NOT_OK(QuotedText());
      } else {
        ++at_;
      }
    }
    CopyUntil(in_.size());
    return Status::OK();
  }

  std::string out;
  std::vector<SourceText::Segment> segments;

 private:
  void SkipComment() {
    int depth = 0;
    do {
      if (in_.compare(at_, 2, "/*") == 0) {
        ++depth;
        at_ += 2;
      } else if (in_.compare(at_, 2, "*/") == 0) {
        --depth;
        at_ += 2;
      } else {
        ++at_;
      }
    } while (depth > 0 && at_ < in_.size());
  }

  // A `--` inside quotes is no comment.
  Status QuotedText() {
    const char quote = in_[at_++];
    while (at_ < in_.size() && in_[at_] != quote) {
      if (in_.compare(at_, 2, "${") == 0) {
        SLUICE_RETURN_NOT_OK(Variable());
      } else {
        at_ += in_[at_] == '\\' && quote != '`' ? 2 : 1;
      }
    }
    at_ = std::min(at_ + 1, in_.size());
    return Status::OK();
  }

  void CopyUntil(size_t end) {
    if (end > copied_) {
      segments.push_back({static_cast<uint32_t>(out.size()), static_cast<uint32_t>(copied_),
                          static_cast<uint32_t>(end - copied_), false});
      out.append(in_, copied_, end - copied_);
    }
    copied_ = end;
  }

  Status Variable() {
    const size_t close = in_.find('}', at_);
    if (close == std::string::npos) {
      return ErrorAt(source_, {static_cast<uint32_t>(at_), 2}, "PARSE_SYNTAX_ERROR",
                     "'${' is not closed", "write ${key}");
    }
    const Span span{static_cast<uint32_t>(at_), static_cast<uint32_t>(close + 1 - at_)};
    SLUICE_ASSIGN_OR_RETURN(std::string value,
                            ValueOf(in_.substr(at_ + 2, close - at_ - 2), span, 0));
    CopyUntil(at_);
    segments.push_back({static_cast<uint32_t>(out.size()), span.offset, span.length, true});
    out += value;
    at_ = copied_ = close + 1;
    return Status::OK();
  }

  Result<std::string> ValueOf(const std::string& written, Span span, int depth) {
    const std::string key = BareKey(written);
    std::optional<std::string> value = lookup_(key);
    if (!value) {
      return ErrorAt(
          source_, span, "UNDEFINED_CONFIGURATION", "configuration key is not defined: " + key,
          "add it under `configuration:` of the pipeline's spec or pass --set " + key + "=VALUE");
    }
    if (depth >= kMaxNesting || ++lookups_ > kMaxLookups) {
      return ErrorAt(source_, span, "UNDEFINED_CONFIGURATION",
                     "configuration values refer to each other too deeply: " + key);
    }
    std::string result;
    size_t from = 0;
    for (size_t open = value->find("${"); open != std::string::npos;
         open = value->find("${", from)) {
      const size_t close = value->find('}', open);
      if (close == std::string::npos) {
        break;
      }
      result.append(*value, from, open - from);
      SLUICE_ASSIGN_OR_RETURN(const std::string inner,
                              ValueOf(value->substr(open + 2, close - open - 2), span, depth + 1));
      result += inner;
      if (result.size() > kMaxValue) {
        return ErrorAt(source_, span, "UNDEFINED_CONFIGURATION",
                       "the value of a configuration key grows too long: " + key);
      }
      from = close + 1;
    }
    return result + value->substr(from);
  }

  static constexpr size_t kMaxValue = 1 << 20;
  static constexpr int kMaxLookups = 100'000;

  const SourceText& source_;
  const std::string& in_;
  const ConfigurationLookup& lookup_;
  size_t at_ = 0;
  size_t copied_ = 0;
  int lookups_ = 0;
};

}  // namespace

Result<SourceText> Substitute(std::string file_name, std::string text,
                              const ConfigurationLookup& lookup) {
  SourceText source(std::move(file_name), std::move(text));
  if (source.text().find("${") == std::string::npos) {
    return source;
  }
  Substitution substitution(source, lookup);
  SLUICE_RETURN_NOT_OK(substitution.Run());
  return SourceText(source.file_name(), source.text(), std::move(substitution.out),
                    std::move(substitution.segments));
}

}  // namespace sluice::sql
