// analytics-engine as a process: what survives a kill, its keys over gRPC, what it refuses to be.
#include <signal.h>

#include <atomic>
#include <cstdlib>
#include <fstream>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "grpcpp/create_channel.h"
#include "grpcpp/security/credentials.h"
#include "gtest/gtest.h"
#include "httplib.h"
#include "proto/admin/v1/engine_keys_service.grpc.pb.h"
#include "services/common/status/status_matchers.h"
#include "tests/e2e/process.h"

namespace nightjar::e2e {
namespace {

using testing::HasSubstr;

constexpr char kBinary[] = "services/analytics_engine/analytics-engine";
constexpr absl::Duration kPatience = absl::Seconds(30);

std::string ReadFile(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// The value of `"name":"value"` in flat JSON.
std::string Value(const std::string& json, const std::string& name) {
  const std::string start = absl::StrCat("\"", name, "\":\"");
  const size_t at = json.find(start);
  if (at == std::string::npos) return "";
  const size_t begin = at + start.size();
  return json.substr(begin, json.find('"', begin) - begin);
}

class AnalyticsEngineTest : public testing::Test {
 protected:
  AnalyticsEngineTest() {
    folder_ = testing::TempDir() + "engine_XXXXXX";
    EXPECT_NE(mkdtemp(folder_.data()), nullptr);
    std::ofstream(folder_ + "/c2.txt") << "*.evil.example\n";
    WriteConfig("127.0.0.1:0");
  }

  void WriteConfig(const std::string& api_listen) {
    std::ofstream(folder_ + "/config.yml")
        << "engine: {host: local}\ndata: {dir: " << folder_ << "}\n"
        << "scoring: {lists: [{name: c2, file: " << folder_ << "/c2.txt}]}\n"
        << "analytics_engine: {listen: \"" << api_listen << "\"}\n";
  }

  absl::StatusOr<Process> Launch() {
    return Process::Start({kBinary, "--config", folder_ + "/config.yml", "--listen", "127.0.0.1:0",
                           "--address_file", folder_ + "/addresses.json"},
                          folder_ + "/log");
  }

  // The engine removes an address file of an earlier life before it writes its own.
  void Start() {
    unlink((folder_ + "/addresses.json").c_str());
    auto process = Launch();
    ASSERT_OK(process);
    process_ = std::make_unique<Process>(*std::move(process));
    const auto addresses = AwaitFile(folder_ + "/addresses.json", kPatience);
    ASSERT_OK(addresses);
    api_ = "http://" + Value(*addresses, "api");
    grpc_ = Value(*addresses, "grpc");
    key_ = ReadFile(folder_ + "/analytics_engine/local.key");
    ASSERT_EQ(key_.size(), 48u);
    key_.pop_back();
  }

  httplib::Client Client(const std::string& key) const {
    httplib::Client client(api_);
    client.set_basic_auth(key.c_str(), "");
    client.set_keep_alive(true);
    return client;
  }

  // Source addresses of all alerts.
  std::multiset<std::string> AlertSources() {
    std::multiset<std::string> sources;
    httplib::Client client = Client(key_);
    std::string follow;
    for (bool more = true; more;) {
      const auto page = client.Get(("/v1/alerts?follow=" + follow).c_str());
      EXPECT_TRUE(page && page->status == 200);
      if (!page) return sources;
      follow = Value(page->body, "follow");
      more = page->body.find("\"more\":true") != std::string::npos;
      constexpr char kStart[] = "\"srcIP\":\"";
      for (size_t at = page->body.find(kStart); at != std::string::npos;
           at = page->body.find(kStart, at + 1)) {
        const size_t begin = at + sizeof(kStart) - 1;
        sources.insert(page->body.substr(begin, page->body.find('"', begin) - begin));
      }
    }
    return sources;
  }

  std::string folder_, api_, grpc_, key_;
  std::unique_ptr<Process> process_;
};

// Posts bodies of hits, every event from a source of its own, until the engine is gone. Gives the
// sources of the bodies that were answered.
std::vector<std::string> PostUntilGone(httplib::Client client, int poster,
                                       std::atomic<int>& answered) {
  constexpr int kBodyEvents = 20;
  std::vector<std::string> confirmed;
  for (int body = 0;; ++body) {
    std::string lines;
    std::vector<std::string> sources;
    for (int i = 0; i < kBodyEvents; ++i) {
      sources.push_back(absl::StrCat("10.", poster, ".", body % 250, ".", i + 20 * (body / 250)));
      absl::StrAppend(&lines, R"({"ts":"2026-11-24T10:00:00Z","query":"a.evil.example","srcIP":")",
                      sources.back(), "\"}\n");
    }
    const auto reply = client.Post("/v1/events/dns", lines, "application/json");
    if (!reply) return confirmed;
    EXPECT_EQ(reply->status, 200);
    confirmed.insert(confirmed.end(), sources.begin(), sources.end());
    ++answered;
  }
}

TEST_F(AnalyticsEngineTest, KillMidBodyLosesNoAlertOfAnAnsweredBody) {
  ASSERT_NO_FATAL_FAILURE(Start());
  std::atomic<int> answered{0};
  std::mutex mutex;
  std::vector<std::string> confirmed;
  std::vector<std::thread> posters;
  for (int poster = 0; poster < 3; ++poster) {
    posters.emplace_back([&, poster] {
      const auto sources = PostUntilGone(Client(key_), poster, answered);
      std::lock_guard<std::mutex> lock(mutex);
      confirmed.insert(confirmed.end(), sources.begin(), sources.end());
    });
  }
  EXPECT_TRUE(Await(kPatience, [&] { return answered > 60; }));
  process_->Kill();
  for (std::thread& poster : posters) poster.join();
  ASSERT_NO_FATAL_FAILURE(Start());
  const std::multiset<std::string> sources = AlertSources();
  ASSERT_GT(confirmed.size(), 1200u);
  for (const std::string& source : confirmed) EXPECT_EQ(sources.count(source), 1u) << source;
}

TEST_F(AnalyticsEngineTest, KeysAreMadeAndRevokedWhileItRuns) {
  ASSERT_NO_FATAL_FAILURE(Start());
  const auto keys = admin::v1::EngineKeys::NewStub(
      grpc::CreateChannel(grpc_, grpc::InsecureChannelCredentials()));
  admin::v1::CreateKeyRequest create;
  admin::v1::CreateKeyResponse created;
  {
    grpc::ClientContext context;
    EXPECT_EQ(keys->CreateKey(&context, create, &created).error_code(),
              grpc::StatusCode::INVALID_ARGUMENT);
  }
  create.add_scopes(admin::v1::KEY_SCOPE_INGEST);
  create.set_description("a sensor");
  create.set_lifetime_seconds(3600);
  {
    grpc::ClientContext context;
    ASSERT_TRUE(keys->CreateKey(&context, create, &created).ok());
  }
  httplib::Client client = Client(created.key());
  EXPECT_EQ(client.Post("/v1/events/dns", "{}", "application/json")->status, 200);
  EXPECT_EQ(client.Get("/v1/alerts")->status, 403);

  admin::v1::ListKeysResponse list;
  {
    grpc::ClientContext context;
    ASSERT_TRUE(keys->ListKeys(&context, {}, &list).ok());
  }
  ASSERT_EQ(list.keys_size(), 2);  // the local one and this one
  EXPECT_EQ(list.keys(1).prefix(), created.info().prefix());
  EXPECT_EQ(list.keys(1).description(), "a sensor");
  EXPECT_TRUE(list.keys(1).has_last_used_at());
  EXPECT_EQ(list.keys(1).expires_at().seconds() - list.keys(1).created_at().seconds(), 3600);

  admin::v1::RevokeKeyRequest revoke;
  admin::v1::RevokeKeyResponse revoked;
  revoke.set_prefix(created.info().prefix());
  {
    grpc::ClientContext context;
    ASSERT_TRUE(keys->RevokeKey(&context, revoke, &revoked).ok());
  }
  EXPECT_EQ(client.Post("/v1/events/dns", "{}", "application/json")->status, 401);
  {
    grpc::ClientContext context;
    EXPECT_EQ(keys->RevokeKey(&context, revoke, &revoked).error_code(),
              grpc::StatusCode::FAILED_PRECONDITION);
  }
  process_->Signal(SIGTERM);
  EXPECT_THAT(process_->Wait(kPatience), IsOkAndHolds(0));
}

TEST_F(AnalyticsEngineTest, OffLoopbackInPlainTextIsRefused) {
  WriteConfig("0.0.0.0:0");
  auto process = Launch();
  ASSERT_OK(process);
  EXPECT_THAT(process->Wait(kPatience), IsOkAndHolds(78));
  EXPECT_THAT(ReadFile(folder_ + "/log"),
              HasSubstr("analytics_engine.listen 0.0.0.0:0 is not on loopback"));
}

TEST_F(AnalyticsEngineTest, ASecondOneOnTheSameFolderIsRefused) {
  ASSERT_NO_FATAL_FAILURE(Start());
  auto second = Launch();
  ASSERT_OK(second);
  EXPECT_THAT(second->Wait(kPatience), IsOkAndHolds(78));
}

}  // namespace
}  // namespace nightjar::e2e
