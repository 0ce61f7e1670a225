#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real events on their way into a topic of a real broker.

usage: test_kafka.py PROGRAM    (kafka.bash sets KAFKA)
"""
import ctypes
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

import confluent_kafka

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import LIBC, NAME, Sensor, answered, argument, await_, call, run_tests, spool_said  # noqa: E402
import broker  # noqa: E402
import deaths  # noqa: E402

LONG = os.environ.get("MRELEASE_TEST_LONG")
ROOM = tempfile.mkdtemp(prefix="mrelease-kafka.")
BIG = [0, 2**53 - 1, 2**53 + 1, 2**63 - 1, 2**63, 2**64 - 1]


def openssl(*words):
    subprocess.run(["openssl", *words], check=True, capture_output=True, timeout=60, cwd=ROOM)


def certificate(name, subject, extension, signer=None):
    """NAME.pem is the key with its certificate, NAME.crt that alone."""
    sign = ["-CA", f"{signer}.crt", "-CAkey", f"{signer}.key"] if signer else []
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", f"{name}.key",
            "-out", f"{name}.crt", "-subj", f"/CN={subject}", "-addext", extension, "-days", "9", *sign)
    with open(f"{ROOM}/{name}.pem", "w", encoding="ascii") as file:
        for part in ("key", "crt"):
            with open(f"{ROOM}/{name}.{part}", encoding="ascii") as half:
                file.write(half.read())


def numbers(messages):
    return [argument(json.loads(one.value()), "flags") for one in messages
            if dict(one.headers())["event"] == b"process_mrelease"]


def identities(messages):
    return [dict(one.headers())["id"] for one in messages]


def event_of(message):
    return dict(message.headers())["event"]


class Topic:
    def __init__(self, name, **settings):
        self.name = name
        kafka.make(name, **settings)
        self.output = f"kafka://{kafka.address}/{name}"

    def read(self, count, seconds=20):
        return kafka.read(self.name, lambda found: len(found) >= count, seconds)

    def read_all(self):
        return kafka.read(self.name, lambda found: len(found) >= kafka.count(self.name), 120)

    def has(self, wanted):
        return any(wanted(one) for one in self.read_all())


def test_every_event_arrives_once_with_its_id_from_memory():
    topic = Topic("memory")
    sensor = Sensor(f"json:{topic.output}")
    call(1, 500)
    said = sensor.end()
    found = topic.read(500)
    assert numbers(found) == list(range(1, 501)), (len(found), said)
    assert "500 delivered, 0 dropped" in said and "0 rejected" in said, said
    assert len(set(identities(found))) == 500 and all(b"-" in one for one in identities(found))
    first = json.loads(found[0].value())
    assert found[0].key().decode() == first["hostName"]
    assert found[0].timestamp()[1] == first["timestamp"] // 1000000
    assert not found[0].value().endswith(b"\n")


def test_the_topic_has_the_lines_of_a_file_to_the_byte():
    """Of every shape that is text, and with the largest numbers."""
    room, shapes = f"{ROOM}/bytes", ("json", "json-v1beta1", "ecs", "ocsf", "cef", "leef")
    os.mkdir(room)
    topics = {shape: Topic(f"bytes-{shape}") for shape in shapes}
    outputs = [text for shape in shapes for text in (f"{shape}:{topics[shape].output}", f"{shape}:{room}/{shape}")]
    sensor = Sensor(outputs[0], *[word for text in outputs[1:] for word in ("--output", text)],
                    *[word for event in ("mlock", "munlock") for word in ("--events", f"{event}.scope.comm={NAME}")])
    for number in BIG:
        for system_call in (149, 150):
            LIBC.syscall(system_call, ctypes.c_uint64(number), ctypes.c_uint64(number))
    call(1, 10)
    calls, seen = 2 * len(BIG) + 10, {b"mlock", b"munlock", b"process_mrelease"}
    for shape, topic in topics.items():
        found = kafka.read(topic.name, lambda some: sum(event_of(one) in seen for one in some) >= calls)
        texts = [one.value() for one in found if event_of(one) in seen]
        with open(f"{room}/{shape}", "rb") as file:
            lines = [line for line in file.read().splitlines() if b"sensor_state" not in line]
        assert len(texts) == calls and sorted(texts) == sorted(lines), (shape, len(texts), len(lines))
    locks = [json.loads(one.value())["mrelease"] for one in topics["ecs"].read_all() if event_of(one) == b"mlock"]
    assert [(one["len"], one["addr"]) for one in locks] == [(number, str(number)) for number in BIG], locks
    sensor.end()


def lines_of(path):
    with open(path, "rb") as file:
        return file.read().count(b"\n")


def long_an_outage_of_an_hour_is_noticed_by_nobody_else_and_all_of_it_arrives_once_and_in_order():
    """An hour of two events a second. The other output goes on, and so do those who call."""
    topic, room, last, took = Topic("death"), f"{ROOM}/death", 0, {}
    os.mkdir(room)
    sensor = Sensor(f"json,spool={room}/s:{topic.output}", "--output", f"json:{room}/file")

    def calls(count, when):
        nonlocal last
        for first in range(last + 1, last + count, 100):
            begun = time.monotonic()
            call(first, 100)
            took.setdefault(when, []).append(time.monotonic() - begun)
            last = first + 99
            assert await_(lambda: lines_of(f"{room}/file") == last, 5), "the file waits"
        return last

    assert numbers(topic.read(calls(1000, "before"))) == list(range(1, 1001))
    kafka.kill()
    calls(7200, "down")
    said = sensor.until("tried again until it works")
    assert kafka.process.poll() is not None and answered(f"{room}/s") == 1000
    kafka.start()
    kafka.await_()
    while answered(f"{room}/s") < 8200:  # new ones come while it catches up
        calls(100, "after")
    calls(100, "after")
    found = topic.read(last)
    said += sensor.end()
    assert numbers(found) == list(range(1, last + 1)), (len(found), len(set(numbers(found))), last, said)
    assert spool_said(said) == [last, last, 0, 0, 0] and f"{last} delivered, 0 dropped" in said, said
    assert "kafka: " in said and "works again" in said, said
    medians = {when: statistics.median(some) for when, some in took.items()}
    print("# 100 calls: " + ", ".join(f"{one * 1e6:.0f} us {when}" for when, one in medians.items()))
    assert medians["down"] < 4 * medians["before"], medians


def long_a_topic_that_is_not_there_is_told_and_waited_for():
    room, output = f"{ROOM}/missing", f"kafka://{kafka.address}/missing"
    os.mkdir(room)
    sensor = Sensor(f"json,spool={room}/s:{output}")
    call(1, 50)
    told = sensor.until("somebody has to mend that")
    assert "opic" in told, told
    topic = Topic("missing")
    sensor.run.send_signal(signal.SIGHUP)  # or within a minute
    assert numbers(topic.read(50)) == list(range(1, 51))
    said = sensor.end()
    assert spool_said(said) == [50, 50, 0, 0, 0], said


def test_what_is_too_large_for_the_topic_is_refused_and_holds_nobody_up():
    topic, room = Topic("small", max_message_bytes="1000"), f"{ROOM}/small"
    os.mkdir(room)
    # The extras make the events of one kind longer than the topic takes.
    sensor = Sensor(f"json,compress=none,spool={room}/s:{topic.output}", "--extra", "seq")
    call(1, 20)
    assert await_(lambda: answered(f"{room}/s") == 20) and os.path.exists(f"{room}/s/refused.ndjson")
    said = sensor.end()
    given, taken, refused, lost, left = spool_said(said)
    # Near the end, a program that gets no time for 0.6 s is ended, and what it had in hand is kept.
    assert given == taken + refused + left and refused and not lost and (not left or "why=hang" in said), said


def test_tls_and_passwords():
    topic = Topic("secret")
    wrong = f"{ROOM}/wrong"
    with open(wrong, "w", encoding="ascii") as file:
        file.write("no-such-pass-44\n")
    with open(f"{ROOM}/right", "w", encoding="ascii") as file:
        file.write(f"{broker.PASSWORD}\n")
    for path in (wrong, f"{ROOM}/right"):
        os.chmod(path, 0o600)
    sasl, tls = f"kafkas://127.0.0.1:{kafka.sasl_port}/secret", f"kafkas://127.0.0.1:{kafka.tls_port}/secret"
    user = f"ca={ROOM}/ca.crt,user=sensor,password-file={ROOM}/right"
    works = [f"json,{user}:{sasl}",
             f"json,ca={ROOM}/ca.crt,cert={ROOM}/client.crt,key={ROOM}/client.key:{tls}"]
    if confluent_kafka.libversion()[1] >= 0x02060100:  # before, it says its nonce twice, which Kafka 4 refuses
        works.append(f"json,{user},mechanism=scram-sha-512:{sasl}")
    for number, output in enumerate(works, 1):
        sensor = Sensor(output)
        call(number, 1)
        assert await_(lambda: len(topic.read(number)) == number), sensor.end()  # noqa: B023
        said = sensor.said + sensor.end()
        assert "1 delivered, 0 dropped" in said and broker.PASSWORD not in said, said
    fails = [f"json,ca={ROOM}/ca.crt,user=sensor,password-file={wrong}:{sasl}"]
    if LONG:
        fails += [f"json,ca={ROOM}/other.crt,user=sensor,password-file={ROOM}/right:{sasl}",
                  f"json,ca={ROOM}/ca.crt,user=sensor,password-file={ROOM}/right:{sasl.replace('127.0.0.1', 'localhost')}",
                  f"json,ca={ROOM}/ca.crt:{tls}"]
    for output in fails:
        sensor = Sensor(output)
        call(100, 1)
        told = sensor.until("somebody has to mend that")
        told += sensor.end()
        assert "no-such-pass" not in told and broker.PASSWORD not in told and "1 delivered" not in told, told
    assert len(topic.read(len(works) + 1, 1)) == len(works)


def end():
    broker.end_all()
    shutil.rmtree(ROOM, True)


def before(test):
    topic, room = Topic(test.__name__), f"{ROOM}/{test.__name__}"
    os.mkdir(room)
    test(kafka, topic, room)


def long_twenty_sensors_that_die_lose_nothing():
    before(deaths.twenty_sensors)


def long_what_the_budget_takes_is_told_exactly():
    before(deaths.budget)


def long_fifty_sensors_fifty_side_programs_and_twenty_brokers_die_and_nothing_is_lost():
    before(deaths.everybody)


if __name__ == "__main__":
    if os.geteuid():
        print("1..0 # SKIP root is wanted")
        sys.exit(77)
    certificate("ca", "ca", "basicConstraints=critical,CA:true")
    certificate("other", "other", "basicConstraints=critical,CA:true")
    certificate("broker", "broker", "subjectAltName=IP:127.0.0.1", "ca")
    certificate("client", "client", "subjectAltName=DNS:client", "ca")
    shutil.copy(f"{ROOM}/ca.crt", f"{ROOM}/ca.pem")
    kafka = broker.Broker(ROOM, ROOM)
    kafka.start()
    kafka.await_()
    run_tests(globals(), end)
