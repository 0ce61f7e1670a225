#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The gRPC server, held against clients that are not ours: its methods, and what it refuses.

usage: test_methods.py MRELEASE

Asked by python3-grpcio with stubs made from proto/. Prints TAP.
"""
import json
import os
import re
import subprocess
import sys
import tempfile
import time

import grpc

import server
import tap
from server import (WAIT, Server, await_, call, channel_to, frame, free_port, open_stream, own_name, pidfd_of,
                    status_of, stub, subscribed)

PROGRAM = sys.argv[1] if len(sys.argv) == 2 else sys.exit(__doc__)
MLOCK, MUNLOCK = 149, 150


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
        while next(watch) != b"\x08\x01":  # on a busy machine, the side program hears late that all is ready
            pass
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


if __name__ == "__main__":
    with tempfile.TemporaryDirectory(prefix="mrelease-stubs.") as stubs:
        server.make_stubs(stubs)
        from tracee.v1beta1 import detector_catalog_pb2, diagnostic_pb2, diagnostic_pb2_grpc, tracee_pb2
        tap.run(globals(), PROGRAM)
