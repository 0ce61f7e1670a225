#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names of containers in Falco, from the service of names that its configuration names.

usage: test_names.py HOST PLUGIN NAMES ONE_CALL [TEST…]
"""
import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", part) for part in ("names", "side", ".")]
import cgroups  # noqa: E402
from manager import Manager, started  # noqa: E402
from runtimes import Cri  # noqa: E402
from sensor import await_, run_tests  # noqa: E402

HOST = sys.argv[1]
PLUGIN, NAMES = sys.argv.pop(2), sys.argv.pop(2)
ROOM = tempfile.mkdtemp(prefix="mrelease-falco-names.")
# By a name of its own: other tests make calls as well.
ONE_CALL = shutil.copy(sys.argv.pop(2), os.path.join(ROOM, f"falco.{os.getpid()}"))
FIELDS = ["mrelease.caller." + name for name in (
    "container", "container.name", "container.image", "pod.name", "pod.namespace", "pod.uid")]
ENDS = []
with open(PLUGIN, "rb") as plugin:
    text = plugin.read()
    IS_SANITIZED = b"__asan_init" in text or b"__tsan_init" in text


def number(i):
    return f"{os.getpid():032x}{i:032x}"


def known(i):
    return {"id": number(i), "name": f"app-{i}", "image": "shop:1", "digest": "sha256:" + 64 * "a", "pod": "web-1",
            "namespace": "shop", "uid": "6d0a"}


def values(i):
    return dict(zip(FIELDS, [number(i), f"app-{i}", "shop:1", "web-1", "shop", "6d0a"]))


def call(i):
    cgroups.run_in(cgroups.make(f"kubepods.falco.{os.getpid()}", "pod6d0a", number(i)), ONE_CALL)


class Falco:
    def __init__(self, room, **config):
        config = {"events": "munlock.scope.comm=" + os.path.basename(ONE_CALL), "names": room + "/names",
                  "names-socket": f"containerd={room}/containerd", "names-wait": "2s", **config}
        self.run = subprocess.Popen([HOST, "live", PLUGIN, json.dumps(config), *FIELDS], stdin=subprocess.PIPE,
                                    stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0)
        ENDS.append(self)
        self.said = line = self.run.stderr.readline().decode()
        while line and "watching" not in line:
            line = self.run.stderr.readline().decode()
            self.said += line
        assert line, self.said

    def event(self):
        assert select.select([self.run.stdout], [], [], 20)[0], "no event"
        return json.loads(self.run.stdout.readline())

    def stop(self):
        """Returns what it said, and how long its end took."""
        since = time.monotonic()
        self.run.stdin.close()
        assert self.run.wait(30) == 0, self.run.stderr.read()
        took = time.monotonic() - since
        said = self.run.stderr.read().decode()
        assert "Sanitizer" not in said, said
        return said, took


def in_a_room(test):
    def run():
        room = tempfile.mkdtemp(dir=ROOM)
        test(room)
    run.__name__ = test.__name__
    return run


@in_a_room
def test_a_containers_first_call_has_its_names(room):
    ENDS.append(Cri(room + "/containerd", [known(i) for i in range(3)]))
    manager = Manager(os.path.dirname(NAMES), room, "names")
    falco = Falco(room)
    assert await_(lambda: manager.runs)
    time.sleep(0.5)
    for i in range(3):
        call(i)
        assert falco.event() == values(i)
    falco.stop()
    assert await_(lambda: manager.runs[0].poll() is not None), "the service outlives its connection"


@in_a_room
def test_a_service_that_comes_later_is_found_and_nothing_waits_for_it(room):
    ENDS.append(Cri(room + "/containerd", [known(i) for i in range(10, 200)]))
    falco = Falco(room)
    call(10)
    assert falco.event() == {FIELDS[0]: number(10)}
    Manager(os.path.dirname(NAMES), room, "names")
    for i in range(11, 100):
        call(i)
        if falco.event() == values(i):
            break
        time.sleep(0.2)
    else:
        raise AssertionError("no names")
    falco.stop()


@in_a_room
def test_who_is_not_there_is_told_once(room):
    falco = Falco(room)
    time.sleep(2)  # it is looked for four times
    said = falco.said + falco.stop()[0]
    assert said.count(f"warning: the side program 'names' at {room}/names: No such file or directory") == 1, said


@in_a_room
def test_a_service_that_never_opens_holds_up_no_end(room):
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as there:
        there.bind(room + "/names")
        there.listen(4)
        falco = Falco(room)
        call(300)
        assert falco.event() == {FIELDS[0]: number(300)}
        took = falco.stop()[1]
    assert took < (15 if IS_SANITIZED else 5), took


@in_a_room
def test_two_sources_have_a_service_each(room):
    ENDS.append(Cri(room + "/containerd", [known(i) for i in range(400, 402)]))
    manager = Manager(os.path.dirname(NAMES), room, "names")
    one, other = Falco(room), Falco(room)
    assert await_(lambda: len(manager.runs) == 2)
    time.sleep(0.5)
    call(400)
    assert one.event() == other.event() == values(400)
    one.stop()
    call(401)
    assert other.event() == values(401)
    other.stop()


def test_the_path_is_that_of_a_socket_called_names():
    for config, why in (({"names": "names"}, "a socket that is called names"),
                        ({"names": "/run/mrelease-side"}, "a socket that is called names"),
                        ({"names": "/run/mrelease-side/"}, "a socket that is called names"),
                        ({"names": "/" + 101 * "n" + "/names"}, "107 bytes at most"),
                        ({"names-socket": "containerd"}, "RUNTIME=PATH"),
                        ({"names-socket": "containerd=/run/c.sock"}, "names-socket: nobody is asked without names")):
        run = subprocess.run([HOST, "init", PLUGIN, json.dumps(config)], stderr=subprocess.PIPE, text=True, check=False)
        assert run.returncode == 1 and why in run.stderr, run
    good = {"names": "/" + 100 * "n" + "/names", "names-socket": "containerd=/run/c.sock"}
    assert subprocess.run([HOST, "init", PLUGIN, json.dumps(good)], check=False).returncode == 0


def clean_up():
    for thing in ENDS:
        if isinstance(thing, Falco):
            thing.run.kill()
            thing.run.wait()
        else:
            thing.stop()
    for run in started:
        run.kill()
        run.wait()
    cgroups.remove_all()
    shutil.rmtree(ROOM, ignore_errors=True)


signal.signal(signal.SIGTERM, lambda *_: (clean_up(), os._exit(1)))
run_tests(globals(), clean_up)
