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
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
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

constexpr char kGiven[] = "a-text-that-somebody-made-up";
constexpr char kOther[] = "another-text-somebody-made-up";

ConfiguredKey Configured(const std::string& name, const std::string& text,
                         uint32_t scopes = kIngestScope) {
  return {name, config::Secret(text), scopes};
}

TEST_F(KeyStoreTest, AConfiguredKeyWorksUnderItsNameAndSurvivesARestart) {
  const auto changes = keys_->SetConfigured({Configured("pipeline", kGiven)});
  ASSERT_OK(changes);
  EXPECT_THAT(changes->taken, ElementsAre("pipeline"));
  Open();
  EXPECT_OK(keys_->Check(kGiven, kIngestScope));
  EXPECT_THAT(keys_->Check(kGiven, kAlertsScope).status(),
              StatusIs(StatusCode::kPermissionDenied,
                       "API key config:pipeline does not have the scope alerts"));
  EXPECT_EQ(keys_->List()[0].prefix, "config:pipeline");
  EXPECT_EQ(keys_->List()[0].description, "analytics_engine.api_keys");
  const auto same = keys_->SetConfigured({Configured("pipeline", kGiven)});
  ASSERT_OK(same);
  EXPECT_THAT(same->taken, IsEmpty());
  EXPECT_TRUE(keys_->List()[0].used_at.has_value());
}

TEST_F(KeyStoreTest, AConfiguredKeyIsRevokedWhenItIsNotGivenAnyMore) {
  const std::string made = Create(kIngestScope);
  ASSERT_OK(keys_->SetConfigured({Configured("a", kGiven), Configured("b", kOther)}));
  EXPECT_THAT(keys_->Revoke("config:a").status(), StatusIs(StatusCode::kFailedPrecondition));
  const auto changes = keys_->SetConfigured({Configured("b", kOther)});
  ASSERT_OK(changes);
  EXPECT_THAT(changes->revoked, ElementsAre("a"));
  Open();
  EXPECT_THAT(keys_->Check(kGiven, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_OK(keys_->Check(kOther, kIngestScope));
  EXPECT_OK(keys_->Check(made, kIngestScope));
  EXPECT_THAT(keys_->SetConfigured({Configured("b", kOther)})->revoked, IsEmpty());
  EXPECT_THAT(keys_->SetConfigured({Configured("a", kGiven)})->taken, ElementsAre("a"));
  EXPECT_OK(keys_->Check(kGiven, kIngestScope));
}

TEST_F(KeyStoreTest, ConfiguredTextsScopesAndNamesCanChange) {
  ASSERT_OK(keys_->SetConfigured({Configured("a", kGiven), Configured("b", kOther)}));
  ASSERT_OK(keys_->SetConfigured({Configured("a", kOther), Configured("b", kGiven, kAlertsScope)}));
  EXPECT_EQ(keys_->List().size(), 2u);
  EXPECT_OK(keys_->Check(kGiven, kAlertsScope));
  ASSERT_OK(keys_->SetConfigured({Configured("a", "the-third-text-of-somebody")}));
  Open();
  EXPECT_THAT(keys_->Check(kOther, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
  EXPECT_OK(keys_->Check("the-third-text-of-somebody", kIngestScope));
}

TEST_F(KeyStoreTest, AKeyMadeHereCanBecomeAConfiguredOne) {
  const std::string made = Create(kIngestScope, absl::Hours(1));
  ASSERT_OK(keys_->SetConfigured({Configured("a", made, kAlertsScope)}));
  clock_.Advance(absl::Hours(2));
  EXPECT_OK(keys_->Check(made, kAlertsScope));
  ASSERT_OK(keys_->SetConfigured({}));
  EXPECT_THAT(keys_->Check(made, kNoScope).status(), StatusIs(StatusCode::kUnauthenticated));
}

TEST_F(KeyStoreTest, TheTextIsNowhereInTheFiles) {
  ASSERT_OK(keys_->SetConfigured({Configured("a", kGiven)}));
  const std::string key = Create(kIngestScope);
  for (const char* suffix : {"", "-wal"}) {
    std::ifstream file(path_ + suffix, std::ios::binary);
    const std::string content{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(content.empty());
    EXPECT_THAT(content, Not(HasSubstr(key)));
    EXPECT_THAT(content, Not(HasSubstr(kGiven)));
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
