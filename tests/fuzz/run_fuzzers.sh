#!/usr/bin/env bash
# run_fuzzers.sh [SECONDS] [TARGET ...]: libFuzzer with Address- and UndefinedBehaviorSanitizer on
# every target, from the kept corpora.
# New inputs stay in ~/.cache/nightjar/fuzz/<target>; the first crash stops the run and is named.
set -euo pipefail
cd "$(dirname "$0")/../.."
seconds=${1:-60}
shift || true
output_base=$HOME/.cache/nightjar/output-fuzz
run_bazel() { bazel --output_base="$output_base" "$@"; }
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  query='filter("_fuzz$", kind(cc_binary, //tests/fuzz/...))'
  mapfile -t targets < <(run_bazel query "$query" 2>/dev/null | sed 's/.*://')
fi
for target in "${targets[@]}"; do
  run_bazel build --config=fuzz --experimental_convenience_symlinks=ignore "//tests/fuzz:$target"
  found=$HOME/.cache/nightjar/fuzz/$target
  mkdir -p "$found"
  "$(run_bazel info --config=fuzz bazel-bin 2>/dev/null)/tests/fuzz/$target" \
    -max_total_time="$seconds" -timeout=5 -rss_limit_mb=2048 -print_final_stats=1 \
    -artifact_prefix="$found/crash-" "$found" "tests/fuzz/corpus/$target"
done
