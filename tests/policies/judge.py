#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Random policies, random calls, and which policies want which call.

usage: judge.py SEED SETS CALLS

Written from what Tracee's policies mean (rules add up, scopes must all hold, filters on one field are
one condition) and from docs/filters.md; it shares nothing with the filters that are tested. Each set is
some policies as texts, then calls with the bits of those that want them:

    P name / E text / S text    a policy, its texts of --events and --scope
    C numbers and texts         a call; its last word is what wants it, in hexadecimal
    .                           the end of a set
"""

import random
import sys

U32, U64 = (1 << 32) - 1, (1 << 64) - 1
START_NS = 5000  # from which on a process is new

# Arguments: position and how wide they are shown.
DATA = {
    "process_mrelease": {"pidfd": (0, "s32"), "flags": (1, "u32")},
    "mlock": {"addr": (0, "u64"), "len": (1, "u64")},
    "munlock": {"addr": (0, "u64"), "len": (1, "u64")},
    "mlockall": {"flags": (0, "s32")},
    "munlockall": {},
    "mlock2": {"addr": (0, "u64"), "len": (1, "u64"), "flags": (2, "s32")},
}
EVENTS = list(DATA)

# Of EVENT.scope: the word, a member of the call, its width.
CONTEXT = [
    ("processorId", "cpu", "u16"), ("p", "pid", "u32"), ("processId", "pid", "u32"), ("pid", "pid", "u32"),
    ("threadId", "tid", "u32"), ("tid", "tid", "u32"), ("parentProcessId", "ppid", "u32"), ("ppid", "ppid", "u32"),
    ("hostTid", "host_tid", "u32"), ("hostPid", "host_pid", "u32"), ("hostParentProcessId", "host_ppid", "u32"),
    ("uid", "uid", "u32"), ("userId", "uid", "u32"), ("mntns", "mount_ns", "u32"), ("pidns", "pid_ns", "u32"),
    ("cgroupId", "cgroup", "u64"), ("processName", "comm", "text"), ("comm", "comm", "text"),
    ("hostName", "host", "text"), ("containerId", "container", "id"), ("container", "container", "in"),
    ("host", "container", "out"),
]
SCOPES = [
    ("uid", "uid", "u32"), ("pid", "host_task", "u32"), ("mntns", "mount_ns", "same"), ("pidns", "pid_ns", "same"),
    ("comm", "comm", "text"), ("uts", "host", "text"), ("container", "container", "in"),
    ("not-container", "container", "out"), ("container", "container", "prefix"), ("pid", "start", "new"),
]

IDS = [0, 1, 2, 3, 70, 80, U32]
NAMES = ["", "a", "ab", "abc", "abcd", "b", "fifteen-bytes-x", "fifteen-bytes-"]
CONTAINERS = ["", "ab12" * 16, "ab13" * 16, "cd00" * 16]
ARGS = [0, 1, 2, 3, 4096, 40960, U64, 0xFFFFFFFF, 0x100000002, 0x80000000, 0x7FFFFFFF]
RESULTS = [0, 0, -1, -9, -12, 2, -(1 << 31), (1 << 31) - 1, -(1 << 63)]


def shown(value, width):
    """A register as its kind shows it."""
    if width == "u64":
        return value & U64
    if width == "u32":
        return value & U32
    value &= U32
    return value - (1 << 32) if value >> 31 else value


class Condition:
    """All that one policy asks of one field of one event, or of all: Tracee's order of precedence."""

    def __init__(self):
        self.equal, self.unequal, self.above, self.below = [], [], None, None
        self.presence = None

    def add(self, operator, values):
        if operator == "=":
            self.equal += values
        elif operator == "!=":
            self.unequal += values
        else:
            limit = values[0]
            if operator.endswith("="):  # the limit itself is one more wanted value
                self.equal.append(limit)
            if operator[0] == ">":
                self.above = limit if self.above is None else min(self.above, limit)
            else:
                self.below = limit if self.below is None else max(self.below, limit)

    def holds(self, fits, number):
        """`fits` compares a value; `number` is what limits are about."""
        if any(fits(value) for value in self.equal):
            return True
        if any(fits(value) for value in self.unequal):
            return False
        if self.above is not None or self.below is not None:
            return (self.above is None or number > self.above) and (self.below is None or number < self.below)
        return bool(self.unequal)


def text_fits(text):
    def fits(pattern):
        if not isinstance(pattern, str):
            return False
        begins, ends = pattern.endswith("*"), pattern.startswith("*")
        word = pattern[ends:len(pattern) - begins]
        if begins and ends:
            return word in text
        if begins:
            return text.startswith(word)
        return text.endswith(word) if ends else text == word
    return fits


