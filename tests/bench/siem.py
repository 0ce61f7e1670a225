#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""The group siem: a real broker of Kafka takes the same events from us and from others, in turns.

usage: siem.py PROGRAM [table|json]    (ci/bench --only siem sets KAFKA, and COLLECTOR where it is to be had)
"""
import glob
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "contract"))
sys.path.insert(0, os.path.join(sys.path[0], "kafka"))
import broker  # noqa: E402
import confluent_kafka  # noqa: E402
from sensor import LIBC, PROGRAM, Sensor  # noqa: E402
from subjects import anonymous_kib, cpu_s, family, record  # noqa: E402

EVENTS = int(os.environ.get("BENCH_SIEM_EVENTS", "200000"))
ROUNDS = int(os.environ.get("BENCH_SIEM_ROUNDS", "3"))
LONE = 40
DURABLE = ["-X", "acks=all", "-X", "enable.idempotence=true"]
results = []


def say(text):
    print(f"# {text}", file=sys.stderr, flush=True)


def result(name, values, unit, method):
    values = list(values)
    spread = statistics.quantiles(values, n=4)[2] - statistics.quantiles(values, n=4)[0] if len(values) > 1 else 0
    results.append({"name": name, "value": statistics.median(values), "unit": unit, "spread": spread,
                    "method": method})
    say(f"{name} = {results[-1]['value']:.4g} {unit}")


class Topic:
    def __init__(self, kafka, name, **settings):
        kafka.make(name, **settings)
        self.reader = confluent_kafka.Consumer({"bootstrap.servers": kafka.address, "group.id": "bench",
                                                "log_level": 0})
        self.partition, self.name = confluent_kafka.TopicPartition(name, 0), name

    def count(self):
        return self.reader.get_watermark_offsets(self.partition, 5)[1]

    def fill(self, process, seconds=300):
        """Until it holds all; the seconds since `process` was started are the caller's to take."""
        end = time.monotonic() + seconds
        while self.count() < EVENTS:
            if process.poll() not in (None, 0) or time.monotonic() > end:
                raise RuntimeError(f"{self.count()} of {EVENTS} in {self.name}")
            time.sleep(0.01)


class Room:
    """What all take: a recording, its lines, and a broker."""

    def __init__(self, path, kafka):
        self.path, self.kafka, self.number = path, kafka, 0
        self.capture, self.lines = f"{path}/calls.capture", f"{path}/lines.json"

    def topic(self, **settings):
        self.number += 1
        return Topic(self.kafka, f"t{self.number}", **settings)

    def record(self):
        record(self.capture, EVENTS)
        subprocess.run([PROGRAM, "replay", self.capture, "--output", f"json:{self.lines}"], check=True,
                       stderr=subprocess.DEVNULL)


def run_ours(room, options):
    """From the recording on: decoded, encoded, kept with fdatasync, sent, acknowledged."""
    topic, spool = room.topic(), f"{room.path}/spool{room.number}"
    began = time.monotonic()
    with open(room.capture, "rb") as capture:
        run = subprocess.Popen([PROGRAM, "replay", "-", "--output",
                                f"json,spool={spool},spool-size=4G{options}:kafka://{room.kafka.address}/{topic.name}"],
                               stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=False)
        shutil.copyfileobj(capture, run.stdin, 1 << 20)
        run.stdin.flush()
        topic.fill(run)
        took = time.monotonic() - began
        pids = family(run.pid)
        cpu, memory = cpu_s(pids), anonymous_kib(pids)
        run.stdin.close()
        run.stderr.read()
        run.wait(30)
    shutil.rmtree(spool)
    return took, cpu, memory


def run_kcat(room, options):
    topic = room.topic()
    began, before = time.monotonic(), os.times()
    run = subprocess.Popen(["kcat", "-P", "-b", room.kafka.address, "-t", topic.name, "-l", room.lines, *DURABLE,
                            *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE)
    topic.fill(run)
    took = time.monotonic() - began
    run.communicate(timeout=30)
    after = os.times()
    return took, after.children_user + after.children_system - before.children_user - before.children_system, 0


def run_until_there(topic, command, **more):
    began = time.monotonic()
    run = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **more)
    try:
        topic.fill(run)
        took = time.monotonic() - began
        pids = family(run.pid)
        return took, cpu_s(pids), anonymous_kib(pids)
    finally:
        run.send_signal(signal.SIGTERM)
        try:
            run.wait(20)
        except subprocess.TimeoutExpired:
            run.kill()
            run.wait()


def run_rsyslog(room, _):
    topic, path = room.topic(), f"{room.path}/rsyslog{room.number}"
    os.mkdir(path)
    with open(f"{path}/conf", "w", encoding="ascii") as file:
        file.write(f'''global(workDirectory="{path}" maxMessageSize="64k")
module(load="imfile") module(load="omkafka")
template(name="raw" type="string" string="%msg%")
input(type="imfile" file="{room.lines}" tag="m" addMetadata="off" ruleset="out")
ruleset(name="out") {{ action(type="omkafka" broker=["{room.kafka.address}"] topic="{topic.name}" template="raw"
  confParam=["acks=all","enable.idempotence=true"] queue.type="linkedlist" queue.size="300000"
  queue.dequeueBatchSize="4096" action.resumeRetryCount="-1") }}
''')
    return run_until_there(topic, ["rsyslogd", "-n", "-f", f"{path}/conf", "-i", f"{path}/pid"])


