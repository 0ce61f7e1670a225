#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The gRPC server, held against clients that are not ours.

usage: test_server.py MRELEASE

Real calls on this kernel, read by python3-grpcio with stubs made from proto/; and peers that do what
no client does. Prints TAP.
"""
import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

import grpc

import server
import tap
from server import (STREAM, Calls, FrameReader, Server, call, channel_to, frame, free_port, open_stream, own_name, pidfd_of,
                    request, stub, subscribed)

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
WAIT = 20
MLOCK, MUNLOCK = 149, 150
CAPTURE = os.path.join(server.ROOT, "tests/contract/falco/captures/daemon_reaps.cap")  # of two events


def status_of(act):
    try:
        act()
    except grpc.RpcError as error:
        return error.code().name, error.details()
    return "OK", ""


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


# -- the other methods -----------------------------------------------------------------------------

def test_definitions_name_what_is_asked_for_and_what_is_near():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        ask = lambda *names: stub(channel).GetEventDefinitions(
            tracee_pb2.GetEventDefinitionsRequest(event_names=names), timeout=WAIT).definitions
        assert {each.name for each in ask()} >= {"process_mrelease", "mlock", "events_lost"}
        one, = ask("process_mrelease")
        assert one.id == 448 and [(f.name, f.type) for f in one.fields] == [("pidfd", "int32"),
                                                                             ("flags", "uint32")]
        code, text = status_of(lambda: ask("mlok"))
        assert code == "NOT_FOUND" and "mlock" in text, (code, text)


def test_tracees_events_are_defined_as_tracee_defines_them():
    """The bytes are those of Tracee v0.24.1; its main branch has the return value among the fields."""
    whole = bytes.fromhex("0a44" "08c003" "121070726f636573735f6d72656c65617365" "1a020801" "2a0873797363616c6c73"
                          "320e0a0570696466641205696e743332" "320f0a05666c616773120675696e743332")
    memory = ["syscalls", "proc", "proc_mem"]
    area = [("addr", "trace.Pointer"), ("len", "uint64")]
    wanted = {"process_mrelease": (["syscalls"], [("pidfd", "int32"), ("flags", "uint32")]),
              "mlock": (memory, area), "munlock": (memory, area), "mlock2": (memory, [*area, ("flags", "int32")]),
              "mlockall": (memory, [("flags", "int32")]), "munlockall": (memory, [])}
    for dialect, more in (("grpc", []), ("grpc-main", [("returnValue", "int64")])):
        with Server(PROGRAM, "--events", "mlock", format=dialect) as it, channel_to(it) as channel:
            ask = lambda *names: stub(channel).GetEventDefinitions(
                tracee_pb2.GetEventDefinitionsRequest(event_names=names), timeout=WAIT)
            if not more:
                assert ask("process_mrelease").SerializeToString() == whole
            for each in ask(*wanted).definitions:
                tags, fields = wanted[each.name]
                assert (list(each.tags), each.description) == (tags, ""), each
                assert [(field.name, field.type) for field in each.fields] == fields + more, each
            ours, = ask("do_mrelease").definitions
            assert ours.description and list(ours.tags) == ["default"], ours
            # The values of an event are those that its definition names, in order.
            stream = open_stream(channel)
            subscribed(it, 1)
            server.libc.syscall(MLOCK, 0, 0)
            names = [value.name for value in next(stream).event.data]
            assert names == ["addr", "len", "returnValue"], names


def test_there_are_no_detectors():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        ask = lambda **fields: stub(channel).GetDetectorsCatalog(
            detector_catalog_pb2.GetDetectorsCatalogRequest(**fields), timeout=WAIT)
        assert not ask().entries and not ask(event_names=["mlock"]).entries
        assert status_of(lambda: ask(detector_ids=["TRC-1"]))[0] == "INVALID_ARGUMENT"
        assert status_of(lambda: ask(event_names=["mlok"]))[0] == "INVALID_ARGUMENT"


def test_metrics_are_the_counters_of_the_probes():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        diagnostic = diagnostic_pb2_grpc.DiagnosticServiceStub(channel)
        call(count=25)
        time.sleep(0.3)
        metrics = diagnostic.GetMetrics(diagnostic_pb2.GetMetricsRequest(), timeout=WAIT)
        assert metrics.EventCount == 25 and metrics.LostEvCount == 0, metrics
        diagnostic.ChangeLogLevel(diagnostic_pb2.ChangeLogLevelRequest(level="Debug"), timeout=WAIT)


def test_a_stack_tells_no_address():
    """One would tell a client where the process has its code."""
    frame_of = re.compile(r"[\w.@?-]+\+(0|0x[0-9a-f]{1,7})")
    for settings in ("", ",read-only=true"):
        with Server(PROGRAM, settings=settings) as it, channel_to(it) as channel:
            trace = diagnostic_pb2_grpc.DiagnosticServiceStub(channel).GetStacktrace(
                diagnostic_pb2.GetStacktraceRequest(), timeout=WAIT).Stacktrace.decode()
            frames = trace.splitlines()
            assert len(frames) > 3 and all(frame_of.fullmatch(frame) for frame in frames), trace
            assert any("libc" in frame or "clone" in frame for frame in frames), trace


def test_events_are_enabled_and_disabled():
    """What is off is not there at all: no other client, and no file, sees it."""
    def names_after(stream, calls):
        """The events up to a mark, which comes through another ring: it must not overtake."""
        calls()
        time.sleep(0.1)
        call(pidfd=-77)
        names = []
        for response in stream:
            if response.event.name == "process_mrelease" and pidfd_of(response) == -77:
                return names
            names.append(response.event.name)

    def lock():
        server.libc.syscall(MLOCK, 0, 0)
        server.libc.syscall(MUNLOCK, 0, 0)

    with Server(PROGRAM, "--output", "json:/dev/null") as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        enable = lambda name: stub(channel).EnableEvent(
            tracee_pb2.EnableEventRequest(name=name), timeout=WAIT)
        disable = lambda name: stub(channel).DisableEvent(
            tracee_pb2.DisableEventRequest(name=name), timeout=WAIT)
        assert names_after(stream, lock) == []
        enable("munlock")
        assert names_after(stream, lock) == ["munlock"]
        enable("mlock")
        enable("mlock")
        assert sorted(names_after(stream, lock)) == ["mlock", "munlock"]
        descriptors = it.descriptors()
        for _ in range(20):
            disable("mlock")
            assert names_after(stream, lock) == ["munlock"]
            enable("mlock")
        await_(lambda: it.descriptors() <= descriptors)  # no link leaks
        disable("mlock")
        disable("munlock")
        assert names_after(stream, lock) == []
        assert status_of(lambda: enable("mlok"))[0] == "NOT_FOUND"
        assert "mlock" in status_of(lambda: disable("mlok"))[1]
        assert status_of(lambda: disable("events_lost"))[0] == "FAILED_PRECONDITION"
        await_(lambda: it.said(f"a client, user 0 (process {os.getpid()}), enables mlock"))
        stream.cancel()
    assert not it.said("accounting"), it.lines
    assert it.said("munlock: "), "no totals of what was enabled later"


ASKER = """
import grpc, os, sys
os.setgroups([int(g) for g in sys.argv[3].split(",") if g])
os.setuid(int(sys.argv[2]))
channel = grpc.insecure_channel(sys.argv[1], options=[("grpc.enable_http_proxy", 0)])
for method, message in (("DiagnosticService/ChangeLogLevel", b"\\x08\\x03"),
                        ("TraceeService/DisableEvent", b"\\x0a\\x10process_mrelease")):
    try:
        channel.unary_unary("/tracee.v1beta1." + method)(message, timeout=20)
        print("OK")
    except grpc.RpcError as error:
        print(error.code().name)
