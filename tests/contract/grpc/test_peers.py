#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The gRPC server, held against peers that do what no client does, and clients at its end.

usage: test_peers.py MRELEASE

Real calls on this kernel, and stubs made from proto/. Prints TAP.
"""
import concurrent.futures
import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time

import grpc

import server
import tap
from server import (STREAM, WAIT, Calls, FrameReader, Server, await_, call, channel_to, frame, free_port,
                    open_stream, pidfd_of, request, stub, subscribed)

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
CAPTURE = os.path.join(server.ROOT, "tests/contract/falco/captures/daemon_reaps.cap")  # of two events


def test_connections_are_bounded_by_descriptors():
    import resource
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    def limits(now, most):
        return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (now, most))
    for now, most, clients, are_full in ((128, hard, 500, False), (300, 400, 100, True)):
        with Server(PROGRAM, preexec_fn=limits(now, most)) as it, channel_to(it) as channel:
            stream = open_stream(channel)
            subscribed(it, 1)
            peers = [it.connect() for _ in range(clients)]
            time.sleep(0.5)
            assert it.said("more are refused") == are_full, it.lines
            call(-8)
            assert pidfd_of(next(stream)) == -8
            for peer in peers:
                peer.close()


def test_garbage_is_cut_and_harms_nobody():
    garbage = [os.urandom(4096), b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
               b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + os.urandom(4096),
               request(STREAM, b"")[:70] + os.urandom(200),
               request(STREAM, b"") + frame(0, 1, 1, b"\x00" * 10000), b"", b"P"]
    with Server(PROGRAM) as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        before = it.descriptors()
        for data in garbage:
            peer = it.connect()
            peer.sendall(data)
            peer.settimeout(0.2)
            try:
                while peer.recv(65536):
                    pass
            except OSError:
                pass
            peer.close()
        call(-7)
        assert pidfd_of(next(stream)) == -7
        await_(lambda: it.descriptors() <= before)


def test_killed_clients_are_freed_at_once():
    code = ("import sys;sys.path[:0]=%r;import grpc;from tracee.v1beta1 import tracee_pb2 as p, tracee_pb2_grpc as g;"
            "c=grpc.insecure_channel(sys.argv[1]);s=g.TraceeServiceStub(c).StreamEvents(p.StreamEventsRequest());"
            "next(s);print('got',flush=True);[0 for _ in s]" % (sys.path[:2],))
    with Server(PROGRAM) as it:
        before = it.descriptors()
        clients = [subprocess.Popen([sys.executable, "-c", code, it.address], stdout=subprocess.PIPE)
                   for _ in range(4)]
        with Calls(1, 0.05):  # until each is there
            for client in clients:
                assert client.stdout.readline() == b"got\n"
        assert it.descriptors() > before
        for client in clients:
            client.kill()
            client.wait()
        gone = time.monotonic()
        await_(lambda: it.descriptors() <= before, 1)
        took = time.monotonic() - gone
        assert it.is_sanitized or took < 0.1, took


def frozen_clients_are_freed(address):
    with Server(PROGRAM, address=address) as it:
        before = it.descriptors()
        clients = [subprocess.Popen([PROGRAM, "stream", "--server", it.address], stdout=subprocess.DEVNULL,
                                    stderr=subprocess.PIPE, text=True) for _ in range(3)]
        for client in clients:
            assert "connected" in client.stderr.readline()
        for client in clients:
            client.send_signal(signal.SIGSTOP)
        call(count=50000)  # two thirds of what a socket takes, and more
        await_(lambda: it.descriptors() <= before, 30)
        for client in clients:
            client.kill()
            client.communicate()


@tap.beside
def test_frozen_clients_are_freed_by_keepalive():
    frozen_clients_are_freed(None)


@tap.beside
def test_frozen_clients_on_tcp_are_freed_by_keepalive():
    frozen_clients_are_freed(f"tcp:127.0.0.1:{free_port()}")


@tap.alone
def test_one_busy_stream_starves_nobody():
    with Server(PROGRAM) as it:
        busy = [subprocess.Popen([PROGRAM, "stream", "--format", "none", "--server", it.address],
                                 stderr=subprocess.DEVNULL) for _ in range(2)]
        worst = 0
        with Calls():
            time.sleep(1)
            for _ in range(20):
                with channel_to(it) as channel:
                    start = time.monotonic()
                    assert channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WAIT) == b"\x08\x01"
                    worst = max(worst, time.monotonic() - start)
        for process in busy:
            process.kill()
            process.wait()
        print(f"# slowest answer to a new connection: {worst * 1000:.0f} ms")
        assert it.is_sanitized or worst < 2, worst


def flood(seconds):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        call(count=2000)


@tap.alone
def test_a_thousand_that_do_not_read_cost_only_themselves():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        before, descriptors = it.memory_kib(), it.descriptors()
        peers = []
        for number in range(1000):
            peer = it.connect()
            peer.sendall(request(STREAM, b"", 65535 if number % 10 else (1 << 31) - 1))
            peers.append(peer)
        time.sleep(1)
        idle = it.memory_kib()
        stream = open_stream(channel)
        subscribed(it, 1)
        seen = []

        def read():
            try:
                for response in stream:
                    name = response.event.name
                    seen.append(pidfd_of(response) if name == "process_mrelease" else name)
            except grpc.RpcError:
                pass  # the server ends
        threading.Thread(target=read, daemon=True).start()
        for number in range(3000):
            call(-1 - number)
            if number % 10 == 9:
                time.sleep(0.01)
            await_(lambda: number - len(seen) < 1000, 60)  # the backlog holds them, however busy the machine is
        await_(lambda: len(seen) >= 3000, 60)
        full = it.memory_kib()
        assert seen[:3000] == [-1 - number for number in range(3000)], "a gap, or disorder"
        print(f"# KiB a client: {(idle - before) / 1000:.1f} idle, {(full - before) / 1000:.1f} without reading")
        if not it.is_sanitized:
            assert idle - before < 48 * 1000 and full - before < 128 * 1000, (before, idle, full)
        for peer in peers:
            peer.close()
        await_(lambda: it.descriptors() <= descriptors + 4)
        took = it.stop()
    assert took < (10 if it.is_sanitized else 2), took


def test_who_reads_late_is_told_what_is_missing():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        call(count=100000)
        time.sleep(0.5)
        counts = {"process_mrelease": 0, "missing": 0}
        while counts["process_mrelease"] + counts["missing"] < 100000:
            event = next(stream).event
            if event.name == "events_lost":
                counts["missing"] += next(v.u_int64 for v in event.data if v.name == "count")
            else:
                counts[event.name] += 1
        assert counts["process_mrelease"] + counts["missing"] == 100000 and counts["missing"], counts


@tap.alone
def test_what_is_there_at_the_end_is_sent_or_said():
    """Clients that read get all of it; of one that does not, the log says how many it did not get."""
    def accounted(path):
        with open(path, encoding="utf-8") as file:
            events = [json.loads(line) for line in file]
        return sum(sum(int(datum["u_int64"]) for datum in event["data"] if datum["name"] == "count")
                   if event["name"] == "events_lost" else 1 for event in events)
    for calls in (2000, 6000):
        with Server(PROGRAM, "--count", str(calls), "--output", "none",
                    settings=",queue=16M") as it:
            paths = [os.path.join(it.directory, name) for name in "abc"]
            clients = [subprocess.Popen([PROGRAM, "stream", "--server", it.address], stdout=open(path, "w"),
                                        stderr=subprocess.PIPE, text=True) for path in paths]
            for client in clients:
                assert "connected" in client.stderr.readline()
            time.sleep(0.2)
            call(count=calls)
            it.process.wait(WAIT)
            for client in clients:
                while "trying again" not in client.stderr.readline():
                    pass
                client.terminate()
                client.communicate(timeout=WAIT)
            got = [accounted(path) for path in paths]
            assert it.is_sanitized or got == [calls] * 3 or it.said("had read what was sent"), (got, it.lines)
    with Server(PROGRAM, "--output", "none") as it:
        peer = it.connect()
        peer.sendall(request(STREAM, b""))
        time.sleep(0.3)
        call(count=10000)
        time.sleep(0.3)
        it.stop()
        peer.close()
        assert it.said("events were not sent before the end"), it.lines
    # What core took at once, though its peer lets nothing through.
    with Server(PROGRAM, "--output", "none") as it:
        peer = it.connect()
        peer.sendall(request(STREAM, b"", 0))
        time.sleep(0.3)
        call(count=1)
        time.sleep(0.3)
        it.stop()
        peer.close()
        assert it.said("1 events were not sent"), it.lines
    # What waits in the socket of a peer that does not read.
    with Server(PROGRAM, "--output", "none") as it:
        peer = it.connect()
        peer.sendall(request(STREAM, b""))
        time.sleep(0.3)
        call(count=10)
        time.sleep(0.3)
        it.stop()
        peer.close()
        assert it.said("1 connections ended before their peers had read what was sent"), it.lines


@tap.beside
def test_a_slow_but_steady_reader_stays():
    """Its socket is as full at every look. On TCP the kernels hold megabytes, and the ping comes late."""
    with Server(PROGRAM) as it:
        peer = it.connect()
        peer.sendall(request(STREAM, b"", 2**31 - 1))
        peer.settimeout(WAIT)
        time.sleep(0.3)
        reader, end, got = FrameReader(peer), time.monotonic() + 14, 0
        with Calls(200, 0.01):
            while time.monotonic() < end:
                size = reader.read(20000)
                assert size, f"cut after {14 - end + time.monotonic():.1f} s, {got} bytes"
                got += size
                time.sleep(0.04)  # 500 kB/s of the 4 MB that come
        peer.close()
    assert got > (1000000 if it.is_sanitized else 3000000), got


def test_the_end_waits_for_nobody():
    with Server(PROGRAM) as it:
        peers = [it.connect() for _ in range(40)]
        for number, peer in enumerate(peers):
            peer.sendall(request(STREAM, b"", (1 << 31) - 1 if number % 2 else 65535))
        time.sleep(0.5)
        flood(1)
        took = it.stop()
        assert took < (10 if it.is_sanitized else 2), took
        for peer in peers:
            peer.close()


@tap.alone
def test_the_end_is_ok_for_whom_nothing_is_missing():
    """As Tracee ends a stream, so that traceectl ends with 0. Who did not get everything hears of an error."""
    with Server(PROGRAM, "--count", "1000") as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        call(count=1000)
        assert len(list(stream)) == 1000 and stream.code() == grpc.StatusCode.OK, stream.code()
        it.process.wait(WAIT)
    with Server(PROGRAM) as it:
        peer = it.connect()
        peer.settimeout(WAIT)
        peer.sendall(request(STREAM, b""))
        time.sleep(0.3)
        call(count=10000)
        time.sleep(0.3)
        it.stop()
        assert it.said("events were not sent before the end"), it.lines
        reader = FrameReader(peer)
        while reader.read(65536):
            pass
        assert b"grpc-status\x010" not in reader.trailers, reader.trailers
        peer.close()


def asks(channel):
    """What a replay says of itself: its health, and how many events."""
    metrics = diagnostic_pb2_grpc.DiagnosticServiceStub(channel).GetMetrics(
        diagnostic_pb2.GetMetricsRequest(), timeout=WAIT)
    list(channel.unary_stream("/mrelease.v1.MetricsService/GetMetrics")(b"", timeout=WAIT))
    return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WAIT), metrics.EventCount




def replay_slowly(during):
    """Replays a pipe, whose writer is slow: during(channel, process) before the first record, and until the last was told."""
    with open(CAPTURE, "rb") as file, tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        path = os.path.join(directory, "s")
        process = subprocess.Popen([PROGRAM, "replay", "-", "--output", "grpc:unix:" + path], stdin=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        try:
            await_(lambda: os.path.exists(path))
            with grpc.insecure_channel("unix:" + path) as channel:
                grpc.channel_ready_future(channel).result(WAIT)
                during(channel, process)
                process.stdin.write(file.read())
                process.stdin.flush()
                await_(lambda: asks(channel) == (b"\x08\x01", 2))
            said = process.communicate(timeout=WAIT)[1]
            assert process.returncode == 0 and b"2 published" in said, said
        finally:
            process.kill()
            process.communicate()


def test_a_replay_answers_before_its_first_record():
    def during(channel, process):
        time.sleep(0.5)
        process.send_signal(signal.SIGHUP)  # neither ends it
        process.send_signal(signal.SIGUSR1)
        assert asks(channel) == (b"\x08\x01", 0)
    replay_slowly(during)


def test_who_asks_all_the_time_holds_up_no_replay():
    """Also at the moment when it goes on from waiting for its capture."""
    for _ in range(3):
        done = threading.Event()

        def ask(channel):
            while not done.is_set():
                with contextlib.suppress(grpc.RpcError, ValueError):  # the channel is closed at the end
                    list(channel.unary_stream("/mrelease.v1.MetricsService/GetMetrics")(b"", timeout=WAIT))

        def during(channel, _):
            for _ in range(4):
                threading.Thread(target=ask, args=(channel,), daemon=True).start()
            time.sleep(0.2)
        try:
            replay_slowly(during)
        finally:
            done.set()


def test_who_reads_counters_all_the_time_takes_no_answer_from_others():
    """The main process answers 200 times a second; who comes then gets the last answer."""
    done, answers = threading.Event(), [0, 0]

    def ask(channel, who):
        read = channel.unary_stream("/mrelease.v1.MetricsService/GetMetrics")
        while not done.is_set():
            assert list(read(b"", timeout=WAIT))
            answers[who] += 1

    with Server(PROGRAM) as it, concurrent.futures.ThreadPoolExecutor(2) as pool:
        channels = channel_to(it), channel_to(it)
        both = [pool.submit(ask, channel, who) for who, channel in enumerate(channels)]
        time.sleep(2)
        done.set()
        for one in both:
            one.result(WAIT)  # with what was raised
    assert min(answers) > 10, answers


def test_clients_outlive_a_restart():
    first = Server(PROGRAM)
    address = first.address
    os.makedirs(first.directory, exist_ok=True)
    channel = channel_to(first)
    stream = open_stream(channel)
    subscribed(first, 1)
    call(-1)
    assert pidfd_of(next(stream)) == -1
    first.process.send_signal(signal.SIGINT)
    assert list(stream) == []  # it has everything
    first.process.wait(10)
    with Server(PROGRAM, address=address):
        stream = stub(channel).StreamEvents(tracee_pb2.StreamEventsRequest(), wait_for_ready=True, timeout=60)
        time.sleep(2)
        call(-2)
        assert pidfd_of(next(stream)) == -2
        channel.close()
    first.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        from tracee.v1beta1 import diagnostic_pb2, diagnostic_pb2_grpc, tracee_pb2, tracee_pb2_grpc
        tap.run(globals(), PROGRAM)
