#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""An independent encoder: a description of a call becomes the line that Tracee would print.

Written from what Tracee does (the sources of v0.23.2, v0.24.1 and main), not from this project's encoder,
so that the two can be compared. A description is a JSON object with the raw fields of a record;
64-bit numbers are decimal strings, texts that need not be UTF-8 are hexadecimal:

    {"event": "mlock2", "boot_ns": "…", "page_bytes": "4096", "cpus": "2", "container_id": "",
     "record": {"flags": "0", "cpu": "6", "ret": "-22", "args": ["5", …six of them],
                "entry_ns": "…", "exit_ns": "…", "cgroup_id": "…", "thread_start_ns": "…",
                "leader_start_ns": "…", "parent_start_ns": "…", "tid": "…", "pid": "…",
                "ppid": "…", "host_tid": "…", "host_pid": "…", "host_ppid": "…", "uid": "…",
                "mount_ns": "…", "pid_ns": "…", "comm": "6f6f6d64", "host_name": "…",
                "exe": [optional: components of the caller's path, innermost first]},
     "target": null, or
               {"flags": "7", "host_pid": "…", "pid": "…", "uid": "…", "start_ns": "…",
                "cgroup_id": "…", "before": [file, anon, swap, shmem], "after": […],
                "locked_pages": "…", "pagetable_bytes": "…", "comm": "…",
                "exe": [components of the path, innermost first]}}

    encoder.py [--dialect D] [--exe] FILE…        prints the line of each description
"""

import argparse
import codecs
import datetime
import json
import platform
import struct
import sys

U32, U64 = (1 << 32) - 1, (1 << 64) - 1

COMPAT, NO_ENTRY, BLOCKED, EXE_CUT = 1, 2, 16, 32  # record flags
FOUND, MM, OOM_SKIP, CUT, AFTER, EXACT = 1, 2, 4, 8, 16, 32  # target flags
UNSTABLE, DYING, DUMPING, SHARED, KERNEL, THREAD, GONE = (1 << bit for bit in range(6, 13))
DYING_AFTER, DUMPING_AFTER, MM_AFTER, SKIP_AFTER, UNSTABLE_AFTER, WATCHED, REAPED = (
    1 << bit for bit in range(13, 20))
PER_TASK = 1 << 22

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
    # In place of type strings, the members of a protobuf oneof.
    "json-v1beta1": {
        "s32": "int32", "u32": "u_int32", "u64": "u_int64", "size": "u_int64",
        "pointer": "pointer", "text": "str", "rounding": 100_000_000,
    },
}

RANGE = [("addr", "pointer"), ("len", "size")]
# name: (id on x86-64, id on arm64, id in protobuf, system call, arguments)
EVENTS = {
    "process_mrelease": (448, 448, 360, "process_mrelease", [("pidfd", "s32"), ("flags", "u32")]),
    "do_mrelease": (10448, 10448, 10448, "process_mrelease", [("pidfd", "s32"), ("flags", "u32")]),
    "mlock": (149, 228, 150, "mlock", RANGE),
    "munlock": (150, 229, 151, "munlock", RANGE),
    "mlockall": (151, 230, 152, "mlockall", [("flags", "s32")]),
    "munlockall": (152, 231, 153, "munlockall", []),
    "mlock2": (325, 284, 326, "mlock2", RANGE + [("flags", "s32")]),
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


def main_string(raw):
    """As Tracee's main branch: what is no UTF-8 is dropped, and then every U+FFFD with it."""
    try:
        characters = raw.decode("utf-8")
    except UnicodeDecodeError:
        characters = raw.decode("utf-8", "ignore").replace("\ufffd", "")
    return '"%s"' % "".join(SHORT.get(c) or ("\\u%04x" % ord(c) if c < " " else c)
                            for c in characters)


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


def counter_bound(case, flags):
    """Pages that one counter may be off by: parts of CPUs since Linux 6.2, of threads before."""
    cpus = int(case["cpus"])
    if flags & EXACT:
        return 0
    if flags & PER_TASK:
        return 64 * 16 * int(case["target"]["threads"])
    return max(32, 2 * cpus) * cpus


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
    fields = [("outcome", "text", outcome),
              ("released_bytes", "u64", released)]
    for name, which in (("anon", anon), ("file", file), ("shmem", shmem), ("swap", swap)):
        for when, pages in (("before", before), ("after", after)):
            value = pages[which] if pages else None
            fields.append(("%s_%s" % (name, when), "u64", value))
    fields += [
        ("locked_bytes", "u64", int(target["locked_pages"]) * page if before else None),
        ("pagetable_bytes", "u64", int(target["pagetable_bytes"]) if before else None),
        ("accuracy", "text", accuracy),
        ("error_bound_bytes", "u64", bound),
    ]
    return fields


def path_of(steps, is_cut):
    if not steps:
        return None
    path = b"".join(b"/" + bytes.fromhex(step) for step in reversed(steps))
    return b"..." + path if is_cut else path


def target_identity(case, target, rounding):
    if not target:
        return [(name, kind, None) for name, kind in (
            ("target_host_pid", "s32"), ("target_pid", "s32"), ("target_name", "text"),
            ("target_exe", "text"), ("target_uid", "u32"), ("target_start_time", "u64"),
            ("target_entity_id", "u32"), ("target_cgroup_id", "u64"),
            ("target_container_id", "text"))]
    start = int(target["start_ns"]) + int(case["boot_ns"]) & U64
    host_pid = int(target["host_pid"])
    return [
        ("target_host_pid", "s32", host_pid),
        ("target_pid", "s32", int(target["pid"])),
        ("target_name", "text", bytes.fromhex(target["comm"])),
        ("target_exe", "text", path_of(target["exe"], int(target["flags"]) & CUT)),
        ("target_uid", "u32", int(target["uid"])),
        ("target_start_time", "u64", start),
        ("target_entity_id", "u32", entity(host_pid & U32, start, rounding)),
        ("target_cgroup_id", "u64", int(target["cgroup_id"])),
        ("target_container_id", "text", b""),
    ]


def caller_path(record):
    return path_of(record.get("exe"), int(record["flags"]) & EXE_CUT) or b""


def arguments(case, dialect):
    record = case["record"]
    fields = [(name, kind, cut(kind, int(record["args"][i])))
              for i, (name, kind) in enumerate(EVENTS[case["event"]][4])]
    if case["event"] == "do_mrelease":
        duration = int(record["exit_ns"]) - int(record["entry_ns"])
        no_entry = int(record["flags"]) & NO_ENTRY
        found = case["target"] if case["target"] and int(case["target"]["flags"]) & FOUND else None
        fields += target_identity(case, found, dialect["rounding"])
        fields += target_memory(case, case["target"])
        fields.append(("duration_ns", "u64", None if no_entry else duration))
    return fields


# -- the lines -------------------------------------------------------------------------------------

def classic_line(case, dialect, with_exe):
    record = case["record"]
    x86_64, arm64, _, syscall, _ = EVENTS[case["event"]]

    def epoch(key):
        return int(record[key]) + int(case["boot_ns"]) & U64

    def entity_of(task, start):
        return str(entity(int(record[task]), epoch(start), dialect["rounding"]))

    def boolean(value):
        return "true" if value else "false"

    def value(value):
        return go_string(value) if isinstance(value, bytes) else "null" if value is None else value

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
        ("executable", '{"path":%s}' % go_string(caller_path(record) if with_exe else b"")),
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
                                   % (name, dialect[kind], value(argument))
                                   for name, kind, argument in fields)),
    ]
    return "{%s}" % ",".join('"%s":%s' % member for member in members)


