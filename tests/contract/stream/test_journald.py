#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The journal, before a journald of our own in a mount namespace of its own.

usage: test_journald.py DELIVER    (the program of deliver.c)
"""
import json
import os
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, ".."))
from delivering import LINES, ROOM, refusal, run, run_tests, verdicts  # noqa: E402
from peers import until  # noqa: E402

JOURNALD = "/lib/systemd/systemd-journald"
SOCKET = "/run/systemd/journal/socket"
SETTINGS = """[Journal]
Storage=volatile
Audit=no
ReadKMsg=no
RateLimitBurst=0
ForwardToSyslog=no
ForwardToWall=no
"""
INSIDE = os.environ.get("MRELEASE_JOURNAL_ROOM")


def start():
    program = subprocess.Popen([JOURNALD], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: os.path.exists(SOCKET))
    return program


def stop(program):
    program.kill()
    program.wait()
    os.unlink(SOCKET)


def journal():
    said = subprocess.run(["journalctl", "-D", "/run/log/journal", "-o", "json", "--all", "--quiet",
                           "SYSLOG_IDENTIFIER=mrelease"], capture_output=True, text=True, timeout=20)
    return [json.loads(line) for line in said.stdout.splitlines()]


def test_the_journal_has_what_was_sent():
    # One after the other: there is one journal.
    assert verdicts(run("journald:")[0]) == {"again"}
    said = run("journald", environment={"DELIVER_SANDBOX": "1"})[0]
    assert verdicts(said) == {"again"} and "No such file" in said["reasons"][0], said
    program = start()
    odd = ['{"a":"é \\n"}', "MESSAGE=x", "y" * 500000, json.dumps({"last": 1})]
    said = run("journald:", [odd, LINES])
    assert all(verdicts(one) == {"taken"} for one in said[:-1]), said
    broken = "one\nPRIORITY=0\n_PID=1".encode().hex()
    assert verdicts(run("journald", [[broken]], environment={"DELIVER_HEX": "1", "DELIVER_SANDBOX": "1"})[0]) == {"taken"}
    until(lambda: len(journal()) == len(odd) + len(LINES) + 1)
    found = journal()
    assert [one["MESSAGE"] for one in found] == odd + LINES + ["one\nPRIORITY=0\n_PID=1"], found
    for number, one in enumerate(found[:8]):
        assert one["PRIORITY"] == "5" and one["SYSLOG_FACILITY"] == "13", one
        assert one["MRELEASE_EVENT"] == "process_mrelease" and one["MRELEASE_ID"].endswith(f"-0.0.{number}"), one
        assert one["MRELEASE_TIME_NS"] == str(1795879211522903112 + number), one
        assert one["MESSAGE_ID"] == "3d5b8b1fb7c549a8b64ab5c1%08x" % 448, one
    assert found[8]["PRIORITY"] == "5" and found[8]["_PID"] != "1", found[8]
    # A socket that nobody reads any more; and then a new one, while the program runs.
    program.kill()
    program.wait()
    assert verdicts(run("journald:")[0]) == {"again"}
    os.unlink(SOCKET)
    again = []

    def between(number):
        again.append(start())
    said = run("journald:", [LINES, ['{"new":1}']], between=between)
    assert [verdicts(one) for one in said[:-1]] == [{"again"}, {"taken"}], said
    until(lambda: journal()[-1]["MESSAGE"] == '{"new":1}')
    stop(again[0])


def test_a_journal_that_takes_nothing_is_waited_for():
    path = os.path.join(ROOM.name, "socket")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as one:
        one.bind(path)
        began = time.monotonic()
        said = run(f"journald:{path}", [["z" * 1000] * 2000], form="json,timeout=1s")[0]
        assert said["verdicts"][0] == "taken" and said["verdicts"][-1] == "again", said["verdicts"][-1]
        assert 0.9 < time.monotonic() - began < 10, said
        assert one.recv(65536).startswith(b"MESSAGE\n" + (1000).to_bytes(8, "little") + b"zzz")


def test_what_cannot_be_used_is_said_at_the_start():
    for destination, form, text in (("journald:run", "ecs", "begins with a slash"),
                                    ("journald:/" + "r" * 108, "ecs", "shorter than"),
                                    ("journald", "ecs,app=a b", "app="), ("journald", "ecs,ca=/x", "ca")):
        said = refusal(destination, form)
        assert text in said, (destination, form, said)


def main():
    if not os.path.exists(JOURNALD) or os.geteuid():
        print(f"1..0 # SKIP {JOURNALD} and root are needed")
        sys.exit(77)
    if not INSIDE:
        os.environ["MRELEASE_JOURNAL_ROOM"] = "1"
        ROOM.cleanup()
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child",
                               "--mount-proc", sys.executable, *sys.argv])
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for folder in ("/run/systemd/journal", "/run/log/journal", "/run/systemd/journald.conf.d"):
        os.makedirs(folder)
    with open("/run/systemd/journald.conf.d/test.conf", "w", encoding="ascii") as file:
        file.write(SETTINGS)
    run_tests(globals())


if __name__ == "__main__":
    main()
