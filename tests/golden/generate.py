#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Random descriptions of calls, each with the line that encoder.py makes of it.

The same seed gives the same descriptions. Prints one JSON object per line:

    {"case": {…as encoder.py reads it…}, "line": "…"}
"""

import argparse
import json
import random
import sys

sys.dont_write_bytecode = True  # the source tree stays clean

from encoder import BLOCKED, COMPAT, DIALECTS, EVENTS, EXE_CUT, FOUND, MM, NO_ENTRY  # noqa: E402
from encoder import line  # noqa: E402

TEXTS = [b"", b"a", b"oomd", b"kworker/0:1H", b'"\\<>&', b"\n\r\t\b\f", b"\x01\x1f\x7f",
         "ü€😀".encode(), b"\xe2\x80\xa8\xe2\x80\xa9", b"bad\xff\xfe\x80z", b"\xe2\x82",
         b"\xed\xa0\x80", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\xf0\x9f\x98", b"\xef\xbf\xbd"]


FLAGS = [0, 0, 0, COMPAT, NO_ENTRY, NO_ENTRY | BLOCKED, EXE_CUT]

# What the call itself answers, 0 above all.
ANSWERS = ["0", "0", "0", "-22", "-22", "-3", "-3", "-9", "-11", "-4", "-38"]


class Generator:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def number(self, bits):
        """An edge, or as many random bits as chance wants."""
        edges = [0, 1, (1 << bits - 1) - 1, 1 << bits - 1, (1 << bits) - 1]
        if self.random.random() < 0.3:
            return self.random.choice(edges)
        return self.random.getrandbits(self.random.randint(1, bits))

    def unsigned(self, bits):
        return str(self.number(bits))

    def signed(self, bits):
        number = self.number(bits)
        return str(number - (1 << bits) if number >> bits - 1 else number)

    def text(self, size):
        """Up to `size` bytes without NUL, as hexadecimal."""
        if self.random.random() < 0.5:
            raw = self.random.choice(TEXTS)
        else:
            raw = bytes(self.random.randint(1, 255) for _ in range(self.random.randint(0, size)))
        return raw[:size].hex()

    def steps(self):
        return [self.text(30) for _ in range(self.random.randint(0, 8))]

    def record(self):
        entry = self.number(60)
        fields = {"flags": str(self.random.choice(FLAGS)),
                  "cpu": self.unsigned(16), "ret": self.random.choice(ANSWERS + [self.signed(64)]),
                  "args": [self.random.choice(["0", self.unsigned(64)]) for _ in range(6)],
                  "entry_ns": str(entry), "exit_ns": str(entry + self.number(40))}
        for name in ("cgroup_id", "thread_start_ns", "leader_start_ns", "parent_start_ns"):
            fields[name] = self.unsigned(64 if name == "cgroup_id" else 60)
        for name in ("tid", "pid", "ppid", "host_tid", "host_pid", "host_ppid", "uid", "mount_ns",
                     "pid_ns"):
            fields[name] = self.unsigned(32)
        if self.random.random() < 0.5:  # the leader itself
            fields["leader_start_ns"] = fields["thread_start_ns"]
            fields["host_pid"] = fields["host_tid"]
        fields["comm"], fields["host_name"] = self.text(15), self.text(15)
        if self.random.random() < 0.2:  # no process that Tracee's main branch would show
            fields["pid"], fields["comm"] = "0", ""
        fields["exe"] = self.steps()
        return fields

    def target(self):
        pages = [[self.signed(40) for _ in range(4)] for _ in range(2)]
        return {"flags": str(self.random.choice([FOUND | MM, 0]) | self.random.getrandbits(23)),
                "host_pid": self.signed(32), "pid": self.signed(32), "uid": self.unsigned(32),
                "threads": self.unsigned(16),
                "start_ns": self.unsigned(60), "cgroup_id": self.unsigned(64),
                "before": pages[0], "after": pages[1],
                "locked_pages": self.unsigned(40), "pagetable_bytes": self.unsigned(64),
                "comm": self.text(15),
                "exe": self.steps()}

    def case(self):
        event = self.random.choice(list(EVENTS) + ["do_mrelease"] * 4)
        has_target = event == "do_mrelease" and self.random.random() < 0.8
        container = bytes(self.random.choice(b"0123456789abcdef") for _ in range(64)).hex()
        return {"event": event, "boot_ns": str(1_600_000_000_000_000_000 + self.number(57)),
                "page_bytes": self.random.choice(["4096", "16384", "65536"]),
                "cpus": str(self.random.randint(1, 512)),
                "container_id": self.random.choice(["", container]),
                "record": self.record(), "target": self.target() if has_target else None}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=448)
    parser.add_argument("--dialect", choices=DIALECTS, default="json-v0.23")
    parser.add_argument("--exe", action="store_true", help="as --extra exe")
    options = parser.parse_args()
    generator = Generator(options.seed)
    for _ in range(options.count):
        case = generator.case()
        print(json.dumps({"case": case, "line": line(case, options.dialect, options.exe)}))


if __name__ == "__main__":
    main()
