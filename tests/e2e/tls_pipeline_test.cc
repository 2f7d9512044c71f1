// Mutual TLS end to end, as it is deployed: certificates of the script that we ship, every stage
// listening off loopback, the engine's API over HTTPS; who may do what; and certificates that
// change while events flow.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <fstream>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/grpcpp.h"
#include "gtest/gtest.h"
#include "proto/admin/v1/stage_service.grpc.pb.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/stages.h"

namespace nightjar::e2e {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

constexpr absl::Duration kPatience = absl::Seconds(60);
// "Within seconds", on a machine that does other things too.
constexpr absl::Duration kPickUpMax = absl::Seconds(20);
constexpr char kKey[] = "engine-key-of-a-test-0123456789abcdef";
const std::vector<std::string> kNames = {"es-reader", "scorer", "ae-forwarder", "analytics-engine"};

int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

// Issuer and serial number of the certificate that a TLS server on this port shows.
std::string Shown(int port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  SSL_CTX* const context = SSL_CTX_new(TLS_client_method());
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, fd);
  std::string shown = "no TLS";
  // With TLS 1.3 the client is done before it is asked who it is.
  if (connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0 &&
      SSL_connect(ssl) == 1) {
    X509* const certificate = SSL_get1_peer_certificate(ssl);
    char issuer[256];
    X509_NAME_oneline(X509_get_issuer_name(certificate), issuer, sizeof(issuer));
    BIGNUM* const number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
    char* const serial = BN_bn2hex(number);
    shown = absl::StrCat(issuer, " ", serial);
    OPENSSL_free(serial);
    BN_free(number);
    X509_free(certificate);
  }
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(fd);
  return shown;
}

class TlsPipelineTest : public PipelineTest {
 protected:
  TlsPipelineTest() : certificates_(folder_ + "/certificates"), api_port_(FreePort()) {
    MakeCertificates(certificates_);
  }

  static void Shell(const std::string& command) {
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
  }

  static void MakeCertificates(const std::string& folder) {
    Shell(absl::StrCat("bash ", Binaries(), "/deploy/certificates/certificates.sh ", folder,
                       " >/dev/null"));
  }

  StagesOptions TlsOptions() const {
    StagesOptions options;
    options.folder = folder_;
    options.binaries = Binaries();
    options.certificates = certificates_;
    options.config = absl::StrCat(
        "engine: {host: \"https://localhost:", api_port_, "\", kind: nightjar, ca_file: \"",
        certificates_, "/ae-forwarder/ca.crt\", api_key: ", kKey,
        "}\ninputs: {elastic: {enabled: true, hosts: [\"", elastic_.url(), "\"], searches: [");
    for (const char* type : {"dns", "ip", "http", "tls"}) {
      absl::StrAppend(&options.config, "{event_type: ", type, ", indices: [\"packetbeat-*\"]},");
    }
    absl::StrAppend(&options.config, "]}}\noutputs: {enabled: false}\n",
                    "reader: {start: earliest, poll_interval: 200ms}\n",
                    "analytics_engine: {listen: \"0.0.0.0:", api_port_,
                    "\", api_keys: [{name: pipeline, key: ", kKey, ", scopes: [ingest]}]}\n");
    const std::string admin = "view_peers: [alert-poller]\n  operate_peers: [operator]";
    for (const std::string& name : kNames) options.peers[name] = admin;
    options.peers["scorer"] += "\n  flow_peers: [es-reader]";
    options.peers["ae-forwarder"] += "\n  flow_peers: [scorer]";
    return options;
  }

  void StartStages() {
    stages_ = std::make_unique<Stages>(TlsOptions());
    for (const char* name : {"analytics-engine", "ae-forwarder", "scorer", "es-reader"}) {
      ASSERT_OK(stages_->Start(name));
    }
  }

  void TearDown() override {
    if (!HasFailure() || stages_ == nullptr) return;
    for (const std::string& name : kNames) {
      const std::string log = stages_->Log(name);
      std::fprintf(stderr, "--- %s\n%s\n", name.c_str(),
                   log.substr(log.size() - std::min<size_t>(log.size(), 4000)).c_str());
    }
  }

  // Every document has its outcome: the engine's, but for those that the scorer leaves out.
  bool AllEnded(uint64_t documents) {
    return Await(kPatience, [&] {
      const auto status = stages_->Status("es-reader");
      return status.ok() && status->in_flight_events() == 0 && status->read_events() == documents &&
             BooksDifference(*status) == 0;
    });
  }

