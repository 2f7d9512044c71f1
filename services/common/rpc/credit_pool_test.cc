#include "services/common/rpc/credit_pool.h"

#include <vector>

#include "gtest/gtest.h"

namespace nightjar::rpc {
namespace {

constexpr int64_t kMiB = 1 << 20;

TEST(CreditPool, OneStreamGetsHalfAndNoMoreUntilItIsUsedAndEnded) {
  CreditPool pool({64, 32 * kMiB});
  CreditAccount account;
  const CreditAmount first = pool.Grant(account, 1);
  EXPECT_EQ(first.batches, 32);
  EXPECT_EQ(first.bytes, 16 * kMiB);
  EXPECT_EQ(pool.Grant(account, 1).batches, 0);
  ASSERT_TRUE(pool.Spend(account, 1000));
  EXPECT_EQ(pool.Grant(account, 1).batches, 0) << "work under way counts";
  pool.Finish(account, 1000);
  const CreditAmount again = pool.Grant(account, 1);
  EXPECT_EQ(again.batches, 1);
  EXPECT_EQ(again.bytes, 1000);
}

TEST(CreditPool, NoCreditNoBatch) {
  CreditPool pool({64, 32 * kMiB});
  CreditAccount account;
  EXPECT_FALSE(pool.Spend(account, 1));
  pool.Grant(account, 1);
  for (int i = 0; i < 32; ++i) EXPECT_TRUE(pool.Spend(account, 1));
  EXPECT_FALSE(pool.Spend(account, 1));
  EXPECT_EQ(pool.unfinished().batches, 32);
}

TEST(CreditPool, ABatchOverOneMiBNeedsOneMiBAndOverdrawsTheRest) {
  CreditPool pool({64, 2 * kMiB});
  CreditAccount account;
  EXPECT_EQ(pool.Grant(account, 1).bytes, kMiB);
  ASSERT_TRUE(pool.Spend(account, 3 * kMiB));
  EXPECT_EQ(account.unused.bytes, -2 * kMiB);
  EXPECT_EQ(pool.Grant(account, 1).bytes, 0);
  pool.Finish(account, 3 * kMiB);
  EXPECT_EQ(pool.Grant(account, 1).bytes, 3 * kMiB) << "back at its share";
}

TEST(CreditPool, EveryIdleStreamFindsItsLeastAndAClosedOneGivesItBack) {
  CreditPool pool({64, 32 * kMiB});
  std::vector<CreditAccount> accounts(60);
  for (size_t i = 0; i < accounts.size(); ++i) {
    pool.Grant(accounts[i], i + 1);
    EXPECT_GE(accounts[i].unused.batches, 1) << i;
    EXPECT_GE(accounts[i].unused.bytes, kMiB) << i;
  }
  for (CreditAccount& account : accounts) pool.CloseStream(account);
  EXPECT_EQ(pool.unused().batches, 0);
  EXPECT_EQ(pool.unused().bytes, 0);
}

TEST(CreditPool, UnfinishedWorkOfTheDeadIsNeverOverdrawn) {
  CreditPool pool({4, 4 * kMiB});
  // A sender that crashes in a loop while nothing ends must not fill the memory.
  for (int life = 0; life < 100; ++life) {
    CreditAccount account;
    pool.Grant(account, 1);
    while (pool.Spend(account, 1000)) {
    }
    pool.CloseStream(account);
  }
  EXPECT_LE(pool.unfinished().batches, 4);
}

}  // namespace
}  // namespace nightjar::rpc
