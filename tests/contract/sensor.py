# SPDX-License-Identifier: Apache-2.0
"""The sensor with real events, for tests of destinations: the program is the first argument."""
import ctypes
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
import traceback

PROGRAM = sys.argv[1]
LIBC = ctypes.CDLL(None)
NAME = f"ship.{os.getpid()}"[:15]
started = []  # a test that failed did not end its own


def argument(event, name):
    return [one["value"] for one in event["args"] if one["name"] == name][0]


class Sensor:
    def __init__(self, output, *more):
        self.run = subprocess.Popen([PROGRAM, "run", "--events", f"process_mrelease.scope.comm={NAME}",
                                     "--output", output, *more], stderr=subprocess.PIPE, bufsize=0)
        started.append(self.run)
        self.killed = set()
        said = ""
        while "watching" not in said:
            line = self.run.stderr.readline().decode()
            said += line
            assert line, "it ended: " + said
        self.said = said

    def end(self):
        self.run.send_signal(signal.SIGINT)
        return self.run.communicate(timeout=20)[1].decode()

    def until(self, words, seconds=20):
        """What it says up to the line with these words."""
        said, end = "", time.monotonic() + seconds
        while words not in said and time.monotonic() < end:
            if select.select([self.run.stderr], [], [], 0.2)[0]:
                line = self.run.stderr.readline().decode()  # no buffer keeps what select() has not seen
                assert line, "it ended: " + said
                said += line
        assert words in said, said + self.end()
        return said

    def kill(self):
        self.run.kill()
        self.run.communicate(timeout=20)

    def side(self, name):
        """The process of its side program: a child of the starter, which is its child."""
        found = await_(lambda: [child for starter in children(self.run.pid) for child in children(starter)
                                if is_called(child, name)])
        assert found, "there is no side program"
        return found[0]

    def kill_side(self, name):
        """Kills its side program: each time one that lives, if need be when the next one has begun."""
        end = time.monotonic() + 20
        while time.monotonic() < end:
            side = self.side(name)
            if side not in self.killed:
                self.killed.add(side)
                os.kill(side, signal.SIGKILL)
                return
            time.sleep(0.02)
        raise AssertionError("no side program comes back")


def children(pid):
    try:
        with open(f"/proc/{pid}/task/{pid}/children", encoding="ascii") as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


def is_called(pid, name):
    try:
        with open(f"/proc/{pid}/comm", encoding="ascii") as file:
            return file.read().strip() == name
    except OSError:  # it has ended
        return False


def call(first, count):
    """Calls that fail, each with a number of its own, by this name."""
    for number in range(first, first + count):
        LIBC.syscall(448, -1, number)


def await_(condition, seconds=15):
    end = time.monotonic() + seconds
    while not (held := condition()) and time.monotonic() < end:
        time.sleep(0.02)
    return held


def spool_said(text):
    found = re.search(r"given (\d+) so far: (\d+) acknowledged, (\d+) refused, (\d+) lost, (\d+) pending", text)
    assert found, text
    return [int(word) for word in found.groups()]


def kept(spool):
    """What became of the calls that were appended to a spool."""
    said = subprocess.run([PROGRAM, "spool", "list", "--format", "json", spool], capture_output=True,
                          text=True, timeout=20, check=True).stdout
    none = dict.fromkeys(("appended", "taken", "refused", "lost", "pending"), 0)
    return json.loads(said)["events"].get("process_mrelease", none)


def answered(spool):
    """How many calls of a spool were acknowledged or refused."""
    return kept(spool)["taken"] + kept(spool)["refused"]


def metrics(room):
    """What the registry says of the spool, and of what was sent, without the prefix; summed over the events."""
    said = subprocess.run([PROGRAM, "metrics", "--server", f"unix:{room}/g"], capture_output=True,
                          text=True, timeout=20, check=True).stdout
    sums = {}
    for name, value in re.findall(r"^mrelease_(?:spool_|output_(?=re[ts]|last))(\w+)\{[^}]*\} (\d+)", said, re.M):
        sums[name] = sums.get(name, 0) + int(value)
    return sums


class Skipped(Exception):
    """What a test needs is not there."""


def run_tests(names, at_end=lambda: None):
    """All that is called test_…, and long_… with MRELEASE_TEST_LONG, in its order; exits."""
    LIBC.prctl(15, NAME.encode(), 0, 0, 0)
    tests = [(name, test) for name, test in list(names.items()) if name.startswith("test_") or
             (name.startswith("long_") and os.environ.get("MRELEASE_TEST_LONG"))]
    tests = [(name, test) for name, test in tests if name in sys.argv[2:] or not sys.argv[2:]]
    print(f"1..{len(tests)}")
    failed = 0
    for number, (name, test) in enumerate(tests, 1):
        error, skipped, begun = "", "", time.monotonic()
        try:
            test()
        except Skipped as why:
            skipped = str(why)
        except Exception:  # whatever it is, the next test shall run
            error = traceback.format_exc().strip().replace("\n", "\n# ")
        failed += bool(error)
        if skipped:
            print(f"# skipped: {skipped}\nok {number} # SKIP {name[5:]}", flush=True)
            continue
        print(f"{'not ' if error else ''}ok {number} - {name[5:]}\n# {time.monotonic() - begun:.1f} s" +
              (f"\n# {error}" if error else ""), flush=True)
    sys.stdout.flush()
    at_end()
    for run in started:
        run.kill()
    os._exit(failed > 0)
