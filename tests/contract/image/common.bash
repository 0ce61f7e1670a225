# shellcheck shell=bash
# SPDX-License-Identifier: Apache-2.0
# What the tests of the image share; they source it first, with the build's directory as argument.
cd "$(dirname "${BASH_SOURCE[0]}")/../../.." || exit 1
export build=$1 program=$1/bin/mrelease layout=$1/tests/image
. tests/contract/tap.sh
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

# unpack: the image's tree, in $room/bundle/rootfs, and what it says of itself in config.json beside.
unpack() {
    umoci unpack --image "$layout:mrelease:$("$program" version | sed -n 's/^mrelease //p')" "$room/bundle" >"$room/said" 2>&1
}
