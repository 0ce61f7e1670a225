#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The side program that asks for names, before servers that answer as runtimes do.

usage: test_names.py NAMES [TEST…]
"""
import os
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from asked import CTR, NGINX, OTHER, PAUSE, at, boxed, end, nginx, own, pause, side  # noqa: E402
from runtimes import Cri, Docker, Raw, Unavailable  # noqa: E402
from sensor import run_tests  # noqa: E402


def test_a_container_of_a_pod_is_named():
    own(Cri(at("named"), [nginx()], [pause()]))
    it = side(("containerd", at("named"))).settle()
    it.named.clear()
    one = it.result(NGINX)
    assert {key: one[key] for key in ("result", "runtime", "sandbox", "cut", "name", "image", "digest", "pod", "namespace",
                                      "uid")} == {
        "result": "known", "runtime": "containerd", "sandbox": 0, "cut": 0, "name": "nginx",
        "image": "docker.io/library/nginx:1", "digest": "sha256:" + 64 * "a", "pod": "web-1", "namespace": "shop",
        "uid": "6d0a"}, one
    one = it.result(PAUSE)
    assert (one["sandbox"], one["pod"], one["name"]) == (1, "web-1", ""), one
    assert it.end() == 0


def test_what_ran_before_is_listed_and_then_it_says_so():
    # Under a kubelet a list has the image's id alone.
    own(Cri(at("listed"), [nginx(listed="sha256:" + 64 * "9")] +
            [nginx(id="%064x" % number, labels={"x": 300 * "y"}) for number in range(1000, 1400)], [pause()]))
    it = side(("containerd", at("listed"))).settle()
    assert len(it.named) == 402 and all(one["ask"] == 0 for one in it.named), len(it.named)
    assert it.of(NGINX, False)[0]["image"] == "docker.io/library/nginx:1"
    assert it.of(PAUSE, False)[0]["sandbox"] == 1


def test_containers_of_docker_are_found_by_the_list():
    docker = own(Docker(at("docker"), [boxed()]))
    it = side(("docker", at("docker"))).settle()
    docker.calls.clear()
    one = it.result(OTHER)
    assert (one["name"], one["image"], one["digest"], one["pod"]) == (
        "box", "shop:1", "shop@sha256:" + 64 * "c", "p"), one
    assert all("/json" in call and call.startswith(("/containers/json?", "/images/sha256:")) for call in docker.calls)
    assert "Docker/20.10.24" in " ".join(it.log), it.log


def test_containers_that_kubernetes_does_not_know_are_containerds():
    own(Cri(at("native"), native=[{"in": "default", "id": CTR, "image": "docker.io/library/busybox:1"},
                                  {"in": "moby", "id": OTHER, "image": ""}]))
    it = side(("containerd", at("native"))).settle()
    one = it.result(CTR)
    assert (one["result"], one["name"], one["image"], one["digest"]) == (
        "known", "", "docker.io/library/busybox:1", "sha256:" + 64 * "b"), one
    assert it.result(OTHER)["result"] == "not_found"  # it is Docker's, who has its names


def test_a_container_that_comes_a_little_later_is_found():
    cri = own(Cri(at("later")))
    it = side(("containerd", at("later"))).settle()
    it.ask(NGINX)
    time.sleep(0.06)
    cri.containers[NGINX] = nginx()
    assert it.until(lambda: it.of(NGINX))
    assert [one["result"] for one in it.of(NGINX)] == ["known"]
    assert cri.calls.count("ContainerStatus") <= 4, cri.calls


def test_a_container_that_nobody_knows_is_asked_for_five_times():
    cri = own(Cri(at("nobody")))
    it = side(("containerd", at("nobody"))).settle()
    begun = time.monotonic()
    assert it.result(NGINX)["result"] == "not_found"
    assert 2 < time.monotonic() - begun < 4
    assert cri.calls.count("ContainerStatus") == 5, cri.calls
    assert it.result(NGINX, 0.5)["result"] == "not_found"  # from memory
    assert cri.calls.count("ContainerStatus") == 5


def test_a_path_names_who_is_asked_first():
    cri, docker = own(Cri(at("first.c"), [nginx()])), own(Docker(at("first.d"), [boxed(Id=NGINX)]))
    it = side(("containerd", at("first.c")), ("docker", at("first.d"))).settle()
    cri.calls.clear()
    it.ask(NGINX, hint="docker")
    assert it.until(lambda: it.of(NGINX)) and it.of(NGINX)[0]["runtime"] == "docker", it.named
    assert "ContainerStatus" not in cri.calls
    it.ask(NGINX, hint="cri")
    assert it.until(lambda: len(it.of(NGINX)) == 2) and it.of(NGINX)[1]["runtime"] == "containerd"


def test_a_runtime_that_is_not_there_is_told_at_once():
    it = side(("containerd", at("absent"))).settle()
    begun = time.monotonic()
    assert it.result(NGINX, 1)["result"] == "runtime_down"
    assert time.monotonic() - begun < 0.3
    assert "absent" in " ".join(it.log) and len(it.log) <= 3, it.log


def test_a_runtime_that_comes_later_is_picked_up():
    it = side(("containerd", at("late"))).settle()
    assert it.result(NGINX)["result"] == "runtime_down"
    own(Cri(at("late"), [nginx()]))
    begun = time.monotonic()
    assert it.until(lambda: [one for one in it.of(NGINX, False) if one["result"] == "known"], 5)
    print(f"# {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < 3


def test_a_runtime_that_restarts_is_picked_up():
    cri = own(Cri(at("again"), [nginx()]))
    it = side(("containerd", at("again"))).settle()
    cri.stop()
    assert it.result(OTHER)["result"] == "runtime_down"
    cri.containers[OTHER] = nginx(id=OTHER)
    cri.start()
    begun = time.monotonic()
    assert it.until(lambda: it.of(OTHER)[-1]["result"] == "known", 5), it.named
    print(f"# {time.monotonic() - begun:.2f} s")
    assert time.monotonic() - begun < 3


def test_one_that_comes_and_goes_is_told_once_in_a_while():
    cri = own(Cri(at("flaps"), [nginx()]))

    def leave(_):
        raise Unavailable

    cri.ContainerStatus = leave
    it = side(("containerd", at("flaps"))).settle()
    end = time.monotonic() + 6
    while time.monotonic() < end:
        it.ask(OTHER)
        it.until(lambda: False, 0.1)
    asked = cri.calls.count("Version")
    del cri.ContainerStatus
    assert asked >= 4 and len(it.log) <= 6, (asked, it.log)
    assert it.until(lambda: len([line for line in it.log if "CRI v1" in line]) == 2, 12), it.log
    assert not [line for line in it.log if "not found" in line], it.log


def test_one_that_never_answers_is_in_nobodys_way():
    own(Raw(at("mute"), lambda link: time.sleep(60)))
    own(Docker(at("beside"), [boxed()]))
    it = side(("containerd", at("mute")), ("docker", at("beside")))
    it.until(lambda: it.is_listed, 5)
    for _ in range(3):
        begun = time.monotonic()
        assert it.result(OTHER)["result"] == "known"
        assert time.monotonic() - begun < 0.2
    it.ask(NGINX, hint="containerd")
    assert it.until(lambda: it.of(NGINX), 2) and it.of(NGINX)[0]["result"] == "timeout", it.named
    assert it.lives() < 0.5


def test_a_runtime_that_stops_in_the_middle_is_timed_out_once():
    cri = own(Cri(at("stops"), [nginx()]))
    it = side(("containerd", at("stops"))).settle()
    answer, cri.answer = cri.answer, lambda *_: time.sleep(2)
    begun = time.monotonic()
    assert it.result(PAUSE)["result"] == "timeout"
    assert 0.9 < time.monotonic() - begun < 1.4
    begun = time.monotonic()
    assert it.result(OTHER)["result"] == "timeout"
    assert time.monotonic() - begun < 0.3
    cri.containers[OTHER] = nginx(id=OTHER)
    cri.answer = answer
    begun = time.monotonic()
    assert it.until(lambda: it.of(OTHER)[-1]["result"] == "known", 6), it.named
    print(f"# {time.monotonic() - begun:.2f} s")


def test_of_more_questions_than_there_is_room_for_the_oldest_are_given_up():
    own(Cri(at("many")))
    it = side(("containerd", at("many"))).settle()
    ids = ["%064x" % number for number in range(300)]
    it.ask(*ids[:150])
    it.ask(*ids[150:])
    assert it.until(lambda: all(it.of(one) for one in ids), 40)  # on a busy machine
    full = [one["id"] for one in it.named if one["result"] == "queue_full"]
    assert len(full) == 44 and full == ids[:44], (len(full), full[:3])


# -- rights --------------------------------------------------------------------------------------------------

def test_it_keeps_no_right():
    own(Cri(at("rights"), [nginx()]))
    it = side(("containerd", at("rights")), sandbox="require").settle()
    with open(f"/proc/{it.process.pid}/status", encoding="ascii") as file:
        status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
    assert (status["CapEff"], status["CapPrm"], status["Seccomp"], status["NoNewPrivs"]) == (
        16 * "0", 16 * "0", "2", "1"), status
    assert it.result(NGINX)["result"] == "known"


def test_who_speaks_otherwise_to_it_is_left():
    it = side(("containerd", at("nothing")))
    it.ask("../../../etc/passwd")
    try:
        while it.hear(3) is not False:
            pass
        raise AssertionError("it goes on")
    except AssertionError as error:
        assert "it ended" in str(error), error


run_tests(globals(), end)
