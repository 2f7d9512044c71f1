#include "services/common/rpc/credit_pool.h"

#include <algorithm>

#include "services/common/rpc/batch_message.h"

namespace nightjar::rpc {
namespace {

constexpr int64_t kStreamBatchesMin = 1;
constexpr int64_t kStreamBytesMin = kBatchBytesMax;

struct Held {
  int64_t unused;
  int64_t unfinished;
};

// What may be granted in one dimension, see the class comment.
int64_t Room(int64_t total, int64_t least, int64_t streams, Held account, Held all) {
  const int64_t share = std::max(least, total / (streams + 1));
  const int64_t held = account.unused + account.unfinished;
  const int64_t free = total - all.unused - all.unfinished;
  const int64_t regular = std::min(share - held, (free + 1) / 2);
  const bool below_least = held < least && all.unfinished + least <= total;
  return std::max({regular, below_least ? least - held : 0, int64_t{0}});
}

void Add(CreditAmount& sum, const CreditAmount& amount) {
  sum.batches += amount.batches;
  sum.bytes += amount.bytes;
}

void Subtract(CreditAmount& sum, const CreditAmount& amount) {
  sum.batches -= amount.batches;
  sum.bytes -= amount.bytes;
}

}  // namespace

CreditPool::CreditPool(CreditAmount total)
    : total_{std::max(total.batches, kStreamBatchesMin), std::max(total.bytes, kStreamBytesMin)} {}

CreditAmount CreditPool::Grant(CreditAccount& account, size_t streams) {
  const int64_t n = static_cast<int64_t>(streams);
  const CreditAmount grant = {
      Room(total_.batches, kStreamBatchesMin, n,
           {account.unused.batches, account.unfinished.batches},
           {unused_.batches, unfinished_.batches}),
      Room(total_.bytes, kStreamBytesMin, n, {account.unused.bytes, account.unfinished.bytes},
           {unused_.bytes, unfinished_.bytes})};
  Add(account.unused, grant);
  Add(unused_, grant);
  return grant;
}

bool CreditPool::Spend(CreditAccount& account, int64_t bytes) {
  if (!Covers(account.unused, bytes)) return false;
  const CreditAmount cost = {1, bytes};
  Subtract(account.unused, cost);
  Subtract(unused_, cost);
  Add(account.unfinished, cost);
  Add(unfinished_, cost);
  return true;
}

void CreditPool::Finish(CreditAccount& account, int64_t bytes) {
  Subtract(account.unfinished, {1, bytes});
  Subtract(unfinished_, {1, bytes});
}

void CreditPool::CloseStream(CreditAccount& account) {
  Subtract(unused_, account.unused);
  account.unused = {};
}

bool Covers(const CreditAmount& credit, int64_t bytes) {
  return credit.batches >= 1 && credit.bytes >= std::min(bytes, kStreamBytesMin);
}

}  // namespace nightjar::rpc
