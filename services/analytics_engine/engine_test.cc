// The engine's API as its clients see it, over real connections.
#include "services/analytics_engine/engine.h"

#include <cstdlib>
#include <fstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "services/analytics_engine/engine_testing.h"
#include "services/common/analytics_api/engine_client.h"
#include "services/common/analytics_api/gzip.h"
#include "services/common/http/test_certificates.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

constexpr char kHit[] =
    R"({"ts":"2026-11-24T10:00:00Z","srcIP":"10.0.0.5","query":"www.evil.example",)"
    R"("documentID":"d1"})"
    "\n";
constexpr char kJson[] = "application/json";

class EngineTest : public testing::Test {
 protected:
  EngineTest() : client_(engine_.url()) {
    client_.set_basic_auth(engine_.CreateKey(kIngestScope | kAlertsScope).c_str(), "");
  }

  struct Answer {
    int status = 0;
    std::string body;
  };
  static Answer Of(const httplib::Result& result) {
    return result ? Answer{result->status, result->body} : Answer{};
  }
  Answer Get(const std::string& path) { return Of(client_.Get(path.c_str())); }
  Answer Post(const std::string& path, const std::string& body,
              const httplib::Headers& headers = {}) {
    return Of(client_.Post(path.c_str(), headers, body, kJson));
  }

  TestEngine engine_;
  httplib::Client client_;
};

TEST_F(EngineTest, AHitIsAnAlertOnThePageAfterTheReply) {
  const Answer reply = Post("/v1/events/dns", absl::StrCat(kHit, "{\"query\":\"ok.example.com\"}"));
  EXPECT_EQ(reply.status, 200);
  EXPECT_EQ(reply.body, R"({"received":2,"accepted":2,"rejected":{},"rejectedLines":[]})");
  const Answer page = Get("/v1/alerts");
  EXPECT_EQ(page.status, 200);
  EXPECT_THAT(page.body,
              AllOf(HasSubstr(R"("event":{"ts":"2026-11-24T10:00:00Z","srcIP")"),
                    HasSubstr(R"("threats":["c2_communication"])"),
                    HasSubstr(R"("samples":[{"documentID":"d1"}])"), HasSubstr(R"("more":false)")));
}

TEST_F(EngineTest, FollowGivesNothingTwice) {
  Post("/v1/events/dns", kHit);
  const std::string page = Get("/v1/alerts?follow=0&threats=all&minSeverity=4").body;
  const size_t at = page.find("\"follow\":\"") + 10;
  const std::string follow = page.substr(at, page.find('"', at) - at);
  EXPECT_EQ(Get("/v1/alerts?follow=" + follow).body,
            absl::StrCat(R"({"follow":")", follow, R"(","more":false,"alerts":[],"threats":{}})"));
}

TEST_F(EngineTest, MalformedLinesAreRejectedByThemselves) {
  EXPECT_EQ(
      Post("/v1/events/ip", "{\"srcIP\":\"10.0.0.1\"}\nnonsense\n\n{\"destPort\":-1}\r\n{}").body,
      R"({"received":4,"accepted":2,"rejected":{"bad_json":1,"wrong_type":1},)"
      R"("rejectedLines":[{"line":1,"reason":"bad_json"},{"line":2,"reason":"wrong_type"}]})");
  const metrics::Ledger::Books books = engine_.ledger().Snapshot();
  EXPECT_EQ(books.read, 4u);
  EXPECT_EQ(books.in_flight, 0u);
  ASSERT_EQ(books.ended.size(), 3u);
  EXPECT_EQ(books.ended[0].count(), 2u);
}

TEST_F(EngineTest, BodiesOfManyChunksAreCountedWhole) {
  std::string lines;
  for (int i = 0; i < 2500; ++i) {
    absl::StrAppend(&lines, i == 1999 ? "x" : R"({"query":"a.example.com"})", "\n");
  }
  EXPECT_EQ(Post("/v1/events/dns", lines).body,
            R"({"received":2500,"accepted":2499,"rejected":{"bad_json":1},)"
            R"("rejectedLines":[{"line":1999,"reason":"bad_json"}]})");
}

