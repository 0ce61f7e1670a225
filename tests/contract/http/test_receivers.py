#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Destinations spoken to by HTTP, before those that they are for.

usage: test_receivers.py DELIVER

OPENSEARCH, VICTORIALOGS and COLLECTOR name directories, as ci/receivers_http.sh makes them; what is
not named is a skip.
"""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse
import urllib.request

DELIVER = sys.argv[1]
BIG = [0, 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]
# Those that no registry of packages has, and what stands in for them.
MISSING = {"splunk": "no Splunk is to be had; VictoriaLogs reads its protocol, without acknowledgements",
           "loki": "no Loki is to be had; VictoriaLogs reads its protocol"}
started = []


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def start(command, port, room):
    with open(os.path.join(room, "log"), "wb") as log:
        program = subprocess.Popen(["nice", *command], cwd=room, stdout=log, stderr=log)
    started.append(program)
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert program.poll() is None, open(os.path.join(room, "log"), errors="replace").read()[-500:]
            time.sleep(0.1)
    raise AssertionError(f"{command[0]} does not listen")


def ask(url, body=None, method=None):
    request = urllib.request.Request(url, body, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=30) as said:
        return said.read().decode()


def deliver(destination, requests, form, **environment):
    text = "\n".join("\n".join(one) + "\n" for one in requests)
    done = subprocess.run([DELIVER, form, destination], input=text, text=True, capture_output=True, timeout=120,
                          env=dict(os.environ, **environment))
    assert done.returncode == 0, done.stdout + done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def until(holds, seconds=20):
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if (found := holds()):
            return found
        time.sleep(0.2)
    raise AssertionError(f"not within {seconds} s")


# -- OpenSearch -------------------------------------------------------------------------------------


def opensearch(home, room):
    port = free_port()
    os.makedirs(os.path.join(room, "config"))
    start(["java", "-Xmx512m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
           f"-Djava.io.tmpdir={room}", "-cp", f"{home}/libs/*", f"{home}/Os.java", room, str(port)], port, room)
    store = f"http://127.0.0.1:{port}"
    until(lambda: "opensearch" in ask(store), 60)
    mapping = {"dynamic": "strict", "properties": {"n": {"type": "integer"}, "u": {"type": "unsigned_long"}}}
    ask(store + "/events", json.dumps({"mappings": mapping}).encode(), "PUT")
    good = [json.dumps({"n": n, "u": u}) for n, u in enumerate(BIG)]
    poisoned = good[:2] + ['{"n":"text"}', '{"other":1}', '{"u":-1}'] + good[2:]
    destination = "elasticsearch+" + store + "/events"
    for _ in range(2):  # the second time, all of it is there already
        said, = deliver(destination, [poisoned], "ecs")
        assert said["verdicts"] == ["taken"] * 2 + ["refused"] * 3 + ["taken"] * 4, said
        assert "mapper_parsing_exception" in said["reasons"][2], said
        assert "strict_dynamic_mapping_exception" in said["reasons"][3], said
    ask(store + "/events/_block/write", b"", "PUT")
    said, = deliver(destination, [good], "ecs", DELIVER_RUN="2")
    assert set(said["verdicts"]) == {"misconfigured"} and "cluster_block" in said["reasons"][0], said
    ask(store + "/events/_settings", b'{"index.blocks.write":false}', "PUT")
    said, = deliver(destination, [good], "ecs", DELIVER_RUN="2")
    assert set(said["verdicts"]) == {"taken"}, said
    ask(store + "/events/_refresh", b"", "POST")
    found = json.loads(ask(store + "/events/_search?size=100"))["hits"]["hits"]
    assert len(found) == 2 * len(BIG), len(found)
    assert sorted({one["_source"]["u"] for one in found}) == BIG
    ask(store + "/_index_template/s", json.dumps({"index_patterns": ["stream*"], "data_stream": {}}).encode(), "PUT")
    lines = ['{"@timestamp":"2026-11-28T15:20:11.522903112Z","n":%d}' % n for n in range(4000)]
    said, = deliver("elasticsearch+" + store + "/stream", [lines], "ecs")
    assert set(said["verdicts"]) == {"taken"}, said["reasons"][0]
    ecs_in_a_strict_stream(store)


def ecs_in_a_strict_stream(store):
    """Every event, with extras and without, and large numbers; what is of another shape is refused."""
    lines = []
    for path in ("tests/golden/ecs/events.json", "tests/schema/corpus/ecs.jsonl"):
        with open(path, encoding="utf-8") as file:
            lines += file.read().splitlines()
    lock = next(json.loads(line) for line in lines if '"action":"mlock"' in line)
    for number in BIG:
        lock["mrelease"].update(len=number, addr=str(number), cgroup_id=str(number))
        lines.append(json.dumps(lock))
    with open("packaging/opensearch/ecs.json", encoding="utf-8") as file:
        ask(store + "/_index_template/mrelease-ecs", file.read().encode(), "PUT")
    stream = "elasticsearch+" + store + "/mrelease-ecs"
    said, = deliver(stream, [lines], "ecs")
    assert set(said["verdicts"]) == {"taken"}, [why for why in said["reasons"] if why][:3]
    lock["mrelease"]["unheard_of"] = 1
    said, = deliver(stream, [[json.dumps(lock)]], "ecs", DELIVER_RUN="2")
    assert said["verdicts"] == ["refused"] and "strict_dynamic_mapping" in said["reasons"][0], said
    ask(store + "/mrelease-ecs/_refresh", b"", "POST")
    for number in BIG:
        query = {"query": {"term": {"mrelease.len": number}}}
        found = json.loads(ask(store + "/mrelease-ecs/_search", json.dumps(query).encode()))["hits"]["hits"]
        exact = [one["_source"]["mrelease"] for one in found if one["_source"]["mrelease"]["addr"] == str(number)]
        assert len(exact) == 1 and exact[0]["len"] == number, (number, found)
    query = {"query": {"bool": {"filter": [{"term": {"event.action": "process_mrelease"}},
                                           {"term": {"event.outcome": "failure"}}]}}}
    found = json.loads(ask(store + "/mrelease-ecs/_count", json.dumps(query).encode()))["count"]
    assert found == sum('"action":"process_mrelease"' in line and '"outcome":"failure"' in line for line in lines) > 5


# -- VictoriaLogs -----------------------------------------------------------------------------------


def victorialogs(home, room):
    port = free_port()
    start([f"{home}/victoria-logs", f"-httpListenAddr=127.0.0.1:{port}", f"-storageDataPath={room}/data"], port, room)
    store = f"http://127.0.0.1:{port}"
    now = time.strftime("%Y-%m-%dT%H:%M:%S.522903112Z", time.gmtime())
    lines = [json.dumps({"@timestamp": now, "message": f"m{n}", "u": BIG[n % len(BIG)], "host": {"name": "h"},
                         "event": {"dataset": "d"}}) for n in range(500)]
    for form in ("ecs", "ecs,compress=none"):
        said, = deliver("victorialogs+" + store, [lines], form)
        assert set(said["verdicts"]) == {"taken"}, said["reasons"][0]

    def query(text):
        return ask(store + "/select/logsql/query?query=" + urllib.parse.quote(text)).splitlines()
    until(lambda: query("* | stats count() n") == ['{"n":"1000"}'])
    one = json.loads(until(lambda: query("m0 | limit 1"))[0])
    assert one["_time"] == now and one["_stream"] == '{event.dataset="d",host.name="h"}', one
    assert {json.loads(line)["u"] for line in query("* | limit 1000")} == {str(number) for number in BIG}
    said, = deliver(f"loki+{store}/insert/loki/api/v1/push", [['{"a":1}', '{"a":2}']], "ecs")
    assert set(said["verdicts"]) == {"taken"}, said
    until(lambda: len(query('_msg:"" OR * | fields a | filter a:* | limit 9')) == 2)
    # The HTTP Event Collector, read by another than Splunk: no acknowledgements there.
    with open(f"{room}/token", "w", encoding="utf-8") as file:
        file.write("any\n")
    said, = deliver(f"splunk+{store}", [['{"hec":%d}' % n for n in range(5)]], f"ecs,no-acks=true,token-file={room}/token")
    assert set(said["verdicts"]) == {"taken"}, said
    found = [json.loads(line) for line in until(lambda: (lambda all_: len(all_) == 5 and all_)(query('source:mrelease')))]
    assert {one.get("event.hec") for one in found} == set("01234"), found
    assert all(one["sourcetype"] == "mrelease:ecs" and one.get("fields.id") for one in found), found
    said, = deliver(f"otlp+{store}/insert/opentelemetry/v1/logs", [records(3)], "otlp", DELIVER_HEX="1")
    assert set(said["verdicts"]) == {"taken"}, said
    until(lambda: len(query('"body 1"')) == 1)


# -- a collector ------------------------------------------------------------------------------------


def varint(number):
    out = b""
    while number >= 128:
        out, number = out + bytes([number & 127 | 128]), number >> 7
    return out + bytes([number])


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def records(count, padding=0):
    return [(b"\x09" + struct.pack("<Q", time.time_ns()) + b"\x10\x09" + field(5, field(1, b"body %d" % n))
             + field(6, field(1, b"pad") + field(2, field(1, b"p" * padding)))
             + field(12, b"mrelease.do_mrelease")).hex() for n in range(count)]


CONFIGURATION = """
receivers:
  otlp/plain: {protocols: {http: {endpoint: "127.0.0.1:%d"}, grpc: {endpoint: "127.0.0.1:%d"}}}
  otlp/tls:
    protocols:
      http: {endpoint: "127.0.0.1:%d", tls: {cert_file: server.pem, key_file: server.key}}
      grpc: {endpoint: "127.0.0.1:%d", tls: {cert_file: server.pem, key_file: server.key}}
