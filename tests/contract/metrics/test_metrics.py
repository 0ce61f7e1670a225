#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics and health by HTTP, read by clients that are not ours.

usage: test_metrics.py PROGRAM
"""
import http.client
import os
import re
import signal
import socket
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import PROGRAM, Sensor, await_, call, run_tests  # noqa: E402

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
# What Prometheus 2.42 sends.
PROMETHEUS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


class Unix(http.client.HTTPConnection):
    def __init__(self, path):
        super().__init__("localhost", timeout=10)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(10)
        self.sock.connect(self.path)


ROOM = tempfile.TemporaryDirectory()


class Served(Sensor):
    """A sensor that serves at a unix socket, or at `port` of this host."""

    def __init__(self, output="none", *more, port=None):
        self.port, self.socket = port, f"{ROOM.name}/http"
        super().__init__(output, "--http", f"127.0.0.1:{port}" if port else "unix:" + self.socket, *more)

    def ask(self, path, method="GET", **headers):
        link = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10) if self.port else Unix(self.socket)
        link.request(method, path, headers=headers)
        answer = link.getresponse()
        body = answer.read().decode()
        link.close()
        return answer.status, answer.getheader("Content-Type"), body

    def metrics(self, accept=None):
        status, media, text = self.ask("/metrics", **({"Accept": accept} if accept else {}))
        assert status == 200, text
        return media, text


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def missing(command):
    """Says what a test goes without."""
    if subprocess.run(["which", command], capture_output=True).returncode == 0:
        return False
    print(f"# {command} is not installed: not tried")
    return True


def promtool(*words, text=None):
    done = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout


def parse_open(text):
    from prometheus_client.openmetrics.parser import text_string_to_metric_families
    return list(text_string_to_metric_families(text))


def test_two_readers_that_are_not_ours_take_the_metrics():
    sensor = Served(f"json:{ROOM.name}/a\"b\\c.json")
    try:
        media, text = sensor.metrics()
        assert media == PLAIN
        missing("promtool") or promtool("check", "metrics", text=text)
        media, text = sensor.metrics(PROMETHEUS)
        assert media == OPEN
        try:
            families = parse_open(text)
        except ImportError:
            print("# python3-prometheus-client is not installed: not tried")
            return
        outputs = {sample.labels["output"] for family in families for sample in family.samples
                   if "output" in sample.labels}
        assert outputs == {f"json:{ROOM.name}/a\"b\\c.json"}, outputs
    finally:
        sensor.end()


def value(text, name, **labels):
    """The sum of the rows of this name that have these labels."""
    found = 0
    for line in text.splitlines():
        words = re.fullmatch(r"(\w+)(?:\{(.*)\})? (\S+)", line)
        if words and words[1] == name:
            has = dict(re.findall(r'(\w+)="((?:[^"\\]|\\.)*)"', words[2] or ""))
            found += float(words[3]) if all(has.get(key) == each for key, each in labels.items()) else 0
    return found


def rows(text):
    return {line.rsplit(" ", 1)[0] for line in text.splitlines() if line and line[0] != "#"}


def test_all_rows_are_there_from_the_start_and_the_verb_tells_the_same():
    sensor = Served("none", "--output", f"grpc:unix:{ROOM.name}/g")
    try:
        text = sensor.metrics()[1]
        # increase() does not see a counter that first appears at 5.
        for cause in ("ring_full", "no_memory", "malformed", "exit_missed", "suppressed"):
            assert f'mrelease_events_lost_total{{event="process_mrelease",cause="{cause}"}} 0' in text, text
        for output in ("none", f"grpc:unix:{ROOM.name}/g"):
            for cause in ("queue_full", "write_failed"):
                assert (f'mrelease_output_dropped_total{{output="{output}",event="process_mrelease",cause="{cause}"}} 0'
                        in text), text
        assert re.search(r'^mrelease_build_info\{version="[0-9.]+",rung="\w+",coverage="compat"\} 1$', text, re.M), text
        assert abs(value(text, "mrelease_start_time_seconds") - time.time()) < 60
        assert 0 < value(text, "process_resident_memory_bytes") < 1 << 29
        assert value(text, "mrelease_ring_bytes", ring="rare") == 8 << 20
        assert value(text, "mrelease_side_starts_total", side="metrics") == 1
        call(0, 100)
        assert await_(lambda: value(sensor.metrics()[1], "mrelease_latency_seconds_count") == 100), sensor.metrics()
        text = sensor.metrics()[1]
        assert 0 < value(text, "mrelease_latency_seconds_sum") < 10, text
        assert value(text, "mrelease_latency_seconds_bucket", le="10.0") == 100, text
        told = subprocess.run([PROGRAM, "metrics", "--server", f"unix:{ROOM.name}/g", "--format", "prometheus"],
                              capture_output=True, text=True, timeout=20, check=True).stdout
        assert rows(told) == rows(text), rows(told) ^ rows(text)
        missing("promtool") or promtool("check", "metrics", text=told)
    finally:
        sensor.end()


def test_what_an_output_drops_is_told_within_two_seconds_and_health_stays_good():
    os.mkfifo(f"{ROOM.name}/unread")
    reader = os.open(f"{ROOM.name}/unread", os.O_RDONLY | os.O_NONBLOCK)
    output = f"json,policy=drop-newest,queue=32K:{ROOM.name}/unread"
    sensor = Served(output, "--output", f"grpc:unix:{ROOM.name}/g2")
    try:
        call(0, 20000)  # more than a pipe holds
        begun = time.monotonic()
        assert await_(lambda: value(sensor.metrics()[1], "mrelease_output_dropped_total", output=output,
                                    event="process_mrelease", cause="queue_full") > 5000, 2)
        assert time.monotonic() - begun < 2
        text = sensor.metrics()[1]
        assert value(text, "mrelease_output_dropped_total", output=output, cause="write_failed") == 0
        assert value(text, "mrelease_output_queue_used_bytes", output=output) > \
            0.8 * value(text, "mrelease_output_queue_bytes", output=output), text
        told = subprocess.run([PROGRAM, "metrics", "--server", f"unix:{ROOM.name}/g2"], capture_output=True, text=True,
                              timeout=20, check=True).stdout
        assert value(told, "mrelease_output_dropped_total", output=output) == \
            value(text, "mrelease_output_dropped_total", output=output), told
        for path in ("/livez", "/readyz"):
            assert sensor.ask(path)[0] == 200, sensor.ask(path)
    finally:
        os.close(reader)
        sensor.end()


def test_who_knows_tracee_finds_its_names():
    port = free_port()
    sensor = Served("none", "--http-names", "tracee", port=port)
    try:
        call(0, 10)
        assert await_(lambda: value(sensor.metrics()[1], "tracee_ebpf_events_total") == 10), sensor.metrics()
        text = sensor.metrics()[1]
        for name in ("tracee_ebpf_events_filtered", "tracee_ebpf_lostevents_total", "tracee_ebpf_write_lostevents_total",
                     "tracee_ebpf_errors_total"):
            assert f"\n{name} " in text, text
        assert value(text, "mrelease_events_read_total", event="process_mrelease") == 10
        missing("promtool") or promtool("check", "metrics", text=text)
        parse_open(sensor.metrics(PROMETHEUS)[1])
    finally:
        sensor.end()


def test_paths_and_methods_that_are_not_known_are_answered():
    sensor = Served()
    try:
        status, media, text = sensor.ask("/metric")
        assert status == 404 and all(path in text for path in ("/metrics", "/livez", "/readyz", "/healthz")), text
        assert sensor.ask("/metrics", "POST")[0] == 405
        assert sensor.ask("/metrics", "HEAD")[0::2] == (200, "")
        assert sensor.ask("/metrics", Accept="text/plain")[1] == PLAIN
        assert sensor.ask("/metrics", Accept="application/openmetrics-text;version=2.0.0")[1] == PLAIN
    finally:
        sensor.end()


def test_health_says_what_was_looked_at():
    sensor = Served()
    try:
        status, _, text = sensor.ask("/livez")
        assert status == 200 and text.startswith("ok reader: came round"), text
        for path in ("/readyz", "/healthz"):
            status, _, text = sensor.ask(path)
            assert status == 200, text
            assert [line.split(":")[0] for line in text.splitlines()] == \
                ["ok reader", "ok probes", "ok outputs", "ok run"], text
    finally:
        sensor.end()


def test_the_end_is_told_while_it_writes_what_is_left():
    """An output that nobody reads makes the end take two seconds."""
    os.mkfifo(f"{ROOM.name}/fifo")
    reader = os.open(f"{ROOM.name}/fifo", os.O_RDONLY | os.O_NONBLOCK)
    sensor = Served(f"json,policy=drop-oldest:{ROOM.name}/fifo")
    call(0, 4000)
    sensor.run.send_signal(signal.SIGTERM)
    assert await_(lambda: sensor.ask("/readyz")[0] == 503, 2)
    status, _, text = sensor.ask("/readyz")
    assert status == 503 and "failed run: ends" in text, text
    assert sensor.ask("/livez")[0] == 200
    sensor.run.communicate(timeout=20)
    os.close(reader)
    assert not os.path.exists(sensor.socket)


def test_a_program_that_dies_is_started_again_and_asked_by_who_waited():
    sensor = Served()
    try:
        for how in (signal.SIGKILL, signal.SIGSTOP):
            os.kill(sensor.side("metrics"), how)
            assert sensor.ask("/livez")[0] == 200
    finally:
        said = sensor.end()
    assert "why=signal 9; by=another" in said and "why=hang; by=sensor" in said, said


run_tests(globals(), ROOM.cleanup)
