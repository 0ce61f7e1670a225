#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that take more than their share: they are cut, and nobody else waits for them.

usage: test_bounds.py PROGRAM
"""
import asyncio
import collections
import contextlib
import itertools
import os
import signal
import subprocess
import sys
import threading
import time

import grpc

import tap
from attacks import CHECK, PREFACE, WATCH, headers
from certificates import Certificates
from server import STREAM, WAIT, Calls, Server, anonymous_kib, await_, channel_to, frame, free_port, status_of

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
SHARE = 100  # calls of a connection
CHANGE = b"/tracee.v1beta1.TraceeService/DisableEvent"


def calls(path, count, message=b"", first=0):
    """Several calls at a time, each with its whole request."""
    data = b"\x00" + len(message).to_bytes(4, "big") + message
    return b"".join(frame(1, 4, 2 * i + 1, headers(path)) + frame(0, 1, 2 * i + 1, data)
                    for i in range(first, first + count))


def is_cut(peer, seconds=WAIT):
    """Whether the server ends the connection within a time; what it sends is thrown away."""
    peer.settimeout(0.2)
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        try:
            if not peer.recv(65536):
                return True
        except TimeoutError:
            continue
        except ConnectionError:
            return True
    return False


def is_healthy(it):
    """As a client says that has a connection of its own."""
    with channel_to(it) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        return check(b"", timeout=WAIT) == b"\x08\x01"


def test_who_wants_more_calls_than_its_share_is_refused_and_then_cut():
    with Server(PROGRAM) as it, contextlib.closing(it.connect()) as peer:
        peer.sendall(PREFACE + calls(WATCH, SHARE))
        assert not is_cut(peer, 1)
        peer.sendall(calls(WATCH, 1, first=SHARE))  # refused; who does it once is not cut
        assert not is_cut(peer, 2) and is_healthy(it)
        peer.sendall(calls(WATCH, 40, first=SHARE + 1))
        assert is_cut(peer)
        with contextlib.closing(it.connect()) as again:  # it is the same process
            assert is_cut(again, 1)
        verb = subprocess.run([PROGRAM, "health", "--server", it.address], capture_output=True, text=True, timeout=WAIT)
        assert verb.stdout == "SERVING\n", verb
        time.sleep(1)
        assert is_healthy(it)
        await_(lambda: it.said("or wants more than there is"))


async def ask_on(address, path, count, seconds):
    """So many calls under way on one connection, each followed by the next: how they ended."""
    codes, end = collections.Counter(), time.monotonic() + seconds

    async def ask(method):
        while time.monotonic() < end:
            try:
                async for _ in method(b"", timeout=WAIT):
                    pass
                codes["OK"] += 1
            except grpc.RpcError as error:
                codes[error.code().name] += 1
    async with grpc.aio.insecure_channel(address, options=[("grpc.enable_http_proxy", 0)]) as channel:
        method = channel.unary_stream(path)
        await asyncio.gather(*[ask(method) for _ in range(count)])
    return codes


@tap.alone
def test_who_always_has_its_share_under_way_is_served():
    """A client begins the next call as soon as it knows of an end."""
    with Server(PROGRAM) as it:
        for path, code in ("/mrelease.v1.MetricsService/GetMetrics", "OK"), ("/no/Method", "UNIMPLEMENTED"):
            codes = asyncio.run(ask_on(it.address, path, SHARE, 2))
            assert list(codes) == [code] and codes[code] > SHARE, codes


# A process that opens so many connections, says the same on each, and reads nothing until it is told to end.
HOLDER = """
import socket, sys
address, count, data = sys.argv[1], int(sys.argv[2]), bytes.fromhex(sys.stdin.readline())
unix = address.startswith("unix:")
peers = [socket.socket(socket.AF_UNIX if unix else socket.AF_INET) for _ in range(count)]
for peer in peers:
    peer.connect(address[5:] if unix else ("127.0.0.1", int(address.rsplit(":", 1)[1])))
    peer.setblocking(False)
    left = data
    try:
        while left:
            left = left[peer.send(left):]
    except BlockingIOError:
        pass
