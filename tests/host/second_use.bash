#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# What docs/siem.md shows of a store: its commands, as they stand there, but for the port and the
# place of the store: second_use.bash PROGRAM
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
. ci/receivers_http.sh
for tool in jq curl; do
    command -v "$tool" >/dev/null || { echo "1..0 # SKIP $tool is missing" && exit 77; }
done
if ! store=$(receiver_opensearch); then
    echo "1..0 # SKIP no store: ${store##*$'\n'}"
    exit 77
fi
port=$((20000 + $$ % 10000)) room=$(mktemp -d)
commands=$(awk '/^```/ { if (on) exit; text = ""; next } { text = text $0 "\n" }
    /^store=/ { on = 1 } END { printf "%s", text }' docs/siem.md |
    sed "s|~/.cache/mrelease-receivers|$receivers|; s|localhost:9200|localhost:$port|g; s|\" 9200|\" $port|")
# Jobs are told by number only where there is job control; what is left of them is ended here.
(
    trap 'kill $(jobs -p) 2>/dev/null; wait' EXIT
    set -m
    export PATH="${1%/*}:$PATH" TMPDIR=$room MRELEASE_RECEIVERS=$receivers
    eval "$commands"
    # shellcheck disable=SC2154 # the commands name it
    echo "found $(wc -l <"$home/found")"
) >"$room/said" 2>&1
echo 1..1
if grep -q '^-: [1-9][0-9]* lines, [1-9][0-9]* valid, 0 not (ecs)' "$room/said" && grep -q '^found [1-9]' "$room/said"; then
    echo "ok 1 - a live event becomes a valid document in a store, by the commands of docs/siem.md"
    rm -rf "$room"
    exit 0
fi
echo "not ok 1 - the commands of docs/siem.md"
sed 's/^/# /' "$room/said" | tail -n 40
rm -rf "$room"
exit 1
