#include "services/common/runtime/main.h"

#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"

namespace nightjar::runtime {
namespace {

using testing::ExitedWithCode;

// Main changes the process for good, so each test runs it in a child.
int RunMain(std::vector<std::string> arguments,
            const std::function<absl::Status(const Flags&)>& run) {
  arguments.insert(arguments.begin(), "scorer");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  dup2(STDERR_FILENO, STDOUT_FILENO);  // death tests look at stderr
  return Main(static_cast<int>(argv.size()), argv.data(), {"scorer", "Scores events.", 7402}, run);
}

absl::Status NeverCalled(const Flags&) { return absl::InternalError("run was called"); }

TEST(MainTest, FlagsHaveTheirDefaults) {
  const auto run = [](const Flags& flags) {
    return absl::NotFoundError(absl::StrCat(flags.config, "|", flags.check_config, "|",
                                            flags.listen, "|", flags.address_file));
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(kExitInternal),
              "/etc/nightjar/config.yml.0.127.0.0.1:7402.");
}

TEST(MainTest, FlagsReachRun) {
  const auto run = [](const Flags& flags) {
    return absl::NotFoundError(absl::StrCat(flags.config, " ", flags.check_config, " ",
                                            flags.listen, " ", flags.address_file));
  };
  EXPECT_EXIT(exit(RunMain({"--config", "c.yml", "--check_config", "--listen=[::1]:0",
                            "--address_file", "a.json"},
                           run)),
              ExitedWithCode(kExitInternal), "c.yml 1 .::1.:0 a.json");
}

TEST(MainTest, HelpAndVersionExitZeroWithoutRunning) {
  EXPECT_EXIT(exit(RunMain({"--version"}, NeverCalled)), ExitedWithCode(0), "scorer 0.2.0");
  EXPECT_EXIT(exit(RunMain({"--help"}, NeverCalled)), ExitedWithCode(0), "--address_file");
}

TEST(MainTest, WrongFlagsExit64) {
  EXPECT_EXIT(exit(RunMain({"--confg", "x"}, NeverCalled)), ExitedWithCode(kExitUsage), "--confg");
  EXPECT_EXIT(exit(RunMain({"--listen"}, NeverCalled)), ExitedWithCode(kExitUsage), "--listen");
  EXPECT_EXIT(exit(RunMain({"stray"}, NeverCalled)), ExitedWithCode(kExitUsage), "stray");
}

TEST(MainTest, CoreDumpsAreOff) {
  const auto run = [](const Flags&) {
    rlimit core{1, 1};
    getrlimit(RLIMIT_CORE, &core);
    const bool off = core.rlim_max == 0 && prctl(PR_GET_DUMPABLE) == 0;
    return off ? absl::OkStatus() : absl::InternalError("core dumps are on");
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(0), "");
}

TEST(MainTest, FirstSigtermReturnsFromTheWait) {
  const auto run = [](const Flags&) {
    kill(getpid(), SIGTERM);
    WaitForStop([] {});
    return StopStatus();
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(0), "");
}

TEST(MainTest, SecondSignalEndsTheProcessAtOnce) {
  const auto stop_twice = [](int first, int second) {
    return [=](const Flags&) {
      kill(getpid(), first);
      WaitForStop([] {});
      kill(getpid(), second);
      return absl::InternalError("still alive");
    };
  };
  EXPECT_EXIT(exit(RunMain({}, stop_twice(SIGTERM, SIGTERM))), ExitedWithCode(143), "");
  EXPECT_EXIT(exit(RunMain({}, stop_twice(SIGTERM, SIGINT))), ExitedWithCode(130), "");
}

TEST(MainTest, HangupReloadsAndTheWaitGoesOn) {
  const auto run = [](const Flags&) {
    int reloads = 0;
    kill(getpid(), SIGHUP);
    WaitForStop([&] {
      if (++reloads == 2) RequestStop(absl::OkStatus());
      if (reloads == 1) kill(getpid(), SIGHUP);
    });
    return reloads == 2 ? absl::OkStatus() : absl::InternalError(absl::StrCat(reloads));
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(0), "");
}

TEST(MainTest, AChangedFileReloadsLikeAHangup) {
  const auto run = [](const Flags&) {
    int looks = 0, reloads = 0;
    WaitForStop(
        [&] {
          ++reloads;
          RequestStop(absl::OkStatus());
        },
        [&] { return ++looks == 1; });
    return looks == 1 && reloads == 1 ? absl::OkStatus() : absl::InternalError("wrong count");
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(0), "");
}

TEST(MainTest, RequestedStopFromAnyThreadKeepsItsFirstReason) {
  const auto run = [](const Flags&) {
    std::thread fenced([] { RequestStop(FencedError("a newer reader owns the source")); });
    WaitForStop([] {});
    fenced.join();
    RequestStop(absl::OkStatus());
    return StopStatus();
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(kExitFenced), "a newer reader owns");
}

TEST(MainTest, PeerThatWentAwayDoesNotEndTheProcess) {
  const auto run = [](const Flags&) {
    int ends[2];
    if (pipe(ends) != 0) return absl::InternalError("pipe");
    close(ends[0]);
    return write(ends[1], "x", 1) < 0 ? absl::OkStatus() : absl::InternalError("written");
  };
  EXPECT_EXIT(exit(RunMain({}, run)), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace nightjar::runtime
