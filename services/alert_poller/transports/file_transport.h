// One line a message, to standard output, standard error or a file.
#ifndef SERVICES_ALERT_POLLER_TRANSPORTS_FILE_TRANSPORT_H_
#define SERVICES_ALERT_POLLER_TRANSPORTS_FILE_TRANSPORT_H_

#include <atomic>
#include <string>

#include "services/alert_poller/transports/transport.h"

namespace nightjar::alert_poller {

// A path is appended to, created with mode 0644, and synced before Write returns. A line that a
// crash or a full disk cut short is removed before the next one is written: the alert it belongs to
// comes again. What stands there that is no line of ours is ended with a newline instead.
class FileTransport final : public Transport {
 public:
  // `path` is stdout, stderr or a path.
  explicit FileTransport(std::string path) : path_(std::move(path)) {}
  ~FileTransport() override;

  absl::Status Write(absl::Span<const std::string> messages, size_t* cut) override;
  void Reopen() override { reopen_ = true; }
  void Cancel() override { cancelled_ = true; }
  std::string where() const override { return path_; }

 private:
  absl::Status Open();
  absl::Status RepairEnd();
  absl::Status WriteAll(const std::string& lines);
  absl::Status Error(const char* operation) const;
  void Close();

  const std::string path_;
  std::atomic<bool> reopen_{false};
  std::atomic<bool> cancelled_{false};
  int fd_ = -1;
  bool regular_ = false;  // a file that can be cut and synced
};

}  // namespace nightjar::alert_poller

#endif  // SERVICES_ALERT_POLLER_TRANSPORTS_FILE_TRANSPORT_H_
