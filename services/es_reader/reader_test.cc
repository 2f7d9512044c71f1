#include "services/es_reader/reader.h"

#include <cstdlib>
#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/checkpoint/checkpoint.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"
#include "services/es_reader/position.h"
#include "services/es_reader/reader_testing.h"
#include "tests/fakes/fake_elasticsearch.h"

namespace nightjar::es_reader {
namespace {

using fakes::ElasticFault;
using telemetry::v1::OUTCOME_ACCEPTED;
using telemetry::v1::OUTCOME_FILTERED;
using telemetry::v1::OUTCOME_QUARANTINED;
using testing::AllOf;
using testing::Each;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

constexpr char kIndex[] = "packetbeat-7";

class ReaderTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/reader.XXXXXX";
    ASSERT_NE(mkdtemp(pattern.data()), nullptr);
    folder_ = pattern;
    server_ = std::make_unique<rpc::LoopbackTaker>(taker_, SystemClock());
  }

  std::unique_ptr<ReaderLife> Begin(const std::function<void(ReaderOptions&)>& change = {}) {
    auto life = std::make_unique<ReaderLife>(elastic_.url(), server_->address(), folder_, change);
    EXPECT_OK(life->Start());
    return life;
  }

  // Documents id<first> .. id<first + count - 1>.
  void Write(int first, int count, const std::string& index = kIndex, int shard = 0) {
    for (int i = first; i < first + count; ++i) {
      elastic_.Index(index, absl::StrCat("id", i), DnsDocument(), shard);
    }
  }

  fakes::FakeElasticsearch elastic_;
  RecordingTaker taker_;
  std::unique_ptr<rpc::LoopbackTaker> server_;
  std::string folder_;
};

TEST_F(ReaderTest, EveryDocumentOfEveryIndexAndShardArrivesOnce) {
  elastic_.CreateIndex(kIndex, 3);
  elastic_.CreateIndex("packetbeat-8");
  elastic_.CreateIndex("something-else");
  Write(0, 2500, kIndex, 0);
  Write(2500, 10, kIndex, 1);
  Write(2510, 500, "packetbeat-8");
  Write(9000, 5, "something-else");
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDocuments(3010));
  Write(3010, 40, kIndex, 2);
  ASSERT_TRUE(taker_.WaitForDocuments(3050));
  ASSERT_TRUE(taker_.WaitForDurable("packetbeat-8", 499));
  ASSERT_TRUE(life->WaitForEnded(OUTCOME_ACCEPTED, "", 3050));
  EXPECT_THAT(taker_.documents(), SizeIs(3050));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
  EXPECT_THAT(taker_.fencing_tokens(), Each(7u));
  EXPECT_TRUE(life->WaitForReason(""));
  EXPECT_THAT(elastic_.stats().unknown_requests, SizeIs(0));
}

TEST_F(ReaderTest, APasswordThatChangesMeanwhileLosesNothing) {
  fakes::FakeElasticsearch guarded({"elastic", "old"});
  guarded.CreateIndex(kIndex);
  const auto write = [&](int first, int count) {
    for (int i = first; i < first + count; ++i) {
      guarded.Index(kIndex, absl::StrCat("id", i), DnsDocument());
    }
  };
  config::ElasticConfig login;
  login.username = "elastic";
  login.password = config::Secret("old");
  write(0, 1000);
  ReaderLife life(guarded.url(), server_->address(), folder_, [&](ReaderOptions& options) {
    options.elastic.endpoint.authorization = Authorization(login);
  });
  ASSERT_OK(life.Start());
  ASSERT_TRUE(taker_.WaitForDocuments(1000));
  guarded.SetPassword("new");
  write(1000, 1000);
  ASSERT_TRUE(life.WaitForReason("401"));
  login.password = config::Secret("new");
  life.reader().SetAuthorization(Authorization(login));
  ASSERT_TRUE(taker_.WaitForDocuments(2000));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
  EXPECT_TRUE(life.WaitForReason(""));
}

TEST_F(ReaderTest, DocumentsThatBecomeVisibleLateArriveOnceAndThePositionWaitsForThem) {
  elastic_.CreateIndex(kIndex, 1, /*refresh_at_once=*/false);
  Write(0, 300);
  elastic_.Refresh(kIndex);
  Write(300, 300);  // written and not visible: the reader asks for a refresh itself
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDocuments(600));
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 599));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
  EXPECT_GE(elastic_.stats().refreshes, 1u);
}

TEST_F(ReaderTest, UpdatesAndDeletesLeaveHolesThatThePositionPasses) {
  elastic_.CreateIndex(kIndex, 1, /*refresh_at_once=*/false);
  Write(0, 50);
  Write(10, 5);  // new versions: their old numbers are holes
  elastic_.Delete(kIndex, "id20");
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 55));
  EXPECT_THAT(taker_.documents(), SizeIs(49));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
}

