#include "services/common/network/domain.h"

#include <libpsl.h>

#include <cstring>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "services/common/network/address.h"

namespace nightjar::network {
namespace {

constexpr size_t kNameBytesMax = 254;
constexpr size_t kLabelBytesMax = 63;

bool IsDigit(char c) { return absl::ascii_isdigit(static_cast<unsigned char>(c)); }

bool IsLabelByte(char c) {
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_';
}

bool IsSuffix(const std::string& name) {
  return psl_is_public_suffix2(psl_builtin(), name.c_str(), PSL_TYPE_ANY | PSL_TYPE_NO_STAR_RULE);
}

}  // namespace

std::string NormalizeDomain(absl::string_view name) {
  while (absl::ConsumeSuffix(&name, ".")) {
  }
  return absl::AsciiStrToLower(name);
}

std::string UnescapeDomain(absl::string_view name) {
  std::string plain;
  plain.reserve(name.size());
  for (size_t i = 0; i < name.size(); ++i) {
    if (name[i] != '\\' || i + 1 == name.size()) {
      plain += name[i];
    } else if (!IsDigit(name[i + 1])) {
      plain += name[++i];
    } else if (i + 3 < name.size() && IsDigit(name[i + 2]) && IsDigit(name[i + 3]) &&
               name.substr(i + 1, 3) <= "255") {
      plain += static_cast<char>((name[i + 1] - '0') * 100 + (name[i + 2] - '0') * 10 +
                                 (name[i + 3] - '0'));
      i += 3;
    } else {
      plain += name[i];  // not an escape: stays as it is
    }
  }
  return plain;
}

bool IsHostName(absl::string_view name) {
  if (name.empty() || name.size() > kNameBytesMax) return false;
  bool letter = false;
  size_t label_bytes = 0;
  for (char c : name) {
    if (c == '.') {
      if (label_bytes == 0) return false;
      label_bytes = 0;
      continue;
    }
    if (!IsLabelByte(c) || ++label_bytes > kLabelBytesMax) return false;
    letter |= absl::ascii_isalpha(static_cast<unsigned char>(c));
  }
  return letter && label_bytes > 0;
}

absl::string_view RegistrableDomain(absl::string_view normalized) {
  // libpsl wants a C string. A longer name, or one with a NUL inside, is no name.
  char name[kNameBytesMax + 1];
  if (normalized.empty() || normalized.size() > kNameBytesMax ||
      std::memchr(normalized.data(), '\0', normalized.size()) != nullptr ||
      Address::Parse(normalized).has_value()) {
    return {};
  }
  std::memcpy(name, normalized.data(), normalized.size());
  name[normalized.size()] = '\0';
  const char* registrable = psl_registrable_domain(psl_builtin(), name);
  if (registrable == nullptr) return {};
  return normalized.substr(registrable - name);
}

bool HasKnownSuffix(absl::string_view normalized) {
  const std::string last(normalized.substr(normalized.rfind('.') + 1));
  // Some top-level domains are in the list only as "*.ck".
  return !last.empty() && (IsSuffix(last) || IsSuffix(absl::StrCat("x.", last)));
}

absl::Status DomainSet::Add(absl::string_view entry) {
  absl::string_view name = entry;
  const bool below = absl::ConsumePrefix(&name, "*.");
  std::string normalized = NormalizeDomain(name);
  if (!IsHostName(normalized)) {
    return absl::InvalidArgumentError(
        absl::StrCat("domain \"", entry.substr(0, kNameBytesMax),
                     "\": expected a host name such as example.com, or *.example.com"));
  }
  (below ? below_ : exact_).insert(std::move(normalized));
  return absl::OkStatus();
}

bool DomainSet::Contains(absl::string_view normalized) const {
  if (exact_.contains(normalized)) return true;
  if (below_.empty()) return false;
  for (absl::string_view rest = normalized;;) {
    if (below_.contains(rest)) return true;
    const size_t dot = rest.find('.');
    if (dot == absl::string_view::npos) return false;
    rest.remove_prefix(dot + 1);
  }
}

}  // namespace nightjar::network
