#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Names from real runtimes of Debian: containerd by CRI, Docker, Podman. Containers make one call and end.

usage: test_runtimes.py MRELEASE ONE_CALL LATE [TEST…]
"""
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
PROGRAM, ONE_CALL, LATE = sys.argv[1:4]
del sys.argv[2:4]
import cgroups  # noqa: E402
import hang  # noqa: E402
from real import IMAGE, Containerd, Dockerd, Podman, make_image, missing  # noqa: E402
from sensor import Skipped, run_tests  # noqa: E402

COUNT = int(os.environ.get("MRELEASE_TEST_CONTAINERS", "100" if os.environ.get("MRELEASE_TEST_LONG") else "10"))
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
    def __init__(self, *sockets, output=None, more=(), begin=None):
        """`begin` is called in the child, before it is the sensor."""
        self.path = at(f"events.{len(SENSORS)}")
        words = [word for name in sockets for word in ("--names-socket", f"{name}={STARTED[name].socket}")]
        self.run = subprocess.Popen([PROGRAM, "run", "--events", "munlock.scope.comm=one_call,host_call", "--extra", "container",
                                     "--output", output or "json:" + self.path, *words, *more], stderr=subprocess.PIPE, text=True,
                                    preexec_fn=begin)
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


def as_unit():
    """The niceness that the unit has (packaging)."""
    os.nice(-15)


def long_the_same_at_load_twenty():
    daemon = runtime("containerd")
    pod, sensor = daemon.run_pod("web-2"), Sensor("containerd", more=VERY_PATIENT, begin=as_unit)
    burners = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(20)]
    try:
        ids = run_containers(daemon, pod, COUNT)
    finally:
        for one in burners:
            one.kill()
            one.wait()
    time.sleep(5.5)
    # Without that niceness, containerd has forgotten some of them by the time that it is asked.
    assert count_named(sensor.end(), ids, "web-2") == (COUNT, COUNT), sensor.said
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

def test_a_runtime_that_stops_is_killed_and_restarts():
    """What the host's events and those of containers that nobody can name pay for it, in rounds of each."""
    daemon = runtime("containerd")
    late = hang.Late(LATE, at("lines"), "host_call", "one_call")
    SENSORS.append(late.program)
    pod, sensor = daemon.run_pod("web-5"), Sensor("containerd", output="json:" + at("lines"), begin=lambda: hang.urgent(20))
    containers, made, back = hang.Containers(0, ONE_CALL), [], []
    measured, held = {"well": [], "stopped": [], "killed": []}, {"stopped": [], "killed": []}

    def make_known():
        made.append(daemon.make(pod, f"app-{len(made)}"))
        daemon.begin(made[-1])
        return made[-1]

    hang.names_again(late, make_known)
    for _ in range(5 if COUNT > 10 else 2):
        for what in measured:
            # A shim starts what it was told to, though containerd does not answer: here a call in a cgroup made by hand.
            if what == "stopped":
                daemon.pause()
            elif what == "killed":
                daemon.stop(signal.SIGKILL)
            late.others.clear()
            containers.first += 1000
            containers.made.clear()
            with containers:
                measured[what] += [late.measure() for _ in range(hang.SLICES)]
            if what == "well":
                continue
            late.measure(100)  # who waited until now
            held[what] += hang.waits_of(late.others, containers.made)
            words = {lookup(event) for _, event in late.others}
            assert words <= {"pending", "timeout", "runtime_down"}, words
            if what == "stopped":
                daemon.resume()
            else:
                daemon.start()
            back.append(hang.names_again(late, make_known))
            _, event = late.others[-1]
            assert event["container"]["name"] == f"app-{len(made) - 1}" and event["kubernetes"]["podName"] == "web-5", event
    sensor.end_quietly()
    late.stop()
    print(f"# load {os.getloadavg()[0]:.1f}; names are back after {', '.join(f'{one:.2f}' for one in back)} s")
    hang.judge(measured, held)
    assert max(back) < 3, back
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
