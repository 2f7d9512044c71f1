// An analytics engine that counts: events in and alerts out of the AlphaSOC API v1, with faults on
// request.
#ifndef TESTS_FAKES_FAKE_ENGINE_H_
#define TESTS_FAKES_FAKE_ENGINE_H_

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"

namespace nightjar::fakes {

// What the next posts get instead of a proper answer.
struct EngineFault {
  enum class Kind {
    kStatus,       // `status` with a JSON message
    kHtml,         // 200 with an HTML page
    kWrongCounts,  // 200 with one event received too few
    kDropReply,    // the body is accepted, then the connection closes without a reply
    kSlow,         // `delay`, then the proper answer
  };
  Kind kind = Kind::kStatus;
  int status = 503;
  std::optional<int> retry_after_seconds;
  absl::Duration delay;
};

struct FakeEngineOptions {
  std::string api_key = "test-key";
  int port = 0;        // 0: any
  std::string id_log;  // appended with the id of every accepted event, fsynced before the reply;
                       // empty: none
  size_t body_bytes_max = 10 << 20;  // after decompression, as the API has it
  size_t kept_lines_max = 0;         // how many lines of each type to keep for lines()
};

// Serves on a loopback port from construction to destruction. Thread-safe.
//
// An event's id is the number in the first "nj<digits>x" of its line: generated telemetry carries
// one in a field that reaches the engine (DNS name, URL, flow id, certificate subject), so that an
// oracle can compare what was sent with what came.
class FakeEngine {
 public:
  explicit FakeEngine(FakeEngineOptions options = {});
  ~FakeEngine();

  std::string url() const;  // http://127.0.0.1:<port>

  void FailNext(int posts, EngineFault fault);  // queued behind earlier ones
  void SetFault(
      std::optional<EngineFault> fault);  // for every post until cleared; queued ones go first
  // Lines that hold `text` are rejected one by one (200, rejectedLines names them).
  void RejectLinesWith(const std::string& text, const std::string& reason);
  // A body with such a line is refused whole with 400.
  void RefuseBodiesWith(const std::string& text);
  void SetApiKey(const std::string& key);

  // Adds a page to what GET /v1/alerts hands out: `alerts` is the inside of its list, `threats`
  // that of its dictionary. Pages are never forgotten; the bookmark after the nth is "page-<n>", an
  // unknown one is answered with 400. `more` is true while further pages are there.
  void QueueAlerts(const std::string& alerts, const std::string& threats = "");
  // Every poll gets this body instead, until cleared.
  void SetAlertsReply(std::optional<std::string> body);
  // What GET /v1/account/status says from now on.
  void SetAccountReply(const std::string& body);
  // The next polls get this instead of a page (kStatus, kHtml or kDropReply).
  void FailNextPolls(int polls, EngineFault fault);
  // The bookmark of every poll so far.
  std::vector<std::string> polls() const;

  struct Stats {
    uint64_t posts = 0;  // of events, whatever became of them
    uint64_t accepted = 0;
    uint64_t rejected = 0;
    uint64_t body_bytes = 0;                           // decompressed
    std::map<std::string, uint64_t> accepted_by_type;  // dns, ip, http, tls, ...
    size_t body_events_max = 0;                        // largest body seen
  };
  Stats stats() const;

  // How often each id was accepted.
  std::map<uint64_t, uint32_t> accepted_ids() const;
  // The accepted lines of /v1/events/<type>, as they came.
  std::vector<std::string> lines(const std::string& type) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

// The id in a line, if it has one.
std::optional<uint64_t> EventId(absl::string_view line);

}  // namespace nightjar::fakes

#endif  // TESTS_FAKES_FAKE_ENGINE_H_
