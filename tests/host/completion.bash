#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# The completion, driven as bash drives it: completion.bash PROGRAM. Prints TAP.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
program=$(realpath "$1")
# shellcheck source=packaging/completion/mrelease
. packaging/completion/mrelease

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
touch "$folder/events.json" "$folder/with space"
number=0 failed=0

# report NAME WHY STATUS
report() {
    number=$((number + 1))
    if (($3)); then
        failed=1
        printf 'not ok %d - %s\n# %s\n' "$number" "$1" "$2"
    else
        printf 'ok %d - %s\n' "$number" "$1"
    fi
}

# complete_words WORD…: what bash would offer for the last of them. ':' and '=' are words by
# themselves, as bash splits them.
complete_words() {
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _mrelease
    offered=" ${COMPREPLY[*]} "
}

# offers "WANTED…" "UNWANTED…" WORD…
offers() {
    local word wrong=''
    complete_words "${@:3}"
    for word in $1; do
        [[ $offered == *" $word "* ]] || wrong+=" lacks $word"
    done
    for word in $2; do
        [[ $offered == *" $word "* ]] && wrong+=" has $word"
    done
    report "${*:3}" "$wrong:$offered" "$([[ -z $wrong ]] && echo 0 || echo 1)"
}

# is "ALL…" WORD…
is() {
    complete_words "${@:2}"
    report "${*:2}" "is$offered" "$([[ $offered == " $1 " ]] && echo 0 || echo 1)"
}

mapfile -t verbs < <("$program" help | sed -n 's/^  \([a-z][a-z-]*\) .*/\1/p')
offers "${verbs[*]} --help --version" '' mrelease ''
is 'replay' mrelease rep
offers 'run demo' '--help' mrelease help ''

# Every option of every verb, as the program itself lists them.
for verb in "${verbs[@]}"; do
    mapfile -t options < <("$program" "$verb" --help | grep -oE -- '^ +(-.,)? +--[a-z-]+' | grep -oE -- '--[a-z-]+')
    offers "${options[*]}" '--nosuch' mrelease "$verb" -
done

offers 'auto tp_btf raw_tp tracepoint' 'compat' mrelease run --rung ''
is 'compat' mrelease run --coverage comp
is 'compat native all' mrelease run --coverage ''
is 'error warning info debug' mrelease run --log-level ''
offers 'default soc' '' mrelease run --profile ''
offers 'json json-v0.23 table none' 'capture' mrelease run --output ''
offers 'json table' '' mrelease run -o ''
is 'table' mrelease run --output t
is 'table' mrelease run --output=t
offers 'process_mrelease do_mrelease mlock default proc_mem' 'events_lost' mrelease run --events ''
offers 'process_mrelease,mlock process_mrelease,munlock' 'mlock' mrelease run -e process_mrelease,m
offers 'seq' '' mrelease run --extra ''
offers 'table json markdown' '' mrelease events --format ''
offers 'do_mrelease events_lost' '' mrelease events ''
is '' mrelease run --count ''
is '' mrelease version ''
is 'table' mrelease run --output = t
is 'auto' mrelease run --rung = a

# Paths: behind a colon bash wants only what follows it.
is "$folder/events.json" mrelease run --config "$folder/e"
is "$folder/events.json" mrelease verify "$folder/e"
is "$folder/events.json" mrelease replay "$folder/e"
is "$folder/events.json" mrelease run --output json : "$folder/e"
is "$folder/events.json" mrelease run --output json,policy = block : "$folder/e"
is "$folder/with space" mrelease run --record "$folder/w"

echo "1..$number"
exit "$failed"
