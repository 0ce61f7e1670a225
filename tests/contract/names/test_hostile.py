#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The side program that asks for names, before runtimes and strangers that answer what nobody should.

usage: test_hostile.py NAMES [TEST…]
"""
import json
import os
import re
import struct
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..")]
from asked import NGINX, OTHER, PAUSE, PROGRAM, at, boxed, end, nginx, own, pause, side  # noqa: E402
from runtimes import Cri, Docker, Raw, container, field, labels, varint  # noqa: E402
from sensor import run_tests  # noqa: E402

with open(PROGRAM, "rb") as file:
    # A sanitizer's runtime takes several times the memory, and the program has no bound of its own then.
    MOST_KIB = (1024 if re.search(b"__[at]san_", file.read()) else 112) << 10


def hostile(name, answer, **more):
    """A runtime that lists nothing, and then answers so; asks, and says what came of it."""
    cri = own(Cri(at(name), [nginx()], [pause()]))
    it = side(("containerd", at(name)), **more).settle()
    it.named.clear()
    cri.answer = lambda method, request, namespace: answer
    begun = time.monotonic()
    one = it.result(NGINX)
    print(f"# {one['result']} after {time.monotonic() - begun:.2f} s, {it.memory_kib()} KiB: {it.log[-1]}")
    assert it.lives() < 0.5
    assert it.memory_kib("VmHWM") < MOST_KIB, it.memory_kib("VmHWM")
    return it, one


def test_labels_of_ten_megabytes_are_refused_and_told():
    it, one = hostile("large", field(1, field(1, NGINX) + labels(12, {"x": 10 * "z" * (1 << 20)})))
    assert one["result"] == "not_found" and any("larger" in line for line in it.log), it.log


def test_what_unpacks_to_much_more_is_refused():
    _, one = hostile("bomb", field(1, field(1, NGINX) + 3000000 * b"\x62\x00"))
    assert one["result"] == "not_found"


def test_what_is_no_protobuf_is_refused():
    it, one = hostile("garbage", b"\xff" * 1000)
    assert one["result"] == "not_found" and "cannot be read" in it.log[-1], it.log


def test_who_tells_of_another_container_is_not_believed():
    _, one = hostile("lies", field(1, field(1, OTHER) + field(2, field(1, "sshd"))))
    assert one["result"] == "not_found"


def test_control_characters_and_what_is_too_long_are_tamed():
    evil = "a\n\x1b[31m\u202eb\0c"
    _, one = hostile("evil", field(1, field(1, NGINX) + field(2, field(1, evil)) + field(8, field(1, 600 * "é")) + labels(
        12, {"io.kubernetes.pod.name": b"\xff\xfe".decode("latin1"), "io.kubernetes.pod.uid": 65 * "u"})))
    assert one["result"] == "known" and one["name"] == "a??[31m?b", one
    assert one["image"] == 256 * "é" and one["uid"] == 64 * "u" and one["cut"] == 0b100010, one


def test_a_list_without_end_is_given_up_and_single_containers_are_found():
    cri = own(Cri(at("endless"), [nginx()]))
    cri.ListContainers = lambda _: 40000 * field(1, field(1, NGINX) + field(3, field(1, "x" * 300)))
    it = side(("containerd", at("endless"))).settle()
    assert not it.of(NGINX, False) and it.result(NGINX)["result"] == "known", it.log
    cri.ListContainers = lambda _: 300000 * field(1, b"")
    assert it.lives() < 0.5


def listing(name, runtime, server, said):
    """Who lists so: what is told of the list, in a line that says so."""
    own(server)
    it = side((runtime, at(name))).settle()
    assert it.until(lambda: [line for line in it.log if said in line], 60), it.log
    print(f"# {len(it.named)} named, {it.memory_kib('VmHWM')} KiB: {it.log}")
    assert it.lives() < 0.5 and it.memory_kib("VmHWM") < MOST_KIB, it.memory_kib("VmHWM")
    return it


def test_a_list_of_too_many_is_cut_and_told():
    many = [nginx(id="%064x" % number) for number in range(6000)]
    it = listing("crowd", "containerd", Cri(at("crowd"), many, [pause()]), "more than 4096 containers")
    assert len(it.named) == 4097 and it.of(PAUSE, False), len(it.named)
    docker = Docker(at("crowd.d"), [boxed(Id="%064x" % number) for number in range(5000)])
    it = listing("crowd.d", "docker", docker, "more than 4096 containers")
    assert len(it.named) == 4096
    # The question about one is answered by all: who is behind so many is not looked for.
    last = "%064x" % 0xffff
    docker.raw = json.dumps(docker.containers + [boxed(Id=last)]).encode()
    assert it.result("%064x" % 7)["result"] == "known" and it.result(last)["result"] == "not_found", it.log
    assert any("it lists more than 4096 containers for one" in line for line in it.log), it.log


def test_a_list_that_takes_more_memory_than_one_answer_may_is_taken_whole():
    # Some 100 KiB of what is made of each.
    cri = Cri(at("heavy"))
    cri.ListContainers = lambda _: b"".join(field(1, field(1, "%064x" % number) + field(3, field(1, "a")) + 1000 * b"\x42\x00")
                                            for number in range(400))
    it = listing("heavy", "containerd", cri, "CRI v1")
    assert len(it.named) == 400 and not [line for line in it.log if "its list" in line], it.log
    heavy = [boxed(Id="%064x" % number, Labels={str(label): "" for label in range(120)}) for number in range(4000)]
    docker = Docker(at("heavy.d"), heavy)
    assert len(json.dumps(heavy)) < 8 << 20
    it = listing("heavy.d", "docker", docker, "Docker/20.10.24")
    assert len(it.named) == 4000 and not [line for line in it.log if "list" in line], it.log


def test_of_a_list_that_is_too_long_what_fits_is_taken_and_told():
    docker = Docker(at("long"), [boxed(Id="%064x" % number, Labels={"x": 4000 * "y"}) for number in range(4000)])
    it = listing("long", "docker", docker, "its list is too long: the first ")
    count = int(it.log[0].split("the first ")[1].split()[0])
    assert len(it.named) == count and 1500 < count < 4000, (len(it.named), it.log)
    cri = Cri(at("long.c"), [nginx(id="%064x" % number, labels={"x": 4000 * "y"}) for number in range(4000)], [pause()])
    it = listing("long.c", "containerd", cri, "its list: status 8: Received message larger than max")
    assert [one["id"] for one in it.named] == [PAUSE], len(it.named)
    assert it.result("%064x" % 3999)["result"] == "known"


def test_what_is_wrong_with_a_list_is_told_and_the_rest_taken():
    cri = Cri(at("torn"))
    cri.ListContainers = lambda _: container(nginx()) + field(1, b"\xff\xff") + container(nginx(id=OTHER))
    it = listing("torn", "containerd", cri, "its list: some of it cannot be read")
    assert it.of(NGINX, False) and it.of(OTHER, False), it.named
    docker = Docker(at("torn.d"))
    docker.raw = json.dumps([boxed(), boxed(Id=NGINX)]).encode()[:-20]
    it = listing("torn.d", "docker", docker, "its list: what follows 1 containers cannot be read")
    assert [one["id"] for one in it.named] == [OTHER], it.named
    docker = Docker(at("refuses.d"))
    docker.raw = b"null"
    listing("refuses.d", "docker", docker, "its list: it knows no such list")


def test_one_that_leaves_while_it_is_listed_is_no_fault_of_the_list():
    cri = Cri(at("leaves"), [nginx(listed="sha256:" + 64 * "9")])
    cri.ContainerStatus = cri.PodSandboxStatus
    it = listing("leaves", "containerd", cri, "CRI v1")
    assert len(it.log) == 1 + len([line for line in it.log if "own interface" in line]), it.log
    assert not [line for line in it.log if "status 5" in line], it.log


def strangers():
    """Who is none of the runtimes that it is said to be, and what is told of it."""
    def version(answer):
        def make(path):
            cri = Cri(path)
            cri.Version = lambda _: answer
            return cri
        return make

    page = http([b"<html>It works!</html>"], "HTTP/1.1 200 OK\r\nServer: Apache\r\n")
    return {
        ("docker", "page"): (lambda path: Raw(path, page), "its answer is no list of containers"),
        ("podman", "noise"): (lambda path: Raw(path, lambda link: (link.recv(999), link.sendall(100 * b"~ "))), "HTTP/0.9"),
        ("containerd", "version"): (version(b"\xff"), "its answer cannot be read"),
        ("crio", "empty"): (version(b""), "it does not say what it is"),
        ("cri-dockerd", "http"): (Docker, "status 14"),
    }


def test_a_stranger_at_a_socket_is_told_and_not_believed():
    for (runtime, name), (make, said) in strangers().items():
        own(make(at("stranger." + name)))
        it = side((runtime, at("stranger." + name))).settle()
        assert it.result(OTHER)["result"] == "runtime_down", (name, it.named)
        assert [line for line in it.log if said in line and f"names: {runtime} at" in line], (name, it.log)
        it.kill()


def test_of_a_stranger_it_says_what_was_wrong():
    for (runtime, name), (make, said) in strangers().items():
        own(make(at("looked." + name)))
        lines = subprocess.run([PROGRAM, "look", f"{runtime}={at('looked.' + name)}"], capture_output=True, text=True,
                               timeout=20, check=True).stdout.splitlines()
        _, _, _, state, _, containers, lookup, why = lines[0].split("\t")
        assert (state, containers, lookup) == ("down", "0", "-1") and said in why, (name, lines)


def http(body, head="HTTP/1.1 200 OK\r\n"):
    def serve(link):
        link.recv(65536)
        link.sendall(head.encode() + b"\r\n")
        for part in body:
            link.sendall(part)
        link.close()
    return serve


def endless(part):
    while True:
        yield part


def test_hostile_answers_of_docker_are_bounded():
    for name, serve in {
            "endless": http(endless(b"[" + b" " * 65536)),
            "deep": http([b"[" * 3000000]),
            "bomb": http([b"[" + b"{}," * 2000000 + b"{}]"]),
            "headers": http(endless(b"X: y\r\n" * 1000), "HTTP/1.1 200 OK\r\nA: b"),
            "object": http([b'{"message": "no"}']),
            "empty": http([]),
            "types": http([b'[{"Id": 7}, 3, {"Id": "x", "Names": 1}, null]']),
            "redirect": http([b""], "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\n"),
    }.items():
        own(Raw(at("d." + name), serve))
        it = side(("docker", at("d." + name)))
        it.ask(OTHER)
        assert it.until(lambda: it.of(OTHER), 8), (name, it.log)
        print(f"# {name}: {it.of(OTHER)[0]['result']}, {it.memory_kib('VmHWM')} KiB: {it.log[-1] if it.log else ''}")
        assert it.of(OTHER)[0]["result"] in ("not_found", "runtime_down", "timeout"), (name, it.named)
        assert it.lives() < 0.5 and it.memory_kib("VmHWM") < MOST_KIB, name
        assert len(it.log) < 20, it.log
        it.kill()


def test_hostile_frames_of_http2_are_bounded():
    settings = b"\0\0\0\4\0\0\0\0\0"
    for name, serve in {
            "garbage": lambda link: link.sendall(os.urandom(65536)),
            "settings": lambda link: [link.sendall(settings * 1000) for _ in range(100000)],
            "frame": lambda link: link.sendall(settings + struct.pack(">I", 0xffffff)[1:] + b"\0\0\0\0\0\1" + 70000 * b"x"),
            "closes": lambda link: link.close(),
    }.items():
        own(Raw(at("h." + name), serve))
        it = side(("crio", at("h." + name)))
        it.ask(OTHER)
        assert it.until(lambda: it.of(OTHER), 8), (name, it.log)
        print(f"# {name}: {it.of(OTHER)[0]['result']}, {it.memory_kib('VmHWM')} KiB")
        assert it.of(OTHER)[0]["result"] in ("runtime_down", "timeout"), (name, it.named)
        assert it.lives() < 0.5 and it.memory_kib("VmHWM") < MOST_KIB, name
        it.kill()


assert varint(300) == b"\xac\x02"


run_tests(globals(), end)
