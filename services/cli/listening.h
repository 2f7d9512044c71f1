// Whether anybody serves at an address.
#ifndef SERVICES_CLI_LISTENING_H_
#define SERVICES_CLI_LISTENING_H_

#include <string>

namespace nightjar::cli {

// True when a TCP connection to `address` (host:port) comes about within half a second.
bool IsListening(const std::string& address);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_LISTENING_H_
