#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Whether the dialects say the same: reads groups of three lines, each group made of one record.

The lines of a group are json-v0.23, json-v0.24 and json-v1beta1, the first two with --extra exe.
Every value of the first is looked for by name in the others. Entity ids are the exception, since
they hash start times cut to 10 ms in one dialect and to 100 ms in the others: those of the second
and third are compared. Prints each difference; exits 1 when there is one, or when there are no
lines.

    agree.py FILE
"""

import datetime
import json
import re
import sys

TYPES = {  # of v0.23, with those of v0.24 and the members of the oneof
    "int": ("int32", "int32"), "unsigned int": ("uint32", "u_int32"),
    "long": ("int64", "int64"), "unsigned long": ("uint64", "u_int64"),
    "size_t": ("uint64", "u_int64"), "const void*": ("trace.Pointer", "pointer"),
    "const char*": ("string", "str"),
}
ENTITIES = ["threadEntityId", "processEntityId", "parentEntityId"]


def nanoseconds(text):
    match = re.fullmatch(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?Z", text)
    if not match or text.endswith("0Z") and match[2]:
        raise ValueError("no time: %r" % text)
    since = datetime.datetime.fromisoformat(match[1]) - datetime.datetime(1970, 1, 1)
    return (since.days * 86400 + since.seconds) * 10**9 + int((match[2] or "").ljust(9, "0"))


def bare(text):
    """What is left of a text in each dialect: bad bytes are U+FFFD in one and nothing in the other,
    which then drops each U+FFFD that was there before."""
    return text.replace("\ufffd", "") if isinstance(text, str) else text


def main_values(line):
    """The keys of the classic object that a v1beta1 line has values of."""
    process = line.get("workload", {}).get("process", {})
    thread = process.get("thread", {})
    parent = process.get("ancestors", [{}])[0]
    container = line.get("workload", {}).get("container", {})
    values = {
        "timestamp": nanoseconds(line["timestamp"]),
        "eventName": line["name"],
        "matchedPolicies": line["policies"]["matched"],
        "containerId": container.get("id", ""),
        "containerStarted": container.get("started", False),
    }
    if process:
        values.update({
            "executable": process.get("executable", {}).get("path", ""),
            "processEntityId": process["unique_id"],
            "hostProcessId": process["host_pid"],
            "processId": process["pid"],
            "userId": process["real_user"]["id"],
            "threadStartTime": nanoseconds(thread["start_time"]) if "start_time" in thread else 0,
            "processName": thread.get("name", ""),
            "threadEntityId": thread["unique_id"],
            "hostThreadId": thread["host_tid"],
            "threadId": thread["tid"],
            "syscall": thread.get("syscall", ""),
            "isCompat": thread.get("compat", False),
            "parentEntityId": parent.get("unique_id", 0),
        })
    if parent:
        values.update({"hostParentProcessId": parent["host_pid"], "parentProcessId": parent["pid"]})
    return values


def classic_values(line):
    values = dict(line)
    values.update(line["contextFlags"], executable=line["executable"]["path"])
    return values


def data_value(datum):
    """(member, value) of a datum; numbers of 64 bits are strings."""
    ((member, value),) = [item for item in datum.items() if item[0] != "name"]
    if member in ("int64", "u_int64", "pointer"):
        if not isinstance(value, str):
            raise ValueError("no string: %r" % value)
        value = int(value)
    return member, value


def compare_arguments(v23, v24, main):
    data = list(main["data"])
    if v23["syscall"]:
        result = data.pop()
        yield "returnValue", (result["name"], *data_value(result)), \
            ("returnValue", "int64", v23["returnValue"])
    yield "number of arguments", (len(v24["args"]), len(data)), (v23["argsNum"],) * 2
    for old, new, datum in zip(v23["args"], v24["args"], data):
        name, (new_type, wanted) = old["name"], TYPES[old["type"]]
        member, value = data_value(datum)
        yield name, (new["name"], datum["name"], new["type"]), (name, name, new_type)
        yield name, member, "value" if old["value"] is None else wanted
        yield name, bare(value), bare(new["value"])
        if not name.endswith("_entity_id"):
            yield name, new["value"], old["value"]


def compare(v23, v24, main):
    """(what, value, wanted value) of everything that two of them say."""
    yield "keys", list(v24), list(v23)
    for key in set(v23) - {"args", *ENTITIES}:
        yield key, v24[key], v23[key]
    classic = classic_values(v24)
    for key, value in main_values(main).items():
        yield key, bare(value), bare(classic[key])
    yield from compare_arguments(v23, v24, main)


def main(path):
    with open(path, encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    differences = 0
    for i in range(0, len(lines), 3):
        for what, value, wanted in compare(*lines[i:i + 3]):
            if value != wanted:
                print("# group %d, %s: %r, wanted %r" % (i // 3, what, value, wanted))
                differences += 1
    return 1 if differences or not lines else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
