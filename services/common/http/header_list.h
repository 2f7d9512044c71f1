// The header lines of one request, in libcurl's form.
#ifndef SERVICES_COMMON_HTTP_HEADER_LIST_H_
#define SERVICES_COMMON_HTTP_HEADER_LIST_H_

#include <curl/curl.h>

#include <string>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"

namespace nightjar::http {

// Not thread-safe. Outlives the transfer that uses it.
class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList();  // zeroes the lines: one may hold a key
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;

  // kInvalidArgument when either holds a line break or NUL: what follows would be a line of its
  // own.
  absl::Status Add(absl::string_view name, absl::string_view value);

  // Keeps libcurl from sending this header of its own accord.
  void Remove(absl::string_view name);

  curl_slist* get() const { return list_; }

 private:
  void Append(const std::string& line);

  curl_slist* list_ = nullptr;
};

}  // namespace nightjar::http

#endif  // SERVICES_COMMON_HTTP_HEADER_LIST_H_
