#!/usr/bin/env bash
# Packetbeat 7.17.29 from the Go module proxy, for tests: prints the path of the program, built into
# the cache where it is missing (1 to 2 minutes of CPU). Needs Go, a C compiler, libpcap-dev.
# Its free part (Apache-2.0), never part of our packages.
# Environment: NIGHTJAR_CACHE (~/.cache/nightjar)
set -euo pipefail
version=v7.17.29
go_wanted=1.23.10  # an older Go fetches it as a module
program=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/packetbeat/packetbeat-$version

# Prints the folder of a module's files.
module() {
  (cd "$(mktemp -d)" && go mod download -json "$1") | sed -n 's/.*"Dir": "\(.*\)".*/\1/p'
}

mkdir -p "$(dirname "$program")"
exec 9>"$program.lock" && flock 9  # two callers at once build once
if [ ! -e "$program" ]; then
  go_program=$("$(dirname "$(realpath "$0")")/../../third_party/go.sh" "$go_wanted")
  source=$(module "github.com/elastic/beats/v7@$version")
  (cd "$source/packetbeat" && GOTOOLCHAIN=local "$go_program" build -trimpath \
    -ldflags "-s -w" -o "$program.new" . >&2)
  mv "$program.new" "$program"
fi
echo "$program"
