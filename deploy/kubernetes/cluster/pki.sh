#!/usr/bin/env bash
# The authority of the test cluster, one certificate and kubeconfig for each of its parts.
#
#   pki.sh control FOLDER       authority, API server, controllers, scheduler, proxy, admin
#   pki.sh node FOLDER NUMBER   a kubelet
#
# Certificates go to FOLDER/pki, kubeconfigs to FOLDER.
set -euo pipefail
umask 077
run=$2
server=https://10.241.0.2:6443
curve=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes)

# certificate NAME SUBJECT SANS
certificate() {
  openssl req "${curve[@]}" -subj "$2" -keyout "$1.key" -out "$1.csr" 2>/dev/null
  openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -out "$1.crt" \
    -extfile <(printf 'extendedKeyUsage=serverAuth,clientAuth\nsubjectAltName=%s\n' "$3") \
    2>/dev/null
}

# client NAME SUBJECT: a certificate and a kubeconfig
client() {
  certificate "$1" "$2" "${3:-DNS:$1}"
  cat >"$run/$1.kubeconfig" <<Y
apiVersion: v1
kind: Config
clusters: [{name: test, cluster: {server: "$server", certificate-authority: $run/pki/ca.crt}}]
users: [{name: user, user: {client-certificate: $run/pki/$1.crt, client-key: $run/pki/$1.key}}]
contexts: [{name: test, context: {cluster: test, user: user}}]
current-context: test
Y
}

control() {
  local host=DNS:kubernetes.default.svc
  openssl req -x509 "${curve[@]}" -days 30 -subj /CN=test-cluster -keyout ca.key -out ca.crt \
    -addext basicConstraints=critical,CA:TRUE -addext keyUsage=critical,keyCertSign,cRLSign \
    2>/dev/null
  certificate apiserver /CN=kube-apiserver \
    "IP:127.0.0.1,IP:10.241.0.2,IP:10.96.0.1,DNS:kubernetes,DNS:kubernetes.default,$host"
  certificate kubelet-client /O=system:masters/CN=kube-apiserver-kubelet-client DNS:apiserver
  client admin /O=system:masters/CN=admin
  client controllers /CN=system:kube-controller-manager
  client scheduler /CN=system:kube-scheduler
  client proxy /CN=system:kube-proxy
  openssl genrsa -out accounts.key 2048 2>/dev/null
  openssl rsa -in accounts.key -pubout -out accounts.pub 2>/dev/null
}

mkdir -p "$run/pki"
cd "$run/pki"
case $1 in
  control) control ;;
  node) client "node$3" "/O=system:nodes/CN=system:node:node$3" \
    "DNS:node$3,IP:10.241.$(($3 + 1)).2" ;;
esac
