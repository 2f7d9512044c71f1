#!/usr/bin/env bash
# Makes the image nightjar-offline:<version>, for places without a registry: Debian 12 with a JRE,
# nginx, Prometheus and Python, and an Elasticsearch made of the jars on Maven Central. It stands in
# for the vendors' images in compose.offline.yaml. Elasticsearch is licensed under SSPL / Elastic
# License 2.0: for tests and demonstrations on this machine; never publish this image.
#
# Needs root, debootstrap, mvn, a JDK and a Docker engine (DOCKER_HOST, else the one that answers).
# What the package mirrors gave is kept in ${NIGHTJAR_CACHE:-~/.cache/nightjar}/compose.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../../.." && pwd)
cache=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}
image=nightjar-offline:7.17.29
packages=(openjdk-17-jre-headless nginx prometheus python3 curl wget ca-certificates)
base=$cache/compose/base-$(echo "${packages[*]}" | sha256sum | cut -c1-12).tar

# Prints what the image depends on, as one word.
wanted() {
  cat "$here"/*.sh "$root"/deploy/local/elasticsearch/* "$root/deploy/local/replay.py" |
    sha256sum | cut -c1-16
}

make_base() {
  local folder
  [ ! -e "$base" ] || return 0
  mkdir -p "$cache/compose"
  folder=$(mktemp -d "$cache/compose/base.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$folder'" EXIT
  debootstrap --variant=minbase bookworm "$folder" >"$folder.log" ||
    { tail -20 "$folder.log" >&2; exit 1; }
  printf 'path-exclude /usr/share/%s/*\n' doc man locale >"$folder/etc/dpkg/dpkg.cfg.d/small"
  printf '#!/bin/sh\nexit 101\n' >"$folder/usr/sbin/policy-rc.d"  # installing starts nothing
  chmod +x "$folder/usr/sbin/policy-rc.d"
  # Java's set-up wants /proc; a mount of our own namespace ends with it.
  DEBIAN_FRONTEND=noninteractive unshare --mount bash -c '
    mount -t proc proc "$1/proc"
    chroot "$@"' in "$folder" apt-get install -q -y --no-install-recommends "${packages[@]}" \
    >>"$folder.log" 2>&1 || { tail -20 "$folder.log" >&2; exit 1; }
  rm -rf "$folder"/var/cache/apt/* "$folder"/var/lib/apt/lists/* "$folder"/usr/share/{doc,man}/*
  tar -C "$folder" --numeric-owner -cf "$base.new" .
  mv "$base.new" "$base"
  rm -rf "$folder" "$folder.log"
}

# The files that come on top of the base.
make_top() {
  local top=$1 lib=$1/opt/nightjar/cache/elasticsearch-7.17.29
  "$root/deploy/local/elasticsearch/elasticsearch.sh" fetch
  mkdir -p "$lib" "$top/opt/nightjar/elasticsearch"
  cp -r "$cache"/elasticsearch-7.17.29/{lib,classes} "$lib/"
  cp "$root"/deploy/local/elasticsearch/*.sh "$top/opt/nightjar/elasticsearch/"
  cp "$here/elasticsearch.sh" "$root/deploy/local/replay.py" "$top/opt/nightjar/"
  mkdir -p "$top/usr/share/elasticsearch"/{config,data} "$top/prometheus"
  chown 1000:0 "$top/usr/share/elasticsearch/data"
  chown 65534:65534 "$top/prometheus"
}

main() {
  local top label
  DOCKER_HOST=${DOCKER_HOST:-$("$root/deploy/docker/engine.sh" answers)}
  export DOCKER_HOST
  label=$(wanted)
  [ "$(docker image inspect -f '{{.Config.Labels.wanted}}' "$image" 2>/dev/null)" != "$label" ] ||
    return 0
  make_base
  top=$(mktemp -d "$cache/compose/top.XXXXXX")
  # shellcheck disable=SC2064
  trap "rm -rf '$top'" EXIT
  make_top "$top"
  cp --reflink=auto "$base" "$top/image.tar"
  # Only what the base lacks: an image must not name a folder twice.
  tar -C "$top" --numeric-owner -rf "$top/image.tar" \
    ./opt/nightjar ./usr/share/elasticsearch ./prometheus
  docker import -c "LABEL wanted=$label" "$top/image.tar" "$image" >/dev/null
}

main
