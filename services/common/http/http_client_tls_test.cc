// Who is trusted over TLS, against real handshakes.
#include <fstream>
#include <string>
#include <thread>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "services/common/http/http_client.h"
#include "services/common/http/raw_server.h"
#include "services/common/http/test_certificates.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::http {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class TlsServer {
 public:
  explicit TlsServer(const TestAuthority::Issued& issued, const char* client_ca = nullptr)
      : server_(issued.chain_file.c_str(), issued.key_file.c_str(), client_ca) {
    server_.Get("/", [](const auto&, httplib::Response& response) {
      response.set_content("secret", "text/plain");
    });
    port_ = server_.bind_to_any_port("127.0.0.1");
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // before that, stop() does nothing
  }
  ~TlsServer() {
    server_.stop();
    thread_.join();
  }
  std::string url(absl::string_view host = "127.0.0.1") const {
    return absl::StrCat("https://", host, ":", port_);
  }

 private:
  httplib::SSLServer server_;
  int port_;
  std::thread thread_;
};

class HttpClientTlsTest : public testing::Test {
 protected:
  absl::Status Get(const Endpoint& endpoint, const std::string& url) {
    Request request;
    request.url = url;
    const absl::Status status = HttpClient(endpoint).Send(request, &response_);
    EXPECT_EQ(response_.body(), status.ok() ? "secret" : "");
    return status;
  }

  // That `url` is refused, as TLS, for `reason`.
  void ExpectRefused(const Endpoint& endpoint, const std::string& url, const std::string& reason) {
    EXPECT_THAT(Get(endpoint, url),
                StatusIs(StatusCode::kUnavailable,
                         AllOf(StartsWith(absl::StrCat("connect to ", url, ": TLS: ")),
                               HasSubstr(reason))));
    EXPECT_EQ(response_.body_bytes, 0u);
  }

  const TestAuthority authority_;
  const TestAuthority other_authority_;
  Response response_;
};

TEST_F(HttpClientTlsTest, TrustsTheConfiguredAuthorityAndNoOther) {
  const TlsServer server(authority_.Issue("IP:127.0.0.1"));
  Endpoint endpoint;
  ExpectRefused(endpoint, server.url(), "certificate");
  endpoint.ca_file = other_authority_.certificate_file();
  ExpectRefused(endpoint, server.url(), "certificate");
  endpoint.ca_file = authority_.certificate_file();
  EXPECT_OK(Get(endpoint, server.url()));
  endpoint.ca_file = "/no/such/file.pem";
  ExpectRefused(endpoint, server.url(), "/no/such/file.pem");
}

TEST_F(HttpClientTlsTest, ARenewedAuthorityCountsAtTheNextConnection) {
  const std::string file = testing::TempDir() + "/renewed.crt";
  const auto trust = [&file](const TestAuthority& authority) {
    std::ofstream(file) << std::ifstream(authority.certificate_file()).rdbuf();
  };
  const TlsServer before(authority_.Issue("IP:127.0.0.1"));
  const TlsServer after(other_authority_.Issue("IP:127.0.0.1"));
  Endpoint endpoint;
  endpoint.ca_file = file;
  HttpClient client(endpoint);
  Request request;
  trust(authority_);
  request.url = before.url();
  EXPECT_OK(client.Send(request, &response_));
  request.url = after.url();
  EXPECT_THAT(client.Send(request, &response_), StatusIs(StatusCode::kUnavailable));
  trust(other_authority_);
  EXPECT_OK(client.Send(request, &response_));
}

TEST_F(HttpClientTlsTest, AnotherHostsCertificateIsRefused) {
  const TlsServer server(authority_.Issue("DNS:elastic.example"));
  Endpoint endpoint;
  endpoint.ca_file = authority_.certificate_file();
  ExpectRefused(endpoint, server.url(), "subject name matches target host name '127.0.0.1'");
  endpoint.ca_file.clear();
  endpoint.ca_fingerprint_sha256 = authority_.fingerprint();
  ExpectRefused(endpoint, server.url(), "subject name matches target host name '127.0.0.1'");
}

TEST_F(HttpClientTlsTest, VerificationCanBeSwitchedOff) {
  const TlsServer server(authority_.Issue("DNS:elastic.example"));
  Endpoint endpoint;
  endpoint.insecure_skip_verify = true;
  EXPECT_OK(Get(endpoint, server.url()));
}

TEST_F(HttpClientTlsTest, AFingerprintIsTrustInThatCertificateAlone) {
  const TlsServer server(authority_.Issue("IP:127.0.0.1"));
  Endpoint endpoint;
  endpoint.ca_fingerprint_sha256 = authority_.fingerprint();
  EXPECT_OK(Get(endpoint, server.url()));
  endpoint.ca_fingerprint_sha256 = other_authority_.fingerprint();
  const std::string reason = "no certificate that the server sent has the configured fingerprint";
  ExpectRefused(endpoint, server.url(), reason);
  endpoint.ca_file = authority_.certificate_file();
  ExpectRefused(endpoint, server.url(), reason);
  endpoint.insecure_skip_verify = true;
  ExpectRefused(endpoint, server.url(), reason);
  endpoint.ca_fingerprint_sha256 = "abc";
  EXPECT_THAT(Get(endpoint, server.url()),
              StatusIs(StatusCode::kInvalidArgument, HasSubstr("64 hexadecimal digits")));
}

// Anyone can send the authority's certificate along: it is public.
TEST_F(HttpClientTlsTest, AForeignChainWithThePinnedCertificateAddedIsRefused) {
  TestAuthority::Issued forged = other_authority_.Issue("IP:127.0.0.1");
  ASSERT_EQ(
      system(
          absl::StrCat("cat ", authority_.certificate_file(), " >> ", forged.chain_file).c_str()),
      0);
  const TlsServer server(forged);
  Endpoint endpoint;
  endpoint.ca_fingerprint_sha256 = authority_.fingerprint();
  ExpectRefused(endpoint, server.url(), "the chain does not lead to");
}

TEST_F(HttpClientTlsTest, ShowsItsOwnCertificate) {
  const TlsServer server(authority_.Issue("IP:127.0.0.1"), authority_.certificate_file().c_str());
  const TestAuthority::Issued mine = authority_.Issue("DNS:client");
  Endpoint endpoint;
  endpoint.ca_file = authority_.certificate_file();
  EXPECT_THAT(Get(endpoint, server.url()), StatusIs(StatusCode::kUnavailable));
  endpoint.client_certificate_file = mine.chain_file;
  endpoint.client_key_file = mine.key_file;
  EXPECT_OK(Get(endpoint, server.url()));
}

TEST_F(HttpClientTlsTest, APlainTextServerIsRefused) {
  const RawServer server([](int connection, const std::string&) {
    RawServer::Write(connection, "HTTP/1.1 400 Bad Request\r\n\r\n");
  });
  std::string url = server.url();
  url.replace(0, 4, "https");
  ExpectRefused({}, url, "wrong version number");
}

}  // namespace
}  // namespace nightjar::http
