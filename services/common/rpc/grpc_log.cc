#include "services/common/rpc/grpc_log.h"

#include "grpc/support/log.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/log_quota.h"
#include "services/common/rpc/tls_credentials.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

void Log(gpr_log_func_args* line) {
  if (line->severity != GPR_LOG_SEVERITY_ERROR) {
    spdlog::debug("grpc: {}", line->message);
    return;
  }
  static LogQuota* const quota = new LogQuota(SystemClock());  // gRPC's threads may outlive main
  if (const auto others = quota->Take()) {
    spdlog::warn("grpc: {}{}", ExplainHandshake(line->message), *others);
  }
}

}  // namespace

void TakeLogOfGrpc() { gpr_set_log_function(Log); }

}  // namespace nightjar::rpc
