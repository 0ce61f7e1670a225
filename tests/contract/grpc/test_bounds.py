#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Clients that take more than their share: they are cut, and nobody else waits for them.

usage: test_bounds.py PROGRAM
"""
import asyncio
import collections
import contextlib
import os
import signal
import subprocess
import sys
import time

import grpc

import tap
from attacks import PREFACE, WATCH, headers
from server import WAIT, Server, anonymous_kib, await_, channel_to, frame, free_port, status_of

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
SHARE = 100  # calls of a connection
WATCHERS = 1024  # of health, in all
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


async def ask_on(address, count, seconds):
    """So many questions under way on one connection, each followed by the next: how they ended."""
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
        method = channel.unary_stream("/mrelease.v1.MetricsService/GetMetrics")
        await asyncio.gather(*[ask(method) for _ in range(count)])
    return codes


@tap.alone
def test_who_always_has_its_share_under_way_is_served():
    """A client begins the next call as soon as it knows of an end."""
    with Server(PROGRAM) as it:
        codes = asyncio.run(ask_on(it.address, SHARE, 3))
        assert list(codes) == ["OK"] and codes["OK"] > SHARE, codes


def test_watchers_of_all_places_shut_no_door():
    """Who comes then is refused that, and nothing else."""
    with Server(PROGRAM) as it, contextlib.ExitStack() as stack:
        for first in range(0, WATCHERS, SHARE):
            peer = stack.enter_context(contextlib.closing(it.connect()))
            peer.sendall(PREFACE + calls(WATCH, min(SHARE, WATCHERS - first)))
        with channel_to(it) as channel:
            watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
            held = []  # or the place that one had would be free again

            def is_refused():
                held.append(watch(b"", timeout=WAIT))
                return status_of(lambda: next(held[-1]))[0] == "RESOURCE_EXHAUSTED"
            await_(is_refused)
        for _ in range(20):
            assert is_healthy(it)


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


def leave_pings(it):
    """Connects, sends all that fits, and leaves."""
    with contextlib.closing(it.connect()) as peer, contextlib.suppress(BlockingIOError):
        peer.setblocking(False)
        left = PREFACE + frame(6, 0, 0, bytes(8)) * 300000
        while left:
            left = left[peer.send(left):]


def test_what_was_sent_to_one_that_died_does_not_end_the_next():
    """The socket outlives the program, and so do the bytes of who connected meanwhile."""
    for address in None, f"tcp:127.0.0.1:{free_port()}":
        with Server(PROGRAM, address=address) as it:
            stopped = it.side()
            os.kill(stopped, signal.SIGSTOP)
            for _ in range(40):
                leave_pings(it)
            os.kill(stopped, signal.SIGKILL)
            await_(lambda: it.said("has died"))
            most, end = 0, time.monotonic() + 2
            while time.monotonic() < end:
                with contextlib.suppress(OSError, RuntimeError, StopIteration):
                    most = max(most, anonymous_kib(it.side(0.1)))
            assert sum("has died" in line for line in it.lines) == 1, it.lines
            assert it.is_sanitized or address or most < 32 << 10, most  # of TCP, more is in the peer's buffer
            assert is_healthy(it)


if __name__ == "__main__":
    tap.run(globals(), PROGRAM)
