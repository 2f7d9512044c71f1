// Calls to the admin service of one stage.
#ifndef SERVICES_CLI_STAGE_CLIENT_H_
#define SERVICES_CLI_STAGE_CLIENT_H_

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/common/rpc/security.h"

namespace nightjar::cli {

// Thread-safe. `security` is used by the constructor only. Errors carry the stage's own code and
// words; kUnavailable when it cannot be reached, kDeadlineExceeded when it does not answer in time.
class StageClient {
 public:
  StageClient(const std::string& address, const rpc::Security& security);
  ~StageClient();

  absl::StatusOr<admin::v1::StageStatus> GetStatus(absl::Duration timeout) const;

  // Calls `take` for each event until it returns false (then OK) or the stage ends the call.
  absl::Status Tap(const admin::v1::TapRequest& request,
                   const std::function<bool(const admin::v1::TapResponse&)>& take) const;

 private:
  struct Channel;
  const std::unique_ptr<Channel> channel_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STAGE_CLIENT_H_
