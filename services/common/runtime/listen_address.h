// Where a server listens: "127.0.0.1:7402", "[::1]:0", "localhost:7402", "0.0.0.0:7402".
#ifndef SERVICES_COMMON_RUNTIME_LISTEN_ADDRESS_H_
#define SERVICES_COMMON_RUNTIME_LISTEN_ADDRESS_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace nightjar::runtime {

inline constexpr int kPortMax = 65535;

struct ListenAddress {
  std::string host;  // IPv6 without brackets
  int port = 0;      // 0: any

  // "host:port", IPv6 in brackets.
  std::string ToString() const;
};

// Exit code 78 when `text` is not host:port; the message says what is wrong.
absl::StatusOr<ListenAddress> ParseListenAddress(absl::string_view text);

// Exit code 78, saying why, when the system does not let `purpose` listen on `address`. For good
// messages only: the libraries that bind afterwards do not tell the reason.
absl::Status CheckCanListen(const ListenAddress& address, absl::string_view purpose);

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_LISTEN_ADDRESS_H_