def number_fits(number):
    as_text = text_fits(str(number))
    return lambda value: as_text(value) if isinstance(value, str) else value == number


def holds(condition, member, width, call):
    known = call["lookup"] < 2
    if width == "in":
        return call["container"] != ""
    if width == "out":
        return call["lookup"] == 0
    if width == "id":
        return call["container"] != "" and condition.holds(text_fits(call["container"]), None)
    if width == "prefix":
        return known and condition.holds(lambda value: call["container"] != "" and call["container"].startswith(value), None)
    if width == "text":
        return condition.holds(text_fits(call[member]), None)
    if width == "new":
        return all((call["start"] >= START_NS) == new for new in condition.equal)
    if member == "host_task":  # the process or the thread: either may do
        return any(condition.holds(number_fits(call[id]), call[id]) for id in ("host_pid", "host_tid"))
    if member == "arg":
        member, width = width
        value = shown(call["args"][member], width)
    else:
        value = call[member]
    return condition.holds(number_fits(value), value)


class Policy:
    def __init__(self, name):
        self.name, self.events, self.scopes = name, [], []
        self.wanted, self.left_out = set(), set()
        self.conditions = {}  # by event ("" all), member and width

    def ask(self, event, member, width, operator, values):
        self.conditions.setdefault((event, member, width), Condition()).add(operator, values)

    def wants(self, call):
        if call["event"] not in self.wanted - self.left_out:
            return False
        return all(holds(condition, member, width, call)
                   for (event, member, width), condition in self.conditions.items() if event in ("", call["event"]))


def pick_numbers(rng, width, operator):
    pool = {"u16": [0, 1, 2, 3, 65535], "u32": [0, 1, 2, 3, 70, 80, U32], "u64": [0, 1, 2, 4096, 40960, U64, 1 << 32],
            "s32": [0, 1, -1, -9, 2, -(1 << 31), (1 << 31) - 1], "s64": [0, -1, 2, -9, -12, -(1 << 31), 1 << 40]}[width]
    if operator in ("=", "!="):
        many = rng.choice([1, 1, 2, 3]) if rng.random() < 0.97 else 20  # more than a rule of the kernel holds
        return [rng.choice(pool) for _ in range(many)]
    low, high = {"u16": (0, 65535), "u32": (0, U32), "u64": (0, U64), "s32": (-(1 << 31), (1 << 31) - 1), "s64": (-(1 << 63), (1 << 63) - 1)}[width]
    limits = [n for n in pool if (n > low if operator == "<" else n < high if operator == ">" else True)]
    return [rng.choice(limits)]


def pick_texts(rng, most):
    words = [word for word in NAMES + ["bc", "x", "fifteen", "zz"] if word]
    many = rng.choice([1, 1, 2]) if rng.random() < 0.95 else 9
    return [rng.choice(["", "", "*"]) + word + rng.choice(["", "", "*"]) for word in rng.choices(words, k=many)]


def spell(number):
    return hex(number) if number >= 0 and random.random() < 0.1 else str(number)


def add_numbers(rng, policy, event, subject, member, width, kind, texts, patterns=False):
    operator = rng.choice(["=", "=", "!=", "!=", "<", "<=", ">", ">="])
    values = pick_numbers(rng, kind, operator)
    spelled = [spell(value) for value in values]
    if patterns and operator in ("=", "!=") and rng.random() < 0.2:
        values = [rng.choice(["4*", "*0", "*1*", "409*"])]
        spelled = values
    policy.ask(event, member, width, operator, values)
    texts.append("%s%s%s" % (subject, operator, ",".join(spelled)))


def add_texts(rng, policy, event, subject, member, width, texts, values):
    operator = rng.choice(["=", "!="])
    policy.ask(event, member, width, operator, values)
    texts.append("%s%s%s" % (subject, operator, ",".join(values)))


