#!/usr/bin/env bash
# Runs a Python file as a test, with Debian's Python, which has python3-yaml; Bazel's own rules want
# more than that package gives.
#
#   run_python.sh FILE [ARGUMENTS]
set -euo pipefail
exec /usr/bin/python3 -B "$@"
