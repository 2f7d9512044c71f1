#include "services/ae_forwarder/ended_set.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace nightjar::ae_forwarder {
namespace {

constexpr size_t kChangeEntriesMax = 65'536;

}  // namespace

absl::Status EndedSet::Admit(const std::string& epoch, uint64_t token) {
  std::lock_guard<std::mutex> lock(mutex_);
  Epoch& known = epochs_[epoch];
  uint64_t& highest = known.fencing_token;
  if (token < highest) {
    return absl::AbortedError(absl::StrCat("fenced: epoch ", epoch, " has a newer owner (token ",
                                           highest, ", got ", token, ")"));
  }
  // A new owner may have been told to read again.
  if (token > highest) known.durable = {};
  highest = token;
  return absl::OkStatus();
}

void EndedSet::Find(const std::string& epoch, absl::Span<const EventKey> keys,
                    std::vector<bool>* ended) const {
  ended->assign(keys.size(), false);
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = epochs_.find(epoch);
  if (found == epochs_.end()) return;
  const Epoch& known = found->second;
  for (size_t i = 0; i < keys.size(); ++i) {
    const EventKey& key = keys[i];
    (*ended)[i] =
        known.durable.Contains(key.number) ||
        (key.by_hash ? known.hashes.contains(key.hash) : known.numbers.Contains(key.number));
  }
}

bool EndedSet::Apply(const EndedChange& change) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (change.forget) {
    const auto found = epochs_.find(change.epoch);
    return found != epochs_.end() && Forget(change, &found->second);
  }
  Epoch& epoch = epochs_[change.epoch];
  entries_ -= epoch.entries();
  epoch.fencing_token = std::max(epoch.fencing_token, change.fencing_token);
  for (const auto& [from, to] : change.intervals) epoch.numbers.Add(from, to);
  for (const auto& [hash, number] : change.hashes) epoch.hashes[hash] = number;
  entries_ += epoch.entries();
  return true;
}

bool EndedSet::Forget(const EndedChange& change, Epoch* epoch) {
  const size_t hashes = epoch->hashes.size();
  const uint64_t numbers = epoch->numbers.Count();
  entries_ -= epoch->entries();
  checkpoint::IntervalSet closed;
  for (const auto& [from, to] : change.intervals) {
    epoch->numbers.Subtract(from, to);
    epoch->durable.Add(from, to);
    if (hashes > 0) closed.Add(from, to);
  }
  if (hashes > 0) {
    absl::erase_if(epoch->hashes, [&](const auto& entry) { return closed.Contains(entry.second); });
  }
  entries_ += epoch->entries();
  return epoch->hashes.size() != hashes || epoch->numbers.Count() != numbers;
}

std::vector<EndedChange> EndedSet::Snapshot() const {
  std::lock_guard<std::mutex> lock(mutex_);
  std::vector<EndedChange> changes;
  for (const auto& [name, epoch] : epochs_) {
    const auto start = [&, name = name, token = epoch.fencing_token] {
      changes.emplace_back();
      changes.back().epoch = name;
      changes.back().fencing_token = token;
    };
    start();
    for (const auto& interval : epoch.numbers) {
      if (changes.back().intervals.size() == kChangeEntriesMax) start();
      changes.back().intervals.emplace_back(interval.first, interval.second);
    }
    for (const auto& entry : epoch.hashes) {
      if (changes.back().hashes.size() == kChangeEntriesMax) start();
      changes.back().hashes.emplace_back(entry.first, entry.second);
    }
  }
  return changes;
}

size_t EndedSet::entries() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return entries_;
}

void AddKey(const EventKey& key, EndedChange* change) {
  if (key.by_hash) {
    change->hashes.emplace_back(key.hash, key.number);
  } else if (!change->intervals.empty() && change->intervals.back().second == key.number - 1) {
    change->intervals.back().second = key.number;
  } else {
    change->intervals.emplace_back(key.number - 1, key.number);
  }
}

}  // namespace nightjar::ae_forwarder
