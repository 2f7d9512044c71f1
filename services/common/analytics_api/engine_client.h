// The client of the analytics engine's API v1.
#ifndef SERVICES_COMMON_ANALYTICS_API_ENGINE_CLIENT_H_
#define SERVICES_COMMON_ANALYTICS_API_ENGINE_CLIENT_H_

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "services/common/analytics_api/account_reply.h"
#include "services/common/analytics_api/alerts_reply.h"
#include "services/common/analytics_api/events_reply.h"
#include "services/common/config/secret.h"
#include "services/common/http/http_client.h"

namespace nightjar::analytics_api {

struct EngineClientOptions {
  std::vector<std::string> hosts;  // http(s)://host[:port], standbys of one engine in order
  http::Endpoint endpoint;         // TLS, proxy and user agent, the same for all of them
  config::Secret api_key;
  bool gzip = true;                            // compress bodies, zlib level 1
  absl::Duration timeout = absl::Seconds(60);  // of one exchange
};

// What one exchange cost and brought, for metrics and pacing; filled whatever the outcome.
struct Exchange {
  std::optional<absl::Duration> retry_after;  // as the engine said, not capped
  absl::Duration duration;                    // of the last host tried
  size_t body_bytes = 0;                      // as sent, compressed or not
  std::string host;                           // which one answered or failed last
};

// One exchange at a time; SetApiKey and Cancel from any thread. Goes on to the next host, once
// round, when one cannot be reached or answers 5xx, and stays with the one that worked.
class EngineClient {
 public:
  explicit EngineClient(EngineClientOptions options);

  // Posts `count` newline-ended events to /v1/events/<type>. OK only for a 2xx reply that is a JSON
  // object with counts that can be true. Otherwise:
  // kInvalidArgument  400, 413, 422: the engine refuses this body
  // kUnauthenticated, kPermissionDenied  401, 403: it refuses the API key
  // kUnavailable      it cannot be reached, fails (5xx), or its reply is no answer (HTML, counts
  //                   that do not add up): nothing is known about the body
  // kResourceExhausted  429
  // kCancelled        Cancel() was called
  // and as delivery::StatusFromHttp says. Messages name the host, the path and the engine's words.
  absl::Status PostEvents(absl::string_view type, absl::string_view lines, uint64_t count,
                          EventsReply* reply, Exchange* exchange);

  // GET /v1/account/status: whether the engine is there, takes the key, and until when. Errors as
  // above.
  absl::Status Account(AccountReply* account, Exchange* exchange);

  // GET /v1/alerts behind the bookmark `follow`; empty: from the beginning of what the engine
  // keeps. OK only for a page that can be believed (alerts_reply.h). Errors as above;
  // kInvalidArgument: it refuses the bookmark.
  absl::Status Alerts(absl::string_view follow, AlertsPage* page, Exchange* exchange);

  void SetApiKey(const config::Secret& key);
  // Ends an exchange in progress and every later one.
  void Cancel();

 private:
  struct Host {
    std::string url;
    std::unique_ptr<http::HttpClient> client;
  };

  absl::Status SendToHosts(http::Request request, const std::string& path, Exchange* exchange);
  absl::Status SendTo(Host& host, http::Request request, const std::string& path,
                      Exchange* exchange);
  config::Secret Authorization() const;

  const EngineClientOptions options_;
  std::vector<Host> hosts_;
  size_t current_ = 0;  // index in hosts_ of the one to try first
  http::Response response_;
  std::string compressed_;
  mutable std::mutex mutex_;
  config::Secret authorization_;  // value of the header; guarded by mutex_
};

}  // namespace nightjar::analytics_api

#endif  // SERVICES_COMMON_ANALYTICS_API_ENGINE_CLIENT_H_
