#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names from real runtimes of Debian: containerd by CRI, Docker, Podman. Containers make one call and end.

usage: test_runtimes.py MRELEASE ONE_CALL [TEST…]
"""
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
PROGRAM, ONE_CALL = sys.argv[1:3]
del sys.argv[2]
import cgroups  # noqa: E402
from real import IMAGE, Containerd, Dockerd, Podman, make_image, missing  # noqa: E402
from sensor import Skipped, run_tests  # noqa: E402

COUNT = int(os.environ.get("MRELEASE_TEST_CONTAINERS", "100" if os.environ.get("MRELEASE_TEST_LONG") else "10"))
LIBC = ctypes.CDLL(None)
ROOM = tempfile.mkdtemp(prefix="mrelease-runtimes.")
STARTED, SENSORS = {}, []


def at(name):
    return os.path.join(ROOM, name)


def runtime(name):
    """Started once, for all tests."""
    if name in STARTED:
        return STARTED[name]
    lacking = missing(*{"containerd": ["containerd", "ctr", "runc"], "docker": ["dockerd", "containerd", "runc"],
                        "podman": ["podman", "runc"]}[name])
    if lacking:
        raise Skipped(f"not installed: {', '.join(lacking)}; ci/deps --runtimes does that")
    if not os.path.exists(at("image")):
        # For a pause, which needs a program that stays.
        make_image(at("image"), [ONE_CALL, "/bin/busybox"], command=("/busybox", "sleep", "3600"))
    if name == "docker":
        it = Dockerd(ROOM, runtime("containerd"))
    else:
        it = (Containerd if name == "containerd" else Podman)(ROOM)
    STARTED[name] = it
    it.start()
    it.load(at("image"))
    return it


# Where others load the machine, containerd itself answers late: then an event is given longer to wait.
PATIENT = ("--names-wait", "1s")
VERY_PATIENT = ("--names-wait", "5s")


class Sensor:
    def __init__(self, *sockets, output=None, more=()):
        self.path = at(f"events.{len(SENSORS)}")
        words = [word for name in sockets for word in ("--names-socket", f"{name}={STARTED[name].socket}")]
        self.run = subprocess.Popen([PROGRAM, "run", "--events", "munlock.scope.comm=one_call,host_call", "--extra", "container",
                                     "--output", output or "json:" + self.path, *words, *more], stderr=subprocess.PIPE, text=True)
        SENSORS.append(self.run)
        self.said = ""
        while "watching" not in self.said:
            line = self.run.stderr.readline()
            self.said += line
            assert line, self.said

    def end(self):
        self.run.send_signal(signal.SIGINT)
        self.said += self.run.communicate(timeout=30)[1]
        return self.events()

    def end_quietly(self):
        self.run.send_signal(signal.SIGINT)
        self.run.wait(timeout=30)

    def events(self):
        with open(self.path, encoding="utf-8") as file:
            return [one for one in map(json.loads, file) if one["eventName"] == "munlock"]


def lookup(event):
    return [one["value"] for one in event["args"] if one["name"] == "container_lookup"][0]


def count_named(events, ids, pod):
    """How many have their id, and how many names as well."""
    of = {event["containerId"]: event for event in events}
    found = [of[one] for one in ids if one in of]
    named = [event for number, one in enumerate(ids) if (event := of.get(one)) and
             event["container"].get("name") == f"app-{number}" and event["container"].get("image") == IMAGE and
             (not pod or event["kubernetes"].get("podName") == pod)]
    print(f"# {len(ids)} containers: {len(found)} with their id, {len(named)} with their names" +
          (f"; of the others {[(ids.index(one['containerId']), lookup(one)) for one in found if one not in named][:5]}" if len(named) < len(found) else ""))
    return len(found), len(named)


def run_containers(daemon, pod, count):
    """One after the other, each gone before the next."""
    ids = []
    for number in range(count):
        one = daemon.make(pod, f"app-{number}")
        daemon.begin(one)
        ids.append(one)
        daemon.remove(one)
    return ids


def test_containers_of_one_call_in_a_pod():
    daemon, load = runtime("containerd"), os.getloadavg()[0]
    print(f"# load {load}" + (": --names-wait 1s" if load > 3 else ""))
    pod, sensor = daemon.run_pod("web-1"), Sensor("containerd", more=PATIENT if load > 3 else ())
    ids = run_containers(daemon, pod, COUNT)
    time.sleep(0.3)
    assert count_named(sensor.end(), ids, "web-1") == (COUNT, COUNT), sensor.said
    daemon.remove_pod(pod)


def long_the_same_at_load_twenty():
    daemon = runtime("containerd")
    pod, sensor = daemon.run_pod("web-2"), Sensor("containerd", more=VERY_PATIENT)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(20)]
    try:
        ids = run_containers(daemon, pod, COUNT)
    finally:
        for one in burners:
            one.kill()
            one.wait()
    time.sleep(5.5)
    # By the time that it is asked, containerd may have forgotten one that ended at once.
    found, named = count_named(sensor.end(), ids, "web-2")
    assert found == COUNT and named >= COUNT - COUNT // 10, (found, named, sensor.said)
    daemon.remove_pod(pod)


def test_a_reader_that_was_stopped_for_two_seconds():
    daemon = runtime("containerd")
    pod, sensor = daemon.run_pod("web-3"), Sensor("containerd")
    ids = []
    for _ in range(max(1, COUNT // 20)):
        sensor.run.send_signal(signal.SIGSTOP)
        timer = threading.Timer(2, sensor.run.send_signal, (signal.SIGCONT,))
        timer.start()
        for _ in range(4):
            one = daemon.make(pod, f"app-{len(ids)}")
            daemon.begin(one)
            ids.append(one)
        timer.join()
        time.sleep(0.2)
    time.sleep(1)
    found, named = count_named(sensor.end(), ids, "web-3")
    assert found == len(ids), sensor.said
    assert named == len(ids), sensor.said
    for one in ids:
        daemon.remove(one)
    daemon.remove_pod(pod)


def test_an_output_that_is_blocked_for_two_seconds():
    daemon = runtime("containerd")
    os.mkfifo(at("fifo"))
    reader = os.open(at("fifo"), os.O_RDONLY | os.O_NONBLOCK)
    pod, sensor = daemon.run_pod("web-4"), Sensor("containerd", output="json,policy=block,queue=64K:" + at("fifo"))
    # More than the pipe and the queue hold.
    for _ in range(600):
        subprocess.run([ONE_CALL], check=False)
    ids = run_containers(daemon, pod, 6)
    time.sleep(2)
    os.set_blocking(reader, True)
    with open(reader, "rb") as fifo, open(sensor.path, "wb") as out:
        copier = threading.Thread(target=shutil.copyfileobj, args=(fifo, out))
        copier.start()
        time.sleep(1)
        sensor.run.send_signal(signal.SIGINT)
        copier.join(20)
    sensor.said += sensor.run.communicate(timeout=20)[1]
    assert count_named(sensor.events(), ids, "web-4") == (6, 6), sensor.said
    daemon.remove_pod(pod)


def removed_at_once(name, *more):
    daemon = runtime(name)
    sensor = Sensor(name, more=more)
    ids = [daemon.run_one(f"app-{number}", ("/one_call",)) for number in range(COUNT)]
    time.sleep(3)
    assert count_named(sensor.end(), ids, None) == (COUNT, COUNT), sensor.said


def test_containers_that_docker_removes_at_once():
    removed_at_once("docker")


def test_containers_that_podman_removes_at_once():
    # While it starts a container, it answers after 33 to 149 ms.
    removed_at_once("podman", "--names-wait", "500ms")


# -- a runtime that is not well ----------------------------------------------------------------------------------

def new_lines(sensor):
    os.set_blocking(sensor.run.stderr.fileno(), False)
    lines = sensor.run.stderr.readlines()
    sensor.said += "".join(lines)
    return lines


def call_in_a_container_that_nobody_knows():
    """In a cgroup as Kubernetes' are, made by hand."""
    name = f"{os.getpid():064x}"
    path = cgroups.make(f"kubepods.test.{os.getpid()}", "pod6d0a", name)
    cgroups.run_in(path, ONE_CALL)
    time.sleep(0.2)
    return name


