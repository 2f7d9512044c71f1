#include "services/cli/supervisor.h"

#include <fcntl.h>
#include <netinet/in.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <functional>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"
#include "services/common/status/status_matchers.h"

namespace nightjar::cli {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;

// A port that nobody listens on now.
int FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  EXPECT_EQ(bind(fd, reinterpret_cast<sockaddr*>(&address), size), 0);
  EXPECT_EQ(getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
  close(fd);
  return ntohs(address.sin_port);
}

// The supervisor runs on the main thread, as it must; `person` is a thread that watches what the
// stages write and sends signals. Reading a line blocks until a stage has written it.
class SupervisorTest : public testing::Test {
 protected:
  struct Line {
    std::string what;
    std::string name;
    int pid = 0;
    std::string text() const { return absl::StrCat(what, " ", name); }
  };

  SupervisorTest() {
    Supervisor::BlockSignals();
    std::string folder = testing::TempDir() + "/supervisor-XXXXXX";
    EXPECT_NE(mkdtemp(folder.data()), nullptr);
    path_ = folder + "/journal";
    EXPECT_EQ(mkfifo(path_.c_str(), 0600), 0);
    // For writing too, so that reading waits where no stage has it open.
    journal_ = open(path_.c_str(), O_RDWR | O_CLOEXEC);
    options_.backoff_min = absl::Milliseconds(10);
    options_.stop_max = absl::Seconds(20);
    options_.head_start_max = absl::Seconds(20);
  }
  ~SupervisorTest() override { close(journal_); }

  StageProgram Fake(const std::string& name, std::vector<std::string> behaviour = {}) const {
    const std::string binary = absl::StrCat(
        std::getenv("TEST_SRCDIR"), "/", std::getenv("TEST_WORKSPACE"), "/services/cli/fake-stage");
    std::vector<std::string> arguments = {binary, path_, name};
    for (std::string& word : behaviour) arguments.push_back(std::move(word));
    return {name, std::move(arguments), ""};
  }
  StageProgram Serving(const std::string& name) const {
    const int port = FreePort();
    StageProgram program = Fake(name, {absl::StrCat("listen=", port)});
    program.address = absl::StrCat("127.0.0.1:", port);
    return program;
  }

  Line Next() {
    std::string text;
    char c = 0;
    while (read(journal_, &c, 1) == 1 && c != '\n') text.push_back(c);
    const std::vector<std::string> words = absl::StrSplit(text, ' ');
    Line line{words.at(0), words.at(1), 0};
    EXPECT_TRUE(absl::SimpleAtoi(words.at(2), &line.pid));
    lines_.push_back(line.text());
    return line;
  }
  static void Signal(int signal) { kill(getpid(), signal); }

  absl::Status Run(std::vector<StageProgram> programs, const std::function<void()>& watch) {
    Supervisor supervisor(std::move(programs), options_, SystemClock());
    std::thread person(watch);
    const absl::Status status = supervisor.Run();
    person.join();
    return status;
  }

  SupervisorOptions options_;
  std::string path_;
  int journal_ = -1;
  std::vector<std::string> lines_;
};

TEST_F(SupervisorTest, SinksStartFirstAndSourcesStopFirst) {
  EXPECT_OK(Run({Serving("sink"), Serving("middle"), Serving("source")}, [this] {
    for (int i = 0; i < 3; ++i) Next();
    Signal(SIGTERM);
    for (int i = 0; i < 3; ++i) Next();
  }));
  EXPECT_THAT(lines_, ElementsAre("start sink", "start middle", "start source", "term source",
                                  "term middle", "term sink"));
}

TEST_F(SupervisorTest, AKilledStageIsStartedAgainAndTheOthersAreLeftAlone) {
  EXPECT_OK(Run({Serving("sink"), Serving("source")}, [this] {
    Next();
    kill(Next().pid, SIGKILL);
    Next();
    Signal(SIGINT);
    Next();
    Next();
  }));
  EXPECT_THAT(lines_, ElementsAre("start sink", "start source", "start source", "term source",
                                  "term sink"));
}

TEST_F(SupervisorTest, AStageThatKeepsEndingIsTriedLessAndLessOften) {
  options_.backoff_min = absl::Milliseconds(20);
  std::vector<absl::Duration> starts;
  EXPECT_OK(Run({Fake("hopeless", {"exit=70"})}, [&] {
    for (int i = 0; i < 5; ++i) {
      Next();
      starts.push_back(SystemClock().Monotonic());
    }
    Signal(SIGTERM);
  }));
  // 20, 40, 80 and 160 ms lie between the five starts.
  EXPECT_GE(starts[4] - starts[0], absl::Milliseconds(300));
}

struct Final {
  int code;
};
class FinalExitTest : public SupervisorTest, public testing::WithParamInterface<Final> {};

TEST_P(FinalExitTest, StopsEverythingWithTheCodeAndTheWordsOfTheStage) {
  const int code = GetParam().code;
  const absl::Status status =
      Run({Serving("sink"), Fake("broken", {absl::StrCat("exit=", code)})}, [this] {
        Next();
        Next();
        Next();
      });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kFailedPrecondition,
                               AllOf(HasSubstr(absl::StrCat("broken ended with exit code ", code)),
                                     HasSubstr(absl::StrCat("told to exit ", code)))));
  EXPECT_EQ(ExitStatus(status), code);
  EXPECT_THAT(lines_, ElementsAre("start sink", "start broken", "term sink"));
}

