#include "tests/e2e/stages.h"

#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <sstream>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "grpcpp/grpcpp.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/status/status_macros.h"

namespace nightjar::e2e {
namespace {

constexpr absl::Duration kStartTimeout = absl::Seconds(20);
constexpr absl::Duration kStopTimeout = absl::Seconds(40);

std::string FolderOf(const std::string& stage) { return absl::StrReplaceAll(stage, {{"-", "_"}}); }

std::string Content(const std::string& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

}  // namespace

std::string StageOf(const std::string& name) {
  const size_t dash = name.rfind('-');
  const bool numbered = dash + 2 == name.size() && absl::ascii_isdigit(name.back());
  return numbered ? name.substr(0, dash) : name;
}

rpc::Security Stages::Identity(const std::string& owner) const {
  if (options_.certificates.empty()) return rpc::Security();
  const std::string folder = absl::StrCat(options_.certificates, "/", StageOf(owner));
  rpc::SecurityOptions security;
  security.ca_file = folder + "/ca.crt";
  security.certificate_file = folder + "/tls.crt";
  security.key_file = folder + "/tls.key";
  return rpc::Security(std::move(security));
}

std::string Stages::WriteConfig(const std::string& name) const {
  const std::string path = absl::StrCat(options_.folder, "/", name, ".yml");
  std::ofstream file(path);
  file << options_.config << "data: {dir: \"" << options_.folder << "/data-" << name << "\"}\n"
       << "services:\n";
  std::map<std::string, std::vector<std::string>> services;
  for (const auto& [of, address] : addresses_) services[FolderOf(StageOf(of))].push_back(address);
  for (const auto& [folder, addresses] : services) {
    file << "  " << folder << ": {address: [\"" << absl::StrJoin(addresses, "\", \"") << "\"]}\n";
  }
  if (options_.certificates.empty()) return path;
  const std::string folder = absl::StrCat(options_.certificates, "/", StageOf(name));
  file << "security:\n  ca_file: " << folder << "/ca.crt\n  certificate_file: " << folder
       << "/tls.crt\n  key_file: " << folder << "/tls.key\n";
  const auto peers = options_.peers.find(name);
  if (peers != options_.peers.end()) file << "  " << peers->second << "\n";
  return path;
}

absl::Status Stages::Start(const std::string& name) {
  const std::string stage = StageOf(name);
  const std::string address_file = absl::StrCat(options_.folder, "/", name, ".addresses");
  unlink(address_file.c_str());
  const bool known = addresses_.count(name) > 0;
  const std::string host = options_.certificates.empty() ? "127.0.0.1" : "0.0.0.0";
  const std::string port = known ? addresses_[name].substr(addresses_[name].rfind(':')) : ":0";
  ASSIGN_OR_RETURN(
      Process process,
      Process::Start(
          {absl::StrCat(options_.binaries, "/services/", FolderOf(stage), "/", stage), "--config",
           WriteConfig(name), "--listen", host + port, "--address_file", address_file},
          absl::StrCat(options_.folder, "/", name, ".log")));
  if (!Await(kStartTimeout,
             [&] { return !process.Running() || access(address_file.c_str(), R_OK) == 0; }) ||
      !process.Running()) {
    return absl::InternalError(
        absl::StrCat(name, " does not serve (", process.exit_code(), ")\n", Log(name)));
  }
  // {"grpc":"host:port", ...
  std::string grpc = Content(address_file);
  grpc.erase(0, grpc.find(':') + 2);
  grpc.erase(grpc.find('"'));
  const std::string client_host = options_.certificates.empty() ? "127.0.0.1" : "localhost";
  addresses_[name] = client_host + grpc.substr(grpc.rfind(':'));
  stages_.erase(name);
  stages_.emplace(name, std::move(process));
  return absl::OkStatus();
}

absl::Status Stages::Stop(const std::vector<std::string>& names) {
  for (const std::string& name : names) {
    process(name).Signal(SIGTERM);
    ASSIGN_OR_RETURN(const int code, process(name).Wait(kStopTimeout));
    if (code != 0) {
      return absl::InternalError(absl::StrCat(name, " exited with ", code, "\n", Log(name)));
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<admin::v1::StageStatus> Stages::Status(const std::string& name,
                                                      const std::string& as) const {
  const auto stub = admin::v1::Stage::NewStub(
      grpc::CreateChannel(address(name), Identity(as).channel_credentials()));
  grpc::ClientContext context;
  context.set_deadline(std::chrono::system_clock::now() + std::chrono::seconds(5));
  admin::v1::StageStatus status;
  const grpc::Status result = stub->GetStatus(&context, admin::v1::GetStatusRequest(), &status);
  if (!result.ok()) return absl::UnavailableError(result.error_message());
  return status;
}

std::string Stages::Log(const std::string& name) const {
  return Content(absl::StrCat(options_.folder, "/", name, ".log"));
}

}  // namespace nightjar::e2e
