#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Metrics and health by HTTP and in files, read by clients that are not ours.

usage: test_metrics.py PROGRAM
"""
import http.client
import json
import os
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import LIBC, PROGRAM, Sensor, Skipped, await_, call, run_tests  # noqa: E402
from served import ROOM, Served, free_port  # noqa: E402

OPEN = "application/openmetrics-text; version=1.0.0; charset=utf-8"
PLAIN = "text/plain; version=0.0.4; charset=utf-8"
# What Prometheus 2.42 sends.
PROMETHEUS = ("application/openmetrics-text;version=1.0.0,application/openmetrics-text;version=0.0.1;q=0.75,"
              "text/plain;version=0.0.4;q=0.5,*/*;q=0.1")


def need(command):
    if not shutil.which(command):
        raise Skipped(f"{command} is not installed")


def promtool(*words, text=None):
    need("promtool")
    done = subprocess.run(["promtool", *words], input=text, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0 and not done.stderr, done.stdout + done.stderr
    return done.stdout


def parse_open(text):
    try:
        from prometheus_client.openmetrics.parser import text_string_to_metric_families
    except ImportError:
        raise Skipped("python3-prometheus-client is not installed") from None
    return list(text_string_to_metric_families(text))


def test_two_readers_that_are_not_ours_take_the_metrics():
    sensor = Served(f"json:{ROOM.name}/a\"b\\c.json")
    try:
        media, text = sensor.metrics()
        assert media == PLAIN
        promtool("check", "metrics", text=text)
        media, text = sensor.metrics(PROMETHEUS)
        assert media == OPEN
        families = parse_open(text)
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
        promtool("check", "metrics", text=told)
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

        def is_full():  # once its thread hangs in a write, and takes no more out of the queue
            call(20000, 500)
            return value(sensor.metrics()[1], "mrelease_output_queue_used_bytes", output=output) > \
                0.8 * value(text, "mrelease_output_queue_bytes", output=output)
        assert await_(is_full, 5), sensor.metrics()[1]

        def dropped_by_verb():
            told = subprocess.run([PROGRAM, "metrics", "--server", f"unix:{ROOM.name}/g2"], capture_output=True,
                                  text=True, timeout=20, check=True).stdout
            return value(told, "mrelease_output_dropped_total", output=output)
        assert await_(lambda: dropped_by_verb() == value(sensor.metrics()[1], "mrelease_output_dropped_total",
                                                         output=output), 5)
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
        promtool("check", "metrics", text=text)
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
        # Until it has come round once, it starts, and lives.
        assert await_(lambda: sensor.ask("/livez")[2].startswith("ok reader: came round")), sensor.ask("/livez")
        assert sensor.ask("/livez")[0] == 200
        for path in ("/readyz", "/healthz"):
            status, _, text = sensor.ask(path)
            assert status == 200, text
            assert [line.split(":")[0] for line in text.splitlines()] == \
                ["ok reader", "ok probes", "ok outputs", "ok run"], text
    finally:
        sensor.end()


def test_a_file_for_node_exporter_is_whole_and_has_no_process_of_its_own():
    name = f"{ROOM.name}/files/mrelease.prom"
    os.mkdir(f"{ROOM.name}/files")
    seen = os.fdopen(LIBC.inotify_init1(os.O_NONBLOCK), "rb")
    created, moved_to = 0x100, 0x80
    assert LIBC.inotify_add_watch(seen.fileno(), f"{ROOM.name}/files".encode(), created | moved_to) > 0
    sensor = Sensor("none", "--metrics-file", name)
    assert await_(lambda: os.path.exists(name), 5)
    with open(name, encoding="utf-8") as file:
        text = file.read()
    assert "mrelease_build_info" in text and "\nprocess_" not in text, text
    call(0, 7)
    sensor.end()
    raw, at, ways = seen.read(), 0, set()
    while at < len(raw):
        _, way, _, size = struct.unpack_from("iIII", raw, at)
        if raw[at + 16:at + 16 + size].rstrip(b"\0") == b"mrelease.prom":
            ways.add(way)
        at += 16 + size
    assert ways == {moved_to}, ways  # whole from the start, by this name
    with open(name, encoding="utf-8") as file:
        assert value(file.read(), "mrelease_events_read_total") == 7  # it has the last word
    assert os.listdir(f"{ROOM.name}/files") == ["mrelease.prom"]
    assert os.stat(name).st_mode & 0o777 == 0o644
    promtool("check", "metrics", text=text)


def test_what_others_put_in_the_way_of_the_file_is_not_written_to():
    room = tempfile.mkdtemp(dir=ROOM.name)
    name, precious = f"{room}/a.prom", f"{ROOM.name}/precious"
    os.chown(room, 65534, 65534)  # the collector's own; a sensor of root's may write there all the same
    with open(precious, "w") as file:
        file.write("precious")
    os.symlink(precious, name + ".new")
    sensor = Sensor("none", "--metrics-file", name)
    try:
        await_(lambda: os.path.exists(name), 5)
        assert open(precious).read() == "precious"
        os.unlink(name)
        os.mkfifo(name + ".new")
    finally:
        sensor.end()  # the last one is written at the end
    assert os.path.isfile(name) and not os.path.exists(name + ".new")


def test_a_file_that_cannot_be_written_is_one_line_and_no_end():
    os.mkdir(f"{ROOM.name}/full")
    os.mkdir(f"{ROOM.name}/full/a.prom")  # nothing can be renamed to it
    sensor = Sensor("none", "--metrics-file", f"{ROOM.name}/full/a.prom")
    call(0, 3)
    said = sensor.said + sensor.end()
    assert said.count("--metrics-file") == 1 and "3 read" in said, said
    assert os.listdir(f"{ROOM.name}/full") == ["a.prom"]
    wrong = subprocess.run([PROGRAM, "run", "--metrics-file", "/tmp/metrics.txt"], capture_output=True, text=True, timeout=20)
    assert wrong.returncode == 2 and ".prom" in wrong.stderr, wrong


PACKAGING = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../../packaging")


def test_the_rules_say_what_they_shall():
    promtool("check", "rules", f"{PACKAGING}/prometheus/mrelease.rules.yml")
    promtool("test", "rules", f"{PACKAGING}/prometheus/mrelease.rules.test.yml")


def test_rules_dashboard_and_page_name_metrics_that_there_are():
    sensor = Served(f"json:{ROOM.name}/named.json", "--http-names", "tracee", "--output", f"grpc:unix:{ROOM.name}/g4")
    try:
        text = sensor.metrics()[1]
    finally:
        sensor.end()
    known = set(re.findall(r"^(\w+)", re.sub(r"^#.*\n", "", text, flags=re.M), re.M))
    spools = {f"mrelease_spool_{what}" for what in ("appended_total", "acknowledged_total", "refused_total", "lost_total",
                                                    "bytes", "pending", "oldest_seconds")}
    spools |= {f"mrelease_output_{what}" for what in ("retries_total", "resent_total", "last_success_timestamp_seconds")}
    # With --names, and with policies.
    spools |= {f"mrelease_names_{what}" for what in ("asked_total", "answers_total", "events_total", "waiting",
                                                     "wait_seconds")}
    spools |= {"mrelease_policy_matched_total"}
    for name in ("prometheus/mrelease.rules.yml", "prometheus/mrelease.rules.test.yml", "grafana/mrelease.json",
                 "../docs/metrics.md"):
        with open(f"{PACKAGING}/{name}", encoding="utf-8") as file:
            named = set(re.findall(r"\b(?:mrelease|process|tracee_ebpf)_[a-z_]+", file.read()))
        named = {each for each in named if each not in ("process_mrelease", "mrelease_latency_seconds")}
        assert named <= known | spools, (name, named - known - spools)
    # The page has a row for each.
    assert known | spools <= named | {f"mrelease_latency_seconds_{end}" for end in ("bucket", "sum", "count")}, \
        (known | spools) - named


def test_the_dashboard_is_one():
    with open(f"{PACKAGING}/grafana/mrelease.json", encoding="utf-8") as file:
        board = json.load(file)
    assert board["uid"] == "mrelease" and board["schemaVersion"] >= 36 and not board.get("__inputs")
    assert [each["name"] for each in board["templating"]["list"]] == ["datasource", "job", "instance"]
    ids = [panel["id"] for panel in board["panels"]]
    assert len(set(ids)) == len(ids)
    for panel in board["panels"]:
        assert panel["description"] and panel["datasource"]["uid"] == "${datasource}", panel["title"]
        for target in panel["targets"]:
            assert "$instance" in target["expr"] and target["datasource"]["uid"] == "${datasource}", target
            assert "rate(" not in target["expr"] or "$__rate_interval" in target["expr"], target
        at = panel["gridPos"]
        assert at["x"] + at["w"] <= 24, panel["title"]


def query(port, expression):
    link = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        link.request("GET", "/api/v1/query?query=" + urllib.parse.quote(expression))
        return json.load(link.getresponse())["data"]["result"]
    except (OSError, ValueError, KeyError):
        return []
    finally:
        link.close()


def long_a_real_prometheus_scrapes_it():
    need("prometheus")
    ports = free_port(), free_port()
    sensor = Served("none", port=ports[0])
    with open(f"{ROOM.name}/prometheus.yml", "w", encoding="ascii") as file:
        file.write("global: { scrape_interval: 500ms, scrape_timeout: 400ms, evaluation_interval: 500ms }\n"
                   f"rule_files: ['{os.path.abspath(PACKAGING)}/prometheus/mrelease.rules.yml']\n"
                   "scrape_configs: [{ job_name: mrelease, static_configs: "
                   f"[{{ targets: ['127.0.0.1:{ports[0]}'] }}] }}]\n")
    scraper = subprocess.Popen(["prometheus", f"--config.file={ROOM.name}/prometheus.yml", "--log.level=error",
                                f"--storage.tsdb.path={ROOM.name}/tsdb", f"--web.listen-address=127.0.0.1:{ports[1]}"],
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        assert await_(lambda: query(ports[1], "up == 1"), 20)
        call(0, 50)
        assert await_(lambda: [one["value"][1] for one in query(ports[1], "sum(mrelease_events_read_total)")] == ["50"], 10)
        assert query(ports[1], "mrelease_build_info")[0]["metric"]["coverage"] == "compat"
        assert query(ports[1], "histogram_quantile(0.5, mrelease_latency_seconds_bucket)")
        assert not query(ports[1], "ALERTS{alertstate=\"firing\"}"), query(ports[1], "ALERTS")
    finally:
        scraper.terminate()
        scraper.wait(20)
        sensor.end()


run_tests(globals(), ROOM.cleanup)
