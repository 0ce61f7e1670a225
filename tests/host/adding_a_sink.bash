#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The steps of docs/adding-a-sink.md, as they are written there, in a copy of the tree. Prints TAP.
# adding_a_sink.bash [TREE]: TREE is a copy that adding_an_event.bash left, with what it built; it is taken, and gone then.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
page=$PWD/docs/adding-a-sink.md
tree=${1:-}
[[ -d $tree ]] || tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
number=0 failed=0

# report NAME STATUS: what is on standard input says why.
report() {
    number=$((number + 1))
    if (($2)); then
        failed=1
        printf 'not ok %d - %s\n' "$number" "$1"
        tail -n 20 | sed 's/^/# /'
    else
        printf 'ok %d - %s\n' "$number" "$1"
        cat >/dev/null
    fi
}

# blocks LANGUAGE: the code blocks of the page that are in it.
blocks() {
    awk -v fence='```'"$1" '$0 == "```" { inside = 0 } inside; $0 == fence { inside = 1 }' "$page"
}

# has NAME TEXT FILE
has() {
    grep -qF -- "$2" "$3"
    report "$1" $? <"$3"
}

echo 1..10
[[ -e $tree/CMakeLists.txt ]] || git ls-files -z | tar --null --files-from=- --create | tar --extract --directory "$tree"
blocks c >"$tree/plugin/lib/sinks/fd.c"
(cd "$tree" && blocks diff | patch -p1) >"$tree/patch.txt" 2>&1
report "the line of the page fits the list of sinks" $? <"$tree/patch.txt"
name="the file of the page is formatted as the others"
if type -P clang-format-14 >/dev/null; then
    clang-format-14 --dry-run -Werror --style="file:$PWD/.clang-format" "$tree/plugin/lib/sinks/fd.c" >"$tree/format.txt" 2>&1
    report "$name" $? <"$tree/format.txt"
else
    report "$name # SKIP there is no clang-format-14 here" 0 </dev/null
fi
(cd "$tree" && blocks sh | bash -eu) >"$tree/steps.txt" 2>&1
report "the steps of the page run" $? <"$tree/steps.txt"
has "help names the destination" 'fd:NUMBER' "$tree/steps.txt"
has "help names its option" 'banner=TEXT' "$tree/steps.txt"
has "a wrong destination is refused with the sink's own words" "'x' is no number of a descriptor" "$tree/steps.txt"
has "a misspelled option names the right one" "unknown output setting 'baner': did you mean 'banner'?" "$tree/steps.txt"
[[ $(grep -c '^status 2$' "$tree/steps.txt") == 2 ]]
report "both are usage errors" $? <"$tree/steps.txt"
[[ $(head -n 1 "$tree/events.txt") == begin ]]
report "the option did what it is for" $? <"$tree/events.txt"
diff <(tail -n +2 "$tree/events.txt") <("$tree/build/dev/bin/mrelease" replay --log-level error --output json \
    tests/contract/falco/captures/stranger_reaps.cap) >"$tree/diff.txt" 2>&1 && [[ $(wc -l <"$tree/events.txt") -gt 2 ]]
report "the events arrive as on standard output" $? <"$tree/diff.txt"
exit "$failed"
