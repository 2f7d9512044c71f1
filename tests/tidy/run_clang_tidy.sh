#!/usr/bin/env bash
# clang-tidy over the sources of the services, or the files named. Generated protobuf headers must
# have been built (./dev build).
set -euo pipefail
cd "$(dirname "$0")/../.."
files=("$@")
if [ ${#files[@]} -eq 0 ]; then
  mapfile -t files < <(git ls-files 'services/*.cc' ':!*_test.cc' ':!*_benchmark.cc')
fi
flags='-std=c++17 -I. -Ibazel-bin -DCPPHTTPLIB_OPENSSL_SUPPORT -DCPPHTTPLIB_ZLIB_SUPPORT'
printf '%s\n' "${files[@]}" | xargs -P "$(nproc)" -n 1 \
  sh -c 'clang-tidy-14 --quiet "$1" -- '"$flags"' 2>/dev/null' sh