exporters: {file: {path: out.jsonl, flush_interval: 100ms}}
service:
  telemetry: {metrics: {level: none}}
  pipelines: {logs: {receivers: [otlp/plain, otlp/tls], exporters: [file]}}
"""


def collector(home, room):
    ports = [free_port() for _ in range(4)]
    with open(os.path.join(room, "c.yaml"), "w", encoding="utf-8") as file:
        file.write(CONFIGURATION % tuple(ports))
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-keyout", "server.key", "-out", "server.pem", "-subj", "/CN=x", "-days", "9",
                    "-addext", "subjectAltName=IP:127.0.0.1"], cwd=room, check=True, capture_output=True)
    start([f"{home}/otelcol", "--config", "c.yaml"], ports[3], room)
    secure = f"otlp,ca={room}/server.pem"
    for scheme, port, form in (("http", ports[0], "otlp"), ("grpc", ports[1], "otlp"), ("https", ports[2], secure),
                               ("grpcs", ports[3], secure)):
        destination = f"otlp+{scheme}://127.0.0.1:{port}"
        said = deliver(destination, [records(5)] * 20, form, DELIVER_HEX="1")
        assert all(set(one["verdicts"]) == {"taken"} for one in said), (scheme, said)
        if scheme.startswith("grpc"):  # more than 4 MiB: the stream is reset
            said, = deliver(destination, [records(4000, 1200)], form, DELIVER_HEX="1")
            assert said["halve"] and set(said["verdicts"]) == {"again"}, said["reasons"][0]
            said, = deliver(destination, [records(2000, 1200)], form, DELIVER_HEX="1")
            assert set(said["verdicts"]) == {"taken"}, said["reasons"][0]

    def count():
        with open(os.path.join(room, "out.jsonl"), encoding="utf-8") as file:
            said = [json.loads(line) for line in file if line.endswith("\n")]
        return [record for line in said for resource in line["resourceLogs"] for scope in resource["scopeLogs"]
                for record in scope["logRecords"]]
    until(lambda: len(count()) == 4 * 100 + 2 * 2000)
    assert all(one["eventName"] == "mrelease.do_mrelease" for one in count())


def main():
    tests = (opensearch, victorialogs, collector)
    print(f"1..{len(tests) + len(MISSING)}")
    failed = 0
    for number, (name, why) in enumerate(MISSING.items(), len(tests) + 1):
        print(f"# skipped: {why}\nok {number} # SKIP {name}")
    for number, test in enumerate(tests, 1):
        home, began = os.environ.get(test.__name__.upper()), time.monotonic()
        if not home or not os.path.isdir(home):
            print(f"# skipped: {home or 'not installed'}\nok {number} # SKIP {test.__name__}")
            continue
        try:
            with tempfile.TemporaryDirectory(prefix="mrelease-receiver.") as room:
                test(home, room)
                for program in started:
                    program.send_signal(signal.SIGKILL)
                    program.wait()
                started.clear()
            print(f"ok {number} - {test.__name__} takes what is said to be taken ({time.monotonic() - began:.1f} s)")
        except Exception:  # whatever it is, the next test shall run
            failed += 1
            print(f"not ok {number} - {test.__name__}\n# "
                  + traceback.format_exc().strip().replace("\n", "\n# "))
        for program in started:
            program.kill()
        started.clear()
    sys.exit(failed > 0)


if __name__ == "__main__":
    main()