TEST_F(ReaderTest, ARestartReadsOnlyWhatThePositionDoesNotHold) {
  elastic_.CreateIndex(kIndex);
  Write(0, 1500);
  auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 1499));
  life->Stop();
  life.reset();
  Write(1500, 100);
  life = Begin();
  ASSERT_TRUE(taker_.WaitForDocuments(1600));
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 1599));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
}

TEST_F(ReaderTest, WhatHadNotEndedIsReadAgainAfterARestart) {
  elastic_.CreateIndex(kIndex);
  Write(0, 100);
  taker_.SetAnswer(RecordingTaker::Answer::kHold);
  auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDocuments(100));
  life.reset();  // as a kill: nothing has ended
  taker_.SetAnswer(RecordingTaker::Answer::kAccept);
  life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 99));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 2)));
}

TEST_F(ReaderTest, ADocumentThatCannotBeReadCostsOnlyItself) {
  elastic_.CreateIndex(kIndex);
  Write(0, 10);
  elastic_.Index(kIndex, "bad",
                 R"({"@timestamp":"2026-11-24T12:00:00Z","type":"dns",)"
                 R"("source":{"ip":"not an address"},)"
                 R"("dns":{"question":{"name":"x.example"}}})");
  Write(10, 10);
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 20));
  EXPECT_THAT(taker_.documents(), SizeIs(20));
  EXPECT_TRUE(life->WaitForEnded(OUTCOME_ACCEPTED, "", 20));
  EXPECT_THAT(checkpoint::LocalFileSystem().Read(folder_ + "/quarantine.ndjson").value(),
              HasSubstr(R"("seq_no":10,"id":"bad","reason":)"));
}

TEST_F(ReaderTest, ARefusedBatchIsQuarantinedAndReadingGoesOn) {
  elastic_.CreateIndex(kIndex);
  Write(0, 10);
  taker_.SetAnswer(RecordingTaker::Answer::kInvalid);
  const auto life = Begin();
  ASSERT_TRUE(life->WaitForEnded(OUTCOME_QUARANTINED, "batch_refused", 10));
  taker_.SetAnswer(RecordingTaker::Answer::kAccept);
  Write(10, 10);
  ASSERT_TRUE(life->WaitForEnded(OUTCOME_ACCEPTED, "", 10));
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 19));
  EXPECT_THAT(checkpoint::LocalFileSystem().Read(folder_ + "/quarantine.ndjson").value(),
              HasSubstr(R"("reason":"batch_refused","detail":"not wanted")"));
}

TEST_F(ReaderTest, AFencedReaderAsksToBeStoppedWithExitCode75) {
  elastic_.CreateIndex(kIndex);
  Write(0, 10);
  taker_.SetAnswer(RecordingTaker::Answer::kFenced);
  const auto life = Begin();
  ASSERT_TRUE(life->WaitForStopRequest());
  EXPECT_EQ(ExitStatus(life->stop_status()), kExitFenced);
}

TEST_F(ReaderTest, AnswersThatAreNotWholeAreNeverTakenForEmpty) {
  const ElasticFault::Kind kKinds[] = {ElasticFault::Kind::kStatus, ElasticFault::Kind::kReset,
                                       ElasticFault::Kind::kTimedOut,
                                       ElasticFault::Kind::kPartialShards};
  int documents = 0;
  elastic_.CreateIndex(kIndex);
  const auto life = Begin();
  for (const ElasticFault::Kind kind : kKinds) {
    ElasticFault fault;
    fault.kind = kind;
    elastic_.SetFault("_search", fault, 2);
    Write(documents, 1200);
    documents += 1200;
    ASSERT_TRUE(taker_.WaitForDocuments(documents));
  }
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, documents - 1));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
}

TEST_F(ReaderTest, ABusyServerIsAskedForLessAndNothingIsLost) {
  ElasticFault busy;
  busy.status = 429;
  busy.body =
      R"({"error":{"type":"es_rejected_execution_exception","reason":"queue"},"status":429})";
  elastic_.SetFault("_search", busy, 2);
  elastic_.CreateIndex(kIndex);
  Write(0, 2500);
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 2499));
  EXPECT_THAT(taker_.documents(), Each(Pair(testing::_, 1)));
  EXPECT_THAT(life->metrics().Render(),
              AllOf(HasSubstr("nightjar_reader_searches_total{result=\"push_back\"}"),
                    HasSubstr("nightjar_reader_batch_seconds_count "),
                    HasSubstr("nightjar_reader_sensor_last_seen_timestamp_seconds{sensor=\"")));
}

TEST_F(ReaderTest, AnOutageIsOneConditionThatEnds) {
  elastic_.CreateIndex(kIndex);
  const auto life = Begin();
  Write(0, 10);
  ASSERT_TRUE(taker_.WaitForDocuments(10));
  elastic_.SetFault("/", ElasticFault{});
  ASSERT_TRUE(life->WaitForReason("503"));
  Write(10, 10);
  elastic_.ClearFaults();
  ASSERT_TRUE(life->WaitForReason(""));
  ASSERT_TRUE(taker_.WaitForDocuments(20));
}

