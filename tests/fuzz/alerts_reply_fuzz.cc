// Fuzz target: the engine's page of alerts, and every format over what was read. Whatever the
// bytes, an error or alerts within their limits, and lines that nobody from outside can end.
#include <cstddef>
#include <cstdint>
#include <string>

#include "services/alert_poller/formats/cef.h"
#include "services/alert_poller/formats/gelf.h"
#include "services/alert_poller/formats/nfr_json.h"
#include "services/common/analytics_api/alerts_reply.h"
#include "services/common/status/check.h"

namespace {

void CheckLine(const std::string& line) { CHECK(line.find('\n') == std::string::npos); }

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string padded(reinterpret_cast<const char*>(data), size);
  padded.append(64, '\0');
  const absl::string_view body = absl::string_view(padded).substr(0, size);
  const auto page = nightjar::analytics_api::ParseAlertsReply("application/json", body);
  if (!page.ok()) {
    CHECK(!page.status().message().empty());
    return 0;
  }
  CHECK(page->follow.size() <= nightjar::analytics_api::kFollowBytesMax);
  for (const auto& alert : page->alerts) {
    CHECK(!alert.id().empty() && alert.threats_size() > 0);
    CheckLine(nightjar::alert_poller::EncodeNfrJson(alert));
    for (const auto& line : nightjar::alert_poller::EncodeCef(alert, "0")) CheckLine(line);
    for (const auto& line :
         nightjar::alert_poller::EncodeGelf(alert, {"h", "0", 1}, absl::UnixEpoch())) {
      CheckLine(line);
    }
  }
  return 0;
}
