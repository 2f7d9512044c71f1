#include "tests/e2e/pipeline.h"

#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "absl/strings/str_cat.h"
#include "grpcpp/grpcpp.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/status/status_macros.h"

namespace nightjar::e2e {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(20);
constexpr absl::Duration kStopTimeout = absl::Seconds(40);

const char* Folder(Stage stage) {
  switch (stage) {
    case Stage::kReader:
      return "es_reader";
    case Stage::kScorer:
      return "scorer";
    case Stage::kForwarder:
      return "ae_forwarder";
  }
  return "";
}

// The text of "key":"value" in a flat JSON object.
std::string Value(const std::string& json, const std::string& key) {
  const size_t at = json.find(absl::StrCat("\"", key, "\""));
  if (at == std::string::npos) return "";
  const size_t from = json.find('"', json.find(':', at)) + 1;
  return json.substr(from, json.find('"', from) - from);
}

}  // namespace

const char* StageName(Stage stage) {
  switch (stage) {
    case Stage::kReader:
      return "es-reader";
    case Stage::kScorer:
      return "scorer";
    case Stage::kForwarder:
      return "ae-forwarder";
  }
  return "";
}

Pipeline::Pipeline(PipelineOptions options) : options_(std::move(options)) {
  mkdir(options_.folder.c_str(), 0700);
}

void Pipeline::WriteConfig() const {
  std::ofstream file(config_path());
  if (options_.config.empty()) {
    WriteSections(file);
  } else {
    file << options_.config;
  }
  file << "services:\n";
  for (Stage stage : {Stage::kScorer, Stage::kForwarder}) {
    auto found = addresses_.find(stage);
    if (found == addresses_.end()) continue;
    file << "  " << Folder(stage) << ": {address: \"" << found->second << "\"}\n";
  }
}

void Pipeline::WriteSections(std::ostream& file) const {
  file << "engine:\n  host: " << options_.engine_url << "\n  api_key: " << options_.engine_key
       << "\ninputs:\n  elastic:\n    enabled: true\n    hosts: [\"" << options_.elasticsearch_url
       << "\"]\n";
  if (!options_.username.empty()) {
    file << "    username: " << options_.username << "\n    password: " << options_.password
         << "\n";
  }
  file << "    searches:\n";
  for (const char* type : {"dns", "ip", "http", "tls"}) {
    file << "      - {event_type: " << type
         << ", indices: [\"packetbeat-*\"], index_schema: ecs}\n";
  }
  file << "outputs:\n  enabled: false\ndata:\n  dir: " << options_.folder << "/data\n";
  file << "reader:\n" << options_.reader_section;
  file << options_.extra_config;
}

absl::Status Pipeline::Start(Stage stage) {
  auto running = stages_.find(stage);
  if (running != stages_.end() && running->second.process.Running()) return absl::OkStatus();
  WriteConfig();
  const std::string name = StageName(stage);
  const std::string address_file = absl::StrCat(options_.folder, "/", name, ".addresses");
  unlink(address_file.c_str());
  const std::string listen = addresses_.count(stage) > 0 ? addresses_.at(stage) : "127.0.0.1:0";
  ASSIGN_OR_RETURN(
      Process process,
      Process::Start(
          {absl::StrCat(options_.binaries, "/services/", Folder(stage), "/", name), "--config",
           config_path(), "--listen", listen, "--address_file", address_file},
          absl::StrCat(options_.folder, "/", name, ".log")));
  if (!Await(kStartTimeout,
             [&] { return !process.Running() || access(address_file.c_str(), R_OK) == 0; })) {
    return absl::InternalError(absl::StrCat(name, " does not serve\n", Log(stage)));
  }
  if (!process.Running()) {
    return absl::InternalError(
        absl::StrCat(name, " exited with ", process.exit_code(), "\n", Log(stage)));
  }
  ASSIGN_OR_RETURN(const std::string addresses, AwaitFile(address_file, absl::ZeroDuration()));
  addresses_[stage] = Value(addresses, "grpc");
  stages_.erase(stage);
  stages_.emplace(stage,
                  Running{std::move(process), Value(addresses, "grpc"), Value(addresses, "http")});
  return absl::OkStatus();
}

absl::Status Pipeline::StartAll() {
  RETURN_IF_ERROR(Start(Stage::kForwarder));
  RETURN_IF_ERROR(Start(Stage::kScorer));
  return Start(Stage::kReader);
}

absl::StatusOr<admin::v1::StageStatus> Pipeline::Status(Stage stage) const {
  auto channel = grpc::CreateChannel(grpc_address(stage), grpc::InsecureChannelCredentials());
  auto stub = admin::v1::Stage::NewStub(channel);
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  context.set_wait_for_ready(true);
  admin::v1::StageStatus status;
  const grpc::Status result = stub->GetStatus(&context, admin::v1::GetStatusRequest(), &status);
  if (!result.ok()) return absl::UnavailableError(result.error_message());
  return status;
}

absl::Status Pipeline::StopAll() {
  for (Stage stage : kStages) {
    auto found = stages_.find(stage);
    if (found == stages_.end() || !found->second.process.Running()) continue;
    found->second.process.Signal(SIGTERM);
    ASSIGN_OR_RETURN(const int code, found->second.process.Wait(kStopTimeout));
    if (code != 0) {
      return absl::InternalError(
          absl::StrCat(StageName(stage), " exited with ", code, "\n", Log(stage)));
    }
  }
  return absl::OkStatus();
}

std::string Pipeline::Log(Stage stage) const {
  std::ifstream file(absl::StrCat(options_.folder, "/", StageName(stage), ".log"));
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

int64_t BooksDifference(const admin::v1::StageStatus& status) {
  int64_t difference = static_cast<int64_t>(status.read_events() - status.in_flight_events());
  for (const auto& count : status.counts()) difference -= static_cast<int64_t>(count.count());
  return difference;
}

uint64_t Counted(const admin::v1::StageStatus& status, telemetry::v1::Outcome outcome,
                 const std::string& reason) {
  uint64_t sum = 0;
  for (const auto& count : status.counts()) {
    if (count.outcome() != outcome) continue;
    if (reason.empty() || count.reason() == reason) sum += count.count();
  }
  return sum;
}

}  // namespace nightjar::e2e
