#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The program in process_mrelease(2), taken from the page, compiled, and run on this kernel. Prints
# TAP.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
page=docs/man/process_mrelease.2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# What roff would print of the lines of code: "\-" is a minus, "\e" a backslash.
extract() {
    sed -n '/^\.\\" SRC BEGIN/,/^\.\\" SRC END/{/^\./!{s/\\-/-/g;s/\\e/\\/g;p}}' "$page"
}

# run MIB: its lines into $said.
run() {
    said=$("$folder/release" "$1" 2>&1)
}

echo 1..3
extract >"$folder/release.c"
if grep -q '^int main' "$folder/release.c" &&
    cc -Wall -Wextra -Werror -o "$folder/release" "$folder/release.c" 2>"$folder/said"; then
    echo "ok 1 - the example compiles without a warning"
else
    echo "not ok 1 - the example compiles without a warning"
    sed 's/^/# /' "$folder/said"
    exit 1
fi

# The bigger the child, the longer its death: a small one may be gone (ESRCH) before its release.
for mib in 128 256 512; do
    run "$mib" && [[ $said == *'dying: released'* ]] && break
done
if [[ $said == *'Function not implemented'* ]]; then
    echo "# skipped: this kernel has no process_mrelease"
    echo "not ok 2 # SKIP the example releases"
    echo "not ok 3 # SKIP the example shows the errors of the page"
    exit 0
fi
if [[ $said == *'dying: released'* ]]; then
    echo "ok 2 - the example releases the memory of its child"
else
    printf 'not ok 2 - the example releases the memory of its child\n# %s\n' "$said"
    exit 1
fi
if [[ $said == *'alive: Invalid argument'* && $said == *'dead: No such process'* ]]; then
    echo "ok 3 - the errors of a living and of a dead process are those of the page"
else
    printf 'not ok 3 - the errors of the page\n# %s\n' "$said"
    exit 1
fi