def run_collector(room, _):
    topic, path = room.topic(), f"{room.path}/collector{room.number}"
    os.makedirs(f"{path}/queue")
    with open(f"{path}/config.yaml", "w", encoding="ascii") as file:
        file.write(f'''extensions: {{file_storage: {{directory: {path}/queue, fsync: true}}}}
receivers: {{file_log: {{include: [{room.lines}], start_at: beginning}}}}
exporters:
  kafka:
    brokers: [{room.kafka.address}]
    producer: {{required_acks: -1}}
    logs: {{topic: {topic.name}, encoding: raw}}
    sending_queue: {{storage: file_storage, block_on_overflow: true}}
service:
  extensions: [file_storage]
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{logs: {{receivers: [file_log], exporters: [kafka]}}}}
''')
    return run_until_there(topic, [f"{os.environ['COLLECTOR']}/otelcol", "--config", f"{path}/config.yaml"])


def subjects():
    yield "ours", run_ours, ",compress=none", "replay of a recording, spool with fdatasync, acks=all, idempotent"
    yield "ours_lz4", run_ours, ",compress=lz4", "the same, lz4"
    if shutil.which("kcat"):
        yield "kcat", run_kcat, [], "kcat -P -l of the same events as lines, acks=all, idempotent; keeps nothing"
    if shutil.which("rsyslogd") and glob.glob("/usr/lib/*/rsyslog/omkafka.so"):
        yield "rsyslog", run_rsyslog, None, "rsyslog, imfile to omkafka, a queue in memory, acks=all"
    if os.environ.get("COLLECTOR"):
        yield "collector", run_collector, None, "Collector, file_log to kafka, a queue on the disk with fsync"


def compare(room):
    samples = {name: [] for name, *_ in subjects()}
    for number in range(ROUNDS):
        say(f"round {number + 1} of {ROUNDS}, load {os.getloadavg()[0]:.1f}")
        for name, run, options, _ in subjects():
            samples[name].append(run(room, options))
            say(f"{name}: {EVENTS / samples[name][-1][0]:.0f}/s, {samples[name][-1][1] * 1e6 / EVENTS:.1f} us")
    for name, _, _, method in subjects():
        result(f"siem.{name}.events_per_s", [EVENTS / took for took, _, _ in samples[name]], "1/s",
               f"{method}; {EVENTS} events, start included")
        result(f"siem.{name}.cpu_us_per_event", [cpu * 1e6 / EVENTS for _, cpu, _ in samples[name]], "us",
               "of all its processes")
        if samples[name][0][2]:
            result(f"siem.{name}.anonymous_mib", [kib / 1024 for _, _, kib in samples[name]], "MiB",
                   "RssAnon of all its processes, when all had arrived")
    for peer in samples:
        if not peer.startswith("ours"):
            result(f"siem.ours_to_{peer}", [one[0] / ours[0] for ours, one in zip(samples["ours"], samples[peer])],
                   "ratio", "events per second, ours to theirs; median over the rounds of the ratio within one")


def await_change(file, seconds=20):
    """Until what it holds is another; how long that took, in ms."""
    began, before = time.monotonic(), os.pread(file.fileno(), 4096, 0)
    while os.pread(file.fileno(), 4096, 0) == before:
        assert time.monotonic() - began < seconds, f"{file.name} stays as it is"
        time.sleep(0.0001)
    return (time.monotonic() - began) * 1000


def lone_events(room):
    """The broker stamps what it appends, in ms; the event has its own time. The cursor of the spool is written
    when the broker has acknowledged one. They are some 100 ms apart."""
    topic, acknowledged = room.topic(message_timestamp_type="LogAppendTime"), []
    sensor = Sensor(f"json,spool={room.path}/lone:kafka://{room.kafka.address}/{topic.name}")
    with open(f"{room.path}/lone/cursor", "rb") as cursor:
        for number in range(LONE):
            time.sleep(0.1)
            LIBC.syscall(448, -1, number)
            acknowledged.append(await_change(cursor))
    found = room.kafka.read(topic.name, lambda got: len(got) >= LONE)
    sensor.end()
    late = [one.timestamp()[1] - json.loads(one.value())["timestamp"] / 1e6 for one in found]
    result("siem.lone_event.ms", late, "ms",
           "from the entry of a call to its append at the broker, whose clock has ms; spool with fdatasync")
    result("siem.lone_event_worst.ms", [max(late)], "ms", f"the same, of {len(found)} events")
    result("siem.lone_acknowledged.ms", acknowledged[1:], "ms",
           "from the return of a call until the spool's cursor is behind it; all but the first, which connects")


def main():
    with tempfile.TemporaryDirectory(prefix="mrelease-siem.", dir=os.environ.get("TMPDIR", "/var/tmp")) as path:
        kafka = broker.Broker(path)
        kafka.start()
        try:
            kafka.await_()
            room = Room(path, kafka)
            room.record()
            compare(room)
            lone_events(room)
        finally:
            broker.end_all()
    if sys.argv[2:] == ["json"]:
        json.dump(results, sys.stdout, indent=2)
        print()
    else:
        for one in results:
            print(f"{one['name']:38} {one['value']:12.4g} {one['unit']:6} {one['spread']:10.3g}  {one['method']}")


main()
