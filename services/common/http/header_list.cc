#include "services/common/http/header_list.h"

#include <openssl/crypto.h>

#include <cstring>

#include "absl/strings/str_cat.h"
#include "services/common/status/check.h"

namespace nightjar::http {

HeaderList::~HeaderList() {
  for (curl_slist* line = list_; line != nullptr; line = line->next) {
    OPENSSL_cleanse(line->data, std::strlen(line->data));
  }
  curl_slist_free_all(list_);
}

absl::Status HeaderList::Add(absl::string_view name, absl::string_view value) {
  constexpr absl::string_view kForbidden("\r\n\0", 3);
  for (absl::string_view text : {name, value}) {
    if (text.find_first_of(kForbidden) != absl::string_view::npos) {
      return absl::InvalidArgumentError(absl::StrCat("HTTP header ",
                                                     name.substr(0, name.find_first_of(kForbidden)),
                                                     ": holds a line break or NUL"));
    }
  }
  // "Name;" is libcurl's way to say "with an empty value".
  std::string line = value.empty() ? absl::StrCat(name, ";") : absl::StrCat(name, ": ", value);
  Append(line);
  OPENSSL_cleanse(line.data(), line.size());
  return absl::OkStatus();
}

void HeaderList::Remove(absl::string_view name) { Append(absl::StrCat(name, ":")); }

void HeaderList::Append(const std::string& line) {
  curl_slist* const longer = curl_slist_append(list_, line.c_str());
  CHECK(longer != nullptr);  // out of memory
  list_ = longer;
}

}  // namespace nightjar::http