"""


def silence(it, uid, groups=""):
    """What somebody hears who wants the sensor to be silent: of the log level, and of an event."""
    address = it.address if it.address.startswith("unix:") else it.address[len("tcp:"):]
    done = subprocess.run([sys.executable, "-c", ASKER, address, str(uid), groups], capture_output=True, text=True,
                          timeout=60)
    return done.stdout.split() or done.stderr


def states(path):
    """What the sensor says of itself in a file: what, detail without the run, by_uid, by_pid."""
    with open(path, encoding="utf-8") as file:
        for line in map(json.loads, file):
            if line["eventName"] == "sensor_state":
                values = {argument["name"]: argument["value"] for argument in line["args"]}
                yield values["what"], values["detail"].split("; ")[1:], values["by_uid"], values["by_pid"]


def test_strangers_cannot_silence_it():
    """Over TCP, where anybody may connect, and over a socket whose group does."""
    for address, settings, groups in ((f"tcp:127.0.0.1:{free_port()}", "", ""), (None, ",group=daemon", "1")):
        with tempfile.TemporaryDirectory(prefix="mrelease-file.") as directory:
            path = os.path.join(directory, "lines")
            with Server(PROGRAM, "--output", "json:" + path, "--extra", "seq", address=address, settings=settings) as it:
                os.chmod(it.directory, 0o755)
                assert silence(it, 65534, groups) == ["PERMISSION_DENIED"] * 2, it.lines
                who = "user 65534 (process" if groups else "127.0.0.1 port"
                await_(lambda: sum(f"a client, {who}" in line and "only root" in line for line in it.lines) == 2)
                call(count=100)
                it.stop()
                assert it.said("process_mrelease: ") and it.said("100 delivered"), it.lines
    # Not even root, where the kernel cannot say who it is.
    with Server(PROGRAM, address=f"tcp:127.0.0.1:{free_port()}") as it:
        assert silence(it, 0) == ["PERMISSION_DENIED"] * 2, it.lines


def test_what_root_changes_is_said_in_the_log_and_in_the_stream():
    with tempfile.TemporaryDirectory(prefix="mrelease-file.") as directory:
        path = os.path.join(directory, "lines")
        with Server(PROGRAM, "--output", "json:" + path, "--extra", "seq") as it, channel_to(it) as channel:
            stream = open_stream(channel, policies=["sensor_state"])
            subscribed(it, 1)
            assert silence(it, 0) == ["OK"] * 2, it.lines
            time.sleep(0.3)
            call(count=100)
            told = []  # but `started`, which a client hears that was there before
            while len(told) < 2:
                what = {datum.name: datum.str for datum in next(stream).event.data}["what"]
                told += [what] if what != "started" else []
            it.stop()
            assert any("user 0 (process" in line and "sets the log level to error" in line for line in it.lines)
            assert any("user 0 (process" in line and "disables process_mrelease" in line for line in it.lines)
            assert any("process_mrelease: " in line and " of our own" in line for line in it.lines), it.lines  # the totals
        got = list(states(path))
        assert [state[0] for state in got] == ["started", "log_level", "event_disabled", "stopped"], got
        assert got[1][1:3] == (["output=1", "level=error"], 0), got
        assert got[2][1:3] == (["output=1", "event=process_mrelease"], 0), got
        assert got[1][3] == got[2][3] > 1, got
        assert told == ["log_level", "event_disabled"], told


def test_a_unix_socket_may_be_given_control():
    with Server(PROGRAM, settings=",group=daemon,control=true") as it:
        os.chmod(it.directory, 0o755)
        assert silence(it, 65534, "1") == ["OK"] * 2, it.lines
        it.wait_for("a client, user 65534")


def test_wrong_requests_get_the_right_status():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        raw = lambda method, data: status_of(lambda: list(
            channel.unary_stream("/tracee.v1beta1." + method)(data, timeout=WAIT)))[0]
        nested = b""
        for _ in range(20000):
            size = len(nested)
            nested = b"\x0a" + (bytes([size]) if size < 128 else bytes([size & 127 | 128]) + b"\x01") + nested[:255]
        assert raw("TraceeService/GetEventDefinitions", b"\xff\xff\xff") == "INVALID_ARGUMENT"
        assert raw("TraceeService/StreamEvents", b"\x0a\xff") == "INVALID_ARGUMENT"
        assert raw("TraceeService/StreamEvents", b"\x0a\x01x") == "NOT_FOUND"
        assert raw("TraceeService/Nothing", b"") == "UNIMPLEMENTED"
        assert raw("DataSourceService/Write", nested) == "UNIMPLEMENTED"
        assert raw("TraceeService/GetVersion", bytes(300 * 1024)) == "RESOURCE_EXHAUSTED"
        assert raw("TraceeService/GetVersion", b"") == "OK"
        assert status_of(lambda: list(channel.unary_stream("/tracee.v1beta1.TraceeService/GetVersion")(
            b"", timeout=WAIT, metadata=[("x", "y" * 200000)])))[0] == "RESOURCE_EXHAUSTED"


def test_bounds_of_a_connection_are_answers():
    """A hundred open calls, and 128 KiB of metadata, which Tracee's clients may send; more is an error at once."""
    def open_watch(channel):
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")(b"", timeout=WAIT)
        assert next(watch) == b"\x08\x01"
        return watch

    def apart(it):
        return grpc.insecure_channel(it.address, options=[("grpc.use_local_subchannel_pool", 1)])

    with Server(PROGRAM) as it, apart(it) as channel, apart(it) as other:
        watches = [open_watch(channel) for _ in range(100)]
        check = lambda to, **more: to.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WAIT, **more)
        for _ in range(3):
            start = time.monotonic()
            code, text = status_of(lambda: open_watch(channel))
            assert code == "RESOURCE_EXHAUSTED" and "another connection" in text, (code, text)
            assert time.monotonic() - start < 5
        assert status_of(lambda: check(channel))[0] == "RESOURCE_EXHAUSTED"
        assert check(other) == b"\x08\x01"
        watches.pop().cancel()
        await_(lambda: status_of(lambda: check(channel))[0] == "OK")
        assert check(channel, metadata=[("x", "y" * 100000)]) == b"\x08\x01"
        time.sleep(0.2)
        assert all(watch.is_active() for watch in watches)
        assert status_of(lambda: check(channel, metadata=[("x", "y" * 200000)]))[0] == "RESOURCE_EXHAUSTED"
        await_(lambda: status_of(lambda: check(channel))[0] == "OK")  # by another connection: core ends this one


