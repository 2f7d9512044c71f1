#!/usr/bin/env bash
# A real Elasticsearch 7.17 node from the jars published on Maven Central. Needs mvn, a JDK 17 and
# curl; no container.
#
#   elasticsearch.sh start PORT DATA_FOLDER [setting=value ...]   blocks until HTTP answers,
#   prints the pid
#   elasticsearch.sh run PORT DATA_FOLDER [setting=value ...]     becomes the node, log on stdout
#   elasticsearch.sh fetch                                        only fills the cache
#
# `kill PID` is a clean stop, `kill -9 PID` a crash; the data folder can be started again.
# Transport port = PORT + 100.
# Environment: ES_HEAP (512m), ES_WAIT seconds (90), NIGHTJAR_CACHE (~/.cache/nightjar), ES_NODE,
# ES_CLUSTER,
# ES_SEEDS host:port,... and ES_INITIAL_MASTERS for more than one node.
# Elasticsearch is licensed under SSPL / Elastic License 2.0: a dependency of demo and tests,
# never part of our packages.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/elasticsearch-7.17.29

fail() {
  echo "elasticsearch.sh: $1" >&2
  exit 2
}

fetch() {
  mkdir -p "$cache"
  exec 9>"$cache/lock" && flock 9  # two callers at once fetch once
  if [ ! -e "$cache/lib/.complete" ]; then
    for try in 1 2 3; do
      if (cd "$here" &&
        mvn -q -B -DoutputDirectory="$cache/lib" dependency:copy-dependencies >&2); then
        touch "$cache/lib/.complete"
        break
      fi
      [ "$try" -lt 3 ] || fail "mvn could not fetch the jars (three tries)"
    done
  fi
  if [ "$here/EsNode.java" -nt "$cache/classes/EsNode.class" ]; then
    mkdir -p "$cache/classes"
    javac -nowarn -cp "$cache/lib/*" -d "$cache/classes" "$here"/*.java >&2
  fi
  exec 9>&-
}

# Sets `node`, the command line of a node: node_command PORT DATA_FOLDER [setting=value ...]
node_command() {
  local port=$1 data=$2
  shift 2
  local heap=${ES_HEAP:-512m} discovery=(discovery.type=single-node)
  if [ -n "${ES_SEEDS:-}" ]; then
    discovery=("discovery.seed_hosts=$ES_SEEDS")
    if [ -n "${ES_INITIAL_MASTERS:-}" ]; then
      discovery+=("cluster.initial_master_nodes=$ES_INITIAL_MASTERS")
    fi
  fi
  node=(java "-Xms$heap" "-Xmx$heap" -XX:+UseG1GC -XX:-UsePerfData
    -Xlog:disable -Xlog:all=warning:stderr
    --add-opens=java.base/java.io=ALL-UNNAMED -Djava.locale.providers=SPI,COMPAT
    -Dlog4j2.disable.jmx=true -Dlog4j2.formatMsgNoLookups=true
    -Dio.netty.noUnsafe=true -Dio.netty.noKeySetOptimization=true
    -Dio.netty.recycler.maxCapacityPerThread=0 -Dio.netty.allocator.numDirectArenas=0
    -cp "$cache/classes:$cache/lib/*" EsNode
    path.home="$data" path.data="$data/data" path.repo="$data/repo"
    cluster.name="${ES_CLUSTER:-nightjar-$port}" node.name="${ES_NODE:-node-$port}"
    network.host=127.0.0.1
    http.port="$port" transport.port=$((port + 100)) http.type=netty4 transport.type=netty4
    cluster.routing.allocation.disk.threshold_enabled=false action.auto_create_index=true
    plugin=MiniDataStreamPlugin plugin=org.elasticsearch.transport.Netty4Plugin
    plugin=org.elasticsearch.reindex.ReindexPlugin
    plugin=org.elasticsearch.index.mapper.MapperExtrasPlugin
    plugin=org.elasticsearch.join.ParentJoinPlugin
    plugin=org.elasticsearch.search.aggregations.matrix.MatrixAggregationPlugin
    plugin=org.elasticsearch.script.mustache.MustachePlugin
    "${discovery[@]}" "$@")
}

run() {
  local port=$1 data
  data=$(cd "$2" && pwd)
  shift 2
  node_command "$port" "$data" "$@"
  cd "$data"
  exec "${node[@]}"
}

start() {
  local port=$1 data
  mkdir -p "$2" && data=$(cd "$2" && pwd)
  shift 2
  node_command "$port" "$data" "$@"
  cd "$data"
  setsid nohup "${node[@]}" >>"$data/elasticsearch.log" 2>&1 </dev/null &
  local pid=$!
  echo "$pid" >"$data/elasticsearch.pid"
  for _ in $(seq $((${ES_WAIT:-90} * 5))); do
    if ! kill -0 "$pid" 2>/dev/null; then
      echo "elasticsearch.sh: the node exited, see $data/elasticsearch.log:" >&2
      tail -5 "$data/elasticsearch.log" >&2
      return 1
    fi
    if curl -fs -m 2 "http://127.0.0.1:$port/_cluster/health?local=true" >/dev/null 2>&1; then
      echo "$pid"
      return 0
    fi
    sleep 0.2
  done
  echo "elasticsearch.sh: not ready after ${ES_WAIT:-90} s, see $data/elasticsearch.log" >&2
  kill -9 "$pid"
  return 1
}

case "${1:-}" in
  fetch) fetch ;;
  start) shift; fetch; start "$@" ;;
  run) shift; run "$@" ;;
  *) sed -n '2,12s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
