#include "services/common/runtime/admin_service.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "google/protobuf/util/time_util.h"
#include "services/common/rpc/grpc_status.h"
#include "services/common/rpc/settings.h"
#include "services/common/runtime/log.h"

namespace nightjar::runtime {
namespace {

using google::protobuf::util::TimeUtil;
using grpc::CallbackServerContext;
using rpc::Role;

grpc::ServerUnaryReactor* Reply(CallbackServerContext& context, const absl::Status& status) {
  grpc::ServerUnaryReactor* reactor = context.DefaultReactor();
  reactor->Finish(rpc::ToGrpc(status));
  return reactor;
}

std::string Author(CallbackServerContext& context) {
  return rpc::PeerName(*context.auth_context(), context.peer());
}

}  // namespace

AdminService::AdminService(StageMonitor& monitor, const rpc::Security& security,
                           std::function<std::string()> config_yaml)
    : monitor_(monitor),
      security_(security),
      config_yaml_(std::move(config_yaml)),
      watches_(monitor) {
  rpc::PinCallbackQueue();
}

void AdminService::EndStreams() {
  watches_.EndAll();
  std::lock_guard<std::mutex> lock(mutex_);
  ended_ = true;
  for (TapStream* tap : taps_) {
    tap->End(grpc::Status(grpc::StatusCode::UNAVAILABLE, "the stage is stopping"));
  }
}

grpc::ServerUnaryReactor* AdminService::GetStatus(CallbackServerContext* context,
                                                  const admin::v1::GetStatusRequest*,
                                                  admin::v1::StageStatus* response) {
  const absl::Status allowed = Authorize(*context, Role::kView);
  if (allowed.ok()) *response = monitor_.Status();
  return Reply(*context, allowed);
}

grpc::ServerWriteReactor<admin::v1::StageStatus>* AdminService::WatchStatus(
    CallbackServerContext* context, const admin::v1::WatchStatusRequest* request) {
  const absl::Status allowed = Authorize(*context, Role::kView);
  if (!allowed.ok()) return new RefusedStream<admin::v1::StageStatus>(rpc::ToGrpc(allowed));
  return watches_.Add(*request);
}

grpc::ServerWriteReactor<admin::v1::TapResponse>* AdminService::Tap(
    CallbackServerContext* context, const admin::v1::TapRequest* request) {
  const auto refuse = [](const absl::Status& status) {
    return new RefusedStream<admin::v1::TapResponse>(rpc::ToGrpc(status));
  };
  if (const absl::Status allowed = Authorize(*context, Role::kTap); !allowed.ok()) {
    return refuse(allowed);
  }
  auto filter = ParseTapFilter(*request);
  if (!filter.ok()) return refuse(filter.status());
  const auto rate = TapRate(*request);
  if (!rate.ok()) return refuse(rate.status());

  std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return refuse(absl::UnavailableError("the stage is stopping"));
  auto* tap = new TapStream(*std::move(filter), *rate, monitor_.clock(),
                            [this](TapStream* done) { ForgetTap(done); });
  taps_.insert(tap);
  if (!monitor_.AddTap(tap)) {
    tap->End(grpc::Status(grpc::StatusCode::RESOURCE_EXHAUSTED,
                          "as many taps as this stage allows are open already"));
  }
  return tap;
}

grpc::ServerUnaryReactor* AdminService::GetConfig(CallbackServerContext* context,
                                                  const admin::v1::GetConfigRequest*,
                                                  admin::v1::GetConfigResponse* response) {
  const absl::Status allowed = Authorize(*context, Role::kView);
  if (allowed.ok()) response->set_yaml(config_yaml_());
  return Reply(*context, allowed);
}

grpc::ServerUnaryReactor* AdminService::SetLogLevel(CallbackServerContext* context,
                                                    const admin::v1::SetLogLevelRequest* request,
                                                    admin::v1::SetLogLevelResponse* response) {
  if (const absl::Status allowed = Authorize(*context, Role::kOperate); !allowed.ok()) {
    return Reply(*context, allowed);
  }
  auto previous = runtime::SetLogLevel(request->level());
  if (previous.ok()) {
    LogAlways(absl::StrCat("log level set to ", request->level(), " by ", Author(*context)));
    response->set_previous(*previous);
  }
  return Reply(*context, previous.status());
}

grpc::ServerUnaryReactor* AdminService::Pause(CallbackServerContext* context,
                                              const admin::v1::PauseRequest* request,
                                              admin::v1::PauseResponse* response) {
  const absl::Status allowed = Authorize(*context, Role::kOperate);
  if (allowed.ok()) {
    LogAlways(absl::StrCat("paused by ", Author(*context), ": ", request->reason()));
    const absl::Time ends_at = monitor_.Pause(request->reason());
    *response->mutable_ends_at() = TimeUtil::NanosecondsToTimestamp(absl::ToUnixNanos(ends_at));
  }
  return Reply(*context, allowed);
}

grpc::ServerUnaryReactor* AdminService::Resume(CallbackServerContext* context,
                                               const admin::v1::ResumeRequest*,
                                               admin::v1::ResumeResponse*) {
  const absl::Status allowed = Authorize(*context, Role::kOperate);
  if (allowed.ok()) {
    LogAlways(absl::StrCat("resumed by ", Author(*context)));
    monitor_.Resume();
  }
  return Reply(*context, allowed);
}

absl::Status AdminService::Authorize(CallbackServerContext& context, Role role) const {
  return security_.Authorize(*context.auth_context(), context.peer(), role);
}

void AdminService::ForgetTap(TapStream* tap) {
  std::lock_guard<std::mutex> lock(mutex_);
  monitor_.RemoveTap(tap);
  taps_.erase(tap);
}

}  // namespace nightjar::runtime