print("sent", flush=True)
sys.stdin.read()
"""


@contextlib.contextmanager
def holders(address, processes, connections, data, **settings):
    """Other processes, with so many connections each on which all of `data` was said that fits."""
    started = [subprocess.Popen([sys.executable, "-c", HOLDER, address, str(connections)], text=True,
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, **settings) for _ in range(processes)]
    try:
        for one in started:
            one.stdin.write(data.hex() + "\n")
            one.stdin.flush()
        for one in started:
            assert one.stdout.readline() == "sent\n"
        yield
    finally:
        for one in started:
            one.communicate(timeout=WAIT)


def half(path, count):
    """Calls of whose request a part comes."""
    return b"".join(frame(1, 4, 2 * i + 1, headers(path)) + frame(0, 0, 2 * i + 1, bytes(3)) for i in range(count))


def is_cut_of(it):
    return any("was cut" in line for line in it.lines)


def test_a_client_has_a_quarter_of_all_watchers_whatever_connections_it_has():
    with Server(PROGRAM) as it, holders(it.address, 1, 3, PREFACE + calls(WATCH, 85)), channel_to(it) as channel:
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        own = [watch(b"", timeout=WAIT) for _ in range(90)]
        assert all(next(one) == b"\x08\x01" for one in own)
        assert not is_cut_of(it), it.lines
        with holders(it.address, 1, 4, PREFACE + calls(WATCH, 90)):
            await_(lambda: is_cut_of(it))
            assert all(is_healthy(it) for _ in range(20))


def test_who_finds_that_others_have_all_is_neither_cut_nor_banned():
    """Watchers, and requests that do not come: five processes want all of them, each its part."""
    for wanted, path, code in ((calls(WATCH, 65), "Watch", "RESOURCE_EXHAUSTED"), (half(CHECK, 65), "Check", "RESOURCE_EXHAUSTED")):
        with Server(PROGRAM) as it, channel_to(it) as channel:
            method = channel.unary_stream(f"/grpc.health.v1.Health/{path}")
            assert next(method(b"", timeout=WAIT)) == b"\x08\x01"
            with holders(it.address, 5, 4, PREFACE + wanted):
                own = []  # or the place that one had would be free again

                def ended():
                    own.append(method(b"", timeout=WAIT))
                    return status_of(lambda: next(own[-1]))[0]
                await_(lambda: ended() == code)
                codes = [ended() for _ in range(30)]
                assert codes.count(code) > 20 and set(codes) <= {code, "OK"}, codes
            await_(lambda: status_of(lambda: next(method(b"", timeout=WAIT)))[0] == "OK")
            assert is_healthy(it) and not is_cut_of(it), it.lines


def test_streams_that_nobody_reads_do_not_end_the_server():
    """4,000 of them, by eight processes; what is over the bound is refused, and who wants more and more is cut."""
    with Server(PROGRAM) as it, holders(it.address, 8, 5, PREFACE + calls(STREAM, SHARE)):
        with Calls(200, 0.01):
            end = time.monotonic() + 3
            while time.monotonic() < end:
                assert is_healthy(it)
                time.sleep(0.1)
        assert not it.said("has died"), it.lines


def test_a_second_request_is_waited_for_as_the_first_is():
    """Of the one method that takes several: 10 s, within what there is for requests that do not come."""
    with Server(PROGRAM) as it, channel_to(it) as channel:
        ask, done = channel.stream_stream("/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"), threading.Event()

        def requests():
            yield b"\x3a\x00"  # list_services
            done.wait(WAIT)
        answers = ask(requests(), timeout=3 * WAIT)
        try:
            assert next(answers)
            begun = time.monotonic()
            assert status_of(lambda: next(answers))[0] == "DEADLINE_EXCEEDED"
            assert 8 < time.monotonic() - begun < 15
        finally:
            done.set()


def test_handshakes_that_do_not_come_end_no_server_and_keep_nobody_out():
    """2,500 connections to TLS that say nothing: none of them has a certificate, or shows it."""
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}", settings=files.settings()) as it, \
            holders(it.address, 5, 500, b""):
        for _ in range(10):
            with channel_to(it, files.credentials()) as channel:
                assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WAIT) == b"\x08\x01"
        assert not it.said("has died"), it.lines


# Clients that are nobody to the kernel.
STRANGER = """
import socket, sys
data, path = bytes.fromhex(sys.argv[2]), sys.argv[1]
peers = [socket.socket(socket.AF_UNIX) for _ in range(40)]
for peer in peers:
    peer.connect(path)
    peer.sendall(data)
print("sent", flush=True)
sys.stdin.read()
"""


def test_who_may_change_nothing_takes_no_turn_from_who_may():
    """400 wishes at once: twice of what is looked at in a second."""
    wish = b"\x0a\x10process_mrelease"
    with Server(PROGRAM, settings=",group=daemon") as it:
        os.chmod(it.directory, 0o755)
        strange = subprocess.Popen([sys.executable, "-c", STRANGER, it.path, (PREFACE + calls(CHANGE, 10, wish)).hex()],
                                   stdin=subprocess.PIPE, stdout=subprocess.PIPE, user=65534, group=1, extra_groups=[])
        try:
            assert strange.stdout.readline() == b"sent\n"
            with channel_to(it) as channel:
                change = channel.unary_unary("/tracee.v1beta1.TraceeService/EnableEvent")
                for _ in range(20):
                    assert status_of(lambda: change(wish, timeout=WAIT))[0] == "OK", it.lines[-20:]
            await_(lambda: it.said("a client, user 65534"))
        finally:
            strange.communicate(timeout=WAIT)
        assert it.said("only root"), it.lines[-20:]


def test_what_was_sent_to_one_that_died_does_not_end_the_next():
    """The socket outlives the program, and so do the bytes of who connected meanwhile, and left or waits."""
    pings = PREFACE + frame(6, 0, 0, bytes(8)) * 300000
    for address, stays in itertools.product((None, f"tcp:127.0.0.1:{free_port()}"), (False, True)):
        with Server(PROGRAM, address=address) as it:
            stopped = it.side()
            os.kill(stopped, signal.SIGSTOP)
            with contextlib.ExitStack() as held:
                held.enter_context(holders(it.address, 1, 40, pings))
                if not stays:
                    held.close()
                os.kill(stopped, signal.SIGKILL)
                await_(lambda: it.said("has died"))
                most, end = 0, time.monotonic() + 2
                while time.monotonic() < end:
                    with contextlib.suppress(OSError, RuntimeError, StopIteration):
                        most = max(most, anonymous_kib(it.side(0.1)))
                assert sum("has died" in line for line in it.lines) == 1, it.lines
                assert it.is_sanitized or most < 64 << 10, most  # of TCP, more is in the peer's buffer
            assert is_healthy(it)


if __name__ == "__main__":
    tap.run(globals(), PROGRAM)
