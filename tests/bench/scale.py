#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Many sensors before one broker and one collector: what each costs, and what they do when it comes back.

usage: scale.py PROGRAM    (ci/bench --only scale sets KAFKA, and COLLECTOR where it is to be had)

A sensor is the program itself, with its spool and its side program; a recording stands for the kernel, so that a
hundred of them see different calls on one machine.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import zlib

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "contract"))
sys.path.insert(0, os.path.join(sys.path[0], "kafka"))
import broker  # noqa: E402
import confluent_kafka  # noqa: E402
from sensor import LIBC, PROGRAM  # noqa: E402
from subjects import anonymous_kib, cpu_s, family, record  # noqa: E402

SENSORS = int(os.environ.get("BENCH_SCALE_SENSORS", "100"))
EVENTS = 200        # of each sensor, in SLICES steps
SLICES, STEP_S = 20, 1.0
DOWN_S = 10
WEIGHED, BLOCK = 6000, 1 << 20
CODECS = (("gzip", ["gzip"]), ("lz4", ["lz4", "-q", "-c"]), ("zstd", ["zstd", "-q", "-3", "-c"]))


class Sensors:
    def __init__(self, room, destination, capture):
        self.room, self.capture = room, capture
        os.mkdir(room)
        self.all = [subprocess.Popen([PROGRAM, "replay", "-", "--log-level", "error", "--output",
                                      f"{destination[0]},spool={room}/s{number},spool-size=8M:{destination[1]}"],
                                     stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                    for number in range(SENSORS)]

    def feed(self, slices):
        """So many steps, a second apart: a recording may stop anywhere, and go on."""
        size = len(self.capture) // SLICES
        for number in slices:
            at = number * size
            part = self.capture[at:] if number == SLICES - 1 else self.capture[at:at + size]
            for one in self.all:
                one.stdin.write(part)
                one.stdin.flush()
            time.sleep(STEP_S)

    def cost(self):
        pids = [pid for one in self.all for pid in family(one.pid)]
        return cpu_s(pids), anonymous_kib(pids)

    def end(self):
        for one in self.all:
            one.stdin.close()
        for one in self.all:
            try:
                one.wait(30)
            except subprocess.TimeoutExpired:
                one.kill()
                one.wait()
        shutil.rmtree(self.room)


class Counted:
    """How many there are, sampled ten times a second by a thread of its own."""

    def __init__(self, count):
        self.count, self.samples, self.stop = count, [], threading.Event()
        self.thread = threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def watch(self):
        while not self.stop.is_set():
            try:
                self.samples.append((time.monotonic(), self.count()))
            except Exception:  # it is down
                pass
            time.sleep(0.1)

    def await_(self, wanted, seconds):
        end = time.monotonic() + seconds
        while (not self.samples or self.samples[-1][1] < wanted) and time.monotonic() < end:
            time.sleep(0.1)
        return self.samples[-1][1] if self.samples else 0

    def end(self):
        self.stop.set()
        self.thread.join()

    def time_of(self, wanted):
        return next((at for at, count in self.samples if count >= wanted), None)


def tell(name, value, unit, method):
    print(f"{name:44} {value:12.4g} {unit:6} {method}", flush=True)


def compressed(data, how):
    """Bytes, in blocks as a request has them."""
    blocks = [data[at:at + BLOCK] for at in range(0, len(data), BLOCK)]
    if how == ["gzip"]:
        return sum(len(zlib.compress(block, 1)) for block in blocks)
    return sum(len(subprocess.run(how, input=block, stdout=subprocess.PIPE, check=True).stdout) for block in blocks)


def weigh(room):
    """Bytes of an event, by shape and by what compresses it."""
    path, memory = f"{room}/mixed.capture", ctypes.create_string_buffer(1 << 16)

    def call(number):
        LIBC.syscall(448, -1, number)
        LIBC.mlock(memory, 4096)
        LIBC.munlock(memory, 4096)
    record(path, WEIGHED, call)
    for shape in ("json", "json-v1beta1", "ecs", "ocsf", "cef", "leef"):
        subprocess.run([PROGRAM, "replay", path, "--output", f"{shape}:{room}/lines"], check=True,
                       stderr=subprocess.DEVNULL)
        with open(f"{room}/lines", "rb") as file:
            data = file.read()
        os.remove(f"{room}/lines")
        count = data.count(b"\n")
        tell(f"scale.bytes.{shape}", len(data) / count, "B", f"mean of {count} events of one process")
        for name, how in CODECS:
            if name == "gzip" or shutil.which(name):
                tell(f"scale.bytes.{shape}.{name}", compressed(data, how) / count, "B", "the same, in blocks of 1 MiB")
    tell("scale.bytes.recording", os.path.getsize(path) / count, "B", "of a recording")


def measure(name, room, destination, capture, count, outage):
    """`outage`: takes the receiver away, and gives it back, which returns."""
    sensors = Sensors(f"{room}/{name}", destination, capture)
    counted = Counted(count)
    half = SLICES // 2
    try:
        sensors.feed(range(half))
        before = counted.await_(SENSORS * EVENTS * (half - 1) // SLICES, 60)
        cpu, kib = sensors.cost()
        tell(f"scale.{name}.cpu_ms_per_sensor", cpu * 1000 / SENSORS, "ms",
             f"{SENSORS} sensors, start and {before // SENSORS} events of each in {half} s")
        tell(f"scale.{name}.anonymous_mib_per_sensor", kib / 1024 / SENSORS, "MiB", "RssAnon of its three processes")
        back = outage(lambda: sensors.feed(range(half, SLICES)))
        wanted = SENSORS * EVENTS
        got = counted.await_(wanted, 180)
        if got < wanted:
            print(f"# {name}: {got} of {wanted} arrived", file=sys.stderr)
        missing = wanted - before
        for share in (10, 50, 90, 100):
            at = counted.time_of(before + missing * share // 100)
            tell(f"scale.{name}.after_outage_{share}.s", at - back if at else float("nan"), "s",
                 f"until {share} % of what was kept in {DOWN_S} s and more had arrived, from the moment it listens again")
        tell(f"scale.{name}.arrived", got, "1", f"events, of {wanted}")
        return got >= wanted
    finally:
        counted.end()
        sensors.end()


def kafka(room, capture):
    one = broker.Broker(room)
    one.start()
    one.await_()
    one.make("t", 12)
    reader = confluent_kafka.Consumer({"bootstrap.servers": one.address, "group.id": "scale", "log_level": 0,
                                       "socket.timeout.ms": 2000})

    def count():
        return sum(reader.get_watermark_offsets(confluent_kafka.TopicPartition("t", number), 2)[1]
                   for number in range(12))

    def outage(meanwhile):
        one.kill()
        meanwhile()
        one.start()
        one.await_()
        return time.monotonic()

    return measure("kafka", room, ("json", f"kafka://{one.address}/t"), capture, count, outage)


class Collector:
    def __init__(self, room):
        self.room, self.process = room, None
        self.port, = broker.free_ports(1)
        with open(f"{room}/config.yaml", "w", encoding="ascii") as file:
            file.write(f'''receivers: {{otlp: {{protocols: {{http: {{endpoint: "127.0.0.1:{self.port}"}}}}}}}}
exporters: {{file: {{path: {room}/out.json, append: true, flush_interval: 100ms}}}}
service:
  telemetry: {{metrics: {{level: none}}}}
  pipelines: {{logs: {{receivers: [otlp], exporters: [file]}}}}
''')

    def start(self):
        self.process = subprocess.Popen([f"{os.environ['COLLECTOR']}/otelcol", "--config", f"{self.room}/config.yaml"],
                                        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        broker.started.append(self.process)

    def count(self):
        with open(f"{self.room}/out.json", "rb") as file:
            return sum(line.count(b'"timeUnixNano"') for line in file)


def collector(room, capture):
    one = Collector(room)
    one.start()

    def outage(meanwhile):
        one.process.send_signal(signal.SIGTERM)
        one.process.wait()
        meanwhile()
        one.start()
        return time.monotonic()

    return measure("collector", room, ("otlp", f"otlp+http://127.0.0.1:{one.port}"), capture, one.count, outage)


def main():
    done = True
    with tempfile.TemporaryDirectory(prefix="mrelease-scale.", dir=os.environ.get("TMPDIR", "/var/tmp")) as path:
        try:
            weigh(path)
            record(f"{path}/calls.capture", EVENTS)
            with open(f"{path}/calls.capture", "rb") as file:
                capture = file.read()
            for receiver in [kafka] + ([collector] if os.environ.get("COLLECTOR") else []):
                os.mkdir(f"{path}/{receiver.__name__}-room")
                done &= receiver(f"{path}/{receiver.__name__}-room", capture)
                broker.end_all()
        finally:
            broker.end_all()
    sys.exit(not done)


main()