def test_health_and_reflection_serve_clients_without_our_files():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        check = channel.unary_unary("/grpc.health.v1.Health/Check")
        assert check(b"", timeout=WAIT) == b"\x08\x01"
        assert status_of(lambda: check(b"\x0a\x01x", timeout=WAIT))[0] == "NOT_FOUND"
        watch = channel.unary_stream("/grpc.health.v1.Health/Watch")
        assert next(watch(b"", timeout=WAIT)) == b"\x08\x01"
        assert next(watch(b"\x0a\x01x", timeout=WAIT)) == b"\x08\x03"
        for version in ("v1", "v1alpha"):
            reflect = channel.stream_stream(f"/grpc.reflection.{version}.ServerReflection/ServerReflectionInfo")
            services, symbol, nothing = reflect(iter([
                b"\x3a\x00", b"\x22\x1c" + b"tracee.v1beta1.TraceeService", b"\x22\x01x"]), timeout=WAIT)
            assert b"tracee.v1beta1.TraceeService" in services and b"grpc.health.v1.Health" in services
            assert b"mrelease.v1.MetricsService" in services
            assert b"tracee/v1beta1/tracee.proto" in symbol and b"google/protobuf/field_mask.proto" in symbol
            assert b"not found" in nothing
            none, unknown = reflect(iter([
                b"\x32\x14" + b"tracee.v1beta1.Event", b"\x32\x01x"]), timeout=WAIT)
            assert none.endswith(b"\x2a\x16\x0a\x14" + b"tracee.v1beta1.Event")
            assert b"not found" in unknown


