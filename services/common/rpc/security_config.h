// The `security` section of config.yml, as rpc::Security wants it.
#ifndef SERVICES_COMMON_RPC_SECURITY_CONFIG_H_
#define SERVICES_COMMON_RPC_SECURITY_CONFIG_H_

#include "services/common/config/config.h"
#include "services/common/rpc/security.h"

namespace nightjar::rpc {

SecurityOptions FromConfig(const config::SecurityConfig& security);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_SECURITY_CONFIG_H_
