// parse_url, try_parse_url: the parts of a URI as java.net.URI takes it apart.
#include <fmt/format.h>

#include <optional>

#include "sql/functions/function_registry_internal.h"

namespace sluice::sql {
namespace {

using Args = std::vector<BoundPtr>;
using Text = std::string_view;

bool IsAlpha(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsHex(char c) { return IsDigit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F'); }

// Characters that no part of a URI may have unescaped; '%' must begin an escape.
bool IsLegal(Text text) {
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (static_cast<unsigned char>(c) <= 0x20 || c == 0x7F) return false;
    if (Text("\"<>\\^`{|}").find(c) != Text::npos) return false;
    if (c == '%' && (at + 2 >= text.size() || !IsHex(text[at + 1]) || !IsHex(text[at + 2])))
      return false;
  }
  return true;
}

struct Uri {
  std::optional<Text> scheme, authority, user, host, path, query, fragment;
};

// Labels of letters, digits and inner hyphens, the last beginning with a letter; or an IPv4 or
// bracketed IPv6 address.
bool IsHost(Text host) {
  if (host.empty()) return false;
  if (host.front() == '[') {
    if (host.back() != ']' || host.size() < 4) return false;
    for (const char c : host.substr(1, host.size() - 2)) {
      if (!IsHex(c) && c != ':' && c != '.') return false;
    }
    return true;
  }
  if (host.back() == '.') host.remove_suffix(1);
  bool numeric = true;
  size_t labels = 0;
  Text last;
  while (true) {
    const size_t dot = host.find('.');
    last = host.substr(0, dot);
    ++labels;
    if (last.empty() || last.front() == '-' || last.back() == '-') return false;
    for (const char c : last) {
      if (!IsAlpha(c) && !IsDigit(c) && c != '-') return false;
      numeric &= IsDigit(c);
    }
    if (dot == Text::npos) break;
    host.remove_prefix(dot + 1);
  }
  return numeric ? labels == 4 : IsAlpha(last.front());
}

// user@host:port; without a proper host an authority is only a name.
void SplitAuthority(Text authority, Uri* uri) {
  Text host = authority;
  std::optional<Text> user;
  const size_t at = host.rfind('@');
  if (at != Text::npos) {
    user = host.substr(0, at);
    host.remove_prefix(at + 1);
  }
  const size_t colon = host.find(':', host.starts_with('[') ? host.find(']') : 0);
  if (colon != Text::npos) {
    for (const char c : host.substr(colon + 1)) {
      if (!IsDigit(c)) return;
    }
    host = host.substr(0, colon);
  }
  if (!IsHost(host)) return;
  uri->user = user;
  uri->host = host;
}

std::optional<Uri> ParseUri(Text text) {
  Uri uri;
  if (!IsLegal(text)) return std::nullopt;
  const size_t hash = text.find('#');
  if (hash != Text::npos) {
    uri.fragment = text.substr(hash + 1);
    if (uri.fragment->find('#') != Text::npos) return std::nullopt;
    text = text.substr(0, hash);
  }
  const size_t colon = text.find_first_of(":/?");
  if (colon != Text::npos && text[colon] == ':') {
    const Text scheme = text.substr(0, colon);
    if (scheme.empty() || !IsAlpha(scheme[0])) return std::nullopt;
    for (const char c : scheme) {
      if (!IsAlpha(c) && !IsDigit(c) && c != '+' && c != '-' && c != '.') return std::nullopt;
    }
    uri.scheme = scheme;
    text.remove_prefix(colon + 1);
    if (text.empty()) return std::nullopt;
    if (text.front() != '/') return uri;  // opaque: mailto:a@b
  }
  const size_t mark = text.find('?');
  if (mark != Text::npos) {
    uri.query = text.substr(mark + 1);
    text = text.substr(0, mark);
  }
  if (text.find_first_of("[]") != Text::npos && !text.starts_with("//[")) return std::nullopt;
  if (text.starts_with("//")) {
    text.remove_prefix(2);
    const size_t slash = std::min(text.find('/'), text.size());
    if (slash > 0) {
      uri.authority = text.substr(0, slash);
      SplitAuthority(*uri.authority, &uri);
    } else if (text.empty()) {
      return std::nullopt;
    }
    text.remove_prefix(slash);
  }
  uri.path = text;
  return uri;
}

using Answer = std::optional<std::string>;

Answer Part(const Uri& uri, Text part) {
  auto text = [](const std::optional<Text>& value) {
    return value.has_value() ? Answer(*value) : Answer();
  };
  if (part == "HOST") return text(uri.host);
  if (part == "PATH") return text(uri.path);
  if (part == "QUERY") return text(uri.query);
  if (part == "REF") return text(uri.fragment);
  if (part == "PROTOCOL") return text(uri.scheme);
  if (part == "AUTHORITY") return text(uri.authority);
  if (part == "USERINFO") return text(uri.user);
  if (part != "FILE") return std::nullopt;
  if (!uri.path.has_value()) return std::nullopt;
  std::string file(*uri.path);
  if (uri.query.has_value()) file += "?" + std::string(*uri.query);
  return file;
}

// The value of the first `key=` of the query.
Answer QueryValue(Text query, Text key) {
  while (true) {
    const size_t end = std::min(query.find('&'), query.size());
    const Text pair = query.substr(0, end);
    const size_t equals = pair.find('=');
    if (equals != Text::npos && pair.substr(0, equals) == key)
      return std::string(pair.substr(equals + 1));
    if (end == query.size()) return std::nullopt;
    query.remove_prefix(end + 1);
  }
}

Result<Answer> Find(Text url, Text part, const std::optional<Text>& key, bool tried) {
  const auto uri = ParseUri(url);
  if (!uri.has_value()) {
    if (tried) return Answer();
    return MakeError("INVALID_URL",
                     fmt::format("[INVALID_URL] the url is invalid: {}. Use `try_parse_url` to "
                                 "tolerate invalid URL and return NULL instead. SQLSTATE: 22P02",
                                 url.substr(0, 200)));
  }
  if (!key.has_value()) return Part(*uri, part);
  if (part != "QUERY" || !uri->query.has_value()) return Answer();
  return QueryValue(*uri->query, *key);
}

Result<Kernel> ParseUrl(const BoundExpression& expression) {
  const bool tried = expression.name == "try_parse_url";
  if (expression.args.size() == 2) {
    return Map<Text, Text, Text>(
        [tried](Text url, Text part) { return Find(url, part, std::nullopt, tried); })(expression);
  }
  // The key is a pattern in Spark: one with special characters means something else.
  const auto key = ConstantText(expression, 2);
  if (key.has_value() && key->find_first_of("\\^$.|?*+()[]{}") != std::string::npos)
    return MakeError("NOT_SUPPORTED_YET",
                     "not supported yet: parse_url with the key '" + *key + "'");
  return Map<Text, Text, Text, Text>([tried](Text url, Text part, Text name) -> Result<Answer> {
    if (name.find_first_of("\\^$.|?*+()[]{}") != Text::npos)
      return MakeError("NOT_SUPPORTED_YET",
                       "not supported yet: parse_url with a key that is a pattern");
    return Find(url, part, name, tried);
  })(expression);
}

}  // namespace

void RegisterUrlFunctions(FunctionRegistry* registry) {
  registry->Add({"parse_url", "ss|s", 's', true}, ParseUrl, true);
  registry->Add({"try_parse_url", "ss|s", 's', true}, ParseUrl);
}

}  // namespace sluice::sql