TEST_F(EngineTest, CompressedBodiesAreTaken) {
  std::string compressed;
  analytics_api::Gzip(kHit, &compressed);
  EXPECT_THAT(Post("/v1/events/dns", compressed, {{"Content-Encoding", "gzip"}}).body,
              StartsWith(R"({"received":1,"accepted":1)"));
  EXPECT_EQ(Post("/v1/events/dns", kHit, {{"Content-Encoding", "gzip"}}).status, 400);
  EXPECT_THAT(Post("/v1/events/dns", kHit, {{"Content-Encoding", "zstd"}}).body,
              HasSubstr("Content-Encoding zstd is not known"));
  // alphasocbeat's request: an encoding and no body.
  EXPECT_EQ(Of(client_.Get("/v1/alerts", {{"Content-Encoding", "gzip"}})).status, 200);
}

TEST_F(EngineTest, TooLargeBodiesAreRefusedWithWordsHoweverTheyCome) {
  const std::string blank(kApiBodyBytesMax, ' ');
  EXPECT_EQ(Post("/v1/events/dns", blank).status, 200);
  std::string compressed;
  analytics_api::Gzip(blank + " ", &compressed);
  for (const Answer& answer :
       {Post("/v1/events/dns", blank + " "),
        Post("/v1/events/dns", compressed, {{"Content-Encoding", "gzip"}})}) {
    EXPECT_EQ(answer.status, 400);
    EXPECT_THAT(answer.body, HasSubstr("over 10485760 bytes"));
  }
  EXPECT_EQ(engine_.ledger().Snapshot().read, 0u);
}

TEST_F(EngineTest, KeysAndScopesAreChecked) {
  httplib::Client nobody(engine_.url());
  EXPECT_EQ(Of(nobody.Get("/v1/account/status")).status, 401);
  EXPECT_THAT(Of(nobody.Post("/v1/events/dns", kHit, kJson)).body, HasSubstr("API key is needed"));
  nobody.set_basic_auth("njk_guess", "");
  EXPECT_THAT(Of(nobody.Get("/v1/alerts")).body, HasSubstr("unknown API key"));

  httplib::Client reader(engine_.url()), sender(engine_.url());
  reader.set_basic_auth(engine_.CreateKey(kAlertsScope).c_str(), "");
  sender.set_basic_auth(engine_.CreateKey(kIngestScope).c_str(), "");
  EXPECT_EQ(Of(reader.Get("/v1/alerts")).status, 200);
  const Answer refused = Of(reader.Post("/v1/events/dns", kHit, kJson));
  EXPECT_EQ(refused.status, 403);
  EXPECT_THAT(refused.body, HasSubstr("does not have the scope ingest"));
  EXPECT_EQ(Of(sender.Get("/v1/ae/inventory/threats")).status, 403);
  EXPECT_EQ(Of(sender.Get("/v1/account/status")).status, 200);
}

TEST_F(EngineTest, AKeyByConfigurationWorksUntilItIsGone) {
  httplib::Client pipeline(engine_.url());
  pipeline.set_basic_auth("a-text-that-somebody-made-up", "");
  EXPECT_EQ(Of(pipeline.Get("/v1/account/status")).status, 401);
  const config::Secret text("a-text-that-somebody-made-up");
  ASSERT_OK(engine_.engine().SetApiKeys({{"pipeline", text, kIngestScope}}));
  EXPECT_EQ(Of(pipeline.Post("/v1/events/dns", kHit, kJson)).status, 200);
  EXPECT_EQ(Of(pipeline.Get("/v1/alerts")).status, 403);
  ASSERT_OK(engine_.engine().SetApiKeys({}));
  EXPECT_EQ(Of(pipeline.Get("/v1/account/status")).status, 401);
}

TEST_F(EngineTest, WhatItDoesNotOfferIsAClear400) {
  EXPECT_THAT(Post("/v1/key/request", "{}").body,
              HasSubstr("/v1/key/request is not offered by this engine"));
  for (const char* path : {"/v1/wisdom?q=a.example", "/v1/account/verify/abc", "/v1/events/dns",
                           "/v1/dailyDestinations", "/nowhere", "/", "/v1/alerts?minSeverity=6",
                           "/v1/alerts?threats=some"}) {
    const Answer answer = Get(path);
    EXPECT_EQ(answer.status, 400) << path;
    EXPECT_THAT(answer.body, StartsWith("{\"message\":\"")) << path;
  }
  EXPECT_EQ(Of(client_.Delete("/v1/alerts")).status, 400);
  EXPECT_EQ(Of(client_.Put("/v1/alerts", "{}", kJson)).status, 400);
  EXPECT_EQ(Of(client_.Get(("/" + std::string(9000, 'a')).c_str())).status, 400);
}