TEST_F(ReaderTest, AnIndexThatDoesNotExistYetIsWaitedFor) {
  const auto life = Begin();
  ASSERT_TRUE(life->WaitForReason("packetbeat-*"));
  elastic_.CreateIndex(kIndex);
  Write(0, 10);
  // The list of indices is read every 10 s.
  ASSERT_TRUE(taker_.WaitForDocuments(10));
  EXPECT_TRUE(life->WaitForReason(""));
}

TEST_F(ReaderTest, AClosedIndexDoesNotStopTheOthers) {
  elastic_.CreateIndex(kIndex);
  elastic_.CreateIndex("packetbeat-8");
  Write(0, 10);
  elastic_.CloseIndex(kIndex, true);
  Write(10, 10, "packetbeat-8");
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable("packetbeat-8", 9));
  EXPECT_TRUE(life->WaitForReason("index packetbeat-7 is closed"));
  EXPECT_THAT(taker_.documents(), SizeIs(10));
}

TEST_F(ReaderTest, TheStartPolicyLeavesOutOldDocumentsByNumberAndLaterOnesAlwaysCount) {
  elastic_.CreateIndex(kIndex);
  const std::string kOld = "2020-01-01T00:00:00Z";
  const std::string kNew = "2026-11-24T12:00:00Z";
  for (int i = 0; i < 5; ++i) elastic_.Index(kIndex, absl::StrCat("old", i), DnsDocument(kOld));
  elastic_.Index(kIndex, "new0", DnsDocument(kNew));
  elastic_.Index(kIndex, "old5", DnsDocument(kOld));  // among new ones: read and filtered
  elastic_.Index(kIndex, "new1", DnsDocument(kNew));
  const auto life = Begin([](ReaderOptions& options) { options.start = "2026-01-01T00:00:00Z"; });
  ASSERT_TRUE(taker_.WaitForDocuments(2));
  ASSERT_TRUE(life->WaitForEnded(OUTCOME_FILTERED, "before_start", 1));
  elastic_.Index(kIndex, "late", DnsDocument(kOld));
  ASSERT_TRUE(taker_.WaitForDocuments(3));
  EXPECT_EQ(taker_.documents().count("late"), 1u);
  EXPECT_TRUE(taker_.WaitForDurable(kIndex, 8));
}

TEST_F(ReaderTest, LatestReadsOnlyWhatComesAfterTheFirstStart) {
  elastic_.CreateIndex(kIndex);
  Write(0, 10);
  const auto life = Begin([](ReaderOptions& options) { options.start = "latest"; });
  ASSERT_TRUE(life->WaitForReason(""));
  ASSERT_TRUE(life->WaitUntil([&] { return life->monitor().Status().lag_size() > 0; }));
  Write(10, 3);
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 12));
  EXPECT_THAT(taker_.documents(), SizeIs(3));
}

TEST_F(ReaderTest, AnotherHistoryIsReadFromItsBeginning) {
  elastic_.CreateIndex(kIndex);
  Write(0, 20);
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 19));
  elastic_.NewHistory(kIndex);
  Write(20, 1);
  ASSERT_TRUE(taker_.WaitForDocuments(21));
  ASSERT_TRUE(taker_.WaitForDurable(kIndex, 20));
  EXPECT_EQ(taker_.documents()["id0"], 2);
  EXPECT_EQ(taker_.documents()["id20"], 1);
}

TEST_F(ReaderTest, AShardWithoutAPrimaryIsWaitedForWhileOthersAreRead) {
  elastic_.CreateIndex(kIndex, 2);
  Write(0, 10, kIndex, 0);
  Write(10, 10, kIndex, 1);
  elastic_.SetShardAvailable(kIndex, 0, false);
  const auto life = Begin();
  ASSERT_TRUE(taker_.WaitForDocuments(10));
  EXPECT_EQ(taker_.documents().count("id0"), 0u);
  elastic_.SetShardAvailable(kIndex, 0, true);
  ASSERT_TRUE(taker_.WaitForDocuments(20));
}

TEST_F(ReaderTest, APauseHoldsReadingAndLosesNothing) {
  elastic_.CreateIndex(kIndex);
  const auto life = Begin();
  life->monitor().Pause("test");
  const uint64_t before = elastic_.stats().stats_requests;
  Write(0, 10);
  // By then the reader has seen the documents.
  ASSERT_TRUE(life->WaitUntil([&] { return elastic_.stats().stats_requests >= before + 3; }));
  EXPECT_THAT(taker_.documents(), SizeIs(0));
  life->monitor().Resume();
  EXPECT_TRUE(taker_.WaitForDocuments(10));
}

TEST_F(ReaderTest, AnUnreadablePositionIsRefused) {
  auto file = checkpoint::LocalFileSystem().OpenAppend(folder_ + "/state.json", true);
  ASSERT_OK((*file)->Append("{}"));
  ReaderLife life(elastic_.url(), server_->address(), folder_);
  EXPECT_EQ(ExitStatus(life.Start()), kExitConfig);
}

}  // namespace
}  // namespace nightjar::es_reader
