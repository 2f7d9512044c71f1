#include "services/common/rpc/security_config.h"

namespace nightjar::rpc {

SecurityOptions FromConfig(const config::SecurityConfig& security) {
  SecurityOptions options;
  options.ca_file = security.ca_file;
  options.certificate_file = security.certificate_file;
  options.key_file = security.key_file;
  options.flow_peers = security.flow_peers;
  options.view_peers = security.view_peers;
  options.tap_peers = security.tap_peers;
  options.operate_peers = security.operate_peers;
  options.plaintext_networks = security.plaintext_networks;
  return options;
}

}  // namespace nightjar::rpc
