// Asks reader and forwarder how they are, and logs it, every 30 s.
#ifndef SERVICES_CLI_TELEMETRY_REPORTER_H_
#define SERVICES_CLI_TELEMETRY_REPORTER_H_

#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>

#include "absl/status/statusor.h"
#include "proto/admin/v1/stage.pb.h"
#include "services/cli/telemetry_report.h"
#include "services/common/clock/clock.h"
#include "services/common/config/config.h"
#include "services/common/rpc/security.h"

namespace nightjar::cli {

inline constexpr absl::Duration kReportInterval = absl::Seconds(30);

// Writes to where log.file says, at log.level info or below. References outlive it.
class TelemetryReporter {
 public:
  TelemetryReporter(const config::Config& config, Clock& clock);
  // Ends the thread; waits for a question under way, at most 2 s for each stage.
  ~TelemetryReporter();

  void Start();

 private:
  void Run();
  std::string Report();
  absl::StatusOr<admin::v1::StageStatus> Ask(const std::string& address) const;
  void Write(const std::string& lines) const;

  const std::string log_file_;
  Clock& clock_;
  const rpc::Security security_;
  const std::string reader_;  // addresses
  const std::string forwarder_;
  TelemetryReport report_;

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::thread thread_;
};

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_TELEMETRY_REPORTER_H_
