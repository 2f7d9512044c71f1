// How the credit of one process is divided among the streams that send to it.
#ifndef SERVICES_COMMON_RPC_CREDIT_POOL_H_
#define SERVICES_COMMON_RPC_CREDIT_POOL_H_

#include <cstddef>
#include <cstdint>

namespace nightjar::rpc {

// Batches and encoded bytes (of the Batch message). `bytes` may be negative: see CreditPool::Spend.
struct CreditAmount {
  int64_t batches = 0;
  int64_t bytes = 0;
};

// What one source holds: granted and not used on its stream, and used by batches that have not
// ended.
struct CreditAccount {
  CreditAmount unused;
  CreditAmount unfinished;
};

// Gives each of n streams at most total/(n+1), and never more than half of what is free, so that a
// newcomer always finds some. One batch and 1 MiB are a stream's least: when idle streams hold
// everything, the pool is overdrawn by that much a stream, but only while the unfinished work
// itself fits the total. Not thread-safe.
class CreditPool {
 public:
  // A total below the least of one stream is raised to it.
  explicit CreditPool(CreditAmount total);

  // What `account` may use from now on beyond what it had; zero when it has its share.
  CreditAmount Grant(CreditAccount& account, size_t streams);

  // A batch of `bytes` arrived. False when there was no credit for it: the peer broke the contract.
  // A batch over 1 MiB (one with very large events) needs credit for 1 MiB and overdraws the
  // account by the rest.
  bool Spend(CreditAccount& account, int64_t bytes);

  // A batch of `bytes` ended.
  void Finish(CreditAccount& account, int64_t bytes);

  // The stream is gone, and with it what it did not use.
  void CloseStream(CreditAccount& account);

  const CreditAmount& unused() const { return unused_; }
  const CreditAmount& unfinished() const { return unfinished_; }

 private:
  const CreditAmount total_;
  CreditAmount unused_;
  CreditAmount unfinished_;
};

// True when `credit` allows a batch of `bytes`: the rule of Spend, for both ends.
bool Covers(const CreditAmount& credit, int64_t bytes);

}  // namespace nightjar::rpc

#endif  // SERVICES_COMMON_RPC_CREDIT_POOL_H_
