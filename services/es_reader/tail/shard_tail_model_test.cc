// Random lives of a shard and its reader: refreshes that overlap, updates, deletes, failovers, lost
// replies, restarts. The promise: every live document at or below the checkpoint is delivered, and
// the position never covers one that has not ended.
#include <algorithm>
#include <map>
#include <memory>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/es_reader/tail/shard_tail.h"

namespace nightjar::es_reader {
namespace {

// One shard: numbers, live documents, and the copy that is searched.
class Shard {
 public:
  explicit Shard(std::mt19937_64& random) : random_(random) {}

  void Write() {
    const int64_t number = next_++;
    const int kind = Pick(10);
    if (kind >= 8 && !live_.empty()) {  // update (keeps one live document) or delete
      const auto victim = live_.lower_bound(Pick(next_));
      if (victim != live_.end()) live_.erase(victim);
      if (kind == 9) return;
    }
    live_.insert(number);
  }
  void AdvanceCheckpoint() {
    checkpoint_ += Pick(next_ - checkpoint_);
    promised_ = std::max(promised_, checkpoint_);
  }
  // A refresh sees what was written before it began and counts when it ends.
  void BeginRefresh() {
    if (!refreshing_) refreshing_ = next_ - 1;
  }
  void EndRefresh() {
    if (!refreshing_) return;
    visible_ = std::max(visible_, *refreshing_);
    refreshing_.reset();
    ++refreshes_;
  }
  void RefreshNow() {
    EndRefresh();
    BeginRefresh();
    EndRefresh();
  }
  // Another copy takes over: what no checkpoint had promised is lost and its numbers are used
  // again.
  void FailOver() {
    next_ = promised_ + 1 + Pick(next_ - promised_);
    live_.erase(live_.lower_bound(next_), live_.end());
    checkpoint_ = promised_ - Pick(std::min<int64_t>(promised_ + 2, 20));
    visible_ = Pick(next_ + 1) - 1;
    refreshing_.reset();
    refreshes_ = Pick(100);
    node_ += "x";
  }
  std::vector<int64_t> Search(const Fetch& fetch) const {
    std::vector<int64_t> seen;
    const auto in_numbers = [&](int64_t n) {
      return fetch.numbers.empty() ||
             std::binary_search(fetch.numbers.begin(), fetch.numbers.end(), n);
    };
    const int64_t to = std::min(fetch.range.to, visible_);
    for (auto n = live_.upper_bound(fetch.range.from); n != live_.end() && *n <= to; ++n) {
      if (in_numbers(*n)) seen.push_back(*n);
    }
    return seen;
  }
  PrimaryReading reading() const { return {node_, checkpoint_, refreshes_}; }
  void CatchUp() { checkpoint_ = promised_ = next_ - 1; }

  const std::set<int64_t>& live() const { return live_; }
  int64_t promised() const { return promised_; }
  const std::string& node() const { return node_; }

 private:
  int64_t Pick(int64_t count) { return count <= 0 ? 0 : random_() % count; }

  std::mt19937_64& random_;
  int64_t next_ = 0;
  int64_t checkpoint_ = -1;
  int64_t promised_ = -1;  // the highest checkpoint there ever was
  int64_t visible_ = -1;
  int64_t refreshes_ = 0;
  std::optional<int64_t> refreshing_;
  std::set<int64_t> live_;
  std::string node_ = "n";
};

class Life {
 public:
  explicit Life(uint64_t seed) : random_(seed), shard_(random_) { Restart(); }

  void Step() {
    now_ += absl::Milliseconds(50);
    switch (Pick(16)) {
      case 0 ... 3:
        for (int64_t i = Pick(400); i >= 0; --i) shard_.Write();
        break;
      case 4:
        shard_.AdvanceCheckpoint();
        break;
      case 5:
        shard_.BeginRefresh();
        break;
      case 6:
        shard_.EndRefresh();
        break;
      case 7:
      case 8:
        Poll();
        break;
      case 9:
      case 10:
      case 11:
        Ask();
        break;
      case 12:
      case 13:
        Answer();
        break;
      case 14:
        EndSome();
        break;
      default:
        if (Pick(40) == 0) shard_.FailOver();
        if (Pick(60) == 0) Restart();
    }
    TakeClosed();
  }

