# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# Receivers that speak HTTP, for ci/test --long: each function installs one outside the tree, unless it is there,
# and prints where; or fails with a line that says why it is not to be had.

receivers=${MRELEASE_RECEIVERS:-$HOME/.cache/mrelease-receivers}

# receiver_needs PROGRAM
receiver_needs() {
    command -v "$1" >/dev/null || { echo "$1 is missing" && return 1; }
}

# receiver_make NAME MARK COMMAND…: runs the command in a new directory, which becomes $receivers/NAME; MARK is what
# it must leave there. A half-made one is never taken for one.
receiver_make() {
    local name=$1 mark=$2 room
    shift 2
    [[ -e $receivers/$name/$mark ]] && echo "$receivers/$name" && return
    mkdir -p "$receivers"
    room=$(mktemp -d "$receivers/new.XXXXXX")
    if (cd "$room" && timeout "${receivers_limit_s:-600}" nice "$@") >"$receivers/$name.log" 2>&1 && [[ -e $room/$mark ]] &&
        mv -T "$room" "$receivers/$name"; then
        echo "$receivers/$name"
    else
        rm -rf "$room"
        echo "$name cannot be installed: $(tail -n 1 "$receivers/$name.log")"
        return 1
    fi
}

receiver_opensearch() {
    receiver_needs java && receiver_needs mvn &&
        receiver_make opensearch-2.19.4 libs bash -c "cp '$PWD/tests/receivers/opensearch/'* . &&
            mvn -q dependency:copy-dependencies -DoutputDirectory=libs"
}

# shellcheck disable=SC2016
receiver_victorialogs() {
    receiver_needs go &&
        receiver_make victorialogs-1.52.1 victoria-logs bash -c 'GOBIN=$PWD go install \
            github.com/VictoriaMetrics/VictoriaLogs/app/victoria-logs@v1.52.1'
}

receiver_collector() {
    receiver_needs go &&
        receiver_make collector-0.165.0-2 otelcol env CGO_ENABLED=0 bash -c "cp '$PWD/tests/receivers/collector/'* . &&
            go build -mod=mod -ldflags '-s -w' -o otelcol ."
}

receiver_fluent_server() {
    receiver_needs npm && receiver_needs node &&
        receiver_make fluent-server-1.0.10 node_modules npm install --no-audit --no-fund --ignore-scripts @fluent-org/logger@1.0.10
}
