#include "services/common/runtime/stage_server.h"

#include <unistd.h>

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "grpc/support/time.h"
#include "grpcpp/ext/proto_server_reflection_plugin.h"
#include "grpcpp/health_check_service_interface.h"
#include "grpcpp/security/server_credentials.h"
#include "grpcpp/server.h"
#include "grpcpp/server_builder.h"
#include "services/common/metrics/ledger.h"
#include "services/common/rpc/grpc_log.h"
#include "services/common/rpc/settings.h"
#include "services/common/runtime/address_file.h"
#include "services/common/runtime/admin_service.h"
#include "services/common/runtime/describe_config.h"
#include "services/common/runtime/http_server.h"
#include "services/common/runtime/listen_address.h"
#include "services/common/runtime/open_calls.h"
#include "services/common/runtime/stage_metrics.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_macros.h"
#include "spdlog/spdlog.h"

namespace nightjar::runtime {
namespace {

constexpr int kHttpPortAboveGrpc = 100;
// For peers to leave once no call is open. gRPC waits for all of them, and one that is idle, frozen
// or cut off does not notice for seconds that we are going.
constexpr absl::Duration kLeaveMax = absl::Milliseconds(200);

gpr_timespec DeadlineAfter(absl::Duration duration) {
  return gpr_time_add(gpr_now(GPR_CLOCK_MONOTONIC),
                      gpr_time_from_millis(absl::ToInt64Milliseconds(duration), GPR_TIMESPAN));
}

// "scorer stopped: read 12 = accepted 10 + filtered 2 + in flight 0"; what is in flight comes again
// after the next start.
void LogClosingBooks(const admin::v1::StageStatus& status) {
  if (status.read_events() == 0) return spdlog::info("{} stopped", status.stage());
  std::map<int, uint64_t> ended;
  for (const auto& count : status.counts()) ended[count.outcome()] += count.count();
  std::string parts;
  for (const auto& [outcome, count] : ended) {
    const auto name = metrics::OutcomeName(static_cast<telemetry::v1::Outcome>(outcome));
    absl::StrAppend(&parts, name, " ", count, " + ");
  }
  spdlog::info("{} stopped: read {} = {}in flight {}", status.stage(), status.read_events(), parts,
               status.in_flight_events());
}

}  // namespace

struct StageServer::Impl {
  Impl(StageInfo info, const Flags& flags, const rpc::Security& security, metrics::Metrics& metrics,
       StageMonitor& monitor, std::function<std::string()> config_yaml)
      : info(std::move(info)),
        flags(flags),
        security(security),
        monitor(monitor),
        admin(monitor, security, std::move(config_yaml)),
        stage_metrics(this->info.name, metrics, monitor),
        http(metrics, stage_metrics, monitor) {}

  absl::Status StartGrpc(ListenAddress& address);
  absl::Status StartHttp(const ListenAddress& grpc_address, bool any_port);

