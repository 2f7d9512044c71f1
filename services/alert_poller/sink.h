// One place that alerts go to: a format times a transport.
#ifndef SERVICES_ALERT_POLLER_SINK_H_
#define SERVICES_ALERT_POLLER_SINK_H_

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "proto/alerts/v1/alert.pb.h"
#include "services/alert_poller/transports/socket.h"
#include "services/alert_poller/transports/transport.h"
#include "services/common/clock/clock.h"

namespace nightjar::alert_poller {

struct SinkConfig {
  enum class Kind { kFile, kSyslog, kGraylog };
  enum class Format { kJson, kCef };  // Graylog has its own
  std::string name;                   // of metrics, conditions and the state folder
  Kind kind = Kind::kFile;
  Format format = Format::kJson;
  std::string path;       // kFile: stdout, stderr or a path
  SocketAddress address;  // the others
  int level = 1;          // kGraylog: syslog level of every message
};

struct Sink {
  std::string name;
  std::function<std::vector<std::string>(const alerts::v1::Alert&)> encode;
  std::unique_ptr<Transport> transport;
};

// `host` is this machine's name, `version` ours, as they stand in the messages. `clock` outlives
// the sink.
Sink MakeSink(const SinkConfig& config, const std::string& host, const std::string& version,
              Clock& clock);

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_SINK_H_
