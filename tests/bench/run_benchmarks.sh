#!/usr/bin/env bash
# Every google-benchmark in the tree, or the targets named.
set -euo pipefail
cd "$(dirname "$0")/../.."
targets=("$@")
if [ ${#targets[@]} -eq 0 ]; then
  mapfile -t targets < <(bazel query 'filter("_benchmark$", kind(cc_binary, //...))' 2>/dev/null)
fi
bazel build --config=opt "${targets[@]}"
for target in "${targets[@]}"; do
  echo "== $target"
  path=${target#//}
  "bazel-bin/${path/://}"
done
