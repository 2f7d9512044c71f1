// Which command of nightjar to run, from its arguments.
#ifndef SERVICES_CLI_COMMAND_LINE_H_
#define SERVICES_CLI_COMMAND_LINE_H_

namespace nightjar::cli {

// Runs the command and returns the exit code of the program. A wrong command line prints the
// mistake and the usage on standard error: exit code 64.
int RunCommandLine(int argc, char** argv);

}  // namespace nightjar::cli

#endif  // SERVICES_CLI_COMMAND_LINE_H_
