#include "services/common/http/http_client.h"

#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "services/common/http/raw_server.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::http {
namespace {

using absl::StatusCode;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A well-behaved server. /echo answers with the request's method and body.
class HttpClientTest : public testing::Test {
 protected:
  HttpClientTest() {
    const auto echo = [this](const httplib::Request& request, httplib::Response& response) {
      last_ = request;
      response.set_content(request.method + " " + request.body, "text/plain; charset=utf-8");
    };
    server_.Get("/echo", echo).Post("/echo", echo).Put("/echo", echo).Delete("/echo", echo);
    port_ = server_.bind_to_any_port("127.0.0.1");
  }
  ~HttpClientTest() override {
    if (!thread_.joinable()) return;
    server_.stop();
    thread_.join();
  }

  // After further handlers have been added.
  std::string Start() {
    thread_ = std::thread([this] { server_.listen_after_bind(); });
    while (!server_.is_running()) std::this_thread::yield();  // before that, stop() does nothing
    return absl::StrCat("http://127.0.0.1:", port_);
  }

  static Request Get(const std::string& url) {
    Request request;
    request.url = url;
    return request;
  }

  httplib::Server server_;
  httplib::Request last_;
  int port_ = 0;
  std::thread thread_;
  Response response_;
};

TEST_F(HttpClientTest, SendsEveryMethodWithItsBodyAndHeaders) {
  const std::string url = Start() + "/echo";
  Endpoint endpoint;
  endpoint.user_agent = "nightjar/test";
  HttpClient client(endpoint);
  for (const char* method : {"GET", "POST", "PUT", "DELETE"}) {
    for (const char* body : {"", "{\"a\":1}"}) {
      if (method == std::string("GET") && body[0] != '\0') continue;  // this server reads none
      Request request = Get(url);
      request.method = method;
      request.body = body;
      request.headers = {{"Content-Type", "application/json"}};
      ASSERT_OK(client.Send(request, &response_)) << method;
      EXPECT_EQ(response_.status, 200);
      EXPECT_EQ(response_.body(), absl::StrCat(method, " ", body));
      EXPECT_EQ(last_.get_header_value("User-Agent"), "nightjar/test");
      EXPECT_EQ(last_.get_header_value("Content-Type"), "application/json");
    }
  }
  EXPECT_EQ(response_.content_type, "text/plain");
  EXPECT_GT(response_.total_time, absl::ZeroDuration());
  EXPECT_GT(response_.start_transfer_time, absl::ZeroDuration());
}

TEST_F(HttpClientTest, AddsNothingOfItsOwnThatChangesTheMeaning) {
  const std::string url = Start() + "/echo";
  HttpClient client({});
  const std::string body(3 << 20, 'b');  // libcurl would wait for "100 Continue"
  Request request = Get(url);
  request.method = "POST";
  request.body = body;
  ASSERT_OK(client.Send(request, &response_));
  EXPECT_EQ(response_.body_bytes, body.size() + 5);
  for (const char* header : {"Expect", "Content-Type", "Accept-Encoding", "Authorization"}) {
    EXPECT_FALSE(last_.has_header(header)) << header;
  }
}

TEST_F(HttpClientTest, TheHeadIsExactlyWhatWasAskedFor) {
  std::string head;
  const RawServer server([&head](int connection, const std::string& received) {
    head = received;
    RawServer::Write(connection, "HTTP/1.1 204 No Content\r\n\r\n");
  });
  Request request = Get(server.url() + "/a/_search?q=1");
  request.body = "{}";
  request.headers = {{"Content-Type", "application/json"}, {"X-Empty", ""}};
  ASSERT_OK(HttpClient(Endpoint{}).Send(request, &response_));
  EXPECT_EQ(response_.status, 204);
  EXPECT_EQ(head, absl::StrCat("GET /a/_search?q=1 HTTP/1.1\r\nHost: ", server.url().substr(7),
                               "\r\nAccept: */*\r\nContent-Type: application/json\r\n",
                               "X-Empty:\r\nContent-Length: 2\r\n\r\n"));
}

TEST_F(HttpClientTest, SendsCredentials) {
  const std::string url = Start() + "/echo";
  Endpoint basic;
  basic.basic_user = "elastic";
  basic.basic_password = config::Secret("pass:word");
  ASSERT_OK(HttpClient(basic).Send(Get(url), &response_));
  EXPECT_EQ(last_.get_header_value("Authorization"), "Basic ZWxhc3RpYzpwYXNzOndvcmQ=");
  Endpoint key;
  key.authorization = config::Secret("ApiKey abc==");
  ASSERT_OK(HttpClient(key).Send(Get(url), &response_));
  EXPECT_EQ(last_.get_header_value("Authorization"), "ApiKey abc==");
}

TEST_F(HttpClientTest, KeepsItsConnectionAndReusesTheBuffer) {
  const std::string url = Start() + "/echo";
  HttpClient client({});
  ASSERT_OK(client.Send(Get(url), &response_));
  const int port = last_.remote_port;
  const char* const buffer = response_.buffer.data();
  for (int i = 0; i < 3; ++i) {
    ASSERT_OK(client.Send(Get(url), &response_));
    EXPECT_EQ(last_.remote_port, port);
    EXPECT_EQ(response_.buffer.data(), buffer);
    EXPECT_EQ(response_.body(), "GET ");
  }
}

TEST_F(HttpClientTest, TheBodyIsFollowedBy64ReadableBytes) {
  for (size_t bytes : {0, 1, 63, 64, 65, 100000, 5000000}) {
    server_.Get(absl::StrCat("/", bytes), [bytes](const auto&, httplib::Response& response) {
      response.set_content(std::string(bytes, 'x'), "application/json");
    });
  }
  const std::string url = Start();
  HttpClient client({});
  for (size_t bytes : {5000000, 0, 1, 63, 64, 65, 100000}) {
    for (bool fresh : {false, true}) {
      Response other;
      Response& response = fresh ? other : response_;
      ASSERT_OK(client.Send(Get(absl::StrCat(url, "/", bytes)), &response));
      EXPECT_EQ(response.body(), std::string(bytes, 'x'));
      EXPECT_GE(response.buffer.size(), bytes + 64);
    }
  }
}

TEST_F(HttpClientTest, AReplyOverTheLimitIsRefusedAlsoWhenItIsSmallOnTheWire) {
  server_.Get("/zeros", [](const auto&, httplib::Response& response) {
    response.set_content(std::string(10 << 20, '0'), "application/json");  // gzips to 10 KiB
  });
  const std::string url = Start() + "/zeros";
  Endpoint compressed;
  compressed.accept_gzip = true;
  for (const Endpoint& endpoint : {Endpoint{}, compressed}) {
    HttpClient client(endpoint);
    Request request = Get(url);
    request.response_bytes_max = (10 << 20) - 1;
    EXPECT_THAT(client.Send(request, &response_),
                StatusIs(StatusCode::kResourceExhausted, HasSubstr("larger than 10485759 bytes")));
    request.response_bytes_max = 10 << 20;
    ASSERT_OK(client.Send(request, &response_));
    EXPECT_EQ(response_.body(), std::string(10 << 20, '0'));
  }
}

TEST_F(HttpClientTest, AnErrorPageIsAReplyLikeAnyOther) {
  server_.Get("/gate", [](const auto&, httplib::Response& response) {
    response.status = 502;
    response.set_content("<html>Bad gateway</html>", "Text/HTML; charset=utf-8");
  });
  server_.Get("/moved",
              [](const auto&, httplib::Response& response) { response.set_redirect("/echo"); });
  const std::string url = Start();
  HttpClient client({});
  ASSERT_OK(client.Send(Get(url + "/gate"), &response_));
  EXPECT_EQ(response_.status, 502);
  EXPECT_EQ(response_.content_type, "text/html");
  EXPECT_EQ(response_.body(), "<html>Bad gateway</html>");
  ASSERT_OK(client.Send(Get(url + "/moved"), &response_));
  EXPECT_EQ(response_.status, 302);  // not followed
}

TEST_F(HttpClientTest, ReadsRetryAfterAsSecondsOrDate) {
  const struct {
    const char* value;
    const char* date;
    std::optional<absl::Duration> expected;
  } kCases[] = {
      {nullptr, nullptr, std::nullopt},
      {"120", nullptr, absl::Seconds(120)},
      {"0", nullptr, absl::ZeroDuration()},
      {"Wed, 21 Oct 2015 07:28:30 GMT", "Wed, 21 Oct 2015 07:28:00 GMT", absl::Seconds(30)},
      {"Wed, 21 Oct 2015 07:28:00 GMT", "Wed, 21 Oct 2015 07:29:00 GMT", absl::ZeroDuration()},
      {"Wed, 21 Oct 2015 07:28:00 GMT", nullptr, absl::ZeroDuration()},  // long ago
      {"-5", nullptr, std::nullopt},
      {"soon", nullptr, std::nullopt},
      {"1.5", nullptr, std::nullopt},
      {"99999999999999999999", nullptr, std::nullopt},
  };
  size_t at = 0;
  server_.Get("/busy", [&](const auto&, httplib::Response& response) {
    response.status = 429;
    if (kCases[at].value != nullptr) response.set_header("Retry-After", kCases[at].value);
    if (kCases[at].date != nullptr) response.set_header("Date", kCases[at].date);
  });
  const std::string url = Start() + "/busy";
  HttpClient client({});
  for (at = 0; at < std::size(kCases); ++at) {
    ASSERT_OK(client.Send(Get(url), &response_));
    EXPECT_EQ(response_.status, 429);
    EXPECT_EQ(response_.retry_after, kCases[at].expected) << kCases[at].value;
  }
}

TEST_F(HttpClientTest, ProxiesOfTheEnvironmentAreNotUsed) {
  const std::string url = Start() + "/echo";
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, "http://127.0.0.1:1", 1);
  }
  EXPECT_OK(HttpClient({}).Send(Get(url), &response_));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
}

