// Every kind of TLS peer that must not get in, at both ends, over real handshakes: each is refused,
// and the end that can know says which peer and why.
#include <arpa/inet.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <fstream>
#include <memory>
#include <sstream>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/clock.h"
#include "services/common/rpc/flow_client.h"
#include "services/common/rpc/flow_server.h"
#include "services/common/rpc/flow_testing.h"
#include "services/common/rpc/grpc_log.h"
#include "services/common/rpc/tls_testing.h"
#include "services/common/status/check.h"
#include "services/common/status/status_matchers.h"
#include "spdlog/sinks/ostream_sink.h"
#include "spdlog/spdlog.h"

namespace nightjar::rpc {
namespace {

using testing::AllOf;
using testing::HasSubstr;

constexpr char kReader[] = "DNS:reader.nightjar";
constexpr char kScorer[] = "DNS:scorer.nightjar,IP:127.0.0.1";

// One case: the certificate that is shown, and what the other end must say of it.
struct BadCertificate {
  const char* name;
  CertificateSpec spec;  // with the name of the end that shows it, unless a case sets it
  const char* why;
  bool of_strangers = false;  // issued by another authority than ours
};

std::string Name(const testing::TestParamInfo<BadCertificate>& info) { return info.param.name; }

CertificateSpec Expired() {
  CertificateSpec spec;
  spec.valid_from = -absl::Hours(20);
  spec.valid_until = -absl::Hours(1);
  return spec;
}

CertificateSpec NotYetValid() {
  CertificateSpec spec;
  spec.valid_from = absl::Hours(1);
  return spec;
}

CertificateSpec SelfSigned() {
  CertificateSpec spec;
  spec.self_signed = true;
  return spec;
}

CertificateSpec For(const std::string& extended_key_usage) {
  CertificateSpec spec;
  spec.extended_key_usage = extended_key_usage;
  return spec;
}

CertificateSpec Named(const std::string& subject_alt_name) {
  CertificateSpec spec;
  spec.subject_alt_name = subject_alt_name;
  return spec;
}

class TlsMatrix : public testing::TestWithParam<BadCertificate> {
 protected:
  TlsMatrix() : logger_before_(spdlog::default_logger()) {
    spdlog::set_default_logger(std::make_shared<spdlog::logger>(
        "test", std::make_shared<spdlog::sinks::ostream_sink_mt>(log_, /*force_flush=*/true)));
    TakeLogOfGrpc();
  }
  ~TlsMatrix() override { spdlog::set_default_logger(logger_before_); }

  // A taker with this certificate that lets `flow_peers` in.
  void Serve(SecurityOptions options, std::vector<std::string> flow_peers = {"reader.nightjar"}) {
    options.flow_peers = std::move(flow_peers);
    const Security security(std::move(options));
    server_.reset();
    flow_ = std::make_unique<FlowServer>(FlowServerOptions(), handler_, security, SystemClock());
    server_ = std::make_unique<LoopbackServer>(flow_->service(), port_, security);
    port_ = server_->port();
  }

  std::string Address() const { return absl::StrCat("127.0.0.1:", port_); }

  // "" when the sender was let in, else what its status says.
  std::string Connect(const Security& security) {
    FlowClient client(ClientOptions(Address()), security, SystemClock());
    client.Start();
    EXPECT_TRUE(Eventually([&] {
      const FlowClient::State state = client.state();
      return state.connected || state.reconnects > 0;
    }));
    return client.state().error;
  }

  std::string Log() {
    spdlog::default_logger()->flush();
    return log_.str();
  }

