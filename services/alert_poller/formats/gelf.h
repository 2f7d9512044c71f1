// An alert in the Graylog Extended Log Format 1.1, as NFR writes it: one message a threat.
#ifndef SERVICES_ALERT_POLLER_FORMATS_GELF_H_
#define SERVICES_ALERT_POLLER_FORMATS_GELF_H_

#include <string>
#include <vector>

#include "absl/strings/string_view.h"
#include "absl/time/time.h"
#include "proto/alerts/v1/alert.pb.h"

namespace nightjar::alert_poller {

struct GelfOptions {
  std::string host;     // this host's name
  std::string version;  // in _engine_agent
  int level = 1;        // of syslog, 0 to 7
};

// Messages without what ends them. Every field of NFR is always there, empty as "", 0 or null;
// behind them `_alert_id`, where the engine gave one. `now` is the time of delivery. Pure.
std::vector<std::string> EncodeGelf(const alerts::v1::Alert& alert, const GelfOptions& options,
                                    absl::Time now);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_FORMATS_GELF_H_
