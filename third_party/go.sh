#!/usr/bin/env bash
# A Go that is at least VERSION, for programs that tests build from the Go module proxy: the one in
# the path, or, where that is older (Debian 12 has 1.19), one that it fetches as a module.
#
#   go.sh VERSION     prints the program's path
set -euo pipefail
wanted=$1
have=$(go env GOVERSION | sed 's/^go//')
if [ "$(printf '%s\n' "$wanted" "$have" | sort -V | head -1)" = "$wanted" ]; then
  command -v go
  exit
fi
folder=$(cd "$(mktemp -d)" && go mod download -json \
  "golang.org/toolchain@v0.0.1-go$wanted.linux-amd64" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
# An old Go unpacks modules without the right to run anything.
chmod -R u+w,a+x "$folder/bin" "$folder/pkg/tool"
echo "$folder/bin/go"
