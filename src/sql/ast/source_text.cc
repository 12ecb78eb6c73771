#include "sql/ast/source_text.h"

#include <algorithm>
#include <utility>

namespace sluice::sql {
namespace {

bool IsContinuationByte(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

uint32_t CountCharacters(std::string_view text) {
  return static_cast<uint32_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return !IsContinuationByte(c); }));
}

}  // namespace

Span Cover(Span first, Span last) {
  const uint32_t begin = std::min(first.offset, last.offset);
  return {begin, std::max(first.end(), last.end()) - begin};
}

SourceText::SourceText(std::string file_name, std::string text)
    : file_name_(std::move(file_name)), text_(std::move(text)) {}

SourceText::SourceText(std::string file_name, std::string original, std::string text,
                       std::vector<Segment> segments)
    : file_name_(std::move(file_name)),
      original_(std::move(original)),
      text_(std::move(text)),
      segments_(std::move(segments)) {}

std::string_view SourceText::Slice(Span span) const {
  const size_t begin = std::min<size_t>(span.offset, text_.size());
  return std::string_view(text_).substr(begin, span.length);
}

uint32_t SourceText::OriginalOffset(uint32_t offset, bool at_end) const {
  if (segments_.empty()) {
    return offset;
  }
  // The last segment that starts at or before `offset`; an end belongs to the segment before it.
  const uint32_t probe = at_end && offset > 0 ? offset - 1 : offset;
  auto after = std::upper_bound(segments_.begin(), segments_.end(), probe,
                                [](uint32_t o, const Segment& s) { return o < s.offset; });
  const Segment& segment = after == segments_.begin() ? *after : *std::prev(after);
  if (segment.replaced) {
    return segment.original_offset + (at_end ? segment.original_length : 0);
  }
  return segment.original_offset + (offset - segment.offset);
}

Span SourceText::ToOriginal(Span span) const {
  const auto size = static_cast<uint32_t>(original().size());
  const uint32_t begin = std::min(OriginalOffset(span.offset, false), size);
  const uint32_t end = span.length == 0 ? begin : std::min(OriginalOffset(span.end(), true), size);
  return {begin, end > begin ? end - begin : 0};
}

LineColumn SourceText::Locate(Span span) const {
  const std::string& text = original();
  const uint32_t offset = ToOriginal(span).offset;
  const std::string_view before = std::string_view(text).substr(0, offset);
  const size_t newline = before.rfind('\n');
  const size_t line_begin = newline == std::string_view::npos ? 0 : newline + 1;
  LineColumn result;
  result.line = 1 + static_cast<uint32_t>(std::count(before.begin(), before.end(), '\n'));
  result.column = 1 + CountCharacters(before.substr(line_begin));
  return result;
}

std::string SourceText::Place(Span span) const {
  const LineColumn at = Locate(span);
  return (file_name_.empty() ? "line " : file_name_ + ":") + std::to_string(at.line) + ":" +
         std::to_string(at.column);
}

std::string SourceText::Caret(Span span) const {
  // Longer lines (a query on one line) are cut around the place.
  constexpr size_t kMaxBefore = 80;
  constexpr size_t kMaxAfter = 60;
  const std::string& text = original();
  const Span at = ToOriginal(span);
  const size_t newline = at.offset == 0 ? std::string::npos : text.rfind('\n', at.offset - 1);
  size_t begin = newline == std::string::npos ? 0 : newline + 1;
  size_t end = std::min(text.find('\n', at.offset), text.size());
  std::string prefix;
  if (at.offset - begin > kMaxBefore) {
    begin = at.offset - kMaxBefore;
    prefix = "...";
  }
  while (begin < at.offset && IsContinuationByte(text[begin])) {
    ++begin;
  }
  const size_t span_end = std::min<size_t>(end, at.end());
  end = std::min(end, std::max(span_end, static_cast<size_t>(at.offset)) + kMaxAfter);
  while (end < text.size() && IsContinuationByte(text[end])) {
    ++end;
  }
  std::string line = prefix + text.substr(begin, end - begin);
  std::string marks(prefix.size(), ' ');
  for (size_t i = begin; i < at.offset; ++i) {
    if (!IsContinuationByte(text[i])) {
      marks += text[i] == '\t' ? '\t' : ' ';
    }
  }
  const std::string_view marked =
      std::string_view(text).substr(at.offset, span_end > at.offset ? span_end - at.offset : 0);
  marks.append(std::clamp<size_t>(CountCharacters(marked), 1, kMaxBefore), '^');
  std::erase(line, '\r');
  return line + "\n" + marks;
}

}  // namespace sluice::sql