  // What the engine has taken, once each: it would count an event that came twice twice.
  void ExpectEachOnce(uint64_t documents) {
    const auto reader = stages_->Status("es-reader");
    const auto engine = stages_->Status("analytics-engine");
    ASSERT_OK(reader);
    ASSERT_OK(engine);
    const uint64_t accepted = Counted(*reader, telemetry::v1::OUTCOME_ACCEPTED);
    EXPECT_GT(accepted, documents / 2);
    EXPECT_EQ(accepted + Counted(*reader, telemetry::v1::OUTCOME_FILTERED), documents)
        << reader->DebugString();
    EXPECT_EQ(engine->read_events(), accepted) << engine->DebugString();
  }

  int Port(const std::string& name) const {
    const std::string address = stages_->address(name);
    return std::atoi(address.c_str() + address.rfind(':') + 1);
  }

  // Of every gRPC server and of the engine's API.
  std::vector<std::string> ShownByAll() const {
    std::vector<std::string> shown = {Shown(api_port_)};
    for (const std::string& name : kNames) shown.push_back(Shown(Port(name)));
    return shown;
  }

  // "" when this owner's certificate may send telemetry to the stage.
  std::string TryFlow(const std::string& to, const std::string& as) {
    rpc::FlowClientOptions options;
    options.address = stages_->address(to);
    options.source = "test";
    rpc::FlowClient client(options, stages_->Identity(as), SystemClock());
    client.Start();
    EXPECT_TRUE(Await(kPatience,
                      [&] { return client.state().connected || client.state().reconnects > 0; }));
    return client.state().error;
  }

  grpc::Status TryTap(const std::string& of, const std::string& as) {
    const auto stub = admin::v1::Stage::NewStub(
        grpc::CreateChannel(stages_->address(of), stages_->Identity(as).channel_credentials()));
    grpc::ClientContext context;
    const auto reader = stub->Tap(&context, admin::v1::TapRequest());
    reader->WaitForInitialMetadata();
    if (as == "operator") context.TryCancel();
    admin::v1::TapResponse response;
    while (reader->Read(&response)) {
    }
    return reader->Finish();
  }

  // Output of `nightjar` with the operator's certificate.
  std::string Nightjar(std::vector<std::string> arguments, int expected_code = 0) {
    arguments.insert(arguments.begin(), Binaries() + "/services/cli/nightjar");
    arguments.insert(arguments.end(), {"--config", stages_->WriteConfig("operator")});
    const std::string output = folder_ + "/nightjar.out";
    unlink(output.c_str());
    auto process = Process::Start(arguments, output);
    EXPECT_OK(process);
    EXPECT_THAT(process->Wait(kPatience), IsOkAndHolds(expected_code));
    return *AwaitFile(output, absl::ZeroDuration());
  }

  const std::string certificates_;
  const int api_port_;
  std::unique_ptr<Stages> stages_;
};

TEST_F(TlsPipelineTest, EventsReachTheEngineAndEveryRoleIsEnforced) {
  Fill(1, 3000);
  StartStages();
  EXPECT_TRUE(AllEnded(3000));
  ExpectEachOnce(3000);
  for (const std::string& name : kNames) EXPECT_THAT(Shown(Port(name)), HasSubstr("Nightjar"));

  EXPECT_EQ(TryFlow("scorer", "es-reader"), "");
  EXPECT_THAT(TryFlow("scorer", "operator"), AllOf(HasSubstr("operator"), HasSubstr("role flow")));
  EXPECT_THAT(TryFlow("ae-forwarder", "es-reader"),
              AllOf(HasSubstr("es-reader"), HasSubstr("role flow")));
  EXPECT_OK(stages_->Status("scorer", "alert-poller"));  // may view
  EXPECT_THAT(TryTap("scorer", "alert-poller").error_message(),
              AllOf(HasSubstr("alert-poller"), HasSubstr("role tap")));
  EXPECT_EQ(TryTap("scorer", "operator").error_code(), grpc::StatusCode::CANCELLED);  // by us
  EXPECT_THAT(stages_->Status("scorer", "es-reader"),
              StatusIs(absl::StatusCode::kUnavailable, HasSubstr("role view")));

  EXPECT_OK(stages_->Stop({"es-reader", "scorer", "ae-forwarder", "analytics-engine"}));
}