def add_named(rng, policy, event, subject, member, width, texts):
    """One condition of a word that both sides of a policy know."""
    if width in ("in", "out"):
        policy.conditions.setdefault((event, member, width), Condition())
        texts.append(subject)
    elif width == "new":
        new = rng.random() < 0.5
        policy.ask(event, member, width, "=", [new])
        texts.append(subject + ("=new" if new else "!=new"))
    elif width == "prefix":
        add_texts(rng, policy, event, subject, member, width, texts, [rng.choice(["ab", "ab12", "cd00", "ef"])])
    elif width == "id":
        add_texts(rng, policy, event, subject, member, width, texts, [rng.choice(CONTAINERS[1:] + ["ab*", "*13*"])])
    elif width == "text":
        add_texts(rng, policy, event, subject, member, width, texts, pick_texts(rng, 15))
    elif width == "same":  # neither more nor less
        operator, values = rng.choice(["=", "!="]), pick_numbers(rng, "u32", "=")
        policy.ask(event, member, width, operator, values)
        texts.append("%s%s%s" % (subject, operator, ",".join(map(str, values))))
    else:
        add_numbers(rng, policy, event, subject, member, width, width, texts)


def add_condition(rng, policy):
    event = rng.choice(EVENTS)
    policy.wanted.add(event)
    part = rng.random()
    if part < 0.35 and DATA[event]:
        field = rng.choice(list(DATA[event]))
        position, kind = DATA[event][field]
        add_numbers(rng, policy, event, "%s.%s.%s" % (event, rng.choice(["data", "args"]), field), "arg",
                    (position, kind), kind, policy.events, patterns=True)
    elif part < 0.6:
        add_numbers(rng, policy, event, event + ".retval", "ret", "s64", "s64", policy.events)
    else:
        word, member, width = rng.choice(CONTEXT)
        add_named(rng, policy, event, "%s.%s.%s" % (event, rng.choice(["scope", "context"]), word), member, width,
                  policy.events)


def add_list(rng, policy):
    if rng.random() < 0.3:
        policy.wanted.update(event for event in EVENTS if event.startswith("mlock"))
        policy.events.append("mlock*")
        return
    events = rng.sample(EVENTS, rng.choice([1, 1, 2, 3]))
    policy.wanted.update(events)
    policy.events.append(",".join(events))


def random_policy(rng, name):
    policy = Policy(name)
    for _ in range(rng.choice([1, 1, 2, 3])):
        (add_list if rng.random() < 0.5 else add_condition)(rng, policy)
    if rng.random() < 0.15:
        out = rng.choice(EVENTS)
        if policy.wanted - {out}:
            policy.left_out.add(out)
            policy.events.append("-" + out)
    for _ in range(rng.choice([0, 0, 1, 1, 2])):
        word, member, width = rng.choice(SCOPES)
        add_named(rng, policy, "", word, member, width, policy.scopes)
    return policy


def random_call(rng):
    container = rng.choice(CONTAINERS)
    pid, tid = rng.choice(IDS), rng.choice(IDS)
    return {
        "event": rng.choice(EVENTS), "ret": rng.choice(RESULTS), "args": [rng.choice(ARGS) for _ in range(3)],
        "uid": rng.choice(IDS), "host_pid": pid, "host_tid": tid, "host_ppid": rng.choice(IDS),
        "pid": rng.choice(IDS), "tid": rng.choice(IDS), "ppid": rng.choice(IDS), "mount_ns": rng.choice(IDS),
        "pid_ns": rng.choice(IDS), "cgroup": rng.choice([0, 1, 4096, 1 << 32]), "cpu": rng.choice([0, 1, 3]),
        "start": START_NS + rng.choice([-1, 0, 1]), "comm": rng.choice(NAMES), "host": rng.choice(NAMES),
        "container": container, "lookup": 1 if container else rng.choice([0, 0, 2, 3]),
    }


def print_call(call, policies):
    wanted = sum(1 << i for i, policy in enumerate(policies) if policy.wants(call))
    print("C %s %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %d %s %s %s %d %x" % (
        call["event"], call["ret"], *call["args"], call["uid"], call["host_pid"], call["host_tid"], call["host_ppid"],
        call["pid"], call["tid"], call["ppid"], call["mount_ns"], call["pid_ns"], call["cgroup"], call["cpu"],
        call["start"], call["comm"] or "-", call["host"] or "-", call["container"] or "-", call["lookup"], wanted))


def print_set(rng, calls):
    many = rng.choice([1, 2, 3, 5, 8]) if rng.random() < 0.97 else 64
    policies = [random_policy(rng, "p%d" % i) for i in range(many)]
    for policy in policies:
        print("P " + policy.name)
        for text in policy.events:
            print("E " + text)
        for text in policy.scopes:
            print("S " + text)
    for _ in range(calls):
        print_call(random_call(rng), policies)
    print(".")


def main():
    seed, sets, calls = (int(word) for word in sys.argv[1:])
    rng = random.Random(seed)
    random.seed(seed)
    for _ in range(sets):
        print_set(rng, calls)


if __name__ == "__main__":
    main()
