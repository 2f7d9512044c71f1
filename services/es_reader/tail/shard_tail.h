// The state of reading one shard in one epoch: which sequence numbers to ask for next, and which
// have ended for good.
//
// Numbers are handed out in windows (from, to] up to the primary's global checkpoint. A window
// closes when it is
//   complete: every number was seen, or is proved never to become visible (deleted, updated,
//   no-op); sealed:   a later reading of the statistics still showed the same epoch; ended: every
//   document read from it has a terminal outcome at the engine.
// Only closed windows may enter the position. Invariants (docs/architecture.md): nothing above the
// global checkpoint is ever asked for; a window closes only when proved complete or counted as
// assumed; failure is never emptiness.
#ifndef SERVICES_ES_READER_TAIL_SHARD_TAIL_H_
#define SERVICES_ES_READER_TAIL_SHARD_TAIL_H_

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/es_reader/tail/visibility.h"

namespace nightjar::es_reader {

// Sequence numbers (from, to].
struct Range {
  int64_t from;
  int64_t to;
  friend bool operator==(const Range& a, const Range& b) {
    return a.from == b.from && a.to == b.to;
  }
};

struct ShardTailOptions {
  // Unset: the server's default of 1 s. Negative: refresh is off.
  std::optional<absl::Duration> refresh_interval;
  // The index was shrunk, split or cloned: one number may belong to several documents.
  bool numbers_repeat = false;
};

// What _stats says about the started primary.
struct PrimaryReading {
  std::string node;
  int64_t global_checkpoint = -1;
  int64_t external_refreshes = 0;
};

// One search to make.
struct Fetch {
  int64_t window = 0;            // names the window for the On... calls
  Range range{-1, -1};           // bounds of the window
  std::vector<int64_t> numbers;  // ask only for these; empty: for the whole range
  int size = 0;           // documents wanted; as many in the reply may mean that there are more
  std::string node;       // where the primary is
  bool proving = false;   // numbers that this search does not find will never be visible
  bool assuming = false;  // the same, but assumed after a long wait instead of proved
};

// What a page told about numbers without a document.
struct Holes {
  uint64_t late = 0;     // documents found only when asked again
  uint64_t proved = 0;   // numbers proved to have no document
  uint64_t assumed = 0;  // numbers taken to have none because a refresh is forbidden
};

// Pure state: no I/O, no threads. Not thread-safe. Times are Clock::Monotonic().
class ShardTail {
 public:
  static constexpr int64_t kWindowNumbers = 1000;  // numbers in a window
  static constexpr int64_t kWindowNumbersMax =
      10'000;                                     // in a sparse stretch (index.max_result_window)
  static constexpr int kFetchesMax = 4;           // searches in flight
  static constexpr size_t kOpenWindowsMax = 256;  // windows with missing numbers
  static constexpr size_t kWindowsMax = 1024;     // windows in memory, waiting for whatever
  static constexpr int kNumberRepeatsMax = 1024;  // shards an index can be shrunk from
  static constexpr absl::Duration kQuietMin =
      absl::Seconds(2);  // without refresh, then one is forced
  static constexpr absl::Duration kAssumeAfterMin = absl::Seconds(30);
  static constexpr absl::Duration kLowCheckpointMax = absl::Minutes(5);

  // `closed`: what the position holds, sorted and disjoint; everything outside it will be read.
  ShardTail(ShardTailOptions options, const std::vector<Range>& closed);

  // Call before asking for statistics; what was read before this call is sealed by the Observe that
  // follows.
  void BeginPoll() { ++poll_; }
  // The statistics show this epoch still (another epoch needs another ShardTail).
  void Observe(const PrimaryReading& primary, absl::Duration now);

  // The next search, if there is one to make now. Each must be answered by exactly one of OnPage,
  // OnFailed, OnTooLarge.
  std::optional<Fetch> NextFetch(absl::Duration now);
  // True when NextFetch would return one.
  bool HasFetch(absl::Duration now) const;

