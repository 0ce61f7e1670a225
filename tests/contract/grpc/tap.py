# SPDX-License-Identifier: Apache-2.0
"""Runs the test_… functions of a file, and prints TAP."""
import contextlib
import os
import subprocess
import sys
import threading
import traceback

import server

LANES = 1  # so many run beside each other: a thousand clients leave no room for another case


def can_load_bpf(program):
    done = subprocess.run([program, "run", "--duration", "1ms", "--output", "none"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stderr.strip()


def beside(test):
    """Of a test that mostly waits: it runs beside all others, from the start."""
    test.is_beside = True
    return test


class Running(threading.Thread):
    """A test in a thread with a name of its own, so that it sees no calls of other tests, nor of
    other programs. `lane`: who has to wait for whom."""

    def __init__(self, number, test, lane):
        super().__init__(daemon=True)
        self.number, self.test, self.lane, self.error = number, test, lane, ""
        self.start()

    def run(self):
        server.take_name(f"t{self.number}.{os.getpid()}")
        with self.lane:
            try:
                self.test()
            except Exception:  # whatever it is, the next test shall run
                self.error = traceback.format_exc().strip().replace("\n", "\n# ")


def run(namespace, program):
    only = os.environ.get("ONLY", "")  # a part of a name
    tests = [(name[len("test_"):], test) for name, test in namespace.items() if name.startswith("test_" + only)]
    able, why = can_load_bpf(program)
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    lane = threading.Semaphore(LANES)
    running = [Running(number, test, contextlib.nullcontext() if hasattr(test, "is_beside") else lane)
               for number, (_, test) in enumerate(tests, 1) if able]
    for number, (name, _) in enumerate(tests, 1):
        if not able:
            print(f"# skipped: {why}\nok {number} # SKIP {name}", flush=True)
            continue
        one = running[number - 1]
        one.join()
        failed += bool(one.error)
        print(f"not ok {number} - {name}\n# {one.error}" if one.error else f"ok {number} - {name}", flush=True)
    sys.exit(failed > 0)
