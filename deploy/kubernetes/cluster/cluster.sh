#!/usr/bin/env bash
# A real Kubernetes for tests: control plane and nodes on this machine, each in network, PID and
# mount namespaces of its own, nothing of it outside but one link (nightjar-kube, 10.241.0.1) and
# one folder. Needs root, and build.sh to have run.
#
#   cluster.sh up                    control plane, node 0 and DNS; about 15 s
#   cluster.sh control               only the API server, enough for --dry-run=server; 5 s
#   cluster.sh node NUMBER           a further node
#   cluster.sh load ARCHIVE ...      images for every node that is up
#   cluster.sh lose NUMBER           a node is gone, as by a power cut
#   cluster.sh down                  ends and removes all of it
#   cluster.sh kubeconfig            prints the path
#
# Pods reach this machine at 10.241.0.1. There is no network policy controller and no storage
# provisioner. Environment: NIGHTJAR_CACHE (~/.cache/nightjar).
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
cache=${NIGHTJAR_CACHE:-$HOME/.cache/nightjar}/kubernetes
bin=$cache/bin
run=$cache/run
kubectl=("$bin/kubectl" --kubeconfig "$run/admin.kubeconfig")
link=nightjar-kube
ready_seconds=120

# wait_for WHAT COMMAND...: until it succeeds
wait_for() {
  local what=$1 started=$SECONDS
  shift
  until "$@" >/dev/null 2>&1; do
    sleep 0.2
    [ $((SECONDS - started)) -lt $ready_seconds ] && continue
    echo "cluster.sh: $what is not ready after $ready_seconds s; logs are in $run" >&2
    exit 1
  done
}

# namespace NAME NUMBER: a network with the address 10.241.NUMBER.2; .1 is the other end, which the
# machine has for the control plane, and the control plane for nodes.
namespace() {
  ip netns add "$1"
  if [ "$2" = 0 ]; then
    ip link add $link type veth peer name eth0 netns "$1"
    ip addr add 10.241.0.1/30 dev $link
    ip link set $link up
    ip route add 10.241.0.0/16 via 10.241.0.2 dev $link
  else
    ip -n nightjar-control link add "node$2" type veth peer name eth0 netns "$1"
    ip -n nightjar-control addr add "10.241.$2.1/30" dev "node$2"
    ip -n nightjar-control link set "node$2" up
  fi
  ip -n "$1" addr add "10.241.$2.2/30" dev eth0
  ip -n "$1" link set lo up
  ip -n "$1" link set eth0 up
  ip -n "$1" route add default via "10.241.$2.1"
}

# enter NAMESPACE FOLDER ARGUMENTS...: this script again, as PID 1 of new namespaces
enter() {
  local network=$1 folder=$2
  shift 2
  mkdir -p "$folder/log"
  setsid nohup nsenter --net="/run/netns/$network" \
    unshare --mount --pid --fork --kill-child --mount-proc "$here/cluster.sh" "$@" \
    >"$folder/log/start.log" 2>&1 </dev/null &
  echo $! >"$folder/pid"
}

# What the parts share once they are inside: mounts that the machine does not see.
isolate() {
  mount --make-rshared /
  local folder
  for folder in /run/netns /run/containerd /var/lib/cni /var/log/containers; do
    mkdir -p "$folder"
    mount -t tmpfs tmpfs "$folder"
  done
  echo 1 >/proc/sys/net/ipv4/ip_forward
  echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables 2>/dev/null || true
  trap 'exit 0' TERM INT
}

# The kubelet would set these for the whole kernel; here it finds them set.
pretend_sysctls() {
  local setting file
  mkdir -p "$1"
  for setting in vm/overcommit_memory=1 vm/panic_on_oom=0 kernel/panic=10 \
    kernel/panic_on_oops=1 kernel/keys/root_maxkeys=1000000 kernel/keys/root_maxbytes=25000000; do
    file=$1/$(basename "${setting%=*}")
    echo "${setting#*=}" >"$file"
    mount --bind "$file" "/proc/sys/${setting%=*}"
  done
}

# part FOLDER NAME COMMAND...: in the background, with a log
part() { "${@:3}" >"$1/log/$2.log" 2>&1 & }

wait_for_ever() { while :; do sleep 3600 & wait $!; done; }

inside_control() {
  isolate
  local etcd=http://127.0.0.1:2379 peer=http://127.0.0.1:2380 pki=$run/pki
  part "$run" etcd etcd --data-dir "$run/etcd" --listen-client-urls $etcd \
    --advertise-client-urls $etcd --listen-peer-urls $peer --initial-advertise-peer-urls $peer \
    --initial-cluster default=$peer
  part "$run" apiserver "$bin/kube-apiserver" --etcd-servers=$etcd --secure-port=6443 \
    --advertise-address=10.241.0.2 --service-cluster-ip-range=10.96.0.0/16 --profiling=false \
    --tls-cert-file="$pki/apiserver.crt" --tls-private-key-file="$pki/apiserver.key" \
    --client-ca-file="$pki/ca.crt" --kubelet-certificate-authority="$pki/ca.crt" \
    --kubelet-client-certificate="$pki/kubelet-client.crt" \
    --kubelet-client-key="$pki/kubelet-client.key" \
    --kubelet-preferred-address-types=InternalIP --authorization-mode=Node,RBAC \
    --enable-admission-plugins=NodeRestriction \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local \
    --service-account-key-file="$pki/accounts.pub" \
    --service-account-signing-key-file="$pki/accounts.key"
  if [ "$1" = all ]; then
    wait_for "the API server" "${kubectl[@]}" get --raw /readyz
    part "$run" controllers "$bin/kube-controller-manager" --leader-elect=false \
      --kubeconfig="$run/controllers.kubeconfig" --root-ca-file="$pki/ca.crt" \
      --service-account-private-key-file="$pki/accounts.key" --bind-address=127.0.0.1 \
      --use-service-account-credentials --node-monitor-period=2s --node-monitor-grace-period=12s
    part "$run" scheduler "$bin/kube-scheduler" --leader-elect=false --bind-address=127.0.0.1 \
      --kubeconfig="$run/scheduler.kubeconfig"
  fi
  wait_for_ever
}

