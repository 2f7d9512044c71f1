#!/usr/bin/env bash
# clang-tidy over the sources of the services, or the files named. Builds the generated headers that
# they include first. BAZEL: the command, for a build of its own ("bazel --output_base=...").
set -euo pipefail
cd "$(dirname "$0")/../.."
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  tests='_(test|testing|benchmark)(_main)?\.cc$'
  mapfile -t files < <(git ls-files 'services/*.cc' | grep -Ev "$tests")
fi
read -ra bazel <<<"${BAZEL:-bazel}"
"${bazel[@]}" build --experimental_convenience_symlinks=ignore //proto/...
generated=$("${bazel[@]}" info bazel-bin 2>/dev/null)
flags="-std=c++17 -I. -isystem $generated"
flags+=' -DCPPHTTPLIB_OPENSSL_SUPPORT -DCPPHTTPLIB_ZLIB_SUPPORT'
# Findings go to stdout; stderr has only the count of what was suppressed in system headers.
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 \
  sh -c 'clang-tidy-14 --quiet "$1" -- '"$flags"' 2>/dev/null' sh
echo "${#files[@]} files, no finding"