def reflected(channel):
    """The messages of the server, from what it says of itself alone."""
    from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
    reflect = channel.stream_stream("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo")
    name = b"tracee.v1beta1.TraceeService"
    answer = next(reflect(iter([b"\x22" + bytes([len(name)]) + name]), timeout=WAIT))
    pool, files = descriptor_pool.DescriptorPool(), []

    def fields(data):
        at = 0
        while at < len(data):
            tag = data[at]
            size, shift, at = 0, 0, at + 1
            while True:
                byte, at = data[at], at + 1
                size, shift = size | (byte & 127) << shift, shift + 7
                if byte < 128:
                    break
            if tag & 7 == 2:
                yield tag >> 3, data[at:at + size]
                at += size
    for number, content in fields(answer):
        if number == 4:
            files = [descriptor_pb2.FileDescriptorProto.FromString(file) for _, file in fields(content)]
    known = set()
    while len(known) < len(files):
        for file in files:
            if file.name not in known and known.issuperset(file.dependency):
                pool.Add(file)
                known.add(file.name)
    factory = message_factory.MessageFactory(pool)
    return pool.FindServiceByName(name.decode()), factory.GetPrototype


def test_a_client_of_reflection_alone_reads_events():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        service, class_of = reflected(channel)
        method = service.methods_by_name["StreamEvents"]
        stream = channel.unary_stream(f"/{service.full_name}/{method.name}")(
            class_of(method.input_type)().SerializeToString(), timeout=WAIT)
        subscribed(it, 1)
        call(-77)
        response = class_of(method.output_type).FromString(next(stream))
        assert response.event.name == "process_mrelease" and pidfd_of(response) == -77
        assert response.event.workload.process.host_pid.value == os.getpid()


