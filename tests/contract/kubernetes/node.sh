# shellcheck shell=bash disable=SC2154
# SPDX-License-Identifier: Apache-2.0
# One node of Kubernetes in namespaces of its own: mounts, network and processes end with its first process, whatever
# happens. On the host there are only $room and the cgroups named $node. node.bash sources it; inside, it is run as
# node.sh ROOM NODE PROGRAMS.

node_api=https://127.0.0.1:6443

# node_cgroups: each hierarchy of this host in which controllers, or systemd, have their cgroups.
node_cgroups() {
    awk '$3 == "cgroup" || $3 == "cgroup2" { print $2 }' /proc/self/mounts
}

# node_start: returns at once; what its programs say is in $room/log.
node_start() {
    local hierarchy
    mkdir -p "$room"/{log,lib,etc}
    for hierarchy in $(node_cgroups); do
        mkdir -p "$hierarchy/$node"
    done
    unshare --mount --net --pid --fork --kill-child --mount-proc bash "${BASH_SOURCE[0]}" "$room" "$node" "$programs" \
        >"$room/log/node" 2>&1 &
    node_shell=$!
    await 10 test -e "$room/etc/started"
    node_init=$(pgrep -P "$node_shell")
}

# inside COMMAND…: in the namespaces of the node.
inside() { nsenter --target "$node_init" --mount --net --pid --wd="$PWD" "$@"; }

# kubectl WORD…
kubectl() { inside "$programs/kubectl" --kubeconfig "$room/etc/kubeconfig" "$@"; }

# node_stop: kills the first process, and with it all others; the cgroups are empty then.
node_stop() {
    local hierarchy
    [[ -z ${node_init-} ]] || kill -KILL "$node_init" 2>/dev/null
    [[ -z ${node_shell-} ]] || wait "$node_shell" 2>/dev/null
    for hierarchy in $(node_cgroups); do
        [[ ! -d $hierarchy/$node ]] || await 10 node_remove "$hierarchy/$node"
    done
    node_init="" node_shell=""
}

node_remove() { find "$1" -depth -type d -exec rmdir {} + && [[ ! -d $1 ]]; }

[[ ${BASH_SOURCE[0]} == "$0" ]] || return 0

# -- inside, as the first process
set -e
room=$1 node=$2 programs=$3 files=$(cd "${0%/*}" && pwd)

# What the kubelet would set for the whole host: it finds it set.
pretend() {
    echo "$2" >"$room/etc/${1##*/}"
    mount --bind "$room/etc/${1##*/}" "/proc/sys/$1"
}

# start NAME COMMAND…
start() {
    "${@:2}" >"$room/log/$1" 2>&1 &
    echo "$! $1" >>"$room/etc/pids"
}

mount --make-rprivate /
mount --bind "$room/lib" /var/lib
mount --bind "$room/log" /var/log
mount -t tmpfs run /run
pretend vm/overcommit_memory 1
pretend vm/panic_on_oom 0
pretend kernel/panic 10
pretend kernel/panic_on_oops 1
pretend kernel/keys/root_maxkeys 1000000
pretend kernel/keys/root_maxbytes 25000000
ip link set lo up
ip link add cni0 type bridge
ip address add 10.88.0.1/24 dev cni0
ip link set cni0 up
mkdir -p /run/cni
cat >/run/cni/node.conflist <<'CNI'
{"cniVersion": "0.4.0", "name": "node", "plugins": [{"type": "bridge", "bridge": "cni0", "isGateway": true, "ipam":
    {"type": "host-local", "ranges": [[{"subnet": "10.88.0.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}}]}
CNI
cd "$room/etc"
openssl genrsa -out account.key 2048 2>/dev/null
token=$(openssl rand -hex 16)
echo "$token,admin,admin,system:masters" >tokens
cat >kubeconfig <<KUBECONFIG
{apiVersion: v1, kind: Config, current-context: node,
 clusters: [{name: node, cluster: {server: "$node_api", insecure-skip-tls-verify: true}}],
 users: [{name: admin, user: {token: $token}}], contexts: [{name: node, context: {cluster: node, user: admin}}]}
KUBECONFIG
chmod 600 kubeconfig
touch started
{ cat "$files/kubelet.yaml" && echo "cgroupRoot: /$node"; } >kubelet.yaml

start etcd etcd --data-dir "$room/lib/etcd" --unsafe-no-fsync
start apiserver "$programs/kube-apiserver" --etcd-servers=http://127.0.0.1:2379 --secure-port=6443 --bind-address=127.0.0.1 \
    --advertise-address=10.88.0.1 --endpoint-reconciler-type=none --service-cluster-ip-range=10.89.0.0/24 --cert-dir=. \
    --token-auth-file=tokens --authorization-mode=Node,RBAC --service-account-issuer="$node_api" \
    --service-account-signing-key-file=account.key --service-account-key-file=account.key \
    --kubelet-preferred-address-types=InternalIP
start containerd containerd --config "$files/containerd.toml"
until "$programs/kubectl" --kubeconfig=kubeconfig get --raw /readyz >/dev/null 2>&1; do sleep 0.2; done
start controller-manager "$programs/kube-controller-manager" --kubeconfig=kubeconfig --leader-elect=false \
    --service-account-private-key-file=account.key --root-ca-file=apiserver.crt
start scheduler "$programs/kube-scheduler" --kubeconfig=kubeconfig --leader-elect=false
start kubelet "$programs/kubelet" --config=kubelet.yaml --kubeconfig=kubeconfig --hostname-override=node \
    --node-ip=10.88.0.1
# Until all of them have ended. Whoever loses its parent is this one's child.
wait