TEST_F(HttpClientTest, WhatIsNoRequestIsRefusedBeforeAnythingIsSent) {
  const std::string url = Start() + "/echo";
  HttpClient client({});
  for (const char* bad : {"", "127.0.0.1:80", "ftp://127.0.0.1/", "file:///etc/passwd"}) {
    EXPECT_THAT(client.Send(Get(bad), &response_), StatusIs(StatusCode::kInvalidArgument)) << bad;
  }
  Request injected = Get(url);
  injected.headers = {{"X-Name", "a\r\nX-Evil: 1"}};
  EXPECT_THAT(
      client.Send(injected, &response_),
      StatusIs(StatusCode::kInvalidArgument, AllOf(HasSubstr("X-Name"), Not(HasSubstr("Evil")))));
  EXPECT_EQ(last_.path, "");
}

TEST_F(HttpClientTest, NamesAnUnreachableServerAndTheReason) {
  // Bound but not listening: refused, and nobody else can get the port.
  const int held = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t bytes = sizeof(address);
  ASSERT_EQ(bind(held, reinterpret_cast<sockaddr*>(&address), bytes), 0);
  ASSERT_EQ(getsockname(held, reinterpret_cast<sockaddr*>(&address), &bytes), 0);
  const std::string origin = absl::StrCat("http://127.0.0.1:", ntohs(address.sin_port));
  HttpClient client({});
  EXPECT_THAT(client.Send(Get(origin + "/x?secret=1"), &response_),
              StatusIs(StatusCode::kUnavailable, "connect to " + origin + ": Connection refused"));
  EXPECT_THAT(client.Send(Get("http://no-such-host.invalid:9200/"), &response_),
              StatusIs(StatusCode::kUnavailable,
                       StartsWith("connect to http://no-such-host.invalid:9200: unknown host")));
  EXPECT_EQ(response_.status, 0);
  close(held);
}

