#!/usr/bin/env bash
# A Docker engine for tests and demonstrations, from Debian's docker.io, with all its state in one
# folder. Needs root. Where an engine answers already (DOCKER_HOST, or the system's own) that one is
# used and never stopped.
#
#   engine.sh up        starts it unless one answers; prints the value for DOCKER_HOST
#   engine.sh answers   does one answer? exit 0: yes
#   engine.sh down      ends the one that `up` started, with its containers and the network rules
#                       that dockerd leaves behind; images stay in the folder
# Environment: NIGHTJAR_CACHE (~/.cache/nightjar)
set -euo pipefail
folder=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/docker
socket=unix://$folder/docker.sock

alive() { docker -H "$1" version >/dev/null 2>&1; }

# Prints the engine that answers.
answers() {
  local candidate
  for candidate in ${DOCKER_HOST:-} unix:///var/run/docker.sock "$socket"; do
    if alive "$candidate"; then echo "$candidate" && return; fi
  done
  return 1
}

up() {
  answers && return
  mkdir -p "$folder"
  cat /proc/sys/net/ipv4/ip_forward >"$folder/ip_forward.before"
  setsid nohup dockerd --data-root "$folder/data" --exec-root "$folder/exec" -H "$socket" \
    --pidfile "$folder/docker.pid" >"$folder/dockerd.log" 2>&1 </dev/null &
  for _ in $(seq 150); do
    if alive "$socket"; then echo "$socket" && return; fi
    sleep 0.2
  done
  echo "engine.sh: dockerd does not answer after 30 s:" >&2
  tail -20 "$folder/dockerd.log" >&2
  return 1
}

# dockerd leaves its chains, FORWARD's policy DROP and ip_forward=1 behind.
remove_network_rules() {
  local table rule chain
  iptables -P FORWARD ACCEPT
  for table in filter nat; do
    iptables-save -t "$table" | sed -n 's/^-A \(.*\)$/\1/p' |
      grep -E '^(FORWARD|PREROUTING|OUTPUT|POSTROUTING) .*(DOCKER|docker0|172\.1[7-9]\.)' |
      while read -r rule; do eval "iptables -t $table -D $rule"; done || true
    for chain in $(iptables-save -t "$table" | sed -n 's/^:\(DOCKER[A-Z0-9-]*\) .*/\1/p'); do
      iptables -t "$table" -F "$chain"
    done
    for chain in $(iptables-save -t "$table" | sed -n 's/^:\(DOCKER[A-Z0-9-]*\) .*/\1/p'); do
      iptables -t "$table" -X "$chain" || true
    done
  done
  cat "$folder/ip_forward.before" >/proc/sys/net/ipv4/ip_forward 2>/dev/null || true
}

down() {
  [ -e "$folder/docker.pid" ] || return 0
  if alive "$socket"; then
    docker -H "$socket" ps -aq | xargs -r docker -H "$socket" rm -f >/dev/null
    kill "$(cat "$folder/docker.pid")"
    for _ in $(seq 150); do
      [ -e "$folder/docker.pid" ] || break
      sleep 0.2
    done
  fi
  rm -f "$folder/docker.pid"  # of one that was killed
  ip link del docker0 2>/dev/null || true
  remove_network_rules
}

case "${1:-}" in
  up | answers | down) "$1" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
