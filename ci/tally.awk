# SPDX-License-Identifier: Apache-2.0
# Counts tests, by the log of ctest (Testing/Temporary/LastTest.log) or the console of a guest of ci/vm: each case of a
# program that speaks TAP, and each other test, once. Prints what is wrong with a program as a whole, the skips with
# their reasons, and "N passed, N failed, N skipped". Variables: may_skip, a regular expression of tests that may skip
# for want of rights; able, 1 where the rights are there. The exit status says whether anything failed.
#
# cmocka 1.1.5 writes "not ok 2 # SKIP name"; the reason is the comment before, as TAP has no place for it there.

function begin(a_name) {
    name = a_name
    ok = not_ok = skip = planned = 0
    reason = last = ""
}

function wrong(text) {
    complaints = complaints sprintf("NOT OK  %s: %s\n", name, text)
    if (!not_ok) failed++
    not_ok++
}

# end(STATUS): "" where it is good; "skipped"; else what it was.
function end(status) {
    if (name == "") return
    if (!planned && status == "skipped") {
        skips = skips sprintf("  %s: %s\n", name, last)
        skipped++
    } else if (!planned && status == "") {
        passed++
    } else {
        passed += ok
        failed += not_ok
        if (status != "" && !not_ok) wrong(status)
        else if (status == "" && ok + not_ok + skip != planned) wrong("ran " ok + not_ok + skip " of " planned " tests")
        else if (status == "" && not_ok) wrong("exit status 0 with a failed test")
        skipped += skip
    }
    name = ""
}

# -- a log of ctest ---------------------------------------------------------------------------------------------
/^[0-9]+\/[0-9]+ Test: / { begin(substr($0, index($0, " Test: ") + 7)); next }
/^Test Passed\.$/ && over { end(""); over = 0; next }
/^Test (Failed|Timeout|Not Run|Skipped|.*Exception)/ && over { end(tolower($2) ~ /^skipped/ ? "skipped" : tolower(substr($0, 6))); over = 0; next }
/^<end of output>$/ { over = 1; next }
# -- a console of ci/vm -----------------------------------------------------------------------------------------
kernel != "" && /^@@ begin / { begin("vm/" kernel "/" $3 "/" $4); next }
kernel != "" && /^@@ end / { end($3 + 0 ? "exit status " $3 : ""); next }

{ sub(/^[ \t]+/, "") }
/^# skipped: / { reason = substr($0, 12) }
/^1\.\.[0-9]+/ { planned += substr($0, 4); next }
/^(not )?ok [0-9]+ .*# SKIP/ {
    case_name = $0
    sub(/^.*# SKIP *-? */, "", case_name)
    if (able && name !~ /^vm\// && name ~ /(^|\/)live\// && reason ~ /root|BPF|BTF|CAP_/) {
        wrong("skipped " case_name ": " reason ", on a machine that can load BPF")
        planned--
    } else {
        skip++
        skips = skips sprintf("  %s: %s: %s\n", name, case_name, reason == "" ? "no reason given" : reason)
    }
    reason = ""
    next
}
/^ok [0-9]+/ { ok++ }
/^not ok [0-9]+/ { not_ok++ }
/./ { last = $0 }

END {
    if (name != "") end("never ended")
    if (complaints != "") printf "\n%s", complaints
    if (skips != "") printf "\nskipped:\n%s", skips
    printf "\n%d passed, %d failed, %d skipped\n", passed, failed, skipped
    exit failed > 0
}
