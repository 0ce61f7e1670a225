# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash disable=SC2154
# TAP, for tests that are scripts of the shell: they source it, and have a directory $room, where $room/said is what is
# shown of a check that failed.
number=0 failed=0

# ok WORDS…: a line about the command before.
ok() {
    local status=$?
    number=$((number + 1))
    ((status == 0)) || failed=1
    echo "$([[ $status == 0 ]] || echo 'not ')ok $number - $*"
    ((status == 0)) || [[ ! -s $room/said ]] || tail -n 30 "$room/said" | sed 's/^/# /'
}

# await SECONDS COMMAND…: until it succeeds; 1: it did not.
await() {
    local end=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.2
    done
}

# end: the last line, and the exit status.
end() {
    echo "1..$number"
    exit "$failed"
}
