#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs stream, metrics and health, against servers that are not ours.

usage: test_other_servers.py MRELEASE

They are Python's: one that sends what Tracee sends, and some that send what nobody should. Prints TAP.
"""
import json
import os
import signal
import socket
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc

import server
import tap
from client import Client, verb
from server import WAIT, frame, literal

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)


class Other:
    """A server of Python's that answers StreamEvents, or another method, by `act(request, context)`, with bytes."""

    def __init__(self, act, service="TraceeService", method="StreamEvents", address=None):
        self.room = tempfile.TemporaryDirectory(prefix="mrelease-grpc.")
        self.address = address or "unix:" + os.path.join(self.room.name, "s")
        self.server = grpc.server(futures.ThreadPoolExecutor(8))
        handler = grpc.unary_stream_rpc_method_handler(act)
        self.server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(
            "tracee.v1beta1." + service, {method: handler}),))
        self.server.add_insecure_port(self.address)
        self.server.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.server.stop(0).wait()
        self.room.cleanup()


def response(**fields):
    return tracee_pb2.StreamEventsResponse(event=event_pb2.Event(**fields))


def test_events_of_tracee_are_shown():
    from google.protobuf.struct_pb2 import Struct
    value = Struct()
    value.update({"flags": ["O_RDONLY", 1.5, None, {"deep": True}]})
    odd = response(name="openat", id=257, policies=event_pb2.Policies(matched=["p1", "p2"]))
    odd.event.data.add(name="struct").struct.CopyFrom(value)
    odd.event.data.add(name="none")
    odd.event.data.add(name="raw").bytes = b"\x00\xff"
    odd.event.workload.k8s.pod.labels["app"] = "x"
    odd.event.threat.severity = event_pb2.HIGH
    odd.event.detected_from.name = "base"
    ours = response(name="process_mrelease", id=360)
    ours.event.data.add(name="pidfd").int32 = -1
    ours.event.data.add(name="returnValue").int64 = -9

    def act(request, context):
        assert tracee_pb2.StreamEventsRequest.FromString(request).policies == ["p1"]
        yield odd.SerializeToString()
        yield ours.SerializeToString()
        yield b""  # a response without an event
    with Other(act) as it:
        status, got, said = Client(it.address, "--count", "2", "--policy", "p1").end()
        assert status == 0 and len(got) == 2, (got, said)
        assert json.loads(got[0]) == {
            "id": 257, "name": "openat", "policies": {"matched": ["p1", "p2"]},
            "workload": {"k8s": {"pod": {"labels": {"app": "x"}}}},
            "data": [{"name": "struct", "struct": {"flags": ["O_RDONLY", 1.5, None, {"deep": True}]}},
                     {"name": "none", "value": None}, {"name": "raw", "bytes": "00ff"}],
            "threat": {"severity": "HIGH"}, "detected_from": {"name": "base"}}, got[0]
        status, got, said = Client(it.address, "--count", "1", "--policy", "p1", "--format", "table").end()
        assert status == 0 and len(got) == 2 and "process_mrelease" in got[1], (got, said)
        assert "'openat' is none of mrelease's" in said and "1 events of other kinds" in said, said


COMMON = literal(b":status", b"200") + literal(b"content-type", b"application/grpc")
HEADERS = frame(1, 4, 1, COMMON)
TRAILERS = frame(1, 5, 1, COMMON + literal(b"grpc-status", b"0"))  # alone: an end with OK


def answer_by_hand(listener, pause, answer):
    """Takes a connection, and after the request and a pause answers the first call on it."""
    peer = listener.accept()[0]
    peer.settimeout(WAIT)
    peer.sendall(frame(4, 0, 0, b""))
    got = b""
    while b"StreamEvents" not in got:
        got += peer.recv(65536)
    time.sleep(pause)
    peer.sendall(answer)
    return peer


