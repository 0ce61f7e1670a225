#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Side programs that a service manager starts, one for each connection: this test in the manager's place.

usage: test_sockets.py PROGRAM
"""
import os
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from manager import Manager, started  # noqa: E402
from sensor import PROGRAM, Sensor, await_, call, children, run_tests  # noqa: E402

SIDES = os.path.join(os.path.dirname(os.path.abspath(PROGRAM)), "../libexec/mrelease")


class Collector:
    """A syslog server over UDP."""

    def __init__(self):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind(("127.0.0.1", 0))
        self.destination = f"json:syslog+udp://127.0.0.1:{self.socket.getsockname()[1]}"
        self.heard = b""
        threading.Thread(target=self.hear, daemon=True).start()

    def hear(self):
        while True:
            self.heard += self.socket.recv(65536)

    def has(self, number):
        return await_(lambda: b'"value":%d}' % number in self.heard)


def in_a_room(test):
    def run():
        with tempfile.TemporaryDirectory() as room:
            os.chmod(room, 0o755)
            test(room)
    return run


@in_a_room
def test_a_program_behind_a_socket_is_fed_and_followed_over_its_deaths(room):
    manager, collector = Manager(SIDES, room, "stream"), Collector()
    sensor = Sensor(collector.destination, "--side-sockets", room)
    call(7001, 1)
    assert collector.has(7001), collector.heard
    assert not [side for starter in children(sensor.run.pid) for side in children(starter)]
    manager.runs[0].kill()
    manager.runs[0].wait()
    said = sensor.until("side program has died")
    assert "side=stream; why=unknown (a service of its own)" in said, said
    assert await_(lambda: len(manager.runs) == 2)
    call(7002, 1)
    assert collector.has(7002), collector.heard
    sensor.end()
    assert sensor.run.returncode == 0
    assert manager.runs[1].wait(5) == 0


@in_a_room
def long_one_that_hangs_is_left_and_its_successor_goes_on(room):
    manager, collector = Manager(SIDES, room, "stream"), Collector()
    sensor = Sensor(collector.destination, "--side-sockets", room)
    os.kill(manager.runs[0].pid, 19)
    assert "why=hang; by=sensor" in sensor.until("has died")
    call(7003, 1)
    assert collector.has(7003), collector.heard
    manager.runs[0].kill()
    sensor.end()


@in_a_room
def test_a_stranger_who_listens_gets_nothing(room):
    manager, collector = Manager(SIDES, room, "stream", uid=65534), Collector()
    said = subprocess.run([PROGRAM, "run", "--output", collector.destination, "--side-sockets", room],
                          stderr=subprocess.PIPE, text=True, timeout=20, check=False)
    assert said.returncode == 1
    assert f"the side program 'stream' at {room}/stream: Permission denied: who listens there is neither root nor " \
        in said.stderr, said.stderr
    assert not [run for run in manager.runs if run.wait(5) == 0]


def hold_refused(room, kind, listens, words):
    with socket.socket(socket.AF_UNIX, kind) as there:
        there.bind(f"{room}/stream")
        if listens:
            there.listen(4)
        said = subprocess.run([PROGRAM, "run", "--output", "json:syslog+udp://127.0.0.1:9", "--side-sockets", room],
                              stderr=subprocess.PIPE, text=True, timeout=15, check=False)
    os.unlink(f"{room}/stream")
    assert said.returncode == 1 and f"the side program 'stream' at {room}/stream: {words}" in said.stderr, said


@in_a_room
def test_a_socket_of_no_use_is_told_with_what_helps(room):
    hold_refused(room, socket.SOCK_SEQPACKET, False,
                 "Connection refused: nobody listens there any more: start its socket unit")
    hold_refused(room, socket.SOCK_STREAM, True, "Protocol wrong type for socket: it is no socket of a side program")


@in_a_room
def long_a_socket_where_nobody_accepts_is_told(room):
    hold_refused(room, socket.SOCK_SEQPACKET, True, "Connection timed out: who listens there accepts nobody, or ")


@in_a_room
def test_without_a_socket_there_it_is_a_child_as_ever(room):
    collector = Collector()
    sensor = Sensor(collector.destination, "--side-sockets", room)
    assert sensor.side("stream")
    sensor.end()


run_tests(globals(), lambda: [run.kill() for run in started if run.poll() is None])
