#include "services/analytics_engine/store/key_store.h"

#include <unistd.h>

#include <fstream>
#include <iterator>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using absl::StatusCode;
using testing::HasSubstr;
using testing::Not;

class KeyStoreTest : public testing::Test {
 protected:
  KeyStoreTest() {
    path_ =
        testing::TempDir() + testing::UnitTest::GetInstance()->current_test_info()->name() + ".db";
    for (const char* suffix : {"", "-wal", "-shm"}) unlink((path_ + suffix).c_str());
    Open();
  }
  void Open() {
    keys_.reset();
    database_.reset();
    auto database = Database::Open(path_);
    EXPECT_OK(database);
    database_ = *std::move(database);
    auto keys = KeyStore::Open(*database_, clock_);
    EXPECT_OK(keys);
    keys_ = *std::move(keys);
  }
  std::string Create(uint32_t scopes, absl::Duration lifetime = absl::ZeroDuration()) {
    config::Secret text;
    EXPECT_OK(keys_->Create(scopes, "a test", lifetime, &text));
    return text.reveal();
  }

  std::string path_;
  SimulatedClock clock_;
  std::unique_ptr<Database> database_;
  std::unique_ptr<KeyStore> keys_;
};

TEST_F(KeyStoreTest, AKeyAllowsItsScopesOnly) {
  const std::string ingest = Create(kIngestScope), admin = Create(kAdminScope);
  EXPECT_OK(keys_->Check(ingest, kIngestScope));
  EXPECT_OK(keys_->Check(ingest, kNoScope));
  EXPECT_THAT(keys_->Check(ingest, kAlertsScope).status(), StatusIs(StatusCode::kPermissionDenied));
  EXPECT_OK(keys_->Check(admin, kIngestScope));
  EXPECT_OK(keys_->Check(admin, kAlertsScope));
}

TEST_F(KeyStoreTest, UnknownTextsAreRefused) {
  const std::string key = Create(kIngestScope);
  for (const std::string& text : {std::string(), key.substr(1), key + "x", std::string(10'000, 'x'),
                                  std::string("njk_\0", 5)}) {
    EXPECT_THAT(keys_->Check(text, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
  }
}

TEST_F(KeyStoreTest, AKeyEndsAtItsTime) {
  const std::string key = Create(kIngestScope, absl::Hours(1));
  clock_.Advance(absl::Minutes(59));
  EXPECT_OK(keys_->Check(key, kIngestScope));
  clock_.Advance(absl::Minutes(1));
  EXPECT_THAT(keys_->Check(key, kIngestScope).status(), StatusIs(StatusCode::kPermissionDenied));
}

TEST_F(KeyStoreTest, ARevokedKeyIsRefusedAtOnceAndAfterARestart) {
  const std::string key = Create(kIngestScope);
  const std::string prefix = keys_->List()[0].prefix;
  EXPECT_EQ(key.substr(0, prefix.size()), prefix);
  EXPECT_OK(keys_->Revoke(prefix));
  EXPECT_THAT(keys_->Check(key, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_THAT(keys_->Revoke(prefix).status(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(keys_->Revoke("njk_none").status(), StatusIs(StatusCode::kNotFound));
  Open();
  EXPECT_THAT(keys_->Check(key, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(KeyStoreTest, KeysSurviveARestartWithTheirLastUse) {
  const std::string key = Create(kIngestScope | kAlertsScope, absl::Hours(5));
  clock_.Advance(absl::Hours(1));
  const absl::Time use = clock_.Now();
  EXPECT_OK(keys_->Check(key, kIngestScope));
  clock_.Advance(absl::Seconds(30));  // within the resolution
  EXPECT_OK(keys_->Check(key, kIngestScope));
  Open();
  EXPECT_OK(keys_->Check(key, kAlertsScope));
  const KeyInfo info = keys_->List()[0];
  EXPECT_EQ(info.description, "a test");
  EXPECT_EQ(info.scopes, kIngestScope | kAlertsScope);
  EXPECT_EQ(absl::ToUnixMillis(*info.used_at), absl::ToUnixMillis(use));
  EXPECT_EQ(*info.expires_at, info.created_at + absl::Hours(5));
  EXPECT_FALSE(info.revoked_at.has_value());
}

TEST_F(KeyStoreTest, TheTextIsNowhereInTheFiles) {
  const std::string key = Create(kIngestScope);
  for (const char* suffix : {"", "-wal"}) {
    std::ifstream file(path_ + suffix, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(content.empty());
    EXPECT_THAT(content, Not(HasSubstr(key)));
  }
}

TEST_F(KeyStoreTest, WishesOutOfTheirLimitsAreRefused) {
  config::Secret text;
  const auto create = [&](uint32_t scopes, const std::string& description, absl::Duration life) {
    return keys_->Create(scopes, description, life, &text).status();
  };
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(create(0, "", absl::ZeroDuration()), refused);
  EXPECT_THAT(create(8, "", absl::ZeroDuration()), refused);
  EXPECT_THAT(create(1, std::string(201, 'x'), absl::ZeroDuration()), refused);
  EXPECT_THAT(create(1, "", absl::Hours(24 * 4000)), refused);
  EXPECT_TRUE(text.empty());
}

}  // namespace
}  // namespace nightjar::analytics_engine
