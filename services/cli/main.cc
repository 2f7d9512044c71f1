// nightjar: one command for everything that a person does with the stages.
#include "services/common/runtime/main.h"

#include "services/cli/command_line.h"

int main(int argc, char** argv) {
  nightjar::runtime::KeepMemoryPrivate();
  return nightjar::cli::RunCommandLine(argc, argv);
}
