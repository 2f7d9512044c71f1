#!/usr/bin/env bash
# Certificates for mutual TLS between the stages: one authority, one certificate a stage.
#
#   certificates.sh FOLDER [NAME[=SAN,SAN...] ...]
#
# Makes FOLDER/ca.crt and ca.key, and for each NAME FOLDER/NAME/{ca.crt,tls.crt,tls.key}, the names
# that Kubernetes and cert-manager use. Without names: every stage, and `operator` for people. Run
# it again at any time: what is valid for 30 days more is kept, the rest is made anew with the same
# authority, and running stages take it up within seconds. Keep ca.key off the machines that serve.
# Environment: NAMESPACE (nightjar), for the names of Kubernetes services; DAYS (365).
set -euo pipefail
umask 077
[ $# -ge 1 ] || { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 64; }
folder=$1
shift
namespace=${NAMESPACE:-nightjar}
[ $# -gt 0 ] || set -- es-reader scorer ae-forwarder alert-poller analytics-engine operator
mkdir -p "$folder"
work=$(mktemp -d "$folder/.work.XXXXXX")
trap 'rm -rf "$work"' EXIT

new_key() { openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out "$1" 2>/dev/null; }

valid() { [ -s "$1" ] && openssl x509 -in "$1" -noout -checkend $((30 * 86400)) >/dev/null; }

# The names by which a stage is found; those of StatefulSet pods too, since each has its own.
names() {
  local name=$1 host
  for host in "$name" "$name-0.$name" "$name-1.$name" "$name-2.$name"; do
    printf 'DNS:%s,DNS:%s,DNS:%s,' "$host" "$host.$namespace" "$host.$namespace.svc"
    printf 'DNS:%s,' "$host.$namespace.svc.cluster.local"
  done
  printf 'DNS:localhost,IP:127.0.0.1'
}

if ! valid "$folder/ca.crt"; then
  new_key "$work/ca.key"
  openssl req -x509 -key "$work/ca.key" -days 3650 -subj "/CN=Nightjar authority" \
    -addext keyUsage=critical,keyCertSign,cRLSign -out "$work/ca.crt"
  mv "$work/ca.key" "$work/ca.crt" "$folder/"
  rm -f "$folder"/*/tls.crt  # of the authority before
fi

for entry in "$@"; do
  name=${entry%%=*}
  if valid "$folder/$name/tls.crt"; then continue; fi
  sans=$(names "$name")
  [ "$entry" = "$name" ] || sans+=",DNS:$(echo "${entry#*=}" | sed 's/,/,DNS:/g')"
  mkdir -p "$folder/$name"
  new_key "$work/tls.key"
  openssl req -new -key "$work/tls.key" -subj "/CN=$name" -out "$work/tls.csr"
  printf 'subjectAltName=%s\nextendedKeyUsage=serverAuth,clientAuth\n' "$sans" >"$work/extensions"
  printf 'basicConstraints=critical,CA:FALSE\nkeyUsage=critical,digitalSignature\n' \
    >>"$work/extensions"
  openssl x509 -req -in "$work/tls.csr" -CA "$folder/ca.crt" -CAkey "$folder/ca.key" \
    -set_serial "0x$(openssl rand -hex 16)" -days "${DAYS:-365}" \
    -extfile "$work/extensions" -out "$work/tls.crt" 2>/dev/null
  cp "$folder/ca.crt" "$work/ca.copy"
  mv "$work/ca.copy" "$folder/$name/ca.crt"
  mv "$work/tls.key" "$work/tls.crt" "$folder/$name/"
  echo "$folder/$name: valid for ${DAYS:-365} days"
done