TEST_F(EngineTest, CataloguesHaveTheirAliases) {
  const std::string threats = Get("/v1/ae/inventory/threats").body;
  EXPECT_THAT(threats, StartsWith("{\"threats\":{"));
  EXPECT_EQ(Get("/v1/ae/threats").body, threats);
  const std::string flags = Get("/v1/ae/inventory/flags").body;
  EXPECT_THAT(flags, StartsWith("{\"flags\":{"));
  EXPECT_EQ(Get("/v1/ae/flags").body, flags);
}

TEST_F(EngineTest, TheAccountCountsTheSourcesOfTheDay) {
  Post("/v1/events/dns", absl::StrCat(kHit, kHit, "{\"srcIP\":\"10.0.0.6\"}"));
  EXPECT_THAT(Get("/v1/account/status?p=nba").body,
              AllOf(HasSubstr("\"registered\":true"), HasSubstr("\"endpointsSeenToday\":2")));
}

TEST_F(EngineTest, APausedEngineAsksToComeAgain) {
  engine_.monitor().Pause("maintenance");
  const auto result = client_.Post("/v1/events/dns", kHit, kJson);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->status, 429);
  EXPECT_EQ(result->get_header_value("Retry-After"), "5");
  EXPECT_EQ(Get("/v1/alerts").status, 200);
  engine_.monitor().Resume();
  EXPECT_EQ(Post("/v1/events/dns", kHit).status, 200);
}

TEST_F(EngineTest, AReplyIsCompressedWhenTheClientWantsIt) {
  client_.set_decompress(false);
  const auto plain = client_.Get("/v1/ae/threats");
  const auto small = client_.Get("/v1/ae/threats", {{"Accept-Encoding", "gzip"}});
  ASSERT_TRUE(plain && small);
  EXPECT_EQ(small->get_header_value("Content-Encoding"), "gzip");
  EXPECT_LT(small->body.size(), plain->body.size());
  EXPECT_THAT(plain->body, Not(HasSubstr("\x1f\x8b")));
}

TEST_F(EngineTest, BodiesSideBySideAreAllCounted) {
  const std::string key = engine_.CreateKey(kIngestScope | kAlertsScope);
  std::vector<std::thread> clients;
  for (int i = 0; i < 12; ++i) {  // more than kBodiesMax
    clients.emplace_back([this, key, i] {
      httplib::Client client(engine_.url());
      client.set_basic_auth(key.c_str(), "");
      for (int body = 0; body < 5; ++body) {
        const std::string line =
            absl::StrCat(R"({"query":"a.evil.example","srcIP":"10.0.)", i, ".", body, "\"}\n");
        EXPECT_EQ(Of(client.Post("/v1/events/dns", line, kJson)).status, 200);
        EXPECT_EQ(Of(client.Get("/v1/alerts")).status, 200);
      }
    });
  }
  for (std::thread& client : clients) client.join();
  EXPECT_EQ(engine_.ledger().Snapshot().read, 60u);
  const std::string page = Get("/v1/alerts").body;
  size_t alerts = 0;
  for (size_t at = page.find("\"eventType\""); at != std::string::npos;
       at = page.find("\"eventType\"", at + 1)) {
    ++alerts;
  }
  EXPECT_EQ(alerts, 60u);
}

// alert-poller's client understands all of what this engine writes.
TEST_F(EngineTest, OurOwnClientReadsTheAlerts) {
  Post("/v1/events/dns", absl::StrCat(R"({"srcIP":"10.0.0.5","query":"www.evil.example",)",
                                      R"("index":"i","documentID":"d1","sensorID":"s1",)"
                                      R"("status":"NOERROR","url":[],"srcID":1})"));
  analytics_api::EngineClientOptions options;
  options.hosts = {engine_.url()};
  options.api_key = config::Secret(engine_.CreateKey(kAlertsScope));
  analytics_api::EngineClient client(options);
  analytics_api::AlertsPage page;
  analytics_api::Exchange exchange;
  ASSERT_OK(client.Alerts("", &page, &exchange));
  ASSERT_EQ(page.alerts.size(), 1u);
  const alerts::v1::Alert& alert = page.alerts[0];
  EXPECT_TRUE(analytics_api::HasEngineId(alert));
  EXPECT_GT(alert.created_at().seconds(), 0);
  EXPECT_EQ(alert.event_type(), "dns");
  EXPECT_EQ(alert.event().source_ip(), "10.0.0.5");
  EXPECT_EQ(alert.threats(0).id(), "c2_communication");
  EXPECT_EQ(alert.threats(0).severity(), 5u);
  EXPECT_EQ(alert.wisdom().domain(), "evil.example");
  EXPECT_EQ(alert.detections(0).id(), "list");
  EXPECT_EQ(alert.detections(0).samples(0).document_id(), "d1");
  EXPECT_EQ(alert.detections(0).samples(0).sensor_id(), "s1");
  EXPECT_EQ(alert.mitre_attack_size(), 1);
  ASSERT_OK(client.Alerts(page.follow, &page, &exchange));
  EXPECT_TRUE(page.alerts.empty());
}

