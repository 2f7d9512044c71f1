#!/usr/bin/env bash
# grpcurl, built from the Go module proxy into the cache; prints its path.
#
#   grpcurl.sh
#
# This version builds with Debian 12's Go 1.19 and every later one.
# Environment: NIGHTJAR_CACHE (~/.cache/nightjar).
set -euo pipefail
version=v1.8.9
bin=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/bin
mkdir -p "$bin"
exec 9>"$bin/.grpcurl.lock" && flock 9 # two callers at once build once
if [ ! -x "$bin/grpcurl" ]; then
  command -v go >/dev/null || { echo "grpcurl.sh: no Go to build it with" >&2; exit 1; }
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  GOBIN=$work GOFLAGS=-mod=mod nice go install \
    "github.com/fullstorydev/grpcurl/cmd/grpcurl@$version" >&2
  mv "$work/grpcurl" "$bin/grpcurl"
fi
echo "$bin/grpcurl"
