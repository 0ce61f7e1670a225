#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""What a service manager is told: a socket of ours in its place, and the program as it would start it.

usage: test_notify.py PROGRAM
"""
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import LIBC, NAME, PROGRAM, children, run_tests  # noqa: E402

UNIT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging/systemd/mrelease.service")


started = []


class Manager:
    def __init__(self, name, *words, watchdog_us=None):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(name.replace("@", "\0", 1))
        environment = dict(os.environ, NOTIFY_SOCKET=name)
        if watchdog_us:
            environment["WATCHDOG_USEC"] = str(watchdog_us)
        self.run = subprocess.Popen([PROGRAM, "run", "--events", f"process_mrelease.scope.comm={NAME}", *words],
                                    env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        started.append(self.run)

    def hear(self, seconds=10):
        self.socket.settimeout(seconds)
        try:
            return self.socket.recv(4096).decode()
        except socket.timeout:
            return ""

    def until(self, words, seconds=10):
        end, heard = time.monotonic() + seconds, []
        while time.monotonic() < end and not any(words in one for one in heard):
            heard.append(self.hear(end - time.monotonic()))
        assert any(words in one for one in heard), (words, heard)
        return heard[-1]

    def end(self):
        self.run.send_signal(signal.SIGINT)
        self.until("STOPPING=1")
        said = self.run.communicate(timeout=20)[1]
        assert self.run.returncode == 0, said
        self.socket.close()


def in_a_room(test):
    def run():
        with tempfile.TemporaryDirectory() as room:
            test(room)
    return run


@in_a_room
def test_a_manager_hears_of_start_reload_and_stop(room):
    manager = Manager(f"{room}/notify", "--output", f"json:{room}/events")
    assert re.fullmatch(r"READY=1\nSTATUS=watching with \w+", manager.hear())
    before = time.monotonic_ns() // 1000
    manager.run.send_signal(signal.SIGHUP)
    reloading = manager.hear()
    at = int(re.fullmatch(r"RELOADING=1\nMONOTONIC_USEC=(\d+)", reloading)[1])
    assert before <= at <= time.monotonic_ns() // 1000
    assert manager.hear() == "READY=1"
    manager.end()


def test_a_name_without_a_path_is_a_socket_too():
    manager = Manager(f"@mrelease-test-{os.getpid()}", "--output", "none")
    manager.until("READY=1")
    manager.end()


@in_a_room
def test_a_quiet_host_is_no_reason_to_be_silent(room):
    manager = Manager(f"{room}/notify", "--output", "none", watchdog_us=1000000)
    manager.until("READY=1")
    for _ in range(3):
        assert manager.hear(0.9) == "WATCHDOG=1"
    manager.end()


@in_a_room
def test_a_reader_that_waits_for_an_output_is_alive(room):
    os.mkfifo(f"{room}/fifo")
    reader = os.open(f"{room}/fifo", os.O_RDONLY | os.O_NONBLOCK)
    manager = Manager(f"{room}/notify", "--output", f"json,policy=block,queue=32K:{room}/fifo", watchdog_us=1000000)
    manager.until("READY=1")
    for number in range(20000):
        LIBC.syscall(448, -1, number)
    for _ in range(4):
        assert manager.hear(0.9) == "WATCHDOG=1"
    os.close(reader)
    manager.run.communicate(timeout=20)
    manager.socket.close()


@in_a_room
def test_a_stopped_reader_pings_nobody(room):
    manager = Manager(f"{room}/notify", "--output", "none", watchdog_us=1000000)
    manager.until("READY=1")
    manager.run.send_signal(signal.SIGSTOP)
    while manager.hear(0.7):
        pass
    manager.run.send_signal(signal.SIGCONT)
    manager.until("WATCHDOG=1")
    manager.end()


@in_a_room
def test_children_do_not_speak_for_the_service(room):
    manager = Manager(f"{room}/notify", "--output", f"grpc:unix:{room}/g")
    manager.until("READY=1")
    sides = [side for starter in children(manager.run.pid) for side in children(starter)]
    assert sides
    for side in sides:
        with open(f"/proc/{side}/environ", "rb") as file:
            assert b"NOTIFY_SOCKET" not in file.read()
    manager.end()


def test_a_manager_that_is_not_there_is_no_fault():
    run = subprocess.run([PROGRAM, "run", "--duration", "10ms", "--output", "none"], capture_output=True, text=True,
                         env=dict(os.environ, NOTIFY_SOCKET="/nowhere/at/all"), timeout=20)
    assert run.returncode == 0, run.stderr


@in_a_room
def test_the_unit_is_right_and_shuts_most_doors(room):
    with open(UNIT, encoding="ascii") as file:
        text = file.read().replace("/usr/bin/mrelease", PROGRAM)
    with open(f"{room}/mrelease.service", "w", encoding="ascii") as file:
        file.write(text)
    checked = subprocess.run(["systemd-analyze", "verify", "--man=no", f"{room}/mrelease.service"],
                             capture_output=True, text=True, timeout=60)
    faults = [line for line in checked.stderr.splitlines() if "mrelease.service" in line]
    assert not faults, faults
    rated = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=10",
                            f"{room}/mrelease.service"], capture_output=True, text=True, timeout=60)
    assert rated.returncode == 0, rated.stdout[-300:] + rated.stderr


run_tests(globals(), lambda: [run.kill() for run in started if run.poll() is None])
