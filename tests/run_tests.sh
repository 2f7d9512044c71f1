#!/usr/bin/env bash
# Everything that must pass, with one closing line: "N passed, N failed".
set -uo pipefail
cd "$(dirname "$0")/.."
log=$(mktemp)
engine=deploy/docker/engine.sh
# Not in the tests that want it: what a test starts, Bazel kills at its end.
"$engine" answers >/dev/null && stop_engine=true || stop_engine="$engine down"
trap 'rm -f "$log"; $stop_engine' EXIT
"$engine" up >/dev/null || exit 1

deploy/local/elasticsearch/elasticsearch.sh fetch || exit 1
bazel test --keep_going --noshow_progress --test_summary=short "${@:-//...}" 2>&1 | tee "$log"
status=${PIPESTATUS[0]}
passed=$(grep -cE '^//\S+ +(\(cached\) )?(PASSED|FLAKY)' "$log")
failed=$(grep -cE '^//\S+ +(\(cached\) )?(FAILED|TIMEOUT|NO STATUS)' "$log")
# A build that failed outside a test counts too: a green line must mean green.
[ "$status" -eq 0 ] || [ "$failed" -gt 0 ] || failed=1
echo "$passed passed, $failed failed"
[ "$status" -eq 0 ] && [ "$passed" -gt 0 ] && [ "$failed" -eq 0 ]
