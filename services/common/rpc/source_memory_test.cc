#include "services/common/rpc/source_memory.h"

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using testing::ElementsAre;
using Arrival = SourceMemory::Arrival;

TEST(SourceMemory, ABatchThatWasNotTakenMayArriveAgain) {
  SourceMemory memory;
  EXPECT_EQ(memory.Arrive(1), Arrival::kNew);
  memory.Retry(1);
  EXPECT_EQ(memory.Arrive(1), Arrival::kNew);
  memory.End(1, {});
  EXPECT_EQ(memory.Arrive(1), Arrival::kEnded);
}

TEST(SourceMemory, ResumeKeepsWhatRunsOrEndedAndForgetsWhatWasAcked) {
  SourceMemory memory;
  for (uint64_t id : {1, 2, 3}) memory.Arrive(id);
  memory.End(1, {});
  memory.End(2, {absl::InvalidArgumentError("no epoch"), {}});
  EXPECT_THAT(memory.Resume({2, 3, 4}), ElementsAre(2, 3));
  EXPECT_EQ(memory.Result(1), nullptr);
  ASSERT_NE(memory.Result(2), nullptr);
  EXPECT_THAT(memory.Result(2)->status, StatusIs(absl::StatusCode::kInvalidArgument));
  EXPECT_EQ(memory.Arrive(2), Arrival::kEnded);
  EXPECT_EQ(memory.Arrive(3), Arrival::kRunning);
  EXPECT_EQ(memory.Arrive(4), Arrival::kNew);
}

TEST(SourceMemory, OnlyTheLatestEndedBatchesAreRemembered) {
  SourceMemory memory;
  for (uint64_t id = 1; id <= kEndedRememberedMax + 1; ++id) {
    memory.Arrive(id);
    memory.End(id, {});
  }
  EXPECT_EQ(memory.Result(1), nullptr);
  EXPECT_NE(memory.Result(2), nullptr);
}

}  // namespace
}  // namespace nightjar::rpc
