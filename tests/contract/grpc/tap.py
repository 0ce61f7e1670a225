# SPDX-License-Identifier: Apache-2.0
"""Runs the test_… functions of a file, and prints TAP."""
import os
import subprocess
import sys
import traceback


def can_load_bpf(program):
    done = subprocess.run([program, "run", "--duration", "1ms", "--output", "none"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stderr.strip()


def run(namespace, program):
    only = os.environ.get("ONLY", "")  # a part of a name
    tests = [(name[len("test_"):], test) for name, test in namespace.items() if name.startswith("test_" + only)]
    able, why = can_load_bpf(program)
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, test) in enumerate(tests, 1):
        if not able:
            print(f"# skipped: {why}\nok {number} # SKIP {name}", flush=True)
            continue
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Exception:  # whatever it is, the next test shall run
            failed += 1
            print(f"not ok {number} - {name}\n# " + traceback.format_exc().strip().replace("\n", "\n# "), flush=True)
    sys.exit(failed > 0)
