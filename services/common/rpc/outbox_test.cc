#include "services/common/rpc/outbox.h"

#include <memory>
#include <utility>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::rpc {
namespace {

using telemetry::v1::Nack;
using testing::ElementsAre;

void Give(Outbox& outbox, uint32_t batches) {
  telemetry::v1::Credit credit;
  credit.set_batches(batches);
  credit.set_bytes(batches << 20);
  outbox.AddCredit(credit);
}

void TakeOne(Outbox& outbox, Outbox::OnEnded on_ended = nullptr) {
  auto batch = std::make_unique<BatchMessage>();
  batch->batch().set_epoch("e");
  const size_t bytes = batch->batch().ByteSizeLong();
  ASSERT_TRUE(outbox.CanTake(bytes));
  outbox.Take(std::move(batch), bytes, std::move(on_ended));
}

// Ids of what would be written now.
std::vector<uint64_t> WriteAll(Outbox& outbox) {
  std::vector<uint64_t> ids;
  while (const auto request = outbox.Next()) ids.push_back(request->batch().id());
  return ids;
}

Nack NackOf(uint64_t id, Nack::Code code, uint32_t retry_after_ms = 0) {
  Nack nack;
  nack.set_id(id);
  nack.set_code(code);
  nack.set_retry_after_ms(retry_after_ms);
  nack.set_text("why");
  return nack;
}

TEST(Outbox, WhatIsTakenCostsItsEncodedSizeWithItsId) {
  Outbox outbox;
  EXPECT_FALSE(outbox.CanTake(3));
  Give(outbox, 2);
  TakeOne(outbox);
  const auto request = outbox.Next();
  ASSERT_NE(request, nullptr);
  EXPECT_EQ(outbox.credit().batches, 1);
  EXPECT_EQ(outbox.credit().bytes,
            (2 << 20) - static_cast<int64_t>(request->batch().ByteSizeLong()));
  EXPECT_EQ(outbox.Next(), nullptr) << "written once";
}

TEST(Outbox, AfterABreakWhatTheTakerLacksGoesFirstAndOnNewCredit) {
  Outbox outbox;
  Give(outbox, 3);
  for (int i = 0; i < 3; ++i) TakeOne(outbox);
  EXPECT_THAT(WriteAll(outbox), ElementsAre(1, 2, 3));
  outbox.Disconnect();
  telemetry::v1::Hello hello;
  outbox.FillHello(hello);
  EXPECT_THAT(hello.unacked(), ElementsAre(1, 2, 3));
  telemetry::v1::Have have;
  have.add_ids(2);
  EXPECT_EQ(outbox.Resume(have), 2u);
  EXPECT_EQ(outbox.Next(), nullptr) << "no credit yet";
  Give(outbox, 2);
  EXPECT_FALSE(outbox.CanTake(1)) << "nothing new before what is old";
  EXPECT_THAT(WriteAll(outbox), ElementsAre(1, 3));
  EXPECT_EQ(outbox.resent(), 2u);
}

TEST(Outbox, ABatchPutOffIsDueAfterTheWaitButNeverLaterThanFiveMinutes) {
  Outbox outbox;
  Give(outbox, 2);
  TakeOne(outbox);
  EXPECT_THAT(WriteAll(outbox), ElementsAre(1));
  Outbox::Ended ended;
  EXPECT_TRUE(outbox.TakeNack(NackOf(1, Nack::CODE_RETRY, 3'600'000), absl::Seconds(7), ended));
  EXPECT_TRUE(ended.empty());
  EXPECT_EQ(outbox.NextPutOff(), absl::Seconds(7 + 300));
  outbox.WakePutOff(absl::Seconds(306));
  EXPECT_FALSE(outbox.resending());
  outbox.WakePutOff(absl::Seconds(307));
  EXPECT_THAT(WriteAll(outbox), ElementsAre(1));
  EXPECT_EQ(outbox.NextPutOff(), absl::InfiniteDuration());
}

TEST(Outbox, EndedBatchesAreToldOnceAndUnknownOnesAreNot) {
  Outbox outbox;
  Give(outbox, 3);
  std::vector<absl::Status> told;
  const auto tell = [&](BatchResult result) { told.push_back(std::move(result.status)); };
  for (int i = 0; i < 3; ++i) TakeOne(outbox, tell);
  telemetry::v1::Ack ack;
  ack.add_ended()->set_id(1);
  ack.add_ended()->set_id(1);
  ack.add_ended()->set_id(99);
  Outbox::Ended ended;
  outbox.TakeAck(ack, ended);
  EXPECT_FALSE(outbox.TakeNack(NackOf(2, Nack::CODE_FENCED), absl::ZeroDuration(), ended));
  EXPECT_FALSE(outbox.TakeNack(NackOf(3, Nack::CODE_INVALID), absl::ZeroDuration(), ended));
  EXPECT_FALSE(outbox.TakeNack(NackOf(98, Nack::CODE_RETRY), absl::ZeroDuration(), ended));
  for (auto& [on_ended, result] : ended) on_ended(std::move(result));
  ASSERT_EQ(told.size(), 3u);
  EXPECT_OK(told[0]);
  EXPECT_THAT(told[1], StatusIs(absl::StatusCode::kAborted, "why"));
  EXPECT_THAT(told[2], StatusIs(absl::StatusCode::kInvalidArgument, "why"));
  EXPECT_TRUE(outbox.empty());
  EXPECT_EQ(outbox.Next(), nullptr) << "what has ended is not written any more";
}

}  // namespace
}  // namespace nightjar::rpc