INSTANTIATE_TEST_SUITE_P(All, FinalExitTest,
                         testing::Values(Final{kExitUsage}, Final{kExitFenced}, Final{kExitConfig}),
                         [](const auto& info) { return absl::StrCat("Code", info.param.code); });

TEST_F(SupervisorTest, AConfigurationErrorAtStartKeepsTheOthersFromStarting) {
  StageProgram broken = Serving("broken");
  broken.arguments = Fake("broken", {"exit=78"}).arguments;
  EXPECT_EQ(ExitStatus(Run({broken, Serving("source")}, [this] { Next(); })), kExitConfig);
  EXPECT_THAT(lines_, ElementsAre("start broken"));
}

TEST_F(SupervisorTest, HangupGoesToEveryStage) {
  EXPECT_OK(Run({Serving("sink"), Serving("source")}, [this] {
    Next();
    Next();
    Signal(SIGHUP);
    EXPECT_EQ(Next().what, "hup");
    EXPECT_EQ(Next().what, "hup");
    Signal(SIGTERM);
    Next();
    Next();
  }));
}

TEST_F(SupervisorTest, AStageThatDoesNotStopIsKilledAndNamed) {
  options_.stop_max = absl::Milliseconds(100);
  const absl::Status status = Run({Serving("sink"), Fake("source", {"stubborn"})}, [this] {
    Next();
    Next();
    Signal(SIGTERM);
    Next();
    Next();
  });
  EXPECT_THAT(status, StatusIs(absl::StatusCode::kInternal, HasSubstr("source did not stop")));
  EXPECT_THAT(lines_, ElementsAre("start sink", "start source", "term source", "term sink"));
}

TEST_F(SupervisorTest, AStageThatTakesLongHasAHeadStartAndNoMore) {
  options_.head_start_max = absl::Milliseconds(10);
  const absl::Status status = Run({Serving("sink"), Fake("source", {"stubborn"})}, [this] {
    Next();
    Next();
    Signal(SIGTERM);
    Next();
    Next();  // the sink is asked although the source still has 20 s
    Signal(SIGTERM);
  });
  EXPECT_EQ(ExitStatus(status), 128 + SIGTERM);
  EXPECT_THAT(lines_, ElementsAre("start sink", "start source", "term source", "term sink"));
}

TEST_F(SupervisorTest, ASecondSignalKillsEverythingAtOnce) {
  int stubborn = 0;
  const absl::Status status = Run({Serving("sink"), Fake("source", {"stubborn"})}, [&] {
    Next();
    stubborn = Next().pid;
    Signal(SIGTERM);
    Next();
    Signal(SIGINT);
  });
  EXPECT_EQ(ExitStatus(status), 128 + SIGINT);
  EXPECT_EQ(kill(stubborn, 0), -1);  // ended and collected
  EXPECT_THAT(lines_, ElementsAre("start sink", "start source", "term source"));
}

TEST_F(SupervisorTest, StagesDieWithASupervisorThatIsKilled) {
  prctl(PR_SET_CHILD_SUBREAPER, 1);  // so that this process can wait for the orphans
  const pid_t supervisor = fork();
  if (supervisor == 0) {
    (void)Supervisor({Serving("sink"), Fake("source", {"stubborn"})}, options_, SystemClock())
        .Run();
    _exit(0);
  }
  const int sink = Next().pid;
  const int source = Next().pid;
  kill(supervisor, SIGKILL);
  ASSERT_EQ(waitpid(supervisor, nullptr, 0), supervisor);
  for (const int orphan : {sink, source}) {
    int status = 0;
    ASSERT_EQ(waitpid(orphan, &status, 0), orphan);
    EXPECT_TRUE(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
  }
}

TEST_F(SupervisorTest, AProgramThatCannotBeExecutedIsNoReasonToEnd) {
  StageProgram missing{"missing", {"/nonexistent/program"}, ""};
  EXPECT_OK(Run({Serving("sink"), missing}, [this] {
    Next();
    Signal(SIGTERM);
    Next();
  }));
}

}  // namespace
}  // namespace nightjar::cli
