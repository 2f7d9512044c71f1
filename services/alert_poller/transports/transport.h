// Where encoded alerts are written to: the second half of a sink.
#ifndef SERVICES_ALERT_POLLER_TRANSPORTS_TRANSPORT_H_
#define SERVICES_ALERT_POLLER_TRANSPORTS_TRANSPORT_H_

#include <cstddef>
#include <string>

#include "absl/status/status.h"
#include "absl/types/span.h"

namespace nightjar::alert_poller {

// Write is called by one thread; the rest from any.
class Transport {
 public:
  virtual ~Transport() = default;

  // Delivers `messages` in order and returns OK once they are as safe as this place can make them;
  // the caller never offers them again then. After an error it offers all of them again. `*cut` is
  // raised by how many were too long for the place and were cut. kCancelled: Cancel was called;
  // anything else is worth another try, the message says what is wrong where.
  virtual absl::Status Write(absl::Span<const std::string> messages, size_t* cut) = 0;

  // Opens anew at the next Write: the file was rotated, the host moved.
  virtual void Reopen() = 0;

  // Ends a Write in progress and every later one.
  virtual void Cancel() = 0;

  // "/var/log/alerts.json", "tcp://10.0.0.1:514".
  virtual std::string where() const = 0;
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_TRANSPORTS_TRANSPORT_H_
