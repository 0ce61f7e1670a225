#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The verbs stream, metrics and health, against our server and against servers that are not ours.

usage: test_client.py MRELEASE

The others are Python's: one that sends what Tracee sends, and some that send what nobody should.
Prints TAP.
"""
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from concurrent import futures

import grpc

import server
import tap
from certificates import Certificates
from server import Server, call, frame, literal, subscribed

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
WAIT = 20


class Client:
    """A running `mrelease stream`."""

    def __init__(self, address, *arguments, stdout=subprocess.PIPE):
        self.process = subprocess.Popen([PROGRAM, "stream", "--server", address, *arguments], stdout=stdout,
                                        stderr=subprocess.PIPE, text=True)

    def end(self, seconds=WAIT):
        """Status, lines, and what it said."""
        try:
            out, err = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise RuntimeError("it does not end: " + str(self.process.communicate())) from None
        if "Sanitizer" in err:
            raise RuntimeError(err)
        return self.process.returncode, (out or "").splitlines(), err

    def await_line(self, text):
        """Reads what it says up to a line."""
        said = [""]
        while text not in said[-1]:
            said.append(self.process.stderr.readline())
            assert said[-1], (text, said)
        return said[-1]


def verb(*arguments):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=WAIT)
    assert "Sanitizer" not in done.stderr, done.stderr
    return done.returncode, done.stdout, done.stderr


# -- our server ------------------------------------------------------------------------------------

def test_lines_are_those_of_run_byte_by_byte():
    with tempfile.NamedTemporaryFile(prefix="mrelease-lines.") as lines, \
            Server(PROGRAM, "--output", "json-v1beta1:" + lines.name, "--events", "default,mlock*",
                   format="grpc-main") as it:
        clients = [Client(it.address, "--count", "30") for _ in range(3)]
        for client in clients:
            client.await_line("connected to")
        subscribed(it, 3)
        for number in range(15):
            call(-1000 - number)
            server.libc.syscall(149, 4096 * number, 2**63)
        for client in clients:
            status, got, said = client.end()
            assert status == 0, said
            time.sleep(0.3)
            with open(lines.name, encoding="utf-8") as file:
                assert got == file.read().splitlines(), said


def test_every_format_of_run_is_there():
    with Server(PROGRAM) as it:
        formats = {"json": "eventName", "json-v0.23": "eventName", "json-v0.24": "eventName",
                   "json-v1beta1": "u_int32", "table": " root ", "none": None}
        clients = {name: Client(it.address, "--count", "2", "--format", name) for name in formats}
        masked = Client(it.address, "--count", "2", "--mask", "name,workload.process.pid")
        for client in [*clients.values(), masked]:
            client.await_line("connected to")
        subscribed(it, len(clients) + 1)
        call(-11)
        call(-12)
        for name, word in formats.items():
            status, got, said = clients[name].end()
            assert status == 0 and (not word or sum(word in line for line in got) == 2), (name, got, said)
        status, got, said = masked.end()
        assert [json.loads(line) for line in got] == [
            {"name": "process_mrelease", "workload": {"process": {"pid": os.getpid()}}}] * 2, (got, said)


def test_it_goes_on_over_restarts():
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        address = "unix:" + os.path.join(directory, "s")
        client = Client(address, "--wait")
        client.await_line("trying again")
        for number in range(3):
            with Server(PROGRAM, address=address):
                line = client.await_line("connected")
                if number:
                    away = float(line.split(" after ")[1].split(" s")[0])
                    assert away <= time.monotonic() - lost + 0.5 and "not shown" in line, line
                subscribed(None, 1)
                call(-21 - number)
            client.await_line("trying again")
            lost = time.monotonic() - 1
        client.process.send_signal(signal.SIGTERM)
        status, got, said = client.end()
    assert status == 0 and [json.loads(line)["data"][0]["int32"] for line in got] == [-21, -22, -23], (got, said)


def test_tls_and_certificates():
    with Certificates() as files, Server(PROGRAM, address=f"tcp:127.0.0.1:{server.free_port()}",
                                         settings=files.settings()) as it:
        known = ("--ca", files["ca.pem"], "--cert", files["client.pem"], "--key", files["client.key"])
        client = Client(it.address, "--count", "1", *known)
        client.await_line("connected to")
        subscribed(it, 1)
        call(-31)
        status, got, said = client.end()
        assert status == 0 and "-31" in got[0], said
        assert verb("health", "--server", it.address, *known)[:2] == (0, "SERVING\n")
        for arguments, words in (((), "Socket closed"), (("--ca", files["ca.pem"]), "certificate required"),
                                 (("--ca", files["foreign.pem"], *known[2:]), "certificate verify failed"),
                                 (("--ca", files["none.pem"]), "none.pem: No such file"),
                                 (("--ca", files["ca.key"]), "ca.key: no certificate"),
                                 (("--ca", files["ca.pem"], "--cert", files["late.pem"], "--key", files["late.key"]),
                                  "late.pem: the certificate has expired")):
            status, _, said = verb("stream", "--server", it.address, *arguments)
            assert status == 1 and words in said, (arguments, said)
        for arguments, words in ((known[2:], "--cert wants --ca"), (known[:4], "come together")):
            status, _, said = verb("stream", "--server", it.address, *arguments)
            assert status == 2 and words in said, said


def test_metrics_and_health_print_and_tell_by_status():
    with Server(PROGRAM) as it:
        call(count=7)
        time.sleep(0.3)
        status, table, said = verb("metrics", "--server", it.address)
        assert status == 0 and "EventCount         7" in table and "LostEvCount        0" in table, (table, said)
        numbers = json.loads(verb("metrics", "--server", it.address, "--format", "json")[1])
        assert numbers["EventCount"] == 7 and numbers["LostEvCount"] == 0, numbers
        assert verb("health", "--server", it.address)[:2] == (0, "SERVING\n")
        status, _, said = verb("health", "--server", it.address, "--service", "none.such")
        assert status == 1 and said, said
        watcher = subprocess.Popen([PROGRAM, "health", "--watch", "--server", it.address],
                                   stdout=subprocess.PIPE, text=True)
        assert watcher.stdout.readline() == "SERVING\n"
        watcher.send_signal(signal.SIGINT)
        assert watcher.wait(WAIT) == 0
        watcher.stdout.close()
    for name in ("metrics", "health", "stream"):
        status, out, said = verb(name, "--server", it.address)
        assert status == 1 and not out and "No such file" in said, (name, said)


def test_what_an_output_drops_is_told_per_event_and_cause_while_it_drops():
    """Nobody reads the FIFO. The probes lose nothing, and the server serves: a restart would help nobody."""
    with tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        path = os.path.join(directory, "fifo")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        stuck = "json,policy=drop-oldest,queue=32K:" + path
        beside = "json,queue=64M:/dev/null"  # room for all, however late its thread
        with Server(PROGRAM, "--output", stuck, "--output", beside, status=1) as it:
            def ask():
                status, text, said = verb("metrics", "--server", it.address, "--format", "json")
                assert status == 0, said
                return json.loads(text)

            def value(metrics, name, **labels):
                found = [row["value"] for row in metrics["metrics"]
                         if row["name"] == f"mrelease_{name}_total" and row["labels"] == labels]
                assert len(found) == 1, (name, labels, metrics)
                return found[0]

            def dropped(metrics, output, cause="queue_full"):
                return value(metrics, "output_dropped", output=output, event="process_mrelease", cause=cause)

            start = ask()
            assert dropped(start, stuck) == 0, start  # a row is there before it counts
            assert not any(row["value"] for row in start["metrics"] if "cause" in row["labels"]), start
            call(count=5000)
            deadline, before, now = time.monotonic() + 20, start, ask()
            while (before != now or now["EventCount"] < 5000) and time.monotonic() < deadline:
                time.sleep(0.1)
                before, now = now, ask()
            assert dropped(now, stuck) > 1000 and dropped(now, stuck, "write_failed") == 0, now
            assert dropped(now, beside) == 0, now
            assert value(now, "events_read", event="process_mrelease") == 5000 == now["EventCount"], now
            assert now["LostEvCount"] == 0, now
            table = verb("metrics", "--server", it.address)[1]
            assert (f'mrelease_output_dropped_total{{output="{stuck}",event="process_mrelease",cause="queue_full"}} '
                    f'{dropped(now, stuck)}\n') in table, table
            assert verb("health", "--server", it.address)[:2] == (0, "SERVING\n")
            it.process.send_signal(signal.SIGUSR1)
            it.wait_for(f"{dropped(now, stuck)} dropped")
            it.process.send_signal(signal.SIGUSR2)
            os.close(reader)  # and the end waits for nobody


def test_servers_that_are_silent_are_not_waited_for():
    with Server(PROGRAM) as it:
        os.kill(it.side(), signal.SIGSTOP)
        try:
            for name in ("health", "metrics"):
                start = time.monotonic()
                status, out, said = verb(name, "--server", it.address, "--timeout", "700ms")
                assert status == 1 and not out and "Deadline" in said, (name, said)
                assert 0.6 < time.monotonic() - start < 5
        finally:
            os.kill(it.side(), signal.SIGCONT)


def test_a_watcher_is_told_of_the_end():
    with Server(PROGRAM) as it:
        watcher = subprocess.Popen([PROGRAM, "health", "--watch", "--server", it.address],
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        assert watcher.stdout.readline() == "SERVING\n"
        assert it.stop() < (10 if it.is_sanitized else 0.8)
        out, said = watcher.communicate(timeout=WAIT)
        assert watcher.returncode == 1 and "the server ends" in said, said


def test_a_signal_ends_it_also_where_nobody_reads():
    with Server(PROGRAM) as it:
        reader, writer = os.pipe()
        client = Client(it.address, stdout=writer)
        os.close(writer)
        client.await_line("connected to")
        subscribed(it, 1)
        call(count=2000)
        time.sleep(1)
        client.process.send_signal(signal.SIGTERM)
        status, _, said = client.end()
        os.close(reader)
        assert status == 0, said


def test_wrong_words_are_named():
    for arguments, words in ((("stream", "--server", "udp:x"), "unix:PATH or tcp:HOST:PORT"),
                             (("stream", "--format", "jsn"), "'json'"), (("stream", "--maks", "x"), "mask"),
                             (("metrics", "--format", "xml"), "table"), (("stream", "more"), "more"),
                             (("strem",), "'stream'"), (("stream", "--ca", "x", "--server", "unix:/x"), "TLS")):
        status, _, said = verb(*arguments)
        assert status == 2 and words in said, (arguments, said)
    for arguments, words in ((("--server", "tcp:nothing"), "tcp:HOST:PORT"), (("--server", "tcp:localhost:"), "65535"),
                             (("--server", "unix:" + "x" * 200), "a path of"),
                             (("--mask", "name,wrkload.process"), "'workload'"),
                             (("--mask", "workload.process.pit"), "'pid'")):
        status, _, said = verb("stream", *arguments)
        assert status == 1 and words in said and said.count("\n") == 1, (arguments, said)


def test_who_cannot_write_says_so():
    with Server(PROGRAM) as it:
        reader, writer = os.pipe()
        client = Client(it.address, stdout=writer)
        os.close(writer)
        client.await_line("connected to")
        subscribed(it, 1)
        os.close(reader)
        call()
        status, _, said = client.end()
        assert status == 1 and "standard output takes nothing" in said, said
        with open("/dev/full", "w", encoding="ascii") as full:
            client = Client(it.address, stdout=full)
            client.await_line("connected to")
            subscribed(it, 1)
            call()
            status, _, said = client.end()
        assert status == 1 and "standard output takes nothing" in said, said


@tap.beside
def test_a_reader_that_pauses_loses_nothing_unsaid():
    with Server(PROGRAM) as it:
        client = Client(it.address)
        client.await_line("connected to")
        subscribed(it, 1)
        call(count=50000)
        time.sleep(9)  # longer than keepalive, and than a socket may stay full
        shown = missing = 0
        while shown + missing < 50000:
            event = json.loads(client.process.stdout.readline())
            if event["name"] == "events_lost":
                missing += sum(int(datum["u_int64"]) for datum in event["data"] if datum["name"] == "count")
            else:
                shown += 1
        client.process.send_signal(signal.SIGTERM)
        status, _, said = client.end()
        assert status == 0 and "again" not in said and shown + missing == 50000 and missing, (shown, missing, said)


# -- servers that are not ours ---------------------------------------------------------------------

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
