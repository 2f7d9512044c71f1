#include "services/es_reader/start_policy.h"

#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

const absl::Time kNow = absl::FromUnixSeconds(1'800'000'000);

void Write(checkpoint::FileSystem& files, const std::string& path, const std::string& text) {
  auto file = files.OpenAppend(path, /*truncate=*/true);
  ASSERT_OK(file);
  ASSERT_OK((*file)->Append(text));
}

TEST(StartPolicyTest, EarliestLatestADurationAndATimeAreUnderstood) {
  EXPECT_EQ(ResolveStart("earliest", kNow)->kind, StartPolicy::Kind::kEarliest);
  EXPECT_EQ(ResolveStart("latest", kNow)->kind, StartPolicy::Kind::kLatest);
  EXPECT_EQ(ResolveStart("24h", kNow)->since, kNow - absl::Hours(24));
  EXPECT_EQ(ResolveStart("2026-11-24T12:00:00Z", kNow)->since,
            absl::FromCivil(absl::CivilHour(2026, 11, 24, 12), absl::UTCTimeZone()));
}

TEST(StartPolicyTest, AnythingElseIsRefusedWithWhatIsAllowed) {
  for (const char* setting : {"", "yesterday", "-1h", "inf"}) {
    const auto start = ResolveStart(setting, kNow);
    EXPECT_THAT(start, StatusIs(absl::StatusCode::kInvalidArgument,
                                testing::HasSubstr("not earliest, latest, a duration")));
    EXPECT_EQ(ExitStatus(start.status()), kExitConfig);
  }
}

TEST(StartPolicyTest, NfrsEarliestBookmarkLessFiveMinutesIsTaken) {
  checkpoint::FakeFileSystem files;
  ASSERT_OK(files.MakeFolder("/nfr"));
  Write(files, "/nfr/elastic-1a", "2026-11-24T12:00:00.5Z\n");
  Write(files, "/nfr/elastic-2b", "2026-11-24T11:00:00Z");
  Write(files, "/nfr/elastic-2b-search", "{}");
  Write(files, "/nfr/elastic-3c", "not a time");
  Write(files, "/nfr/other", "2020-01-01T00:00:00Z");
  EXPECT_EQ(NfrBookmark(files, "/nfr"),
            absl::FromCivil(absl::CivilMinute(2026, 11, 24, 10, 55), absl::UTCTimeZone()));
}

TEST(StartPolicyTest, WithoutBookmarksThereIsNothingToImport) {
  checkpoint::FakeFileSystem files;
  EXPECT_EQ(NfrBookmark(files, "/nowhere"), std::nullopt);
}

}  // namespace
}  // namespace nightjar::es_reader
