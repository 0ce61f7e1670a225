#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Policy files as their users have them: the verbs, a run, a directory that is exchanged as a ConfigMap is, and
tracee.pid.

usage: test_policy.py PROGRAM
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import NAME, PROGRAM, Sensor, await_, call, run_tests, started  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="mrelease-policy.")


def write(path, text):
    path = f"{ROOM}/{path}"
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def policy(name, *filters):
    """Our own calls, and of them those that fit."""
    return (f"apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata:\n  name: {name}\nspec:\n"
            f"  scope:\n    - comm = {NAME}\n  rules:\n    - event: process_mrelease\n" +
            ("      filters:\n" + "".join(f"        - {one}\n" for one in filters) if filters else ""))


def verb(*words):
    done = subprocess.run([PROGRAM, *words], capture_output=True, text=True, timeout=20, check=False)
    return done.returncode, done.stdout, done.stderr


class Run(Sensor):
    """With policies in place of events."""

    def __init__(self, *words):  # pylint: disable=super-init-not-called
        self.run = subprocess.Popen([PROGRAM, "run", *words], stderr=subprocess.PIPE, bufsize=0)
        started.append(self.run)
        self.said = self.until("watching")


def matched(path):
    """Which call has which policies."""
    with open(path, encoding="utf-8") as file:
        events = [json.loads(line) for line in file.read().splitlines()]
    return {one["args"][1]["value"]: one["matchedPolicies"] for one in events
            if one["eventName"] == "process_mrelease"}


# -- the verbs ------------------------------------------------------------------------------------------------

def test_check_tells_each_fault_with_its_place():
    good, bad = write("check/good.yaml", policy("good")), write("check/bad.yaml", policy("bad", "uidd=0", "data.flag=1"))
    status, out, err = verb("policy", "check", good)
    assert (status, out, err) == (0, f"{good}:1: policy 'good': 1 of 1 rules\n", ""), (status, out, err)
    status, out, _ = verb("policy", "check", good, bad)
    assert status == 1 and out.splitlines() == [
        f"{bad}:11:11: unknown field of the context 'uidd': did you mean 'uid'?",
        f"{bad}:12:11: unknown field 'flag': did you mean 'flags'?"], out
    assert verb("policy", "chek", good)[0] == 2 and verb("policy", "check")[0] == 2 and verb("policy")[0] == 2
    assert verb("policy", "check", f"{ROOM}/none.yaml")[0] == 1


def test_the_examples_are_right():
    folder = f"{os.path.dirname(os.path.abspath(__file__))}/../../../examples/policies"
    status, out, _ = verb("policy", "check", "--tracee", "v0.24", folder)
    assert status == 1 and out.count("\n") == 1 and "event do_mrelease is not valid" in out, out
    status, out, _ = verb("policy", "check", folder)
    assert status == 0 and "warning" not in out and len(os.listdir(folder)) == out.count("\n") == 3, out


def test_events_of_a_profile_give_way():
    path = write("profile/a.yaml", policy("a"))
    status, _, err = verb("run", "--profile", "soc", "-p", path, "-d", "300ms", "-o", "none")
    assert status == 0 and "watching process_mrelease, with" in err, err


def test_a_version_of_tracee_refuses_in_its_own_words():
    path = write("check/version.yaml", policy("version", "retval<0"))
    assert verb("policy", "check", path)[0] == 0
    status, out, _ = verb("policy", "check", "--tracee", "v0.24", path)
    assert status == 1 and "Tracee v0.24 refuses this: retval must have value: retval<0" in out, out


def test_a_version_of_tracee_judges_the_command_line():
    for words, said in ((("--tracee", "main", "-e", "syscalls"), "invalid event to trace: syscalls"),
                        (("--tracee", "v0.24", "-e", "tag=syscalls"), "it has no tag="),
                        (("--tracee", "v0.23", "-s", "container=started"), "container id not found: started"),
                        (("--tracee", "main", "-s", "p=1"), "'p' is not known here: use pid")):
        status, _, err = verb("run", *words)
        assert status == 2 and said in err, err


