# SPDX-License-Identifier: Apache-2.0
"""Runs the test_… functions of a file, and prints TAP."""
import contextlib
import os
import subprocess
import sys
import threading
import traceback

import server

LANES = 2  # so many run beside each other


def can_load_bpf(program):
    done = subprocess.run([program, "run", "--duration", "1ms", "--output", "none"],
                          capture_output=True, text=True, timeout=60)
    return done.returncode == 0, done.stderr.strip()


def beside(test):
    """Of a test that mostly waits: it runs beside all others, from the start."""
    test.lanes = 0
    return test


def alone(test):
    """Of a test that measures, or that loads the machine: only those of beside() run with it."""
    test.lanes = LANES
    return test


class Lanes:
    def __init__(self):
        self.free, self.turn = threading.Semaphore(LANES), threading.Lock()

    @contextlib.contextmanager
    def take(self, count):
        if count:
            with self.turn:  # nobody takes one between the several that somebody waits for
                for _ in range(count):
                    self.free.acquire()
        try:
            yield
        finally:
            for _ in range(count):
                self.free.release()


class Running(threading.Thread):
    """A test in a thread with a name of its own, so that it sees no calls of other tests, nor of
    other programs."""

    def __init__(self, number, test, lanes):
        super().__init__(daemon=True)
        self.number, self.test, self.lanes, self.error = number, test, lanes, ""
        self.start()

    def run(self):
        server.take_name(f"t{self.number}.{os.getpid()}")
        with self.lanes.take(getattr(self.test, "lanes", 1)):
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
    lanes = Lanes()
    running = [Running(number, test, lanes) for number, (_, test) in enumerate(tests, 1) if able]
    for number, (name, _) in enumerate(tests, 1):
        if not able:
            print(f"# skipped: {why}\nok {number} # SKIP {name}", flush=True)
            continue
        one = running[number - 1]
        one.join()
        failed += bool(one.error)
        print(f"not ok {number} - {name}\n# {one.error}" if one.error else f"ok {number} - {name}", flush=True)
    sys.exit(failed > 0)
