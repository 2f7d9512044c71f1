#include "services/common/http/ca_file.h"

#include <openssl/err.h>
#include <openssl/x509.h>

#include <memory>

#include "absl/strings/str_cat.h"
#include "services/common/status/exit_status.h"

namespace nightjar::http {

absl::Status CheckCaFile(absl::string_view key, const std::string& path) {
  if (path.empty()) return absl::OkStatus();
  ERR_clear_error();
  const std::unique_ptr<X509_STORE, void (*)(X509_STORE*)> store(X509_STORE_new(), X509_STORE_free);
  if (X509_STORE_load_file(store.get(), path.c_str()) == 1) return absl::OkStatus();
  const char* reason = ERR_reason_error_string(ERR_get_error());
  ERR_clear_error();
  return ConfigError(absl::StrCat(key, ": ", path, " holds no certificate that can be read (",
                                  reason == nullptr ? "unknown error" : reason,
                                  "); it must be PEM"));
}

}  // namespace nightjar::http