def rfc3339(ns):
    seconds, fraction = divmod(ns, 1_000_000_000)
    moment = datetime.datetime(1970, 1, 1) + datetime.timedelta(seconds=seconds)
    return moment.isoformat() + (".%09d" % fraction).rstrip("0").rstrip(".") + "Z"


def datum(name, member, value):
    if value is None:
        return '{"name":"%s","value":null}' % name
    if isinstance(value, bytes):
        value = main_string(value)
    elif member in ("int64", "u_int64", "pointer"):
        value = '"%d"' % value
    return '{"name":"%s","%s":%s}' % (name, member, value)


def json_object(members):
    """Members that are None are left out."""
    return "{%s}" % ",".join('"%s":%s' % member for member in members if member[1] is not None)


def process(case, dialect, syscall):
    record = case["record"]
    starts = {name: int(record[name + "_start_ns"]) + int(case["boot_ns"]) & U64
              for name in ("thread", "leader", "parent")}

    def entity_of(task, start):
        return entity(int(record[task]), starts[start], dialect["rounding"])

    if int(record["pid"]) == 0 and not record["comm"]:
        return None
    name, path = main_string(bytes.fromhex(record["comm"])), caller_path(record)
    parent = entity_of("host_ppid", "parent")
    return json_object([
        ("executable", '{"path":%s}' % main_string(path) if path else None),
        ("unique_id", entity_of("host_pid", "leader")),
        ("host_pid", record["host_pid"]),
        ("pid", record["pid"]),
        ("real_user", '{"id":%s}' % record["uid"]),
        ("thread", json_object([
            ("start_time", '"%s"' % rfc3339(starts["thread"]) if starts["thread"] else None),
            ("name", name if name != '""' else None),
            ("unique_id", entity_of("host_tid", "thread")),
            ("host_tid", record["host_tid"]),
            ("tid", record["tid"]),
            ("syscall", '"%s"' % syscall),
            ("compat", "true" if int(record["flags"]) & COMPAT else None)])),
        ("ancestors", '[{"unique_id":%d,"host_pid":%s,"pid":%s}]'
         % (parent, record["host_ppid"], record["ppid"]) if parent else None)])


def main_line(case, dialect):
    record = case["record"]
    _, _, protobuf_id, syscall, _ = EVENTS[case["event"]]
    timestamp = int(record["entry_ns"]) + int(case["boot_ns"]) & U64
    container = bytes.fromhex(case["container_id"])
    data = [datum(name, dialect[kind], value) for name, kind, value in arguments(case, dialect)]
    data.append(datum("returnValue", "int64", int(record["ret"])))
    workload = json_object([
        ("process", process(case, dialect, syscall)),
        ("container", '{"id":%s,"name":"","started":true}' % main_string(container)
         if container else None)])
    return json_object([
        ("timestamp", '"%s"' % (rfc3339(timestamp) if timestamp else "null")),
        ("id", protobuf_id),
        ("name", '"%s"' % case["event"]),
        ("policies", '{"matched":[""]}'),
        ("workload", workload if workload != "{}" else None),
        ("data", "[%s]" % ",".join(data))])


def line(case, dialect_name, with_exe=False):
    dialect = DIALECTS[dialect_name]
    if dialect_name == "json-v1beta1":
        return main_line(case, dialect)
    return classic_line(case, dialect, with_exe)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("files", metavar="FILE", nargs="+")
    parser.add_argument("--dialect", choices=DIALECTS, default="json-v0.23")
    parser.add_argument("--exe", action="store_true", help="as --extra exe")
    options = parser.parse_args()
    sys.stdout.reconfigure(encoding="utf-8")
    for name in options.files:
        with open(name, encoding="utf-8") as file:
            print(line(json.load(file), options.dialect, options.exe))


if __name__ == "__main__":
    main()
