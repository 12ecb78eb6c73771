#include "sql/expressions/json_path.h"

#include <algorithm>
#include <charconv>

namespace sluice::sql {
namespace {

std::string Joined(const std::vector<std::string>& texts) {
  std::string out;
  for (size_t i = 0; i < texts.size(); ++i) {
    if (i > 0) out += ',';
    out += texts[i];
  }
  return out;
}

}  // namespace

std::optional<JsonPath> JsonPath::Parse(std::string_view text) {
  JsonPath path;
  if (text.empty() || text[0] != '$') return std::nullopt;
  text.remove_prefix(1);
  while (!text.empty()) {
    Step step{Step::Kind::kName, {}, 0};
    if (text[0] == '.') {
      const size_t end = std::min(text.find_first_of(".[", 1), text.size());
      if (end == 1) return std::nullopt;
      step.name = text.substr(1, end - 1);
      if (step.name == "*") step.kind = Step::Kind::kEveryField;
      text.remove_prefix(end);
    } else if (text.starts_with("['")) {
      const size_t end = text.find("']", 2);
      if (end == std::string_view::npos || end == 2) return std::nullopt;
      step.name = text.substr(2, end - 2);
      if (step.name.find_first_of("'?") != std::string::npos) return std::nullopt;
      if (step.name == "*") step.kind = Step::Kind::kEveryField;
      text.remove_prefix(end + 2);
    } else if (text.starts_with("[*]")) {
      step.kind = Step::Kind::kEveryItem;
      text.remove_prefix(3);
    } else if (text[0] == '[') {
      step.kind = Step::Kind::kIndex;
      const size_t end = text.find(']');
      if (end == std::string_view::npos || end < 2 || text[1] < '0' || text[1] > '9')
        return std::nullopt;
      const auto parsed = std::from_chars(text.data() + 1, text.data() + end, step.index);
      if (parsed.ec != std::errc() || parsed.ptr != text.data() + end) return std::nullopt;
      text.remove_prefix(end + 1);
    } else {
      return std::nullopt;
    }
    path.steps_.push_back(std::move(step));
  }
  return path;
}

bool JsonPath::WalkItems(const JsonDocument& array, size_t step, Style style,
                         std::vector<std::string>* out) const {
  std::vector<std::string> found;
  const bool twice = step + 1 < steps_.size() && steps_[step + 1].kind == Step::Kind::kEveryItem;
  int matches = 0;
  const Style inner = twice ? Style::kFlat : style == Style::kRaw ? Style::kQuoted : style;
  for (const JsonDocument& item : array.items)
    matches += Walk(item, step + (twice ? 2 : 1), inner, &found) ? 1 : 0;
  if (twice || style == Style::kQuoted) {
    out->push_back("[" + Joined(found) + "]");
    return matches > 0;
  }
  if (matches == 0) return false;
  out->push_back(matches > 1 ? "[" + Joined(found) + "]" : Joined(found));
  return true;
}

bool JsonPath::Walk(const JsonDocument& value, size_t step, Style style,
                    std::vector<std::string>* out) const {
  using Kind = JsonDocument::Kind;
  if (step == steps_.size()) {
    if (value.kind == Kind::kString && style == Style::kRaw) {
      out->push_back(value.text);
      return true;
    }
    if (value.kind == Kind::kArray && style == Style::kFlat) {
      bool any = false;
      for (const JsonDocument& item : value.items) any |= Walk(item, step, style, out);
      return any;
    }
    std::string text;
    value.AppendTo(&text);
    out->push_back(std::move(text));
    return true;
  }
  const Step& wanted = steps_[step];
  if (wanted.kind == Step::Kind::kName || wanted.kind == Step::Kind::kEveryField) {
    if (value.kind != Kind::kObject) return false;
    const bool every = wanted.kind == Step::Kind::kEveryField;
    for (size_t i = 0; i < value.items.size(); ++i) {  // the first that leads somewhere
      if (!every && (value.names[i] != wanted.name || value.items[i].kind == Kind::kNull)) continue;
      if (Walk(value.items[i], step + 1, style, out)) return true;
    }
    return false;
  }
  if (value.kind != Kind::kArray) return false;
  if (wanted.kind == Step::Kind::kEveryItem) return WalkItems(value, step, style, out);
  if (wanted.index >= static_cast<int64_t>(value.items.size())) return false;
  const bool many = step + 1 < steps_.size() && steps_[step + 1].kind == Step::Kind::kEveryItem;
  return Walk(value.items[static_cast<size_t>(wanted.index)], step + 1,
              many ? Style::kQuoted : style, out);
}

bool JsonPath::IsPlain() const {
  return std::all_of(steps_.begin(), steps_.end(), [](const Step& step) {
    return step.kind == Step::Kind::kName || step.kind == Step::Kind::kIndex;
  });
}

const JsonDocument* JsonPath::Locate(const JsonDocument& document) const {
  const JsonDocument* at = &document;
  for (const Step& step : steps_) {
    const JsonDocument* next = nullptr;
    if (step.kind == Step::Kind::kIndex) {
      const bool inside = at->kind == JsonDocument::Kind::kArray &&
                          step.index < static_cast<int64_t>(at->items.size());
      if (inside) next = &at->items[static_cast<size_t>(step.index)];
    } else if (at->kind == JsonDocument::Kind::kObject) {
      const auto name = std::find(at->names.begin(), at->names.end(), step.name);
      if (name != at->names.end()) next = &at->items[static_cast<size_t>(name - at->names.begin())];
    }
    if (next == nullptr) return nullptr;
    at = next;
  }
  return at;
}

std::optional<std::string> JsonPath::Find(const JsonDocument& document) const {
  std::vector<std::string> found;
  if (!Walk(document, 0, Style::kRaw, &found)) return std::nullopt;
  return Joined(found);
}

}  // namespace sluice::sql
