#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Who serves metrics and health: to strangers, over deaths, at the end, and when nothing is watched any more.

usage: test_serving.py PROGRAM
"""
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import LIBC, PROGRAM, await_, call, run_tests  # noqa: E402
from served import ROOM, Served, free_port  # noqa: E402


def switch_off_probes(pid):
    """As somebody with all rights could: empties the map that says which calls the probes follow."""
    for name in os.listdir(f"/proc/{pid}/fdinfo"):
        with open(f"/proc/{pid}/fdinfo/{name}", encoding="ascii") as file:
            found = re.search(r"^map_id:\s*(\d+)", file.read(), re.M)
        if not found:
            continue
        shown = json.loads(subprocess.run(["bpftool", "--json", "map", "show", "id", found[1]], capture_output=True,
                                          text=True, timeout=20, check=True).stdout)
        if shown["name"].endswith("configs"):
            subprocess.run(["bpftool", "map", "update", "id", found[1], "key", "hex", "0", "0", "0", "0", "value", "hex"] +
                           ["0"] * shown["bytes_value"], check=True, timeout=20)
            return True
    return False


def test_probes_that_see_nothing_any_more_make_it_unready():
    sensor = Served("none", "--output", f"grpc:unix:{ROOM.name}/g3")
    verb = [PROGRAM, "health", "--server", f"unix:{ROOM.name}/g3"]
    watcher = subprocess.Popen([*verb, "--watch"], stdout=subprocess.PIPE, text=True)
    try:
        assert sensor.ask("/readyz")[0] == 200
        assert await_(lambda: subprocess.run(verb, capture_output=True, timeout=20).returncode == 0, 5)
        assert "mrelease_probe_up{event=\"process_mrelease\"} 1" in sensor.metrics()[1]
        assert switch_off_probes(sensor.run.pid)
        assert await_(lambda: sensor.ask("/readyz")[0] == 503, 10)
        assert "failed probes: gone: a call of process_mrelease" in sensor.ask("/readyz")[2], sensor.ask("/readyz")
        assert "mrelease_probe_up{event=\"process_mrelease\"} 0" in sensor.metrics()[1]
        assert sensor.ask("/livez")[0] == 200
        assert await_(lambda: subprocess.run(verb, capture_output=True, timeout=20).returncode == 1, 5)
    finally:
        sensor.end()
        watcher.wait(20)
    said = [line.split()[-1] for line in watcher.stdout if "SERVING" in line]
    assert said[-2:] == ["SERVING", "NOT_SERVING"], said


def knock(port, lines=b""):
    link = socket.create_connection(("127.0.0.1", port), timeout=5)
    link.sendall(lines)
    return link


def anonymous_kib(pid):
    with open(f"/proc/{pid}/smaps_rollup", encoding="ascii") as file:
        return int(re.search(r"Anonymous:\s+(\d+)", file.read())[1])


def hostile(port, connections, seconds):
    """All at once: connections that say nothing, that say it slowly, a head without an end, requests without a pause."""
    links, sent = [], 0
    for _ in range(connections):
        links.append(knock(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\nX: "))
        links[-1].setblocking(False)
    head = knock(port)
    try:
        for _ in range(160):
            head.sendall(b"X: " + b"a" * 65533)
            sent += 65536
    except OSError:
        pass  # cut
    head.close()
    pipe = knock(port, b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n" * 500)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for link in links:
            try:
                link.send(b"a")
            except OSError:
                pass
        time.sleep(0.2)
    return links + [pipe], sent


def test_hostile_clients_cost_the_sensor_nothing():
    long = bool(os.environ.get("MRELEASE_TEST_LONG"))
    port = free_port()
    sensor = Served(f"json,queue=32M:{ROOM.name}/whole.json", port=port)
    try:
        sensor.metrics()
        side, threads = sensor.side("metrics"), len(os.listdir(f"/proc/{sensor.run.pid}/task"))
        before, main_before = anonymous_kib(side), anonymous_kib(sensor.run.pid)
        call(0, 1000)
        links, sent = hostile(port, 1000, 30 if long else 1)
        assert sent < 8 << 20, sent
        call(1000, 1000)
        begun = time.monotonic()
        assert sensor.ask("/livez")[0] == 200 and sensor.ask("/metrics")[0] == 200
        took = time.monotonic() - begun
        grown, main_grown = anonymous_kib(side) - before, anonymous_kib(sensor.run.pid) - main_before
        print(f"# {took:.2f} s for two answers meanwhile; {grown} KiB more there, {main_grown} here")
        assert took < 5 and grown < 8 << 10 and main_grown < 4 << 10
        assert len(os.listdir(f"/proc/{side}/fd")) < 256 and sensor.side("metrics") == side
        assert len(os.listdir(f"/proc/{sensor.run.pid}/task")) == threads
        for link in links:
            link.close()
    finally:
        said = sensor.end()
    with open(f"{ROOM.name}/whole.json", encoding="utf-8") as file:
        assert sum('"process_mrelease"' in line for line in file) == 2000, said
    assert "side program has died" not in said, said


def test_the_end_is_told_while_it_writes_what_is_left():
    """An output that nobody reads makes the end take two seconds."""
    os.mkfifo(f"{ROOM.name}/fifo")
    reader = os.open(f"{ROOM.name}/fifo", os.O_RDONLY | os.O_NONBLOCK)
    sensor = Served(f"json,policy=drop-oldest:{ROOM.name}/fifo")
    call(0, 4000)
    sensor.run.send_signal(signal.SIGTERM)
    assert await_(lambda: sensor.ask("/readyz")[0] == 503, 2)
    status, _, text = sensor.ask("/readyz")
    assert status == 503 and "failed run: ends" in text, text
    assert sensor.ask("/livez")[0] == 200
    sensor.run.communicate(timeout=20)
    os.close(reader)
    assert not os.path.exists(sensor.socket)


def test_a_sensor_that_was_stopped_is_not_alive_until_it_goes_on():
    sensor = Served()
    try:
        assert sensor.ask("/livez")[0] == 200
        sensor.run.send_signal(signal.SIGSTOP)
        time.sleep(0.2)  # until then the last answer is good
        begin = time.monotonic()
        for path in ("/livez", "/readyz"):
            status, _, text = sensor.ask(path)
            assert status == 503 and "the sensor does not answer" in text, (path, status, text)
        assert time.monotonic() - begin < 8
        sensor.run.send_signal(signal.SIGCONT)
        assert await_(lambda: sensor.ask("/livez")[0] == 200, 5)
        assert await_(lambda: sensor.ask("/readyz")[0] == 200, 5)
    finally:
        sensor.run.send_signal(signal.SIGCONT)
        said = sensor.end()
    assert "has died" not in said, said


def state_of(process):
    with open(f"/proc/{process}/stat", encoding="ascii") as file:
        return file.read().rsplit(") ", 1)[1][0]


class Held:
    """A thread that a tracer stops, and no other of its process."""

    SEIZE, INTERRUPT, DETACH = 0x4206, 0x4207, 17

    def __init__(self, thread):
        self.thread = thread

    def ptrace(self, request):
        LIBC.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
        assert LIBC.ptrace(request, self.thread, None, None) == 0, request

    def __enter__(self):
        self.ptrace(self.SEIZE)
        self.ptrace(self.INTERRUPT)
        assert await_(lambda: state_of(self.thread) == "t", 5)

    def __exit__(self, *_):
        os.waitpid(self.thread, 0x40000000)  # __WALL: its stop was seen
        self.ptrace(self.DETACH)


def long_a_reader_that_comes_round_no_more_is_not_alive():
    sensor = Served()
    try:
        with Held(sensor.run.pid):
            time.sleep(25)
            assert sensor.ask("/livez")[0] == 200, "a machine that is busy is no deadlock"
            assert await_(lambda: sensor.ask("/livez")[0] == 503, 10)
            status, _, text = sensor.ask("/livez")
            assert text.startswith("failed reader: came round 3"), text
            assert sensor.ask("/readyz")[0] == 503
        assert await_(lambda: sensor.ask("/livez")[0] == 200, 5)
    finally:
        sensor.end()


def dies(how, said_why):
    sensor = Served()
    try:
        for _ in range(2):
            os.kill(sensor.side("metrics"), how)
            time.sleep(0.1)  # until it is dead, it may still accept
            assert sensor.ask("/livez")[0] == 200
    finally:
        said = sensor.end()
    assert said.count(said_why) == 2, said


def test_a_program_that_dies_is_started_again_and_asked_by_who_waited():
    dies(signal.SIGKILL, "why=signal 9; by=another")


def long_a_program_that_hangs_is_ended_and_started_again():
    dies(signal.SIGSTOP, "why=hang; by=sensor")


def test_totals_that_nobody_reads_hold_up_neither_who_asks_nor_the_end():
    """SIGUSR1 is answered on standard error, which is a pipe here that is full."""
    sensor = Served()
    log = os.open(f"/proc/{sensor.run.pid}/fd/2", os.O_WRONLY | os.O_NONBLOCK)
    try:
        while True:
            os.write(log, b"." * 512)
    except BlockingIOError:
        os.close(log)
    sensor.run.send_signal(signal.SIGUSR1)
    time.sleep(0.3)  # until it waits
    begun = time.monotonic()
    assert "mrelease_probe_up" in sensor.metrics()[1]
    assert sensor.ask("/livez")[0] == 200
    assert time.monotonic() - begun < 5
    sensor.run.send_signal(signal.SIGTERM)
    time.sleep(1)
    said = sensor.run.communicate(timeout=20)[1].decode()
    assert sensor.run.returncode == 0 and " delivered, " in said, said[-2000:]


run_tests(globals(), ROOM.cleanup)