  void Finish() {
    shard_.CatchUp();
    for (int round = 0; round < 5000 && !Done(); ++round) {
      now_ += absl::Milliseconds(500);
      Poll();
      Ask();
      while (!in_flight_.empty()) Answer();
      while (!outstanding_.empty()) EndSome();
      TakeClosed();
    }
    EXPECT_TRUE(Done()) << "reading did not come to an end";
    for (const int64_t n : shard_.live()) EXPECT_TRUE(ended_.count(n)) << n << " was lost";
  }

 private:
  int64_t Pick(int64_t count) { return count <= 0 ? 0 : random_() % count; }

  bool Done() const {
    return tail_->idle() && closed_.size() == 1 && closed_.begin()->first == -1 &&
           closed_.begin()->second == shard_.promised();
  }

  void Restart() {
    std::vector<Range> ranges;
    for (const auto& [from, to] : closed_) ranges.push_back({from, to});
    tail_ = std::make_unique<ShardTail>(ShardTailOptions{}, ranges);
    in_flight_.clear();
    outstanding_.clear();
    delivered_.clear();
  }

  void Poll() {
    tail_->BeginPoll();
    if (Pick(5) == 0) Answer();  // a page that comes while the statistics are being read
    tail_->Observe(shard_.reading(), now_);
    if (!tail_->NeedsRefresh(now_)) return;
    const PrimaryReading asked_for = tail_->primary();
    if (asked_for.node == shard_.node()) shard_.RefreshNow();
    tail_->OnRefreshed(asked_for, now_);
  }

  void Ask() {
    const bool has = tail_->HasFetch(now_);
    const std::optional<Fetch> fetch = tail_->NextFetch(now_);
    EXPECT_EQ(has, fetch.has_value());
    if (!fetch) return;
    EXPECT_LE(fetch->range.to, shard_.promised());
    in_flight_.push_back(*fetch);
  }

  void Answer() {
    if (in_flight_.empty()) return;
    const size_t which = Pick(in_flight_.size());
    const Fetch fetch = in_flight_[which];
    in_flight_.erase(in_flight_.begin() + which);
    if (fetch.node != shard_.node() || Pick(6) == 0) return tail_->OnFailed(fetch);
    const std::vector<int64_t> seen = shard_.Search(fetch);
    if (seen.size() > 20 && Pick(12) == 0) {
      EXPECT_TRUE(tail_->OnTooLarge(fetch));
      return;
    }
    tail_->OnPage(fetch, seen);
    for (const int64_t n : seen) {
      EXPECT_TRUE(delivered_.insert(n).second) << n << " was delivered twice in one life";
    }
    if (!seen.empty()) outstanding_.push_back({fetch.window, seen});
  }

  void EndSome() {
    if (outstanding_.empty()) return;
    const size_t which = Pick(outstanding_.size());
    const auto [window, numbers] = outstanding_[which];
    outstanding_.erase(outstanding_.begin() + which);
    ended_.insert(numbers.begin(), numbers.end());
    tail_->OnEventsEnded(window, numbers.size());
  }

  void TakeClosed() {
    for (const Range& range : tail_->TakeClosed()) {
      for (auto n = shard_.live().upper_bound(range.from);
           n != shard_.live().end() && *n <= range.to; ++n) {
        EXPECT_TRUE(ended_.count(*n)) << *n << " is covered by the position and has not ended";
      }
      Add(range);
    }
  }

  void Add(Range range) {
    const auto next = closed_.find(range.to);
    if (next != closed_.end()) {
      range.to = next->second;
      closed_.erase(next);
    }
    for (auto& [from, to] : closed_) {
      if (to == range.from) {
        to = range.to;
        return;
      }
    }
    closed_[range.from] = range.to;
  }

  std::mt19937_64 random_;
  Shard shard_;
  absl::Duration now_;
  std::unique_ptr<ShardTail> tail_;
  std::vector<Fetch> in_flight_;
  std::vector<std::pair<int64_t, std::vector<int64_t>>> outstanding_;  // by window
  std::set<int64_t> delivered_;                                        // in this life of the reader
  std::set<int64_t> ended_;
  std::map<int64_t, int64_t> closed_;  // the position: from -> to
};

TEST(ShardTailModelTest, NoDocumentIsLostAndThePositionNeverRunsAhead) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    Life life(seed);
    for (int step = 0; step < 1500; ++step) life.Step();
    life.Finish();
    if (HasFailure()) return;
  }
}

}  // namespace
}  // namespace nightjar::es_reader
