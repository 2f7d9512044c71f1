#!/usr/bin/env bash
# Runs a Python file of this folder as a test: Bazel's own rules want more than Debian's python3.
set -euo pipefail
exec python3 -B "tests/package/$1" "${@:2}"
