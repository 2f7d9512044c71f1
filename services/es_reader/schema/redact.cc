#include "services/es_reader/schema/redact.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"

namespace nightjar::es_reader {
namespace {

constexpr absl::string_view kMask = "***";

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  c = absl::ascii_tolower(c);
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::string DecodedName(absl::string_view raw) {
  std::string name;
  name.reserve(raw.size());
  for (size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%' && i + 2 < raw.size() && HexValue(raw[i + 1]) >= 0 && HexValue(raw[i + 2]) >= 0) {
      c = static_cast<char>(HexValue(raw[i + 1]) * 16 + HexValue(raw[i + 2]));
      i += 2;
    }
    name += absl::ascii_tolower(c);
  }
  return name;
}

}  // namespace

Redactor::Redactor(const std::vector<std::string>& secret_parameters) {
  for (const std::string& name : secret_parameters) names_.insert(absl::AsciiStrToLower(name));
}

bool Redactor::Redact(std::string* url) const {
  const bool user = RedactUser(url);
  const bool query = RedactQuery(url);
  return user || query;
}

bool Redactor::IsSecret(absl::string_view raw_name) const {
  const std::string name = DecodedName(raw_name);
  if (names_.contains(name)) return true;
  // user[password], as forms of Rails and PHP name their fields.
  const size_t bracket = name.rfind('[');
  if (bracket == std::string::npos || name.back() != ']') return false;
  return names_.contains(name.substr(bracket + 1, name.size() - bracket - 2));
}

bool Redactor::RedactUser(std::string* url) const {
  size_t begin = url->find("//");
  if (begin == std::string::npos) return false;
  begin += 2;
  const size_t end = url->find_first_of("/?#", begin);
  const absl::string_view authority = absl::string_view(*url).substr(
      begin, end == std::string::npos ? absl::string_view::npos : end - begin);
  const size_t at = authority.rfind('@');
  if (at == absl::string_view::npos) return false;
  const size_t colon = authority.find(':');
  if (colon == absl::string_view::npos || colon + 1 >= at) return false;
  url->replace(begin + colon + 1, at - colon - 1, kMask.data(), kMask.size());
  return true;
}

bool Redactor::RedactQuery(std::string* url) const {
  const size_t question = url->find('?');
  if (question == std::string::npos || names_.empty()) return false;
  std::string masked(*url, 0, question + 1);
  bool found = false;
  absl::string_view rest = absl::string_view(*url).substr(question + 1);
  while (!rest.empty()) {
    const size_t end = rest.find_first_of("&;#");
    const absl::string_view parameter = rest.substr(0, end);
    const size_t equals = parameter.find('=');
    if (equals != absl::string_view::npos && equals + 1 < parameter.size() &&
        IsSecret(parameter.substr(0, equals))) {
      absl::StrAppend(&masked, parameter.substr(0, equals + 1), kMask);
      found = true;
    } else {
      absl::StrAppend(&masked, parameter);
    }
    if (end == absl::string_view::npos) break;
    masked += rest[end];
    rest.remove_prefix(end + 1);
  }
  if (found) *url = std::move(masked);
  return found;
}

}  // namespace nightjar::es_reader
