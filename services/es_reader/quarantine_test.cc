#include "services/es_reader/quarantine.h"

#include <cerrno>

#include "gtest/gtest.h"
#include "services/common/checkpoint/fake_file_system.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::es_reader {
namespace {

constexpr char kPath[] = "/state/quarantine.ndjson";

QuarantinedDocument Document(int64_t seq_no) {
  return {"index", "u/0/h", seq_no, "id\"1", "wrong_type", "source.port: \x01"};
}

class QuarantineTest : public testing::Test {
 protected:
  void SetUp() override { ASSERT_OK(files_.MakeFolder("/state")); }
  checkpoint::FakeFileSystem files_;
};

TEST_F(QuarantineTest, ADocumentIsKeptAsOneLineThatSurvivesALossOfPower) {
  auto quarantine = Quarantine::Open(files_, "/state");
  ASSERT_OK(quarantine);
  ASSERT_OK((*quarantine)->Add({Document(7)}));
  quarantine->reset();
  files_.LosePower(1);
  EXPECT_THAT(files_.Read(kPath),
              IsOkAndHolds("{\"index\":\"index\",\"epoch\":\"u/0/h\",\"seq_no\":7,\"id\":\"id\\\"1"
                           "\",\"reason\":\"wrong_type\",\"detail\":\"source.port: \\u0001\"}\n"));
}

TEST_F(QuarantineTest, AFullFileOnlyCountsAndSaysSo) {
  auto quarantine = Quarantine::Open(files_, "/state", /*bytes_max=*/150);
  ASSERT_OK(quarantine);
  ASSERT_OK((*quarantine)->Add({Document(1), Document(2)}));
  EXPECT_TRUE((*quarantine)->full());
  const std::string kept = files_.Read(kPath).value();
  EXPECT_THAT(kept, testing::HasSubstr("\"seq_no\":1"));
  EXPECT_THAT(kept, testing::Not(testing::HasSubstr("\"seq_no\":2")));
}

TEST_F(QuarantineTest, TheLimitCountsWhatAnEarlierLifeWrote) {
  ASSERT_OK((*Quarantine::Open(files_, "/state"))->Add({Document(1)}));
  auto quarantine = Quarantine::Open(files_, "/state", /*bytes_max=*/150);
  ASSERT_OK(quarantine);
  ASSERT_OK((*quarantine)->Add({Document(2)}));
  EXPECT_TRUE((*quarantine)->full());
}

TEST_F(QuarantineTest, AFailedWriteIsAnErrorAndTheNextLineStandsByItself) {
  auto quarantine = Quarantine::Open(files_, "/state");
  ASSERT_OK(quarantine);
  files_.FailOperation(1, ENOSPC);
  EXPECT_THAT((*quarantine)->Add({Document(1)}), StatusIs(absl::StatusCode::kResourceExhausted));
  ASSERT_OK((*quarantine)->Add({Document(1)}));
  EXPECT_THAT(files_.Read(kPath).value(), testing::HasSubstr("\n{\"index\":\"index\""));
}

TEST_F(QuarantineTest, HalfALineOfACrashIsEndedFirst) {
  {
    auto file = files_.OpenAppend(kPath, false);
    ASSERT_OK((*file)->Append("{\"ind"));
  }
  auto quarantine = Quarantine::Open(files_, "/state");
  ASSERT_OK(quarantine);
  ASSERT_OK((*quarantine)->Add({Document(1)}));
  EXPECT_THAT(files_.Read(kPath).value(), testing::StartsWith("{\"ind\n{\"index\""));
}

}  // namespace
}  // namespace nightjar::es_reader