  const StageInfo info;
  const Flags flags;
  const rpc::Security& security;
  const StageMonitor& monitor;
  std::vector<std::pair<grpc::Service*, std::string>> services;
  AdminService admin;
  StageMetrics stage_metrics;
  HttpServer http;
  Addresses addresses;
  OpenCalls open_calls;
  std::unique_ptr<grpc::Server> server;  // last: ends before the services do
};

absl::Status StageServer::Impl::StartGrpc(ListenAddress& address) {
  RETURN_IF_ERROR(CheckCanListen(address, "gRPC"));
  rpc::TakeLogOfGrpc();
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  grpc::ServerBuilder builder;
  rpc::ConfigureServer(builder);
  int port = 0;
  builder.AddListeningPort(address.ToString(), security.server_credentials(), &port);
  builder.RegisterService(&admin);
  for (const auto& [service, name] : services) builder.RegisterService(service);
  std::vector<std::unique_ptr<grpc::experimental::ServerInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(open_calls.Counter());
  builder.experimental().SetInterceptorCreators(std::move(interceptors));
  server = builder.BuildAndStart();
  if (server == nullptr || port <= 0) {
    return ConfigError(absl::StrCat("cannot listen on ", address.ToString(), " for gRPC"));
  }
  address.port = port;
  addresses.grpc = address.ToString();
  grpc::HealthCheckServiceInterface& health = *server->GetHealthCheckService();
  health.SetServingStatus(admin::v1::Stage::service_full_name(), true);
  for (const auto& [service, name] : services) health.SetServingStatus(name, true);
  return absl::OkStatus();
}

absl::Status StageServer::Impl::StartHttp(const ListenAddress& grpc_address, bool any_port) {
  ListenAddress address = grpc_address;
  address.port = any_port ? 0 : grpc_address.port + kHttpPortAboveGrpc;
  ASSIGN_OR_RETURN(address.port, http.Start(address));
  addresses.http = address.ToString();
  return absl::OkStatus();
}

StageServer::StageServer(StageInfo info, const Flags& flags, const rpc::Security& security,
                         metrics::Metrics& metrics, StageMonitor& monitor,
                         std::function<std::string()> config_yaml)
    : impl_(std::make_unique<Impl>(std::move(info), flags, security, metrics, monitor,
                                   std::move(config_yaml))) {}

StageServer::~StageServer() { Shutdown(absl::ZeroDuration()); }

void StageServer::AddService(grpc::Service& service, const std::string& name) {
  impl_->services.emplace_back(&service, name);
}

void StageServer::SetApiAddress(const std::string& address) { impl_->addresses.api = address; }

void StageServer::DescribeConfig(const config::Config& config, unsigned sections) {
  runtime::DescribeConfig(config, sections, impl_->flags.listen, &impl_->stage_metrics);
}

// 1. The address may be listened on.  2. An address file of an earlier run goes.
// 3. gRPC.  4. HTTP.  5. The address file, once both serve.
absl::Status StageServer::Start() {
  RETURN_IF_ERROR(impl_->security.Validate(impl_->flags.listen));
  if (const auto networks = impl_->security.plaintext_networks(); !networks.empty()) {
    spdlog::warn(
        "security.plaintext_networks: {} may connect in plain text, and anybody who can "
        "pretend to be there",
        absl::StrJoin(networks, ", "));
  }
  ASSIGN_OR_RETURN(ListenAddress address, ParseListenAddress(impl_->flags.listen));
  const bool any_port = address.port == 0;
  if (!any_port && address.port + kHttpPortAboveGrpc > kPortMax) {
    return ConfigError(absl::StrCat("listen address \"", impl_->flags.listen, "\": HTTP is ",
                                    kHttpPortAboveGrpc, " ports higher, which is over ", kPortMax));
  }
  if (!impl_->flags.address_file.empty()) unlink(impl_->flags.address_file.c_str());
  RETURN_IF_ERROR(impl_->StartGrpc(address));
  RETURN_IF_ERROR(impl_->StartHttp(address, any_port));
  if (!impl_->flags.address_file.empty()) {
    RETURN_IF_ERROR(WriteAddressFile(impl_->flags.address_file, impl_->addresses));
  }
  spdlog::info("{} {} serves gRPC on {} and HTTP on {}", impl_->info.name, Version(),
               impl_->addresses.grpc, impl_->addresses.http);
  return absl::OkStatus();
}

void StageServer::StopAccepting() {
  if (impl_->server != nullptr) impl_->server->GetHealthCheckService()->SetServingStatus(false);
}

void StageServer::Shutdown(absl::Duration deadline) {
  if (impl_->server != nullptr) {
    StopAccepting();
    impl_->admin.EndStreams();
    impl_->open_calls.WaitForNone(deadline, SystemClock());
    impl_->server->Shutdown(DeadlineAfter(std::min(deadline, kLeaveMax)));
    impl_->server = nullptr;
    LogClosingBooks(impl_->monitor.Status());
  }
  impl_->http.Shutdown();
}

const std::string& StageServer::grpc_address() const { return impl_->addresses.grpc; }
const std::string& StageServer::http_address() const { return impl_->addresses.http; }

}  // namespace nightjar::runtime
