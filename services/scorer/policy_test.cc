#include "services/scorer/policy.h"

#include <unistd.h>

#include <fstream>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/clock/simulated_clock.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::scorer {
namespace {

using testing::HasSubstr;

constexpr char kTens[] = "groups: {ours: {in_scope: [10.0.0.0/8]}}\n";
constexpr char kNines[] = "groups: {ours: {in_scope: [9.0.0.0/8]}}\n";

class PolicyTest : public testing::Test {
 protected:
  PolicyTest() {
    config_.scope_file = testing::TempDir() + "/scope.yml";
    config_.lists = {{"mine", testing::TempDir() + "/mine.txt", 70}};
    Replace(config_.scope_file, kTens);
    Replace(config_.lists[0].path, "evil.example\n");
  }

  // As editors do it: a new file in place of the old one.
  static void Replace(const std::string& path, const std::string& text) {
    std::ofstream(path + ".new") << text;
    ASSERT_EQ(rename((path + ".new").c_str(), path.c_str()), 0);
  }

  void PassCheckInterval() {
    clock_.Advance(kFileCheckInterval);
    policy_->ReloadChanged();
  }

  absl::Status Load() {
    policy_.emplace(config_, monitor_, metrics_, clock_);
    return policy_->Load();
  }

  // Why a query from `source` is filtered, or "score <n>".
  std::string Judge(const std::string& source, const std::string& query) {
    telemetry::v1::Event event;
    event.set_source_ip(source);
    event.mutable_dns()->set_query(query);
    const absl::string_view reason = policy_->filter()->Apply(&event);
    return reason.empty() ? "score " + std::to_string(event.score().value()) : std::string(reason);
  }

  ScorerConfig config_;
  SimulatedClock clock_;
  metrics::Metrics metrics_;
  metrics::Ledger ledger_{metrics_, "scorer"};
  runtime::StageMonitor monitor_{"scorer", ledger_, clock_};
  std::optional<Policy> policy_;
};

TEST_F(PolicyTest, AChangedScopeFileIsTakenWithinTheCheckInterval) {
  ASSERT_OK(Load());
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "score 0");
  Replace(config_.scope_file, kNines);
  policy_->ReloadChanged();
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "score 0") << "it is too early to look";
  PassCheckInterval();
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "not_in_scope");
  EXPECT_EQ(Judge("9.1.1.1", "a.example"), "score 0");
  EXPECT_THAT(metrics_.Render(),
              HasSubstr("nightjar_scorer_reloads_total{result=\"ok\",source=\"scope\"} 1"));
}

TEST_F(PolicyTest, ABadScopeFileKeepsTheOldScopeAndSaysSoUntilItIsMended) {
  ASSERT_OK(Load());
  monitor_.SetStarted();
  Replace(config_.scope_file, "groups: {ours: {in_scope: [10.0.0.0/99]}}\n");
  PassCheckInterval();
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "score 0");
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_DEGRADED);
  EXPECT_THAT(monitor_.Status().reason(), HasSubstr("10.0.0.0/99"));
  EXPECT_THAT(monitor_.Status().reason(), HasSubstr("scope.yml:1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("{result=\"refused\",source=\"scope\"} 1"));

  Replace(config_.scope_file, kNines);
  PassCheckInterval();
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "not_in_scope");
  EXPECT_EQ(monitor_.Status().state(), admin::v1::STATE_READY);
}

TEST_F(PolicyTest, ARemovedFileIsNotAnEmptyOne) {
  ASSERT_OK(Load());
  ASSERT_EQ(unlink(config_.scope_file.c_str()), 0);
  PassCheckInterval();
  EXPECT_EQ(Judge("9.1.1.1", "a.example"), "not_in_scope");
}

TEST_F(PolicyTest, ListsReloadByThemselves) {
  ASSERT_OK(Load());
  EXPECT_EQ(Judge("10.1.1.1", "evil.example"), "score 70");
  Replace(config_.lists[0].path, "worse.example\n");
  Replace(config_.scope_file, "groups: 7\n");
  PassCheckInterval();
  EXPECT_EQ(Judge("10.1.1.1", "evil.example"), "score 0");
  EXPECT_EQ(Judge("10.1.1.1", "worse.example"), "score 70");
  EXPECT_THAT(metrics_.Render(), HasSubstr("{result=\"ok\",source=\"lists\"} 1"));
}

TEST_F(PolicyTest, ReloadTakesFilesAtOnce) {
  ASSERT_OK(Load());
  Replace(config_.scope_file, kNines);
  policy_->Reload();
  EXPECT_EQ(Judge("10.1.1.1", "a.example"), "not_in_scope");
}

TEST_F(PolicyTest, NothingIsReloadedWithoutAChange) {
  ASSERT_OK(Load());
  const auto before = policy_->filter();
  PassCheckInterval();
  EXPECT_EQ(policy_->filter(), before);
}

TEST_F(PolicyTest, ABadFileAtTheStartIsFinal) {
  Replace(config_.scope_file, "groups: {ours: {in_scope: [nonsense]}}\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nonsense")));
  EXPECT_EQ(ExitStatus(Load()), kExitConfig);
  Replace(config_.scope_file, kTens);
  Replace(config_.lists[0].path, "not a domain\n");
  EXPECT_THAT(Load(), StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mine.txt:1")));
}

TEST_F(PolicyTest, CheckFilesTellsWhatLoadWould) {
  EXPECT_OK(CheckFiles(config_));
  Replace(config_.lists[0].path, "not a domain\n");
  EXPECT_THAT(CheckFiles(config_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("mine.txt:1")));
  Replace(config_.scope_file, "groups: {ours: {in_scope: [nonsense]}}\n");
  EXPECT_THAT(CheckFiles(config_),
              StatusIs(absl::StatusCode::kInvalidArgument, HasSubstr("nonsense")));
}

TEST_F(PolicyTest, WithoutAFileTheDefaultGroupHolds) {
  config_.scope_file.clear();
  ASSERT_OK(Load());
  EXPECT_EQ(Judge("192.168.1.1", "a.example"), "score 0");
  EXPECT_EQ(Judge("192.168.1.1", "nas.lan"), "trusted_domain");
}

}  // namespace
}  // namespace nightjar::scorer
