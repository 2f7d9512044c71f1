#!/usr/bin/env bash
# A real OpenSearch 2.19 with its security plugin, from the jars published on Maven Central: TLS on
# https://localhost:PORT, user admin, password admin. For tests; Apache-2.0. Needs mvn, a JDK 17,
# openssl and curl.
#
#   opensearch.sh fetch                     fills the cache
#   opensearch.sh start PORT DATA_FOLDER    blocks until HTTPS answers, prints the pid; the
#                                           authority's certificate is DATA_FOLDER/config/ca.pem
#
# Environment: ES_HEAP (512m), NIGHTJAR_CACHE (~/.cache/nightjar).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
version=2.19.3
cache=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/opensearch-$version
start_seconds=240

fetch() {
  mkdir -p "$cache/classes" "$cache/security"
  exec 9>"$cache/lock" && flock 9 # two callers at once fetch once
  if [ ! -e "$cache/.complete" ]; then
    for try in 1 2 3; do
      if (cd "$here" && mvn -q -B -DoutputDirectory="$cache/lib" dependency:copy-dependencies &&
        mvn -q -B -DoutputDirectory="$cache" dependency:copy \
          "-Dartifact=org.opensearch.plugin:opensearch-security:$version.0:zip") >&2; then
        (cd "$cache/security" && jar xf "../opensearch-security-$version.0.zip")
        touch "$cache/.complete"
        break
      fi
      [ "$try" -lt 3 ] || { echo "opensearch.sh: mvn could not fetch the jars" >&2; exit 2; }
    done
  fi
  if [ "$here/OpenSearchNode.java" -nt "$cache/classes/OpenSearchNode.class" ]; then
    javac -nowarn -cp "$cache/lib/*" -d "$cache/classes" "$here/OpenSearchNode.java" >&2
  fi
  exec 9>&-
}

# An authority and the node's certificate.
certificates() {
  openssl req -x509 -newkey rsa:2048 -nodes -days 30 -subj "/CN=test authority" \
    -keyout ca.key -out ca.pem 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=node" -keyout node.key -out node.csr 2>/dev/null
  openssl x509 -req -in node.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 30 -out node.pem \
    -extfile <(printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\n') 2>/dev/null
}

start() {
  local port=$1 data heap=${ES_HEAP:-512m}
  mkdir -p "$2/config/opensearch-security" && data=$(cd "$2" && pwd)
  cp -n "$cache"/security/config/*.yml "$data/config/opensearch-security/"
  (cd "$data/config" && certificates)
  local tls=plugins.security.ssl
  cd "$data"
  setsid nohup java "-Xms$heap" "-Xmx$heap" -XX:-UsePerfData \
    --add-opens=java.base/java.io=ALL-UNNAMED -Djava.locale.providers=SPI,COMPAT \
    -Dlog4j2.disable.jmx=true -Dio.netty.noUnsafe=true \
    -Dio.netty.noKeySetOptimization=true -Dio.netty.recycler.maxCapacityPerThread=0 \
    -Dio.netty.allocator.numDirectArenas=0 \
    -cp "$cache/classes:$cache/lib/*:$cache/security/*" OpenSearchNode \
    path.home="$data" path.data="$data/data" node.name=node network.host=127.0.0.1 \
    http.port="$port" transport.port=$((port + 100)) discovery.type=single-node \
    cluster.routing.allocation.disk.threshold_enabled=false \
    plugin=org.opensearch.transport.Netty4Plugin \
    plugin=org.opensearch.index.mapper.MapperExtrasPlugin \
    plugin=org.opensearch.security.OpenSearchSecurityPlugin \
    $tls.transport.pemcert_filepath=node.pem $tls.transport.pemkey_filepath=node.key \
    $tls.transport.pemtrustedcas_filepath=ca.pem \
    $tls.transport.enforce_hostname_verification=false \
    $tls.http.enabled=true $tls.http.pemcert_filepath=node.pem \
    $tls.http.pemkey_filepath=node.key $tls.http.pemtrustedcas_filepath=ca.pem \
    plugins.security.allow_default_init_securityindex=true \
    plugins.security.allow_unsafe_democertificates=true \
    plugins.security.nodes_dn=CN=node plugins.security.authcz.admin_dn=CN=admin \
    plugins.security.restapi.roles_enabled=all_access \
    plugins.security.audit.type=noop >>"$data/opensearch.log" 2>&1 </dev/null &
  local pid=$!
  for _ in $(seq $((start_seconds * 5))); do
    if ! kill -0 "$pid" 2>/dev/null; then break; fi
    if curl -fs -m 2 --cacert "$data/config/ca.pem" -u admin:admin \
      "https://localhost:$port/_cluster/health" >/dev/null 2>&1; then
      echo "$pid"
      return 0
    fi
    sleep 0.2
  done
  echo "opensearch.sh: not ready, see $data/opensearch.log:" >&2
  tail -20 "$data/opensearch.log" >&2
  kill -9 "$pid" 2>/dev/null || true
  return 1
}

case "${1:-}" in
  fetch) fetch ;;
  start) shift; fetch; start "$@" ;;
  *) sed -n '2,10s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