// libcurl keeps the buffer of a transfer that found no host, and refuses another size for it.
TEST_F(HttpClientTest, AClientThatFoundNoHostIsUsedAgain) {
  HttpClient client({});
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(client.Send(Get("http://no-such-host.invalid:9200/"), &response_),
                StatusIs(StatusCode::kUnavailable, HasSubstr("no-such-host.invalid")));
  }
}

TEST_F(HttpClientTest, ReadsAChunkedReply) {
  const RawServer server([](int connection, const std::string&) {
    RawServer::Write(connection,
                     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                     "5\r\nhello\r\n7\r\n, world\r\n0\r\nX-Trailer: 1\r\n\r\n");
  });
  ASSERT_OK(HttpClient({}).Send(Get(server.url()), &response_));
  EXPECT_EQ(response_.body(), "hello, world");
}

TEST_F(HttpClientTest, ABrokenReplyIsUnavailableNeverHalfAReply) {
  const std::vector<std::string> kBroken = {
      "",
      "garbage\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Le",
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{\"half\":",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n0\r\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
  };
  for (const std::string& broken : kBroken) {
    for (bool reset : {false, true}) {
      const RawServer server([&](int connection, const std::string&) {
        RawServer::Write(connection, broken);
        if (reset) RawServer::ResetOnClose(connection);
      });
      Endpoint endpoint;
      endpoint.accept_gzip = true;
      HttpClient client(endpoint);
      Request request = Get(server.url());
      EXPECT_THAT(client.Send(request, &response_),
                  StatusIs(StatusCode::kUnavailable, StartsWith("GET " + server.url() + ": ")))
          << broken << (reset ? " and a reset" : "");
      EXPECT_EQ(response_.status, 0);
    }
  }
}

TEST_F(HttpClientTest, AServerThatIsTooSlowEndsWithTheTimeout) {
  const RawServer server([](int connection, const std::string&) {
    RawServer::Write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nabc");
    RawServer::WaitForClose(connection);
  });
  Request request = Get(server.url());
  request.timeout = absl::Milliseconds(100);
  EXPECT_THAT(HttpClient({}).Send(request, &response_),
              StatusIs(StatusCode::kDeadlineExceeded,
                       AllOf(StartsWith("GET " + server.url()), HasSubstr("timed out"))));
}

TEST_F(HttpClientTest, CancelEndsABlockedSendAtOnceAndAllLaterOnes) {
  std::promise<void> received;
  const RawServer server([&](int connection, const std::string&) {
    received.set_value();
    RawServer::WaitForClose(connection);
  });
  HttpClient client({});
  auto sent =
      std::async(std::launch::async, [&] { return client.Send(Get(server.url()), &response_); });
  received.get_future().wait();
  const auto before = std::chrono::steady_clock::now();
  client.Cancel();
  EXPECT_THAT(sent.get(), StatusIs(StatusCode::kCancelled, HasSubstr(server.url())));
  EXPECT_LT(std::chrono::steady_clock::now() - before, std::chrono::milliseconds(900));
  EXPECT_THAT(client.Send(Get(server.url()), &response_), StatusIs(StatusCode::kCancelled));
}

TEST_F(HttpClientTest, AConnectionThatTheServerClosedMeanwhileIsReplaced) {
  int connections = 0;
  const RawServer server([&](int connection, const std::string&) {
    ++connections;
    RawServer::Write(connection, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
  });
  HttpClient client({});
  for (int i = 1; i <= 3; ++i) {
    ASSERT_OK(client.Send(Get(server.url()), &response_));
    EXPECT_EQ(response_.body(), "ok");
  }
  EXPECT_EQ(connections, 3);
}

}  // namespace
}  // namespace nightjar::http
