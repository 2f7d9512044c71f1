// The alerts, in the order they were made.
#ifndef SERVICES_ANALYTICS_ENGINE_STORE_ALERT_STORE_H_
#define SERVICES_ANALYTICS_ENGINE_STORE_ALERT_STORE_H_

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/analytics_engine/store/database.h"

namespace nightjar::analytics_engine {

struct StoredAlert {
  std::string id;  // UUID
  absl::Time created;
  std::string event_type;
  int severity = 0;
  std::vector<std::string> threats;  // ids, strongest first
  std::string event;                 // JSON object as the client sent it
  std::string findings;              // members of a JSON object, without its braces
};

struct AlertPage {
  std::vector<StoredAlert> alerts;
  std::string follow;  // bookmark behind the last one looked at
  bool more = false;   // there are further ones now
};

// The oldest alerts beyond either limit are dropped.
struct AlertLimits {
  uint64_t alerts_max = 1'000'000;
  uint64_t bytes_max = 4ull << 30;  // of events and findings
  size_t page_alerts_max = 1000;
  size_t page_bytes_max = 8 << 20;  // a page has at least one alert
};

// Thread-safe. `database` outlives it. Errors as in Statement.
class AlertStore {
 public:
  static absl::StatusOr<std::unique_ptr<AlertStore>> Open(Database& database, AlertLimits limits);

  ~AlertStore();

  // All or nothing, on disk when it returned. `dropped`: how many old ones went.
  absl::Status Append(const std::vector<StoredAlert>& alerts, uint64_t* dropped);

  // The alerts behind the bookmark, those of at least `severity_min`. A bookmark that is not of
  // this database (it was wiped, or restored to an earlier state) is the beginning. The same
  // bookmark always leads to the same place; an empty page repeats it.
  absl::StatusOr<AlertPage> Page(absl::string_view follow, int severity_min);

  // How many there are.
  absl::StatusOr<uint64_t> Count();

 private:
  struct Statements;

  AlertStore(Database& database, AlertLimits limits, std::string store_id,
             std::unique_ptr<Statements> statements);
  absl::Status Insert(const StoredAlert& alert);
  // Adds to the totals, then drops what is beyond the limits.
  absl::Status Account(int64_t alerts, int64_t bytes, uint64_t* dropped);
  // Sequence number that the bookmark stands behind; 0: the beginning.
  absl::StatusOr<int64_t> Position(absl::string_view follow);

  Database& database_;
  const AlertLimits limits_;
  const std::string store_id_;
  const std::unique_ptr<Statements> statements_;
};

}  // namespace nightjar::analytics_engine

#endif  // SERVICES_ANALYTICS_ENGINE_STORE_ALERT_STORE_H_