def test_explain_has_a_command_line_that_watches_the_same():
    path = write("explain/a.yaml", policy("a", "retval<=-1", "comm!=x y"))
    status, out, _ = verb("policy", "explain", path)
    assert status == 0 and "Tracee v0.23, v0.24, main: as here" in out, out
    line = out.splitlines()[-1].strip()
    assert line == (f"mrelease run -s comm={NAME} -e process_mrelease -e 'process_mrelease.retval<=-1' "
                    "-e 'process_mrelease.scope.comm!=x y'"), line
    status, out, err = verb("run", *subprocess.run(["sh", "-c", f"printf '%s\\n' {line[13:]}"], capture_output=True,
                                                   text=True, check=True).stdout.splitlines(), "--print-config")
    assert status == 0 and "process_mrelease.retval<=-1" in out, err
    path = write("explain/many.yaml", policy("many", *(f"retval={number}" for number in range(100))))
    status, out, _ = verb("policy", "explain", path)
    assert status == 0 and "mrelease run" not in out and "No command line says the same" in out, out


def test_nothing_is_as_here_above_what_is_refused():
    path = write("explain/refused.yaml", policy("refused", "retval<0"))
    status, out, _ = verb("policy", "explain", path)
    lines = [line.strip() for line in out.splitlines()]
    below = "Tracee v0.23, v0.24, main: refused: for what stands below"
    assert status == 0 and below in lines[:lines.index(f"scope comm={NAME}")], out
    assert below in lines[lines.index("rule process_mrelease"):lines.index("filter retval<0")], out
    assert lines[lines.index(f"scope comm={NAME}") + 2] == "Tracee v0.23, v0.24, main: as here", out


def test_nothing_of_a_file_steers_a_terminal():
    path = write("check/steers.yaml", "type: policy\nname: \"a\\e[31mb\"\nscope: [\"c\\u202ed\"]\n"
                                      "rules: [{event: \"e\\u202ef\"}, {event: mlock}]\n\"g\\e[1m\": h\n")
    for words in (("policy", "check", path), ("policy", "explain", path), ("run", "--policy", path)):
        status, out, err = verb(*words)
        assert status and not set("\x1b\u202e") & set(out + err), (out, err)


def test_check_config_looks_at_policies():
    path = write("config/a.yaml", policy("a", "uidd=0"))
    config = write("config/mrelease.conf", f"policy: {path}\nevents: mlock\n")
    os.chmod(config, 0o666)
    status, out, _ = verb("check-config", "--format", "json", config)
    said = json.loads(out)
    assert status == 1 and [one["message"] for one in said["faults"]] == [
        "events: policy and event flags cannot be used together",
        "unknown field of the context 'uidd': did you mean 'uid'?"], out
    assert [one["line"] for one in said["faults"]] == [2, 11] and "everybody may write it" in said["warnings"][0]["message"], out


def test_a_run_with_a_bad_policy_does_not_begin():
    path = write("bad/a.yaml", policy("a", "uidd=0"))
    status, _, err = verb("run", "--policy", path)
    assert status == 2 and f"{path}:11:11: unknown field of the context 'uidd'" in err, err
    for words, said in ((("-e", "mlock"), "policy and event flags cannot be used together"),
                        (("-s", "uid=0"), "policy and scope flags cannot be used together")):
        status, _, err = verb("run", "-p", path, *words)
        assert status == 2 and said in err, err


# -- runs -----------------------------------------------------------------------------------------------------

def test_events_have_the_names_of_their_policies_in_the_order_of_the_load():
    folder, out = f"{ROOM}/run", f"{ROOM}/run.json"
    write("run/b.yaml", policy("every"))
    write("run/a.yaml", policy("seven", "data.flags=7,9"))
    write("run/c.json", json.dumps({"type": "policy", "name": "nine", "scope": ["global"], "rules": [
        {"event": "process_mrelease", "filters": ["data.flags=9", f"comm={NAME}"]}]}))
    sensor = Run("--policy", folder, "--output", f"json:{out}")
    call(6, 4)
    sensor.end()
    assert matched(out) == {6: ["every"], 7: ["seven", "every"], 8: ["every"], 9: ["seven", "every", "nine"]}, \
        matched(out)