TEST_F(TlsPipelineTest, TheOperatorsCommandsWork) {
  StartStages();
  Fill(1, 500);
  EXPECT_TRUE(AllEnded(500));
  const std::string status = Nightjar({"status", "--json"});
  for (const char* name : {"es-reader", "scorer", "ae-forwarder"}) {
    EXPECT_THAT(status, HasSubstr(absl::StrCat("\"", name, "\"")));
  }
  EXPECT_THAT(status, Not(HasSubstr("not reachable")));
  EXPECT_THAT(Nightjar({"keys", "create", "--scope", "ingest", "--description", "of a test"}),
              Not(HasSubstr("error")));
  EXPECT_THAT(Nightjar({"keys", "list"}), HasSubstr("of a test"));
  EXPECT_THAT(stages_->Log("analytics-engine"),
              testing::ContainsRegex("API key .* made by .*operator"));
  EXPECT_THAT(Nightjar({"account", "status"}), HasSubstr("registered: true"));
  // A tap shows what passes while it is open.
  const std::string output = folder_ + "/tap.out";
  auto tap = Process::Start({Binaries() + "/services/cli/nightjar", "tap", "scorer", "--count", "3",
                             "--config", stages_->WriteConfig("operator")},
                            output);
  ASSERT_OK(tap);
  uint64_t filled = 500;
  EXPECT_TRUE(Await(kPatience, [&] {
    Fill(filled + 1, filled + 10);
    filled += 10;
    return !tap->Running();
  }));
  EXPECT_EQ(tap->exit_code(), 0);
  EXPECT_THAT(AwaitFile(output, absl::ZeroDuration()), IsOkAndHolds(HasSubstr("\"seq_no\"")));
}

TEST_F(TlsPipelineTest, CertificatesAndTheirAuthorityChangeUnderLoadWithoutLossOrRestart) {
  StartStages();
  uint64_t filled = 0;
  // Keeps events coming until `done`; false when that took longer than it may.
  const auto load_until = [&](const std::function<bool()>& done) {
    return Await(kPickUpMax, [&] {
      Fill(filled + 1, filled + 50);
      filled += 50;
      return done();
    });
  };
  const auto all_changed = [&](const std::vector<std::string>& before) {
    const std::vector<std::string> now = ShownByAll();
    for (size_t i = 0; i < now.size(); ++i) {
      if (now[i] == before[i] || now[i] == "no TLS") return false;
    }
    return true;
  };

  // 1. New certificates of the same authority, as the script makes them when they come of age.
  std::vector<std::string> before = ShownByAll();
  Shell(absl::StrCat("rm ", certificates_, "/*/tls.crt"));
  MakeCertificates(certificates_);
  EXPECT_TRUE(load_until([&] { return all_changed(before); }));
  EXPECT_TRUE(load_until([&] { return stages_->Status("scorer").ok(); }));

  // 2. Another authority: first trusted by all, then the issuer of all, then the only one.
  const std::string next = folder_ + "/next";
  MakeCertificates(next);
  const std::string each = absl::StrCat("for d in ", certificates_, "/*/; do ");
  Shell(absl::StrCat(each, "cat ", certificates_, "/ca.crt ", next,
                     "/ca.crt >$d/new && mv $d/new $d/ca.crt; done"));
  before = ShownByAll();
  Shell(absl::StrCat(each, "cp ", next, "/$(basename $d)/tls.* $d/; done"));
  EXPECT_TRUE(load_until([&] { return all_changed(before); }));
  Shell(absl::StrCat(each, "cp ", next, "/ca.crt $d/new && mv $d/new $d/ca.crt; done"));
  EXPECT_TRUE(load_until([&] {
    for (const std::string& name : kNames) {
      if (!stages_->Status(name).ok()) return false;  // each trusts the new operator, and only it
    }
    return true;
  }));

  // 3. Their clients too: those of a stage that starts anew must come back, with what they have
  // now.
  for (const char* name : {"analytics-engine", "ae-forwarder", "scorer"}) {
    ASSERT_OK(stages_->Stop({name}));
    ASSERT_OK(stages_->Start(name));
    Fill(filled + 1, filled + 500);
    filled += 500;
    EXPECT_TRUE(AllEnded(filled)) << "after " << name << " was started again";
  }
  const auto reader = stages_->Status("es-reader");
  ASSERT_OK(reader);
  EXPECT_EQ(Counted(*reader, telemetry::v1::OUTCOME_ACCEPTED) +
                Counted(*reader, telemetry::v1::OUTCOME_FILTERED),
            filled);
  RecordProperty("documents", static_cast<int>(filled));
}

}  // namespace
}  // namespace nightjar::e2e
