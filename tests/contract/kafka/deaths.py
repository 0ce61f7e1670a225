# SPDX-License-Identifier: Apache-2.0
"""Kills of sensor, side program and broker while events flow, and what must be in the topic then."""
import os
import random
import re
import threading
import time

from sensor import Sensor, await_, call, spool_said

ON_THEIR_WAY = 2 * 4096  # items that are sent again after a death
COUNT = re.compile(rb'"name":"count","type":"[a-z ]*","value":(\d+)')
FLAGS = re.compile(rb'"name":"flags","type":"[a-z ]*","value":(\d+)')


class Rounds:
    """Calls in rounds, each with numbers of its own and a sensor that dies in it."""

    def __init__(self, output, directory, size):
        self.output, self.directory, self.size, self.count, self.called = output, directory, size, 0, 0
        self.cut = set()

    def run(self, during, pace_s):
        """One round: `during` is called beside the calls, in a thread, with the sensor, and may kill it."""
        sensor, self.called = Sensor(self.output), 0
        beside = threading.Thread(target=during, args=(sensor,))
        beside.start()
        first = self.count * self.size + 1
        for number in range(first, first + self.size, 100):
            call(number, 100)
            self.called += 100
            time.sleep(pace_s)
        beside.join()
        sensor.kill()
        self.count += 1

    def last_segment(self):
        return f"{self.directory}/" + max(name for name in os.listdir(self.directory) if name.endswith(".spl"))

    def after(self, least, most, what):
        """Does it once so many calls of the round were made."""
        calls = random.randrange(least, most)
        while self.called < calls:
            time.sleep(0.001)
        what()

    def damage(self):
        """What a machine that dies may leave: an end that is cut, or garbage behind it."""
        path = self.last_segment()
        if self.count % 3 == 1:
            self.cut.add(self.count - 1)
            os.truncate(path, max(512, os.stat(path).st_size - random.randrange(1, 3000)))
        elif self.count % 3 == 2:
            with open(path, "ab") as file:
                file.write(os.urandom(700))

    def drain(self):
        """Runs until nothing is pending. Returns what the last run says of the spool."""
        for _ in range(60):
            sensor = Sensor(self.output)
            time.sleep(2)
            said = spool_said(sensor.end())
            if not said[4]:
                return said
        raise AssertionError(f"still pending: {said}")

    def check(self, messages, given, most_twice):
        """Nothing is missing, nothing is out of order, and no more than that is there twice."""
        places, numbers, twice, told = {}, {}, 0, 0
        for message in messages:
            one = dict(message.headers())["id"].decode()
            if one in numbers:
                twice += 1
                continue
            lane, sequence = one.rsplit(".", 1)
            assert places.get(lane, -1) < int(sequence), f"{one} stands behind {places[lane]}"
            places[lane] = int(sequence)
            flags = FLAGS.search(message.value())
            numbers[one] = int(flags.group(1)) if flags else 0
            told += 0 if flags else int(COUNT.search(message.value()).group(1))
        called, of_round = sorted(number for number in numbers.values() if number), {}
        assert len(set(called)) == len(called)
        for number in called:
            of_round.setdefault((number - 1) // self.size, []).append(number)
        holes = sum(got[-1] - number * self.size - len(got) for number, got in of_round.items())
        assert holes <= told, f"{holes} are missing, and events_lost tells {told}"
        assert len(numbers) == given or (self.cut and len(numbers) > given), (len(numbers), given)
        assert twice <= most_twice, (twice, most_twice)
        print(f"# {self.count * self.size} called, {given} appended, {len(numbers)} in the topic, {twice} twice "
              f"(at most {most_twice}), {told} told as lost before the spool", flush=True)


def twenty_sensors(kafka, topic, room):
    rounds = Rounds(f"json,spool={room}/s:{topic.output}", f"{room}/s", 1000)
    for _ in range(20):
        rounds.run(lambda sensor: rounds.after(1, 1000, sensor.run.kill), 0.02)
        rounds.damage()
    given, taken, refused, lost, _ = rounds.drain()
    assert given == taken and not refused and not lost, (given, taken, refused, lost)
    rounds.check(topic.read_all(), given, 20 * ON_THEIR_WAY)


def everybody(kafka, topic, room):
    """50 sensors, 50 side programs and 20 brokers die, and 500,000 events are appended."""
    rounds = Rounds(f"json,queue=64M,spool={room}/s:{topic.output}", f"{room}/s", 15000)
    brokers = []

    def broker_deaths():
        for _ in range(20):
            time.sleep(random.uniform(0, 2))
            kafka.kill()
            kafka.start()
            kafka.await_()
            brokers.append(kafka.process.pid)

    def deaths(sensor):
        rounds.after(1, 9000, lambda: sensor.kill_side("kafka"))
        rounds.after(11000, 15000, sensor.run.kill)

    beside = threading.Thread(target=broker_deaths)
    beside.start()
    for _ in range(50):
        rounds.run(deaths, 0.01)
    beside.join()
    assert len(brokers) == 20
    given, taken, refused, lost, _ = rounds.drain()
    assert given == taken >= 500000 and not refused and not lost, (given, taken, refused, lost)
    rounds.check(topic.read_all(), given, 100 * ON_THEIR_WAY)


def budget(kafka, topic, room):
    """Down from the start, with four segments: what they do not hold is told exactly, in its place."""
    output, directory = f"json,spool={room}/s,spool-size=4M:{topic.output}", f"{room}/s"
    kafka.kill()
    for first in (1, 8001):
        sensor = Sensor(output)
        for number in range(first, first + 8000, 250):
            call(number, 250)
            time.sleep(0.02)
            assert sum(os.stat(f"{directory}/{name}").st_size for name in os.listdir(directory)) <= 4 << 20
        said = sensor.end()
    assert spool_said(said)[0] == 16000, said
    kafka.start()
    kafka.await_()
    sensor = Sensor(output)
    assert await_(lambda: topic.has(lambda one: b'"value":16000}' in one.value()), 60)
    given, taken, refused, lost, pending = spool_said(sensor.end())
    messages = topic.read_all()
    kinds = [dict(one.headers())["event"] for one in messages]
    got = {int(FLAGS.search(one.value()).group(1)) for one, kind in zip(messages, kinds) if kind != b"events_lost"}
    told = sum(int(COUNT.search(one.value()).group(1))
               for one, kind in zip(messages, kinds) if kind == b"events_lost")
    assert lost and told == lost and len(got) + lost == 16000, (len(got), told, lost)
    assert (given, taken, refused, pending) == (16000, len(got), 0, 0), (given, taken, refused, pending)
