#include "services/analytics_engine/store/alert_store.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::analytics_engine {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

std::string FreshPath(const std::string& name) {
  const std::string path = testing::TempDir() + name;
  for (const char* suffix : {"", "-wal", "-shm"}) unlink((path + suffix).c_str());
  return path;
}

StoredAlert Alert(int number, int severity = 4) {
  return {absl::StrCat("id-", number),
          absl::FromUnixMillis(1764000000123 + number),
          "dns",
          severity,
          {"c2_communication", "bad_tld"},
          absl::StrCat(R"({"query":")", number, R"("})"),
          R"("wisdom":{})"};
}

struct Store {
  explicit Store(const std::string& path, AlertLimits limits = {}) {
    auto opened = Database::Open(path);
    EXPECT_OK(opened);
    database = *std::move(opened);
    auto store = AlertStore::Open(*database, limits);
    EXPECT_OK(store);
    alerts = *std::move(store);
  }
  uint64_t Append(const std::vector<StoredAlert>& added) {
    uint64_t dropped = 0;
    EXPECT_OK(alerts->Append(added, &dropped));
    return dropped;
  }
  AlertPage Page(const std::string& follow, int severity_min = 0) {
    auto page = alerts->Page(follow, severity_min);
    EXPECT_OK(page);
    return *page;
  }

  std::unique_ptr<Database> database;
  std::unique_ptr<AlertStore> alerts;
};

std::vector<std::string> Ids(const AlertPage& page) {
  std::vector<std::string> ids;
  for (const StoredAlert& alert : page.alerts) ids.push_back(alert.id);
  return ids;
}

TEST(AlertStore, GivesBackWhatWasAppended) {
  Store store(FreshPath("fields.db"));
  store.Append({Alert(1)});
  const AlertPage page = store.Page("");
  ASSERT_EQ(page.alerts.size(), 1u);
  EXPECT_EQ(page.alerts[0].id, "id-1");
  EXPECT_EQ(page.alerts[0].created, absl::FromUnixMillis(1764000000124));
  EXPECT_EQ(page.alerts[0].event_type, "dns");
  EXPECT_EQ(page.alerts[0].severity, 4);
  EXPECT_THAT(page.alerts[0].threats, ElementsAre("c2_communication", "bad_tld"));
  EXPECT_EQ(page.alerts[0].event, R"({"query":"1"})");
  EXPECT_EQ(page.alerts[0].findings, R"("wisdom":{})");
}

TEST(AlertStore, FollowLeadsThroughAllPagesOnce) {
  AlertLimits limits;
  limits.page_alerts_max = 2;
  Store store(FreshPath("pages.db"), limits);
  store.Append({Alert(1), Alert(2), Alert(3)});
  AlertPage page = store.Page("");
  EXPECT_THAT(Ids(page), ElementsAre("id-1", "id-2"));
  EXPECT_TRUE(page.more);
  EXPECT_THAT(Ids(store.Page("")), ElementsAre("id-1", "id-2"));  // asking again changes nothing
  page = store.Page(page.follow);
  EXPECT_THAT(Ids(page), ElementsAre("id-3"));
  EXPECT_FALSE(page.more);
  const AlertPage empty = store.Page(page.follow);
  EXPECT_THAT(Ids(empty), IsEmpty());
  EXPECT_FALSE(empty.more);
  EXPECT_EQ(empty.follow, page.follow);
  store.Append({Alert(4)});
  EXPECT_THAT(Ids(store.Page(empty.follow)), ElementsAre("id-4"));
}

TEST(AlertStore, APageEndsAtItsByteLimitButHoldsOneAlert) {
  AlertLimits limits;
  limits.page_bytes_max = 1;
  Store store(FreshPath("page_bytes.db"), limits);
  store.Append({Alert(1), Alert(2)});
  AlertPage page = store.Page("");
  EXPECT_THAT(Ids(page), ElementsAre("id-1"));
  EXPECT_TRUE(page.more);
  page = store.Page(page.follow);
  EXPECT_THAT(Ids(page), ElementsAre("id-2"));
  EXPECT_FALSE(page.more);
}

TEST(AlertStore, SeverityLeavesOutWeakerOnes) {
  Store store(FreshPath("severity.db"));
  store.Append({Alert(1, 5), Alert(2, 1), Alert(3, 4)});
  EXPECT_THAT(Ids(store.Page("", 4)), ElementsAre("id-1", "id-3"));
}

TEST(AlertStore, ABookmarkOfAnotherDatabaseIsTheBeginning) {
  Store store(FreshPath("other.db"));
  store.Append({Alert(1)});
  Store earlier(FreshPath("earlier.db"));
  earlier.Append({Alert(7), Alert(8)});
  for (const std::string& follow :
       {earlier.Page("").follow, std::string("0"), std::string("6-8263d641"), std::string("1-"),
        std::string("nonsense"), store.Page("").follow + "0", store.Page("").follow + "x"}) {
    EXPECT_THAT(Ids(store.Page(follow)), ElementsAre("id-1")) << follow;
  }
}

TEST(AlertStore, BeyondTheLimitTheOldestGoAndNumbersAreNotUsedAgain) {
  const std::string path = FreshPath("limit.db");
  AlertLimits limits;
  limits.alerts_max = 2;
  std::string follow;
  {
    Store store(path, limits);
    EXPECT_EQ(store.Append({Alert(1), Alert(2)}), 0u);
    follow = store.Page("").follow;
    EXPECT_EQ(store.Append({Alert(3), Alert(4), Alert(5)}), 3u);
    EXPECT_THAT(Ids(store.Page("")), ElementsAre("id-4", "id-5"));
    EXPECT_EQ(*store.alerts->Count(), 2u);
  }
  limits.bytes_max = 0;
  Store store(path, limits);
  EXPECT_EQ(store.Append({}), 2u);
  EXPECT_THAT(Ids(store.Page(follow)), IsEmpty());
  limits.bytes_max = 1 << 20;
  Store again(path, limits);
  again.Append({Alert(6)});
  EXPECT_THAT(Ids(again.Page(follow)), ElementsAre("id-6"));
}

// What Append confirmed survives a kill at any moment, whole bodies at a time.
TEST(AlertStore, AKillLosesNothingThatWasConfirmed) {
  const std::string path = FreshPath("kill.db");
  int confirmed[2];
  ASSERT_EQ(pipe(confirmed), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    Store store(path);
    for (int body = 0;; ++body) {
      store.Append({Alert(2 * body), Alert(2 * body + 1)});
      if (write(confirmed[1], &body, sizeof(body)) != sizeof(body)) _exit(1);
    }
  }
  close(confirmed[1]);
  int body = -1;
  for (int last = -1; last < 50;) {
    ASSERT_EQ(read(confirmed[0], &last, sizeof(last)), static_cast<ssize_t>(sizeof(last)));
    body = last;
  }
  kill(child, SIGKILL);
  while (read(confirmed[0], &body, sizeof(body)) > 0) {
  }
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  Store store(path);
  const std::vector<std::string> ids = Ids(store.Page(""));
  ASSERT_GE(ids.size(), static_cast<size_t>(2 * (body + 1)));
  EXPECT_EQ(ids.size() % 2, 0u);
  for (size_t i = 0; i < ids.size(); ++i) EXPECT_EQ(ids[i], absl::StrCat("id-", i));
}

}  // namespace
}  // namespace nightjar::analytics_engine
