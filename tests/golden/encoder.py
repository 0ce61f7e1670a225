#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An independent encoder: a description of a call becomes the line that Tracee would print.

Written from what Tracee does (its v0.23.2 and v0.24.1 sources), not from this project's encoder,
so that the two can be compared. A description is a JSON object with the raw fields of a record;
64-bit numbers are decimal strings, texts that need not be UTF-8 are hexadecimal:

    {"event": "mlock2", "boot_ns": "…", "page_bytes": "4096", "cpus": "2", "container_id": "",
     "record": {"flags": "0", "cpu": "6", "ret": "-22", "args": ["5", …six of them],
                "entry_ns": "…", "exit_ns": "…", "cgroup_id": "…", "thread_start_ns": "…",
                "leader_start_ns": "…", "parent_start_ns": "…", "tid": "…", "pid": "…",
                "ppid": "…", "host_tid": "…", "host_pid": "…", "host_ppid": "…", "uid": "…",
                "mount_ns": "…", "pid_ns": "…", "comm": "6f6f6d64", "host_name": "…"},
     "target": null, or
               {"flags": "7", "host_pid": "…", "pid": "…", "uid": "…", "start_ns": "…",
                "cgroup_id": "…", "before": [file, anon, swap, shmem], "after": […],
                "locked_pages": "…", "pagetable_bytes": "…", "comm": "…",
                "exe": [components of the path, innermost first]}}

    encoder.py [--dialect D] FILE…        prints the line of each description