TEST(EngineTlsTest, TheApiIsServedWithTheCertificate) {
  const http::TestAuthority authority;
  const http::TestAuthority::Issued issued = authority.Issue("IP:127.0.0.1");
  TestEngine engine(issued.chain_file, issued.key_file);
  httplib::Client client("https://" + engine.address());
  client.set_ca_cert_path(authority.certificate_file().c_str());
  client.set_basic_auth(engine.CreateKey(kIngestScope).c_str(), "");
  const auto reply = client.Post("/v1/events/dns", kHit, kJson);
  ASSERT_TRUE(reply) << httplib::to_string(reply.error());
  EXPECT_EQ(reply->status, 200);
  httplib::Client plain(engine.url());
  const auto refused = plain.Get("/v1/alerts");
  EXPECT_FALSE(refused);
}

void CopyFile(const std::string& from, const std::string& to) {
  std::ifstream in(from, std::ios::binary);
  std::ofstream(to, std::ios::binary) << in.rdbuf();
}

// The API's certificate at `address`, seen by a new connection that trusts `authority`.
bool Trusts(const http::TestAuthority& authority, const std::string& address) {
  httplib::Client client("https://" + address);
  client.set_ca_cert_path(authority.certificate_file().c_str());
  return static_cast<bool>(client.Get("/v1/account/status"));
}

TEST(EngineTlsTest, TheCertificateIsChangedWhileItServes) {
  const http::TestAuthority before, after;
  const http::TestAuthority::Issued old = before.Issue("IP:127.0.0.1");
  const http::TestAuthority::Issued renewed = after.Issue("IP:127.0.0.1");
  std::string folder = testing::TempDir() + "/certificate_XXXXXX";
  ASSERT_NE(mkdtemp(folder.data()), nullptr);
  const std::string certificate = folder + "/tls.crt", key = folder + "/tls.key";
  CopyFile(old.chain_file, certificate);
  CopyFile(old.key_file, key);
  TestEngine engine(certificate, key);
  httplib::Client kept("https://" + engine.address());
  kept.set_ca_cert_path(before.certificate_file().c_str());
  kept.set_keep_alive(true);
  ASSERT_TRUE(kept.Get("/v1/account/status"));

  CopyFile(renewed.chain_file, certificate);  // the key is still the old one
  EXPECT_THAT(engine.engine().ReloadCertificate(),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr(certificate)));
  EXPECT_TRUE(Trusts(before, engine.address()));

  CopyFile(renewed.key_file, key);
  ASSERT_OK(engine.engine().ReloadCertificate());
  EXPECT_TRUE(Trusts(after, engine.address()));
  EXPECT_FALSE(Trusts(before, engine.address()));
  EXPECT_TRUE(kept.Get("/v1/account/status"));  // connections go on
}

TEST(EngineTlsTest, TheApiIsServedToTls12AndNewerOnly) {
  const http::TestAuthority authority;
  const http::TestAuthority::Issued issued = authority.Issue("IP:127.0.0.1");
  TestEngine engine(issued.chain_file, issued.key_file);
  for (const auto& [version, served] :
       {std::pair{TLS1_1_VERSION, false}, std::pair{TLS1_2_VERSION, true}}) {
    httplib::SSLClient client("127.0.0.1", std::stoi(engine.address().substr(10)));
    client.set_ca_cert_path(authority.certificate_file().c_str());
    SSL_CTX_set_security_level(client.ssl_context(), 0);
    SSL_CTX_set_min_proto_version(client.ssl_context(), version);
    SSL_CTX_set_max_proto_version(client.ssl_context(), version);
    EXPECT_EQ(static_cast<bool>(client.Get("/v1/account/status")), served);
  }
}

}  // namespace
}  // namespace nightjar::analytics_engine
