// The file that tells other programs where a stage serves.
#ifndef SERVICES_COMMON_RUNTIME_ADDRESS_FILE_H_
#define SERVICES_COMMON_RUNTIME_ADDRESS_FILE_H_

#include <string>

#include "absl/status/status.h"

namespace nightjar::runtime {

// "host:port" each; empty: not served.
struct Addresses {
  std::string grpc;
  std::string http;
  std::string api;
};

// {"grpc":"127.0.0.1:41234","http":"127.0.0.1:41235"}, whole or not at all: written beside `path`,
// then renamed. Exit code 78, naming the path and the reason, when it cannot be written.
absl::Status WriteAddressFile(const std::string& path, const Addresses& addresses);

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_ADDRESS_FILE_H_
