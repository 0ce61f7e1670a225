#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The shipped rule for logrotate, run by logrotate while a sensor writes: nothing is lost.

usage: test_logrotate.py PROGRAM
"""
import glob
import gzip
import os
import re
import shutil
import subprocess
import sys
import tempfile
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import PROGRAM, Sensor, await_, call, run_tests  # noqa: E402

RULE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging/logrotate/mrelease")
if not shutil.which("logrotate", path=os.environ["PATH"] + ":/usr/sbin"):
    print("1..0 # SKIP logrotate is missing: ci/deps")
    sys.exit(77)


class Rotation:
    """The rule, about another directory, and with another way to reach the process."""

    def __init__(self, room, pid):
        with open(RULE, encoding="ascii") as file:
            text = file.read()
        text, paths = re.subn("/var/log/mrelease", room, text)
        text, users = re.subn("su mrelease mrelease", "su root root", text)
        text, reloads = re.subn("systemctl .*; fi", f"kill -HUP {pid}; fi", text)
        text = text.replace("[ -d /run/systemd/system ]", "true")
        assert (paths, users, reloads) == (1, 1, 1), text
        self.rule, self.room = f"{room}/rule", room
        with open(self.rule, "w", encoding="ascii") as file:
            file.write(text)

    def run(self, before):
        # What is empty is not rotated.
        assert await_(lambda: os.path.getsize(f"{self.room}/events.json"))
        said = subprocess.run(["logrotate", "--force", "--state", f"{self.room}/state", self.rule], capture_output=True,
                              text=True, timeout=20, check=False,
                              env=dict(os.environ, PATH=os.environ["PATH"] + ":/usr/sbin"))
        assert said.returncode == 0 and not said.stderr, said.stderr
        assert await_(lambda: len(glob.glob(f"{self.room}/events.json-*")) == before + 1)
        assert await_(lambda: os.path.exists(f"{self.room}/events.json")), "it was not opened anew"


def numbers(room):
    """Those of all calls in the files."""
    found = []
    for path in glob.glob(f"{room}/events.json*"):
        opened = gzip.open(path, "rt") if path.endswith(".gz") else open(path, encoding="utf-8")
        with opened as file:
            found += [int(one) for one in re.findall(r'"flags","type":"unsigned int","value":(\d+)', file.read())]
    return sorted(found)


def test_rotation_loses_nothing():
    with tempfile.TemporaryDirectory() as room:
        sensor = Sensor(f"json,rotate=100M,keep=9:{room}/events.json", "--extra", "seq")
        rotation, stop, made = Rotation(room, sensor.run.pid), threading.Event(), [0]

        def call_on():
            while not stop.is_set():
                call(made[0], 50)
                made[0] += 50
                time.sleep(0.001)

        caller = threading.Thread(target=call_on)
        caller.start()
        for before in range(2):
            time.sleep(1.01 * before)  # the names hold seconds
            rotation.run(before)
        stop.set()
        caller.join()
        sensor.end()
        files = sorted(os.path.basename(path) for path in glob.glob(f"{room}/events.json*"))
        assert len(files) == 3 and len([name for name in files if name.endswith(".gz")]) == 1, files
        assert numbers(room) == list(range(made[0])), (files, made, len(numbers(room)))
        verified = subprocess.run([PROGRAM, "verify", *glob.glob(f"{room}/events.json*")], capture_output=True, text=True,
                                  timeout=20, check=False)
        assert verified.returncode == 0, verified.stdout + verified.stderr


run_tests(globals())
