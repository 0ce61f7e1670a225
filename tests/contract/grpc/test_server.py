#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The gRPC server, held against clients that are not ours: events and streams.

usage: test_server.py MRELEASE

Real calls on this kernel, read by python3-grpcio with stubs made from proto/. Prints TAP.
"""
import contextlib
import json
import os
import re
import signal
import sys
import tempfile
import threading
import time

import server
import tap
from server import (STREAM, WAIT, FrameReader, Server, await_, call, channel_to, open_stream, own_name, pidfd_of,
                    request, status_of, subscribed)

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)


def same_time(one, other):
    """Two writings of one time: with zeros at the end, or without."""
    return one.rstrip("Z").rstrip("0") == other.rstrip("Z").rstrip("0")


# -- events ----------------------------------------------------------------------------------------

def test_real_calls_arrive_with_every_field_right():
    from google.protobuf.json_format import MessageToDict
    lines = tempfile.NamedTemporaryFile(prefix="mrelease-lines.")
    with Server(PROGRAM, "--output", "json-v1beta1:" + lines.name) as it, channel_to(it) as channel:
        stream = open_stream(channel, policies=[""])
        subscribed(it, 1)
        call(-4711)
        event = MessageToDict(next(stream).event, preserving_proto_field_name=True)
        time.sleep(0.5)
        line = json.loads(open(lines.name, encoding="utf-8").readline())
    process, seen = line["workload"]["process"], event["workload"]["process"]
    assert event["name"] == "process_mrelease" == line["name"], event
    assert same_time(event["timestamp"], line["timestamp"]), (event, line)
    for key in ("host_pid", "pid", "unique_id"):
        assert seen[key] == process[key], key
    assert seen["host_pid"] == os.getpid()
    assert same_time(seen["thread"]["start_time"], process["thread"]["start_time"])
    for key in ("name", "host_tid", "tid", "syscall"):
        assert seen["thread"][key] == process["thread"][key], key
    assert event["data"][0] == {"name": "pidfd", "int32": -4711}
    assert event["data"][-1] == {"name": "returnValue", "int64": "-9"}, event["data"]
    assert event["policies"] == line["policies"]


def test_a_mask_leaves_other_clients_alone():
    from google.protobuf.field_mask_pb2 import FieldMask
    with Server(PROGRAM) as it, channel_to(it) as channel:
        whole = open_stream(channel)
        part = open_stream(channel, mask=FieldMask(paths=["name", "workload.process.pid", "none"]))
        subscribed(it, 2)
        call()
        event, masked = next(whole).event, next(part).event
    assert event.data and event.policies.matched
    assert masked.name == "process_mrelease" and masked.workload.process.pid.value == os.getpid()
    assert not masked.data and not masked.HasField("timestamp")


def test_a_hundred_clients_get_every_event_in_order():
    with Server(PROGRAM) as it:
        channels = [channel_to(it) for _ in range(100)]
        streams = [open_stream(channel) for channel in channels]
        subscribed(it, 100)
        for number in range(50):
            call(-1000 - number)
        for stream in streams:
            got = [pidfd_of(next(stream)) for _ in range(50)]
            assert got == [-1000 - number for number in range(50)], got
        for channel in channels:
            channel.close()


def test_who_names_sensor_state_gets_it_and_nobody_else():
    """A client's policies say what it gets; without any it gets the events, as from Tracee."""
    with Server(PROGRAM) as it, channel_to(it) as channel:
        wanted = {(): ["process_mrelease"] * 3, ("",): ["process_mrelease"] * 3, ("sensor_state",): ["sensor_state"],
                  ("", "sensor_state"): ["process_mrelease"] * 3 + ["sensor_state"]}
        streams = {policies: open_stream(channel, policies=list(policies)) for policies in wanted}
        subscribed(it, len(wanted))
        call(count=3)
        time.sleep(0.3)
        it.stop()
        for policies, names in wanted.items():
            got = []
            for response in streams[policies]:
                got.append(response.event)
            assert [event.name for event in got] == names, (policies, got)
            if names[-1] != "sensor_state":
                continue
            values = {datum.name: datum for datum in got[-1].data}
            assert values["what"].str == "stopped" and values["events_so_far"].u_int64 == 3, got[-1]
            assert re.fullmatch("run=[0-9a-f]{16}-[0-9a-f]{16}(; output=[0-9]+)?", values["detail"].str), got[-1]
            assert values["by_uid"].WhichOneof("value") is None, got[-1]
        assert it.said("3 published, 0 dropped") and it.said("and 2 of sensor_state"), it.lines


def write_policy(directory, name, filter):
    with open(os.path.join(directory, name + ".yaml"), "w", encoding="utf-8") as file:
        file.write(f"apiVersion: tracee.aquasec.com/v1beta1\nkind: Policy\nmetadata: {{name: {name}}}\n"
                   f"spec:\n  scope: ['comm={own_name()}']\n"
                   f"  rules: [{{event: process_mrelease, filters: ['{filter}']}}]\n")