"""

import argparse
import codecs
import json
import platform
import struct
import sys

U32, U64 = (1 << 32) - 1, (1 << 64) - 1

COMPAT, NO_ENTRY = 1, 2  # record flags
BLOCKED = 16
FOUND, MM, OOM_SKIP, CUT, AFTER, EXACT = 1, 2, 4, 8, 16, 32  # target flags
UNSTABLE, DYING, DUMPING, SHARED, KERNEL, THREAD, GONE = (1 << bit for bit in range(6, 13))
DYING_AFTER, DUMPING_AFTER, MM_AFTER, SKIP_AFTER, UNSTABLE_AFTER, WATCHED, REAPED = (
    1 << bit for bit in range(13, 20))

# Type strings by dialect, and where Tracee cuts start times before it hashes them.
DIALECTS = {
    "json-v0.23": {
        "s32": "int", "u32": "unsigned int", "u64": "unsigned long", "size": "size_t",
        "pointer": "const void*", "text": "const char*", "rounding": 10_000_000,
    },
    "json-v0.24": {
        "s32": "int32", "u32": "uint32", "u64": "uint64", "size": "uint64",
        "pointer": "trace.Pointer", "text": "string", "rounding": 100_000_000,
    },
}

RANGE = [("addr", "pointer"), ("len", "size")]
# name: (id on x86-64, id on arm64, system call, arguments)
EVENTS = {
    "process_mrelease": (448, 448, "process_mrelease", [("pidfd", "s32"), ("flags", "u32")]),
    "do_mrelease": (10448, 10448, "process_mrelease", [("pidfd", "s32"), ("flags", "u32")]),
    "mlock": (149, 228, "mlock", RANGE),
    "munlock": (150, 229, "munlock", RANGE),
    "mlockall": (151, 230, "mlockall", [("flags", "s32")]),
    "munlockall": (152, 231, "munlockall", []),
    "mlock2": (325, 284, "mlock2", RANGE + [("flags", "s32")]),
}

# -- Go's strings ----------------------------------------------------------------------------------

BAD_BYTE = "\udcff"  # no decoder of valid UTF-8 gives it: stands for one byte that is none
codecs.register_error("one-per-byte", lambda error: (BAD_BYTE, error.start + 1))

SHORT = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


def go_character(character):
    if character == BAD_BYTE:
        return "\\ufffd"
    if character in SHORT:
        return SHORT[character]
    if ord(character) < 0x20 or character in "<>&\u2028\u2029":
        return "\\u%04x" % ord(character)
    return character


def go_string(raw):
    return '"%s"' % "".join(map(go_character, raw.decode("utf-8", "one-per-byte")))


# -- entity ids ------------------------------------------------------------------------------------

def rotate(number, by):
    return (number << by | number >> 32 - by) & U32


def murmur3(data, seed=0x18273645):
    """MurmurHash3, x86, 32 bits; for whole blocks of four bytes."""
    state = seed
    for (block,) in struct.iter_unpack("<I", data):
        block = rotate(block * 0xCC9E2D51 & U32, 15) * 0x1B873593 & U32
        state = (rotate(state ^ block, 13) * 5 + 0xE6546B64) & U32
    state ^= len(data)
    state = (state ^ state >> 16) * 0x85EBCA6B & U32
    state = (state ^ state >> 13) * 0xC2B2AE35 & U32
    return state ^ state >> 16


def entity(task, start_ns, rounding):
    """0 for no task, which has no start time."""
    if not start_ns:
        return 0
    return murmur3(struct.pack(">IQ", task, start_ns - start_ns % rounding))


# -- values ----------------------------------------------------------------------------------------

def signed32(number):
    number &= U32
    return number - (1 << 32) if number >> 31 else number


def cut(kind, number):
    return {"s32": signed32(number), "u32": number & U32}.get(kind, number)


def text(raw):
    return go_string(raw) if raw is not None else "null"


def number_or_null(number):
    return "null" if number is None else str(number)


def counter_bound(case, flags):
    cpus = int(case["cpus"])
    return 0 if flags & EXACT else max(32, 2 * cpus) * cpus


def success(flags, anon_pages, bound):
    """Of a call that returned 0, by the table in docs/outcomes.md."""
    if not flags & FOUND or not flags & MM:
        return b"unknown"
    if flags & UNSTABLE and anon_pages <= bound:
        return b"already_reaped"
    if flags & REAPED:
        return b"reaped"
    if flags & OOM_SKIP:
        return b"already_reaped"
    seen_again = flags & MM_AFTER
    if seen_again and not flags & SKIP_AFTER:
        return b"reaped"
    if flags & WATCHED:
        return b"already_reaped"
    if not seen_again or flags & UNSTABLE:
        return b"unknown"
    return b"reaped" if flags & UNSTABLE_AFTER else b"already_reaped"


def invalid(flags, call_flags):
    if call_flags & U32:
        return b"bad_flags"
    if not flags & FOUND or not flags & AFTER:
        return b"unknown"
    if not flags & DYING_AFTER:
        return b"not_dying"
    if not flags & DYING:
        return b"unknown"
    if flags & DUMPING:
        return b"core_dumping" if flags & DUMPING_AFTER else b"unknown"
    return b"shared_mm" if flags & SHARED else b"unknown"


def absent(flags):
    if flags & THREAD:
        return b"bad_fd"
    if flags & GONE:
        return b"race_lost"
    if flags & FOUND and not flags & KERNEL:
        if not flags & MM or flags & DYING or (flags & AFTER and flags & DYING_AFTER):
            return b"race_lost"
    return b"unknown"


def outcome_of(case, target):
    record, flags = case["record"], int(target["flags"])
    ret, record_flags = int(record["ret"]), int(record["flags"])
    if record_flags & NO_ENTRY:
        own = ret in (0, -22, -3, -9, -11, -4)
        return b"unknown" if own and not record_flags & BLOCKED else b"blocked"
    simple = {-9: b"bad_fd", -11: b"partial", -4: b"interrupted", -38: b"unsupported"}
    if ret == 0:
        return success(flags, int(target["before"][1]), counter_bound(case, flags))
    if ret == -22:
        return invalid(flags, int(record["args"][1]))
    if ret == -3:
        return absent(flags)
    return simple.get(ret, b"unknown")


def target_memory(case, target):
    """The fields from outcome to error_bound_bytes, in their order."""
    page = int(case["page_bytes"])
    flags = int(target["flags"]) if target else 0
    before = after = None
    if flags & FOUND and flags & MM:
        before = [max(0, int(pages)) * page for pages in target["before"]]
        if flags & AFTER:
            after = [max(0, int(pages)) * page for pages in target["after"]]
    file, anon, swap, shmem = 0, 1, 2, 3

    def resident(pages):
        return pages[file] + pages[anon] + pages[shmem]

    outcome = outcome_of(case, target) if target else None
    accuracy = released = bound = None
    if after:
        released = max(0, resident(before) - resident(after))
        accuracy = b"exact" if flags & EXACT else b"approx"
        bound = 2 * 3 * counter_bound(case, flags) * page
    fields = [("outcome", "text", text(outcome)),
              ("released_bytes", "u64", number_or_null(released))]
    for name, which in (("anon", anon), ("file", file), ("shmem", shmem), ("swap", swap)):
        for when, pages in (("before", before), ("after", after)):
            value = pages[which] if pages else None
            fields.append(("%s_%s" % (name, when), "u64", number_or_null(value)))
    fields += [
        ("locked_bytes", "u64",
         number_or_null(int(target["locked_pages"]) * page if before else None)),
        ("pagetable_bytes", "u64",
         number_or_null(int(target["pagetable_bytes"]) if before else None)),
        ("accuracy", "text", text(accuracy)),
        ("error_bound_bytes", "u64", number_or_null(bound)),
    ]
    return fields


def target_identity(case, target, rounding):
    if not target:
        return [(name, kind, "null") for name, kind in (
            ("target_host_pid", "s32"), ("target_pid", "s32"), ("target_name", "text"),
            ("target_exe", "text"), ("target_uid", "u32"), ("target_start_time", "u64"),
            ("target_entity_id", "u32"), ("target_cgroup_id", "u64"),
            ("target_container_id", "text"))]
    start = int(target["start_ns"]) + int(case["boot_ns"]) & U64
    steps = [bytes.fromhex(step) for step in target["exe"]]
    path = b"".join(b"/" + step for step in reversed(steps)) if steps else None
    if path and int(target["flags"]) & CUT:
        path = b"..." + path
    host_pid = int(target["host_pid"])
    return [
        ("target_host_pid", "s32", str(host_pid)),
        ("target_pid", "s32", target["pid"]),
        ("target_name", "text", text(bytes.fromhex(target["comm"]))),
        ("target_exe", "text", text(path)),
        ("target_uid", "u32", target["uid"]),
        ("target_start_time", "u64", str(start)),
        ("target_entity_id", "u32", str(entity(host_pid & U32, start, rounding))),
        ("target_cgroup_id", "u64", target["cgroup_id"]),
        ("target_container_id", "text", '""'),
    ]


def arguments(case, dialect):
    record = case["record"]
    fields = [(name, kind, str(cut(kind, int(record["args"][i]))))
              for i, (name, kind) in enumerate(EVENTS[case["event"]][3])]
    if case["event"] == "do_mrelease":
        duration = int(record["exit_ns"]) - int(record["entry_ns"])
        no_entry = int(record["flags"]) & NO_ENTRY
        found = case["target"] if case["target"] and int(case["target"]["flags"]) & FOUND else None
        fields += target_identity(case, found, dialect["rounding"])
        fields += target_memory(case, case["target"])
        fields.append(("duration_ns", "u64", "null" if no_entry else str(duration)))
    return fields


# -- the line --------------------------------------------------------------------------------------

def line(case, dialect_name):
    dialect, record = DIALECTS[dialect_name], case["record"]
    x86_64, arm64, syscall, _ = EVENTS[case["event"]]

    def epoch(key):
        return int(record[key]) + int(case["boot_ns"]) & U64

    def entity_of(task, start):
        return str(entity(int(record[task]), epoch(start), dialect["rounding"]))

    def boolean(value):
        return "true" if value else "false"

    container = bytes.fromhex(case["container_id"])
    fields = arguments(case, dialect)
    members = [
        ("timestamp", str(epoch("entry_ns"))),
        ("threadStartTime", str(epoch("thread_start_ns"))),
        ("processorId", record["cpu"]),
        ("processId", record["pid"]),
        ("cgroupId", record["cgroup_id"]),
        ("threadId", record["tid"]),
        ("parentProcessId", record["ppid"]),
        ("hostProcessId", record["host_pid"]),
        ("hostThreadId", record["host_tid"]),
        ("hostParentProcessId", record["host_ppid"]),
        ("userId", record["uid"]),
        ("mountNamespace", record["mount_ns"]),
        ("pidNamespace", record["pid_ns"]),
        ("processName", go_string(bytes.fromhex(record["comm"]))),
        ("executable", '{"path":""}'),
        ("hostName", go_string(bytes.fromhex(record["host_name"]))),
        ("containerId", go_string(container)),
        ("container", '{"id":%s}' % go_string(container) if container else "{}"),
        ("kubernetes", "{}"),
        ("eventId", '"%d"' % (arm64 if platform.machine() == "aarch64" else x86_64)),
        ("eventName", '"%s"' % case["event"]),
        ("matchedPolicies", '[""]'),
        ("argsNum", str(len(fields))),
        ("returnValue", record["ret"]),
        ("syscall", '"%s"' % syscall),
        ("stackAddresses", "null"),
        ("contextFlags", '{"containerStarted":%s,"isCompat":%s}'
         % (boolean(container), boolean(int(record["flags"]) & COMPAT))),
        ("threadEntityId", entity_of("host_tid", "thread_start_ns")),
        ("processEntityId", entity_of("host_pid", "leader_start_ns")),
        ("parentEntityId", entity_of("host_ppid", "parent_start_ns")),
        ("args", "[%s]" % ",".join('{"name":"%s","type":"%s","value":%s}'
                                   % (name, dialect[kind], value)
                                   for name, kind, value in fields)),
    ]
    return "{%s}" % ",".join('"%s":%s' % member for member in members)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--dialect", choices=DIALECTS, default="json-v0.23")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    for name in options.files:
        with open(name, encoding="utf-8") as file:
            print(line(json.load(file), options.dialect))


if __name__ == "__main__":
    main()
