# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the image share; they source it first, with the build's directory as argument.
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
export build=$1 program=$1/bin/mrelease layout=$1/tests/image
number=0 failed=0
[[ ${MRELEASE_TEST_LONG-} ]] || { echo "1..0 # SKIP an image and its containers, with --long" && exit 77; }

# needs COMMAND…
needs() {
    local command
    for command in "$@"; do
        [[ $(type -P "$command") ]] || { echo "1..0 # SKIP $command is missing: ci/deps --packaging" && exit 77; }
    done
}

room=$(mktemp -d /var/tmp/mrelease-image.XXXXXX)
: >"$room/said"

ok() {
    local status=$?
    number=$((number + 1))
    ((status == 0)) || failed=1
    echo "$([[ $status == 0 ]] || echo 'not ')ok $number - $*"
    ((status == 0)) || tail -n 30 "$room/said" | sed 's/^/# /'
}

# await SECONDS COMMAND…
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

# unpack: the image's tree, in $room/bundle/rootfs, and what it says of itself in config.json beside.
unpack() {
    umoci unpack --image "$layout:mrelease:$("$program" version | sed -n 's/^mrelease //p')" "$room/bundle" >"$room/said" 2>&1
}

# end: the last line, and the exit status.
end() {
    echo "1..$number"
    exit "$failed"
}