inside_node() {
  local folder=$run/node$1
  isolate
  pretend_sysctls "$folder/sysctl"
  part "$folder" containerd containerd -c "$folder/containerd.toml" -l info
  wait_for containerd ctr -a "$folder/containerd.sock" version
  local archive
  for archive in "$cache"/images/*.tar; do import "$folder" "$archive"; done
  part "$folder" kubelet "$bin/kubelet" --config="$folder/kubelet.yaml" \
    --kubeconfig="$run/node$1.kubeconfig" --hostname-override="node$1" \
    --node-ip="10.241.$(($1 + 1)).2" --root-dir="$folder/kubelet" --cert-dir="$folder/kubelet-pki"
  part "$folder" proxy "$bin/kube-proxy" --config="$folder/proxy.yaml"
  wait_for_ever
}

import() { ctr -a "$1/containerd.sock" -n k8s.io images import "$2" >>"$1/log/import.log" 2>&1; }

control() {
  down
  mkdir -p "$run"
  "$here/pki.sh" control "$run"
  namespace nightjar-control 0
  enter nightjar-control "$run" inside_control "${1:-alone}"
  wait_for "the API server" "${kubectl[@]}" get --raw /readyz
}

# Folders of its own in the cgroup hierarchies of version 1, or in the one of version 2.
cgroups() {
  local hierarchy
  for hierarchy in /sys/fs/cgroup /sys/fs/cgroup/*; do
    if [ -e "$hierarchy/cgroup.procs" ]; then mkdir -p "$hierarchy/nightjar-node$1"; fi
    [ -e /sys/fs/cgroup/cgroup.controllers ] && return
  done
  local set=/sys/fs/cgroup/cpuset
  cat $set/cpuset.cpus >"$set/nightjar-node$1/cpuset.cpus"
  cat $set/cpuset.mems >"$set/nightjar-node$1/cpuset.mems"
}

node() {
  local number=$1 folder=$run/node$1 file
  mkdir -p "$folder/cni"
  "$here/pki.sh" node "$run" "$number"
  for file in cni.conflist containerd.toml kubelet.yaml proxy.yaml; do
    sed "s|@NODE@|$folder|g; s|@RUN@|$run|g; s|@NUMBER@|$number|g" "$here/config/$file" \
      >"$folder/$file"
  done
  mv "$folder/cni.conflist" "$folder/cni/"
  cgroups "$number"
  namespace "nightjar-node$number" $((number + 1))
  ip -n nightjar-control route add "10.244.$number.0/24" via "10.241.$((number + 1)).2"
  enter "nightjar-node$number" "$folder" inside_node "$number"
  wait_for "node$number" "${kubectl[@]}" wait --for=condition=Ready "node/node$number" --timeout=2s
}

up() {
  control all
  node 0
  "${kubectl[@]}" apply -f "$here/config/coredns.yaml" >/dev/null
  "${kubectl[@]}" -n kube-system rollout status deployment/coredns --timeout=90s >/dev/null
}

load() {
  local archive pid
  for archive; do
    for pid in "$run"/node*/pid; do
      nsenter --mount="/proc/$(pgrep -P "$(cat "$pid")")/ns/mnt" "$here/cluster.sh" \
        import "$(dirname "$pid")" "$(realpath "$archive")"
    done
  done
}

# Kills the PID namespace behind a pid file, and its network. The file may be older than the machine
# is up, and its number by now another program's.
end() {
  local pid_file=$1 network=$2 pid
  pid=$(cat "$pid_file" 2>/dev/null || echo none)
  if grep -qs cluster.sh "/proc/$pid/cmdline"; then kill -KILL "$pid"; fi
  rm -f "$pid_file"
  ip netns del "$network" 2>/dev/null || true
}

lose() {
  end "$run/node$1/pid" "nightjar-node$1"
  ip -n nightjar-control link del "node$(($1 + 1))" 2>/dev/null || true
}

down() {
  local folder
  for folder in "$run"/node[0-9]*/; do
    if [ -d "$folder" ]; then lose "$(basename "$folder" | tr -dc 0-9)"; fi
  done
  end "$run/pid" nightjar-control
  ip link del $link 2>/dev/null || true
  for folder in /sys/fs/cgroup/nightjar-node* /sys/fs/cgroup/*/nightjar-node*; do
    if [ -d "$folder" ]; then wait_for "$folder" remove_cgroup "$folder"; fi
  done
  wait_for "$run" rm -rf "$run"
}

remove_cgroup() {
  find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true
  [ ! -d "$1" ]
}

kubeconfig() { echo "$run/admin.kubeconfig"; }

case "${1:-}" in
  up | control | node | load | lose | down | kubeconfig | inside_control | inside_node | import)
    "$@"
    ;;
  *) sed -n '2,17s/^# \{0,1\}//p' "$0" >&2; exit 64 ;;
esac
