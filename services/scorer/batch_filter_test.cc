#include "services/scorer/batch_filter.h"

#include <string>

#include "absl/strings/str_cat.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"

namespace nightjar::scorer {
namespace {

using telemetry::v1::Batch;
using testing::ElementsAre;
using testing::IsEmpty;

// dns, ip, dns, ip ... numbered from 0.
Batch MakeBatch(int events) {
  Batch batch;
  for (int i = 0; i < events; ++i) {
    auto* event = batch.add_events();
    event->set_seq_no(i);
    if (i % 2 == 0) {
      event->mutable_dns();
    } else {
      event->mutable_ip();
    }
  }
  return batch;
}

std::vector<uint64_t> Numbers(const Batch& batch) {
  std::vector<uint64_t> numbers;
  for (const auto& event : batch.events()) numbers.push_back(event.seq_no());
  return numbers;
}

std::vector<std::string> Texts(const std::vector<telemetry::v1::OutcomeCount>& counts) {
  std::vector<std::string> texts;
  for (const auto& count : counts)
    texts.push_back(absl::StrCat(count.reason(), " ", count.type(), " ", count.count()));
  return texts;
}

TEST(BatchFilterTest, RemovesInPlaceAndKeepsTheOrder) {
  Batch batch = MakeBatch(6);
  const auto counts = RemoveFiltered({"x", "", "x", "y", "", ""}, &batch);
  EXPECT_THAT(Numbers(batch), ElementsAre(1, 4, 5));
  EXPECT_THAT(Texts(counts), ElementsAre("x dns 2", "y ip 1"));
  for (const auto& count : counts) EXPECT_EQ(count.outcome(), telemetry::v1::OUTCOME_FILTERED);
}

TEST(BatchFilterTest, MayRemoveEverythingOrNothing) {
  Batch batch = MakeBatch(3);
  EXPECT_THAT(RemoveFiltered({"", "", ""}, &batch), IsEmpty());
  EXPECT_THAT(Numbers(batch), ElementsAre(0, 1, 2));
  EXPECT_THAT(Texts(RemoveFiltered({"x", "x", "x"}, &batch)), ElementsAre("x dns 2", "x ip 1"));
  EXPECT_THAT(Numbers(batch), IsEmpty());
  EXPECT_THAT(RemoveFiltered({}, &batch), IsEmpty());
}

TEST(BatchFilterTest, CountsByType) {
  const auto counts = CountByType(MakeBatch(5), telemetry::v1::OUTCOME_ACCEPTED, "");
  EXPECT_THAT(Texts(counts), ElementsAre(" dns 3", " ip 2"));
}

}  // namespace
}  // namespace nightjar::scorer
