#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Lines that are wrong in one place each, and who notices.

mutants.py PROGRAM [--list]: makes mutants of one valid line per event and dialect, has them judged
by mrelease validate and by python3-jsonschema, and holds the outcome against survivors.txt. The two
have to agree (on every mutant with MRELEASE_TEST_LONG, on a quarter without), at least 99 % have to
be rejected, and what is accepted has to be listed with its reason, and the other way round. The
bounds are typed here, not taken from the schemas. --list prints the survivors.
"""

import copy
import json
import os
import subprocess
import sys
import tempfile

import both

HERE = os.path.dirname(os.path.abspath(__file__))
U16, U32, U64 = (0, 2**16 - 1), (0, 2**32 - 1), (0, 2**64 - 1)
S32, S64 = (-2**31, 2**31 - 1), (-2**63, 2**63 - 1)
TIME = (0, 2**63 - 1)

# By key; the rest is by the type of an argument.
KEYS = {
    "timestamp": TIME, "threadStartTime": TIME, "processorId": U16, "processId": U32,
    "cgroupId": U64, "threadId": U32, "parentProcessId": U32, "hostProcessId": U32,
    "hostThreadId": U32, "hostParentProcessId": U32, "userId": U32, "mountNamespace": U32,
    "pidNamespace": U32, "returnValue": S64, "threadEntityId": U32, "processEntityId": U32,
    "parentEntityId": U32, "unique_id": U32, "host_pid": U32, "pid": U32, "host_tid": U32,
    "tid": U32, "address": U64, "int32": S32, "u_int32": U32, "int64": S64, "u_int64": U64,
    "pointer": U64,
}
TYPES = {
    "int": S32, "int32": S32, "unsigned int": U32, "uint32": U32, "size_t": U64, "uint64": U64,
    "unsigned long": U64, "const void*": U64, "trace.Pointer": U64,
}
TYPE_STRINGS = ["int", "unsigned int", "long", "unsigned long", "size_t", "const void*",
                "const char*", "int32", "uint32", "int64", "uint64", "trace.Pointer", "string", ""]
MEMBERS = ["int32", "int64", "u_int32", "u_int64", "str", "bytes", "bool", "pointer"]
OTHERS = {
    int: ["7", True, None, [7], {}, 0.5],
    str: [7, True, None, ["x"], {}],
    bool: ["true", 1, None, [], {}],
    type(None): [7, "null", True, {}],
    list: [{}, None, "[]", 0],
    dict: [[], None, "{}", 0],
}
EVENTS = ["process_mrelease", "do_mrelease", "mlock", "munlock", "mlockall", "munlockall", "mlock2",
          "events_lost", "kill", ""]


def walk(value, path=()):
    yield path, value
    items = value.items() if isinstance(value, dict) else (
        enumerate(value) if isinstance(value, list) else ())
    for key, item in items:
        yield from walk(item, path + (key,))


def edited(line, path, change):
    """A copy with `change` applied to the container and the last step of `path`."""
    new = copy.deepcopy(line)
    place = new
    for step in path[:-1]:
        place = place[step]
    change(place, path[-1])
    return new


def put(value):
    def change(place, key):
        place[key] = value
    return change


def rename(place, key):
    """In place of the old one, so that only the name is wrong."""
    items = [(key + "X" if name == key else name, value) for name, value in place.items()]
    place.clear()
    place.update(items)


def bounds_of(line, path):
    if path[-1] != "value":
        return KEYS.get(path[-1])
    parent = line
    for step in path[:-1]:
        parent = parent[step]
    return TYPES.get(parent.get("type"))


def beyond(line, path, value):
    """The first values outside of what may be there."""
    bounds = bounds_of(line, path)
    if bounds is None:
        return []
    if isinstance(value, bool) or not isinstance(value, (int, str)):
        return []
    out = [bounds[0] - 1, bounds[1] + 1]
    if isinstance(value, int):
        return out
    if value.startswith("0x"):
        return ["0x", "0X7f", "0xg", "0x10000000000000000", "7f", "0x00"]
    return [str(number) for number in out] + ["-0", "01", "0x1", "1.0", " 1", ""]


def of_objects(line):
    for path, value in walk(line):
        if isinstance(value, dict):
            yield path, "add", edited(line, path + ("added",), put(0))
        if path and isinstance(path[-1], str):
            yield path, "drop", edited(line, path, lambda place, key: place.pop(key))
            yield path, "rename", edited(line, path, rename)


def of_values(line):
    for path, value in walk(line):
        if not path:
            continue
        for other in OTHERS[type(value)]:
            yield path, f"retype {json.dumps(other)}", edited(line, path, put(other))
        for other in beyond(line, path, value):
            yield path, f"beyond {json.dumps(other)}", edited(line, path, put(other))


def of_words(line):
    """Texts that may be one thing only, or not any."""
    for path, value in walk(line):
        last = path[-1] if path else None
        others = []
        if last in ("processName", "hostName") or path == ("workload", "process", "thread", "name"):
            others = ["sixteen letters!"]
        elif last in ("eventName", "syscall") or path == ("name",):
            others = [name for name in EVENTS if name != value]
        elif last == "eventId":
            others = ["0", "360", "10447", "x", "", "0" + value]
        elif last in ("timestamp", "start_time") and isinstance(value, str):
            others = ["", "null", "2025-11-18", value[:-1], value.replace("T", " "),
                      value.replace("2025-11", "2025-13"), value[:-1] + "+00:00", "1763467321"]
        elif last == "type":
            others = [word for word in TYPE_STRINGS if word != value]
        elif last == "argsNum" or path == ("id",):
            others = [value - 1, value + 1, value + 100, 0 if value else 9]
        for other in others:
            yield path, f"say {json.dumps(other)}", edited(line, path, put(other))


def of_arguments(line):
    key = "args" if "args" in line else "data"
    items = line[key]
    for i, item in enumerate(items):
        yield (key, i), "drop", edited(line, (key, i), lambda place, at: place.pop(at))
        yield (key, i), "double", edited(line, (key, i), lambda place, at: place.insert(at, place[at]))
        if i + 1 < len(items):
            def swap(place, at):
                place[at], place[at + 1] = place[at + 1], place[at]
            yield (key, i), "swap", edited(line, (key, i), swap)
        yield (key, i), "name", edited(line, (key, i, "name"), put(item["name"] + "_"))
        for member in MEMBERS if key == "data" else ():
            if member not in item:
                yield (key, i), f"member {member}", edited(
                    line, (key, i), put({"name": item["name"], member: list(item.values())[1]}))
    for other in ([], items + [{"name": "more", "type": "int", "value": 0, "int32": 0}]):
        yield (key,), f"items {len(other)}", edited(line, (key,), put(other))


def swapped_values(line):
    """Every value with that of the next key that holds another type, and in arguments the next."""
    flat = [(path, value) for path, value in walk(line)
            if path and not isinstance(value, (dict, list))]
    for (path, value), (other_path, other) in zip(flat, flat[1:]):
        if type(value) is type(other):
            continue
        new = edited(line, path, put(other))
        yield path, "swap with " + "/".join(map(str, other_path)), edited(new, other_path, put(value))
    args = line.get("args", [])
    for i in range(len(args) - 1 if len(args) < 10 else 0):  # a long list is full of like numbers
        one, two = args[i]["value"], args[i + 1]["value"]
        new = edited(line, ("args", i, "value"), put(two))
        if one != two:
            yield ("args", i, "value"), "swap with next", edited(new, ("args", i + 1, "value"), put(one))


def mutants_of(name, line):
    for make in (of_objects, of_values, of_words, of_arguments, swapped_values):
        for path, what, mutant in make(line):
            if mutant != line:
                yield f"{name} /{'/'.join(map(str, path))} {what}", mutant


def base_lines(dialect):
    """The first line of each event, and what has a container and pod, in corpus and golden."""
    paths = [os.path.join(HERE, "corpus", dialect + ".jsonl")]
    golden = os.path.join(HERE, "..", "golden", dialect)
    if os.path.isdir(golden):
        paths += [os.path.join(golden, name) for name in sorted(os.listdir(golden))]
    lines = {}
    for path in paths:
        with open(path, encoding="utf-8") as file:
            for text in file:
                line = json.loads(text)
                name = line.get("eventName") or line["name"]
                pods = line.get("kubernetes") or line.get("workload", {}).get("k8s")
                lines.setdefault("a pod" if pods else name, line)
    return lines


def judged_by_program(program, dialect, mutants):
    """The numbers of those that it accepts."""
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl", encoding="utf-8") as file:
        for mutant in mutants:
            file.write(json.dumps(mutant, separators=(",", ":"), ensure_ascii=False) + "\n")
        file.flush()
        result = subprocess.run([program, "validate", "--dialect", dialect, "--format", "json",
                                 file.name], capture_output=True, check=False, text=True)
    reports = [json.loads(text) for text in result.stdout.splitlines()]
    if not reports or reports[-1].get("lines") != len(mutants):
        raise SystemExit(f"validate said: {result.stdout[-500:]} {result.stderr}")
    rejected = {report["line"] - 1 for report in reports[:-1]}
    return set(range(len(mutants))) - rejected


def survivors_of(program, dialect, validator):
    """Names of the survivors, the number of mutants, and names of those where the two differ."""
    named = {}
    for base, line in base_lines(dialect).items():
        for name, mutant in mutants_of(base, line):
            named.setdefault(name, mutant)
    names, mutants = list(named), list(named.values())
    ours = judged_by_program(program, dialect, mutants)
    # The other one is slow: without time it judges what is accepted, and one in four of the rest.
    judged = set(range(0, len(mutants), 1 if os.environ.get("MRELEASE_TEST_LONG") else 4)) | ours
    theirs = {i for i in judged if validator.is_valid(mutants[i])}
    return [names[i] for i in sorted(ours)], len(names), [names[i] for i in sorted(ours ^ theirs)]


def read_list():
    listed = {}
    with open(os.path.join(HERE, "survivors.txt"), encoding="utf-8") as file:
        for line in file:
            if line.strip() and not line.startswith("#"):
                dialect, name, reason = line.strip().split(" | ")
                listed.setdefault(dialect, {})[name] = reason
    return listed


def check(dialect, found, count, differing, listed):
    """What is wrong, as lines."""
    wrong = [f"the validators differ: {name}" for name in differing]
    wrong += [f"survives, but is not listed: {name}" for name in found if name not in listed]
    wrong += [f"listed, but does not survive: {name}" for name in listed if name not in found]
    if count < 500:
        wrong.append(f"only {count} mutants")
    if len(found) * 100 > count:
        wrong.append(f"{len(found)} of {count} mutants survive")
    print(f"# {dialect}: {count} mutants, {count - len(found)} rejected "
          f"({100 - 100 * len(found) / count:.2f} %), {len(found)} survive")
    return wrong


def main():
    program, listing = sys.argv[1], "--list" in sys.argv
    listed, failed = read_list(), False
    for dialect, validator in both.validators(both.DIALECTS).items():
        found, count, differing = survivors_of(program, dialect, validator)
        if listing:
            for name in found:
                print(f"{dialect} | {name}")
        wrong = check(dialect, found, count, differing, listed.get(dialect, {}))
        for line in wrong:
            print(f"{dialect}: {line}")
        failed |= bool(wrong)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
