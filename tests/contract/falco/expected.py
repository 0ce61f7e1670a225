# SPDX-License-Identifier: Apache-2.0
"""What the rules must raise, and what must be said of conditions and rules that are wrong."""

UNEXPECTED = "Memory released by an unexpected program"
OTHER_USER = "Process of another user released"
AGENT = "Security agent released"
ACROSS = "Process released across containers"
BLOCKED = "Release blocked by seccomp"
STORM = "Storm of failing releases"
RESERVED = "Release with reserved flags"
LOCKED = "Memory locked by an unexpected program"
MISSING = "Events of mrelease are missing"

# What each capture of scenes.py must raise, and how often; nothing else may.
ALERTS = {
    "bad_descriptor": {},
    "call_is_blocked": {BLOCKED: 1},
    "caller_forges_a_line": {UNEXPECTED: 1},
    "container_imitates_daemon": {UNEXPECTED: 1},
    "container_reaps_inside": {UNEXPECTED: 1},
    "container_reaps_outside": {UNEXPECTED: 1, ACROSS: 1},
    "daemon_reaps": {},
    "daemon_reaps_agent": {AGENT: 1},
    "daemon_reaps_another_user": {},
    "events_are_lost": {MISSING: 1},
    "just_below_a_storm": {},
    "keeper_locks": {},
    "reserved_flags": {RESERVED: 1},
    "root_reaps_another_user": {UNEXPECTED: 1},
    "slow_failures": {},
    "storm_of_failures": {STORM: 1},
    "storm_of_living_processes": {STORM: 1},
    "storm_of_failing_locks": {},
    "storm_of_gone_processes": {STORM: 1},
    "stranger_fails_to_lock": {},
    "stranger_locks": {LOCKED: 1},
    "stranger_locks_all": {LOCKED: 1},
    "stranger_locks_by_mlock2": {LOCKED: 1},
    "stranger_reaps": {UNEXPECTED: 1},
    "stranger_reaps_another_user": {UNEXPECTED: 1, OTHER_USER: 1},
    "stranger_reaps_own": {UNEXPECTED: 1},
    "stranger_tries_another_user": {},
    "stranger_tries_living_agent": {AGENT: 1},
    "stranger_tries_living_process": {},
}

ROWS = [
    {"name": "t.number", "type": "uint64"},
    {"name": "t.other", "type": "uint64"},
    {"name": "t.flag", "type": "bool"},
    {"name": "t.name", "type": "string"},
    {"name": "t.path", "type": "string"},
    {"name": "t.absent", "type": "string"},
    {"name": "t.list", "type": "string", "isList": True},
    {"name": "t.arg", "type": "string", "arg": {"isRequired": True, "isKey": True}},
    {"name": "t.nth", "type": "uint64", "arg": {"isIndex": True}},
    {"name": "t.net", "type": "ipnet"},
]
EVENT = {"t.number": 7, "t.other": 8, "t.flag": True, "t.name": "sleep", "t.path": "/usr/bin/sleep", "t.absent": None,
         "t.list": ["a", "b"], "t.arg[x]": "y", "t.nth[3]": 3}

TRUE = ["t.number = 7", "t.number=7", "t.number != 8", "t.number < 5 or t.flag = true",
        "not t.flag = false", "t.path in (/bin/sh, /usr/bin/sleep)", "t.number in (1, 7)",
        "t.path startswith /usr", "t.path endswith sleep", "t.path contains bin",
        "t.path icontains SLEEP", "t.path glob '/usr/*/sleep'", "t.path regex '/usr/b.n/sleep'",
        "t.path pmatch (/usr)", "t.path exists", "not t.absent exists", "not t.absent = x",
        "not (t.absent != x)", "t.list in (a, b, c)", "t.list intersects (b, z)", "t.arg[x] = y",
        "t.nth[3] >= 3", "t.number < val(t.other)", "t.number != val(t.other)",
        "t.flag = false and t.flag = false or t.flag = true",
        "t.flag = true or t.flag = false and t.flag = false", "not not t.flag = true"]
FALSE = ["t.number = 8", "t.number > 7", "t.flag = false", "t.path in (/bin/sh)", "t.path in ()",
         "t.path startswith bin", "t.absent != x", "t.absent exists", "t.path pmatch (/us)",
         "t.list in (a)", "t.list intersects (z)", "t.path regex sleep", "t.path glob sleep",
         "t.number > val(t.other)", "t.path != val(t.absent)", "not t.number in (7)",
         "(t.flag = true or t.flag = true) and t.flag = false"]
REFUSED = {
    "t.unknown = 1": "no field",
    "unknown = 1": "no field",
    "t.arg = y": "needs an argument",
    "t.name[x] = y": "takes no argument",
    "t.nth[x] = 1": "no index",
    "t.nth[03] = 1": "no index",
    "t.number contains 7": "does not apply",
    "t.flag < true": "does not apply",
    "t.list = a": "does not apply",
    "t.net = 10.0.0.0/8": "without known operators",
    "t.name = sixteen_letters_": "longer than",
    "t.number = seven": "no unsigned number",
    "t.number = 0x7": "no unsigned number",
    "t.number = -1": "no unsigned number",
    "t.number = 18446744073709551616": "no unsigned number",
    "t.number in (7, x)": "no unsigned number",
    "t.flag = yes": "not true or false",
    "t.number = val(t.name)": "not of the type",
    "t.number = val(t.unknown)": "no field",
    "t.number": "neither a macro",
    "stray": "neither a macro",
    "t.number = 7 and": "is missing",
    "t.number = 7 t.number = 7": "unexpected",
    "(t.number = 7": "')' is missing",
    "t.number = 7)": "unexpected",
    "t.number in 7": "'(' is missing",
    "t.number in (7": "',' is missing",
    "t.number =": "a value is missing",
    "": "is missing",
    "t.name = 'open": "nothing begins",
}

GOOD = {"rule": "r", "desc": "d", "condition": "t.number = 7", "output": "o %t.name %t.arg[x]",
        "priority": "NOTICE", "source": "mrelease", "tags": ["mitre_impact", "T1489"]}
BAD_RULES = [  # what differs from a good rule, and what must be said
    ({"condition": "t.number == x"}, "no unsigned number"),
    ({"output": "o %t.unknown"}, "no field"),
    ({"output": "o %t.arg"}, "needs an argument"),
    ({"output": "100 %"}, "not followed by a field"),
    ({"priority": "URGENT"}, "no priority"),
    ({"source": "syscall"}, "its source"),
    ({"tags": ["T1489"]}, "lack a tactic"),
    ({"tags": ["mitre_impact"]}, "lack a tactic"),
    ({"tags": ["mitre_mischief", "T1489"]}, "no tactic"),
    ({"tags": ["mitre_impact", "T1489", "T14"]}, "no tag"),
    ({"tags": ["mitre_impact", "T1489", "T1489"]}, "twice"),
    ({"severity": 1}, "unknown key"),
    ({"desc": None}, "'desc' is missing"),
    ({"exceptions": [{"name": "e", "fields": "t.unknown", "comps": "in", "values": ["x"]}]}, "no field"),
    ({"exceptions": [{"name": "e", "fields": ["t.name"], "comps": ["="], "values": [["x", "y"]]}]},
     "as many values"),
]
