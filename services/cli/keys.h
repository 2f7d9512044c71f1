// nightjar keys: the API keys of the embedded engine.
#ifndef SERVICES_CLI_KEYS_H_
#define SERVICES_CLI_KEYS_H_

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin/v1/engine_keys.pb.h"
#include "services/common/rpc/security.h"

namespace nightjar::cli {

// Calls to analytics-engine's EngineKeys. Errors carry the engine's code and words. Each returns
// the text for a person; Create's holds the key, which nobody can show again.
class EngineKeysClient {
 public:
  EngineKeysClient(const std::string& address, const rpc::Security& security);
  ~EngineKeysClient();

  absl::StatusOr<std::string> Create(const admin::v1::CreateKeyRequest& request) const;
  absl::StatusOr<std::string> List(absl::Time now) const;
  absl::StatusOr<std::string> Revoke(const std::string& prefix) const;

 private:
  struct Channel;
  const std::unique_ptr<Channel> channel_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_KEYS_H_
