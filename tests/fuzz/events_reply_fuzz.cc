// Fuzz target: the engine's reply to a body of events. Whatever the bytes, an error or counts that
// add up.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/common/analytics_api/events_reply.h"
#include "services/common/status/check.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  constexpr uint64_t kSent = 3;
  std::string padded(reinterpret_cast<const char*>(data), size);
  padded.append(64, '\0');
  const absl::string_view body = absl::string_view(padded).substr(0, size);
  (void)nightjar::analytics_api::ErrorMessage(body);
  const auto reply = nightjar::analytics_api::ParseEventsReply("application/json", body, kSent);
  if (!reply.ok()) {
    CHECK(!reply.status().message().empty());
    return 0;
  }
  uint64_t ended = reply->accepted;
  for (const auto& [reason, count] : reply->rejected) ended += count;
  CHECK(reply->received == kSent && ended <= kSent);
  for (const auto& line : reply->rejected_lines) CHECK(line.line < kSent);
  return 0;
}
