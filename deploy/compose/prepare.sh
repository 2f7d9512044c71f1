#!/usr/bin/env bash
# Makes what compose.yaml needs and is nobody else's business: .env from .env.example, random
# passwords and keys in secrets/, certificates in certificates/. What is there stays; run it again
# at any time, at the latest when certificates come near their end. Needs root: each secret belongs
# to the one user of the containers that read it.
#
# The key for an AlphaSOC engine, or the password of a search server elsewhere, is yours to put
# into secrets/engine_key, secrets/elastic_password (here the first line of standard input is taken
# for --engine-key or --elastic-password, so that it is in no list of processes):
#
#   prepare.sh [--engine-key | --elastic-password]
# Environment: NIGHTJAR_VERSION, instead of the newest image of the engine that answers.
set -euo pipefail
cd "$(dirname "$0")"
umask 077
stages=(es-reader scorer ae-forwarder alert-poller analytics-engine operator)
nightjar=65532:65532
search=1000:0

fail() { echo "prepare.sh: $1" >&2 && exit 1; }

# put NAME OWNER TEXT: the same inode when it is there already, which running containers look at.
put() {
  printf '%s\n' "$3" >>"secrets/$1.new"
  chown "$2" "secrets/$1.new" && chmod 400 "secrets/$1.new"
  if [ -e "secrets/$1" ]; then
    cat "secrets/$1.new" >"secrets/$1" && rm "secrets/$1.new"
  else
    mv "secrets/$1.new" "secrets/$1"
  fi
}

newest_version() {
  docker image ls --format '{{.Tag}}' nightjar/es-reader 2>/dev/null | head -1
}

make_env() {
  local version
  [ ! -e .env ] || return 0
  version=${NIGHTJAR_VERSION:-$(newest_version)}
  [ -n "$version" ] || fail "no image nightjar/es-reader on this engine: ./dev images makes them"
  sed "s/^NIGHTJAR_VERSION=.*/NIGHTJAR_VERSION=$version/" .env.example >.env
  chmod 644 .env # nothing in it is secret
  echo "made .env: images of version $version"
}

# The one password of the search server, for each user who reads it; an OpenSearch wants its hash.
put_password() {
  local salt hash
  salt=$(openssl rand -base64 48 | tr -dc 'A-Za-z0-9' | cut -c1-22)
  hash=$(PASSWORD=$1 SALT="\$2y\$12\$$salt" perl -e 'print crypt($ENV{PASSWORD}, $ENV{SALT})')
  put elastic_password "$nightjar" "$1"
  put elasticsearch_password "$search" "$1"
  put packetbeat_password 0:0 "$1"
  put internal_users.yml 1000:1000 "_meta: {type: internalusers, config_version: 2}
admin: {hash: \"$hash\", reserved: true, backend_roles: [admin]}"
}

random() { openssl rand -hex 24; }

make_secrets() {
  mkdir -p secrets
  [ -e secrets/elastic_password ] || put_password "$(random)"
  [ -e secrets/engine_key ] || put engine_key "$nightjar" "$(random)"
}

make_certificates() {
  ../certificates/certificates.sh certificates "${stages[@]}" elasticsearch opensearch
  for name in "${stages[@]}"; do chown -R "$nightjar" "certificates/$name"; done
  chown -R "$search" certificates/elasticsearch
  chown -R 1000:1000 certificates/opensearch
  chmod 644 certificates/ca.crt
  mkdir -p etc/tls # where each container has its own
  chmod 755 . etc etc/tls
}

[ "$(id -u)" -eq 0 ] || fail "run it as root: the secrets belong to the users of the containers"
make_env
make_secrets
make_certificates
case "${1:-}" in
  "") ;;
  --engine-key) read -r secret && put engine_key "$nightjar" "$secret" ;;
  --elastic-password) read -r secret && put_password "$secret" ;;
  *) sed -n '2,13s/^# \{0,1\}//p' "$0" >&2 && exit 64 ;;
esac
