#include "services/ae_forwarder/bisector.h"

#include <algorithm>

#include "services/common/status/status_macros.h"

namespace nightjar::ae_forwarder {
namespace {

class Bisection {
 public:
  Bisection(const std::string& type, absl::Status why, RefusalGuard& guard, const PostLines& post)
      : type_(type), last_refusal_(std::move(why)), guard_(guard), post_(post) {}

  absl::Status Run(std::vector<uint32_t> lines) {
    ranges_.push_back(std::move(lines));
    while (!ranges_.empty()) {
      std::vector<uint32_t> range = std::move(ranges_.back());
      ranges_.pop_back();
      if (range.size() > 1) {
        RETURN_IF_ERROR(Split(range));
      } else {
        RETURN_IF_ERROR(Suspect(range[0]));
      }
    }
    return CheckBlame();
  }

  std::vector<RefusedLine> TakeRefused() { return std::move(refused_); }

 private:
  // Posts both halves before going into either, so that it is soon known whether the engine takes
  // anything at all.
  absl::Status Split(const std::vector<uint32_t>& range) {
    const auto middle = range.begin() + range.size() / 2;
    RETURN_IF_ERROR(Post({range.begin(), middle}));
    return Post({middle, range.end()});
  }

  // Ends `lines`, or remembers them as a refused range.
  absl::Status Post(std::vector<uint32_t> lines) {
    const absl::Status status = post_(lines);
    if (status.ok()) {
      accepted_any_ = true;
      guard_.Accepted(type_);
      return absl::OkStatus();
    }
    if (!absl::IsInvalidArgument(status)) return status;
    last_refusal_ = status;
    if (lines.size() == 1) words_[lines[0]] = status;
    ranges_.push_back(std::move(lines));
    return absl::OkStatus();
  }

  // A single event was refused.
  absl::Status Suspect(uint32_t line) {
    guard_.Refused(type_);
    const auto words = words_.find(line);
    refused_.push_back({line, words == words_.end() ? last_refusal_ : words->second});
    if (accepted_any_) return absl::OkStatus();
    return sampled_ ? CheckBlame() : Sample();
  }

  absl::Status CheckBlame() const {
    if (accepted_any_ || !guard_.BlamesEngine(type_)) return absl::OkStatus();
    return absl::FailedPreconditionError(last_refusal_.message());
  }

  // Nothing of the body was accepted so far: takes single events from all over it. If these are
  // refused too, the fault is not theirs.
  absl::Status Sample() {
    sampled_ = true;
    std::vector<uint32_t> rest;
    for (const std::vector<uint32_t>& range : ranges_) {
      rest.insert(rest.end(), range.begin(), range.end());
    }
    std::sort(rest.begin(), rest.end());
    ranges_.clear();
    const size_t samples = std::min<size_t>(rest.size(), RefusalGuard::kRefusedInARowMax - 1);
    std::vector<uint32_t> singles;
    std::vector<uint32_t> others;
    for (size_t i = 0; i < rest.size(); ++i) {
      const bool take = singles.size() < samples && i >= singles.size() * rest.size() / samples;
      (take ? singles : others).push_back(rest[i]);
    }
    // The singles go on top of the stack: they are judged first.
    if (!others.empty()) RETURN_IF_ERROR(Post(std::move(others)));
    for (const uint32_t line : singles) RETURN_IF_ERROR(Post({line}));
    return absl::OkStatus();
  }

  const std::string& type_;
  absl::Status last_refusal_;
  RefusalGuard& guard_;
  const PostLines& post_;
  std::vector<std::vector<uint32_t>> ranges_;  // refused together, a stack
  std::map<uint32_t, absl::Status> words_;     // what the engine said to single ones
  std::vector<RefusedLine> refused_;
  bool accepted_any_ = false;
  bool sampled_ = false;
};

}  // namespace

bool RefusalGuard::BlamesEngine(const std::string& type) const {
  std::lock_guard<std::mutex> lock(mutex_);
  const auto found = in_a_row_.find(type);
  return found != in_a_row_.end() && found->second >= kRefusedInARowMax;
}

void RefusalGuard::Count(const std::string& type, bool accepted) {
  std::lock_guard<std::mutex> lock(mutex_);
  int& in_a_row = in_a_row_[type];
  in_a_row = accepted ? 0 : in_a_row + 1;
}

absl::Status Bisect(const std::string& type, std::vector<uint32_t> lines, const absl::Status& why,
                    RefusalGuard& guard, const PostLines& post, std::vector<RefusedLine>* refused) {
  refused->clear();
  Bisection bisection(type, why, guard, post);
  RETURN_IF_ERROR(bisection.Run(std::move(lines)));
  *refused = bisection.TakeRefused();
  return absl::OkStatus();
}

}  // namespace nightjar::ae_forwarder
