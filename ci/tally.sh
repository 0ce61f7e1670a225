# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
# Runs and counts tests for ci/test and ci/vm: programs that speak TAP, and commands that are one test each.
# One line for each; the output of what failed is shown whole, and skips are listed at the end.

passed=0 failed=0 skipped=0
finished=0 # set by ci/test when it has come to its end
skips=()
work=$(mktemp -d "${TMPDIR:-/tmp}/mrelease-test.XXXXXX")
export work

# at_end: the last thing that ci/test does, whatever ended it.
at_end() {
    local status=$?
    rm -rf "$work"
    if ((!finished)); then
        echo "NOT OK  ci/test itself: it ended early, exit status $status"
        failed=$((failed + 1))
    fi
    if ((${#skips[@]})); then
        printf '\nskipped:\n'
        printf '  %s\n' "${skips[@]}"
    fi
    printf '\n%d passed, %d failed, %d skipped\n' "$passed" "$failed" "$skipped"
    exit $((failed > 0))
}
trap at_end EXIT
trap 'exit 130' INT TERM HUP

now_ms() {
    echo "$((${EPOCHREALTIME/[.,]/} / 1000))"
}

# report VERDICT NAME START_MS TEXT
report() {
    local ms=$(($(now_ms) - $3))
    printf '%-7s %-52s %4d.%d s  %s\n' "$1" "$2" $((ms / 1000)) $((ms % 1000 / 100)) "$4"
}

show_log() {
    sed 's/^/    | /' "$work/log"
}

# command_test NAME SECONDS COMMAND…: one test; COMMAND may be a function, and sees exported
# variables only. Exit status 77 skips it; the last line says why.
command_test() {
    local name=$1 status=0 start
    start=$(now_ms)
    # In a shell of its own: functions are commands too, nothing of theirs outlives the time limit,
    # and "set -e" counts, which it does not in a condition.
    timeout -k 5 "$2" "$BASH" -euo pipefail -c "$(declare -f)"$'\n"$@"' "$0" "${@:3}" \
        >"$work/log" 2>&1 </dev/null || status=$?
    case $status in
    0) passed=$((passed + 1)) && report ok "$name" "$start" "" ;;
    77)
        skipped=$((skipped + 1))
        skips+=("$name: $(tail -n 1 "$work/log")")
        report skip "$name" "$start" ""
        ;;
    *)
        failed=$((failed + 1))
        report 'NOT OK' "$name" "$start" "exit status $status"
        show_log
        ;;
    esac
    return 0
}

# Reads TAP, prints "PASSED FAILED SKIPPED PLANNED" and, per skip, "NAME: REASON". cmocka 1.1.5
# writes "not ok 2 # SKIP name"; the reason is the comment before, as TAP has no place for it there.
read_tap() {
    awk '
        { sub(/^[ \t]+/, "") }
        /^# skipped: / { reason = substr($0, 12) }
        /^1\.\.[0-9]+/ { planned += substr($0, 4); next }
        /^(not )?ok [0-9]+ .*# SKIP/ {
            skipped++
            name = $0
            sub(/^.*# SKIP */, "", name)
            list = list name ": " (reason == "" ? "no reason given" : reason) "\n"
            reason = ""
            next
        }
        /^ok [0-9]+/ { passed++ }
        /^not ok [0-9]+/ { failed++ }
        END { printf "%d %d %d %d\n%s", passed, failed, skipped, planned, list }' "$1"
}

# What is wrong with a program as a whole, whatever its tests say; nothing when all is well.
complaint() {
    local status=$1 counted=$2 failures=$3 planned=$4
    if ((status == 124 || status == 137)); then
        echo "timed out"
    elif ((status > 128)); then
        echo "killed by signal $((status - 128))"
    elif ((!planned)); then
        echo "printed no plan, exit status $status"
    elif ((!failures && status)); then
        echo "exit status $status without a failed test"
    elif ((!failures && counted != planned)); then
        echo "ran $counted of $planned tests"
    fi
}

# forbidden_skip GROUP TEXT: whoever has the rights may not skip for the lack of them.
forbidden_skip() {
    case $1 in
    vm/*) ;;
    live | */live) can_load_bpf || return 1 ;;
    *) return 1 ;;
    esac
    grep -qE 'root|BPF|BTF|CAP_' <<<"$2"
}

# tap_test GROUP SECONDS COMMAND…: all tests of one program, which is its last word.
tap_test() {
    local group=$1 file=${*: -1} name status=0 start ok not_ok skip planned wrong line
    name=$group/${file##*/}
    start=$(now_ms)
    CMOCKA_MESSAGE_OUTPUT=TAP timeout -k 5 "$2" "${@:3}" >"$work/log" 2>&1 </dev/null || status=$?
    read_tap "$work/log" >"$work/tap"
    {
        read -r ok not_ok skip planned
        wrong=$(complaint "$status" $((ok + not_ok + skip)) "$not_ok" "$planned")
        while IFS= read -r line; do
            if forbidden_skip "$group" "${line#*: }"; then
                not_ok=$((not_ok + 1)) skip=$((skip - 1))
                wrong+="${wrong:+; }skipped $line, on a machine that can load BPF"
            else
                skips+=("$name: $line")
            fi
        done
    } <"$work/tap"
    [[ -z $wrong ]] || ((not_ok)) || not_ok=1
    passed=$((passed + ok)) failed=$((failed + not_ok)) skipped=$((skipped + skip))
    line="$ok passed${not_ok:+, $not_ok failed}, $skip skipped"
    if ((not_ok)); then
        report 'NOT OK' "$name" "$start" "$line${wrong:+: $wrong}"
        show_log
    else
        report ok "$name" "$start" "$line"
    fi
}

# tap_group GROUP SECONDS DIRECTORY: every test program in it. None at all is a failure.
tap_group() {
    local file files
    mapfile -t files < <(find "$3" -maxdepth 1 -type f -executable 2>/dev/null | sort)
    if ((!${#files[@]})); then
        failed=$((failed + 1))
        echo "NOT OK  $1: no test programs in $3"
    fi
    for file in "${files[@]}"; do
        tap_test "$1" "$2" "$file"
    done
}
