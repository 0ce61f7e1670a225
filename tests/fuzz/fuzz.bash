#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Runs a fuzzer from its corpus, which it leaves as it is: fuzz.bash PROGRAM, for $MRELEASE_FUZZ_S seconds (2).
. "$(dirname "${BASH_SOURCE[0]}")/../../ci/common.sh"

name=${1##*/}
corpus=tests/fuzz/corpus/${name#fuzz_}
[[ -d $corpus ]] || corpus=tests/fuzz/corpus/$name
work=$(mktemp -d "${TMPDIR:-/tmp}/mrelease-fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
mkdir "$work/found" "$work/crash"
"$1" -max_total_time="${MRELEASE_FUZZ_S:-2}" -timeout=10 -rss_limit_mb=1024 -artifact_prefix="$work/crash/" \
    -print_final_stats=1 "$work/found" "$corpus" && exit
find "$work/crash" -type f -print -exec base64 {} ';'
exit 1
