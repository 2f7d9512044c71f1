#include "services/cli/command_line.h"

#include <unistd.h>

#include <fstream>
#include <string>
#include <vector>

#include "gtest/gtest.h"
#include "services/common/status/exit_status.h"

namespace nightjar::cli {
namespace {

using testing::ExitedWithCode;

// In a child: death tests look at standard error, so standard output goes there too.
[[noreturn]] void RunAndExit(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "nightjar");
  std::vector<char*> argv;
  for (std::string& argument : arguments) argv.push_back(argument.data());
  dup2(STDERR_FILENO, STDOUT_FILENO);
  exit(RunCommandLine(static_cast<int>(argv.size()), argv.data()));
}

TEST(CommandLineTest, AnUnknownCommandIsNamedWithTheUsage) {
  EXPECT_EXIT(RunAndExit({"frobnicate"}), ExitedWithCode(kExitUsage),
              "error: .*frobnicate\n(.*\n)*Usage: nightjar");
}

TEST(CommandLineTest, NoCommandIsAMistakeToo) {
  EXPECT_EXIT(RunAndExit({}), ExitedWithCode(kExitUsage), "Usage: nightjar");
  EXPECT_EXIT(RunAndExit({"keys"}), ExitedWithCode(kExitUsage), "revoke");
  EXPECT_EXIT(RunAndExit({"tap"}), ExitedWithCode(kExitUsage), "stage is required");
}

TEST(CommandLineTest, WrongValuesAreNamed) {
  EXPECT_EXIT(RunAndExit({"tap", "scorer", "--score", "101"}), ExitedWithCode(kExitUsage), "101");
  EXPECT_EXIT(RunAndExit({"keys", "create", "--scope", "root"}), ExitedWithCode(kExitUsage),
              "\"root\"");
}

TEST(CommandLineTest, NeedsTellsWhetherAStageHasToRun) {
  const std::string path = testing::TempDir() + "/needs.yml";
  std::ofstream(path) << "engine: {host: https://engine.example.com, api_key: k}\n"
                         "inputs: {elastic: {enabled: true, hosts: [http://localhost:9200], "
                         "searches: [{event_type: dns, indices: [a]}]}}\n";
  EXPECT_EXIT(RunAndExit({"needs", "scorer", "-c", path}), ExitedWithCode(kExitOk), "");
  EXPECT_EXIT(RunAndExit({"needs", "analytics-engine", "-c", path}), ExitedWithCode(1), "");
  EXPECT_EXIT(RunAndExit({"needs", "scorre", "-c", path}), ExitedWithCode(kExitUsage), "scorre");
  std::ofstream(path) << "engin: {}\n";
  EXPECT_EXIT(RunAndExit({"needs", "scorer", "-c", path}), ExitedWithCode(kExitOk), "");
}

TEST(CommandLineTest, HelpAndVersionExitZero) {
  EXPECT_EXIT(RunAndExit({"--help"}), ExitedWithCode(kExitOk), "status");
  EXPECT_EXIT(RunAndExit({"version"}), ExitedWithCode(kExitOk), "nightjar version 0.2.0");
  EXPECT_EXIT(RunAndExit({"--version"}), ExitedWithCode(kExitOk), "nightjar version 0.2.0");
}

TEST(CommandLineTest, ConfigMayStandBeforeAndBehindTheCommand) {
  const char kMessage[] = "error: /nonexistent/c.yml: cannot be read";
  for (const std::vector<std::string>& arguments :
       {std::vector<std::string>{"-c", "/nonexistent/c.yml", "start"},
        std::vector<std::string>{"start", "-c", "/nonexistent/c.yml"},
        std::vector<std::string>{"check", "/nonexistent/c.yml"},
        std::vector<std::string>{"status", "--config", "/nonexistent/c.yml"},
        std::vector<std::string>{"keys", "list", "-c", "/nonexistent/c.yml"},
        std::vector<std::string>{"account", "status", "-c", "/nonexistent/c.yml"}}) {
    EXPECT_EXIT(RunAndExit(arguments), ExitedWithCode(kExitConfig), kMessage);
  }
}

}  // namespace
}  // namespace nightjar::cli
