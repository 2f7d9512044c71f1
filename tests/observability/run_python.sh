#!/usr/bin/env bash
# Runs a Python file of this folder as a test, with the Python that has Debian's python3-yaml.
set -euo pipefail
exec /usr/bin/python3 -B "tests/observability/$1"