  TestAuthority ours_{"ours"};
  TestAuthority theirs_{"theirs"};
  ScriptedHandler handler_{ScriptedHandler::Script::kAccept};
  int port_ = 0;
  std::unique_ptr<FlowServer> flow_;
  std::unique_ptr<LoopbackServer> server_;
  std::ostringstream log_;
  const std::shared_ptr<spdlog::logger> logger_before_;
};

class ServerCertificate : public TlsMatrix {};

TEST_P(ServerCertificate, IsRefusedByTheClientWhoseStatusSaysWhy) {
  SecurityOptions options = (GetParam().of_strangers ? theirs_ : ours_).Issue(GetParam().spec);
  options.ca_file = ours_.file();
  Serve(options);
  const std::string error = Connect(Security(ours_.Issue(Named(kReader))));
  EXPECT_THAT(error, AllOf(HasSubstr("CN = issued"), HasSubstr(GetParam().why)));
  EXPECT_EQ(flow_->state().streams, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Matrix, ServerCertificate,
    testing::Values(BadCertificate{"Expired", Expired(), "has expired: it was valid until "},
                    BadCertificate{"NotYetValid", NotYetValid(), "is not yet valid: it is from "},
                    BadCertificate{
                        "OfAnotherHost", Named("DNS:scorer.elsewhere"),
                        "(DNS names: scorer.elsewhere; issued by CN = ours) is not for the host "
                        "127.0.0.1"},
                    BadCertificate{"SelfSigned", SelfSigned(), "is self-signed"},
                    BadCertificate{"OfAnUnknownAuthority",
                                   {},
                                   "issued by CN = theirs) is of an unknown "
                                   "authority",
                                   true},
                    BadCertificate{"ForClientsOnly", For("clientAuth"), "is not for this purpose"}),
    Name);

class ClientCertificate : public TlsMatrix {};

TEST_P(ClientCertificate, IsRefusedByTheServerWhoseLogSaysWhy) {
  Serve(ours_.Issue(Named(kScorer)));
  CertificateSpec spec = GetParam().spec;
  spec.subject_alt_name = kReader;
  SecurityOptions options = (GetParam().of_strangers ? theirs_ : ours_).Issue(spec);
  options.ca_file = ours_.file();
  EXPECT_NE(Connect(Security(options)), "");
  EXPECT_TRUE(Eventually([&] { return Log().find("refused") != std::string::npos; }));
  EXPECT_THAT(Log(), AllOf(HasSubstr("CN = issued (DNS names: reader.nightjar; issued by "),
                           HasSubstr(GetParam().why)));
  EXPECT_EQ(flow_->state().streams, 0u);
}

INSTANTIATE_TEST_SUITE_P(
    Matrix, ClientCertificate,
    testing::Values(BadCertificate{"Expired", Expired(), "has expired: it was valid until "},
                    BadCertificate{"NotYetValid", NotYetValid(), "is not yet valid: it is from "},
                    BadCertificate{"SelfSigned", SelfSigned(), "is self-signed"},
                    BadCertificate{"OfAnUnknownAuthority", {}, "is of an unknown authority", true},
                    BadCertificate{"ForServersOnly", For("serverAuth"), "is not for this purpose"}),
    Name);

TEST_F(TlsMatrix, TheGoodCaseWorks) {
  Serve(ours_.Issue(Named(kScorer)));
  EXPECT_EQ(Connect(Security(ours_.Issue(Named(kReader)))), "");
}

TEST_F(TlsMatrix, AClientOfAnotherNameIsRefusedByNameAtBothEnds) {
  Serve(ours_.Issue(Named(kScorer)));
  EXPECT_THAT(
      Connect(Security(ours_.Issue(Named("DNS:console.nightjar")))),
      AllOf(HasSubstr("PERMISSION_DENIED"), HasSubstr("console.nightjar"), HasSubstr("role flow")));
  EXPECT_THAT(Log(), AllOf(HasSubstr("flow refused"), HasSubstr("console.nightjar")));
}

TEST_F(TlsMatrix, AClientTakenOffTheListIsRefusedThoughItsCertificateIsValid) {
  const Security reader(ours_.Issue(Named(kReader)));
  const SecurityOptions scorer = ours_.Issue(Named(kScorer));
  Serve(scorer);
  EXPECT_EQ(Connect(reader), "");
  Serve(scorer, /*flow_peers=*/{"other.nightjar"});
  EXPECT_THAT(Connect(reader), AllOf(HasSubstr("PERMISSION_DENIED"), HasSubstr("reader.nightjar")));
}

TEST_F(TlsMatrix, AServerWhoseAuthorityWasTakenOutOfTheFileIsRefused) {
  SecurityOptions scorer = theirs_.Issue(Named(kScorer));
  scorer.ca_file = ours_.file();
  Serve(scorer);
  SecurityOptions reader = ours_.Issue(Named(kReader));
  reader.ca_file = absl::StrCat(testing::TempDir(), "/bundle.pem");
  std::ofstream(reader.ca_file) << ours_.pem() << theirs_.pem();
  EXPECT_EQ(Connect(Security(reader)), "");
  std::ofstream(reader.ca_file) << ours_.pem();
  EXPECT_THAT(Connect(Security(reader)),
              AllOf(HasSubstr("issued by CN = theirs"), HasSubstr("unknown authority")));
}

TEST_F(TlsMatrix, APlainTextServerIsRefused) {
  flow_ = std::make_unique<FlowServer>(FlowServerOptions(), handler_, Security(), SystemClock());
  server_ = std::make_unique<LoopbackServer>(flow_->service());
  port_ = server_->port();
  EXPECT_THAT(Connect(Security(ours_.Issue(Named(kReader)))),
              HasSubstr("the peer does not speak TLS"));
}

TEST_F(TlsMatrix, APlainTextClientIsRefused) {
  Serve(ours_.Issue(Named(kScorer)));
  EXPECT_NE(Connect(Security()), "");
  EXPECT_TRUE(Eventually([&] { return Log().find("does not speak TLS") != std::string::npos; }));
  EXPECT_EQ(flow_->state().streams, 0u);
}

// An end that speaks nothing newer than TLS 1.1, on a connected socket. Returns how far it got.
bool HandshakeOldTls(int socket, bool server, const SecurityOptions& identity) {
  SSL_CTX* const context = SSL_CTX_new(TLS_method());
  SSL_CTX_set_security_level(context, 0);  // or OpenSSL itself would refuse
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, TLS1_1_VERSION);
  CHECK(SSL_CTX_use_certificate_file(context, identity.certificate_file.c_str(),
                                     SSL_FILETYPE_PEM) == 1);
  CHECK(SSL_CTX_use_PrivateKey_file(context, identity.key_file.c_str(), SSL_FILETYPE_PEM) == 1);
  SSL* const ssl = SSL_new(context);
  SSL_set_fd(ssl, socket);
  const bool done = (server ? SSL_accept(ssl) : SSL_connect(ssl)) == 1;
  SSL_free(ssl);
  SSL_CTX_free(context);
  close(socket);
  return done;
}

sockaddr_in Loopback(int port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  return address;
}

TEST_F(TlsMatrix, AClientOfTls11IsRefused) {
  Serve(ours_.Issue(Named(kScorer)));
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  const sockaddr_in address = Loopback(port_);
  ASSERT_EQ(connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof(address)), 0);
  EXPECT_FALSE(HandshakeOldTls(socket, /*server=*/false, ours_.Issue(Named(kReader))));
  EXPECT_TRUE(Eventually([&] { return Log().find("newer than 1.1") != std::string::npos; }));
}

TEST_F(TlsMatrix, AServerOfTls11IsRefused) {
  const int listener = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address = Loopback(0);
  socklen_t size = sizeof(address);
  ASSERT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), size), 0);
  ASSERT_EQ(listen(listener, 8), 0);
  ASSERT_EQ(getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size), 0);
  port_ = ntohs(address.sin_port);
  std::vector<bool> handshakes;
  std::thread server([&] {
    const SecurityOptions identity = ours_.Issue(Named(kScorer));
    for (int peer; (peer = accept(listener, nullptr, nullptr)) >= 0;) {
      handshakes.push_back(HandshakeOldTls(peer, /*server=*/true, identity));
    }
  });
  EXPECT_THAT(Connect(Security(ours_.Issue(Named(kReader)))), HasSubstr("newer than 1.1"));
  shutdown(listener, SHUT_RDWR);
  server.join();
  close(listener);
  EXPECT_THAT(handshakes, testing::Each(false));
}

}  // namespace
}  // namespace nightjar::rpc