def test_a_directory_that_is_exchanged_as_a_configmap_is_read_again():
    """A link to another directory takes the place of the one before; nobody says so."""
    folder, out = f"{ROOM}/map", f"{ROOM}/map.json"
    write("map/..1/a.yaml", policy("first"))
    write("map/..2/a.yaml", policy("second", "data.flags=21"))
    write("map/..3/a.yaml", policy("third", "data.flag=1"))
    os.symlink("..1", f"{folder}/..data")
    os.symlink("..data/a.yaml", f"{folder}/a.yaml")
    sensor = Run("--policy", folder, "--output", f"json:{out}")

    def exchange(number, words):
        os.symlink(f"..{number}", f"{folder}/..new")
        os.rename(f"{folder}/..new", f"{folder}/..data")
        return sensor.until(words)

    call(20, 1)
    exchange(2, "events and filters exchanged")
    call(20, 2)
    said = exchange(3, "is not taken, and nothing has changed")
    assert "a.yaml:11:11: unknown field 'flag': did you mean 'flags'?" in said, said
    call(21, 1)
    exchange(2, "nothing to change")
    sensor.end()
    with open(out, encoding="utf-8") as file:
        events = [json.loads(line) for line in file.read().splitlines()]
    assert [(one["args"][1]["value"], one["matchedPolicies"]) for one in events] == [
        (20, ["first"]), (21, ["second"]), (21, ["second"])], events


def test_a_reload_may_ask_for_the_executable():
    """The probes read none until then."""
    out, own = f"{ROOM}/executable.json", os.readlink("/proc/self/exe")

    def of(name, executable):
        return policy(name).replace("  scope:\n", f"  scope:\n    - executable = {executable}\n")

    path = write("executable/a.yaml", policy("every"))
    sensor = Run("--policy", path, "--output", f"json:{out}")
    call(40, 1)
    write("executable/a.yaml", of("ours", own) + "---\n" + of("others", own[:-1]))
    sensor.run.send_signal(signal.SIGHUP)
    sensor.until("events and filters exchanged")
    call(41, 1)
    write("executable/a.yaml", policy("every"))
    sensor.run.send_signal(signal.SIGHUP)
    sensor.until("events and filters exchanged")
    call(42, 1)
    sensor.end()
    assert matched(out) == {40: ["every"], 41: ["ours"], 42: ["every"]}, matched(out)


def test_a_capture_is_replayed_under_policies():
    capture, out = f"{ROOM}/a.cap", f"{ROOM}/replay.json"
    sensor = Sensor("none", "--record", capture)
    call(31, 3)
    sensor.end()
    path = write("replay/a.yaml", policy("odd", "data.flags=31,33"))
    status, _, err = verb("replay", capture, "-p", path, "--output", f"json:{out}")
    assert status == 0 and matched(out) == {31: ["odd"], 33: ["odd"]}, err


def test_tracee_pid_is_there_while_events_are_watched():
    folder = f"{ROOM}/install"
    sensor = Run("--events", "process_mrelease", "--output", "none", "--install-path", folder)
    with open(f"{folder}/tracee.pid", encoding="ascii") as file:
        assert file.read() == str(sensor.run.pid)
    assert os.stat(f"{folder}/tracee.pid").st_mode & 0o777 == 0o640
    sensor.end()
    assert await_(lambda: not os.path.exists(f"{folder}/tracee.pid"), 2)


def test_words_of_tracee_are_answered():
    for words, said in ((("run", "--server", "healthz"), "Tracee's --server: here --http ADDRESS"),
                        (("run", "-b", "1024"), "Tracee's -b: here --ring SIZE"),
                        (("run", "--stores"), "Tracee's --stores: not needed"),
                        (("run", "-o", "table-verbose"), "Tracee's table-verbose: here table,wide=true"),
                        (("run", "-o", "forward:tcp://a"), "Tracee's forward: here json:fluent://HOST:PORT"),
                        (("list",), "Tracee's list: here 'events'")):
        status, _, err = verb(*words)
        assert status == 2 and said in err, err


run_tests(globals(), lambda: shutil.rmtree(ROOM, ignore_errors=True))
