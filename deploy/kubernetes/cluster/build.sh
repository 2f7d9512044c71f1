#!/usr/bin/env bash
# Builds what the test cluster is made of, where it is missing: the Kubernetes programs and CoreDNS
# from the Go module proxy (11 minutes of CPU; kubectl alone 3), the images of pause and CoreDNS,
# and the types that cert-manager and the Prometheus operator define.
#
#   build.sh [PROGRAM ...]    all, or only kubectl, kube-apiserver, ...
#
# Prints nothing when all is there. Environment: NIGHTJAR_CACHE (~/.cache/nightjar).
set -euo pipefail
here=$(dirname "$(realpath "$0")")
cache=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/kubernetes
version=v1.34.4
go_wanted=1.25.0  # for modules of these versions; an older Go fetches it as a module
programs=(kubectl kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

# build_program FOLDER PACKAGE OUTPUT: a static program.
build_program() {
  local set="-X k8s.io/component-base/version" go_program started=$SECONDS
  go_program=$("$here/../../../third_party/go.sh" "$go_wanted")
  mkdir -p "$(dirname "$3")"
  (cd "$1" && CGO_ENABLED=0 GOTOOLCHAIN=local "$go_program" build -trimpath -tags selinux,notest \
    -ldflags "-s -w $set.gitVersion=$version $set.gitMajor=1 $set.gitMinor=34 \
      $set.gitTreeState=clean -X k8s.io/client-go/pkg/version.gitVersion=$version" \
    -o "$3.new" "$2")
  mv "$3.new" "$3"
  echo "built $3 in $((SECONDS - started)) s"
}

build_images() {
  local work
  if [ -e "$cache/images/pause.tar" ] && [ -e "$cache/images/coredns.tar" ]; then return; fi
  mkdir -p "$cache/images"
  work=$(mktemp -d)
  cc -O2 -static -o "$work/pause" "$here/pause.c"
  "$here/image.py" localhost/nightjar/pause:dev "$cache/images/pause.tar" "$work/pause=/pause"
  "$here/image.py" localhost/nightjar/coredns:dev "$cache/images/coredns.tar" \
    "$cache/bin/coredns=/coredns"
  rm -r "$work"
}

# fetch_types MODULE FILE...: CustomResourceDefinitions out of a Go module
fetch_types() {
  local folder file
  folder=$(cd "$(mktemp -d)" && go mod download -json "$1" | sed -n 's/.*"Dir": "\(.*\)".*/\1/p')
  mkdir -p "$cache/types"
  for file in "${@:2}"; do
    # Some are templates, in comments and labels only.
    sed "/'{{/d" "$folder/$file" >"$cache/types/$(basename "$file")"
  done
}

types() {
  local monitoring=example/prometheus-operator-crd/monitoring.coreos.com_
  [ ! -e "$cache/types/crd-issuers.yaml" ] || return 0
  fetch_types github.com/prometheus-operator/prometheus-operator@v0.77.2 \
    ${monitoring}servicemonitors.yaml ${monitoring}prometheusrules.yaml
  fetch_types github.com/cert-manager/cert-manager@v1.15.3 \
    deploy/crds/crd-certificates.yaml deploy/crds/crd-issuers.yaml
}

for program in "${@:-${programs[@]}}"; do
  [ -x "$cache/bin/$program" ] ||
    build_program "$here/binaries" "k8s.io/kubernetes/cmd/$program" "$cache/bin/$program"
done
[ $# -eq 0 ] || exit 0
[ -x "$cache/bin/coredns" ] || build_program "$here/dns" . "$cache/bin/coredns"
build_images
types
