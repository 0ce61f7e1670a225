# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# What the scripts of this folder share; they source it first. The current directory becomes the
# top of the tree.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

# Git refuses a tree of another user, as a container that runs as root often has.
GIT_CONFIG_VALUE_0=$(pwd -P)
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0

say() { printf '%s: %s\n' "${0##*/}" "$*" >&2; }

die() {
    say "$*"
    exit 1
}

# can_load_bpf: whether this process holds the rights, and the kernel the type information, that the
# probes need. CAP_PERFMON is bit 38, CAP_BPF 39, CAP_SYS_ADMIN (which includes both) 21.
can_load_bpf() {
    local effective
    effective=$((16#$(sed -n 's/^CapEff:[[:space:]]*//p' /proc/self/status)))
    [[ -r /sys/kernel/btf/vmlinux ]] &&
        (((effective >> 38 & effective >> 39 & 1) || (effective >> 21 & 1)))
}

# files PATTERN…: the tracked files that match; all of the tree but build/ where it is no clone.
files() {
    local list file pattern
    list=$(git ls-files 2>/dev/null) || true
    [[ -n $list ]] || list=$(find . \( -path ./build -o -path ./.git \) -prune -o -type f -printf '%P\n')
    while IFS= read -r file; do
        for pattern in "$@"; do
            # shellcheck disable=SC2053 # a pattern
            if [[ $file == $pattern ]]; then
                echo "$file"
                break
            fi
        done
    done <<<"$list"
}
