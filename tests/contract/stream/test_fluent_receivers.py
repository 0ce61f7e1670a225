#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Fluent Forward, before receivers of others: a Collector, and the FluentServer of @fluent-org/logger.

usage: test_fluent_receivers.py DELIVER    (the program of deliver.c)
COLLECTOR and FLUENT_SERVER name directories, as ci/receivers_http.sh makes them; what is missing is skipped.
"""
import json
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "../http"), os.path.join(HERE, "..")]
from delivering import SECRET, Skipped, put_file, run, run_tests, verdicts  # noqa: E402
from test_receivers import free_port, start, started, until  # noqa: E402

REQUESTS = [[json.dumps({"n": 100 * request + number, "big": 2**63 - 1}) for number in range(100)] for request in range(5)]
EXPECTED = [json.loads(line) for request in REQUESTS for line in request]
COLLECTOR = """
receivers: {fluent_forward: {endpoint: "127.0.0.1:%d"}}
exporters: {file: {path: out.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [fluent_forward], exporters: [file]}}
"""
SERVER = """
const { FluentServer } = require(process.argv[2] + "/node_modules/@fluent-org/logger");
const key = process.argv[4];
const server = new FluentServer({ listenOptions: { port: +process.argv[3], host: "127.0.0.1" },
                                  ...(key ? { security: { serverHostname: "server", sharedKey: key } } : {}) });
server.on("entry", (tag, time, record) => require("fs").appendFileSync("out.jsonl",
    JSON.stringify({ ...record, big: String(record.big) }) + "\\n"));
server.listen();
"""


def home_of(name):
    home = os.environ.get(name, "")
    if not os.path.isdir(home):
        raise Skipped(f"{name} is not to be had: {home}")
    return home


def make_room():
    return tempfile.mkdtemp(prefix="receiver.", dir=os.path.dirname(put_file("room", "")))


def lines_of(room):
    try:
        with open(os.path.join(room, "out.jsonl"), encoding="utf-8") as file:
            return [json.loads(line) for line in file if line.endswith("\n")]
    except FileNotFoundError:
        return []


def assert_all_taken(port, form):
    said = run(f"fluent://127.0.0.1:{port}", REQUESTS, form=form)[:-1]
    assert [verdicts(one) for one in said] == [{"taken"}] * len(REQUESTS), said


def value_of(record):
    return {one["key"]: int(one["value"]["intValue"]) for one in record["attributes"] if "intValue" in one["value"]}


def test_a_collector_has_what_it_acknowledged():
    home = home_of("COLLECTOR")
    for form in ("json", "json,compress=none"):
        room, port = make_room(), free_port()
        with open(os.path.join(room, "c.yaml"), "w", encoding="utf-8") as file:
            file.write(COLLECTOR % port)
        start([f"{home}/otelcol", "--config", "c.yaml"], port, room)
        assert_all_taken(port, form)
        records = lambda: [record for line in lines_of(room) for one in line["resourceLogs"] for scope in one["scopeLogs"]
                           for record in scope["logRecords"]]
        until(lambda: len(records()) >= len(EXPECTED))
        assert [value_of(one) for one in records()] == EXPECTED, records()[:2]


def test_a_fluent_server_has_what_it_acknowledged_and_asks_for_the_key():
    home = home_of("FLUENT_SERVER")
    for key in ("", SECRET):
        room, port = make_room(), free_port()
        with open(os.path.join(room, "server.js"), "w", encoding="utf-8") as file:
            file.write(SERVER)
        start(["node", "server.js", home, str(port), key], port, room)
        form = f"json,shared-key-file={put_file('key', key)}" if key else "json"
        assert_all_taken(port, form)
        until(lambda: len(lines_of(room)) >= len(EXPECTED))
        assert [one["n"] for one in lines_of(room)] == [one["n"] for one in EXPECTED]
        if key:
            said = run(f"fluent://127.0.0.1:{port}", REQUESTS[:1], form=f"json,shared-key-file={put_file('other', 'another')}")[0]
            assert verdicts(said) == {"misconfigured"}, said
            assert len(lines_of(room)) == len(EXPECTED)


def end_all():
    for one in started:
        one.kill()
        one.wait()


if __name__ == "__main__":
    if not any(os.path.isdir(os.environ.get(name, "")) for name in ("COLLECTOR", "FLUENT_SERVER")):
        print("1..0 # SKIP no receiver of Fluent Forward")
        sys.exit(77)
    run_tests(globals(), at_end=end_all)
