// nightjar.admin.v1.Stage, served by every stage: what it does now, a live sample, and the switches
// of an operator.
#ifndef SERVICES_COMMON_RUNTIME_ADMIN_SERVICE_H_
#define SERVICES_COMMON_RUNTIME_ADMIN_SERVICE_H_

#include <functional>
#include <mutex>
#include <set>
#include <string>

#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/rpc/security.h"
#include "services/common/runtime/stage_monitor.h"
#include "services/common/runtime/status_watches.h"
#include "services/common/runtime/tap_stream.h"

namespace nightjar::runtime {

// Every method asks `security` for the role named in the proto. What an operator does is logged
// with its author. Thread-safe. Outlives the server it is registered with; `monitor` and `security`
// outlive it.
class AdminService final : public admin::v1::Stage::CallbackService {
 public:
  AdminService(StageMonitor& monitor, const rpc::Security& security,
               std::function<std::string()> config_yaml);

  // Ends WatchStatus and Tap calls, which would go on for ever, and refuses new ones.
  void EndStreams();

  grpc::ServerUnaryReactor* GetStatus(grpc::CallbackServerContext* context,
                                      const admin::v1::GetStatusRequest* request,
                                      admin::v1::StageStatus* response) override;
  grpc::ServerWriteReactor<admin::v1::StageStatus>* WatchStatus(
      grpc::CallbackServerContext* context, const admin::v1::WatchStatusRequest* request) override;
  grpc::ServerWriteReactor<admin::v1::TapResponse>* Tap(
      grpc::CallbackServerContext* context, const admin::v1::TapRequest* request) override;
  grpc::ServerUnaryReactor* GetConfig(grpc::CallbackServerContext* context,
                                      const admin::v1::GetConfigRequest* request,
                                      admin::v1::GetConfigResponse* response) override;
  grpc::ServerUnaryReactor* SetLogLevel(grpc::CallbackServerContext* context,
                                        const admin::v1::SetLogLevelRequest* request,
                                        admin::v1::SetLogLevelResponse* response) override;
  grpc::ServerUnaryReactor* Pause(grpc::CallbackServerContext* context,
                                  const admin::v1::PauseRequest* request,
                                  admin::v1::PauseResponse* response) override;
  grpc::ServerUnaryReactor* Resume(grpc::CallbackServerContext* context,
                                   const admin::v1::ResumeRequest* request,
                                   admin::v1::ResumeResponse* response) override;

 private:
  absl::Status Authorize(grpc::CallbackServerContext& context, rpc::Role role) const;
  void ForgetTap(TapStream* tap);

  StageMonitor& monitor_;
  const rpc::Security& security_;
  const std::function<std::string()> config_yaml_;
  StatusWatches watches_;

  std::mutex mutex_;
  std::set<TapStream*> taps_;
  bool ended_ = false;
};

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_ADMIN_SERVICE_H_
