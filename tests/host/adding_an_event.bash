#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Follows docs/adding-an-event.md in a copy of the tree, with the row, the enum value and the trigger
# of that page, and looks at what the sensor then writes. Prints TAP.
# adding_an_event.bash [TREE]: where the copy is, which is left there; a temporary one without.
# shellcheck disable=SC2317 # the steps are called by name
# shellcheck source=ci/common.sh
. "$(dirname "$0")/../../ci/common.sh"

page=docs/adding-an-event.md
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
tree=${1:-$work/tree} program=build/dev/bin/mrelease plugin=build/dev/lib/libmrelease-falco.so
number=0 failed=0

# report NAME STATUS [SKIP]: with what the step said.
report() {
    number=$((number + 1))
    if (($2 == 0)); then
        echo "ok $number - $1${3:+ # SKIP $3}"
        return
    fi
    failed=1
    echo "not ok $number - $1"
    tail -n 30 "$work/said" | sed 's/^/# /'
}

# step NAME: the function of that name, in the copy. What comes after a failure has no ground.
step() {
    local status=0
    ((failed)) && return
    set +e
    (set -e && cd "$tree" && "$1") >"$work/said" 2>&1
    status=$?
    set -e
    report "$1" "$status"
}

# block LANGUAGE: the first code block of the page in it.
block() {
    awk -v start="\`\`\`$1" '$0 == start { on = 1; next } /^```$/ && on { exit } on' "$page"
}

the_row_is_added() {
    local row value
    row=$(block c) value=$(block proto)
    [[ $row == MRL_SYSCALL_EVENT* && $value == *=* ]]
    awk -v row="$row" '/^#undef MRL_SYSCALL_EVENT/ { print row "\n" } { print }' \
        bpf/abi/events.def >"$work/new"
    mv "$work/new" bpf/abi/events.def
    awk -v value="$value" '/^enum EventId/ { on = 1 } on && /^}/ { print value; on = 0 } { print }' \
        proto/tracee/v1beta1/event.proto >"$work/new"
    mv "$work/new" proto/tracee/v1beta1/event.proto
}

everything_builds() {
    if command -v ccache >/dev/null; then
        export CMAKE_C_COMPILER_LAUNCHER=ccache CMAKE_CXX_COMPILER_LAUNCHER=ccache
        export CCACHE_BASEDIR=$tree CCACHE_NOHASHDIR=1
    fi
    # What no event changes, and the compiler takes long for, is left out.
    cmake --preset dev -DMRELEASE_VALIDATE=OFF -DCMAKE_C_FLAGS_DEBUG=-O0
    cmake --build --preset dev --target mrelease_program mrelease_pages falco_host \
        test_table test_events test_select test_protobuf
}

files_are_generated() {
    ci/generate
    ci/generate --check
    grep -q "^## $event\$" docs/events.md
    grep -q "$event" packaging/completion/mrelease
}

no_reader_of_the_schemas_breaks() {
    ci/check schemas_keep_their_readers
}

tests_of_the_table_hold() {
    local test
    for test in table events select protobuf; do
        "build/dev/tests/unit/test_$test"
    done
}

falco_has_the_fields() {
    local field
    for field in $fields; do
        build/dev/tests/falco_host fields "$plugin" | grep -q "\"name\": *\"mrelease.$field\""
        grep -q "^| \`mrelease.$field\` " docs/falco.md
    done
}

wait_for() {
    local i
    for ((i = 0; i < 300; i++)); do
        grep -qs "$1" "$2" && return 0
        sleep 0.1
    done
    echo "no '$1' in $2:"
    cat "$2"
    return 1
}

# A background job of a script ignores SIGINT, and hands that down.
the_sensor_sees_the_calls() {
    local dialect
    local -a outputs=()
    for dialect in $dialects; do
        outputs+=(--output "$dialect,policy=block:$work/$dialect.json")
    done
    env --default-signal=INT "$program" run --events "$event" --scope comm=perl --extra seq \
        "${outputs[@]}" 2>"$work/log" &
    sensor=$!
    trap 'kill -KILL "$sensor" 2>/dev/null || true' EXIT
    wait_for "watching $event" "$work/log"
    block sh >"$work/trigger"
    bash "$work/trigger"
    sleep 0.5
    kill -INT "$sensor"
    wait "$sensor"
    cat "$work/log"
}

the_lines_are_valid() {
    local dialect
    for dialect in $dialects; do
        /usr/bin/python3 - "schemas/$dialect.json" "$work/$dialect.json" <<'END'
import json, jsonschema, sys
with open(sys.argv[1], encoding="utf-8") as schema, open(sys.argv[2], encoding="utf-8") as lines:
    validator = jsonschema.Draft7Validator(json.load(schema))
    assert [validator.validate(json.loads(line)) for line in lines]
END
    done
}

the_files_are_complete() {
    local dialect
    for dialect in json-v0.23 json-v0.24; do
        "$program" verify "$work/$dialect.json"
    done
}

# The two calls of the page, as each dialect writes them: of its own process, and of none.
the_values_are_those_of_the_calls() {
    local dialect
    for dialect in $dialects; do
        /usr/bin/python3 - "$work/$dialect.json" "$event" <<'END'
import json, sys

def value(argument):
    return next(int(argument[key]) for key in ("value", "int32", "u_int32", "u_int64", "int64")
                if key in argument)

def read(line):
    if "args" in line:
        return line["hostProcessId"], line["eventName"], line["returnValue"], line["args"]
    data = [one for one in line["data"] if one["name"] != "returnValue"]
    returned = next(one for one in line["data"] if one["name"] == "returnValue")
    return line["workload"]["process"]["host_pid"], line["name"], value(returned), data

lines = [json.loads(line) for line in open(sys.argv[1], encoding="utf-8")]
states = [line.get("eventName", line.get("name")) == "sensor_state" for line in lines]
assert states[0] and states[-1], lines
calls = [read(line) for line, is_state in zip(lines, states) if not is_state]
pids = {pid for pid, _, returned, _ in calls if returned >= 0}
calls = [call for call in calls if call[0] in pids]
assert len(calls) == 2, calls
for pid, name, _, _ in calls:
    assert name == sys.argv[2], name
(pid, _, opened, first), (_, _, refused, second) = calls
assert opened >= 0 and refused == -22, (opened, refused)
assert [one["name"] for one in first] == ["pid", "flags", "seq", "lane"], first
assert [value(one) for one in first[:2]] == [pid, 0], first
assert [value(one) for one in second[:2]] == [-1, 7], second
assert value(first[3]) == 0, first
END
    done
}

dialects='json-v0.23 json-v0.24 json-v1beta1'
rm -rf "$tree"
mkdir -p "$tree"
files '*' | tar -c -T - | tar -x -C "$tree"
event=$(block c | sed -n 's/^MRL_SYSCALL_EVENT([A-Z0-9_]*, \([a-z0-9_]*\),.*/\1/p')
fields=$(block c | sed -n 's/^ *F([A-Z0-9]*, "\([a-z0-9_]*\)".*/\1/p')

step the_row_is_added
step everything_builds
step files_are_generated
step no_reader_of_the_schemas_breaks
step tests_of_the_table_hold
step falco_has_the_fields
live='the_sensor_sees_the_calls the_lines_are_valid the_files_are_complete the_values_are_those_of_the_calls'
for name in $live; do
    if can_load_bpf; then
        step "$name"
    else
        report "$name" 0 "needs CAP_BPF, CAP_PERFMON and a kernel with BTF"
    fi
done
echo "1..$number"
exit "$failed"
