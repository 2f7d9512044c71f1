// The engine's keys in words: from the command line, and for the screen.
#ifndef SERVICES_CLI_KEY_TEXTS_H_
#define SERVICES_CLI_KEY_TEXTS_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin/v1/engine_keys.pb.h"

namespace nightjar::cli {

struct NewKey {
  std::vector<std::string> scopes;  // ingest, alerts, admin
  std::string description;
  std::string lifetime;  // "90d", "12h"; empty: for ever
};

// Exit code 64, naming the value, for a scope or a lifetime that is none.
absl::StatusOr<admin::v1::CreateKeyRequest> ToRequest(const NewKey& key);

// A table, or a sentence when there are none.
std::string KeyTable(const admin::v1::ListKeysResponse& response, absl::Time now);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_KEY_TEXTS_H_