  // The numbers of the documents in an accepted page, in any order, each inside what was asked for.
  // The documents count as outstanding until OnEventsEnded.
  Holes OnPage(const Fetch& fetch, std::vector<int64_t> seen);
  // The search failed: its numbers will be asked for again.
  void OnFailed(const Fetch& fetch);
  // The reply was too large, or as long as `size` where numbers repeat: asks for half as many from
  // now on. False when the fetch was for one number, which then cannot be made smaller: give it up
  // with OnPage({number}).
  bool OnTooLarge(const Fetch& fetch);
  // `documents` of those reported by OnPage for this window have ended.
  void OnEventsEnded(int64_t window, uint64_t documents);

  // Smaller windows for a while: the server is short of something.
  void Shrink();

  // True when holes can only be proved by a refresh that we ask for.
  bool NeedsRefresh(absl::Duration now) const;
  // A refresh has succeeded on every primary; `asked_for` is what Observe had when it was asked
  // for.
  void OnRefreshed(const PrimaryReading& asked_for, absl::Duration now);
  void SetRefreshForbidden(bool forbidden) { refresh_forbidden_ = forbidden; }
  void SetRefreshInterval(std::optional<absl::Duration> interval) {
    options_.refresh_interval = interval;
  }

  // Windows that closed since the last call.
  std::vector<Range> TakeClosed();

  const PrimaryReading& primary() const { return primary_; }
  // The highest checkpoint seen. It reads lower for a while after a failover, which means nothing.
  int64_t global_checkpoint() const { return global_checkpoint_; }
  // The checkpoint has read lower than before for kLowCheckpointMax.
  bool checkpoint_went_back(absl::Duration now) const;
  bool numbers_repeat() const { return options_.numbers_repeat; }
  // Everything up to the checkpoint was read and has closed.
  bool idle() const;
  size_t windows() const { return windows_.size(); }
  int64_t window_numbers() const { return window_numbers_; }

 private:
  struct Window {
    int64_t to = 0;
    absl::Duration created;
    bool fetched = false;  // the whole range was answered once
    bool in_flight = false;
    std::vector<int64_t> missing;  // sorted; meaningful once fetched
    int64_t asked_after = 0;       // refreshes known of when the latest search was made
    uint64_t outstanding = 0;      // documents without an outcome
    uint64_t last_page_poll = 0;
    bool complete() const { return fetched && missing.empty() && !in_flight; }
  };
  using Windows = std::map<int64_t, Window>;  // by `from`

  // kMissingEarly: after one refresh most documents are there, though nothing is proved.
  enum class Ask { kNothing, kRange, kMissing, kMissingEarly, kMissingAssuming };
  Ask Wanted(const Window& window, absl::Duration now) const;
  std::optional<Range> NextRange() const;
  Fetch MakeFetch(int64_t from, const Window& window, Ask ask) const;
  Holes ResolveMissing(const Fetch& fetch, const std::vector<int64_t>& seen, Window& window);
  void AdaptWindow(const Fetch& fetch, size_t documents);
  void CloseIfDone(Windows::iterator window);
  size_t OpenWindows() const;
  int SizeFor(int64_t numbers) const;
  Window& InFlight(const Fetch& fetch);

  ShardTailOptions options_;
  PrimaryReading primary_;
  Visibility visibility_;
  int64_t global_checkpoint_ = -1;
  std::optional<absl::Duration> low_since_;
  bool refresh_forbidden_ = false;

  uint64_t poll_ = 0;           // statistics asked for
  uint64_t observed_poll_ = 0;  // ... and answered with this epoch
  std::deque<Range> gaps_;      // below read_, not in the position this tail started from
  int64_t read_ = -1;           // end of the last window handed out
  int64_t window_numbers_ = kWindowNumbers;
  int fetches_ = 0;
  Windows windows_;
  std::vector<Range> closed_;  // not yet taken
};

}  // namespace nightjar::es_reader

#endif  // SERVICES_ES_READER_TAIL_SHARD_TAIL_H_
