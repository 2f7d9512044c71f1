// A log server that remembers what it was sent, and dies and comes back on request.
#ifndef TESTS_FAKES_FAKE_SYSLOG_H_
#define TESTS_FAKES_FAKE_SYSLOG_H_

#include <memory>
#include <string>
#include <vector>

namespace nightjar::fakes {

struct FakeSyslogOptions {
  bool tcp = true;  // else UDP
  char end = '\n';  // of a message on TCP; with UDP each datagram is one
  int port = 0;     // on loopback; 0: any
};

// Serves from construction to destruction. Thread-safe.
class FakeSyslog {
 public:
  explicit FakeSyslog(FakeSyslogOptions options = {});
  ~FakeSyslog();

  int port() const;

  // Refuses connections and ends the open ones (TCP), or lets datagrams go nowhere (UDP). What was
  // received stays.
  void Stop();
  // Serves again, at the same port.
  void Start();
  // Ends the open connections, without reading what is still in them; new ones are taken.
  void HangUp();

  // Whole messages without their end, in the order they came.
  std::vector<std::string> messages() const;
  // Waits until there are `count`, 30 s at most; how many there are.
  size_t Await(size_t count) const;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace nightjar::fakes

#endif  // TESTS_FAKES_FAKE_SYSLOG_H_
