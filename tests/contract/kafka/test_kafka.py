#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Real events on their way into a topic of a real broker.

usage: test_kafka.py PROGRAM    (kafka.bash sets KAFKA)
"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

import confluent_kafka

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from sensor import Sensor, answered, argument, await_, call, run_tests, spool_said  # noqa: E402
import broker  # noqa: E402
import deaths  # noqa: E402

LONG = os.environ.get("MRELEASE_TEST_LONG")
ROOM = tempfile.mkdtemp(prefix="mrelease-kafka.")


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


def long_a_broker_that_dies_loses_nothing_doubles_nothing_and_is_noticed_by_nobody_else():
    topic, room = Topic("death"), f"{ROOM}/death"
    os.mkdir(room)
    sensor = Sensor(f"json,spool={room}/s:{topic.output}", "--output", f"json:{room}/file")
    for first in range(1, 3001, 100):
        call(first, 100)
        if first == 1001:
            kafka.kill()
        if first == 2001:
            kafka.start()
        time.sleep(0.02)
    assert await_(lambda: open(f"{room}/file", encoding="utf-8").read().count("\n") == 3000), "the file lacks some"
    kafka.await_()
    found = topic.read(3000)
    said = sensor.end()
    assert sorted(numbers(found)) == list(range(1, 3001)), (len(found), len(set(numbers(found))), said)
    assert spool_said(said) == [3000, 3000, 0, 0, 0] and "3000 delivered, 0 dropped" in said, said
    assert "kafka: " in said and "tried again until it works" in said and "works again" in said, said


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
    assert given == taken + refused and refused and not lost and not left, said


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
