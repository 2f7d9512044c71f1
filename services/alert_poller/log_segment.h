// How records of the alert log lie in a file: magic, length, CRC-32C, LogRecord.
#ifndef SERVICES_ALERT_POLLER_LOG_SEGMENT_H_
#define SERVICES_ALERT_POLLER_LOG_SEGMENT_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"
#include "services/alert_poller/alert_log.pb.h"

namespace nightjar::alert_poller {

std::string EncodeRecord(const LogRecord& record);

// The records at the beginning of `file`. What a crash left of a last write is passed over; a
// damaged record with whole ones behind it is kDataLoss. Pure.
absl::StatusOr<std::vector<LogRecord>> DecodeSegment(absl::string_view file);

// "00000000000004d2.log" for segment 1234, and back.
std::string SegmentName(uint64_t serial);
std::optional<uint64_t> SegmentSerial(absl::string_view name);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_LOG_SEGMENT_H_
