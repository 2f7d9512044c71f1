#include "services/es_reader/tail/visibility.h"

#include <algorithm>

namespace nightjar::es_reader {

void Visibility::Observe(absl::string_view node, int64_t global_checkpoint, int64_t refreshes,
                         absl::Duration now) {
  if (node != node_ || refreshes < refreshes_) {
    node_ = std::string(node);
    readings_.clear();
    visible_to_ = -1;
    refreshes_ = -1;
  }
  if (refreshes != refreshes_) {
    refreshes_ = refreshes;
    last_refresh_ = now;
    readings_.push_back({refreshes, global_checkpoint});
  } else {
    readings_.back().global_checkpoint = global_checkpoint;
  }
  while (readings_.front().refreshes + kRefreshesForProof <= refreshes) {
    visible_to_ = std::max(visible_to_, readings_.front().global_checkpoint);
    readings_.pop_front();
  }
}

void Visibility::OnRefreshed(absl::string_view node, int64_t global_checkpoint,
                             absl::Duration now) {
  if (node != node_) return;
  visible_to_ = std::max(visible_to_, global_checkpoint);
  last_refresh_ = now;
}

}  // namespace nightjar::es_reader