def test_it_goes_on_where_a_server_ends_before_its_first_event():
    """Tracee sends no headers before that. The gap lasts from the old stream's end to the new request."""
    def seconds(line):
        return float(line.split(" after ")[1].split(" s")[0])

    def late(request, context):
        time.sleep(2)
        yield response(name="openat", id=257).SerializeToString()

    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory, socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.join(directory, "s"))
        listener.listen()
        listener.settimeout(WAIT)
        client = Client("unix:" + os.path.join(directory, "s"), "--count", "1")
        first = answer_by_hand(listener, 0.5, TRAILERS)
        client.await_line("the stream ended: trying again")
        ended = time.monotonic()
        again = answer_by_hand(listener, 0, b"")
        event = response(name="openat", id=257).SerializeToString()
        message = HEADERS + frame(0, 0, 1, b"\x00" + len(event).to_bytes(4, "big") + event)
        threading.Timer(2, again.sendall, [message]).start()
        line = client.await_line("connected again")
        assert time.monotonic() - ended < 1.5 and seconds(line) < 1.5, line
        status, got, said = client.end()
        assert status == 0 and len(got) == 1, (got, said)
        first.close()
        again.close()
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        address = "unix:" + os.path.join(directory, "s")
        with Other(lambda *_: (time.sleep(2) for _ in range(1)), address=address):
            client = Client(address, "--count", "1")
            client.await_line("connected to")
        gone = time.monotonic()
        client.await_line("trying again")
        time.sleep(1)
        with Other(late, address=address):
            line = client.await_line("connected again")
            assert 0.8 < seconds(line) < time.monotonic() - gone + 0.5, line
            status, got, said = client.end()
        assert status == 0 and len(got) == 1, (got, said)


def deep(levels):
    from google.protobuf.struct_pb2 import Value
    value = Value(number_value=1)
    for _ in range(levels):
        outer = Value()
        outer.list_value.values.add().CopyFrom(value)
        value = outer
    event = response(name="openat")
    event.event.data.add(name="deep").struct.fields["x"].CopyFrom(value)
    return event.SerializeToString()


def test_metrics_of_tracee_are_shown():
    """Which has its own counters alone; a name in them steers no terminal."""
    stats = diagnostic_pb2.BPFEventStats(name="mlock\x1b[2J\u009b31m", attempts=3, failures=1)
    answer = diagnostic_pb2.GetMetricsResponse(EventCount=12, LostEvCount=5, BPFEventStats=[stats])
    with Other(lambda *_: iter([answer.SerializeToString()]), "DiagnosticService", "GetMetrics") as it:
        status, table, said = verb("metrics", "--server", it.address)
        assert status == 0 and not said and "LostEvCount        5\n" in table, (table, said)
        assert "mlock?[2J??31m" in table and "mrelease" not in table, table
        numbers = json.loads(verb("metrics", "--server", it.address, "--format", "json")[1])
        assert numbers["EventCount"] == 12 and "metrics" not in numbers, numbers


def test_what_is_no_event_ends_it_with_a_line():
    bad = {"torn": b"\x0a\x05\x1a", "group": b"\x0b\x0c", "deep": deep(40), "endless": b"\x0a\x04\x2a\xff\xff\x01"}
    for name, message in bad.items():
        with Other(lambda request, context, message=message: iter([message])) as it:
            status, got, said = Client(it.address).end()
            assert status == 1 and not got and "what is no answer" in said, (name, status, got, said)
    with Other(lambda request, context: iter([deep(10)])) as it:
        assert Client(it.address, "--count", "1").end()[0] == 0
    with Other(lambda request, context: iter([b"\x0a\x00" + b"\x12" * (2 << 20)])) as it:
        status, _, said = Client(it.address).end()
        assert status == 1 and "larger than max" in said, said


def test_a_status_is_an_error_and_silence_can_be_left():
    def refuse(request, context):
        context.abort(grpc.StatusCode.NOT_FOUND, "policy none.such not found")
        yield b""

    def wait(request, context):
        context.send_initial_metadata(())
        time.sleep(3)
        yield b""
    with Other(refuse) as it:
        status, _, said = Client(it.address).end()
        assert status == 1 and "policy none.such not found" in said, said
    evil = response(name="\x1b]0;owned\x07evil")
    with Other(lambda request, context: iter([evil.SerializeToString()])) as it:
        client = Client(it.address, "--format", "table")
        line = client.await_line("is none of mrelease")
        client.process.terminate()
        client.end()
        assert "\x1b" not in line and "?]0;owned?evil" in line, line
    with Other(wait) as it:
        client = Client(it.address)
        client.await_line("connected to")
        start = time.monotonic()
        client.process.send_signal(signal.SIGTERM)
        status, _, said = client.end()
        assert status == 0 and time.monotonic() - start < 2, said


def test_garbage_in_place_of_a_server():
    for answer in (b"HTTP/1.1 400 Bad Request\r\n\r\n", os.urandom(4096), b""):
        with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory, \
                socket.socket(socket.AF_UNIX) as listener:
            path = os.path.join(directory, "s")
            listener.bind(path)
            listener.listen()
            client = Client("unix:" + path)
            peer = listener.accept()[0]
            peer.sendall(answer)
            time.sleep(0.2)
            peer.close()
            listener.close()
            os.unlink(path)
            status, got, said = client.end(40)
            assert status == 1 and not got and said, (answer, said)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        from tracee.v1beta1 import diagnostic_pb2, event_pb2, tracee_pb2
        tap.run(globals(), PROGRAM)
