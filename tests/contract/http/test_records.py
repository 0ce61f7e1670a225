#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real events of every kind to a collector: what it writes is what they say, by tests/golden/shapes.py.

usage: test_records.py PROGRAM

COLLECTOR and VICTORIALOGS name directories, as ci/receivers_http.sh makes them.
"""
import calendar
import json
import mmap
import os
import signal
import sys
import tempfile
import time
import urllib.parse

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.dirname(HERE), HERE, os.path.join(HERE, "../../golden")]
import sensor  # noqa: E402
import shapes  # noqa: E402
import test_receivers as receivers  # noqa: E402

FLOOD = 400
EVENTS = ("process_mrelease", "do_mrelease", "mlock", "munlock", "mlock2", "mlockall", "munlockall")
EXTRAS = "seq,target,bytes,outcome,time,mlock,exe,container,id"
CONFIGURATION = """
receivers: {otlp: {protocols: {http: {endpoint: "127.0.0.1:%d"}}}}
exporters: {file: {path: out.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp], exporters: [file]}}
"""


def plain(value):
    """A value as the collector writes it. One without content is what is not known."""
    kind, content = next(iter(value.items()), (None, None))
    return int(content) if kind == "intValue" else content


def written(room):
    """Resource and record of all that the collector has written."""
    if not os.path.exists(f"{room}/out.jsonl"):
        return []
    with open(f"{room}/out.jsonl", encoding="utf-8") as file:
        lines = [json.loads(line) for line in file if line.endswith("\n")]
    return [(resource["resource"], {
        "time": int(record["timeUnixNano"]), "observed": int(record["observedTimeUnixNano"]),
        "severity": (record["severityNumber"], record["severityText"]), "body": plain(record["body"]),
        "name": record["eventName"],
        "attributes": {one["key"]: plain(one["value"]) for one in record["attributes"]}})
        for line in lines for resource in line["resourceLogs"] for scope in resource["scopeLogs"]
        for record in scope["logRecords"]]


def release():
    """A call that succeeds: of a child that is dying, and has something to give."""
    ready = os.pipe()
    child = os.fork()
    if not child:
        room = mmap.mmap(-1, 256 << 20)
        for at in range(0, len(room), 4096):
            room[at] = 1
        os.write(ready[1], b"x")
        signal.pause()
    os.read(ready[0], 1)
    descriptor = os.pidfd_open(child)
    os.kill(child, signal.SIGKILL)
    done = sensor.LIBC.syscall(448, descriptor, 0)
    os.waitpid(child, 0)
    for one in (descriptor, *ready):
        os.close(one)
    return done == 0


def call_all():
    for number in receivers.BIG:  # addresses and sizes, as they are in registers
        for call in (149, 150, 325):
            sensor.LIBC.syscall(call, sensor.ctypes.c_uint64(number), sensor.ctypes.c_uint64(number), 0)
    sensor.LIBC.syscall(151, 4)
    sensor.LIBC.syscall(152)
    sensor.LIBC.syscall(448, os.pidfd_open(os.getpid()), 0)
    assert any(release() for _ in range(10)), "no process was caught while it was dying"


def group_of(line, record):
    """As tests/unit/test_shapes.c makes them for shapes.py; two facts no line of Tracee's has."""
    start = record["attributes"].get("process.creation.time")
    names = {field["name"] for event in sensor_events() if event["name"] == line["eventName"]
             for field in event["fields"]}
    return {"json": line, "extras": True, "host": None, "facts": {
        "end_ns": record["observed"], "process_start_ns": ns_of(start), "own": sorted(names),
        "no_entry": record["attributes"].get("mrelease.call_duration_ns") is None}}


def sensor_events(known=[]):
    if not known:
        known += json.loads(sensor.subprocess.run([sensor.PROGRAM, "events", "--format", "json"], check=True,
                                                  capture_output=True).stdout)
    return known


def ns_of(date):
    day, _, fraction = date.rstrip("Z").partition(".")
    at = sensor.time.strptime(day, "%Y-%m-%dT%H:%M:%S")
    return calendar.timegm(at) * 10**9 + int(fraction.ljust(9, "0") or "0")


