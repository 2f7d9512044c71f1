#include "services/alert_poller/sink.h"

#include <unistd.h>

#include "services/alert_poller/formats/cef.h"
#include "services/alert_poller/formats/gelf.h"
#include "services/alert_poller/formats/nfr_json.h"
#include "services/alert_poller/transports/file_transport.h"
#include "services/alert_poller/transports/socket_transport.h"

namespace nightjar::alert_poller {

using alerts::v1::Alert;

Sink MakeSink(const SinkConfig& config, const std::string& host, const std::string& version,
              Clock& clock) {
  Sink sink;
  sink.name = config.name;
  if (config.kind == SinkConfig::Kind::kGraylog) {
    sink.encode = [options = GelfOptions{host, version, config.level}, &clock](const Alert& alert) {
      return EncodeGelf(alert, options, clock.Now());
    };
  } else if (config.format == SinkConfig::Format::kCef) {
    sink.encode = [version](const Alert& alert) { return EncodeCef(alert, version); };
  } else {
    sink.encode = [](const Alert& alert) { return std::vector<std::string>{EncodeNfrJson(alert)}; };
  }
  switch (config.kind) {
    case SinkConfig::Kind::kFile:
      sink.transport = std::make_unique<FileTransport>(config.path);
      break;
    case SinkConfig::Kind::kSyslog:
      sink.transport = std::make_unique<SocketTransport>(
          config.address, [host, &clock](absl::string_view message) {
            const std::string time =
                absl::FormatTime("%Y-%m-%dT%H:%M:%SZ", clock.Now(), absl::UTCTimeZone());
            return SyslogFrame(message, time, host, getpid());
          });
      break;
    case SinkConfig::Kind::kGraylog:
      sink.transport = std::make_unique<SocketTransport>(config.address, GelfFrame);
      break;
  }
  return sink;
}

}  // namespace nightjar::alert_poller
