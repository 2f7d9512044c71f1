// What became of the telemetry lately, in the words that users of NFR know.
#ifndef SERVICES_CLI_TELEMETRY_REPORT_H_
#define SERVICES_CLI_TELEMETRY_REPORT_H_

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"

namespace nightjar::cli {

// Not thread-safe.
class TelemetryReport {
 public:
  // One line each for these event types (dns, ip, http, tls).
  explicit TelemetryReport(std::vector<std::string> types) : types_(std::move(types)) {}

  // What happened since the call before, or since the stages started, one line for each type:
  //   INFO[<now>] telemetry sent  events=8 lastIngested="<time>" name=dns-000
  //   INFO[<now>] no retrieved events in scope  retrievedEvents=8 name=dns-000
  //   INFO[<now>] search has returned no results  name=dns-000
  //   WARN[<now>] nothing retrieved, es-reader is not ready  reason="..." name=dns-000
  // Sent is what the engine accepted. Counts that went back belong to a stage that was restarted.
  std::string Lines(const admin::v1::StageStatus& reader, const admin::v1::StageStatus& forwarder,
                    absl::Time now);

 private:
  struct Figures {
    uint64_t retrieved = 0;
    uint64_t sent = 0;
  };

  const std::vector<std::string> types_;
  std::map<std::string, Figures> before_;  // by type
};

// The line for a stage that did not say how it is.
std::string UnreachableLine(const std::string& stage, const std::string& error, absl::Time now);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_TELEMETRY_REPORT_H_
