#include "services/ae_forwarder/quarantine.h"

#include <cerrno>
#include <string>
#include <vector>

#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::ae_forwarder {
namespace {

using checkpoint::FakeFileSystem;
using testing::ElementsAre;
using testing::EndsWith;
using testing::HasSubstr;

constexpr char kPath[] = "/q/quarantine.ndjson";

QuarantinedEvent Event(absl::string_view line) {
  return {absl::UnixEpoch(), "dns", "uuid/0/h", "packetbeat-1", 7, "malformed \"x\"", line};
}

TEST(Quarantine, KeepsTheBytesAndWhereTheyCameFrom) {
  FakeFileSystem files;
  auto quarantine = Quarantine::Open(files, "/q", 1000);
  ASSERT_OK(quarantine);
  size_t kept = 0;
  ASSERT_OK((*quarantine)->Add({Event("{\"query\":\"a\"}\n")}, &kept));
  EXPECT_EQ(kept, 1u);
  files.LosePower(3);
  const std::string expected =
      R"({"time":"1970-01-01T00:00:00Z","type":"dns","reason":"engine_refused",)"
      R"("problem":"malformed \"x\"","epoch":"uuid/0/h","index":"packetbeat-1","seqNo":7,)"
      R"("event":"{\"query\":\"a\"}\n"})"
      "\n";
  EXPECT_THAT(files.Read(kPath), IsOkAndHolds(expected));
  EXPECT_EQ((*quarantine)->bytes(), expected.size());
}

TEST(Quarantine, WhatDoesNotFitIsNotKeptAlsoAfterARestart) {
  FakeFileSystem files;
  const std::vector<QuarantinedEvent> events(3, Event("{}"));
  size_t kept = 0;
  ASSERT_OK((*Quarantine::Open(files, "/q", 400))->Add(events, &kept));
  EXPECT_EQ(kept, 2u);
  EXPECT_LE(files.Read(kPath)->size(), 400u);
  ASSERT_OK((*Quarantine::Open(files, "/q", 400))->Add(events, &kept));
  EXPECT_EQ(kept, 0u);
}

TEST(Quarantine, AfterAFullDiskTheNextLineStandsOnItsOwn) {
  FakeFileSystem files;
  auto quarantine = Quarantine::Open(files, "/q", 1 << 20);
  size_t kept = 0;
  ASSERT_OK((*quarantine)->Add({Event("one")}, &kept));
  files.FailOperation(1, ENOSPC);  // leaves half a line
  EXPECT_THAT((*quarantine)->Add({Event("two")}, &kept),
              StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_OK((*quarantine)->Add({Event("two")}, &kept));
  EXPECT_EQ(kept, 1u);
  const auto content = files.Read(kPath);
  const std::vector<std::string> lines = absl::StrSplit(*content, '\n');
  EXPECT_THAT(lines, ElementsAre(EndsWith(R"("event":"one"})"), HasSubstr("time"),
                                 EndsWith(R"("event":"two"})"), ""));
}

}  // namespace
}  // namespace nightjar::ae_forwarder
