#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""A run with --names, before a server that answers as containerd does; its containers are cgroups made by hand.

usage: test_run.py MRELEASE ONE_CALL LATE CALLS [TEST…]
"""
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
PROGRAM = sys.argv[1]
import cgroups  # noqa: E402
import hang  # noqa: E402
from runtimes import Cri, Docker, Raw  # noqa: E402
from sensor import Skipped, await_, children, run_tests  # noqa: E402

ROOM = tempfile.mkdtemp(prefix="mrelease-names-run.")
# By a name of its own: other tests make calls as well.
ONE_CALL = shutil.copy(sys.argv.pop(2), os.path.join(ROOM, f"one.{os.getpid()}"))
LATE, CALLS = sys.argv.pop(2), sys.argv.pop(2)
ENDS = []
LONG = os.environ.get("MRELEASE_TEST_LONG")


def at(name):
    return os.path.join(ROOM, name)


def number(i):
    return f"{os.getpid():032x}{i:032x}"


def known(i, **more):
    return {"id": number(i), "name": f"app-{i}", "image": "shop:1", "digest": "sha256:" + 64 * "a", "pod": "web-1",
            "namespace": "shop", "uid": "6d0a", **more}


def make_cgroup(i):
    return cgroups.make(f"kubepods.test.{os.getpid()}", "pod6d0a", number(i))


def call_in(path):
    cgroups.run_in(path, ONE_CALL)


class Run:
    """`more` are words of the command line."""

    def __init__(self, *more, events="munlock.scope.comm=" + os.path.basename(ONE_CALL), path=None, urgent=False):
        self.path = path or at(f"events.{len(ENDS)}")
        self.process = subprocess.Popen(
            [PROGRAM, "run", "--events", events, "--output", "json:" + self.path, "--extra", "container", *more],
            stderr=subprocess.PIPE, text=True, preexec_fn=(lambda: hang.urgent(20)) if urgent else None)
        ENDS.append(self)
        self.said = ""
        self.until("watching")

    def until(self, words):
        while words not in self.said:
            line = self.process.stderr.readline()
            self.said += line
            assert line, self.said

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            self.said += self.process.communicate(timeout=20)[1]
        except ValueError:
            pass  # it was read already

    def events(self):
        self.stop()
        with open(self.path, encoding="utf-8") as file:
            return [one for one in map(json.loads, file) if one["eventName"] == "munlock"]

    def side(self):
        for starter in children(self.process.pid):
            for child in children(starter):
                with open(f"/proc/{child}/comm", encoding="ascii") as file:
                    if file.read().strip() == "names":
                        return child
        return None


def lookup(event):
    return [one["value"] for one in event["args"] if one["name"] == "container_lookup"][0]


def ids_of(events):
    return [(event["containerId"], lookup(event)) for event in events]


def own(thing):
    ENDS.append(thing)
    return thing


def test_the_first_call_of_a_container_has_its_names():
    own(Cri(at("first"), [known(i) for i in range(20)]))
    # Longer than by default: others keep the processors busy, too.
    run = Run("--names-socket", "containerd=" + at("first"), "--names-wait", "1s")
    run.until("CRI v1")
    for i in range(20):
        call_in(make_cgroup(i))
    time.sleep(0.2)
    events = run.events()
    assert [event["containerId"] for event in events] == [number(i) for i in range(20)], ids_of(events)
    for i, event in enumerate(events):
        assert event["container"] == {"id": number(i), "name": f"app-{i}", "image": "shop:1", "imageDigest": "sha256:" + 64 * "a"}
        assert event["kubernetes"] == {"podName": "web-1", "podNamespace": "shop", "podUID": "6d0a"}, event


def test_what_runs_before_has_its_names_without_a_question():
    path = make_cgroup(30)
    cri, asked = own(Cri(at("before"), [known(30)])), []
    status = cri.ContainerStatus
    cri.ContainerStatus = lambda name: asked.append(name) or status(name)  # also those of other tests
    run = Run("--names-socket", "containerd=" + at("before"))
    run.until("CRI v1")
    assert await_(lambda: "ListPodSandbox" in cri.calls)
    time.sleep(1)  # until what was listed is in its place, on a busy machine as well
    call_in(path)
    time.sleep(0.2)
    assert run.events()[0]["container"]["name"] == "app-30"
    assert cri.calls.count("ListContainers") == 1 and number(30) not in asked, (cri.calls, asked)


def test_without_names_nothing_is_asked():
    cri = own(Cri(at("off"), [known(31)]))
    run = Run("--names", "off", "--names-socket", "containerd=" + at("off"))
    call_in(make_cgroup(31))
    time.sleep(0.3)
    assert run.side() is None
    event = run.events()[0]
    assert event["containerId"] == number(31) and "name" not in event["container"], event["container"]
    assert not cri.calls


def test_a_runtime_that_never_answers_holds_an_event_up_to_the_wait():
    own(Raw(at("mute"), lambda link: time.sleep(60)))
    run = Run("--names-socket", "containerd=" + at("mute"), "--names-wait", "300ms")
    path = make_cgroup(32)
    call_in(path)
    subprocess.run([ONE_CALL], check=True)  # the host's
    time.sleep(0.15)
    with open(run.path, encoding="utf-8") as file:
        before = [json.loads(line) for line in file]
    assert [event["containerId"] for event in before] == [""], ids_of(before)
    time.sleep(0.4)
    events = run.events()
    assert [event["containerId"] for event in events] == ["", number(32)], ids_of(events)
    assert "container_lookup" in json.dumps(events[1]) and events[1]["kubernetes"] == {}


def test_the_host_pays_nothing_for_a_runtime_that_hangs_or_is_killed():
    """Rounds of each, in turn, while containers that nobody knows yet make calls."""
    server, host = own(hang.Apart(at("hangs"))), f"host.{os.getpid()}"[:15]
    late = own(hang.Late(LATE, at("lines"), host, os.path.basename(ONE_CALL)))
    flood = f"flood.{os.getpid()}"[:15]
    run = Run("--names-socket", "containerd=" + at("hangs"), "--events", f"process_mrelease.scope.comm={flood}",
              path=at("lines"), urgent=True, events=f"munlock.scope.comm={os.path.basename(ONE_CALL)},{host}")
    run.until("CRI v1")
    containers = hang.Containers(1000, ONE_CALL, (CALLS, flood, "2000", "0.3"))
    measured, held, back = {"well": [], "stopped": [], "killed": []}, {"stopped": [], "killed": []}, []
    for _ in range(8 if LONG else 2):
        for what in measured:
            if what == "stopped":
                server.stop(signal.SIGSTOP)
            elif what == "killed":
                server.stop()
            late.others.clear()
            containers.made.clear()
            containers.first += 1000
            with containers:
                measured[what] += [late.measure() for _ in range(hang.SLICES)]
            if what == "well":
                continue
            late.measure(100)  # who was held by then
            held[what] += hang.waits_of(late.others, containers.made)
            if what == "stopped":
                server.stop(signal.SIGCONT)
            else:
                server.start()
            back.append(hang.names_again(late, containers.one))
    run.stop()
    print(f"# load {os.getloadavg()[0]:.1f}; names are back after {', '.join(f'{one:.2f}' for one in back)} s")
    hang.judge(measured, held)
    assert max(back) < 3, back


FULL = 4000  # of 4,096: other tests may make some


def anonymous_kib(run):
    with open(f"/proc/{run.process.pid}/status", encoding="ascii") as file:
        return [int(line.split()[1]) for line in file if line.startswith("RssAnon:")][0]


def test_what_is_known_of_all_that_it_remembers_takes_six_mib():
    """Containers of a list, each with 500 bytes of names, and as many events as may wait for one more."""
    cri = own(Cri(at("full"), [known(10000 + i, name=f"app-{i}" + 50 * "n", image=f"registry.example.org/shop/{i}:" + 120 * "v",
                                     pod=f"web-{i}-" + 90 * "p", namespace=f"shop-{i}-" + 50 * "s", uid=f"{i:036d}") for i in range(FULL)]))
    cri.ContainerStatus = lambda _: time.sleep(20)
    flood = f"flood.{os.getpid()}"[:15]
    words = ("--names-wait", "10s", "--events", f"process_mrelease.scope.comm={flood}")
    off, on = Run("--names", "off", *words), Run("--names-socket", "containerd=" + at("full"), *words)
    on.until("CRI v1")
    time.sleep(0.5)
    first, last = (make_cgroup(10000 + i) for i in (0, FULL - 1))
    call_in(first)
    call_in(last)
    time.sleep(0.3)
    before = anonymous_kib(off), anonymous_kib(on)
    cgroups.run_in(make_cgroup(70), CALLS, flood, "40000", "0.2")
    time.sleep(0.3)
    after = anonymous_kib(off), anonymous_kib(on)
    events = on.events()
    off.stop()
    assert [event["container"].get("name", "")[:5] for event in events] == ["app-0", "app-3"], (ids_of(events), on.said)
    assert "ContainerStatus" not in cri.calls[:cri.calls.index("ListContainers")], cri.calls
    print(f"# RssAnon without names {before[0]} KiB, with {FULL} containers' names {before[1]} KiB; and where as many events wait as may, "
          f"{after[0]} and {after[1]} KiB")
    if before[0] > 16 * 1024:
        raise Skipped("a sanitizer takes memory of its own")
    assert after[1] - after[0] <= 6 * 1024 and before[1] - before[0] <= 6 * 1024, (before, after)
    assert before[1] - before[0] > 3 * 1024, "what was told is not remembered"


def test_a_cgroup_deep_within_a_container_has_the_names_of_none_other():
    own(Cri(at("deep"), [known(35), known(36)]))
    run = Run("--names-socket", "containerd=" + at("deep"), "--names-wait", "1s")
    run.until("CRI v1")
    call_in(make_cgroup(35))
    inside = [f"kubepods.test.{os.getpid()}", "pod6d0a", number(36), *"12345678"]
    call_in(cgroups.make(*inside, f"cri-containerd-{number(35)}.scope"))
    call_in(cgroups.make(*inside, "docker", number(35)))
    time.sleep(0.2)
    events = run.events()
    assert [event["containerId"] for event in events] == [number(35), number(36), number(36)], ids_of(events)
    assert [event["container"].get("name") for event in events] == ["app-35", "app-36", "app-36"], ids_of(events)


def test_the_side_program_dies_and_events_go_on():
    own(Cri(at("dies"), [known(i) for i in (40, 41, 42)]))
    run = Run("--names-socket", "containerd=" + at("dies"))
    run.until("CRI v1")
    paths = [make_cgroup(i) for i in (40, 41)]
    call_in(paths[0])
    time.sleep(0.1)
    run.said = ""
    os.kill(run.side(), signal.SIGKILL)
    call_in(paths[0])  # the table stays
    run.until("CRI v1")  # it was started again
    call_in(paths[1])
    call_in(make_cgroup(42))
    time.sleep(0.3)
    events = run.events()
    assert [event["container"].get("name") for event in events] == ["app-40", "app-40", "app-41", "app-42"], [event["container"] for event in events]
    assert "why=signal 9" in run.said, run.said


def test_the_side_program_runs_as_the_sensor_does():
    own(Cri(at("nice"), []))
    os.setpriority(os.PRIO_PROCESS, 0, -10)
    try:
        run = Run("--names-socket", "containerd=" + at("nice"))
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, 0)
    run.until("CRI v1")
    assert os.getpriority(os.PRIO_PROCESS, run.side()) == -10
    run.stop()


def test_counters_say_who_was_asked_and_what_came_of_it():
    own(Cri(at("counted"), [known(50)]))
    run = Run("--names-socket", "containerd=" + at("counted"), "--output", f"grpc:unix:{at('g')}")
    run.until("CRI v1")
    call_in(make_cgroup(50))
    call_in(make_cgroup(51))
    time.sleep(2.6)
    call_in(make_cgroup(50))  # answers are counted when the reader takes them in
    time.sleep(0.2)
    said = subprocess.run([PROGRAM, "metrics", "--server", "unix:" + at("g")], capture_output=True, text=True, timeout=20,
                          check=True).stdout
    run.stop()

    def value(name, **labels):
        found = [float(line.rsplit(" ", 1)[1]) for line in said.splitlines()
                 if re.match(name + r"[{ ]", line) and all(f'{key}="{word}"' in line for key, word in labels.items())]
        assert len(found) == 1, (name, labels, said)
        return found[0]

    assert value("mrelease_names_asked_total") >= 1, said
    assert value("mrelease_names_answers_total", runtime="containerd", names="known") >= 1
    assert value("mrelease_names_answers_total", names="not_found", runtime="none") >= 1
    assert value("mrelease_names_events_total", names="known") == 2
    assert value("mrelease_names_wait_seconds_count") == value("mrelease_names_wait_seconds_bucket", le="+Inf")
    assert value("mrelease_names_wait_seconds_bucket", le="0.05") >= 0


def test_doctor_says_who_answers_and_how_fast():
    own(Cri(at("looked"), [known(60)]))
    words = [PROGRAM, "doctor", "--quick", "--names-socket", "containerd=" + at("looked"), "--names-socket", "docker=" + at("nobody")]
    said = json.loads(subprocess.run([*words, "--format", "json"], capture_output=True, text=True, timeout=60, check=False).stdout)
    cri, native, docker = sorted(said["runtimes"], key=lambda one: (one["runtime"], one["interface"]))
    assert (cri["state"], cri["containers"], native["state"]) == ("up", 1, "up"), said["runtimes"]
    assert "CRI v1" in cri["version"] and 0 < cri["lookupMicroseconds"] < 1000000, cri
    assert docker["state"] == "down" and "No such file" in docker["why"], docker
    text = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False).stdout
    assert "a lookup took" in text and at("looked") in text, text


def test_doctor_says_what_is_wrong_with_who_answers():
    cri, docker, page = own(Cri(at("torn"), [known(61)])), own(Docker(at("object"))), own(Docker(at("page")))
    cri.ListContainers = lambda _: b"\xff"
    docker.raw, page.raw, page.name = b'{"message": "no"}', b"<html>It works!</html>", "Apache"
    words = [PROGRAM, "doctor", "--quick", "--names-socket", "containerd=" + at("torn"),
             "--names-socket", "docker=" + at("object"), "--names-socket", "podman=" + at("page")]
    said = json.loads(subprocess.run([*words, "--format", "json"], capture_output=True, text=True, timeout=60, check=False).stdout)
    found = {(one["runtime"], one["interface"]): (one["state"], one["why"]) for one in said["runtimes"]}
    assert found == {("containerd", "CRI"): ("up", "its list: some of it cannot be read"),
                     ("containerd", "containerd"): ("up", ""),
                     ("docker", "Docker's interface"): ("up", "its list: its answer is no list of containers"),
                     ("podman", "Docker's interface"): ("down", "its answer is no list of containers")}, found
    text = " ".join(subprocess.run(words, capture_output=True, text=True, timeout=60, check=False).stdout.split())
    assert "CRI v1; its list: some of it cannot be read" in text, text
    assert "Docker's interface: Docker/20.10.24 (linux); its list: its answer is no list" in text, text
    assert "Docker's interface: down: its answer is no list of containers" in text, text


def test_a_wrong_word_names_the_nearest():
    done = subprocess.run([PROGRAM, "run", "--names-socket", "dokcer=/run/x"], capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == 2 and "did you mean 'docker'" in done.stderr, done.stderr


def end():
    for one in ENDS:
        one.stop()
    cgroups.remove_all()
    shutil.rmtree(ROOM, ignore_errors=True)


signal.signal(signal.SIGTERM, lambda *_: (end(), os._exit(1)))
run_tests(globals(), end)
