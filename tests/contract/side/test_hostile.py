#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A sensor whose side programs are hostile (tests/unit/side_peer.c): its other output is whole, and it takes
neither time nor memory, nor fills the log.

usage: test_hostile.py MRELEASE PEER
"""
import os
import re
import shutil
import sys
import tempfile
import time

PROGRAM, PEER = sys.argv[1:] if len(sys.argv) == 3 else sys.exit(__doc__)
HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "../grpc"))
import tap  # noqa: E402
from server import Server, anonymous_kib, call, descendants  # noqa: E402

LONG = bool(os.environ.get("MRELEASE_TEST_LONG"))
SECONDS = 12 if LONG else 2
CALLS, LINES_A_SECOND = 3000, 10
# What stands behind the last dot of a destination is how the peer behaves. The worst, and then the others.
LOCAL = ["lines", "metrics", "deaf", "leaves", "fds"]
LOCAL_LONG = ["short-lines", "wishes", "pongs-on", "verdicts-on", "files", "dies", "hangs", "stays", "more", "never-sent",
              "twice", "torn", "size-lies", "type", "own-type", "reopened", "asks-what", "pongs"]
SPOOLED = ["segments", "missing"]
SPOOLED_LONG = ["lines", "leaves", "fds", "files", "metrics", "dies", "stays"]


class Room:
    """The program, with side programs of its own beside it."""

    def __init__(self):
        self.path = tempfile.mkdtemp(prefix="mrelease-hostile.")
        build = os.path.dirname(os.path.dirname(os.path.abspath(PROGRAM)))
        os.makedirs(self.at("bin"))
        os.makedirs(self.at("libexec/mrelease"))
        os.symlink(os.path.join(build, "lib"), self.at("lib"))
        self.program = shutil.copy(PROGRAM, self.at("bin/mrelease"))
        for name in ("grpc", "http"):
            shutil.copy(PEER, self.at("libexec/mrelease/" + name))

    def at(self, name):
        return os.path.join(self.path, name)


ROOM = Room()


def cpu_s(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as stat:
        words = stat.read().rsplit(")", 1)[1].split()
    return (int(words[11]) + int(words[12])) / os.sysconf("SC_CLK_TCK")


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def stands(manner, **output):
    kind = output["format"].split(",")[0]
    lines = ROOM.at(f"lines.{manner}.{kind}")
    it = Server(ROOM.program, "--output", "json,queue=32M:" + lines, "--sandbox", "off", **output)
    pid = it.process.pid
    try:
        call(count=CALLS // 2)
        time.sleep(0.3)
        start, used, grown, open_before = time.monotonic(), cpu_s(pid), anonymous_kib(pid), descriptors(pid)
        call(count=CALLS // 2)
        time.sleep(SECONDS)
        took = time.monotonic() - start
        used, grown, opened = (cpu_s(pid) - used) / took, anonymous_kib(pid) - grown, descriptors(pid) - open_before
        peers = len(descendants(pid))
    finally:
        it.status = None
        ended = it.stop()
    with open(lines, encoding="utf-8") as file:
        whole = sum('"eventName":"process_mrelease"' in line for line in file)
    said, deaths = len(it.lines), sum("a side program has died" in line for line in it.lines)
    left = sum(int(found[1]) for line in it.lines if (found := re.search(r"(\d+) more lines were left out", line)))
    print(f"# {manner} ({kind}): {100 * used:.1f} % of a core, {grown} KiB, {said} lines, {left} left out, "
          f"{deaths} deaths, end {ended:.2f} s", flush=True)
    assert it.process.returncode in (0, 1), it.lines
    assert whole == CALLS, (whole, it.lines[-8:])
    assert it.is_sanitized or used < 0.25, used
    assert it.is_sanitized or grown < 16 << 10, grown
    assert opened <= 4 and peers <= 2, (opened, peers)
    # Beside its lines those of its deaths, and of the end.
    assert said < (took + 2) * LINES_A_SECOND * 1.5 + 8 * deaths + 20, it.lines[:60]
    assert ended < (10 if it.is_sanitized else 2.3 if LONG else 6), ended
    return it, left, deaths


def local(manner):
    return stands(manner, address="unix:" + ROOM.at("s." + manner), format="grpc")


def spooled(manner):
    return stands(manner, address="webhook+http://127.0.0.1:9/x." + manner,
                  format=f"json,spool={ROOM.at('spool.' + manner)},spool-size=4M")


def make(function, manner, ends=()):
    """A test, which runs beside the others: it mostly waits. With time, each shows how soon it ends alone."""
    def test():
        it, left, deaths = function(manner)
        if "line" in manner:
            assert left > 100 or deaths, it.lines
        if manner in ends:
            assert deaths, it.lines
    return tap.alone(test) if LONG else tap.beside(test)


# The kind of those that break a rule at once.
RULES = ("leaves", "fds", "pongs-on", "verdicts-on", "more", "never-sent", "twice", "torn", "size-lies", "type", "own-type",
         "reopened", "asks-what", "pongs")
for each in LOCAL + LOCAL_LONG * LONG:
    globals()[f"test_local_{each}"] = make(local, each, RULES)
for each in SPOOLED + SPOOLED_LONG * LONG:
    globals()[f"test_spooled_{each}"] = make(spooled, each, ("leaves",))


if __name__ == "__main__":
    try:
        tap.run(globals(), PROGRAM)
    finally:
        shutil.rmtree(ROOM.path, ignore_errors=True)
