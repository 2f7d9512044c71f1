// What every main() does, once: flags, signals, exit codes.
#ifndef SERVICES_COMMON_RUNTIME_MAIN_H_
#define SERVICES_COMMON_RUNTIME_MAIN_H_

#include <functional>
#include <string>

#include "absl/status/status.h"

namespace nightjar::runtime {

// The five flags of every service; everything else is in config.yml.
struct Flags {
  std::string config;         // --config, default /etc/nightjar/config.yml
  bool check_config = false;  // --check_config: validate, print "OK" or the error, exit
  std::string listen;  // --listen host:port for gRPC, default 127.0.0.1:<the stage's port>; port 0:
                       // any, HTTP port then any too
  std::string address_file;  // --address_file: where to write the addresses once serving
};

struct StageInfo {
  std::string name;         // es-reader, scorer, ...
  std::string description;  // for --help
  int default_port = 0;     // gRPC; HTTP is 100 higher
};

// Blocks SIGTERM, SIGINT and SIGHUP in all threads to come, ignores SIGPIPE, turns core dumps off,
// parses the flags
// (--help and --version exit 0, mistakes exit 64), calls `run` and returns its exit code
// (status/exit_status.h).
int Main(int argc, char** argv, const StageInfo& stage,
         const std::function<absl::Status(const Flags&)>& run);

// Memory holds keys and telemetry: neither core files nor other processes of this user get it from
// now on. Part of Main.
void KeepMemoryPrivate();

// Waits on the calling thread, calls `on_hangup` for each SIGHUP, and returns at the first SIGTERM
// or SIGINT, or when `RequestStop` is called. From then on a second SIGTERM or SIGINT ends the
// process at once.
//
// With `is_changed`, which is asked at once and then every kLookSeconds, true counts as a SIGHUP.
inline constexpr int kLookSeconds = 2;
void WaitForStop(const std::function<void()>& on_hangup,
                 const std::function<bool()>& is_changed = nullptr);

// Makes WaitForStop return; `status` is what it was for (e.g. FencedError), kept for StopStatus.
// From any thread.
void RequestStop(absl::Status status);
absl::Status StopStatus();

// "0.2.0".
const char* Version();

}  // namespace nightjar::runtime

#endif  // SERVICES_COMMON_RUNTIME_MAIN_H_
