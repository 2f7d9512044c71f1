#!/usr/bin/env bash
# Docker compose v2 for tests, wherever it comes from: `docker compose`, `docker-compose`, or one
# that is built here from the Go module proxy (3 minutes of CPU, once; Debian's own is version 1).
#
#   compose.sh path          prints the program's folder, for PATH; builds what is missing
#   compose.sh ARGUMENTS     runs compose
# In the folder there are `docker-compose` and a `docker` that knows `docker compose`.
# Environment: NIGHTJAR_CACHE (~/.cache/nightjar)
set -euo pipefail
here=$(dirname "$(realpath "$0")")
bin=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/bin
go_wanted=1.24.9 # an older Go fetches it as a module

is_v2() { [[ $("$@" version --short 2>/dev/null) =~ ^v?[2-9]\. ]]; }

build() {
  local go_program started=$SECONDS
  go_program=$("$here/../../third_party/go.sh" "$go_wanted")
  mkdir -p "$bin"
  (cd "$here/compose" && CGO_ENABLED=0 GOTOOLCHAIN=local "$go_program" build -trimpath \
    -ldflags "-s -w -X github.com/docker/compose/v2/internal.Version=v2.40.3" \
    -o "$bin/docker-compose.new" github.com/docker/compose/v2/cmd)
  mv "$bin/docker-compose.new" "$bin/docker-compose"
  echo "compose.sh: built docker-compose in $((SECONDS - started)) s" >&2
}

# Debian's docker takes plugins from ~/.docker only; this one stands in front of it.
wrap() {
  local docker
  docker=$(command -v docker)
  [ "$docker" != "$bin/compose/docker" ] || return 0
  mkdir -p "$bin/compose"
  ln -sfn "$bin/docker-compose" "$bin/compose/docker-compose"
  printf '#!/bin/sh\n[ "$1" = compose ] || exec %s "$@"\nshift\nexec %s "$@"\n' \
    "$docker" "$bin/docker-compose" >"$bin/compose/docker.new"
  chmod +x "$bin/compose/docker.new"
  mv "$bin/compose/docker.new" "$bin/compose/docker"
}

# Sets `compose` to a command.
find_compose() {
  if is_v2 docker compose; then compose=(docker compose) && return; fi
  if is_v2 docker-compose; then compose=(docker-compose) && return; fi
  if ! is_v2 "$bin/docker-compose"; then build; fi
  compose=("$bin/docker-compose")
}

if [ "${1:-}" = path ]; then
  if is_v2 docker compose; then dirname "$(command -v docker)" && exit; fi
  if ! is_v2 "$bin/docker-compose"; then build; fi
  wrap
  echo "$bin/compose"
  exit
fi
find_compose
exec "${compose[@]}" "$@"
