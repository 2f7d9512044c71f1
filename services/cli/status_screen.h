// The state of every stage on one screen.
#ifndef SERVICES_CLI_STATUS_SCREEN_H_
#define SERVICES_CLI_STATUS_SCREEN_H_

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "proto/admin/v1/stage.pb.h"

namespace nightjar::cli {

struct StageReport {
  std::string stage;
  std::string address;
  absl::StatusOr<admin::v1::StageStatus> status;  // not OK: it does not answer
};

// The types of which the last record is shown.
inline constexpr const char* kShownTypes[] = {"dns", "ip", "http", "tls"};

// Plain text of a few tables. Texts from the stages are made printable.
std::string StatusScreen(const std::vector<StageReport>& reports, absl::Time now);

// Every stage answers, and is READY.
bool AllReady(const std::vector<StageReport>& reports);

// Of es-reader; kUnavailable when no report is.
absl::StatusOr<admin::v1::StageStatus> ReaderStatus(const std::vector<StageReport>& reports);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_STATUS_SCREEN_H_
