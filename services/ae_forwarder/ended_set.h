// Which events have ended: the memory that keeps a resent event from going to the engine twice.
#ifndef SERVICES_AE_FORWARDER_ENDED_SET_H_
#define SERVICES_AE_FORWARDER_ENDED_SET_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/types/span.h"
#include "services/common/checkpoint/interval_set.h"

namespace nightjar::ae_forwarder {

// What identifies an event within its epoch.
struct EventKey {
  bool by_hash = false;  // Identity: document_hash instead of seq_no
  uint64_t hash = 0;     // only with by_hash
  int64_t number = 0;    // seq_no, >= 0
  // The identifying value.
  uint64_t id() const { return by_hash ? hash : static_cast<uint64_t>(number); }
};

// One addition to, or removal from, the set.
struct EndedChange {
  std::string epoch;
  uint64_t fencing_token = 0;  // the highest seen; 0 in a removal
  bool forget = false;         // removal: the sender's position covers `intervals` for good
  std::vector<std::pair<int64_t, int64_t>> intervals;  // (from, to] of seq_no
  std::vector<std::pair<uint64_t, int64_t>> hashes;    // (document_hash, seq_no)
};

// Per epoch: the highest fencing token, the numbers that have ended, and the hashes where numbers
// repeat. Memory is 16 to 24 bytes an entry. Thread-safe.
class EndedSet {
 public:
  // kAborted, naming both tokens, when a newer owner of the epoch was seen; else remembers `token`.
  absl::Status Admit(const std::string& epoch, uint64_t token);

  // For each key whether it has ended. `ended` is resized to `keys`.
  void Find(const std::string& epoch, absl::Span<const EventKey> keys,
            std::vector<bool>* ended) const;

  // False: it changed nothing, e.g. a removal of what was not there.
  bool Apply(const EndedChange& change);

  // The whole set as additions of at most 65,536 entries each, for a fresh journal.
  std::vector<EndedChange> Snapshot() const;

  // Intervals and hashes held, over all epochs.
  size_t entries() const;

 private:
  struct Epoch {
    uint64_t fencing_token = 0;
    checkpoint::IntervalSet numbers;
    absl::flat_hash_map<uint64_t, int64_t> hashes;  // document_hash -> seq_no
    // What was forgotten since this owner came. It will not send that again, but a copy may still
    // sit in a stage above that was frozen or cut off. Not journaled; few, as positions are.
    checkpoint::IntervalSet durable;
    size_t entries() const { return numbers.size() + hashes.size(); }
  };

  bool Forget(const EndedChange& change, Epoch* epoch);

  mutable std::mutex mutex_;
  std::map<std::string, Epoch> epochs_;
  size_t entries_ = 0;
};

// Adds `key` to `change`, extending its last interval where it can: cheap for rising numbers.
void AddKey(const EventKey& key, EndedChange* change);

}  // namespace nightjar::ae_forwarder

#endif  // SERVICES_AE_FORWARDER_ENDED_SET_H_
