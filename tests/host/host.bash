#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
# Tests of the program and of what is installed, from outside: host.bash BUILD TEST [ARGUMENT…], one test of
# those below. Exit status 77: skipped, and the last line says why.
. "$(dirname "${BASH_SOURCE[0]}")/../../ci/common.sh"
# shellcheck disable=SC2317 # the tests are called by name

build=$1
program=$build/bin/mrelease
room=$build/tests/room # what one test makes for another
prefix=$room/prefix
work=$(mktemp -d "${TMPDIR:-/tmp}/mrelease-test.XXXXXX")
child=""
trap '[[ -z $child ]] || kill -KILL "$child" 2>/dev/null || true; rm -rf "$work"' EXIT
mkdir -p "$room"

skip() {
    echo "$*"
    exit 77
}

# in_background COMMAND…: $child, whose output goes to fresh files, and which ends with the test. A
# background job of a script ignores SIGINT, and hands that down.
in_background() {
    rm -f "$work/stdout" "$work/stderr"
    env --default-signal=INT "$@" >"$work/stdout" 2>"$work/stderr" &
    child=$!
}

# wait_for PATTERN FILE: up to 60 s.
wait_for() {
    local i
    for ((i = 0; i < 600; i++)); do
        grep -qs "$1" "$2" && return 0
        sleep 0.1
    done
    echo "no '$1' in ${2##*/}:"
    cat "$2"
    return 1
}

# call NAME: system calls that must fail, from a process called perl.
call() {
    local number=448
    [[ $1 == mlock && $(uname -m) == x86_64 ]] && number=149
    [[ $1 == mlock && $(uname -m) == aarch64 ]] && number=228
    perl -e 'syscall($ARGV[0], -1, 0) for 1 .. 3' "$number"
}

# end_in SECONDS PID: waits for it; kills it then.
end_in() {
    local i
    for ((i = 0; i < $1 * 10; i++)); do
        kill -0 "$2" 2>/dev/null || break
        sleep 0.1
    done
    kill -KILL "$2" 2>/dev/null && echo "still ran after $1 s"
    wait "$2"
}

# -- the program ----------------------------------------------------------------------------------

every_verb_has_help() {
    local verb verbs
    verbs=$("$program" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
    [[ $verbs == *run* && $verbs == *demo* ]]
    for verb in $verbs; do
        "$program" "$verb" --help | grep "^Usage: mrelease $verb" >/dev/null
    done
}

version_is_that_of_the_project() {
    local version
    version=$(sed -n 's/^project(mrelease VERSION \([0-9.]*\).*/\1/p' CMakeLists.txt)
    "$program" version | grep -qx "mrelease $version"
}

unknown_verb_is_exit_2_and_the_nearest() {
    local status=0
    "$program" rnu 2>"$work/stderr" || status=$?
    cat "$work/stderr"
    ((status == 2)) && grep -q "run" "$work/stderr"
}

# -- schemas --------------------------------------------------------------------------------------

# Golden lines, typed lines, and a line of each shape that the live tests saw (tests/live/collect.c).
every_line_is_valid_for_two_validators() {
    /usr/bin/python3 tests/schema/both.py "$program" tests/schema/corpus tests/golden/json-*/ \
        "$MRELEASE_TEST_LINES"
    [[ -n $(ls "$MRELEASE_TEST_LINES") ]] || skip "only golden lines: the live tests saw none"
}

doctor_report_matches_its_schema() {
    "$program" doctor --quick --format json >"$work/doctor.json" || true # exit 1: no rung works
    /usr/bin/python3 - schemas/doctor.schema.json "$work/doctor.json" <<'END'
import json, jsonschema, sys
schema, report = (json.load(open(path)) for path in sys.argv[1:])
jsonschema.Draft7Validator.check_schema(schema)
jsonschema.validate(report, schema, jsonschema.Draft7Validator)
END
}

# -- the example ----------------------------------------------------------------------------------

install_into_prefix() {
    cmake --install "$build" --prefix "$prefix"
    "$prefix/bin/mrelease" version
}

example_builds_with_cmake() {
    cmake -S examples/embed -B "$room/embed" -G Ninja -DCMAKE_PREFIX_PATH="$prefix"
    cmake --build "$room/embed"
}

example_builds_with_pkg_config() {
    local flags
    PKG_CONFIG_PATH=$(dirname "$(find "$prefix" -name mrelease.pc)")
    export PKG_CONFIG_PATH
    read -r -a flags < <(pkg-config --cflags --libs mrelease)
    cc -Wall -Wextra -Werror examples/embed/embed.c -o "$room/embed-pc" "${flags[@]}" \
        "-Wl,-rpath,$(pkg-config --variable=libdir mrelease)"
}

# example_prints_events PROGRAM: ended by SIGINT, when it has printed what was called.
example_prints_events() {
    can_load_bpf || skip "needs CAP_BPF, CAP_PERFMON and a kernel with BTF"
    in_background "$room/$1"
    wait_for watching "$work/stderr"
    call process_mrelease
    wait_for '"processName":"perl".*"eventName":"process_mrelease".*"returnValue":-9,' "$work/stdout"
    kill -INT "$child"
    end_in 20 "$child"
}

# The command of its README as it stands there, but for the place. Whoever has installed what ci/deps lists has
# ninja, and perhaps no make.
guard_builds_with_cmake() {
    local command
    command=$(grep '^cmake ' examples/guard/README.md)
    CFLAGS="-Wall -Wextra -Wconversion -Wshadow -Werror" eval "${command//build\/guard/\"\$room/guard\"}"
    [[ -e $room/guard/build.ninja ]]
}

# As it was built alone; beside the sensor it is tested in tests/live. A "sleep" is above 4 KiB once it
# runs, and so small that it may be gone before it can be released.
guard_kills_and_releases() {
    local said status=0
    in_background sleep 60
    said=$("$room/guard/guard" --pid "$child" --budget 4K --interval 10)
    echo "$said"
    [[ $said == "killed $child ("*"), resident "*" came back; ended after "* ]]
    wait "$child" || status=$?
    ((status == 137))
}

# valgrind 3.19 does not know process_mrelease and answers ENOSYS in place of the kernel ("unhandled
# amd64-linux syscall: 448"), so the probes of that call cannot be proven under it. Those of mlock
# can, and take the same way through the program.
memcheck_run() {
    can_load_bpf || skip "needs CAP_BPF, CAP_PERFMON and a kernel with BTF"
    in_background valgrind --error-exitcode=9 --leak-check=full --child-silent-after-fork=yes \
        --suppressions=ci/valgrind.supp \
        "$program" run --events mlock --count 2 --duration 60s
    wait_for 'watching mlock' "$work/stderr"
    call mlock
    end_in 60 "$child" || {
        cat "$work/stderr"
        return 1
    }
    (($(grep -c '"eventName":"mlock"' "$work/stdout") == 2))
}

# The plugin for Falco, from replay: everything that a life allocates is freed at its end.
memcheck_falco() {
    valgrind --error-exitcode=9 --leak-check=full --errors-for-leak-kinds=definite,possible -q \
        "$build/tests/falco_host" extract "$build/lib/libmrelease-falco.so" \
        tests/contract/falco/captures/stranger_reaps.cap mrelease.event mrelease.target.name mrelease.args
}

"${@:2}"