class Arrivals(threading.Thread):
    """How late the lines of the host's calls are at the other end of a pipe, in ms."""

    def __init__(self, path):
        super().__init__(daemon=True)
        os.mkfifo(path)
        self.path, self.late, self.containers = path, [], {}
        self.start()

    def run(self):
        with open(self.path, encoding="utf-8") as fifo:
            for line in fifo:
                now, event = time.time(), json.loads(line)
                if event.get("processName") == "host_call":
                    self.late.append(1000 * (now - event["timestamp"] / 1e9))
                elif event["eventName"] == "munlock":
                    self.containers[event["containerId"]] = event, 1000 * (now - event["timestamp"] / 1e9)


def p99_of_host(arrivals, seconds):
    """Of calls that are made meanwhile."""
    arrivals.late.clear()
    LIBC.prctl(15, b"host_call", 0, 0, 0)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        LIBC.syscall(150 if os.uname().machine == "x86_64" else 229, ctypes.c_long(0), ctypes.c_long(0))
        time.sleep(0.002)
    time.sleep(0.2)
    late = sorted(arrivals.late)
    assert len(late) > 100 * seconds, len(late)
    return late[len(late) // 2], late[int(len(late) * 0.99)], late[-1]


def test_a_runtime_that_stops_is_killed_and_restarts():
    daemon = runtime("containerd")
    arrivals = Arrivals(at("lines"))
    pod, sensor = daemon.run_pod("web-5"), Sensor("containerd", output="json:" + at("lines"))
    made = [daemon.make(pod, f"app-{number}") for number in range(3)]
    well = p99_of_host(arrivals, 2)

    # A shim starts what it was told to, though containerd does not answer: here a call in the cgroup of one that is made.
    daemon.pause()
    strange = call_in_a_container_that_nobody_knows()
    stopped = p99_of_host(arrivals, 3)
    held = arrivals.containers.get(strange)
    daemon.resume()
    daemon.stop(signal.SIGKILL)
    killed = p99_of_host(arrivals, 2)
    daemon.start()
    begun = time.monotonic()
    while not any("CRI v1" in line for line in new_lines(sensor)) and time.monotonic() < begun + 5:
        time.sleep(0.05)
    back = time.monotonic() - begun
    for one in made:
        daemon.begin(one)
    time.sleep(1)
    for name, late in {"well": well, "stopped": stopped, "killed": killed}.items():
        print(f"# host's events, runtime {name}: p50 {late[0]:.2f} ms, p99 {late[1]:.2f} ms, most {late[2]:.2f} ms")
    print(f"# held: {held[1]:.1f} ms, {lookup(held[0])}; the runtime is known to be back after {back:.2f} s")
    sensor.end_quietly()
    assert held and held[1] < 50 + 100 and lookup(held[0]) in ("pending", "timeout", "runtime_down"), held
    for number, one in enumerate(made):
        event = arrivals.containers[one][0]
        assert event["container"]["name"] == f"app-{number}" and event["kubernetes"]["podName"] == "web-5", event
    assert back < 3, back
    # On CPUs that others load, p99 says little of its own; an event that waited for a runtime would be there later.
    assert max(stopped[0], killed[0]) < 1.1 * well[0] + 1, (well, stopped, killed)
    assert max(stopped[1], killed[1]) < 45, (well, stopped, killed)
    for one in made:
        daemon.remove(one)
    daemon.remove_pod(pod)


def end():
    for run in SENSORS:
        if run.poll() is None:
            run.kill()
            run.wait()
    cgroups.remove_all()
    for one in reversed(list(STARTED.values())):
        one.end()
    shutil.rmtree(ROOM, ignore_errors=True)


signal.signal(signal.SIGTERM, lambda *_: (end(), os._exit(1)))
run_tests(globals(), end)
