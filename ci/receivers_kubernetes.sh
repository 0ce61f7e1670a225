# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What one node of Kubernetes needs that Debian has not, outside the tree, as ci/receivers_http.sh has its receivers.
. ci/receivers_http.sh

# Its programs, from source. It takes eight minutes on two cores, more on a busy machine, and room for 4 GB meanwhile.
# shellcheck disable=SC2016
receiver_kubernetes() {
    local name=kubernetes-1.34.1
    [[ -e $receivers/$name/made ]] || receiver_needs go || return 1
    receivers_limit_s=3600 receiver_make "$name" made env CGO_ENABLED=0 GOFLAGS="-mod=mod -modcacherw" bash -c '
        set -e
        cp "$0/tests/receivers/kubernetes/go.mod" .
        export GOCACHE=$PWD/cache GOMODCACHE=$PWD/modules
        version=k8s.io/component-base/version
        go build -p 2 -o . -ldflags "-s -w -X $version.gitVersion=v1.34.1 -X $version.gitMajor=1 -X $version.gitMinor=34" \
            k8s.io/kubernetes/cmd/kube{-apiserver,-controller-manager,-scheduler,let,ctl}
        rm -rf cache modules
        touch made' "$PWD"
}