def check_records(lines, records):
    seen = set()
    for line in lines:
        uid = sensor.argument(line, "id")
        if uid not in records:
            continue
        record = records[uid]
        wanted = shapes.without_replacements(shapes.otlp(shapes.Event(group_of(line, record))))
        assert record == wanted, shapes.difference(record, wanted)
        assert record["time"] <= record["observed"]
        seen.add(line["eventName"])
    assert seen == set(EVENTS), seen
    sizes = {record["attributes"].get("mrelease.len") for record in records.values()}
    assert sizes >= {number if number < 2**63 else str(number) for number in receivers.BIG}, sizes


def check_losses(lines, records):
    """What found no room while nobody listened is told, and exactly."""
    told = [record for record in records.values() if record["name"] == "mrelease.events_lost"]
    missing = {sensor.argument(line, "id") for line in lines} - set(records)
    assert told and missing, (len(told), len(missing))
    assert sum(record["attributes"]["mrelease.lost.count"] for record in told) == len(missing)
    for record in told:
        assert record["severity"] == (17, "ERROR") and "-L.0." in record["attributes"]["log.record.uid"], record
        assert record["attributes"]["mrelease.lost.cause"] == "queue_full", record


def check_resource(resource):
    said = {one["key"]: plain(one["value"]) for one in resource["attributes"]}
    host = os.uname()
    assert said["service.name"] == "mrelease" and said["host.name"] == host.nodename, said
    assert said["mrelease.kernel"] == host.release and said["os.type"] == "linux", said


def check_store(store, count):
    def query(text):
        return receivers.ask(f"{store}/select/logsql/query?query={urllib.parse.quote(text)}").splitlines()
    receivers.until(lambda: int(json.loads(query("* | stats count() n")[0])["n"]) >= count)

    def found_numbers():
        return {json.loads(line)["mrelease.len"] for line in query("mrelease.len:* | limit 1000")}
    receivers.until(lambda: found_numbers() >= set(map(str, receivers.BIG)))
    found = [json.loads(line) for line in query("* | limit 10000")]
    assert all(line["service.name"] == "mrelease" and line["_msg"] for line in found), found[0]


def test_what_a_collector_writes_is_what_the_events_say():
    home, store_home = os.environ["COLLECTOR"], os.environ.get("VICTORIALOGS", "")
    port, store_port = receivers.free_port(), receivers.free_port()
    with tempfile.TemporaryDirectory(prefix="mrelease-records.") as room:
        outputs = ["--output", f"json-v0.24:{room}/all.json"]
        has_store = os.path.isdir(store_home)
        if has_store:
            receivers.start([f"{store_home}/victoria-logs", f"-httpListenAddr=127.0.0.1:{store_port}",
                             f"-storageDataPath={room}/data"], store_port, room)
            outputs += ["--output",
                        f"otlp:otlp+http://127.0.0.1:{store_port}/insert/opentelemetry/v1/logs"]
        more = [word for name in EVENTS[1:] for word in ("--events", f"{name}.scope.comm={sensor.NAME}")]
        run = sensor.Sensor(f"otlp,queue=64K:otlp+http://127.0.0.1:{port}", *outputs, *more, "--extra", EXTRAS)
        sensor.call(1, FLOOD)
        time.sleep(0.5)
        with open(f"{room}/c.yaml", "w", encoding="utf-8") as file:
            file.write(CONFIGURATION % port)
        receivers.start([f"{home}/otelcol", "--config", "c.yaml"], port, room)
        receivers.until(lambda: any(record["name"] == "mrelease.events_lost" for _, record in written(room)))
        call_all()
        receivers.until(lambda: any(record["name"] == "mrelease.do_mrelease" for _, record in written(room)))
        said = run.end()
        time.sleep(0.3)
        with open(f"{room}/all.json", encoding="utf-8") as file:
            lines = [json.loads(line) for line in file]
        lines = [line for line in lines if line["eventName"] in EVENTS]
        found = written(room)
        records = {record["attributes"]["log.record.uid"]: record for _, record in found}
        assert len(records) == len(found), "twice"
        check_records(lines, records)
        check_losses(lines, records)
        check_resource(found[0][0])
        assert {"mrelease.sensor_state"} <= {record["name"] for record in records.values()}, said
        if has_store:
            check_store(f"http://127.0.0.1:{store_port}", len(lines))


def end_receivers():
    for program in receivers.started:
        program.kill()


if __name__ == "__main__":
    if not os.path.isdir(os.environ.get("COLLECTOR", "")):
        print(f"1..0 # SKIP {os.environ.get('COLLECTOR') or 'no collector'}")
        sys.exit(77)
    sensor.run_tests(globals(), end_receivers)
