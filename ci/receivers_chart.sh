# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What judges the chart, outside the tree, as ci/receivers_http.sh has its receivers: helm, and the schemas of Kubernetes.
. ci/receivers_http.sh

# It takes two minutes, and ten on a busy machine.
# shellcheck disable=SC2016
receiver_helm() {
    [[ -e $receivers/helm-3.14.4/helm ]] || receiver_needs go || return 1
    receivers_limit_s=1500 receiver_make helm-3.14.4 helm bash -c 'GOBIN=$PWD go install -p 2 -ldflags "-s -w" \
        helm.sh/helm/v3/cmd/helm@v3.14.4'
}

# Of an environment, the place is part: it is made where it stays.
receiver_kubernetes_validate() {
    local room=$receivers/kubernetes-validate-1.37.0
    [[ -e $room/made ]] && echo "$room" && return
    mkdir -p "$receivers"
    if { python3 -m venv --clear "$room" && "$room/bin/pip" install -q kubernetes-validate==1.37.0; } >"$room.log" 2>&1 &&
        touch "$room/made"; then
        echo "$room"
    else
        echo "kubernetes-validate-1.37.0 cannot be installed: $(tail -n 1 "$room.log")"
        return 1
    fi
}