def named(stream, count):
    """What so many events of a stream were, and the policies that want them."""
    return [(pidfd_of(response), list(response.event.policies.matched))
            for _, response in zip(range(count), stream)]


def test_a_client_gets_the_events_of_the_policies_that_it_names():
    """Also after a reload, which brings a policy and takes one away."""
    with tempfile.TemporaryDirectory() as directory:
        for name, filter in (("even", "data.pidfd=-4702,-4704"), ("small", "data.pidfd=-4701,-4702")):
            write_policy(directory, name, filter)
        with Server(PROGRAM, "--policy", directory) as it, channel_to(it) as channel:
            wanted = {(): 3, ("",): 3, ("even",): 2, ("small",): 2, ("small", "even"): 3, ("", "even"): 3}
            streams = {policies: open_stream(channel, policies=list(policies)) for policies in wanted}
            subscribed(it, len(wanted))
            for pidfd in (-4701, -4702, -4703, -4704):
                call(pidfd)
            all_of_them = [(-4701, ["small"]), (-4702, ["even", "small"]), (-4704, ["even"])]
            for policies, count in wanted.items():
                right = [each for each in all_of_them if not any(policies) or "" in policies or {*each[1]} & {*policies}]
                assert len(right) == count and named(streams[policies], count) == right, policies
            code, text = status_of(lambda: next(open_stream(channel, policies=["even", "odd"])))
            assert code == "NOT_FOUND" and text == "policy [odd] not found", (code, text)
            os.unlink(os.path.join(directory, "small.yaml"))
            write_policy(directory, "odd", "data.pidfd=-4701,-4703")
            os.kill(it.process.pid, signal.SIGHUP)
            it.wait_for("configuration")
            late = open_stream(channel, policies=["odd"])
            subscribed(it, 1)
            for pidfd in (-4703, -4702):
                call(pidfd)
            assert named(late, 1) == [(-4703, ["odd"])]
            assert named(streams[("even",)], 1) == [(-4702, ["even"])]
            assert named(streams[()], 2) == [(-4703, ["odd"]), (-4702, ["even"])]


# -- how it serves ---------------------------------------------------------------------------------

@contextlib.contextmanager
def calls_going_on():
    """Calls without end: on a busy machine the sensor's own queue may drop those by which a client falls behind."""
    stop = threading.Event()

    def go():
        while not stop.wait(0.05):
            call(count=5000)
    thread = threading.Thread(target=go, daemon=True)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()


def test_a_slow_client_may_be_sent_away_instead():
    with Server(PROGRAM, settings=",on-full=disconnect") as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        call(count=200000)
        time.sleep(8 if it.is_sanitized else 0)  # a sensor that is slow itself is no test of who reads
        code, text = status_of(lambda: [None for _ in stream])
        assert code == "RESOURCE_EXHAUSTED" and "faster" in text, (code, text)


def test_who_is_sent_away_hears_why_however_late_it_reads():
    """A message is on its way when it is sent away: into a full socket, or a full window."""
    with Server(PROGRAM, settings=",on-full=disconnect") as it:
        peers = [it.connect() for _ in range(20)]
        for number, peer in enumerate(peers):
            peer.sendall(request(STREAM, b"", (1 << 31) - 1 if number % 2 else 65535))
            peer.settimeout(WAIT)
        time.sleep(0.3)
        call(count=60000)
        # Or who reads late keeps up with a sensor that is slow itself; who answers no PING for 5 s is cut.
        time.sleep(4 if it.is_sanitized else 0)
        end = time.monotonic() + 60
        with calls_going_on():
            for number, peer in enumerate(peers):
                reader = FrameReader(peer)
                while not reader.trailers:
                    assert reader.read(65536), f"client {number} was cut"
                    assert time.monotonic() < end, f"client {number} is not told"
                assert b"faster" in reader.trailers, reader.trailers
                peer.close()


@tap.beside
def test_who_is_sent_away_and_never_reads_is_freed():
    with Server(PROGRAM, settings=",on-full=disconnect") as it:
        before = it.descriptors()
        peers = [it.connect() for _ in range(4)]
        for number, peer in enumerate(peers):
            peer.sendall(request(STREAM, b"", (1 << 31) - 1 if number % 2 else 65535))
        time.sleep(0.3)
        assert it.descriptors() > before
        call(count=60000)
        with calls_going_on():
            await_(lambda: it.descriptors() <= before, 30)
        for peer in peers:
            peer.close()


def test_the_dialect_of_main_is_served_as_well():
    with Server(PROGRAM, format="grpc-main") as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        call(-5)
        event = next(stream).event
        assert not event.HasField("detected_from") and pidfd_of(type("R", (), {"event": event})) == -5


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        tap.run(globals(), PROGRAM)
