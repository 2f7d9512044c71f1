#!/usr/bin/env bash
# Stands for `nightjar` when documents are run: `nightjar start` goes into the background once every
# stage is READY, as if in a terminal of its own, in the place of one started before. All else is
# the program itself. What it says until then is shown. Programs are in $NIGHTJAR_LIBEXEC; start.pid
# and start.log come beside them.
set -euo pipefail
real=$NIGHTJAR_LIBEXEC/nightjar
[ "${1:-}" = start ] || exec "$real" "$@"
shift

pid_file=$NIGHTJAR_LIBEXEC/start.pid
log=$NIGHTJAR_LIBEXEC/start.log
if [ -e "$pid_file" ]; then
  before=$(cat "$pid_file")
  kill -TERM "$before" 2>/dev/null || true
  while [ -e "/proc/$before/exe" ]; do sleep 0.1; done  # not there: gone, or a zombie
fi
setsid "$real" start "$@" >"$log" 2>&1 </dev/null &
echo $! >"$pid_file"
for _ in $(seq 300); do
  if "$real" status "$@" >/dev/null 2>&1; then cat "$log" && exit 0; fi
  [ -e "/proc/$(cat "$pid_file")/exe" ] || break
  sleep 0.2
done
echo "nightjar start: not READY" >&2
tail -20 "$log" >&2
exit 1
