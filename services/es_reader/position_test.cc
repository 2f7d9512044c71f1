#include "services/es_reader/position.h"

#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

using testing::HasSubstr;

Position Example() {
  Position position;
  position.first_start = absl::FromUnixMillis(1'800'000'000'123);
  position.start = {StartPolicy::Kind::kSince, absl::FromUnixMillis(1'799'900'000'000)};
  ShardPosition& shard = position.shards["uuid/0/history"];
  shard.index = "packetbeat-7.17.29-\"2026\\";
  shard.first_checkpoint = 41;
  shard.last_seen = absl::FromUnixMillis(1'800'000'001'000);
  shard.closed.Add(-1, 99);
  shard.closed.Add(199, 205);
  position.shards["uuid/1/history"].index = "other";
  return position;
}

TEST(PositionTest, WhatIsWrittenIsRead) {
  const Position position = Example();
  const absl::StatusOr<Position> read = DecodePosition(EncodePosition(position));
  ASSERT_OK(read);
  EXPECT_EQ(read->first_start, position.first_start);
  EXPECT_EQ(read->start.kind, position.start.kind);
  EXPECT_EQ(read->start.since, position.start.since);
  ASSERT_EQ(read->shards.size(), 2u);
  const ShardPosition& shard = read->shards.at("uuid/0/history");
  EXPECT_EQ(shard.index, "packetbeat-7.17.29-\"2026\\");
  EXPECT_EQ(shard.first_checkpoint, 41);
  EXPECT_EQ(shard.last_seen, absl::FromUnixMillis(1'800'000'001'000));
  EXPECT_TRUE(shard.closed == position.shards.at("uuid/0/history").closed);
  EXPECT_EQ(shard.reached(), 99);
  EXPECT_EQ(read->shards.at("uuid/1/history").reached(), -1);
}

TEST(PositionTest, AnIntervalThatDoesNotBeginAtTheBeginningReachesNothing) {
  ShardPosition shard;
  shard.closed.Add(9, 20);
  EXPECT_EQ(shard.reached(), -1);
}

TEST(PositionTest, OddContentIsRefusedAndSaysWhy) {
  const std::string good = EncodePosition(Example());
  const struct {
    const char* from;
    const char* to;
    const char* problem;
  } kCases[] = {
      {"{\"format\":1", "{\"format\":2", "format 2, made by a newer Nightjar; this one knows 1"},
      {"{\"format\":1", "{\"format\":0", "format 0 is not 1"},
      {"{\"format\":1,", "{\"format\":1,\"x\":0,", "unknown or missing fields"},
      {"\"start\":\"since\"", "\"start\":\"sometime\"", "unknown policy sometime"},
      {"[-1,99]", "[-2,99]", "out of order"},
      {"[-1,99],[199,205]", "[199,205],[-1,99]", "out of order"},
      {"[-1,99]", "[-1,199]", "out of order"},
      {"[-1,99]", "[99,99]", "out of order"},
      {"[-1,99]", "[-1]", "not a pair"},
      {"[-1,99]", "[-1,9.5]", "not a pair"},
      {"\"first_checkpoint\":41", "\"first_checkpoint\":\"41\"", "first_checkpoint"},
      {"\"first_checkpoint\":41", "\"first_checkpoint\":-2", "below -1"},
      {"uuid/1/history", "uuid/0/history", "stands twice"},
      {"\"index\":\"other\"", "\"index\":\"\"", "empty epoch or index"},
      {"]}\n", "]", "not JSON"},
  };
  for (const auto& test : kCases) {
    SCOPED_TRACE(test.to);
    std::string bad = good;
    const size_t at = bad.rfind(test.from);
    ASSERT_NE(at, std::string::npos);
    bad.replace(at, std::string(test.from).size(), test.to);
    EXPECT_THAT(DecodePosition(bad),
                StatusIs(absl::StatusCode::kDataLoss, HasSubstr(test.problem)));
  }
}

TEST(PositionTest, AFolderWithoutStateIsAFirstStart) {
  checkpoint::FakeFileSystem files;
  ASSERT_OK(files.MakeFolder("/state"));
  checkpoint::Checkpoint checkpoint(files, "/state");
  const auto position = LoadPosition(checkpoint, "/state");
  ASSERT_OK(position);
  EXPECT_FALSE(position->has_value());
}

TEST(PositionTest, AnUnreadableStateIsAnExitAndNeverAFirstStart) {
  checkpoint::FakeFileSystem files;
  ASSERT_OK(files.MakeFolder("/state"));
  {
    checkpoint::Checkpoint checkpoint(files, "/state");
    ASSERT_OK(checkpoint.Load());
    ASSERT_OK(checkpoint.Save("{\"format\":1}"));  // whole as a file, no position
  }
  checkpoint::Checkpoint checkpoint(files, "/state");
  const auto position = LoadPosition(checkpoint, "/state");
  EXPECT_THAT(position, StatusIs(absl::StatusCode::kInvalidArgument,
                                 HasSubstr("move the folder away to start as on the first day")));
  EXPECT_EQ(ExitStatus(position.status()), kExitConfig);
}

}  // namespace
}  // namespace nightjar::es_reader
