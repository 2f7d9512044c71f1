// nightjar: one command for everything that a person does with the stages.
#include "services/cli/command_line.h"

int main(int argc, char** argv) { return nightjar::cli::RunCommandLine(argc, argv); }
