#include "services/es_reader/page_builder.h"

#include <string>

#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::es_reader {
namespace {

using testing::ElementsAre;
using testing::Pair;
using testing::SizeIs;

const absl::Time kStart = absl::FromUnixSeconds(1'800'000'000);

PageContext Context() {
  PageContext context;
  context.index = "index";
  context.epoch = "u/0/h";
  context.fencing_token = 3;
  context.window_from = -1;
  context.window_to = 9999;
  return context;
}

void Add(PageBuilder& builder, int64_t seq_no, DecodeOutcome outcome = {}, size_t bytes = 10,
         absl::Time time = kStart) {
  telemetry::v1::Event* event = builder.NewEvent();
  event->set_seq_no(seq_no);
  event->set_document_id("id" + std::to_string(seq_no));
  event->set_time_unix_nano(absl::ToUnixNanos(time));
  event->mutable_dns()->set_query(std::string(bytes, 'x'));
  builder.Done(event, std::move(outcome));
}

TEST(PageBuilderTest, AnEmptyPageHasNoBatch) {
  PageBuilder builder(Context());
  EXPECT_THAT(builder.Finish().batches, SizeIs(0));
}

TEST(PageBuilderTest, EventsGoIntoABatchThatSaysWhereTheyAreFrom) {
  PageBuilder builder(Context());
  Add(builder, 4);
  Add(builder, 5);
  const Page page = builder.Finish();
  ASSERT_THAT(page.batches, SizeIs(1));
  const telemetry::v1::Batch& batch = page.batches[0]->batch();
  EXPECT_EQ(batch.index(), "index");
  EXPECT_EQ(batch.epoch(), "u/0/h");
  EXPECT_EQ(batch.fencing_token(), 3u);
  EXPECT_EQ(batch.window_from(), -1);
  EXPECT_EQ(batch.window_to(), 9999);
  EXPECT_EQ(batch.identity(), telemetry::v1::IDENTITY_SEQ_NO);
  ASSERT_EQ(batch.events_size(), 2);
  EXPECT_EQ(batch.events(1).seq_no(), 5u);
  EXPECT_THAT(page.seq_nos, ElementsAre(4, 5));
  EXPECT_THAT(page.read, ElementsAre(Pair("dns", 2)));
}

TEST(PageBuilderTest, BatchesAreSplitByCount) {
  PageBuilder builder(Context());
  for (int i = 0; i < 2500; ++i) Add(builder, i);
  const Page page = builder.Finish();
  ASSERT_THAT(page.batches, SizeIs(3));
  EXPECT_EQ(page.batches[0]->batch().events_size(), 1000);
  EXPECT_EQ(page.batches[2]->batch().events_size(), 500);
}

TEST(PageBuilderTest, BatchesAreSplitByBytesAndNoEventIsLostOrReordered) {
  PageBuilder builder(Context());
  for (int i = 0; i < 100; ++i) Add(builder, i, {}, 30'000);
  const Page page = builder.Finish();
  uint64_t next = 0;
  for (const rpc::BatchPtr& message : page.batches) {
    EXPECT_LE(message->batch().ByteSizeLong(), rpc::kBatchBytesMax);
    for (const auto& event : message->batch().events()) EXPECT_EQ(event.seq_no(), next++);
  }
  EXPECT_EQ(next, 100u);
}

TEST(PageBuilderTest, WhatCannotBeSentIsAccountedForByReasonAndType) {
  PageBuilder builder(Context());
  Add(builder, 1, {DecodeOutcome::Kind::kQuarantined, "wrong_type", "source.port: x"});
  Add(builder, 2);
  Add(builder, 3, {DecodeOutcome::Kind::kFiltered, "must_have_field", ""});
  const Page page = builder.Finish();
  ASSERT_THAT(page.batches, SizeIs(1));
  ASSERT_EQ(page.batches[0]->batch().events_size(), 1);
  EXPECT_EQ(page.batches[0]->batch().events(0).seq_no(), 2u);
  EXPECT_EQ(page.ended_here, 2u);
  EXPECT_THAT(page.quarantined_counts, ElementsAre(Pair(Pair("wrong_type", "dns"), 1)));
  EXPECT_THAT(page.filtered_counts, ElementsAre(Pair(Pair("must_have_field", "dns"), 1)));
  ASSERT_THAT(page.quarantined, SizeIs(1));
  EXPECT_EQ(page.quarantined[0].id, "id1");
  EXPECT_EQ(page.quarantined[0].seq_no, 1);
  EXPECT_EQ(page.quarantined[0].detail, "source.port: x");
}

TEST(PageBuilderTest, APageOfNothingButBadDocumentsHasNoBatch) {
  PageBuilder builder(Context());
  Add(builder, 1, {DecodeOutcome::Kind::kQuarantined, "wrong_type", ""});
  EXPECT_THAT(builder.Finish().batches, SizeIs(0));
}

TEST(PageBuilderTest, OldDocumentsAreFilteredOnlyUpToTheFirstCheckpoint) {
  PageContext context = Context();
  context.first_checkpoint = 10;
  context.start = kStart;
  PageBuilder builder(context);
  const absl::Time old = kStart - absl::Seconds(1);
  Add(builder, 10, {}, 10, old);
  Add(builder, 9, {}, 10, kStart);
  Add(builder, 11, {}, 10, old);
  Add(builder, 8, {}, 10, absl::UnixEpoch());  // no time
  const Page page = builder.Finish();
  EXPECT_THAT(page.filtered_counts, ElementsAre(Pair(Pair("before_start", "dns"), 1)));
  ASSERT_EQ(page.batches[0]->batch().events_size(), 3);
  EXPECT_EQ(page.batches[0]->batch().events(0).seq_no(), 9u);
}

}  // namespace
}  // namespace nightjar::es_reader