def test_callers_in_namespaces_have_both_ids():
    with Server(PROGRAM) as it, channel_to(it) as channel:
        stream = open_stream(channel)
        subscribed(it, 1)
        caller = subprocess.Popen(["unshare", "--pid", "--fork", sys.executable, "-c", "import ctypes,os\n"
                                   f"c=ctypes.CDLL(None); c.prctl(15,b'{own_name()}'); c.syscall(448,-6,0)\n"
                                   "print(os.getpid())"], stdout=subprocess.PIPE)
        inside = int(caller.communicate(timeout=WAIT)[0])
        process = next(stream).event.workload.process
        assert inside == 1 == process.pid.value == process.thread.tid.value, process
        assert process.host_pid.value == process.thread.host_tid.value > 1, process
        assert process.ancestors[0].host_pid.value == caller.pid, process
        assert process.ancestors[0].pid.value == 0, process  # it is not in that namespace
        assert process.thread.name == own_name() and process.real_user.id.value == os.getuid(), process


# -- peers that no client is -----------------------------------------------------------------------

def await_(condition, seconds=10):
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "in vain"
        time.sleep(0.02)


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


def test_a_replay_answers_before_its_first_record():
    """The capture is a pipe, whose writer is slow."""
    def ask(channel):
        metrics = diagnostic_pb2_grpc.DiagnosticServiceStub(channel).GetMetrics(
            diagnostic_pb2.GetMetricsRequest(), timeout=WAIT)
        list(channel.unary_stream("/mrelease.v1.MetricsService/GetMetrics")(b"", timeout=WAIT))
        return channel.unary_unary("/grpc.health.v1.Health/Check")(b"", timeout=WAIT), metrics.EventCount

    with open(CAPTURE, "rb") as file, tempfile.TemporaryDirectory(prefix="mrelease-grpc.") as directory:
        path = os.path.join(directory, "s")
        with subprocess.Popen([PROGRAM, "replay", "-", "--output", "grpc:unix:" + path], stdin=subprocess.PIPE,
                              stderr=subprocess.PIPE) as process:
            await_(lambda: os.path.exists(path))
            with grpc.insecure_channel("unix:" + path) as channel:
                grpc.channel_ready_future(channel).result(WAIT)
                time.sleep(0.5)
                assert ask(channel) == (b"\x08\x01", 0)
                process.stdin.write(file.read())
                process.stdin.flush()
                await_(lambda: ask(channel) == (b"\x08\x01", 2))
            process.stdin.close()
            said = process.stderr.read()
            assert process.wait(WAIT) == 0 and b"2 published" in said, said


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
        from tracee.v1beta1 import detector_catalog_pb2, diagnostic_pb2, diagnostic_pb2_grpc, tracee_pb2, tracee_pb2_grpc
        tap.run(globals(), PROGRAM)
